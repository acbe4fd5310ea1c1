"""HTTP messages as the gateway sees them: read whole, raw path kept, header names lower-cased."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping


def parse_query(text: str) -> dict[str, str]:
    """Query string or form as a mapping; of repeated names the last wins, a name without ``=`` has the value ``""``."""
    result: dict[str, str] = {}
    for part in text.split("&"):
        if part:
            name, _, value = part.partition("=")
            result[unquote_plus(name)] = unquote_plus(value)
    return result


@dataclass(frozen=True)
class HttpRequest:
    """A request, body included.

    Attributes:
        path: as sent, percent-encoded. ARNs in paths keep their ``%2F``, so a label stays one label.
        query: raw query string.
        headers: names lower-cased, repeated headers joined by a comma.
        secure: whether it came over TLS.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    secure: bool = True

    @cached_property
    def query_parameters(self) -> dict[str, str]:
        """The query string, decoded."""
        return parse_query(self.query)

    @cached_property
    def form(self) -> dict[str, str]:
        """The query string and a form body, decoded: where the query protocols keep their parameters."""
        if not self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return self.query_parameters
        return {**self.query_parameters, **parse_query(self.body.decode("utf-8", "replace"))}

    @property
    def host(self) -> str:
        """Host name without the port, lower-cased."""
        return self.headers.get("host", "").rsplit(":", 1)[0].lower()

    def with_body(self, body: bytes) -> HttpRequest:
        """A copy with another body."""
        return replace(self, body=body)

    def with_path(self, path: str) -> HttpRequest:
        """A copy with another path."""
        return replace(self, path=path)


@dataclass
class HttpResponse:
    """A response: its body whole, or as a stream."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    stream: AsyncIterator[bytes] | None = None
