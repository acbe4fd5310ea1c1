"""A deadline for a whole call: connecting, sending, waiting, retrying and reading the answer to its end.

botocore's timeouts bound single steps. A server that sends a byte now and then keeps within each of them for ever, and
so does a stream. Here every read and write of a connection is given what is left of the deadline.
"""

from __future__ import annotations

import math
import ssl
import threading
import time
from typing import Any

from botocore.exceptions import ReadTimeoutError

now = time.monotonic
"""The clock of deadlines."""


class DeadlineExceeded(ReadTimeoutError):  # noqa: N818 - beside botocore's ReadTimeoutError
    """A call did not end within its deadline. A generation may have been paid for; it is not asked for again."""

    fmt = 'The call did not end within its deadline, endpoint URL: "{endpoint_url}"'


class _Current(threading.local):
    until: float | None = None
    tls: str | None = None


current = _Current()
"""Of this thread: the deadline that connections take on which it writes to, and TLS version of the last one of them."""


class DeadlineSocket(ssl.SSLSocket):
    """A TLS connection whose reads and writes end at the deadline of the call that it serves.

    It takes the deadline on when the request is written, and keeps it while the answer is read, by whichever thread.
    """

    _until: float | None = None
    _step: float = math.inf
    _version: str | None = None

    def do_handshake(self, block: bool = False) -> None:
        """Agree on version and keys."""
        super().do_handshake(block)
        self._version = self.version()

    def settimeout(self, value: float | None) -> None:
        """Set the timeout of single steps."""
        self._step = math.inf if value is None else value
        super().settimeout(value)

    def send(self, *arguments: Any, **keywords: Any) -> int:
        """Write what the connection takes now."""
        here = current
        if self._until != here.until:
            super().settimeout(None if self._step == math.inf else self._step)
            self._until = here.until
        here.tls = self._version
        if self._until is not None and (left := self._until - now()) < self._step:
            self._hurry(left)
        return super().send(*arguments, **keywords)

    def recv(self, *arguments: Any, **keywords: Any) -> bytes:
        """Read what there is."""
        if self._until is not None and (left := self._until - now()) < self._step:
            self._hurry(left)
        return super().recv(*arguments, **keywords)

    def recv_into(self, *arguments: Any, **keywords: Any) -> int:
        """Read what there is into a buffer."""
        if self._until is not None and (left := self._until - now()) < self._step:
            self._hurry(left)
        return super().recv_into(*arguments, **keywords) or 0

    def _hurry(self, left: float) -> None:
        """Shorten the step to what is left."""
        if left <= 0:
            raise TimeoutError("the deadline of the call has passed")
        super().settimeout(left)
