"""A TLS server that speaks enough HTTP to stand in for Bedrock and STS, and keeps every byte that it was sent.

It also takes ``CONNECT`` and then is whatever host was asked for, so that calls to real AWS host names end here.
"""

from __future__ import annotations

import base64
import json
import re
import socket
import ssl
import struct
import threading
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import trustme

ACCOUNT = "111122223333"
GUARDRAIL_ID = "abcd1234efgh"
GUARDRAIL = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:guardrail/{GUARDRAIL_ID}"
ANSWER = "the-answer-is-secret-42"


@dataclass(frozen=True)
class Received:
    """One request, as it came."""

    raw: bytes
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connect: str | None
    tls: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}

    @property
    def operation(self) -> str:
        if self.body.startswith(b"Action="):
            return self.form["Action"]
        return self.path.rstrip("/").rsplit("/", 1)[-1].partition("?")[0]


@dataclass(frozen=True)
class Reply:
    """What to answer.

    ``then`` is ``answer``, ``drop`` (close without a byte), ``reset`` (the same by RST) or ``stall`` (say nothing, or
    nothing more). ``stop_after`` bytes of the body it ends; ``pause`` seconds pass after each byte.
    """

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    then: str = "answer"
    stop_after: int | None = None
    pause: float = 0


DROP, RESET, STALL = Reply(then="drop"), Reply(then="reset"), Reply(then="stall")
THROTTLED = Reply(429, b'{"message":"slow down"}', {"x-amzn-ErrorType": "ThrottlingException"})
UNAVAILABLE = Reply(503, b'{"message":"not now"}', {"x-amzn-ErrorType": "ServiceUnavailableException"})
EXPIRED = Reply(403, b'{"message":"expired"}', {"x-amzn-ErrorType": "ExpiredTokenException"})


def frame(kind: str, payload: Mapping[str, Any], *, message: str = "event") -> bytes:
    """One event-stream message."""
    name = ":exception-type" if message == "exception" else ":event-type"
    head = b"".join(
        bytes([len(key)]) + key.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for key, value in {":message-type": message, name: kind, ":content-type": "application/json"}.items()
    )
    data = json.dumps(payload).encode()
    prelude = struct.pack(">II", 16 + len(head) + len(data), len(head))
    whole = prelude + struct.pack(">I", zlib.crc32(prelude)) + head + data
    return whole + struct.pack(">I", zlib.crc32(whole))


def stream(*frames: bytes) -> Reply:
    return Reply(200, b"".join(frames), {"Content-Type": "application/vnd.amazon.eventstream"})


def chunked(*frames: bytes) -> Reply:
    """A stream in HTTP chunks, as AWS sends it."""
    parts = [b"%x\r\n%s\r\n" % (len(part), part) for part in frames]
    headers = {"Content-Type": "application/vnd.amazon.eventstream", "Transfer-Encoding": "chunked"}
    return Reply(200, b"".join(parts) + b"0\r\n\r\n", headers)


def chunk(payload: Mapping[str, Any]) -> bytes:
    return frame("chunk", {"bytes": base64.b64encode(json.dumps(payload).encode()).decode()})


