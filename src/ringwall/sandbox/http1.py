"""HTTP/1.1 as the gateway needs it: heads and chunks of requests, heads of answers.

Paths and header values are kept as they were sent, for they are signed. What a head says of its body's length is
taken strictly (RFC 9112, section 6.3): where two readers could differ, the request is refused.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ringwall.sandbox.wire import HttpRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.sandbox.wire import HttpResponse

_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP/1\.([01])")
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ABSOLUTE = re.compile(r"https?://[^/?]*", re.IGNORECASE)
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?")
_LONGEST_LINE = 4096
TOO_LARGE = "The request body is larger than 25 MB"


class BadRequestError(Exception):
    """What was sent is no request that can be read; ``status`` says how it is refused."""

    def __init__(self, message: str, status: int = 400) -> None:
        self.status = status
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a request.

    Attributes:
        length: of the body in bytes; ``None`` = it comes in chunks.
        last: whether the connection ends with it.
        chunked: whether the client reads chunks (HTTP/1.1).
    """

    method: str
    target: str
    headers: Mapping[str, str]
    length: int | None
    last: bool
    chunked: bool = True

    def request(self, body: bytes, *, secure: bool) -> HttpRequest:
        """The whole request."""
        path, _, query = self.target.partition("?")
        return HttpRequest(self.method, path, query, self.headers, body, secure)


def read_head(text: bytes) -> Head:
    """Read a head, without the empty line that ends it.

    Raises:
        BadRequestError: it is none, or says two things of the body's length.
    """
    first, *lines = text.split(b"\r\n")
    line = _REQUEST_LINE.fullmatch(first)
    if line is None:
        raise BadRequestError("The request line could not be read")
    headers: dict[str, str] = {}
    for each in lines:
        name, colon, value = each.partition(b":")
        if not colon or not _NAME.fullmatch(name) or b"\r" in value or b"\n" in value or b"\0" in value:
            raise BadRequestError("A header could not be read")
        key, shown = name.decode("ascii").lower(), value.strip(b" \t").decode("utf-8", "surrogateescape")
        headers[key] = f"{headers[key]},{shown}" if key in headers else shown
    options = headers.get("connection", "").lower()
    last = "close" in options if line[3] == b"1" else "keep-alive" not in options
    target = line[2].decode("utf-8", "surrogateescape")
    path = _ABSOLUTE.sub("", target, 1) or "/"
    return Head(line[1].decode("ascii"), path, headers, _length(headers), last, line[3] == b"1")


def _length(headers: Mapping[str, str]) -> int | None:
    length, coding = headers.get("content-length"), headers.get("transfer-encoding")
    if coding is not None:
        if length is not None or coding.lower() != "chunked":
            raise BadRequestError("The length of the request body is not clear")
        return None
    if length is not None and not (length.isascii() and length.isdigit()):
        raise BadRequestError("The length of the request body is not clear")
    return int(length or 0)


class Chunks:
    """A body in chunks, as far as it has come."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._body = bytearray()
        self._trailing = False

    def take(self, buffer: bytearray) -> bytes | None:
        """Take what is whole from the buffer; the body, once it is complete.

        Raises:
            BadRequestError: it is not framed so, or over the limit.
        """
        while (end := buffer.find(b"\r\n", 0, _LONGEST_LINE)) >= 0:
            if self._trailing:
                done = end == 0
                del buffer[: end + 2]
                if done:
                    return bytes(self._body)
                continue
            line = _CHUNK.fullmatch(bytes(buffer[:end]))
            if line is None:
                raise BadRequestError("A chunk of the request body could not be read")
            size = int(line[1], 16)
            if len(self._body) + size > self._limit:
                raise BadRequestError(TOO_LARGE, 413)
            if size == 0:
                self._trailing = True
                del buffer[: end + 2]
                continue
            begin, after = end + 2, end + 2 + size
            if len(buffer) < after + 2:
                return None
            if buffer[after : after + 2] != b"\r\n":
                raise BadRequestError("A chunk of the request body could not be read")
            self._body += buffer[begin:after]
            del buffer[: after + 2]
        if len(buffer) >= _LONGEST_LINE:
            raise BadRequestError("A chunk of the request body could not be read")
        return None


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
