"""What accumulates, in a database file and not in memory: CloudTrail's history, log events, bodies of objects.

With a state directory the file lies there and outlives the process. Log events and bodies are on the disk before whoever
wrote them is answered. CloudTrail's events are written some at a time; those of calls that change something at once, so
that a kill loses at most the last moment's reads.

Nothing here is ever made again from the journal: what a change of the past put here is still here, under a name that the
change gives again (:func:`ringwall.sandbox.chance.identifier`, or a body's digest).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringwall.errors import RingwallError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY, account TEXT, region TEXT, category TEXT, name TEXT, source TEXT, time TEXT, record TEXT
);
CREATE INDEX IF NOT EXISTS events_by_name ON events (account, region, name);
CREATE TABLE IF NOT EXISTS lines (
    id INTEGER PRIMARY KEY, stream TEXT, timestamp INTEGER, ingested INTEGER, message TEXT
);
CREATE INDEX IF NOT EXISTS lines_by_time ON lines (stream, timestamp, id);
CREATE TABLE IF NOT EXISTS bodies (digest TEXT PRIMARY KEY, body BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value BLOB);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT);
"""
_WAITING = 256
_KEPT = 1_000_000
_FETCHED = 500
_DELIVERED = "delivered"
_write_record = json.JSONEncoder(default=str, separators=(",", ":"), check_circular=False).encode


@dataclass(frozen=True, slots=True)
class Event:
    """A CloudTrail record as it is kept.

    Attributes:
        id: number, in the order of arrival.
        account, region: whose it is.
        text: the record as JSON.
    """

    id: int
    account: str
    region: str
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A log event, in the names that moto's readers look for."""

    event_id: int
    stream: str
    timestamp: int
    ingestion_time: int
    message: str


@dataclass(frozen=True, slots=True)
class Span:
    """First and last timestamp of a log stream, last time of ingestion, number of its last event, characters."""

    first: int
    last: int
    ingested: int
    number: int
    size: int


