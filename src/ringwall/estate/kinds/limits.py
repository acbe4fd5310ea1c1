"""What AWS accepts, as tables: shared by deploy's preflight and the sandbox's rejections."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ringwall.estate.kinds.documents import text
from ringwall.estate.model import Ref, references


@dataclass(frozen=True, slots=True)
class Limit:
    """What one property may be. References pass: their value is not known yet.

    Attributes:
        path: dotted path; ``[]`` after a part means every item of a list (``Tags[].Key``).
        required: whether it must be there.
        pattern: regular expression that the whole text matches.
        longest: greatest length of a text, or number of items of a list.
        shortest: least length.
        choices: the only values.
        least: least number.
        most: greatest number.
        size: greatest number of characters of a document's JSON text without whitespace.
    """

    path: str
    required: bool = False
    pattern: str | None = None
    shortest: int | None = None
    longest: int | None = None
    choices: tuple[Any, ...] = ()
    least: float | None = None
    most: float | None = None
    size: int | None = None


def problems(properties: Mapping[str, Any], limits: tuple[Limit, ...]) -> tuple[str, ...]:
    """Every violation, in words."""
    found: list[str] = []
    for limit in limits:
        for where, value in _values(properties, limit.path.split("."), ""):
            found.extend(f"{where}: {message}" for message in _check(limit, value))
    return tuple(found)


def _values(holder: Any, parts: list[str], where: str) -> Iterator[tuple[str, Any]]:
    """Every place that a path leads to; a missing last part gives ``None``, a missing inner part nothing."""
    if not isinstance(holder, Mapping):
        return
    name, rest = parts[0], parts[1:]
    each = name.endswith("[]")
    name = name.removesuffix("[]")
    place = f"{where}.{name}" if where else name
    value = holder.get(name)
    if not each:
        if rest:
            yield from _values(value, rest, place)
        else:
            yield place, value
        return
    for index, item in enumerate(value if isinstance(value, list | tuple) else ()):
        if rest:
            yield from _values(item, rest, f"{place}[{index}]")
        else:
            yield f"{place}[{index}]", item


def _check(limit: Limit, value: Any) -> Iterator[str]:
    if value is None or value == "":
        if limit.required:
            yield "is required"
        return
    if isinstance(value, Ref):
        return
    if limit.choices and value not in limit.choices:
        yield f"must be one of {', '.join(map(str, limit.choices))}, not {value}"
    if isinstance(value, str | list | tuple):
        yield from _check_length(limit, value)
    if isinstance(value, str) and limit.pattern and not re.fullmatch(limit.pattern, value):
        yield f"{value!r} does not match {limit.pattern}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield from _check_range(limit, value)
    if limit.size is not None and not any(references(value)):
        length = len(text(value))
        if length > limit.size:
            yield f"is {length} characters long; AWS takes {limit.size}"


def _check_length(limit: Limit, value: str | list[Any] | tuple[Any, ...]) -> Iterator[str]:
    unit = "characters" if isinstance(value, str) else "items"
    if limit.longest is not None and len(value) > limit.longest:
        yield f"has {len(value)} {unit}; AWS takes {limit.longest}"
    if limit.shortest is not None and len(value) < limit.shortest:
        yield f"has {len(value)} {unit}; AWS needs {limit.shortest}"


def _check_range(limit: Limit, value: float) -> Iterator[str]:
    if limit.least is not None and value < limit.least:
        yield f"must be at least {limit.least:g}, not {value:g}"
    if limit.most is not None and value > limit.most:
        yield f"must be at most {limit.most:g}, not {value:g}"
