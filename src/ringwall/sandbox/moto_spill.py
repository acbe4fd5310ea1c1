"""moto's log events and object bodies, kept in the archive instead of in memory.

moto's own code goes on working on them: a stream's events and an object's buffer behave as the list and the temporary
file that they stand for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ringwall.sandbox import chance

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringwall.sandbox.archive import Archive, Line, Span

_SMALL = 2048
"""Bytes of a body that is not worth a place in the archive."""
_KEYS = frozenset({"kms", "ec2"})
_FIRST, _LAST = 0, 2**62


class Lines:
    """The events of a log stream; ``identity`` names the stream's incarnation, not its name."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self.identity = chance.identifier()

    def __iadd__(self, events: Iterable[Any]) -> Self:
        self._archive.add_lines(
            self.identity, [(event.timestamp, event.ingestion_time, event.message) for event in events]
        )
        return self

    def __iter__(self) -> Iterator[Line]:
        return self._archive.lines((self.identity,), (_FIRST, _LAST))

    def __bool__(self) -> bool:
        return self.span is not None

    @property
    def span(self) -> Span | None:
        """What they come to."""
        return self._archive.span(self.identity)


class Body:
    """The bytes of an object, in the place of a temporary file that is written once and read whole or in blocks."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._small = b""
        self._digest: str | None = None
        self._position = 0

    def _bytes(self) -> bytes:
        return self._archive.body(self._digest) if self._digest else self._small

    def _keep(self, body: bytes) -> None:
        digest = self._archive.keep_body(body) if len(body) > _SMALL else None
        self._drop()
        self._small, self._digest = (b"", digest) if digest else (body, None)

    def _drop(self) -> None:
        if self._digest:
            self._archive.drop_body(self._digest)
        self._small, self._digest = b"", None

    def seek(self, position: int) -> int:
        """Go to a position."""
        self._position = position
        return position

    def read(self, size: int = -1) -> bytes:
        """Bytes from the position on."""
        end = None if size < 0 else self._position + size
        found = self._bytes()[self._position : end]
        self._position += len(found)
        return found

    def write(self, data: bytes) -> int:
        """Put bytes at the position."""
        present = self._bytes()
        end = self._position + len(data)
        self._keep(present[: self._position] + bytes(data) + present[end:])
        self._position = end
        return len(data)

    def truncate(self) -> int:
        """Cut everything from the position on."""
        self._keep(self._bytes()[: self._position])
        return self._position

    def close(self) -> None:
        """Let go of the bytes."""
        self._drop()


class _Present:
    """The archive of the sandbox that runs, and what of moto's is changed while it does."""

    archive: Archive
    changed: ClassVar[list[tuple[Any, str, Any]]] = []


_NOTHING = object()


def lead(archive: Archive) -> None:
    """Let what moto makes from now on be kept in an archive."""
    _Present.archive = archive


def leave() -> None:
    """Give moto back as it was: the archive closes, and somebody else in this process may use moto too."""
    while _Present.changed:
        owner, name, before = _Present.changed.pop()
        if before is _NOTHING:
            delattr(owner, name)
        else:
            setattr(owner, name, before)


def _change(owner: Any, name: str, value: Any) -> None:
    _Present.changed.append((owner, name, vars(owner).get(name, _NOTHING)))
    setattr(owner, name, value)


def fill(service: str) -> None:
    """Change the classes of a service as it comes into use."""
    if service == "logs":
        _logs(importlib.import_module("moto.logs.models").LogStream)
    if service in _KEYS:
        _keys(importlib.import_module(f"moto.{service}.utils"))
    if service == "s3":
        _change(importlib.import_module("moto.s3.models"), "tempfile", _Files)


class _Maker:
    """In the place of a module or class of cryptography's that makes private keys: nothing can make one again.

    With a state directory a key that a change makes is kept, under a name that the change gives again.
    """

    def __init__(self, original: Any, name: str) -> None:
        self._original = original
        setattr(self, name, lambda *given, **named: self._kept(getattr(original, name), *given, **named))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)

    @staticmethod
    def _kept(make: Any, *given: Any, **named: Any) -> Any:
        archive = _Present.archive
        if not (archive.lasting and chance.repeatable()):
            return make(*given, **named)
        serialization = importlib.import_module("cryptography.hazmat.primitives.serialization")
        name = chance.identifier()
        kept = archive.secret(name)
        if kept is not None:
            return serialization.load_pem_private_key(kept, None)
        key = make(*given, **named)
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        archive.keep_secret(name, key.private_bytes(*form))
        return key


def _keys(utils: Any) -> None:
    for name, method in (
        ("rsa", "generate_private_key"),
        ("ec", "generate_private_key"),
        ("Ed25519PrivateKey", "generate"),
    ):
        original = getattr(utils, name, None)
        if original is not None and not isinstance(original, _Maker):
            _change(utils, name, _Maker(original, method))


class _Files:
    """In the place of ``tempfile``."""

    @staticmethod
    def SpooledTemporaryFile(*_: Any, **__: Any) -> Body:  # noqa: N802 - tempfile's name
        """A body that is empty yet."""
        return Body(_Present.archive)


def _logs(stream: Any) -> None:
    make = stream.__init__
    if make.__module__ == __name__:
        return

    def init(self: Any, *given: Any, **named: Any) -> None:
        make(self, *given, **named)
        self.events = Lines(_Present.archive)

    def update(self: Any) -> None:
        span = self.events.span
        self.first_event_timestamp = span.first if span else None
        self.last_event_timestamp = span.last if span else None
        if span and self.last_ingestion_time is None:  # of a process before this one
            utcfromtimestamp = importlib.import_module("moto.core.utils").utcfromtimestamp
            self.last_ingestion_time = utcfromtimestamp(span.ingested / 1000)

    for name, value in (
        ("__init__", init),
        ("_update", update),
        ("stored_bytes", _following("size")),
        ("upload_sequence_token", _following("number")),
    ):
        _change(stream, name, value)


def _following(name: str) -> property:
    """A figure of a stream's that follows from its events, whatever moto makes of it."""

    def value(self: Any) -> int:
        span = self.events.span
        return getattr(span, name) if span else 0

    return property(value, lambda *_: None)
