"""Randomness and time of what the sandbox makes: its own, or of a change that can be made again.

Whatever a change of state makes at random (ids, secrets, keys) or takes from the clock comes from here. Inside
:func:`of_change` both follow from a seed and a moment, so a change that is made again with the same two, on the same
state, gives the same result, to the last id. Outside, bytes come from the system and the time from the clock.
"""

from __future__ import annotations

import hashlib
import random
import secrets
import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

SEED = 32
"""Bytes of a seed."""


@dataclass
class _Source:
    """Bytes that follow from a seed: SHA-256 over the seed and a counter, which tells nothing of the seed."""

    seed: bytes
    moment: datetime
    counter: int = 0
    rest: bytes = b""

    def take(self, size: int) -> bytes:
        while len(self.rest) < size:
            self.rest += hashlib.sha256(self.seed + self.counter.to_bytes(8)).digest()
            self.counter += 1
        taken, self.rest = self.rest[:size], self.rest[size:]
        return taken


class _Thread(threading.local):
    source: _Source | None = None


_thread = _Thread()
_passing = random.Random(secrets.token_bytes(SEED))  # noqa: S311 - names, not secrets, and without a call of the system


@contextmanager
def of_change(seed: bytes, moment: datetime) -> Iterator[None]:
    """Let what this thread makes follow from a seed and happen at a moment."""
    before, _thread.source = _thread.source, _Source(seed, moment)
    try:
        yield
    finally:
        _thread.source = before


def moment() -> datetime | None:
    """When the change happens that this thread makes; ``None`` outside of changes."""
    return _thread.source.moment if _thread.source else None


def repeatable() -> bool:
    """Whether this thread makes a change that can be made again."""
    return _thread.source is not None


def token_bytes(size: int) -> bytes:
    """Random bytes."""
    return _thread.source.take(size) if _thread.source else secrets.token_bytes(size)


def token_hex(size: int) -> str:
    """Random bytes, in hexadecimal digits."""
    return token_bytes(size).hex()


def text(alphabet: str, length: int) -> str:
    """Random characters of an alphabet of at most 256."""
    if _thread.source is None:
        return "".join(secrets.choice(alphabet) for _ in range(length))
    fair = 256 - 256 % len(alphabet)
    chosen: list[str] = []
    while len(chosen) < length:
        chosen.extend(alphabet[byte % len(alphabet)] for byte in token_bytes(length) if byte < fair)
    return "".join(chosen[:length])


def identifier() -> str:
    """A random UUID."""
    return str(uuid.UUID(bytes=token_bytes(16), version=4))


def passing() -> str:
    """A random UUID of what no change makes and nothing keeps apart by: a request, an event. It is no secret."""
    number = _passing.getrandbits(128)
    digits = f"{number:032x}"
    variant = "89ab"[number & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
