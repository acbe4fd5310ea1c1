"""Outcomes: typed, the same objects for the caller, and not a word of prompt, answer or personal data anywhere."""

from __future__ import annotations

import copy
import gc
import json
import logging
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from botocore.eventstream import EventStream
from botocore.exceptions import EventStreamError
from botocore.response import StreamingBody

from client.client_hostile import (
    ANSWER,
    CONVERSE,
    GUARDRAIL,
    INVOKED,
    TEXT,
    Hostile,
    Reply,
    chunk,
    frame,
    stream,
)
from client.conftest import MODEL
from ringwall.client import GuardrailIntervened, Outcome, SecureBedrockClient, logging_to

PROMPT = "my number is 078-05-1120, tell nobody"
PII = "078-05-1120"
MESSAGES = [{"role": "user", "content": [{"text": PROMPT}]}]
BODY = json.dumps({"messages": [{"role": "user", "content": PROMPT}]})
Make = Callable[..., SecureBedrockClient]
TRACE = {
    "inputAssessment": {
        "abcd1234efgh": {
            "sensitiveInformationPolicy": {
                "piiEntities": [{"action": "BLOCKED", "match": PII, "type": "US_SOCIAL_SECURITY_NUMBER"}]
            },
            "topicPolicy": {"topics": [{"action": "NONE", "name": "Investment advice", "type": "DENY"}]},
        }
    },
    "outputAssessments": {
        "abcd1234efgh": [
            {"wordPolicy": {"customWords": [{"action": "BLOCKED", "match": "project-nightjar"}]}}
        ]
    },
}
POLICIES = ("sensitive information", "words")
BLOCKED = {**CONVERSE, "stopReason": "guardrail_intervened", "trace": {"guardrail": TRACE}}
BLOCKED_STREAM = stream(
    *TEXT[:2],
    frame("messageStop", {"stopReason": "guardrail_intervened"}),
    frame(
        "metadata", {"usage": CONVERSE["usage"], "metrics": {"latencyMs": 7}, "trace": {"guardrail": TRACE}}
    ),
)
BLOCKED_BODY = {
    **INVOKED,
    "amazon-bedrock-guardrailAction": "INTERVENED",
    "amazon-bedrock-trace": {
        "guardrail": {"input": TRACE["inputAssessment"], "outputs": [TRACE["outputAssessments"]]}
    },
}


def said(reply: Any) -> Reply:
    return Reply(200, json.dumps(reply).encode())


def converse(client: Any) -> Any:
    return client.converse(modelId=MODEL, messages=MESSAGES)


def converse_stream(client: Any) -> Any:
    return list(client.converse_stream(modelId=MODEL, messages=MESSAGES)["stream"])


def invoke(client: Any) -> Any:
    return client.invoke_model(modelId=MODEL, body=BODY)["body"].read()


def invoke_stream(client: Any) -> Any:
    return list(client.invoke_model_with_response_stream(modelId=MODEL, body=BODY)["body"])


