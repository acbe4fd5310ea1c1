"""What an audit has read so far, on disk: one that was interrupted goes on where it was, and asks nothing twice.

Each answer is one line, written when it arrives. Taken over are answers that are still what the caller would be told: to the
same caller, not longer than an hour ago, complete, and listings through all their pages, as AWS honours a page's token for
minutes only. Asked again is what failed, what was redacted before it was kept, and who one is. Every answer keeps its own
time and request id, so the evidence says what is older.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from ringwall.errors import RingwallError
from ringwall.estate.recording import Key, Recorded, digest_of, key_of
from ringwall.estate.remembering import next_token

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

JOURNAL = "reading.jsonl"
"""Its name in the folder where the evidence will be."""
FRESH = timedelta(hours=1)
"""Age from which on an answer is asked for again."""


class Journal:
    """The journal of one reading. Safe to use from several threads.

    Args:
        path: the file; it and its folder are made when the first answer is kept.
        caller: ARN of who reads.
        clock: what time it is.

    Attributes:
        taken_over: answers of the reading that was interrupted.

    Raises:
        RingwallError: the file cannot be read.
    """

    def __init__(
        self, path: Path, caller: str, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._path = path
        self._lock = threading.Lock()
        since = (clock() - FRESH).isoformat()
        told = (
            item for item in _entries(path) if item.time >= since and _whose(item.caller) == _whose(caller)
        )
        self._found = _complete(told)
        self.taken_over = len(self._found)

    def answer(self, key: Key) -> Recorded | None:
        """What was answered to the same call."""
        return self._found.get(key)

    def keep(self, entry: Recorded) -> None:
        """Write an answer down.

        Raises:
            RingwallError: it cannot be written.
        """
        line = json.dumps(asdict(entry)) + "\n"
        try:
            with self._lock:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(line)
        except OSError as error:
            raise RingwallError(f"{self._path} cannot be written: {error.strerror}") from error


@runtime_checkable
class GoesOn(Protocol):
    """A connection that can go on with a reading."""

    def go_on(self, journal: Journal) -> None:
        """Take over what the journal holds, and write down what is answered from here on."""


def _entries(path: Path) -> Iterator[Recorded]:
    """The answers in a journal; a line that was being written when the process was killed is none."""
    try:
        lines = path.read_bytes().split(b"\n") if path.exists() else []
    except OSError as error:
        raise RingwallError(f"{path} cannot be read: {error.strerror}") from error
    for line in lines:
        try:
            fields: Mapping[str, Any] = json.loads(line)
            entry = Recorded(**{**fields, "redacted": tuple(fields["redacted"])})
        except (ValueError, KeyError, TypeError):
            continue
        if digest_of(entry.body) == entry.digest:
            yield entry


def _complete(entries: Iterable[Recorded]) -> dict[Key, Recorded]:
    """Answers by what was asked: those that need no other, and pages whose next one is there."""
    found: dict[Key, Recorded] = {}
    for item in reversed(list(entries)):  # the next page came later
        if item.failed or item.redacted or item.service == "sts":
            continue
        member, token = next_token(json.loads(item.body))
        following = {**item.parameters, member: token}
        where = (item.account, item.region, item.service, item.operation)
        if token is None or key_of(*where, following) in found:
            found.setdefault(key_of(*where, item.parameters), item)
    return found


def _whose(caller: str) -> str:
    """A caller without the name of the session, which differs from run to run."""
    return caller.rsplit("/", 1)[0] if ":assumed-role/" in caller else caller
