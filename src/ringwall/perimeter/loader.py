"""Reading ``ringwall.yaml``: every mistake at once, each with file, line, column and the nearest valid name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from ringwall.errors import DeclarationError, Problem, RingwallError
from ringwall.perimeter.cautions import cautions
from ringwall.perimeter.environments import apart, overlaid, place_of
from ringwall.perimeter.model import PII_TYPES, Perimeter
from ringwall.perimeter.nearest import did_you_mean
from ringwall.perimeter.rules import inconsistencies
from ringwall.perimeter.rules_accounts import collisions, disagreements
from ringwall.perimeter.yaml_text import parse_yaml

Path_ = tuple[str | int, ...]
SHOWN = 200
"""Characters of a wrong value that a message shows."""
SHAPES = ("[key]", "[both]", "[sides]")
"""What pydantic puts into a path that is no part of the declaration's."""


def load(
    path: str | Path = "ringwall.yaml", *, environment: str | None = None, account: str | None = None
) -> Perimeter:
    """Read and validate a declaration.

    Args:
        path: the file.
        environment: name from its ``environments``, laid over the rest; ``None`` = the declaration as it stands.
        account: name from its ``accounts``; needed where there are several.

    Raises:
        RingwallError: the file cannot be read, or has no such environment or account, or has several and none is named.
        DeclarationError: it is not a valid declaration; carries every problem.
    """
    return _one(load_all(path, environment=environment), str(path), account)


def load_all(path: str | Path = "ringwall.yaml", *, environment: str | None = None) -> tuple[Perimeter, ...]:
    """Read and validate a declaration: one perimeter for each of its ``accounts``, or the one that it is about.

    Raises:
        RingwallError: the file cannot be read, or has no such environment.
        DeclarationError: it is not a valid declaration; carries every problem.
    """
    file = Path(path)
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        msg = f"{file} does not exist: write one with `ringwall init`, or name another with --file"
        raise RingwallError(msg) from None
    except OSError as error:
        msg = f"{file} cannot be read: {error.strerror}"
        raise RingwallError(msg) from error
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DeclarationError((Problem(str(file), line, 1, "", "is not UTF-8 text"),)) from None
    return loads_all(text, file=str(file), environment=environment)


def loads(
    text: str,
    *,
    file: str = "ringwall.yaml",
    environment: str | None = None,
    account: str | None = None,
) -> Perimeter:
    """Validate the text of a declaration. ``file`` is what messages call it. See :func:`load`."""
    return _one(loads_all(text, file=file, environment=environment), file, account)


def loads_all(
    text: str, *, file: str = "ringwall.yaml", environment: str | None = None
) -> tuple[Perimeter, ...]:
    """Validate the text of a declaration: the perimeters of all of its accounts.

    Whichever environment is chosen, all are validated: a mistake in production's is found before production needs it.

    Raises:
        RingwallError: there is no such environment.
        DeclarationError: with every problem, of the declaration and of each environment.
    """
    tree = _mapping(text, file)
    trees = _every(tree)
    if environment not in trees:
        known = ", ".join(str(name) for name in trees if name is not None) or "none"
        msg = f"{file} has no environment {environment} (there: {known})"
        raise RingwallError(msg)
    problems: list[Problem] = []
    perimeters = {name: tuple(_all_validated(found, file, problems)) for name, found in trees.items()}
    chosen = perimeters[environment]
    source = _Source(file, tree)
    problems.extend(source.problem(path, message, at_key=True) for path, message in collisions(perimeters))
    if problems:
        raise DeclarationError(tuple(_unique(problems)))
    return chosen


def cautioned(text: str, *, file: str = "ringwall.yaml") -> tuple[Problem, ...]:
    """What the text of a valid declaration says that protects less than it looks, in any account and environment.

    Raises:
        DeclarationError: it is no YAML, or no mapping.
    """
    found = [
        _Source(file, one).problem(path, message)
        for tree in _every(_mapping(text, file)).values()
        for one in apart(tree).values()
        for path, message in cautions(_plain(one))
    ]
    return tuple(_unique(found))


