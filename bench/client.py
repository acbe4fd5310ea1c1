"""What the secure client adds to a call, beside raw boto3 that sends the same bytes to the same local server.

The client decides, verifies what leaves, tells an outcome with its coverage, and holds a deadline. Times are the
processor's, of this process: the server has its own. The target is raw boto3's own time and an allowance.

Under each row stands what the client takes more, or less, than raw boto3, and than raw boto3 whose user agent is written
once for a client too. The second is the client's own work: to write no user agent takes off more than that work adds.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import boto3
import trustme
from botocore.config import Config
from timing import Row, Timing, interleaved

from ringwall.client import Outcome, SecureBedrockClient
from ringwall.client.classes import settle_user_agent

MODEL = "us.amazon.nova-pro-v1:0"
GUARDRAIL = "arn:aws:bedrock:us-east-1:111122223333:guardrail/abcdefghijkl"
SIZES = (
    # characters of the prompt, in words, and what may be added: seconds, and a part of raw boto3's time
    (200, "200 B", 15e-6, 0.0),
    (20_000, "20 KB", 0.0, 0.05),
    (1_000_000, "1 MB", 0.0, 0.10),
)
ANSWER = json.dumps(
    {
        "output": {"message": {"role": "assistant", "content": [{"text": "Hello."}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
        "metrics": {"latencyMs": 1},
    }
).encode()


def rows() -> Iterator[Row]:
    """Every row about the client."""
    with _server() as (url, ca), _credentials():
        secure = SecureBedrockClient(
            "us-east-1", guardrail=f"{GUARDRAIL}:1", models=[MODEL], endpoint_url=url, ca_bundle=ca,
            on_outcome=_told,
        )  # fmt: skip
        raw, settled = (
            boto3.client("bedrock-runtime", endpoint_url=url, verify=ca, config=Config(proxies={}))
            for _ in range(2)
        )
        settle_user_agent(settled)
        for operation, parameters_of, guardrail in FORMS:
            for size, words, added, part in SIZES:
                given = {"modelId": MODEL, **parameters_of("x" * size)}
                calls = (
                    _calling(secure, operation, given),
                    _calling(raw, operation, {**guardrail, **given}),
                    _calling(settled, operation, {**guardrail, **given}),
                )
                _send_the_same((secure, raw, settled), calls)
                ours, peer, other = interleaved(*calls, seconds=5, clock=time.process_time)
                target = peer.median * (1 + part) + added
                name = f"{operation} by the secure client, a prompt of {words}"
                yield Row(name, ours, target, peer=peer, peer_name="raw boto3")
                yield Row("", note=_more("raw boto3", ours, peer, added, part))
                yield Row("", note=_more("raw boto3 of the same user agent", ours, other, added, part))


def _more(name: str, ours: Timing, peer: Timing, added: float, part: float) -> str:
    """What the client takes more than a peer, by the medians and by the best times, and what it may."""
    found = [
        (mine - its, (mine - its) / its) for mine, its in ((ours.median, peer.median), (ours.best, peer.best))
    ]
    (median, ratio), (best, best_ratio) = found
    allowed = f"{part:.0%}" if part else f"{added * 1e6:.0f} us"
    return (
        f"{median * 1e6:+.0f} us ({ratio:+.1%}), at best {best * 1e6:+.0f} us ({best_ratio:+.1%}),"
        f" of {allowed} more than {name}"
    )


def _send_the_same(clients: tuple[Any, ...], calls: tuple[Callable[[], Any], ...]) -> None:
    """See that every client sends the same body and guardrail."""
    seen: list[Any] = []

    def keep(request: Any, **_: Any) -> None:
        named = {
            name.lower(): value for name, value in request.headers.items() if "guardrail" in name.lower()
        }
        seen.append((request.url, request.body, named))

    for client, call in zip(clients, calls, strict=True):
        client.meta.events.register("before-send", keep)
        call()
        client.meta.events.unregister("before-send", keep)
    if seen != [seen[0]] * len(calls):
        raise AssertionError(seen)


def _told(outcome: Outcome) -> None:
    """A listener that looks at what it is told, as one that counts would."""
    if outcome.intervened or outcome.coverage is None or not outcome.coverage.complete:
        raise AssertionError(outcome)


def _calling(client: Any, operation: str, parameters: Mapping[str, Any]) -> Callable[[], Any]:
    """A call whose answer is read."""
    method = getattr(client, operation)

    def call() -> None:
        body = method(**parameters).get("body")
        if body is not None:
            body.read()

    return call


def _converse(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"text": text}]}]}


def _native(text: str) -> dict[str, Any]:
    return {"body": json.dumps({"messages": [{"role": "user", "content": text}]})}


PINNED = {"guardrailIdentifier": GUARDRAIL, "guardrailVersion": "1"}
FORMS = (
    # method, parameters of a prompt, and the guardrail's of raw boto3, which the client puts in by itself
    ("converse", _converse, {"guardrailConfig": {**PINNED, "trace": "enabled"}}),
    ("invoke_model", _native, PINNED),
)


@contextmanager
def _credentials() -> Iterator[None]:
    before = dict(os.environ)
    for name in list(os.environ):
        if name.upper().startswith(("AWS_", "HTTPS_PROXY", "HTTP_PROXY")):
            del os.environ[name]
    os.environ.update(
        AWS_ACCESS_KEY_ID="AKIAEXAMPLE000000001",
        AWS_SECRET_ACCESS_KEY="secret",  # noqa: S106 - of nobody
        AWS_DEFAULT_REGION="us-east-1",
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
    )
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _server() -> Iterator[tuple[str, str]]:
    """A TLS server in a process of its own; yields its URL and its CA's file."""
    with tempfile.TemporaryDirectory() as folder:
        authority, ca, pair = trustme.CA(), Path(folder) / "ca.pem", Path(folder) / "server.pem"
        authority.cert_pem.write_to_path(ca)
        authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(pair)
        spawn = multiprocessing.get_context("spawn")
        receiver, sender = spawn.Pipe(duplex=False)
        process = spawn.Process(target=_serve, args=(str(pair), sender), daemon=True)
        process.start()
        try:
            yield f"https://localhost:{receiver.recv()}", str(ca)
        finally:
            process.terminate()
            process.join()


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_: Any) -> None:
        return


def _serve(pair: str, ready: Connection) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answering)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    ready.send(server.server_address[1])
    server.serve_forever()
