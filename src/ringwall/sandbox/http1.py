"""HTTP/1.1 as the gateway needs it: requests read by llhttp, heads of answers.

Paths and header values are kept as they were sent, for they are signed. llhttp takes strictly what a head says of its
body's length (RFC 9112, section 6.3): where two readers could differ, the request is refused.
"""

from __future__ import annotations

import re
import time
from collections import deque
from dataclasses import dataclass
from email.utils import formatdate
from enum import Enum
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from ringwall.sandbox.wire import HttpRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.sandbox.wire import HttpResponse

_TARGET = re.compile(rb"[!-~\x80-\xff]+")
_ABSOLUTE = re.compile(r"https?://[^/?]*", re.IGNORECASE)
_FRAMED_VERSIONS = {"1.0": False, "1.1": True}
"""Version -> whether its clients read chunks."""
TOO_LARGE = "The request body is larger than 25 MB"


class BadRequestError(Exception):
    """What was sent is no request that can be read; ``status`` says how it is refused."""

    def __init__(self, message: str, status: int = 400) -> None:
        self.status = status
        super().__init__(message)


class Phase(Enum):
    """What of a request has come."""

    IDLE = "nothing"
    HEAD = "a part of its head"
    BODY = "its head, and not all of its body"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request that has come whole.

    Attributes:
        last: whether the connection ends with it.
        chunked: whether the client reads chunks (HTTP/1.1).
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    last: bool
    chunked: bool = True

    def request(self, *, secure: bool) -> HttpRequest:
        """As the gateway sees it."""
        path, _, query = self.target.partition("?")
        return HttpRequest(self.method, path, query, self.headers, self.body, secure)


class Reader:
    """Reads the requests of one connection.

    Args:
        head_size: how many bytes a head, or what follows the last chunk, may have.
        body_size: how many bytes a body may have.

    Attributes:
        phase: what has come of the request that is being read.
        expecting: whether its client waits to be told to send the body.
        whole: requests that have come whole and were not taken yet, in their order.
    """

    def __init__(self, head_size: int, body_size: int) -> None:
        self.phase = Phase.IDLE
        self.expecting = False
        self.whole: deque[Incoming] = deque()
        self._head_size = head_size
        self._body_size = body_size
        self._parser = HttpRequestParser(self)
        self._problem: BadRequestError | None = None
        self._unread = 0
        self.on_message_begin()
        self.phase = Phase.IDLE

    def feed(self, data: bytes) -> None:
        """Read on.

        Raises:
            BadRequestError: it is no request, says two things of the body's length, or is too large.
        """
        try:
            self._parser.feed_data(data)
        except (
            HttpParserUpgrade
        ) as upgrade:  # nobody here speaks anything else: what follows is the next request
            self._parser = HttpRequestParser(self)
            self.feed(data[upgrade.args[0] :])
        except HttpParserError as error:
            raise self._problem or BadRequestError(f"The request could not be read: {error}") from error
        self._unread += len(data)
        if self.phase is Phase.HEAD and self._unread > self._head_size:
            raise BadRequestError("The headers of the request are too large", 431)
        if self.phase is Phase.BODY and self._unread > 2 * self._body_size + self._head_size:
            raise BadRequestError(TOO_LARGE, 413)

    def _refuse(self, message: str, status: int = 400) -> None:
        self._problem = BadRequestError(message, status)
        raise self._problem

    # -- what llhttp finds -----------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """A request begins."""
        self.phase = Phase.HEAD
        self._target = b""
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._size = self._unread = 0

    def on_url(self, part: bytes) -> None:
        """A part of the target."""
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; or a trailer, which is nothing that was signed, and is dropped."""
        self._size += len(name) + len(value) + len(": \r\n")
        if self._size > self._head_size:
            self._refuse("The headers of the request are too large", 431)
        if self.phase is Phase.HEAD:
            key = name.decode("ascii").lower()
            if key == "host" and key in self._headers:
                self._refuse("There is more than one Host header")
            text = value.strip(b" \t").decode("utf-8", "surrogateescape")
            self._headers[key] = f"{self._headers[key]},{text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        """The head is whole."""
        version = self._parser.get_http_version()
        if version not in _FRAMED_VERSIONS:
            self._refuse("The sandbox speaks HTTP/1.1", 505)
        if not _TARGET.fullmatch(self._target):
            self._refuse("The request line could not be read")
        if version == "1.1" and "host" not in self._headers:
            self._refuse("There is no Host header")
        if self._headers.get("transfer-encoding", "chunked").lower() != "chunked":
            self._refuse("The length of the request body is not clear")
        if int(self._headers.get("content-length") or 0) > self._body_size:
            self._refuse(TOO_LARGE, 413)
        self._chunked = _FRAMED_VERSIONS[version]
        self._last = not self._parser.should_keep_alive()
        self.expecting = self._headers.get("expect", "").lower() == "100-continue"
        self.phase = Phase.BODY
        self._size = self._unread = 0

    def on_body(self, part: bytes) -> None:
        """A part of the body."""
        if len(self._body) + len(part) > self._body_size:
            self._refuse(TOO_LARGE, 413)
        self._body += part

    def on_message_complete(self) -> None:
        """The request is whole."""
        target = _ABSOLUTE.sub("", self._target.decode("utf-8", "surrogateescape"), 1) or "/"
        method = self._parser.get_method().decode("ascii")
        self.whole.append(
            Incoming(method, target, self._headers, bytes(self._body), self._last, self._chunked)
        )
        self.phase = Phase.IDLE
        self.expecting = False


def answer_head(answer: HttpResponse, framing: str, *, last: bool) -> bytes:
    """The head of an answer.

    Args:
        answer: the answer.
        framing: the header that says where its body ends; its own ``Content-Length`` does not count.
        last: whether the connection ends with it.
    """
    lines = [
        f"{name}: {_printable(value)}\r\n"
        for name, value in answer.headers.items()
        if name != "Content-Length"
    ]
    end = "Connection: close\r\n" if last and "Connection" not in answer.headers else ""
    date = _formatted(int(time.time()))
    text = f"{_status_line(answer.status)}{''.join(lines)}{framing}Date: {date}\r\n{end}\r\n"
    return text.encode("ascii")


def _printable(value: Any) -> str:
    text = str(value)
    if text.isascii() and text.isprintable():
        return text
    return "".join(character if " " <= character <= "~" else "?" for character in text)


_PHRASES = {status.value: status.phrase for status in HTTPStatus}


def _status_line(status: int) -> str:
    return f"HTTP/1.1 {status} {_PHRASES.get(status, '')}\r\n"


@lru_cache(maxsize=1)
def _formatted(second: int) -> str:
    return formatdate(second, usegmt=True)