def _mapping(text: str, file: str) -> CommentedMap:
    tree = parse_yaml(text, file, texts_only=True)
    if not isinstance(tree, CommentedMap):
        raise DeclarationError((Problem(file, 1, 1, "", "must be a mapping, see `ringwall init`"),))
    return tree


def _every(tree: CommentedMap) -> dict[str | None, Any]:
    """The declaration as it stands, and as each environment has it."""
    trees: dict[str | None, Any] = {None: tree}
    trees.update(overlaid(tree))
    return trees


def _one(perimeters: tuple[Perimeter, ...], file: str, account: str | None) -> Perimeter:
    """The perimeter of the named account, or the only one."""
    names = ", ".join(item.member for item in perimeters if item.member) or "none"
    if account is not None:
        for perimeter in perimeters:
            if perimeter.member == account:
                return perimeter
        raise RingwallError(f"{file} has no account {account} (there: {names})")
    if len(perimeters) > 1:
        raise RingwallError(f"{file} is about several accounts: choose one with --account (there: {names})")
    return perimeters[0]


def _all_validated(tree: Any, file: str, problems: list[Problem]) -> Iterator[Perimeter]:
    """The declarations in a tree, one for each account, as far as they are valid."""
    for one in apart(tree).values():
        perimeter = _validated(one, file, problems)
        if perimeter is not None:
            yield perimeter
    source = _Source(file, tree)
    problems.extend(
        source.problem(path, message, at_key=True) for path, message in disagreements(_plain(tree))
    )


def _validated(tree: Any, file: str, problems: list[Problem]) -> Perimeter | None:
    """The declaration in a tree, or ``None`` and what is wrong with it added to ``problems``."""
    source, plain = _Source(file, tree), _plain(tree)
    problems.extend(source.problem(path, message) for path, message in inconsistencies(plain))
    try:
        return Perimeter.model_validate(plain)
    except ValidationError as error:
        problems[:0] = _problems(error, source)
        return None


@dataclass(frozen=True, slots=True)
class _Source:
    """The parsed text, to look positions up in."""

    file: str
    tree: Any

    def problem(self, path: Path_, message: str, *, at_key: bool = False) -> Problem:
        line, column = self._position(path, at_key=at_key)
        return Problem(self.file, line, column, _dotted(path), message)

    def _position(self, path: Path_, *, at_key: bool) -> tuple[int, int]:
        node, place = self.tree, (0, 0)
        for depth, step in enumerate(path):
            last = depth == len(path) - 1
            known = place_of(node, step) if isinstance(node, CommentedMap) else None
            if known is not None:
                value = node.get(step)
                beside = last and not at_key and value is not None and not _is_container(value)
                place = known[2:] if beside else known[:2]
                node = value
            elif isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
                place, node = node.lc.item(step), node[step]
            else:
                break
        return place[0] + 1, place[1] + 1


def _is_container(value: Any) -> bool:
    return isinstance(value, CommentedMap | CommentedSeq)


def _problems(error: ValidationError, source: _Source) -> Iterator[Problem]:
    for item in error.errors(include_url=False):
        path = tuple(part for part in item["loc"] if part not in SHAPES)
        at_key = item["type"] == "extra_forbidden" or item["loc"][-1:] == ("[key]",)
        yield source.problem(path, _message(dict(item), path), at_key=at_key)


