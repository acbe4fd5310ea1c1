"""What is known of an answer, part by part: read from events, bodies and traces, never their text.

InvokeModel keeps the model's own stop reason and says in ``amazon-bedrock-guardrailAction`` that the guardrail
intervened. Usage and stop reason stand where each model puts them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ringwall.client.coverage import Coverage
from ringwall.client.outcome import Outcome
from ringwall.client.violation import shown

INTERVENED = "guardrail_intervened"
REASONS = frozenset({"end_turn", "tool_use", "max_tokens", "stop_sequence", INTERVENED})
"""Common stop reasons."""
ACTION = "amazon-bedrock-guardrailAction"
TRACE = "amazon-bedrock-trace"
POLICIES: Mapping[str, str] = {
    "topicPolicy": "topics",
    "contentPolicy": "content",
    "wordPolicy": "words",
    "sensitiveInformationPolicy": "sensitive information",
    "contextualGroundingPolicy": "grounding",
    "automatedReasoningPolicy": "automated reasoning",
}


@dataclass(slots=True)
class Draft:
    """What is known so far of an answer that comes in parts."""

    operation: str
    request_id: str
    guardrail: str
    version: str
    model: str | None
    coverage: Coverage | None
    intervened: bool = False
    policies: list[str] = field(default_factory=list)
    stop_reason: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    latency_ms: int | None = None
    error: str | None = None

    def finish(self, *, complete: bool = True) -> Outcome:
        """The outcome as far as it is known."""
        return Outcome(
            self.operation,
            self.request_id,
            self.guardrail,
            self.intervened,
            tuple(dict.fromkeys(self.policies)),
            self.stop_reason,
            self.input_tokens,
            self.output_tokens,
            self.latency_ms,
            self.model,
            self.version,
            self.coverage,
            complete,
            self.error,
        )

    def stopped(self, reason: Any) -> None:
        """Take a stop reason."""
        if reason is not None:
            self.stop_reason = known_reason(reason)
            self.intervened |= reason == INTERVENED

    def traced(self, trace: Any) -> None:
        """Take the policies that found something."""
        if trace:
            self.policies += policies_of(trace)

    def measured(self, counts: Mapping[str, Any]) -> None:
        """Take token counts and latency from a mapping that may have them."""
        for name, value in counts.items():
            target = _MEASURES.get(name)
            if target is not None and (count := number(value)) is not None:
                setattr(self, target, count)


_MEASURES: Mapping[str, str] = {
    # name, in Converse, the models' own bodies, the last chunk of a stream, InvokeModel's headers: member
    "inputTokens": "input_tokens",
    "input_tokens": "input_tokens",
    "inputTokenCount": "input_tokens",
    "x-amzn-bedrock-input-token-count": "input_tokens",
    "outputTokens": "output_tokens",
    "output_tokens": "output_tokens",
    "outputTokenCount": "output_tokens",
    "x-amzn-bedrock-output-token-count": "output_tokens",
    "latencyMs": "latency_ms",
    "invocationLatency": "latency_ms",
    "x-amzn-bedrock-invocation-latency": "latency_ms",
}


def number(value: Any) -> int | None:
    """A count, as JSON or a header has it."""
    if type(value) is int:
        return value
    return int(value) if isinstance(value, str) and value.isdecimal() else None


def known_reason(reason: Any) -> str:
    """A stop reason as it may be told: what does not look like one could be content."""
    return reason if type(reason) is str and reason in REASONS else shown(reason)


def read_converse_event(draft: Draft, event: Mapping[str, Any]) -> None:
    """An event of ConverseStream."""
    if "messageStop" in event:
        draft.stopped(event["messageStop"].get("stopReason"))
    if "metadata" in event:
        metadata = event["metadata"]
        draft.traced(metadata.get("trace"))
        draft.measured(metadata.get("usage") or {})
        draft.measured(metadata.get("metrics") or {})


def read_invoke_event(draft: Draft, event: Mapping[str, Any]) -> None:
    """An event of InvokeModelWithResponseStream."""
    if "chunk" in event:
        read_invoke_body(draft, event["chunk"].get("bytes", b""))


def read_invoke_body(draft: Draft, data: bytes) -> None:
    """A body, or a chunk of one: the guardrail's members, and usage and stop reason where the models put them."""
    body = answered(data)
    if body is None:
        return
    draft.intervened |= body.get(ACTION) == "INTERVENED"
    draft.traced(body.get(TRACE))
    for part in (body, body.get("delta"), body.get("message")):
        if isinstance(part, _MAPPINGS):
            draft.stopped(part.get("stop_reason") or part.get("stopReason"))
            if isinstance(usage := part.get("usage"), _MAPPINGS):
                draft.measured(usage)
    if isinstance(metrics := body.get("amazon-bedrock-invocationMetrics"), _MAPPINGS):
        draft.measured(metrics)


def answered(data: bytes) -> dict[str, Any] | None:
    """The JSON object of an answer, or of a part of one; ``None`` where it is none."""
    try:
        found = _READER.decode(data.decode())
    except ValueError:
        return None
    return found if type(found) is dict else None


_READER = json.JSONDecoder()
_MAPPINGS = (dict, Mapping)
"""A dict is what there is nearly always, and is told much quicker than a mapping."""


def policies_of(value: Any) -> list[str]:
    """Kinds of policy that found something, anywhere inside a trace; names of blocks alone, never their matches."""
    found: list[str] = []
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key in POLICIES and _found_something(item):
                found.append(POLICIES[key])
            else:
                found += policies_of(item)
    elif isinstance(value, list):
        for item in value:
            found += policies_of(item)
    return found


def _found_something(block: Any) -> bool:
    if not isinstance(block, Mapping):
        return False
    findings = [item for items in block.values() if isinstance(items, list) for item in items]
    return any(item.get("action") not in (None, "NONE") for item in findings if isinstance(item, Mapping))
