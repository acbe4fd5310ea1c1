"""The journal: a file to which changes are appended, and that says after a crash which of them were made.

One JSON object a line, each with a checksum. An entry counts once it stands in the file whole, so a write that was cut
off by a crash is cut away when the file is opened, and nothing before it is ever touched. :meth:`Journal.sync` returns
when an entry is on the disk; writers that wait at the same time share one ``fsync``.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import threading
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ringwall.errors import RingwallError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

Entry = dict[str, Any]

_BYTES, _BODY, _TIME = "$bytes", "$body", "$time"
_CHECKSUM = 8
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Kept:
    """Bytes that are kept elsewhere, by their digest."""

    digest: str


class Journal:
    """An open journal. Only one process at a time has it open.

    Args:
        path: the file; made if it is not there.

    Raises:
        RingwallError: another process has it open, or it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = os.open(path, _FLAGS, 0o600)
        except OSError as error:
            raise RingwallError(f"the journal {path} cannot be opened: {error}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise RingwallError(f"another sandbox keeps its state in {path.parent}; stop it first") from error
        self._appending, self._syncing = threading.Lock(), threading.Lock()
        self._written = self._synced = 0

    def entries(self) -> Iterator[Entry]:
        """Every entry, oldest first; what a crash left half written at the end is cut off.

        Raises:
            RingwallError: an entry before the end is damaged.
        """
        whole = 0
        with self._path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                entry = _read(line)
                if entry is None:
                    if lines.read(1):
                        raise RingwallError(
                            f"{self._path}, line {number}: the entry is damaged; restore the file, or start again "
                            "with --reset"
                        )
                    break
                whole += len(line)
                yield entry
        os.ftruncate(self._file, whole)

    def append(self, entry: Entry) -> int:
        """Write an entry.

        Returns:
            Its number, for :meth:`sync`.
        """
        text = json.dumps(entry, default=_encoded, separators=(",", ":")).encode()
        line = b"%08x %s\n" % (zlib.crc32(text), text)
        with self._appending:
            view = memoryview(line)
            while view:
                view = view[os.write(self._file, view) :]
            self._written += 1
            return self._written

    def sync(self, number: int) -> None:
        """Wait until an entry is on the disk."""
        with self._syncing:
            if self._synced < number:
                reached = self._written
                os.fsync(self._file)
                self._synced = reached

    def rewrite(self, entries: Iterable[Entry]) -> None:
        """Hold these entries and no others: a file of its own takes the journal's place once it is on the disk."""
        draft = self._path.with_name(f"{self._path.name}.new")
        draft.unlink(missing_ok=True)
        old, self._file = self._file, os.open(draft, _FLAGS, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # before anybody can find it
        for entry in entries:
            self.append(entry)
        os.fsync(self._file)
        draft.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
        os.close(old)

    def reset(self) -> None:
        """Forget everything."""
        os.ftruncate(self._file, 0)
        os.fsync(self._file)

    def close(self) -> None:
        """Close the file, and let another process have it."""
        os.close(self._file)


def _read(line: bytes) -> Entry | None:
    """The entry of a line; ``None`` if the line is not whole."""
    checksum, _, text = line.rstrip(b"\n").partition(b" ")
    if not line.endswith(b"\n") or len(checksum) != _CHECKSUM:
        return None
    try:
        if int(checksum, 16) != zlib.crc32(text):
            return None
        entry: Entry = json.loads(text, object_hook=_decoded)
    except ValueError:
        return None
    return entry


def _encoded(value: Any) -> Any:
    if isinstance(value, bytes | bytearray):
        return {_BYTES: base64.b64encode(value).decode()}
    if isinstance(value, Kept):
        return {_BODY: value.digest}
    if isinstance(value, datetime):
        return {_TIME: value.isoformat()}
    raise TypeError(f"a journal cannot hold a {type(value).__name__}")


def _decoded(value: dict[str, Any]) -> Any:
    if value.keys() == {_BYTES}:
        return base64.b64decode(value[_BYTES])
    if value.keys() == {_BODY}:
        return Kept(value[_BODY])
    if value.keys() == {_TIME}:
        return datetime.fromisoformat(value[_TIME])
    return value