CONVERSE = {
    "metrics": {"latencyMs": 7},
    "output": {"message": {"role": "assistant", "content": [{"text": ANSWER}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 3, "outputTokens": 5, "totalTokens": 8},
}
TEXT = (
    frame("messageStart", {"role": "assistant"}),
    frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": ANSWER}}),
    frame("messageStop", {"stopReason": "end_turn"}),
    frame("metadata", {"usage": CONVERSE["usage"], "metrics": {"latencyMs": 7}}),
)
INVOKED = {
    "content": [{"type": "text", "text": ANSWER}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 3, "output_tokens": 5},
}


def assumed(serial: int, seconds: int) -> Reply:
    """An AssumeRole answer whose access key ends in ``serial``."""
    until = (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/quickstart-app/x"
    text = (
        '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser>'
        f"<Arn>{arn}</Arn><AssumedRoleId>AROA:x</AssumedRoleId></AssumedRoleUser><Credentials>"
        f"<AccessKeyId>ASIAASSUMED{serial:05d}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
        f"<SessionToken>token-{serial}</SessionToken><Expiration>{until}</Expiration></Credentials>"
        "</AssumeRoleResult></AssumeRoleResponse>"
    )
    return Reply(200, text.encode(), {"Content-Type": "text/xml"})


def identity(arn: str) -> Reply:
    text = (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
        f"<Arn>{arn}</Arn><UserId>A</UserId><Account>{ACCOUNT}</Account></GetCallerIdentityResult>"
        "</GetCallerIdentityResponse>"
    )
    return Reply(200, text.encode(), {"Content-Type": "text/xml"})


class Hostile:
    """The server. ``reply`` queues answers by operation (the path's last segment, or an STS action)."""

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA(key_type=trustme.KeyType.ECDSA)
        self.ca_file = str(folder / "hostile-ca.pem")
        self._ca.cert_pem.write_to_path(self.ca_file)
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._queued: dict[str, deque[Reply]] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.received: list[Received] = []
        self.connections = 0
        self.caller = f"arn:aws:iam::{ACCOUNT}:user/dev"
        self.sessions = 0
        self.lifetime: Callable[[int], int] = lambda _: 3600
        self.expired: set[str] = set()
        self.guardrail_versions: list[dict[str, Any]] = []
        self.guardrail_contents: dict[str, dict[str, Any]] = {}
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._listener.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        self._spawn(self._accept)

    # -- what tests ask ------------------------------------------------------------------------------------------------

    def reply(self, operation: str, *replies: Reply) -> None:
        self._queued.setdefault(operation, deque()).extend(replies)

    def calls(self, operation: str) -> list[Received]:
        return [item for item in self.received if item.operation == operation]

    @property
    def only(self) -> Received:
        (one,) = self.received
        return one

    def stop(self) -> None:
        self._stopped.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for sock in self._sockets:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    # -- the wire ------------------------------------------------------------------------------------------------------

    def _spawn(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self._sockets.add(sock)
            self._spawn(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        with suppress(OSError, ValueError):
            connect = None
            if sock.recv(1, socket.MSG_PEEK) == b"C":
                connect = self._connect(sock)
            if sock.recv(1, socket.MSG_PEEK) != b"\x16":
                self._plain(sock)
                return
            host = connect.rpartition(":")[0] if connect else "127.0.0.1"
            with self._context(host).wrap_socket(sock, server_side=True) as secure:
                with self._lock:
                    self._sockets.add(secure)
                self._talk(secure, connect)
        sock.close()

    def _connect(self, sock: socket.socket) -> str:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += sock.recv(1)
        sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        return head.split(b" ")[1].decode()

    def _plain(self, sock: socket.socket) -> None:
        data = sock.recv(65536)
        if data:
            self._keep(data, b"", None, "none")
            body = json.dumps(CONVERSE).encode()
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        sock.close()

    def _context(self, host: str) -> ssl.SSLContext:
        with self._lock:
            if host not in self._contexts:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                self._ca.issue_cert(host, key_type=trustme.KeyType.ECDSA).configure_cert(context)
                self._contexts[host] = context
            return self._contexts[host]

    def _talk(self, sock: ssl.SSLSocket, connect: str | None) -> None:
        with sock.makefile("rb") as file:
            for head, body in _requests(file):
                received = self._keep(head, body, connect, sock.version() or "")
                reply = self._answer(received)
                if reply.then == "reset":
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    socket.socket.close(sock)
                    return
                if reply.then == "stall" and reply.stop_after is None:
                    self._stopped.wait(30)
                if reply.then == "drop" or (reply.then == "stall" and reply.stop_after is None):
                    return
                self._send(sock, reply)
                if reply.stop_after is not None:
                    return

    def _send(self, sock: ssl.SSLSocket, reply: Reply) -> None:
        headers = {"Content-Type": "application/json", "x-amzn-RequestId": "req-1", **reply.headers}
        if "Transfer-Encoding" not in headers:
            headers["Content-Length"] = str(len(reply.body))
        lines = [f"HTTP/1.1 {reply.status} X", *(f"{name}: {value}" for name, value in headers.items())]
        head, body = "\r\n".join(lines).encode() + b"\r\n\r\n", reply.body[: reply.stop_after]
        if not reply.pause:
            sock.sendall(head + body)
        for number in range(len(body)) if reply.pause else ():
            sock.sendall(head + body[:1] if number == 0 else body[number : number + 1])
            if self._stopped.wait(reply.pause):
                return
        if reply.then == "stall":
            self._stopped.wait(30)

    def _keep(self, head: bytes, body: bytes, connect: str | None, tls: str) -> Received:
        first, *rest = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        received = Received(head + body, method, path, headers, body, connect, tls)
        with self._lock:
            self.received.append(received)
        return received

    # -- answers -------------------------------------------------------------------------------------------------------

    def _answer(self, received: Received) -> Reply:
        operation = received.operation
        if any(f"={key}/" in received.headers.get("authorization", "") for key in self.expired):
            return EXPIRED
        with self._lock:
            queued = self._queued.get(operation)
            if queued:
                return queued.popleft()
        return self._default(operation, received)

    def _default(self, operation: str, received: Received) -> Reply:
        if operation == "converse-stream":
            return stream(*TEXT)
        if operation == "invoke":
            return Reply(200, json.dumps(INVOKED).encode())
        if operation == "invoke-with-response-stream":
            return stream(chunk({"type": "message_delta"}), chunk(INVOKED))
        _, named, version = received.path.partition("?guardrailVersion=")
        if named:
            return Reply(200, json.dumps(self.guardrail_contents[version]).encode())
        if operation == "guardrails":
            return Reply(200, json.dumps({"guardrails": self.guardrail_versions}).encode())
        if operation == "GetCallerIdentity":
            return identity(self.caller)
        if operation == "AssumeRole":
            with self._lock:
                self.sessions += 1
                serial = self.sessions
            return assumed(serial, self.lifetime(serial))
        return Reply(200, json.dumps(CONVERSE).encode())


def _requests(file: Any) -> Iterator[tuple[bytes, bytes]]:
    while True:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = file.readline()
            if not line:
                return
            head += line
        found = re.search(rb"(?im)^content-length:\s*(\d+)", head)
        yield head, file.read(int(found[1])) if found else b""


@contextmanager
def hostile(folder: Path) -> Iterator[Hostile]:
    server = Hostile(folder)
    try:
        yield server
    finally:
        server.stop()


def model_of(received: Received) -> str:
    """The model that the path names."""
    return unquote(received.path.split("/")[2])
