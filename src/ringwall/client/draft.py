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
            self.stop_reason = shown(reason)
            self.intervened |= reason == INTERVENED

    def traced(self, trace: Any) -> None:
        """Take the policies that found something."""
        if trace:
            self.policies += policies_of(trace)

    def measured(self, *counts: Mapping[str, Any]) -> None:
        """Take token counts and latency from the first of some mappings that has them."""
        for target, names in _MEASURES.items():
            found = (number(count[name]) for count in counts for name in names if name in count)
            value = next((number for number in found if number is not None), None)
            if value is not None:
                setattr(self, target, value)


_MEASURES: Mapping[str, tuple[str, ...]] = {
    "input_tokens": ("inputTokens", "input_tokens", "inputTokenCount", "x-amzn-bedrock-input-token-count"),
    "output_tokens": (
        "outputTokens",
        "output_tokens",
        "outputTokenCount",
        "x-amzn-bedrock-output-token-count",
    ),
    "latency_ms": ("latencyMs", "invocationLatency", "x-amzn-bedrock-invocation-latency"),
}
"""Where Converse, the models' own bodies, the last chunk of a stream and InvokeModel's headers put them."""


def number(value: Any) -> int | None:
    """A count, as JSON or a header has it."""
    if type(value) is int:
        return value
    return int(value) if isinstance(value, str) and value.isdecimal() else None


def read_converse_event(draft: Draft, event: Mapping[str, Any]) -> None:
    """An event of ConverseStream."""
    if "messageStop" in event:
        draft.stopped(event["messageStop"].get("stopReason"))
    if "metadata" in event:
        metadata = event["metadata"]
        draft.traced(metadata.get("trace"))
        draft.measured(metadata.get("usage") or {}, metadata.get("metrics") or {})


def read_invoke_event(draft: Draft, event: Mapping[str, Any]) -> None:
    """An event of InvokeModelWithResponseStream."""
    if "chunk" in event:
        read_invoke_body(draft, event["chunk"].get("bytes", b""))


def read_invoke_body(draft: Draft, data: bytes) -> None:
    """A body, or a chunk of one: the guardrail's members, and usage and stop reason where the models put them."""
    try:
        body = json.loads(data)
    except ValueError:
        return
    if not isinstance(body, Mapping):
        return
    draft.intervened |= body.get(ACTION) == "INTERVENED"
    draft.traced(body.get(TRACE))
    parts = [body, *(part for name in ("delta", "message") if isinstance(part := body.get(name), Mapping))]
    for part in parts:
        draft.stopped(part.get("stop_reason") or part.get("stopReason"))
        usage = part.get("usage")
        draft.measured(usage if isinstance(usage, Mapping) else {})
    metrics = body.get("amazon-bedrock-invocationMetrics")
    draft.measured(metrics if isinstance(metrics, Mapping) else {})


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