class Archive:
    """An open archive.

    Args:
        path: the file.
        lasting: whether it has to outlive this process, and the machine's power.

    Raises:
        RingwallError: the file cannot be opened, or is damaged.
    """

    def __init__(self, path: Path, *, lasting: bool = False) -> None:
        self._lock = threading.RLock()
        self.lasting = lasting
        self._waiting: list[tuple[Any, ...]] = []
        self._references: dict[str, int] = {}
        path.touch(mode=0o600)
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute(f"PRAGMA synchronous = {'FULL' if lasting else 'OFF'}")
            self._database.execute("PRAGMA cache_size = -4096")
            self._database.executescript(_SCHEMA)
            found = self._database.execute("SELECT value FROM facts WHERE name = ?", (_DELIVERED,)).fetchone()
            self._delivered = int(found[0]) if found else 0
            # Delivered events may be gone: numbers go on after them.
            self._last = max(self._delivered, int(self._one("SELECT coalesce(max(id), 0) FROM events")))
        except sqlite3.DatabaseError as error:
            raise RingwallError(f"{path} cannot be read: {error}; start again with --reset") from error

    def _one(self, query: str, *values: Any) -> Any:
        with self._lock:
            return self._database.execute(query, values).fetchone()[0]

    def close(self) -> None:
        """Write what waits, and close the file."""
        with self._lock:
            self.flush()
            self._database.close()

    # -- private keys ----------------------------------------------------------------------------------------------

    def secret(self, name: str) -> bytes | None:
        """A private key by its name."""
        with self._lock:
            found = self._database.execute("SELECT value FROM secrets WHERE name = ?", (name,)).fetchone()
        return bytes(found[0]) if found else None

    def keep_secret(self, name: str, value: bytes) -> None:
        """Keep a private key; the file is readable for its owner alone."""
        with self._lock:
            self._database.execute("INSERT OR REPLACE INTO secrets VALUES (?, ?)", (name, value))

    # -- CloudTrail ------------------------------------------------------------------------------------------------

    def add_event(self, record: Mapping[str, Any]) -> Event:
        """Keep a CloudTrail record."""
        text = _write_record(record)
        account, region = str(record["recipientAccountId"]), str(record["awsRegion"])
        with self._lock:
            self._last += 1
            number = self._last
            named = (record["eventCategory"], record["eventName"], record["eventSource"], record["eventTime"])
            self._waiting.append((number, account, region, *named, text))
            if len(self._waiting) >= _WAITING or (self.lasting and not record["readOnly"]):
                self.flush()
        return Event(number, account, region, text)

    def flush(self) -> None:
        """Write the events that wait."""
        with self._lock:
            if self._waiting:
                self._write("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)", self._waiting)
                self._waiting = []

    def _write(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        with self._database as transaction:
            transaction.execute("BEGIN")
            transaction.executemany(statement, rows)

    def history(
        self, account: str, region: str, before: int | None = None, **wanted: str
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        """Management events of an account and Region with their numbers, the newest first.

        Args:
            account: its id.
            region: its name.
            before: number of the event after which to go on.
            wanted: ``name`` or ``source`` that events must have.
        """
        self.flush()
        tests = "".join(f" AND {column} = ?" for column in wanted)
        query = (
            "SELECT id, record FROM events WHERE account = ? AND region = ? AND category = 'Management' AND id < ?"  # noqa: S608 - columns are named by our own code
            f"{tests} ORDER BY id DESC LIMIT {_FETCHED}"
        )
        last = before if before is not None else self._last + 1
        while True:
            with self._lock:
                rows = self._database.execute(query, (account, region, last, *wanted.values())).fetchall()
            for number, text in rows:
                last = number
                yield number, json.loads(text)
            if len(rows) < _FETCHED:
                return

    @property
    def last_event(self) -> int:
        """Number of the newest event."""
        return self._last

    def delivered(self, number: int) -> None:
        """Events up to this number have gone to all trails: what nobody can look up any more is dropped."""
        with self._lock:
            self.flush()
            before, self._delivered = self._delivered, number
            with self._database as transaction:
                transaction.execute("BEGIN")
                transaction.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (_DELIVERED, str(number)))
                transaction.execute(
                    "DELETE FROM events WHERE id > ? AND id <= ? AND category <> 'Management'",
                    (before, number),
                )
                transaction.execute("DELETE FROM events WHERE id <= ?", (number - _KEPT,))

    def undelivered(self) -> list[Event]:
        """Events that a process before this one recorded and did not come to deliver."""
        with self._lock:
            rows = self._database.execute(
                "SELECT id, account, region, record FROM events WHERE id > ? ORDER BY id", (self._delivered,)
            ).fetchall()
        return [Event(*row) for row in rows]

    # -- CloudWatch Logs -------------------------------------------------------------------------------------------

    def add_lines(self, stream: str, lines: Iterable[tuple[int, int, str]]) -> None:
        """Keep log events of a stream: (timestamp, time of ingestion, message), times in milliseconds."""
        with self._lock:
            self._write(
                "INSERT INTO lines (stream, timestamp, ingested, message) VALUES (?, ?, ?, ?)",
                [(stream, *line) for line in lines],
            )

    def lines(
        self,
        streams: Sequence[str],
        span: tuple[int, int],
        after: tuple[int, int] | None = None,
        *,
        backward: bool = False,
    ) -> Iterator[Line]:
        """Log events of streams by time.

        Args:
            streams: their identities.
            span: first and last timestamp.
            after: timestamp and number of the event behind which to go on (before which, backward).
            backward: the latest first.
        """
        start, end = span
        order, relation = ("DESC", "<") if backward else ("ASC", ">")
        last = after or ((end + 1, 0) if backward else (start - 1, 0))
        query = (
            f"SELECT id, stream, timestamp, ingested, message FROM lines WHERE stream IN ({', '.join('?' * len(streams))}) "  # noqa: S608 - placeholders and our own words
            f"AND timestamp BETWEEN ? AND ? AND (timestamp, id) {relation} (?, ?) "
            f"ORDER BY timestamp {order}, id {order} LIMIT {_FETCHED}"
        )
        while True:
            with self._lock:
                rows = self._database.execute(query, (*streams, start, end, *last)).fetchall()
            for row in rows:
                line = Line(*row)
                last = (line.timestamp, line.event_id)
                yield line
            if len(rows) < _FETCHED:
                return

    def span(self, stream: str) -> Span | None:
        """What the events of a stream come to; ``None`` if it is empty."""
        with self._lock:
            found = self._database.execute(
                "SELECT min(timestamp), max(timestamp), max(ingested), max(id), sum(length(message)) FROM lines WHERE stream = ?",
                (stream,),
            ).fetchone()
        return None if found[0] is None else Span(*found)

    def forget_streams(self, kept: Iterable[str]) -> None:
        """Drop the events of every stream but these."""
        with self._lock:
            alive = set(kept)
            known = [row[0] for row in self._database.execute("SELECT DISTINCT stream FROM lines")]
            gone = [(stream,) for stream in known if stream not in alive]
            if gone:
                self._write("DELETE FROM lines WHERE stream = ?", gone)

    # -- bodies ----------------------------------------------------------------------------------------------------

    def keep_body(self, body: bytes) -> str:
        """Keep a body; returns its digest, by which it is found. Kept as often as it is dropped."""
        digest = hashlib.sha256(body).hexdigest()
        with self._lock:
            self._references[digest] = self._references.get(digest, 0) + 1
            self._database.execute("INSERT OR IGNORE INTO bodies VALUES (?, ?)", (digest, body))
        return digest

    def body(self, digest: str) -> bytes:
        """A body by its digest.

        Raises:
            RingwallError: it is not there.
        """
        with self._lock:
            found = self._database.execute("SELECT body FROM bodies WHERE digest = ?", (digest,)).fetchone()
        if found is None:
            raise RingwallError(f"the archive has lost the body {digest}; start again with --reset")
        return bytes(found[0])

    def prune_bodies(self, named: Iterable[str]) -> None:
        """Drop every body but those that are named; for the beginning, while nothing else uses any."""
        with self._lock:
            alive = set(named)
            known = [row[0] for row in self._database.execute("SELECT digest FROM bodies")]
            gone = [(digest,) for digest in known if digest not in alive]
            if gone:
                self._write("DELETE FROM bodies WHERE digest = ?", gone)

    def drop_body(self, digest: str) -> None:
        """Let go of a body once. One that the journal names stays as long as the journal does."""
        with self._lock:
            left = self._references.get(digest, 0) - 1
            if left > 0:
                self._references[digest] = left
                return
            self._references.pop(digest, None)
            if not self.lasting:
                self._database.execute("DELETE FROM bodies WHERE digest = ?", (digest,))
