"""Regular expressions of guardrails, by RE2: linear time, no look-around, as AWS has it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import re2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.sandbox.bedrock.evaluation.text import Folded


class InvalidPatternError(ValueError):
    """The expression does not compile; the text says why in RE2's words."""


@lru_cache(maxsize=2048)
def compile_pattern(pattern: str) -> Any:
    """Compile an expression.

    Raises:
        InvalidPatternError: it is not a valid expression, or uses look-around or back-references.
    """
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "invalid expression"
        raise InvalidPatternError(reason.decode() if isinstance(reason, bytes) else str(reason)) from error


def spans(pattern: Any, text: Folded, group: int = 0) -> Iterator[tuple[int, int, str]]:
    """Matches that are not empty, as spans of the original text, with the folded text that matched."""
    for match in pattern.finditer(text.text):
        start, end = match.span(group)
        if end > start >= 0:
            first, last = text.span(start, end)
            yield first, last, text.text[start:end]
