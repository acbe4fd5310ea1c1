"""How long the command line takes to start, beside Python itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

from timing import Row, interleaved

TARGET = 0.1


def rows() -> Iterator[Row]:
    """Every row about start-up."""
    ours, bare = interleaved(_running("-m", "ringwall", "--help"), _running("-c", "pass"), seconds=2)
    yield Row("ringwall --help", ours, TARGET, bare, "python -c pass")
    load = "from ringwall.catalog import load; load().is_action('bedrock:InvokeModel')"
    loading, bare = interleaved(_running("-c", load), _running("-c", "pass"), seconds=2)
    yield Row("python, and the catalog loaded", loading, None, bare, "python -c pass")


def _running(*arguments: str) -> Callable[[], Any]:
    command = [sys.executable, *arguments]
    return lambda: subprocess.run(command, capture_output=True, check=True)
