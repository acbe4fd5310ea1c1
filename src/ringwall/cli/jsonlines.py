"""Reading JSON Lines, or one JSON document, without losing a line.

Stricter than :mod:`json`: a key that stands twice in an object, ``NaN`` and numbers beyond a float's range are refused,
because each would be answered as something else than what was written.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from ringwall.iam.text import is_text, shown

MAX_LINE = 50_000_000

Read = tuple[Any, dict[str, Any], str | None]
"""``(id, document, error)``; with an error the document is empty."""

_LEADING_ID = re.compile(r'\s*\{\s*"id"\s*:\s*')
_BYTE_ORDER_MARK = "\ufeff"


def documents(text: str) -> Iterator[Read]:
    """``(id, document, error)`` of each non-empty line, or of the one document (or the items of the array) that the text is.

    What is not a JSON object yields an empty document and the reason, with its position; the ``id`` is told where it can
    be made out all the same.
    """
    text = text.removeprefix(_BYTE_ORDER_MARK)
    stripped = text.strip()
    is_array = stripped.startswith("[")
    if not is_array and "\n" not in stripped:
        is_one = well_formed = False
    else:
        well_formed = _is_well_formed(stripped)
        is_one = well_formed or _is_laid_out(stripped)
    if not is_one:
        for number, line in enumerate(text.split("\n"), start=1):
            if line.strip():
                yield _read(line, f"line {number}", number)
    elif is_array and well_formed:
        for number, item in enumerate(_items(stripped), start=1):
            yield _read(item, f"item {number}")
    else:
        yield _read(text, "the document")


def _is_well_formed(text: str) -> bool:
    try:
        _LENIENT.decode(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_laid_out(text: str) -> bool:
    """Whether a text that is no JSON was meant as one document: its bracket stands alone, its parts are indented."""
    first, *others = text.split("\n")
    return first.strip() in ("{", "[") and not any(line.startswith("{") for line in others)


def _items(text: str) -> Iterator[str]:
    """The items of a well-formed array, as text."""
    position = 1
    while True:
        match = _BETWEEN.match(text, position)
        position = match.end() if match else position
        if text[position] == "]":
            return
        _, end = _LENIENT.raw_decode(text, position)
        yield text[position:end]
        position = end


def _read(text: str, where: str, line: int | None = None) -> Read:
    try:
        value = _decoded(text, where, line)
    except _UnreadableError as error:
        return _identifier(text), {}, str(error)
    return value.get("id"), value, None


class _UnreadableError(ValueError):
    """The text is no document; the message says where and why."""


def _decoded(text: str, where: str, line: int | None) -> dict[str, Any]:
    if len(text) > MAX_LINE:
        raise _UnreadableError(f"{where} is longer than {MAX_LINE:,} characters")
    if not text.isascii() and not is_text(text):
        raise _UnreadableError(f"{where} is not UTF-8 text")
    try:
        value = _STRICT.decode(text)
    except json.JSONDecodeError as error:
        place = f"line {line or error.lineno}, column {error.colno}"
        raise _UnreadableError(f"{place}: {error.msg}") from None
    except RecursionError:
        raise _UnreadableError(f"{where} is nested too deeply") from None
    except ValueError as error:
        raise _UnreadableError(f"{where}: {error}") from None
    if not isinstance(value, dict):
        raise _UnreadableError(f"{where} is not a JSON object")
    if isinstance(value.get("id"), dict | list) and not _is_writable(value["id"]):
        raise _UnreadableError(f"{where} is nested too deeply")
    return value


def _identifier(text: str) -> Any:
    """The ``id`` of a text that was refused, where the text is well-formed all the same or begins with it."""
    try:
        value = _LENIENT.decode(text)
        found = value.get("id") if isinstance(value, dict) else None
    except (ValueError, RecursionError):
        leading = _LEADING_ID.match(text)
        if leading is None:
            return None
        try:
            found, _ = _LENIENT.raw_decode(text, leading.end())
        except (ValueError, RecursionError):
            return None
    return found if _is_writable(found) and is_text(json.dumps(found, ensure_ascii=False)) else None


def _is_writable(value: Any) -> bool:
    try:
        json.dumps([[value]], allow_nan=False)
    except (ValueError, RecursionError):
        return False
    return True


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for position, key in enumerate(keys) if key in keys[:position])
        msg = f"the key {shown(twice)} stands twice in one object; keep one"
        raise ValueError(msg)
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        msg = f"the number {text[:64]} is too large"
        raise ValueError(msg)
    return number


def _refuse_constant(text: str) -> NoReturn:
    msg = f"{text} is not JSON"
    raise ValueError(msg)


_BETWEEN = re.compile(r"[\s,]*")
_LENIENT = json.JSONDecoder()
_STRICT = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_finite)
