"""Whose signature is on a request: the access keys that a client may sign with."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

REMEMBERED = 64
"""Keys. Of threads that sign while credentials are renewed, some send with the keys of before."""


class Keys:
    """The access keys of a client's own credentials: those of now, and those that were seen since it was made.

    botocore signs with whatever an event handler puts into ``context["signing"]["request_credentials"]``, and a handler
    behind the signature may sign anew.

    Args:
        current: gives the access key of now; ``None`` where there are no credentials.
    """

    def __init__(self, current: Callable[[], str | None]) -> None:
        self._current = current
        self._seen: deque[str] = deque(maxlen=REMEMBERED)

    def see(self, key: str | None) -> None:
        """Take a key for one of the client's own."""
        if key is not None and key not in self._seen:
            self._seen.append(key)

    def hold(self, key: str) -> bool:
        """Whether a key is the client's own."""
        if key not in self._seen:
            self.see(self._current())
        return key in self._seen
