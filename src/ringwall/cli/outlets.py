"""Standard output and error whose reader may have gone away (``| head``), or that were never there (``>&-``).

That nobody reads is no reason to stop half-way: a plan that was asked for is still made and an apply still carried out, and
the exit code says how it went.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TextIO


def open_missing() -> None:
    """Let what the process was started without lead nowhere."""
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()


def write(stream: TextIO, texts: Iterable[str]) -> None:
    """Write texts, for as long as somebody reads."""
    try:
        stream.writelines(texts)
    except BrokenPipeError:
        nobody_reads(stream)


def flush() -> None:
    """Write out what is still held.

    Raises:
        OSError: it cannot be written, as on a full disk.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            nobody_reads(stream)
        except OSError:
            nobody_reads(stream)
            raise


def nobody_reads(stream: TextIO) -> None:
    """Let what is still held, and whatever follows, lead nowhere: Python itself flushes once more when it ends."""
    with _nowhere() as sink:
        os.dup2(sink.fileno(), stream.fileno())


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - for as long as the process lives
