"""Seams for what is not botocore's own client: other sessions, asynchronous streams, anthropic's middleware."""

from __future__ import annotations

import asyncio
import copy
import pickle
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.eventstream import EventStream
from botocore.exceptions import ClientError
from botocore.session import Session

from client.client_hostile import GUARDRAIL, GUARDRAIL_ID, Hostile
from client.conftest import MODEL
from ringwall.client import Outcome, PerimeterViolation, SecureBedrockClient
from ringwall.client.anthropic import asynchronous_middleware, middleware
from ringwall.client.call import Call
from ringwall.client.observe import observe

MESSAGES = [{"role": "user", "content": [{"text": "hello"}]}]
Make = Callable[..., SecureBedrockClient]


# -- another session ---------------------------------------------------------------------------------------------------


def test_somebody_elses_session_is_held_to_the_same_rules(by_hand: Make, server: Hostile) -> None:
    own = Session()
    by_hand().session.attach(own)
    client = own.create_client("bedrock-runtime", "us-east-1", endpoint_url=server.url, verify=server.ca_file)
    client.converse(modelId=MODEL, messages=MESSAGES)
    assert server.only.json["guardrailConfig"]["guardrailIdentifier"] == GUARDRAIL
    with pytest.raises(PerimeterViolation, match="model-not-declared"):
        client.converse(modelId="us.amazon.nova-lite-v1:0", messages=MESSAGES)
    assert len(server.received) == 1


def test_a_violation_is_the_clients_own_denial(by_hand: Make, server: Hostile) -> None:
    """Applications that catch what boto3 raises catch this too, and a violation survives the trip between processes."""
    client = by_hand()
    with pytest.raises(client.exceptions.AccessDeniedException) as caught:
        client.converse(modelId="us.amazon.nova-lite-v1:0", messages=MESSAGES)
    assert isinstance(caught.value, PerimeterViolation)
    assert type(caught.value).__name__ == "PerimeterViolation"
    again = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(again, PerimeterViolation)
    assert again.explain() == caught.value.explain()
    assert not server.received


# -- asynchronous streams ----------------------------------------------------------------------------------------------


class Asynchronous(EventStream):
    """A stream as aiobotocore has it."""

    def __init__(self, events: list[Any]) -> None:
        self.events = events

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._read()

    async def _read(self) -> AsyncIterator[Any]:
        for event in self.events:
            if isinstance(event, Exception):
                raise event
            yield event


EVENTS = [
    {"messageStop": {"stopReason": "guardrail_intervened"}},
    {"metadata": {"usage": {"inputTokens": 3, "outputTokens": 5}}},
]
BROKEN = ClientError({"Error": {"Code": "throttlingException", "Message": "slow"}}, "ConverseStream")


def watched(by_hand: Make, events: list[Any], seen: list[Outcome] | None) -> Any:
    parsed: dict[str, Any] = {"stream": Asynchronous(events)}
    call = Call("ConverseStream", {"modelId": MODEL, "messages": MESSAGES})
    pinned = by_hand().session.rules.guardrail
    observe("ConverseStream", parsed, pinned, call, None if seen is None else seen.append)
    return parsed["stream"]


async def read(stream: Any) -> list[Any]:
    return [event async for event in stream]


def test_an_asynchronous_stream_is_reported_at_its_end(by_hand: Make) -> None:
    seen: list[Outcome] = []
    stream = watched(by_hand, EVENTS, seen)
    assert isinstance(stream, Asynchronous)
    assert asyncio.run(read(stream)) == EVENTS
    (outcome,) = seen
    assert (outcome.intervened, outcome.complete, outcome.input_tokens, outcome.model) == (
        True,
        True,
        3,
        MODEL,
    )


def test_an_asynchronous_stream_that_breaks(by_hand: Make) -> None:
    seen: list[Outcome] = []
    with pytest.raises(ClientError):
        asyncio.run(read(watched(by_hand, [EVENTS[0], BROKEN], seen)))
    assert [(item.complete, item.error) for item in seen] == [(False, "throttlingException")]


def test_an_asynchronous_stream_that_nobody_hears_of_is_left_alone(by_hand: Make) -> None:
    assert type(watched(by_hand, EVENTS, None)) is Asynchronous


