"""Outcomes as attributes of the current OpenTelemetry span, by the semantic conventions for generative AI.

Nothing is imported here: where the application has not loaded ``opentelemetry`` there is no span to describe. The
instrumentation of botocore makes the span; this adds what it leaves out. The conventions live in
https://github.com/open-telemetry/semantic-conventions-genai and are still in development: the names stand here alone.
They have none for an intervention yet, so those are in a namespace of ours.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ringwall.client.outcome import Outcome

CHAT, GENERATE = "chat", "generate_content"
OPERATIONS: Mapping[str, str] = {
    "Converse": CHAT,
    "ConverseStream": CHAT,
    "InvokeModel": GENERATE,
    "InvokeModelWithResponseStream": GENERATE,
}
"""``gen_ai.operation.name`` by operation. What InvokeModel does depends on the model: the general name is used."""


@dataclass(frozen=True, slots=True)
class Span:
    """A span that records."""

    span: Any

    def describe(self, outcome: Outcome) -> None:
        """Set an outcome's attributes; names and numbers alone, as the outcome has no others."""
        if self.span.is_recording():  # a stream may end after its span
            self.span.set_attributes(attributes(outcome))


def recording_span() -> Span | None:
    """The current span, where the application uses OpenTelemetry and somebody records it."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    span = trace.get_current_span()
    return Span(span) if span.is_recording() else None


def attributes(outcome: Outcome) -> dict[str, Any]:
    """An outcome as span attributes; what is not known is left out."""
    found: dict[str, Any] = {
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.operation.name": OPERATIONS.get(outcome.operation),
        "gen_ai.request.model": outcome.model,
        "gen_ai.response.finish_reasons": [outcome.stop_reason] if outcome.stop_reason else None,
        "gen_ai.usage.input_tokens": outcome.input_tokens,
        "gen_ai.usage.output_tokens": outcome.output_tokens,
        "aws.bedrock.guardrail.id": outcome.guardrail.rpartition("/")[2],
        "aws.request_id": outcome.request_id or None,
        "error.type": outcome.error,
        "ringwall.guardrail.version": outcome.guardrail_version,
        "ringwall.guardrail.intervened": outcome.intervened,
        "ringwall.guardrail.policies": list(outcome.policies),
        "ringwall.guardrail.not_covered": None if outcome.coverage is None else list(outcome.coverage.rules),
        "ringwall.answer.complete": outcome.complete,
    }
    return {name: value for name, value in found.items() if value is not None}
