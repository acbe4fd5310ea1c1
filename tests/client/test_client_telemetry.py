"""Attributes of the current span, and logs: names and numbers, never a word of a prompt or an answer."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from client.client_hostile import ANSWER, CONVERSE, GUARDRAIL, Hostile, Reply
from client.conftest import MODEL
from client.test_client_outcomes import BLOCKED, BODY, FORMS, MESSAGES, PII, PROMPT
from ringwall.client import Outcome, PerimeterViolation, SecureBedrockClient, logging_to
from ringwall.client.telemetry import attributes

Make = Callable[..., SecureBedrockClient]
SECRETS = (PROMPT, PII, ANSWER, "project-nightjar", "Investment advice", "tell nobody")


class FakeSpan:
    """A span as OpenTelemetry's API has it."""

    def __init__(self, *, recording: bool = True) -> None:
        self.recording = recording
        self.found: dict[str, Any] = {}

    def is_recording(self) -> bool:
        return self.recording

    def set_attributes(self, values: dict[str, Any]) -> None:
        assert self.recording
        self.found |= values


@pytest.fixture
def span(monkeypatch: pytest.MonkeyPatch) -> FakeSpan:
    """The current span of an application that has loaded OpenTelemetry."""
    current = FakeSpan()
    trace = SimpleNamespace(get_current_span=lambda: current)
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", trace)
    return current


def test_the_conventions_names(by_hand: Make, span: FakeSpan) -> None:
    by_hand().converse(modelId=MODEL, messages=MESSAGES)
    assert span.found == {
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": MODEL,
        "gen_ai.response.finish_reasons": ["end_turn"],
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 5,
        "aws.bedrock.guardrail.id": GUARDRAIL.rpartition("/")[2],
        "aws.request_id": "req-1",
        "ringwall.guardrail.version": "3",
        "ringwall.guardrail.intervened": False,
        "ringwall.guardrail.policies": [],
        "ringwall.guardrail.not_covered": [],
        "ringwall.answer.complete": True,
    }


@pytest.mark.parametrize("form", FORMS)
def test_an_intervention_is_on_the_span_without_what_it_found(
    by_hand: Make, server: Hostile, span: FakeSpan, form: str
) -> None:
    path, ask, reply = FORMS[form]
    server.reply(path, reply)
    ask(by_hand())
    assert span.found["ringwall.guardrail.intervened"] is True
    assert span.found["ringwall.guardrail.policies"] == ["sensitive information", "words"]
    assert not any(secret in json.dumps(span.found) for secret in SECRETS)
    kinds = (str, bool, int, list)
    assert all(isinstance(value, kinds) for value in span.found.values())


def test_a_span_that_ended_before_its_stream_is_left_alone(by_hand: Make, span: FakeSpan) -> None:
    stream = by_hand().converse_stream(modelId=MODEL, messages=MESSAGES)["stream"]
    span.recording = False
    assert len(list(stream)) == 4
    assert span.found == {}


def test_without_opentelemetry_none_is_loaded(by_hand: Make) -> None:
    before = {name for name in sys.modules if name.startswith("opentelemetry")}
    by_hand().converse(modelId=MODEL, messages=MESSAGES)
    assert {name for name in sys.modules if name.startswith("opentelemetry")} == before


def test_what_is_not_known_is_left_out() -> None:
    found = attributes(Outcome("ApplyGuardrail", "", GUARDRAIL, intervened=True))
    assert "gen_ai.operation.name" not in found
    assert "gen_ai.usage.input_tokens" not in found
    assert "error.type" not in found
    assert None not in found.values()


# -- logs --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("end", ["answer", "blocked", "violation", "error"])
def test_no_log_record_of_ours_holds_content(
    by_hand: Make, server: Hostile, caplog: pytest.LogCaptureFixture, form: str, end: str
) -> None:
    """Every logger of Ringwall, and the one that outcomes are written to, at DEBUG; in every way that a call can end."""
    caplog.set_level(logging.DEBUG, logger="ringwall")
    caplog.set_level(logging.DEBUG, logger="outcomes")
    caplog.set_level(logging.INFO, logger="botocore")
    path, ask, blocked = FORMS[form]
    if end == "blocked":
        server.reply(path, blocked)
    if end == "error":
        said = json.dumps({"message": f"bad: {PROMPT}"}).encode()
        server.reply(path, Reply(400, said, {"x-amzn-ErrorType": "ValidationException"}))
    client = by_hand(on_outcome=logging_to(logging.getLogger("outcomes")))
    if end == "violation":
        with pytest.raises(PerimeterViolation):
            client.converse(
                modelId=PROMPT, messages=MESSAGES, guardrailConfig={"guardrailIdentifier": PROMPT}
            )
    elif end == "error":
        with pytest.raises(client.exceptions.ValidationException):
            ask(client)
    else:
        ask(client)
    ours = [record for record in caplog.records if record.name.startswith(("ringwall", "outcomes"))]
    assert len(ours) == (end in ("answer", "blocked"))
    for record in caplog.records:
        text = f"{record.getMessage()} {record.__dict__}"
        assert not any(secret in text for secret in SECRETS), record.name


def test_an_outcome_holds_no_content_however_deep(by_hand: Make, server: Hostile) -> None:
    server.reply("converse", Reply(200, json.dumps({**CONVERSE, **BLOCKED, "stopReason": PROMPT}).encode()))
    seen: list[Outcome] = []
    by_hand(on_outcome=seen.append).converse(modelId=MODEL, messages=MESSAGES)
    assert seen[0].stop_reason == "the given value"
    assert not any(secret in repr(seen) + json.dumps(seen[0].log_fields()) for secret in (*SECRETS, BODY))
