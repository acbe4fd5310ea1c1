"""Terminal output: colours on a terminal, plain text when piped."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def console(*, error: bool = False) -> Console:
    """A console for standard output or error; plain and unwrapped when that is no terminal."""
    from rich.console import Console

    stream = sys.stderr if error else sys.stdout
    return Console(file=stream, highlight=False, soft_wrap=not stream.isatty())


def show(lines: Iterable[str]) -> None:
    """Print lines that may hold rich markup."""
    target = console()
    for line in lines:
        target.print(line)


def asks(question: str) -> bool:
    """Whether the user says yes. Without a terminal nobody can, so no."""
    if not sys.stdin.isatty():
        return False
    sys.stderr.write(f"{question} Only 'yes' is accepted: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip() == "yes"
