"""Whatever the other side does, a call ends within its deadline and in a typed error; none is paid for twice."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from client.client_hostile import (
    CONVERSE,
    DROP,
    INVOKED,
    RESET,
    STALL,
    TEXT,
    THROTTLED,
    Hostile,
    Reply,
    chunk,
    chunked,
    stream,
)
from client.conftest import MODEL
from ringwall.client import DeadlineExceeded, Outcome, SecureBedrockClient

Make = Callable[..., SecureBedrockClient]
MESSAGES = [{"role": "user", "content": [{"text": "hello"}]}]
DEADLINE = 0.5
PATHS = {
    "converse": "converse",
    "converse_stream": "converse-stream",
    "invoke_model": "invoke",
    "invoke_model_with_response_stream": "invoke-with-response-stream",
}


def ask(client: Any, method: str) -> Any:
    """Make a call and read its answer to the end."""
    given = {"messages": MESSAGES} if "converse" in method else {"body": "{}"}
    answer = getattr(client, method)(modelId=MODEL, **given)
    if "stream" in method:
        return list(answer.get("stream") or answer["body"])
    return answer["body"].read() if method == "invoke_model" else answer


def taken(client: Any, method: str, error: type[Exception] | tuple[type[Exception], ...]) -> float:
    """Seconds until it failed, by that error."""
    started = time.monotonic()
    with pytest.raises(error):
        ask(client, method)
    return time.monotonic() - started


def warmed(by_hand: Make, method: str, **settings: Any) -> SecureBedrockClient:
    """A client whose connection stands, so that on a busy machine the deadline does not pass while it is made."""
    client = by_hand(deadline=60, **settings)
    ask(client, method)
    client.session._guard._deadline = DEADLINE
    return client


@pytest.fixture(autouse=True)
def within_bounds() -> Iterator[None]:
    """The bound of each test: far above the deadline, far below any single step's time-out."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("method", PATHS)
@pytest.mark.parametrize("warm", [False, True])
def test_a_server_that_says_nothing(by_hand: Make, server: Hostile, method: str, *, warm: bool) -> None:
    client = warmed(by_hand, method) if warm else by_hand(deadline=DEADLINE)
    server.reply(PATHS[method], STALL)
    assert taken(client, method, DeadlineExceeded) >= DEADLINE
    assert len(server.received) == 1 + warm


@pytest.mark.parametrize("method", PATHS)
def test_a_server_that_says_a_byte_now_and_then(by_hand: Make, server: Hostile, method: str) -> None:
    """Each byte comes well within the read time-out; all of them would take a minute."""
    client = warmed(by_hand, method)
    answer = stream(*TEXT) if "stream" in method else Reply(200, json.dumps(CONVERSE).encode())
    server.reply(PATHS[method], replace(answer, pause=0.05))
    error = (
        ReadTimeoutError if method == "invoke_model" else DeadlineExceeded
    )  # its body is botocore's to read
    assert taken(client, method, error) >= DEADLINE
    assert len(server.received) == 2


def test_a_stream_read_by_another_thread_keeps_its_deadline(by_hand: Make, server: Hostile) -> None:
    from concurrent.futures import ThreadPoolExecutor

    seen: list[Outcome] = []
    client = warmed(by_hand, "converse_stream", on_outcome=seen.append)
    seen.clear()
    server.reply("converse-stream", replace(stream(*TEXT), pause=0.05))
    events = client.converse_stream(modelId=MODEL, messages=MESSAGES)["stream"]
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(list, events)
    with pytest.raises(DeadlineExceeded):
        reading.result()
    assert [(item.complete, item.error) for item in seen] == [(False, "DeadlineExceeded")]


def test_a_deadline_is_of_one_call(by_hand: Make, server: Hostile) -> None:
    """The connection is used again: the next call has all of its time."""
    client = warmed(by_hand, "converse")
    server.reply("converse", STALL)
    taken(client, "converse", DeadlineExceeded)
    client.session._guard._deadline = 60
    for _ in range(3):
        ask(client, "converse")
    (connection,) = client._endpoint.http_session._manager.pools._container.values()
    sock = connection.pool.get(block=False).sock
    assert sock.gettimeout() > 50


