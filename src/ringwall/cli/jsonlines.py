"""Reading JSON Lines, or one JSON document, without losing a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

MAX_LINE = 50_000_000


def documents(text: str) -> Iterator[tuple[Any, dict[str, Any], str | None]]:
    """``(id, document, error)`` of each non-empty line, or of the one document that the text is.

    A line that is not a JSON object yields an empty document and the reason, with its position.
    """
    whole = _whole(text)
    if whole is not None:
        yield from (_checked(item, None) for item in whole)
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield _line(line, number)


def _whole(text: str) -> list[Any] | None:
    """The objects of a text that is one JSON document; ``None`` if it is JSON Lines (or broken)."""
    stripped = text.strip()
    if not stripped or ("\n" not in stripped and not stripped.startswith("[")):
        return None
    try:
        value = json.loads(stripped)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list) else [value]


def _line(line: str, number: int) -> tuple[Any, dict[str, Any], str | None]:
    if len(line) > MAX_LINE:
        return None, {}, f"line {number} is longer than {MAX_LINE:,} characters"
    try:
        value = json.loads(line, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        return None, {}, f"line {number}, column {error.colno}: {error.msg}"
    except RecursionError:
        return None, {}, f"line {number} is nested too deeply"
    except ValueError as error:
        return None, {}, f"line {number}: {error}"
    return _checked(value, number)


def _checked(value: Any, number: int | None) -> tuple[Any, dict[str, Any], str | None]:
    if isinstance(value, dict):
        return value.get("id"), value, None
    where = "the document" if number is None else f"line {number}"
    return None, {}, f"{where} is not a JSON object"


def _refuse_constant(text: str) -> Any:
    msg = f"{text} is not JSON"
    raise ValueError(msg)
