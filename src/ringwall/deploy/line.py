"""A line for a terminal or a pipe."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One line of output and how it is meant to look (a style of rich, empty = plain)."""

    text: str = ""
    style: str = ""
