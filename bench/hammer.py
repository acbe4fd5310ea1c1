"""A client that costs next to nothing: requests signed beforehand, raw sockets, answers counted and hardly read.

Runs in a process of its own, told what to do by JSON on standard input, and says on standard output how it went. It
takes about a tenth of a millisecond of processor a request, so that on two cores it is the server that is measured.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
import threading
import time
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

_SIGNED_FOR = 120.0
"""Seconds after which requests are signed anew; a signature is good for five minutes."""


class Signer:
    """The bytes of one request, signed anew from time to time."""

    def __init__(self, task: dict[str, Any]) -> None:
        self._task = task
        self._lock = threading.Lock()
        self._signed = -_SIGNED_FOR
        self._bytes = b""

    def request(self) -> bytes:
        """Head and body."""
        if time.monotonic() - self._signed < _SIGNED_FOR:
            return self._bytes
        with self._lock:
            task = self._task
            body = task["body"].encode()
            url = f"https://{task['host']}{task['path']}"
            request = AWSRequest("POST", url, data=body, headers={"Content-Type": "application/json"})
            SigV4Auth(Credentials(*task["credentials"]), "bedrock", task["region"]).add_auth(request)
            head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
            lines = f"POST {task['path']} HTTP/1.1\r\nHost: {task['host']}\r\n{head}"
            self._bytes = f"{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body
            self._signed = time.monotonic()
        return self._bytes


def connect(task: dict[str, Any]) -> ssl.SSLSocket:
    """A TLS connection through the proxy of a subnet."""
    plain = socket.create_connection(("127.0.0.1", task["proxy"]))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    plain.sendall(f"CONNECT {task['host']}:443 HTTP/1.1\r\nHost: {task['host']}:443\r\n\r\n".encode())
    answer = plain.recv(4096)
    if b" 200 " not in answer:
        raise ConnectionError(answer.decode())
    context = ssl.create_default_context(cafile=task["ca"])
    return context.wrap_socket(plain, server_hostname=task["host"])


def answer(connection: ssl.SSLSocket) -> tuple[int, bytes]:
    """Status and body of one answer."""
    data = connection.recv(65536)
    while (end := data.find(b"\r\n\r\n")) < 0:
        more = connection.recv(65536)
        if not more:
            raise ConnectionError("closed")
        data += more
    head = data[:end].lower()
    start = head.index(b"content-length:") + 15
    length = int(head[start : head.find(b"\r\n", start) if b"\r\n" in head[start:] else end])
    body = data[end + 4 :]
    while len(body) < length:
        body += connection.recv(65536)
    return int(data[9:12]), body


def work(task: dict[str, Any], signer: Signer, left: list[int], seen: list[tuple[int, float]]) -> None:
    """Send until as many requests as were asked for have been sent by all, or the time is over."""
    connection = connect(task)
    end = time.monotonic() + task.get("seconds", 1e9)
    while left[0] > 0 and time.monotonic() < end:
        left[0] -= 1
        started = time.perf_counter()
        connection.sendall(signer.request())
        status, body = answer(connection)
        if status != 200 and len(seen) < 100:
            print(status, body[:300], file=sys.stderr)
        seen.append((status, time.perf_counter() - started))
    connection.close()


def main() -> None:
    """One task."""
    task = json.load(sys.stdin)
    signer, left = Signer(task), [task["requests"]]
    seen: list[list[tuple[int, float]]] = [[] for _ in range(task["connections"])]
    threads = [threading.Thread(target=work, args=(task, signer, left, mine)) for mine in seen]
    started, processor = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = time.perf_counter() - started
    times = sorted(each for mine in seen for _, each in mine)
    good = sum(status == 200 for mine in seen for status, _ in mine)
    json.dump(
        {
            "sent": task["requests"] - left[0],
            "good": good,
            "seconds": taken,
            "processor": time.process_time() - processor,
            "p50": times[len(times) // 2],
            "p99": times[len(times) * 99 // 100],
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
