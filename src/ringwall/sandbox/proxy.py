"""HTTP CONNECT proxies: a workload in a subnet reaches the real AWS host names through one.

The proxy connects to nothing: what a client believes to be AWS at the end of its tunnel is the sandbox itself, which
goes on with the same connection.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from ringwall.sandbox.server import Opening

if TYPE_CHECKING:
    import ssl

    from ringwall.sandbox.network import Network, Way
    from ringwall.sandbox.places import Workload
    from ringwall.sandbox.server import Server
    from ringwall.sandbox.wire import HttpRequest, HttpResponse

_LOG = logging.getLogger(__name__)
_HEAD_LIMIT = 16 * 1024
_HEAD_END = b"\r\n\r\n"

Arrive: TypeAlias = Callable[["Workload", "Way", "HttpRequest"], Awaitable["HttpResponse"]]
"""Answers a request of a workload that came by a way."""


class Proxy:
    """One workload's proxy.

    Args:
        workload: whose.
        network: tells the ways.
        server: minds its connections.
        context: certificates for the names at the end of its tunnels.
        arrive: answers what comes through them.
    """

    def __init__(
        self, workload: Workload, network: Network, server: Server, context: ssl.SSLContext, arrive: Arrive
    ) -> None:
        self.workload = workload
        self._network = network
        self._server = server
        self._context = context
        self._arrive = arrive

    def tunnel(self) -> Tunnel:
        """A connection that comes in."""
        return Tunnel(self._server, self)

    async def lead(self, line: str, transport: asyncio.Transport) -> None:
        """Lead a connection where its first line asks to go."""
        method, _, rest = line.partition(" ")
        host, _, port = rest.partition(" ")[0].rpartition(":")
        if method != "CONNECT" or port != "443":
            _refuse(transport, "405 The sandbox's proxy takes CONNECT to port 443 alone")
            return
        way = await asyncio.to_thread(self._network.way, self.workload, host.lower())
        if way.refused is not None:
            _LOG.info("%s: no way to %s: %s", self.workload.subnet, host, way.refused)
            _refuse(transport, f"504 No route: {way.refused}")
            return
        transport.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

        def arrive(request: HttpRequest) -> Awaitable[HttpResponse]:
            return self._arrive(self.workload, way, request)

        await self._server.secure(transport, self._context, arrive, way.endpoint)


class Tunnel(Opening):
    """A client of a proxy, until it is where it wants to go."""

    def __init__(self, server: Server, proxy: Proxy) -> None:
        super().__init__(server)
        self._proxy = proxy
        self._head = b""

    def data_received(self, data: bytes) -> None:
        """Part of the head came. What follows it must wait for the answer."""
        self._head += data
        line, end, rest = self._head.partition(_HEAD_END)
        if self.task is not None or rest or len(self._head) > _HEAD_LIMIT:
            self.abort()
        elif end:
            first = line.split(b"\r\n", 1)[0].decode("latin-1")
            self.become(self._proxy.lead(first, self.transport))


def _refuse(transport: asyncio.Transport, status: str) -> None:
    text = status.encode("ascii", "replace")
    transport.write(b"HTTP/1.1 " + text + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    transport.close()
