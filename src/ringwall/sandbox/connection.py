"""One client's connection: from its bytes to requests that are whole, and answers back.

A client may be slow, silent, or gone half way. Each step of a request has a time by which it must be over;
:meth:`Connection.overdue` says whether it passed, and whoever minds the connections (:mod:`ringwall.sandbox.server`) asks.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, cast

from ringwall.sandbox.authenticate import MAX_BODY
from ringwall.sandbox.http1 import BadRequestError, Phase, Reader, answer_head
from ringwall.sandbox.wire import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ringwall.sandbox.http1 import Incoming
    from ringwall.sandbox.server import Server

_LOG = logging.getLogger(__name__)
_WITHOUT_BODY = frozenset({204, 304})

Handler: TypeAlias = Callable[[HttpRequest], Awaitable[HttpResponse]]
"""Answers a request."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may take.

    Attributes:
        handshake: seconds that the TLS handshake may take.
        head: seconds from a request's first byte to the end of its head.
        body: seconds from there to the end of its body; and that a stalled reader of an answer has to go on.
        idle: seconds between requests.
        head_size: bytes of a head.
        body_size: bytes of a body; S3's chunked uploads carry a signature per chunk.
        connections: how many there may be at a time.
    """

    handshake: float = 10.0
    head: float = 20.0
    body: float = 60.0
    idle: float = 75.0
    head_size: int = 64 * 1024
    body_size: int = MAX_BODY + 1024 * 1024
    connections: int = 1000


class Connection(asyncio.Protocol):
    """One client's connection.

    Args:
        server: keeps the connections, and gives their limits.
        handler: answers the requests.
        secure: whether it is under TLS.
        through: id of the VPC endpoint that it comes through.
    """

    def __init__(self, server: Server, handler: Handler, *, secure: bool, through: str | None = None) -> None:
        self.through = through
        self._server = server
        self._handler = handler
        self._secure = secure
        self._transport: asyncio.Transport
        self._reader = Reader(server.limits.head_size, server.limits.body_size)
        self._ahead = b""
        self._problem: BadRequestError | None = None
        self._made = False
        self._task: asyncio.Task[None] | None = None
        self._answering = self._streaming = self._draining = self._last = False
        self._writable = asyncio.Event()
        self._writable.set()
        self._wait(server.limits.idle)

    # -- what the transport tells ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self._transport = cast("asyncio.Transport", transport)
        self._made = True
        self._server.connected(self)
        if self._ahead and not transport.is_closing():  # under TLS the first bytes may come sooner
            self._read()

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        if self._draining:
            return
        self._ahead += data
        if self._answering:
            self._transport.pause_reading()
        elif self._made:
            self._read()

    def eof_received(self) -> bool:
        """The client sends no more; an answer that is being made still goes to it."""
        self._last = True
        return self._answering and not self._secure  # under TLS there is no half of a connection

    def connection_lost(self, _: Exception | None) -> None:
        """The connection is gone, and with it whoever waits for the rest of a stream."""
        self._server.forget(self)
        self._writable.set()
        if self._task is not None and self._streaming:
            self._task.cancel()

    def pause_writing(self) -> None:
        """The client takes its answer slowly."""
        self._writable.clear()
        self._wait(self._server.limits.body)

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._writable.set()

    # -- time ------------------------------------------------------------------------------------------------------

    def _wait(self, seconds: float) -> None:
        self._due = self._server.clock() + seconds

    def _wait_for(self, phase: Phase) -> None:
        limits = self._server.limits
        self._wait({Phase.IDLE: limits.idle, Phase.HEAD: limits.head, Phase.BODY: limits.body}[phase])

    @property
    def idle(self) -> bool:
        """Whether nothing is asked for at present."""
        return not (self._answering or self._ahead) and self._reader.phase is Phase.IDLE

    def overdue(self, now: float) -> bool:
        """Whether the client has taken too long for the present step."""
        waiting = not self._answering or not self._writable.is_set()
        return waiting and now >= self._due

    def expire(self) -> None:
        """End it as its client is too slow, which it is told unless it said nothing."""
        if self.idle or self._draining or self._answering:
            self._transport.abort()
            return
        self._refuse(BadRequestError("The request was not received in time", 408))
        self._transport.close()

    def finish(self) -> None:
        """End it: at once, or with the answer that is being made."""
        self._last = True
        if not self._answering:
            self._transport.close()

    def abort(self) -> None:
        """End it at once."""
        self._transport.abort()

    @property
    def answer(self) -> asyncio.Task[None] | None:
        """The answer that is being made."""
        return self._task if self._answering else None

    # -- requests --------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        """Read what has come, and answer the first request that is whole."""
        data, self._ahead = self._ahead, b""
        before = self._reader.phase
        try:
            self._reader.feed(data)
        except BadRequestError as problem:
            self._problem = problem
        if self._reader.phase is not before:
            self._wait_for(self._reader.phase)
        if self._reader.expecting:
            self._reader.expecting = False
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._go_on()

    def _go_on(self) -> None:
        """Answer the next request; refuse what cannot be read once those before it are answered."""
        if self._reader.whole:
            incoming = self._reader.whole.popleft()
            self._last = self._last or incoming.last
            self._answering, self._streaming = True, False
            self._task = asyncio.get_running_loop().create_task(self._serve(incoming))
            self._task.add_done_callback(self._served)
        elif self._problem is not None:
            self._refuse(self._problem)

    def _refuse(self, problem: BadRequestError) -> None:
        """Say why, and take no more. What the client still sends is dropped, lest it see a reset and no answer."""
        name = {413: "RequestEntityTooLargeException", 408: "RequestTimeoutException"}.get(problem.status)
        headers = {"Content-Type": "application/json", "Connection": "close"}
        headers |= {"x-amzn-ErrorType": name} if name else {}
        self._write("", HttpResponse(problem.status, headers, json.dumps({"message": str(problem)}).encode()))
        self._draining = True
        self._wait(self._server.limits.head)
        if problem.status != 413:
            self._transport.close()

    # -- answers ---------------------------------------------------------------------------------------------------

    async def _serve(self, incoming: Incoming) -> None:
        answer = await self._handler(incoming.request(secure=self._secure))
        if self._transport.is_closing():
            return
        if answer.stream is None:
            self._write(incoming.method, answer)
        else:
            await self._stream(answer, answer.stream, chunked=incoming.chunked)

    async def _stream(self, answer: HttpResponse, pieces: AsyncIterator[bytes], *, chunked: bool) -> None:
        self._streaming = True
        self._last = self._last or not chunked
        self._transport.write(
            answer_head(answer, "Transfer-Encoding: chunked\r\n" if chunked else "", last=self._last)
        )
        async for piece in pieces:
            if piece:
                self._transport.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
                await self._writable.wait()
        if chunked:
            self._transport.write(b"0\r\n\r\n")

    def _write(self, method: str, answer: HttpResponse) -> None:
        length = "" if answer.status in _WITHOUT_BODY else f"Content-Length: {len(answer.body)}\r\n"
        if method == "HEAD":
            told = answer.headers.get("Content-Length")
            length = f"Content-Length: {told}\r\n" if told is not None else length
        self._transport.write(
            answer_head(answer, length, last=self._last) + (b"" if method == "HEAD" else answer.body)
        )

    def _served(self, task: asyncio.Task[None]) -> None:
        """The answer is written, or there is none."""
        self._answering = False
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _LOG.error("the sandbox failed on a request", exc_info=error)
            self._last = True
            if not self._streaming:
                self._write("", _failure(error))
        if self._last or self._transport.is_closing():
            self._transport.close()
            return
        self._go_on()
        if not (self._answering or self._draining):
            self._wait_for(self._reader.phase)
            self._transport.resume_reading()
            if self._ahead:
                self._read()


def _failure(error: BaseException) -> HttpResponse:
    message = f"The sandbox failed: {type(error).__name__}: {error}"
    body = json.dumps({"__type": "InternalFailure", "message": message}).encode()
    return HttpResponse(
        500, {"Content-Type": "application/json", "x-amzn-ErrorType": "InternalFailure"}, body
    )
