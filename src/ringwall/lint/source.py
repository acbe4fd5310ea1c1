"""A file's text as JSON: read strictly, in bounded time, and positions in it.

Unlike a policy document alone, a template may be large and deep, so the limits are wider than the parser's. A file may
hold several documents one after the other (JSON Lines): :func:`split` gives each with the place where it begins.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any, NoReturn, Protocol

from ringwall.iam.locate import Path, positions
from ringwall.lint.rule import Spot

MAX_CHARACTERS = 8 * 1024 * 1024
"""Longest file that is read; CloudFormation's templates end at 1 MB."""

MAX_DEPTH = 100
_MAX_DIGITS = 400
# The closing quote is optional, so that an unterminated string is consumed once and not from each of its quotes again.
_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]|-?\b(?:NaN|Infinity)\b', re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_CHARACTER = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|.", re.DOTALL
)
_NEWLINE = re.compile("\n")
_SPACE = re.compile(r"\s*")
_DECODER = json.JSONDecoder()


class _Constant(Exception):  # noqa: N818 - internal signal
    pass


@dataclass(frozen=True, slots=True)
class Decoded:
    """JSON text as a value, or the reason why it is none."""

    value: Any = None
    problem: Spot | None = None
    has_duplicates: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in the text, as character offsets.

    Attributes:
        name: of the member's name; of an item of a list and of the root, the same as ``value``.
        value: of the value.
    """

    name: int
    value: int


class Readable(Protocol):
    """What rules on a file's text ask of it, in whatever language it is."""

    @property
    def problem(self) -> Spot | None:
        """Why the text cannot be read, if it cannot."""

    @property
    def duplicates(self) -> tuple[tuple[str, int], ...]:
        """Keys that stand in one object again, with their offsets."""


class Lines:
    """Lines and columns of offsets in a text, from 1; the text may itself begin within a line of a file."""

    def __init__(self, text: str, line: int = 1, column: int = 1) -> None:
        self._starts = [0, *(match.end() for match in _NEWLINE.finditer(text))]
        self._line = line
        self._column = column

    def start(self, line: int) -> int:
        """Offset of the beginning of a line, from 0; of the last line if there are fewer."""
        return self._starts[min(line, len(self._starts) - 1)]

    def __call__(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset."""
        line = bisect_right(self._starts, offset)
        first = self._column - 1 if line == 1 else 0
        return line + self._line - 1, offset - self._starts[line - 1] + 1 + first


@dataclass
class Source:
    """One JSON document of a file.

    Attributes:
        file: its name in findings.
        text: what it holds.
        line: of the file, where the text begins.
        column: of that line.
    """

    file: str
    text: str
    line: int = 1
    column: int = 1
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

    def places(self, wanted: Iterable[Path]) -> dict[Path, Place]:
        """Where each path stands; the nearest parent of what does not exist."""
        asked = set(wanted)
        prefixes = {path[:length] for path in asked for length in range(len(path) + 1)}
        found = {path: offset for path, offset in positions(self.text) if path in prefixes}
        return {path: Place(name, self._value(name)) for path in asked for name in [nearest(path, found)]}

    def inside(self, string: int, characters: int) -> int:
        """Offset of a character of a decoded string whose opening quote stands at ``string``."""
        offset = string + 1
        for match in islice(_CHARACTER.finditer(self.text, offset), characters):
            offset = match.end()
        return offset

    def _value(self, name: int) -> int:
        """Offset of the value of a member whose name stands there; values of items stay where they are."""
        match = _STRING.match(self.text, name)
        if match is None:
            return name
        colon = _skip_space(self.text, match.end())
        if self.text[colon : colon + 1] != ":":
            return name
        return _skip_space(self.text, colon + 1)

    @cached_property
    def line_and_column(self) -> Lines:
        """Line and column of an offset, in the file."""
        return Lines(self.text, self.line, self.column)


def split(file: str, text: str) -> list[Source]:
    """The JSON documents of a text, one after the other; the whole text as one where it is not several."""
    whole = Source(file, text)
    if whole.problem is None or not whole.problem.message.endswith("Extra data"):
        return [whole]
    lines, found, start = Lines(text), [], _skip_space(text, 0)
    while start < len(text):
        try:
            end = _DECODER.raw_decode(text, start)[1]
        except json.JSONDecodeError:
            end = len(text)
        except RecursionError:
            return [whole]
        found.append(Source(file, text[start:end], *lines(start)))
        start = _skip_space(text, end)
    broken = [source for source in found if source.problem is not None]
    objects = [source for source in found if isinstance(source.value, dict)]
    # What ends in rubbish is one broken document, and several documents are objects.
    return found if not broken and len(objects) == len(found) else _whole_or_lines(whole, found)


def _whole_or_lines(whole: Source, found: list[Source]) -> list[Source]:
    """Several documents of which some are broken, if the first two at least are whole; else one broken one."""
    firsts = found[:2]
    several = len(found) > 2 and all(
        source.problem is None and isinstance(source.value, dict) for source in firsts
    )
    return found if several else [whole]


def _skip_space(text: str, offset: int) -> int:
    match = _SPACE.match(text, offset)
    return match.end() if match else offset


def nearest(path: Path, found: dict[Path, int]) -> int:
    """Offset of a path, or of its nearest parent that is there."""
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
