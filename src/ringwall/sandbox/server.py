"""HTTP listeners on 127.0.0.1, in an event loop of their own thread."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp import ClientError, web

from ringwall.sandbox.authenticate import MAX_BODY
from ringwall.sandbox.wire import HttpRequest, HttpResponse

if TYPE_CHECKING:
    import ssl
    from collections.abc import Coroutine

_LOG = logging.getLogger(__name__)
# Bodies are hashed and kept as they were sent, so the server must not unpack them. Of what is no HTTP it tells the client
# alone: its own record of that would be a traceback on our standard error.
_MALFORMED = logging.getLogger(f"{__name__}.malformed")
_MALFORMED.addHandler(logging.NullHandler())
_MALFORMED.propagate = False
_BODY_TIMEOUT = 60.0
_SHUTDOWN = 0.2
_HOST = "127.0.0.1"
# S3's chunked uploads carry a signature per chunk.
_READ_LIMIT = MAX_BODY + 1024 * 1024
_Result = TypeVar("_Result")

Handler = Callable[[HttpRequest, int], Awaitable[HttpResponse]]
"""Answers a request, given the TCP port of the peer."""


class BodyTooLargeError(Exception):
    """A body is over the cap."""


@dataclass
class Listener:
    """An open port."""

    port: int
    runner: web.ServerRunner


class Server:
    """The event loop's thread, and the listeners in it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="ringwall-sandbox", daemon=True)

    def start(self) -> None:
        """Start the loop."""
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Run a coroutine on the loop from another thread and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    def stop(self) -> None:
        """Stop the loop; listeners must be closed before."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        if not self._loop.is_running():
            self._loop.close()

    async def listen(self, handler: Handler, context: ssl.SSLContext | None, port: int = 0) -> Listener:
        """Open a listener on 127.0.0.1; port 0 takes a free one."""

        async def respond(request: web.BaseRequest) -> web.StreamResponse:
            return await _respond(request, handler)

        runner = web.ServerRunner(
            web.Server(
                respond, access_log=None, keepalive_timeout=75, auto_decompress=False, logger=_MALFORMED
            ),
            shutdown_timeout=_SHUTDOWN,
        )
        await runner.setup()
        site = web.TCPSite(runner, _HOST, port, ssl_context=context)
        await site.start()
        return Listener(int(runner.addresses[0][1]), runner)


async def _respond(request: web.BaseRequest, handler: Handler) -> web.StreamResponse:
    try:
        async with asyncio.timeout(_BODY_TIMEOUT):
            body = await _read(request)
    except BodyTooLargeError:
        return _too_large(request)
    except (TimeoutError, ClientError, ConnectionError, web.HTTPException):
        return web.Response(status=400, text=json.dumps({"message": "The request body could not be read"}))
    path, _, query = request.raw_path.partition("?")
    message = HttpRequest(request.method, path, query, _headers(request), body, request.secure)
    peer = request.transport.get_extra_info("peername") if request.transport else None
    (answer,) = await asyncio.gather(handler(message, peer[1] if peer else 0), return_exceptions=True)
    if isinstance(answer, BaseException):
        _LOG.error("the sandbox failed on %s %s", request.method, path, exc_info=answer)
        return _internal_failure(answer)
    return await _send(request, answer)


async def _read(request: web.BaseRequest) -> bytes:
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    pieces, size = [], 0
    async for chunk in request.content.iter_chunked(65536):
        size += len(chunk)
        if size > _READ_LIMIT:
            raise BodyTooLargeError
        pieces.append(chunk)
    return b"".join(pieces)


def _headers(request: web.BaseRequest) -> dict[str, str]:
    found: dict[str, str] = {}
    for raw_name, raw_value in request.raw_headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("utf-8", "surrogateescape").strip()
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


async def _send(request: web.BaseRequest, answer: HttpResponse) -> web.StreamResponse:
    headers = {name: value.encode("ascii", "replace").decode() for name, value in answer.headers.items()}
    if answer.stream is None:
        if request.method != "HEAD":
            headers.pop("Content-Length", None)
        return web.Response(status=answer.status, headers=headers, body=answer.body)
    response = web.StreamResponse(status=answer.status, headers=headers)
    response.enable_chunked_encoding()
    await response.prepare(request)
    async for piece in answer.stream:
        await response.write(piece)
    await response.write_eof()
    return response


def _too_large(request: web.BaseRequest) -> web.Response:
    text = json.dumps({"message": "The request body is larger than 25 MB"})
    headers = {"x-amzn-ErrorType": "RequestEntityTooLargeException"}
    response = web.Response(status=413, text=text, content_type="application/json", headers=headers)
    response.force_close()
    del request
    return response


def _internal_failure(error: BaseException) -> web.Response:
    text = json.dumps(
        {"__type": "InternalFailure", "message": f"The sandbox failed: {type(error).__name__}: {error}"}
    )
    headers = {"x-amzn-ErrorType": "InternalFailure"}
    return web.Response(status=500, text=text, content_type="application/json", headers=headers)