FORMS: dict[str, tuple[str, Callable[[Any], Any], Reply]] = {
    "Converse": ("converse", converse, said(BLOCKED)),
    "ConverseStream": ("converse-stream", converse_stream, BLOCKED_STREAM),
    "InvokeModel": ("invoke", invoke, said(BLOCKED_BODY)),
    "InvokeModelWithResponseStream": (
        "invoke-with-response-stream",
        invoke_stream,
        stream(chunk({"type": "x"}), chunk(BLOCKED_BODY)),
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_an_answer(by_hand: Make, form: str) -> None:
    seen: list[Outcome] = []
    FORMS[form][1](by_hand(on_outcome=seen.append))
    (outcome,) = seen
    assert (outcome.operation, outcome.model, outcome.request_id) == (form, MODEL, "req-1")
    assert (outcome.guardrail, outcome.guardrail_version) == (GUARDRAIL, "3")
    assert (outcome.intervened, outcome.policies, outcome.stop_reason) == (False, (), "end_turn")
    assert (outcome.input_tokens, outcome.output_tokens) == (3, 5)
    assert outcome.latency_ms == (7 if form.startswith("Converse") else None)
    assert outcome.complete
    assert outcome.coverage is not None
    assert outcome.coverage.complete


@pytest.mark.parametrize("form", FORMS)
def test_an_intervention(by_hand: Make, server: Hostile, form: str) -> None:
    path, ask, reply = FORMS[form]
    server.reply(path, reply)
    seen: list[Outcome] = []
    ask(by_hand(on_outcome=seen.append))
    assert seen[0].intervened
    assert seen[0].policies == POLICIES


@pytest.mark.parametrize("form", FORMS)
def test_an_intervention_is_raised_where_that_is_asked_for(by_hand: Make, server: Hostile, form: str) -> None:
    path, ask, reply = FORMS[form]
    server.reply(path, reply)
    with pytest.raises(GuardrailIntervened) as caught:
        ask(by_hand(on_intervention="raise"))
    error = pickle.loads(pickle.dumps(caught.value))
    assert error.outcome == caught.value.outcome
    assert error.outcome.policies == POLICIES
    assert str(error) == str(caught.value)
    assert error.response["Error"]["Code"] == "GuardrailIntervened"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("blocked", [False, True])
def test_no_content_anywhere(
    by_hand: Make, server: Hostile, caplog: pytest.LogCaptureFixture, form: str, *, blocked: bool
) -> None:
    """Greps what an application can print, and every log record of ours and of botocore above DEBUG."""
    path, ask, reply = FORMS[form]
    if blocked:
        server.reply(path, reply)
    caplog.set_level(logging.DEBUG, logger="ringwall")
    caplog.set_level(logging.INFO, logger="botocore")
    caplog.set_level(logging.DEBUG, logger="outcomes")
    seen: list[Outcome] = []
    write = logging_to(logging.getLogger("outcomes"))
    client = by_hand(
        on_outcome=lambda outcome: (seen.append(outcome), write(outcome)), on_intervention="raise"
    )
    try:
        ask(client)
    except GuardrailIntervened as error:
        seen_error = f"{error!r} {error} {error.response} {error.args}"
    else:
        seen_error = ""
    text = " ".join([repr(seen), str(seen), json.dumps(seen[0].log_fields()), caplog.text, seen_error])
    for secret in (PROMPT, PII, ANSWER, "project-nightjar", "Investment advice", "SOCIAL_SECURITY"):
        assert secret not in text
    assert bool(seen_error) is blocked
    (record,) = [record for record in caplog.records if not record.name.startswith("botocore")]
    assert record.name == "outcomes"
    assert json.loads(record.getMessage())["request_id"] == "req-1"


def test_a_violation_shows_no_content(by_hand: Make) -> None:
    with pytest.raises(Exception, match="model-not-declared") as caught:
        by_hand().converse(modelId=PROMPT, messages=MESSAGES)
    assert PII not in f"{caught.value!r} {caught.value} {caught.value.response}"


def test_log_fields_are_plain(by_hand: Make) -> None:
    seen: list[Outcome] = []
    tools = {"tools": [{"toolSpec": {"name": "t", "description": PROMPT, "inputSchema": {"json": {}}}}]}
    by_hand(on_outcome=seen.append).converse(modelId=MODEL, messages=MESSAGES, toolConfig=tools)
    assert seen[0].log_fields() == {
        "operation": "Converse", "request_id": "req-1", "guardrail": GUARDRAIL, "intervened": False, "policies": [],
        "stop_reason": "end_turn", "input_tokens": 3, "output_tokens": 5, "latency_ms": 7, "model": MODEL,
        "guardrail_version": "3", "complete": True, "error": None, "not_covered": ["tool-specification"],
    }  # fmt: skip


# -- the caller's objects ----------------------------------------------------------------------------------------------


def test_streams_are_botocores_own_type(by_hand: Make) -> None:
    client = by_hand()
    for body in (
        client.converse_stream(modelId=MODEL, messages=MESSAGES)["stream"],
        client.invoke_model_with_response_stream(modelId=MODEL, body=BODY)["body"],
    ):
        assert isinstance(body, EventStream)
        assert next(iter(body))
        body.close()


def test_a_body_reads_as_before(by_hand: Make) -> None:
    body = by_hand().invoke_model(modelId=MODEL, body=BODY)["body"]
    assert isinstance(body, StreamingBody)
    assert body.read(5) == json.dumps(INVOKED).encode()[:5]
    assert b"".join(body.iter_chunks()) == json.dumps(INVOKED).encode()[5:]
    assert [
        json.loads(line) for line in by_hand().invoke_model(modelId=MODEL, body=BODY)["body"].iter_lines()
    ] == [INVOKED]


def test_a_stream_closed_early_is_reported_once(by_hand: Make) -> None:
    seen: list[Outcome] = []
    client = by_hand(on_outcome=seen.append, on_intervention="raise")
    with client.converse_stream(modelId=MODEL, messages=MESSAGES)["stream"] as events:
        next(iter(events))
    events.close()
    assert [(item.complete, item.error) for item in seen] == [(False, None)]


def test_a_stream_left_alone_is_reported_once(by_hand: Make) -> None:
    seen: list[Outcome] = []
    events = by_hand(on_outcome=seen.append).converse_stream(modelId=MODEL, messages=MESSAGES)["stream"]
    for _ in events:
        break
    assert seen == []
    del events
    gc.collect()
    assert [item.complete for item in seen] == [False]


def test_a_stream_may_be_read_in_two_goes(by_hand: Make) -> None:
    seen: list[Outcome] = []
    events = by_hand(on_outcome=seen.append).converse_stream(modelId=MODEL, messages=MESSAGES)["stream"]
    first = next(iter(events))
    assert [first, *events] == converse_stream(by_hand())
    assert [item.complete for item in seen] == [True]


def test_a_stream_that_breaks_says_so(by_hand: Make, server: Hostile) -> None:
    broken = stream(*TEXT[:2], frame("throttlingException", {"message": "slow"}, message="exception"))
    server.reply("converse-stream", broken)
    seen: list[Outcome] = []
    with pytest.raises(EventStreamError):
        converse_stream(by_hand(on_outcome=seen.append))
    assert [(item.complete, item.error) for item in seen] == [(False, "throttlingException")]
    assert len(server.received) == 1


def test_errors_have_no_outcome(by_hand: Make, server: Hostile) -> None:
    server.reply("converse", Reply(400, b'{"message":"bad"}', {"x-amzn-ErrorType": "ValidationException"}))
    seen: list[Outcome] = []
    client = by_hand(on_outcome=seen.append)
    with pytest.raises(client.exceptions.ValidationException):
        converse(client)
    assert seen == []


def test_claude_streams_and_headers_are_measured(by_hand: Make, server: Hostile) -> None:
    server.reply(
        "invoke-with-response-stream",
        stream(
            chunk({"type": "message_start", "message": {"usage": {"input_tokens": 11, "output_tokens": 1}}}),
            chunk(
                {
                    "type": "message_delta",
                    "delta": {"stop_reason": "max_tokens"},
                    "usage": {"output_tokens": 9},
                }
            ),
            chunk({"type": "message_stop", "amazon-bedrock-invocationMetrics": {"invocationLatency": 123}}),
        ),
    )
    headers = {"X-Amzn-Bedrock-Input-Token-Count": "21", "X-Amzn-Bedrock-Invocation-Latency": "45"}
    server.reply("invoke", Reply(200, b'{"results":[]}', headers))
    seen: list[Outcome] = []
    client = by_hand(on_outcome=seen.append)
    invoke_stream(client)
    invoke(client)
    assert [(o.input_tokens, o.output_tokens, o.latency_ms, o.stop_reason) for o in seen] == [
        (11, 9, 123, "max_tokens"),
        (21, None, 45, None),
    ]


def test_apply_guardrail(by_hand: Make, server: Hostile) -> None:
    assessments = [{"topicPolicy": {"topics": [{"name": "n", "type": "DENY", "action": "BLOCKED"}]}}]
    server.reply(
        "apply",
        said({"action": "GUARDRAIL_INTERVENED", "outputs": [], "assessments": assessments, "usage": {}}),
    )
    seen: list[Outcome] = []
    by_hand(on_outcome=seen.append).apply_guardrail(
        guardrailIdentifier=GUARDRAIL, guardrailVersion="3", source="INPUT", content=[{"text": {"text": "x"}}]
    )
    assert (seen[0].intervened, seen[0].policies) == (True, ("topics",))


def test_invoke_model_safely_gives_answer_and_outcome(by_hand: Make, server: Hostile) -> None:
    server.reply("converse", said(BLOCKED))
    given = copy.deepcopy(MESSAGES)
    response, outcome = by_hand().invoke_model_safely(MODEL, given)
    assert response["stopReason"] == "guardrail_intervened"
    assert (outcome.intervened, outcome.policies, outcome.model) == (True, POLICIES, MODEL)
    assert given == MESSAGES