def test_waiting_between_attempts_counts(
    by_hand: Make, server: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A back-off that would not end in time is not begun."""
    waited: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time.sleep", waited.append)
    server.reply("converse", *[THROTTLED] * 9)
    with pytest.raises(ClientError, match="ThrottlingException"):
        ask(by_hand(deadline=0.9), "converse")
    assert (waited, len(server.received)) == ([], 1)
    with pytest.raises(ClientError, match="ThrottlingException"):
        ask(by_hand(deadline=60), "converse")
    assert (len(waited), len(server.received)) == (2, 4)


def test_reading_is_not_tried_again_after_the_deadline(by_hand: Make, server: Hostile) -> None:
    server.reply("guardrails", STALL, STALL, STALL)
    control = by_hand(endpoint_urls={"bedrock": server.url}, deadline=DEADLINE).session.client("bedrock")
    with pytest.raises(DeadlineExceeded):
        control.list_guardrails()
    assert len(server.received) == 1


def test_it_is_a_read_timeout_to_whoever_knows_botocore() -> None:
    assert issubclass(DeadlineExceeded, ReadTimeoutError)
    assert "deadline" in str(DeadlineExceeded(endpoint_url="https://x"))


# -- resets ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", PATHS)
@pytest.mark.parametrize("reply", [DROP, RESET], ids=["closed", "reset"])
def test_a_connection_that_ends_before_the_answer(
    by_hand: Make, server: Hostile, method: str, reply: Reply
) -> None:
    server.reply(PATHS[method], reply)
    taken(by_hand(deadline=20), method, ConnectionClosedError)
    assert len(server.received) == 1


@pytest.mark.parametrize("method", ["converse", "invoke_model"])
@pytest.mark.parametrize("told", [False, True])
def test_half_an_answer(by_hand: Make, server: Hostile, method: str, *, told: bool) -> None:
    whole = json.dumps(CONVERSE if method == "converse" else INVOKED).encode()
    server.reply(PATHS[method], Reply(200, whole, stop_after=len(whole) // 2))
    options = {"on_outcome": lambda _outcome: None} if told else {}
    error = ResponseStreamingError if method == "invoke_model" else ConnectionClosedError
    taken(by_hand(deadline=20, **options), method, error)
    assert len(server.received) == 1


BREAKS = {
    # where a stream of ConverseStream breaks: bytes of the answer that come
    "at once": 0,
    "in the first event": 30,
    "between two events": len(TEXT[0]) + len(TEXT[1]),
    "before the last byte": sum(map(len, TEXT)) - 1,
}


@pytest.mark.parametrize("case", BREAKS)
@pytest.mark.parametrize("form", [stream, chunked], ids=["with a length", "in chunks"])
def test_a_stream_that_breaks(by_hand: Make, server: Hostile, case: str, form: Callable[..., Reply]) -> None:
    reply = form(*TEXT)
    at = BREAKS[case] if form is stream else min(BREAKS[case], len(reply.body) - len("\n0\r\n\r\n"))
    server.reply("converse-stream", replace(reply, stop_after=at))
    seen: list[Outcome] = []
    taken(
        by_hand(deadline=20, on_outcome=seen.append),
        "converse_stream",
        (IncompleteReadError, ResponseStreamingError),
    )
    assert [item.complete for item in seen] == [False]
    assert seen[0].error in ("IncompleteReadError", "ResponseStreamingError")
    assert len(server.received) == 1


def test_a_stream_that_ends_in_order_but_before_its_time(by_hand: Make, server: Hostile) -> None:
    """Every byte that was announced came; the model's stop did not."""
    server.reply("converse-stream", stream(*TEXT[:2]))
    with pytest.raises(ResponseStreamingError, match="messageStop"):
        ask(by_hand(), "converse_stream")


def test_a_stream_of_invoke_model_that_breaks(by_hand: Make, server: Hostile) -> None:
    first = chunk({"type": "message_start"})
    server.reply("invoke-with-response-stream", replace(stream(first, chunk(INVOKED)), stop_after=len(first)))
    taken(by_hand(), "invoke_model_with_response_stream", IncompleteReadError)


@pytest.mark.parametrize("form", [stream, chunked], ids=["with a length", "in chunks"])
def test_a_whole_stream_is_read_twice_without_complaint(
    by_hand: Make, server: Hostile, form: Callable[..., Reply]
) -> None:
    server.reply("converse-stream", form(*TEXT))
    events = by_hand().converse_stream(modelId=MODEL, messages=MESSAGES)["stream"]
    assert len(list(events)) == 4
    assert list(events) == []


@pytest.mark.parametrize("method", PATHS)
def test_silence_within_a_stream(by_hand: Make, server: Hostile, method: str) -> None:
    """The steps' own time-out: part of the answer, then nothing more."""
    answer = stream(*TEXT) if "stream" in method else Reply(200, json.dumps(CONVERSE).encode())
    server.reply(PATHS[method], replace(answer, stop_after=20, then="stall"))
    taken(by_hand(read_timeout=0.4), method, ReadTimeoutError)
    assert len(server.received) == 1
