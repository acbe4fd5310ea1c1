"""One line of the story: what was to be seen, and whether it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """An observation.

    Attributes:
        slug: its name, stable, for tests.
        text: one sentence.
        ok: whether it was observed.
        details: further lines, from the same live response.
    """

    slug: str
    text: str
    ok: bool
    details: tuple[str, ...] = ()


Lines = Iterator[Line]


def shorten(text: str, width: int = 100) -> str:
    """One line of at most ``width`` characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= width else flat[: width - 1] + "…"
