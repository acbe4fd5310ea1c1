"""Listeners on 127.0.0.1, in an event loop of their own thread, and the connections that came in by them."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from ringwall.sandbox.connection import Connection, Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ringwall.sandbox.connection import Handler

HOST = "127.0.0.1"
_SHUTDOWN = 0.2
_BACKLOG = 1024
_LOOKED_AT = 1.0
"""Seconds between two looks at who is too slow."""
_Result = TypeVar("_Result")


class Client(Protocol):
    """A connection, as far as the server minds it: :class:`~ringwall.sandbox.connection.Connection`, or one that becomes one."""

    @property
    def idle(self) -> bool:
        """Whether nothing is asked for at present."""

    def overdue(self, now: float) -> bool:
        """Whether it has taken too long for the present step."""

    def expire(self) -> None:
        """End it as too slow."""

    def abort(self) -> None:
        """End it at once."""


@dataclass
class Listener:
    """An open port."""

    port: int
    server: asyncio.Server


class Server:
    """The event loop's thread, the listeners in it, and their connections.

    Args:
        limits: what clients may take.
        clock: seconds, for those limits.
    """

    def __init__(self, limits: Limits | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits or Limits()
        self.clock = clock
        self._loop: asyncio.AbstractEventLoop
        self._clients: dict[Client, None] = {}
        self._thread = threading.Thread(target=self._run, name="ringwall-sandbox", daemon=True)

    # -- the loop --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the loop."""
        self._loop = asyncio.new_event_loop()
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.call_later(_LOOKED_AT, self._look)
        self._loop.run_forever()

    def run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Run a coroutine on the loop from another thread and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    def stop(self) -> None:
        """End what connections there are, and the loop; answers that are being made have a moment to go out."""
        self.run(self._finish())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        if not self._loop.is_running():
            self._loop.close()

    async def _finish(self) -> None:
        clients = tuple(self._clients)
        answers = [one.answer for one in clients if isinstance(one, Connection) and one.answer is not None]
        if answers:
            await asyncio.wait(answers, timeout=_SHUTDOWN)
        for client in clients:
            client.abort()
        begun = [one.task for one in clients if isinstance(one, Opening) and one.task is not None]
        if begun:
            await asyncio.wait(begun, timeout=_SHUTDOWN)

    # -- listeners -------------------------------------------------------------------------------------------------

    async def listen(self, handler: Handler, context: ssl.SSLContext | None, port: int = 0) -> Listener:
        """Open a listener on 127.0.0.1 for HTTP, over TLS if there is a context; port 0 takes a free one."""
        if context is None:
            return await self.open(lambda: Connection(self, handler, secure=False), port)
        return await self.open(lambda: _Secured(self, handler, context), port)

    async def open(self, protocol: Callable[[], asyncio.BaseProtocol], port: int = 0) -> Listener:
        """Open a listener on 127.0.0.1."""
        server = await self._loop.create_server(protocol, HOST, port, backlog=_BACKLOG)
        return Listener(int(server.sockets[0].getsockname()[1]), server)

    async def close(self, listener: Listener) -> None:
        """Take no more connections; those that stand go on."""
        listener.server.close()

    async def secure(
        self,
        transport: asyncio.Transport,
        context: ssl.SSLContext,
        handler: Handler,
        through: str | None = None,
    ) -> None:
        """Let a plain connection go on as HTTP over TLS.

        Args:
            transport: the plain connection, over which the client is about to shake hands.
            context: with the certificates.
            handler: answers its requests.
            through: id of the VPC endpoint that it comes through.
        """
        connection = Connection(self, handler, secure=True, through=through)
        try:
            secured = await self._loop.start_tls(
                transport, connection, context, server_side=True, ssl_handshake_timeout=self.limits.handshake
            )
        except OSError:  # as are the errors of TLS: the client is gone, too slow, or wants something else
            transport.abort()
            return
        if secured is not None and not secured.is_closing():
            connection.connection_made(secured)

    # -- connections -----------------------------------------------------------------------------------------------

    def connected(self, client: Client) -> None:
        """Mind a new connection. Where there are too many, the one that has been idle longest makes room, else this one."""
        if len(self._clients) >= self.limits.connections:
            idle = next((other for other in self._clients if other.idle), client)
            self.forget(idle)
            idle.abort()
            if idle is client:
                return
        self._clients[client] = None

    def forget(self, client: Client) -> None:
        """Mind a connection no more."""
        self._clients.pop(client, None)

    def expire(self) -> None:
        """End the connections whose clients have taken too long."""
        now = self.clock()
        for client in [one for one in self._clients if one.overdue(now)]:
            client.expire()

    def _look(self) -> None:
        self.expire()
        self._loop.call_later(_LOOKED_AT, self._look)

    async def drop(self, endpoint: str) -> None:
        """End the connections that came through a VPC endpoint."""
        for client in tuple(self._clients):
            if isinstance(client, Connection) and client.through == endpoint:
                client.finish()


class Opening(asyncio.Protocol):
    """A plain connection that is to become one over TLS, minded like any other."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.transport: asyncio.Transport
        self.task: asyncio.Task[None] | None = None
        self._due = server.clock() + server.limits.head

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self.transport = cast("asyncio.Transport", transport)
        self.server.connected(self)

    def connection_lost(self, _: Exception | None) -> None:
        """The connection is gone."""
        self.server.forget(self)

    def become(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what makes it one over TLS."""
        self.task = asyncio.get_running_loop().create_task(work)
        self.task.add_done_callback(lambda _: self.server.forget(self))

    @property
    def idle(self) -> bool:
        """Never: it has only begun."""
        return False

    def overdue(self, now: float) -> bool:
        """Whether it has not become one in time."""
        return now >= self._due

    def expire(self) -> None:
        """End it as too slow."""
        self.abort()

    def abort(self) -> None:
        """End it at once."""
        self.transport.abort()


class _Secured(Opening):
    """A connection that begins with TLS."""

    def __init__(self, server: Server, handler: Handler, context: ssl.SSLContext) -> None:
        super().__init__(server)
        self._handler = handler
        self._context = context

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Shake hands."""
        super().connection_made(transport)
        if not self.transport.is_closing():
            self.become(self.server.secure(self.transport, self._context, self._handler))
