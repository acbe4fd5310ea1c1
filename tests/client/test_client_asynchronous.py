"""aiobotocore's clients against the hostile server; collected where aiobotocore is installed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from client.client_hostile import CONVERSE, GUARDRAIL, INVOKED, STALL, TEXT, Hostile, Reply, hostile, stream
from client.conftest import MODEL
from ringwall.client import DeadlineExceeded, Outcome, PerimeterViolation, SecureBedrockClient

Make = Callable[..., SecureBedrockClient]
MESSAGES = [{"role": "user", "content": [{"text": "hello"}]}]
DEADLINE = 0.3
LONGER = 1.5
"""Seconds: enough for the beginning of an answer on a busy machine."""


def ask(server: Hostile, guarded: SecureBedrockClient, work: Callable[[Any], Awaitable[Any]]) -> Any:
    """What an asynchronous client of somebody else's session gives, held to the guarded one's rules."""
    own = AioSession()
    guarded.session.attach(own)
    config = AioConfig(retries={"total_max_attempts": 1}, read_timeout=30)

    async def run() -> Any:
        async with own.create_client(
            "bedrock-runtime", "us-east-1", endpoint_url=server.url, verify=server.ca_file, config=config
        ) as client:
            return await work(client)

    return asyncio.run(run())


async def converse(client: Any) -> Any:
    return await client.converse(modelId=MODEL, messages=MESSAGES)


async def converse_stream(client: Any) -> Any:
    answer = await client.converse_stream(modelId=MODEL, messages=MESSAGES)
    return [event async for event in answer["stream"]]


async def invoke_model(client: Any) -> Any:
    answer = await client.invoke_model(modelId=MODEL, body=json.dumps({"messages": []}))
    return json.loads(await answer["body"].read())


WORK = (converse, converse_stream, invoke_model)


@pytest.mark.parametrize("work", WORK)
def test_the_guardrail_is_in_the_bytes(by_hand: Make, server: Hostile, work: Any) -> None:
    seen: list[Outcome] = []
    assert ask(server, by_hand(on_outcome=seen.append), work)
    sent = server.only
    carried = sent.headers.get("x-amzn-bedrock-guardrailidentifier")
    assert (carried or sent.json["guardrailConfig"]["guardrailIdentifier"]) == GUARDRAIL
    assert [item.guardrail for item in seen] == [GUARDRAIL]


def test_an_undeclared_model_does_not_leave(by_hand: Make, server: Hostile) -> None:
    async def work(client: Any) -> Any:
        return await client.converse(modelId="us.amazon.nova-lite-v1:0", messages=MESSAGES)

    with pytest.raises(PerimeterViolation, match="model-not-declared"):
        ask(server, by_hand(), work)
    assert server.received == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("work", WORK)
def test_a_redirect_is_not_followed(
    by_hand: Make, server: Hostile, tmp_path: Any, work: Any, status: int
) -> None:
    """aiohttp would send the prompt again, to whatever host the answer names."""
    (tmp_path / "thief").mkdir()
    with hostile(tmp_path / "thief") as thief:
        path = {converse: "converse", converse_stream: "converse-stream", invoke_model: "invoke"}[work]
        server.reply(path, Reply(status, b"{}", {"Location": f"{thief.url}/model/x/converse"}))
        server.reply(path, Reply(status, b"{}", {"Location": f"{server.url}/elsewhere"}))
        for _ in range(2):
            with pytest.raises(Exception):  # noqa: B017, PT011 - botocore has no error of its own for it
                ask(server, by_hand(), work)
        assert thief.connections == 0
        assert [item.operation for item in server.received] == [path, path]


def test_a_signature_of_others_does_not_leave(by_hand: Make, server: Hostile) -> None:
    foreign = Credentials("AKIAFOREIGN000000001", "other")

    def sign(request: Any, **_: Any) -> None:
        fresh = AWSRequest(
            request.method, request.url, data=request.body, headers={"Content-Type": "application/json"}
        )
        SigV4Auth(foreign, "bedrock", "us-east-1").add_auth(fresh)
        for name in ("Authorization", "X-Amz-Date"):
            del request.headers[name]
            request.headers[name] = fresh.headers[name]

    async def work(client: Any) -> Any:
        await converse(client)
        client.meta.events.register_last("before-send", sign)
        return await converse(client)

    with pytest.raises(PerimeterViolation, match="credentials-not-declared"):
        ask(server, by_hand(), work)
    assert len(server.received) == 1


@pytest.mark.parametrize("work", WORK)
def test_a_server_that_says_nothing(by_hand: Make, server: Hostile, work: Any) -> None:
    for path in ("converse", "converse-stream", "invoke"):
        server.reply(path, STALL)
    with pytest.raises(DeadlineExceeded):
        ask(server, by_hand(deadline=DEADLINE), work)
    assert len(server.received) == 1


@pytest.mark.parametrize("work", WORK)
def test_a_server_that_says_half(by_hand: Make, server: Hostile, work: Any) -> None:
    """The headers and a part of the body come in time, the rest never."""
    seen: list[Outcome] = []
    whole = stream(*TEXT)
    server.reply(
        "converse-stream", Reply(200, whole.body, whole.headers, then="stall", stop_after=len(TEXT[0]))
    )
    for path, answer in (("converse", CONVERSE), ("invoke", INVOKED)):
        server.reply(path, Reply(200, json.dumps(answer).encode(), then="stall", stop_after=10))
    with pytest.raises(DeadlineExceeded):
        ask(server, by_hand(deadline=LONGER, on_outcome=seen.append), work)
    if work is converse_stream:
        assert [(item.complete, item.error) for item in seen] == [(False, "DeadlineExceeded")]
