"""HTTP CONNECT proxies: a workload in a subnet reaches the real AWS host names through one.

The proxy never opens a connection to anything but the sandbox's own listeners.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringwall.sandbox.network import Network, Way
    from ringwall.sandbox.places import Workload

_LOG = logging.getLogger(__name__)
_HEAD_LIMIT = 16 * 1024
_HEAD_TIMEOUT = 15.0
_CHUNK = 65536


class Flows:
    """Which workload a connection belongs to, by the local TCP port that the proxy uses for it."""

    def __init__(self) -> None:
        self._by_port: dict[int, tuple[Workload, Way]] = {}

    def open(self, port: int, workload: Workload, way: Way) -> None:
        """Remember a connection."""
        self._by_port[port] = (workload, way)

    def close(self, port: int) -> None:
        """Forget it."""
        self._by_port.pop(port, None)

    def find(self, port: int) -> tuple[Workload, Way] | None:
        """Workload and way of a connection that came through a proxy."""
        return self._by_port.get(port)


class Proxy:
    """One workload's proxy."""

    def __init__(
        self, workload: Workload, network: Network, flows: Flows, port_of: Callable[[str | None], int | None]
    ) -> None:
        self.workload = workload
        self._network = network
        self._flows = flows
        self._port_of = port_of
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self) -> int:
        """Listen on a free port of 127.0.0.1."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_HEAD_LIMIT)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening and drop open connections."""
        if self._server is not None:
            self._server.close()
        for writer in tuple(self._open):
            writer.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._open.add(writer)
        task.add_done_callback(self._tasks.discard)
        try:
            async with asyncio.timeout(_HEAD_TIMEOUT):
                head = await reader.readuntil(b"\r\n\r\n")
            await self._connect(head.split(b"\r\n", 1)[0].decode("latin-1"), reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError) as error:
            _LOG.debug("proxy of %s: %s", self.workload.subnet, error)
        finally:
            self._open.discard(writer)
            writer.close()

    async def _connect(self, line: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, _, rest = line.partition(" ")
        host, _, port = rest.partition(" ")[0].rpartition(":")
        if method != "CONNECT" or port != "443":
            await _say(writer, "405 The sandbox's proxy takes CONNECT to port 443 alone")
            return
        way = await asyncio.to_thread(self._network.way, self.workload, host.lower())
        target = self._port_of(way.endpoint) if way.refused is None else None
        if target is None:
            _LOG.info("%s: no way to %s: %s", self.workload.subnet, host, way.refused)
            await _say(writer, f"504 No route: {way.refused}")
            return
        there, onward = await asyncio.open_connection("127.0.0.1", target)
        local = int(onward.get_extra_info("sockname")[1])
        self._flows.open(local, self.workload, way)
        self._open.add(onward)
        try:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.drain()
            await asyncio.gather(_pipe(reader, onward), _pipe(there, writer))
        finally:
            self._flows.close(local)
            self._open.discard(onward)
            onward.close()


async def _say(writer: asyncio.StreamWriter, status: str) -> None:
    text = status.encode("ascii", "replace")
    writer.write(b"HTTP/1.1 " + text + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    await writer.drain()


async def _pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(_CHUNK):
            sink.write(data)
            await sink.drain()
    except OSError as error:
        _LOG.debug("connection lost: %s", error)
    finally:
        sink.close()
