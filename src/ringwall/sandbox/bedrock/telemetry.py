"""What a finished call leaves behind: invocation logs, and metrics in ``AWS/Bedrock`` and ``AWS/Bedrock/Guardrails``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.delivery.records import record_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ringwall.sandbox.bedrock.delivery.worker import Worker
    from ringwall.sandbox.bedrock.runtime.guarding import Applied, Inspection
    from ringwall.sandbox.bedrock.runtime.models import Target
    from ringwall.sandbox.bedrock.state import State
    from ringwall.sandbox.call import AwsError, Call

_POLICY_NAMES = {
    "topicPolicy": "TopicPolicy",
    "contentPolicy": "ContentPolicy",
    "wordPolicy": "WordPolicy",
    "sensitiveInformationPolicy": "SensitiveInformationPolicy",
    "contextualGroundingPolicy": "ContextualGroundingPolicy",
}
_LOGGED = frozenset({"Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream"})
_THROTTLED = "ThrottlingException"

Datum = tuple[str, str, float, str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Invocation:
    """A finished inference call.

    Attributes:
        call: the call.
        target: the model that it named.
        input_body: the request as it is logged.
        output_body: the answer as it is logged: an object, or the list of a stream's chunks.
        input_tokens: as in the answer's usage.
        output_tokens: likewise.
        latency: milliseconds.
        inspections: (``INPUT`` or ``OUTPUT``, what the guardrails said).
        metadata: the caller's request metadata.
    """

    call: Call
    target: Target
    input_body: Mapping[str, Any]
    output_body: Any
    input_tokens: int
    output_tokens: int
    latency: int
    inspections: tuple[tuple[str, Inspection], ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)


class Telemetry:
    """Turns finished calls into log records and metric data, and hands them to the worker that delivers them."""

    def __init__(self, state: State, worker: Worker) -> None:
        self._state = state
        self._worker = worker

    def invoked(self, invocation: Invocation) -> None:
        """An inference call finished."""
        call = invocation.call
        config = self._state.at(call.account, call.region).logging
        if config is not None and call.operation in _LOGGED:
            self._worker.add_record(call.account, call.region, config, record_of(invocation))
        data = [*_model_data(invocation), *_guardrail_data(invocation.inspections, invocation.latency)]
        self._worker.add_metrics(call.account, call.region, call.time, data)

    def failed(self, call: Call, error: AwsError) -> None:
        """An inference call, or ApplyGuardrail, failed."""
        name = "InvocationServerErrors" if error.status >= 500 else "InvocationClientErrors"
        name = "InvocationThrottles" if error.code == _THROTTLED else name
        namespace, dimensions = (
            "AWS/Bedrock",
            (("ModelId", _model_dimension(str(call.parameters.get("modelId")))),),
        )
        if call.operation == "ApplyGuardrail":
            namespace, dimensions = "AWS/Bedrock/Guardrails", (("Operation", "ApplyGuardrail"),)
        self._worker.add_metrics(
            call.account, call.region, call.time, [(namespace, name, 1.0, "Count", dimensions)]
        )

    def guarded(self, call: Call, inspections: tuple[tuple[str, Inspection], ...]) -> None:
        """ApplyGuardrail finished."""
        data = [
            *_guardrail_data(inspections, 1),
            *_counts(((("Operation", "ApplyGuardrail"),),), inspections, 1),
        ]
        self._worker.add_metrics(call.account, call.region, call.time, data)


def _model_dimension(identifier: str) -> str:
    return identifier.rpartition("/")[2]


def _model_data(invocation: Invocation) -> Iterator[Datum]:
    dimensions = (("ModelId", _model_dimension(invocation.target.requested)),)
    values = {
        "Invocations": (1, "Count"),
        "InvocationLatency": (invocation.latency, "Milliseconds"),
        "InputTokenCount": (invocation.input_tokens, "Count"),
        "OutputTokenCount": (invocation.output_tokens, "Count"),
    }
    if invocation.call.operation.endswith("Stream"):
        values["TimeToFirstToken"] = (invocation.latency, "Milliseconds")
    if invocation.target.legacy:
        values["LegacyModelInvocations"] = (1, "Count")
    for name, (value, unit) in values.items():
        yield "AWS/Bedrock", name, float(value), unit, dimensions


def _guardrail_data(inspections: Iterable[tuple[str, Inspection]], latency: int) -> Iterator[Datum]:
    for source, inspection in inspections:
        for applied, evaluation in inspection.results:
            sets = ((("GuardrailContentSource", source.capitalize()),), _guardrail_dimensions(applied))
            yield from _counts(sets, ((source, inspection),), latency, applied)
            for policy in evaluation.intervening:
                named = (("GuardrailPolicyType", _POLICY_NAMES[policy]),)
                yield "AWS/Bedrock/Guardrails", "InvocationsIntervened", 1.0, "Count", named


def _guardrail_dimensions(applied: Applied) -> tuple[tuple[str, str], ...]:
    return (("GuardrailArn", applied.guardrail.arn), ("GuardrailVersion", applied.version.version))


def _counts(
    sets: Iterable[tuple[tuple[str, str], ...]],
    inspections: Iterable[tuple[str, Inspection]],
    latency: int,
    only: Applied | None = None,
) -> Iterator[Datum]:
    results = [r for _, inspection in inspections for r in inspection.results if only is None or r[0] is only]
    for dimensions in sets:
        for _, evaluation in results:
            units = max(evaluation.usage.values(), default=0)
            yield "AWS/Bedrock/Guardrails", "Invocations", 1.0, "Count", dimensions
            yield "AWS/Bedrock/Guardrails", "InvocationLatency", float(latency), "Milliseconds", dimensions
            yield "AWS/Bedrock/Guardrails", "TextUnitCount", float(units), "Count", dimensions
            if evaluation.intervened:
                yield "AWS/Bedrock/Guardrails", "InvocationsIntervened", 1.0, "Count", dimensions
