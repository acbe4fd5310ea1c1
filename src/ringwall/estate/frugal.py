"""How a command uses the machine: one heap for all threads, and few collections of what is no garbage.

Commands read accounts in several threads and make hundreds of thousands of small objects that live as long as they do: the
models of AWS's services, policies in parsed form. glibc gives each thread a heap of its own (a tenth of the memory, for threads that
take turns anyway), and Python looks through everything that lives again and again for cycles that are not there (a tenth of
the time), for the last time when all is done and the process is about to give everything back. A thread whose answer has come
waits until the running one has had its turn, which is longer than AWS on this machine takes to answer. These are settings of the
process, so the command makes them, not the library.

Source: https://sourceware.org/glibc/manual/latest/html_node/Malloc-Tunable-Parameters.html
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

M_ARENA_MAX = -8
"""glibc's number of the parameter that limits heaps."""
THRESHOLDS = (250_000, 20, 100)
"""New objects before the young, and collections before the older generations are looked through."""

TURN = 0.000_5
"""Seconds that a thread runs while others wait for theirs; Python's own choice is 5 ms."""


def be_frugal() -> None:
    """Set all of it. Where the C library knows no such parameter (macOS, musl, Windows) that half does nothing."""
    sys.setswitchinterval(TURN)
    gc.set_threshold(*THRESHOLDS)
    atexit.register(gc.freeze)
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, TypeError, AttributeError):
        return
    mallopt(M_ARENA_MAX, 1)


@contextmanager
def nothing_collected() -> Iterator[None]:
    """Look for no garbage meanwhile: what is loaded and made as a program starts stays, and looking takes a fifth of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
