"""Which files of a folder the linter reads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ringwall.errors import RingwallError

DECLARATION = "ringwall.yaml"
_ENDINGS = (".json", ".jsonl", ".ndjson", ".yaml", ".yml", ".template")
_MARKS = (b"Statement", b'"statement"')
_LOOKED_AT = 32 * 1024 * 1024


def files_within(folder: str | Path) -> Iterator[Path]:
    """Declarations, and JSON and YAML that speaks of statements, in the folder and below, sorted.

    What is hidden (``.git``, ``.terraform``) and what package managers install is left out.

    Raises:
        RingwallError: a folder or file cannot be read.
    """

    def refuse(error: OSError) -> None:
        raise RingwallError(f"{error.filename} cannot be read: {error.strerror}; check the path") from error

    for base, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "node_modules")
        for name in sorted(names):
            path = Path(base, name)
            if name == DECLARATION or (name.lower().endswith(_ENDINGS) and _speaks_of_statements(path)):
                yield path


def _speaks_of_statements(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            data = stream.read(_LOOKED_AT)
    except OSError as error:
        raise RingwallError(f"{path} cannot be read: {error.strerror}; check the path") from error
    return any(mark in data for mark in _MARKS)
