"""A generation is asked for once, whatever becomes of its answer; throttling and failed connections are tried again."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

from client.client_hostile import DROP, EXPIRED, STALL, THROTTLED, UNAVAILABLE, Hostile, Reply
from client.conftest import MODEL
from ringwall.client import PerimeterViolation, SecureBedrockClient

Make = Callable[..., SecureBedrockClient]
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "converse": ("converse", {"messages": [{"role": "user", "content": [{"text": "hello"}]}]}),
    "converse_stream": ("converse-stream", {"messages": [{"role": "user", "content": [{"text": "hello"}]}]}),
    "invoke_model": ("invoke", {"body": "{}"}),
    "invoke_model_with_response_stream": ("invoke-with-response-stream", {"body": "{}"}),
}
MODES = [
    {"mode": "standard", "total_max_attempts": 3},
    {"mode": "legacy", "max_attempts": 3},
    {"mode": "adaptive"},
]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore's back-off without the wait."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)


def call(client: Any, method: str) -> Any:
    return getattr(client, method)(modelId=MODEL, **CALLS[method][1])


@pytest.mark.parametrize("method", CALLS)
def test_a_generation_that_timed_out_is_asked_for_once(by_hand: Make, server: Hostile, method: str) -> None:
    server.reply(CALLS[method][0], STALL)
    with pytest.raises(ReadTimeoutError):
        call(by_hand(read_timeout=0.3), method)
    assert len(server.received) == 1


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode["mode"])
def test_a_dropped_generation_is_asked_for_once(
    by_hand: Make, server: Hostile, method: str, mode: dict[str, Any]
) -> None:
    server.reply(CALLS[method][0], DROP)
    client = by_hand().session.client("bedrock-runtime", config=Config(retries=mode))
    with pytest.raises(ConnectionClosedError):
        call(client, method)
    assert len(server.received) == 1


def test_a_generation_over_an_old_connection_is_asked_for_once(by_hand: Make, server: Hostile) -> None:
    client = by_hand()
    call(client, "converse")
    server.reply("converse", DROP)
    with pytest.raises(ConnectionClosedError):
        call(client, "converse")
    assert len(server.received) == 2


@pytest.mark.parametrize("status", [408, 502, 504])
def test_an_answer_lost_on_the_way_is_not_asked_for_again(
    by_hand: Make, server: Hostile, status: int
) -> None:
    server.reply("converse", Reply(status, b'{"message":"lost"}', {"x-amzn-ErrorType": "RequestTimeout"}))
    with pytest.raises(ClientError):
        call(by_hand(), "converse")
    assert len(server.received) == 1


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("reply", [THROTTLED, UNAVAILABLE], ids=["429", "503"])
def test_throttling_is_tried_again(by_hand: Make, server: Hostile, method: str, reply: Reply) -> None:
    server.reply(CALLS[method][0], reply)
    call(by_hand(), method)
    assert len(server.received) == 2


def test_throttling_ends_with_botocores_attempts(by_hand: Make, server: Hostile) -> None:
    server.reply("converse", *[THROTTLED] * 9)
    with pytest.raises(ClientError, match="ThrottlingException"):
        call(by_hand(), "converse")
    assert len(server.received) == 3


def test_a_retried_call_carries_the_guardrail_again(by_hand: Make, server: Hostile) -> None:
    server.reply("converse", THROTTLED)
    call(by_hand(), "converse")
    first, second = (json.loads(item.body)["guardrailConfig"] for item in server.received)
    assert first == second


def test_a_connection_that_failed_is_tried_again(by_hand: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    tried: list[Any] = []
    client = by_hand(endpoint_url=f"https://127.0.0.1:{port}")
    client.meta.events.register("before-send", lambda request, **_: tried.append(request.url))
    with pytest.raises(EndpointConnectionError):
        call(client, "converse")
    assert len(tried) == 3


def test_reading_is_tried_again(by_hand: Make, server: Hostile) -> None:
    server.reply("guardrails", DROP)
    control = by_hand(endpoint_urls={"bedrock": server.url}).session.client("bedrock")
    assert control.list_guardrails()["guardrails"] == []
    assert len(server.received) == 2


def test_a_violation_is_not_tried_again(by_hand: Make, server: Hostile) -> None:
    client = by_hand().client
    tried: list[Any] = []

    def strip(params: dict[str, Any], **_: Any) -> None:
        params["body"] = b"{}"

    client.meta.events.register("before-call", strip)
    client.meta.events.register("before-send", lambda request, **_: tried.append(request.url))
    with pytest.raises(PerimeterViolation):
        call(client, "converse")
    assert len(tried) == 1
    assert server.received == []


def test_an_expired_token_is_not_tried_again(by_hand: Make, server: Hostile) -> None:
    server.reply("converse", EXPIRED)
    with pytest.raises(ClientError, match="ExpiredTokenException"):
        call(by_hand(), "converse")
    assert len(server.received) == 1