def _message(item: Mapping[str, Any], path: Path_) -> str:
    """What is wrong with a value, in words of the declaration, not of the validator."""
    kind, context, value = item["type"], item.get("ctx", {}), item.get("input")
    shown = _shown(value)
    options = str(context.get("expected", "")).replace(" or ", ", ").replace("'", "").split(", ")
    known: dict[str, Callable[[], str]] = {
        "extra_forbidden": lambda: "unknown field" + did_you_mean(str(path[-1]), _fields_at(path[:-1])),
        "missing": lambda: "this field is required",
        "literal_error": lambda: (
            f"must be {_listing(options)}, not {shown}" + did_you_mean(str(value), options)
        ),
        "string_pattern_mismatch": lambda: f"{shown} does not have the form {context.get('pattern')}",
        "value_error": lambda: str(context.get("error", item["msg"])),
        "model_type": lambda: f"must be a mapping, not {shown}",
        "dict_type": lambda: f"must be a mapping, not {shown}",
        "tuple_type": lambda: f"must be a list, not {shown}",
        "bool_type": lambda: f"must be true or false, not {shown}",
        "too_short": lambda: (
            f"needs at least {context.get('min_length')}, has {context.get('actual_length')}"
        ),
        "too_long": lambda: f"takes at most {context.get('max_length')}, has {context.get('actual_length')}",
    }
    if value is None and kind.endswith("_type"):
        return "has no value: give it one, or leave it out"
    if kind in known:
        return known[kind]()
    if kind == "string_type" and isinstance(value, int) and not isinstance(value, bool):
        return f'must be text: write it in quotes, "{value}"'
    text = str(item["msg"]).replace("Input should", "must").replace("String should", "must")
    return text[:1].lower() + text[1:] + ("" if value is None or _is_big(value) else f", not {shown}")


def _shown(value: Any) -> str:
    """A value as messages show it: the beginning, if it is long."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _is_big(value: Any) -> bool:
    return isinstance(value, Mapping | Sequence) and not isinstance(value, str)


def _listing(options: Sequence[str]) -> str:
    return options[0] if len(options) == 1 else f"one of {', '.join(options)}"


def _fields_at(path: Path_) -> tuple[str, ...]:
    """Names that are valid in the mapping at ``path``, found by walking the model's annotations."""
    current: Any = Perimeter
    for step in path:
        current = _step(current, step)
        if current is None:
            return ()
    if isinstance(current, type) and issubclass(current, BaseModel):
        return tuple(current.model_fields)
    return PII_TYPES if path[-1:] == ("pii",) else ()


def _step(current: Any, step: str | int) -> Any:
    if isinstance(current, type) and issubclass(current, BaseModel):
        info = current.model_fields.get(str(step))
        return _unwrap(info.annotation) if info else None
    return _unwrap(next((arg for arg in reversed(get_args(current)) if arg is not Ellipsis), None))


def _unwrap(annotation: Any) -> Any:
    """The section inside ``X | None`` and ``Annotated``; containers stay, so that the next step can enter them."""
    arguments = [arg for arg in get_args(annotation) if arg is not type(None)]
    origin = getattr(annotation, "__origin__", None)
    if arguments and origin not in {dict, tuple}:
        return _unwrap(arguments[0])
    return annotation


def _plain(value: Any) -> Any:
    if isinstance(value, CommentedMap):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, CommentedSeq):
        return [_plain(item) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    return str(value)


def _dotted(path: Path_) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _unique(problems: Sequence[Problem]) -> Iterator[Problem]:
    """Problems in order of position, the first of each place."""
    seen: set[tuple[int, int, str]] = set()
    for problem in sorted(problems, key=lambda item: (item.line, item.column)):
        place = (problem.line, problem.column, problem.path)
        if place not in seen:
            seen.add(place)
            yield problem


def line_of(file: str | Path, path: tuple[str | int, ...]) -> int | None:
    """The line on which something of a declaration stands, counting from 1; ``None`` if it does not say it."""
    try:
        text = Path(file).read_text(encoding="utf-8")
    except OSError:
        return None
    tree = parse_yaml(text, str(file), texts_only=True)
    node = tree
    for step in path:
        if not isinstance(node, CommentedMap | CommentedSeq):
            return None
        if (step not in node) if isinstance(node, CommentedMap) else not 0 <= int(step) < len(node):
            return None
        node = node[step]
    return _Source(str(file), tree).problem(path, "", at_key=True).line
