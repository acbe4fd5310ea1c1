"""What every door to AWS has in common: listings through all pages, evidence, and memory between two writes."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from ringwall.errors import AwsCallError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TOKENS: tuple[tuple[str, str], ...] = (
    # response member -> request member; the first that is present wins
    ("nextToken", "nextToken"),
    ("NextToken", "NextToken"),
    ("NextMarker", "Marker"),
    ("Marker", "Marker"),
    ("ContinuationToken", "ContinuationToken"),
)


@runtime_checkable
class Remembers(Protocol):
    """A connection that keeps expensive answers until something is written through it."""

    def remember(self, name: str, compute: Callable[[], Any]) -> Any:
        """The remembered value of that name, computed at most once."""

    def forget(self) -> None:
        """Drop what is remembered."""


class Remembering(ABC):
    """Pages, evidence and memory of one connection. Safe to use from several threads."""

    def __init__(self) -> None:
        self._fresh = threading.local()
        self._memory: dict[str, _Kept] = {}
        self._memory_lock = threading.Lock()

    @abstractmethod
    def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        """See :meth:`ringwall.estate.aws.Aws.call`."""

    def pages(self, service: str, operation: str, key: str, /, **parameters: Any) -> list[Any]:
        """See :meth:`ringwall.estate.aws.Aws.pages`."""
        items: list[Any] = []
        sent = dict(parameters)
        seen: set[str] = set()
        while True:
            response = self.call(service, operation, **sent)
            items.extend(response.get(key) or ())
            member, token = next_token(response)
            if not token:
                return items
            if token in seen:
                raise AwsCallError(
                    service, operation, "RepeatedPage", "the listing returned the same page twice"
                )
            seen.add(token)
            sent[member] = token

    # -- evidence --------------------------------------------------------------------------------------------------

    def evidence(self) -> tuple[str, ...]:
        """Digests of the responses that this thread received since it last asked."""
        fresh: list[str] = getattr(self._fresh, "digests", [])
        self._fresh.digests = []
        return tuple(dict.fromkeys(fresh))

    def _add_fresh(self, digests: tuple[str, ...]) -> None:
        fresh: list[str] = getattr(self._fresh, "digests", [])
        fresh.extend(digests)
        self._fresh.digests = fresh

    # -- memory ----------------------------------------------------------------------------------------------------

    def remember(self, name: str, compute: Callable[[], Any]) -> Any:
        """The value of that name, computed at most once between two writes; its evidence counts for every asker.

        Who asks while it is computed waits for it; values of other names are computed beside it. What ``compute``
        asks for must not lead back to it.
        """
        with self._memory_lock:
            kept = self._memory.setdefault(name, _Kept())
        with kept.lock:
            if kept.digests is None:
                before = self.evidence()
                try:
                    kept.value = compute()
                    kept.digests = self.evidence()
                finally:
                    self._add_fresh(before)
            value, digests = kept.value, kept.digests
        self._add_fresh(digests)
        return value

    def forget(self) -> None:
        """Drop what is remembered. What is being computed now is for those who asked before, and is not kept."""
        with self._memory_lock:
            self._memory.clear()


class _Kept:
    """A remembered value, or the place for one."""

    __slots__ = ("digests", "lock", "value")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.value: Any = None
        self.digests: tuple[str, ...] | None = None
        """Its evidence; ``None`` as long as there is no value."""


def next_token(response: Mapping[str, Any]) -> tuple[str, str | None]:
    """The request member that asks for the next page, and its value; ``None`` = this was the last."""
    if response.get("IsTruncated") is False or response.get("Truncated") is False:
        return "", None
    for member, parameter in TOKENS:
        if response.get(member):
            return parameter, str(response[member])
    return "", None