# -- anthropic's middleware --------------------------------------------------------------------------------------------


@dataclass
class Request:
    """anthropic's ``APIRequest``, as far as the middleware uses it."""

    url: str = "/v1/messages"
    json: Any = field(default_factory=lambda: {"model": MODEL, "messages": []})
    headers: dict[str, str] = field(default_factory=dict)

    def copy(self, *, headers: dict[str, str]) -> Request:
        found = copy.deepcopy(self)
        found.headers = headers
        return found


IDENTIFIER, VERSION = "X-Amzn-Bedrock-GuardrailIdentifier", "X-Amzn-Bedrock-GuardrailVersion"
PASSING = {
    "its own form": Request(),
    "its own form, beta": Request(url="/v1/messages?beta=true"),
    "Bedrock's form": Request(url=f"/model/{MODEL.replace(':', '%3A')}/invoke", json={}),
    "Bedrock's form, a stream": Request(url=f"/model/{MODEL}/invoke-with-response-stream", json={}),
    "the pinned one, by id": Request(
        headers={IDENTIFIER.lower(): GUARDRAIL_ID, VERSION: "3", "x-other": "1"}
    ),
    "a synchronous stream": Request(
        json={
            "model": MODEL,
            "stream": True,
            "amazon-bedrock-guardrailConfig": {"streamProcessingMode": "SYNCHRONOUS"},
        }
    ),
}


@pytest.mark.parametrize("case", PASSING)
@pytest.mark.parametrize("mode", ["plain", "asynchronous"])
def test_a_request_gets_the_guardrail(declared: Make, case: str, mode: str) -> None:
    session, before = declared().session, copy.deepcopy(PASSING[case])
    if mode == "plain":
        passed = middleware(session)(PASSING[case], lambda request: request)
    else:

        async def following(request: Any) -> Any:
            return request

        async def handled() -> Any:
            return await asynchronous_middleware(session)(PASSING[case], following)

        passed = asyncio.run(handled())
    given = {name.lower(): value for name, value in passed.headers.items()}
    assert given[IDENTIFIER.lower()] in (GUARDRAIL, GUARDRAIL_ID)
    assert given[VERSION.lower()] == "3"
    assert len(given) == len(passed.headers)
    assert set(given) >= {name.lower() for name in before.headers}
    assert PASSING[case] == before


REFUSED = {
    "another model": (Request(json={"model": "us.amazon.nova-lite-v1:0"}), "model-not-declared"),
    "no model": (Request(json=None), "model-not-declared"),
    "another model in the path": (Request(url="/model/amazon.x/invoke"), "model-not-declared"),
    "a batch": (Request(url="/v1/messages/batches"), "operation-not-guarded"),
    "another path": (Request(url=f"/model/{MODEL}/async-invoke"), "operation-not-guarded"),
    "a deeper path": (Request(url=f"/x/model/{MODEL}/invoke"), "operation-not-guarded"),
    "another guardrail": (Request(headers={IDENTIFIER.upper(): "other"}), "guardrail-not-pinned"),
    "the draft": (Request(headers={VERSION: "DRAFT"}), "guardrail-not-pinned"),
    "a token of its own": (Request(headers={"authorization": "Bearer x"}), "sigv4-only"),
    "a stream that goes out unread": (
        Request(
            json={
                "model": MODEL,
                "stream": True,
                "amazon-bedrock-guardrailConfig": {"streamProcessingMode": "ASYNCHRONOUS"},
            }
        ),
        "stream-not-synchronous",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_request_outside_is_refused(declared: Make, case: str) -> None:
    request, rule = REFUSED[case]
    passed: list[Any] = []
    with pytest.raises(PerimeterViolation) as caught:
        middleware(declared().session)(request, passed.append)
    assert caught.value.rule == rule
    assert passed == []


def test_no_request_passes_beside_an_api_key_of_the_environment(
    declared: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key-LEAK")
    passed: list[Any] = []
    with pytest.raises(PerimeterViolation, match="sigv4-only") as caught:
        middleware(declared().session)(Request(), passed.append)
    assert "LEAK" not in str(caught.value)
    assert passed == []
