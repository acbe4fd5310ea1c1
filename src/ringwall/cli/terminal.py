"""Terminal output: colours on a terminal, plain text when piped."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol, TextIO

from ringwall.cli import outlets

if TYPE_CHECKING:
    from rich.console import Console


class Styled(Protocol):
    """A line of output: text, and a style name of rich (empty = plain)."""

    @property
    def text(self) -> str:
        """What it says."""

    @property
    def style(self) -> str:
        """How it looks on a terminal."""


def console(*, error: bool = False) -> Console:
    """A console for standard output or error; plain and unwrapped when that is no terminal."""
    from rich.console import Console

    stream = sys.stderr if error else sys.stdout
    return Console(file=stream, highlight=False, markup=False, soft_wrap=not stream.isatty())


def show(lines: Iterable[Styled]) -> None:
    """Print lines: styled on a terminal, text alone in a pipe."""
    if not sys.stdout.isatty():
        outlets.write(sys.stdout, (f"{line.text}\n" for line in lines))
        return
    target = console()
    for line in lines:
        target.print(line.text, style=line.style or None)


class Steps:
    """Progress on standard error: a line for each step, and on a terminal a bar under the one that is under way.

    Args:
        stream: where it is told; default: standard error.
    """

    WIDTH = 24
    CLEAR = "\r\x1b[K"

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._words = ""

    def __call__(self, words: str) -> None:
        """A step begins."""
        self._words = words
        self._stream.write(f"{words}\n")
        self._stream.flush()

    def part(self, done: int, total: int) -> None:
        """So much of the step is done; nothing is told in a pipe, and nothing stays when all is."""
        if not self._stream.isatty():
            return
        filled = self.WIDTH * done // total if total else self.WIDTH
        bar = "#" * filled + "." * (self.WIDTH - filled)
        self._stream.write(self.CLEAR + (f"  [{bar}] {done} of {total}" if done < total else ""))
        self._stream.flush()


def asks(question: str) -> bool:
    """Whether the user says yes. Without a terminal nobody can, so no."""
    if not sys.stdin.isatty():
        return False
    sys.stderr.write(f"{question} Only 'yes' is accepted: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip() == "yes"
