"""Every field of the example that says everything, with values that AWS would refuse: each mistake is said at its place."""

from __future__ import annotations

import copy
import io
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from ringwall.errors import DeclarationError, Problem
from ringwall.perimeter import loads

COMPLETE = Path(__file__).parents[2] / "examples/complete/ringwall.yaml"
LONG = "x" * 5_000
FREE = {
    "description",
    "blocked_input",
    "blocked_output",
    "definition",
    "examples",
    "words",
    "text",
    "pattern",
}
"""Fields that may hold any text, up to their length."""
MAY_BE_EMPTY = {"team"}
Place = tuple[str | int, ...]


def yaml() -> YAML:
    made = YAML()
    made.width = 10_000
    return made


@cache
def tree() -> Any:
    read = yaml().load(COMPLETE.read_text(encoding="utf-8"))
    del read["environments"]
    return read


def at(node: Any, place: Place) -> Any:
    for step in place:
        node = node[step]
    return node


def places(node: Any, place: Place = ()) -> Iterator[Place]:
    """Every field below a node, mappings and lists included."""
    if isinstance(node, CommentedMap | CommentedSeq):
        for step in node if isinstance(node, CommentedMap) else range(len(node)):
            yield (*place, step)
            yield from places(node[step], (*place, step))


def changed(values: dict[Place, Any]) -> str:
    """The text of the declaration with other values at some places, none of them inside another."""
    other = copy.deepcopy(tree())
    for place, value in values.items():
        at(other, place[:-1])[place[-1]] = value
    stream = io.StringIO()
    yaml().dump(other, stream)
    return stream.getvalue()


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(DeclarationError) as caught:
        loads(text)
    return caught.value.problems


def dotted(place: Place) -> str:
    text = ""
    for step in place:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def wrong(place: Place, value: Any) -> Iterator[Any]:
    """Values that cannot stand where this one stands."""
    name = next(step for step in reversed(place) if isinstance(step, str))
    if isinstance(value, CommentedMap):
        yield [1]
        yield 5
    elif isinstance(value, CommentedSeq):
        yield 5
        yield {"a": {"b": 1}}
    elif isinstance(value, bool):
        yield "perhaps"
        yield 5
    elif isinstance(value, int | float):
        yield "many"
        yield -1
        yield 10**9
    else:
        yield 5
        yield [value]
        yield LONG
        if name not in MAY_BE_EMPTY:
            yield ""
        if name not in FREE and place[-2:] != (0, "name"):
            yield f"{value} ä"


UNBOUNDED = ("alarms", "tokens_per_hour")
"""A number that AWS bounds nowhere: a metric's threshold."""


def rounds() -> Iterator[dict[Place, Any]]:
    """Every wrong value once: as many at a time as do not stand inside each other."""
    left = [
        (place, value)
        for place in places(tree())
        for value in wrong(place, at(tree(), place))
        if (place, value) != (UNBOUNDED, 10**9)
    ]
    while left:
        chosen: dict[Place, Any] = {}
        for place, value in tuple(left):
            if not any(place[: len(one)] == one or one[: len(place)] == place for one in chosen):
                chosen[place] = value
                left.remove((place, value))
        yield chosen


@pytest.mark.parametrize("values", tuple(rounds()), ids=lambda values: f"{len(values)} at once")
def test_a_wrong_value_is_said_where_it_stands(values: dict[Place, Any]) -> None:
    text = changed(values)
    found, lines = problems(text), text.splitlines()
    for place, value in values.items():
        mine = [item for item in found if item.path.startswith(dotted(place))]
        assert mine, (dotted(place), value)
        line = lines[mine[0].line - 1]
        named = next(str(step) for step in reversed(place) if isinstance(step, str))
        assert named in line or str(value)[:20] in line or isinstance(value, list), (mine[0], line)
        assert mine[0].column >= 1


NAMES_ARE_FREE = {("models",), ("uses",), ("knowledge_bases",), ("client", "metadata")}
MAPPINGS = [
    place
    for place in ((), *places(tree()))
    if isinstance(at(tree(), place), CommentedMap) and place not in NAMES_ARE_FREE
]


def misspelt(name: str) -> str:
    return f"{name[0]}{name[2]}{name[1]}{name[3:]}" if name[1] != name[2] else f"{name}x"


def test_an_unknown_key_is_refused_with_the_nearest_one() -> None:
    known = {place: next(name for name in at(tree(), place) if len(name) > 3) for place in MAPPINGS}
    values = {(*place, misspelt(name)): at(tree(), (*place, name)) for place, name in known.items()}
    said = {item.path: item.message for item in problems(changed(values))}
    for place, name in known.items():
        message = said[dotted((*place, misspelt(name)))]
        assert f"did you mean {name}?" in message, message
