"""A file's text as JSON: read strictly, in bounded time, and positions in it.

Unlike a policy document alone, a template may be large and deep, so the limits are wider than the parser's.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NoReturn

from ringwall.iam.locate import Path, positions
from ringwall.lint.rule import Spot

MAX_CHARACTERS = 8 * 1024 * 1024
"""Longest file that is read; CloudFormation's templates end at 1 MB."""

MAX_DEPTH = 100
_MAX_DIGITS = 400
# The closing quote is optional, so that an unterminated string is consumed once and not from each of its quotes again.
_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]|-?\b(?:NaN|Infinity)\b', re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_NEWLINE = re.compile("\n")
_SPACE = re.compile(r"\s*")


class _Constant(Exception):  # noqa: N818 - internal signal
    pass


@dataclass(frozen=True, slots=True)
class Decoded:
    """JSON text as a value, or the reason why it is none."""

    value: Any = None
    problem: Spot | None = None
    has_duplicates: bool = False


@dataclass
class Source:
    """The text of one file.

    Attributes:
        file: its name in findings.
        text: what it holds.
    """

    file: str
    text: str
    _decoded: Decoded = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._decoded = decode(self.text)

    @property
    def value(self) -> Any:
        """The decoded JSON; ``None`` where there is a problem."""
        return self._decoded.value

    @property
    def problem(self) -> Spot | None:
        """Why the text is no JSON, if it is none."""
        return self._decoded.problem

    @cached_property
    def duplicates(self) -> tuple[tuple[str, int], ...]:
        """Keys that stand in one object again, with their offsets."""
        if not self._decoded.has_duplicates:
            return ()
        found: list[tuple[str, int]] = []
        seen: set[Path] = set()
        for path, offset in positions(self.text):
            if path in seen:
                found.append((str(path[-1]), offset))
            elif path and isinstance(path[-1], str):
                seen.add(path)
        return tuple(found)

    def offsets(self, wanted: Iterable[Path]) -> dict[Path, int]:
        """Where each path stands: keys of members, values of items; the nearest parent of what does not exist."""
        asked = set(wanted)
        prefixes = {path[:length] for path in asked for length in range(len(path) + 1)}
        found = {path: offset for path, offset in positions(self.text) if path in prefixes}
        return {path: _nearest(path, found) for path in asked}

    def value_offset(self, key_offset: int) -> int:
        """Offset of the value of a member whose key stands at an offset; values of items stay where they are."""
        match = _STRING.match(self.text, key_offset)
        if match is None:
            return key_offset
        colon = _skip_space(self.text, match.end())
        if self.text[colon : colon + 1] != ":":
            return key_offset
        return _skip_space(self.text, colon + 1)

    def line_and_column(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, from 1."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in _NEWLINE.finditer(self.text))]


def _skip_space(text: str, offset: int) -> int:
    match = _SPACE.match(text, offset)
    return match.end() if match else offset


def _nearest(path: Path, found: dict[Path, int]) -> int:
    for length in range(len(path), -1, -1):
        if path[:length] in found:
            return found[path[:length]]
    return 0


def decode(text: str) -> Decoded:
    """Decode JSON text strictly, in time linear in its length."""
    if len(text) > MAX_CHARACTERS:
        message = f"the file has more than {MAX_CHARACTERS:,} characters, which is more than is read"
        return Decoded(problem=Spot(0, message, "lint the policy documents alone"))
    problem = _bracket_problem(text)
    if problem:
        return Decoded(problem=problem)
    duplicates: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(items)
        if len(result) != len(items):
            duplicates.append("")
        return result

    try:
        value = json.loads(
            text, object_pairs_hook=pairs, parse_int=_integer, parse_float=float, parse_constant=_constant
        )
    except json.JSONDecodeError as error:
        return Decoded(problem=_json_problem(text, error))
    except _Constant as found:
        return Decoded(problem=_constant_problem(text, str(found)))
    problem = _surrogate_problem(text)
    return Decoded(problem=problem) if problem else Decoded(value, None, bool(duplicates))


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)


def _constant(name: str) -> NoReturn:
    raise _Constant(name)


def _json_problem(text: str, error: json.JSONDecodeError) -> Spot:
    if not text.strip():
        return Spot(0, "the file is empty; it must hold a policy document in JSON")
    offset = min(error.pos, len(text))
    if offset >= len(text.rstrip()):
        return Spot(offset, f"not valid JSON: the text ends too early ({error.msg})", "is the file complete?")
    return Spot(offset, f"not valid JSON: {error.msg}")


def _bracket_problem(text: str) -> Spot | None:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return None
    depth = 0
    for match in _STRUCTURE.finditer(text):
        found = match.group()
        if found in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return Spot(match.start(), f"nested more than {MAX_DEPTH} levels deep; a policy needs seven")
        elif found in "]}":
            depth -= 1
    return None


def _constant_problem(text: str, name: str) -> Spot:
    at = (match.start() for match in _STRUCTURE.finditer(text) if match.group() == name)
    return Spot(next(at, 0), f"not valid JSON: {name} is not a JSON value")


def _surrogate_problem(text: str) -> Spot | None:
    if "\\u" not in text and text.isascii():
        return None
    for offset in _broken_strings(text):
        return Spot(offset, "the string holds half of a surrogate pair, which is no character")
    return None


def _broken_strings(text: str) -> Iterator[int]:
    for match in _STRING.finditer(text):
        token = match.group()
        if "\\u" in token or not token.isascii():
            try:
                json.loads(token).encode()
            except UnicodeEncodeError:
                yield match.start()
