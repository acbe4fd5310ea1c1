"""What came of a call, typed and without content: safe to log.

Four response forms are read: Converse, its stream, InvokeModel (which keeps the model's own stop reason and says in
``amazon-bedrock-guardrailAction`` that the guardrail intervened) and its stream. The caller gets the same objects.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.response import StreamingBody

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


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call.

    Attributes:
        operation: API operation.
        request_id: AWS's request id.
        guardrail: ARN of the guardrail that the call carried.
        intervened: whether it blocked or masked something.
        policies: kinds of policy that did.
        stop_reason: the model's, or ``guardrail_intervened``.
        input_tokens: tokens in, where the response says so.
        output_tokens: tokens out.
        latency_ms: the service's own measure, where the response says so.
    """

    operation: str
    request_id: str
    guardrail: str
    intervened: bool
    policies: tuple[str, ...] = ()
    stop_reason: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    latency_ms: int | None = None


Report = Callable[[Outcome], None]


@dataclass
class _Draft:
    """What is known so far."""

    operation: str
    request_id: str
    guardrail: str
    intervened: bool = False
    policies: list[str] = field(default_factory=list)
    stop_reason: str | None = None
    usage: Mapping[str, Any] = field(default_factory=dict)
    latency_ms: int | None = None

    def finish(self) -> Outcome:
        return Outcome(
            self.operation,
            self.request_id,
            self.guardrail,
            self.intervened,
            tuple(dict.fromkeys(self.policies)),
            self.stop_reason,
            self.usage.get("inputTokens"),
            self.usage.get("outputTokens"),
            self.latency_ms,
        )

    def stopped(self, reason: Any) -> None:
        self.stop_reason = str(reason) if reason is not None else None
        self.intervened |= self.stop_reason == INTERVENED

    def traced(self, trace: Any) -> None:
        self.policies += _policies(trace)

    def measured(self, message: Mapping[str, Any]) -> None:
        self.usage = message.get("usage") or self.usage
        self.latency_ms = (message.get("metrics") or {}).get("latencyMs", self.latency_ms)


def observe(operation: str, parsed: dict[str, Any], guardrail: str, report: Report) -> None:
    """Read a parsed response and report its outcome: at once, or for a stream when it ends."""
    metadata = parsed.get("ResponseMetadata", {})
    if int(metadata.get("HTTPStatusCode", 0)) >= 300:
        return
    draft = _Draft(operation, str(metadata.get("RequestId", "")), guardrail)
    if operation == "ConverseStream" and "stream" in parsed:
        parsed["stream"] = _Watched(parsed["stream"], draft, _read_converse_event, report)
    elif operation == "InvokeModelWithResponseStream" and "body" in parsed:
        parsed["body"] = _Watched(parsed["body"], draft, _read_invoke_event, report)
    elif operation == "InvokeModel" and "body" in parsed:
        data = parsed["body"].read()
        parsed["body"] = StreamingBody(io.BytesIO(data), len(data))
        _read_invoke_body(draft, data)
        report(draft.finish())
    elif operation == "ApplyGuardrail":
        draft.intervened = parsed.get("action") == "GUARDRAIL_INTERVENED"
        draft.traced({"assessments": parsed.get("assessments")})
        report(draft.finish())
    elif operation == "Converse":
        draft.stopped(parsed.get("stopReason"))
        draft.traced(parsed.get("trace"))
        draft.measured(parsed)
        report(draft.finish())


class _Watched:
    """An event stream that is passed on unchanged and reported when it ends. Stands in for botocore's EventStream."""

    def __init__(
        self, stream: Any, draft: _Draft, read: Callable[[_Draft, Mapping[str, Any]], None], report: Report
    ) -> None:
        self._stream = stream
        self._draft = draft
        self._read = read
        self._report = report

    def __iter__(self) -> Iterator[Any]:
        for event in self._stream:
            self._read(self._draft, event)
            yield event
        self._report(self._draft.finish())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __enter__(self) -> _Watched:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


def _read_converse_event(draft: _Draft, event: Mapping[str, Any]) -> None:
    if "messageStop" in event:
        draft.stopped(event["messageStop"].get("stopReason"))
    if "metadata" in event:
        draft.traced(event["metadata"].get("trace"))
        draft.measured(event["metadata"])


def _read_invoke_event(draft: _Draft, event: Mapping[str, Any]) -> None:
    if "chunk" in event:
        _read_invoke_body(draft, event["chunk"].get("bytes", b""))


def _read_invoke_body(draft: _Draft, data: bytes) -> None:
    try:
        body = json.loads(data)
    except ValueError:
        return
    if not isinstance(body, Mapping):
        return
    draft.intervened |= body.get(ACTION) == "INTERVENED"
    if isinstance(body.get("stop_reason"), str):
        draft.stop_reason = body["stop_reason"]
    draft.traced(body.get(TRACE))
    usage = body.get("usage")
    if isinstance(usage, Mapping):
        draft.usage = {
            "inputTokens": usage.get("input_tokens", usage.get("inputTokens")),
            "outputTokens": usage.get("output_tokens", usage.get("outputTokens")),
        }


def _policies(value: Any) -> list[str]:
    """Kinds of policy that found something, anywhere inside a trace; names of blocks alone, never their matches."""
    found: list[str] = []
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key in POLICIES and _found_something(item):
                found.append(POLICIES[key])
            else:
                found += _policies(item)
    elif isinstance(value, list):
        for item in value:
            found += _policies(item)
    return found


def _found_something(block: Any) -> bool:
    if not isinstance(block, Mapping):
        return False
    findings = [item for items in block.values() if isinstance(items, list) for item in items]
    return any(item.get("action") not in (None, "NONE") for item in findings if isinstance(item, Mapping))
