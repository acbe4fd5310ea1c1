"""What came of a call, typed and without content: safe to log.

Four response forms are read: Converse, its stream, InvokeModel (which keeps the model's own stop reason and says in
``amazon-bedrock-guardrailAction`` that the guardrail intervened) and its stream. The caller gets the same objects.
"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from botocore.eventstream import EventStream
from botocore.exceptions import BotoCoreError, ClientError
from botocore.response import StreamingBody

from ringwall.client.coverage import Coverage
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


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call. Holds names and numbers alone, no word of prompt or answer.

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
        model: identifier of the model, as the call named it.
        guardrail_version: version of the guardrail.
        coverage: what of the call's input the guardrail does not read; ``None`` where that is not known.
        complete: whether the answer was read to its end. A stream that was closed early, or broke, was not.
        error: code of the error that broke a stream.
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
    model: str | None = None
    guardrail_version: str | None = None
    coverage: Coverage | None = None
    complete: bool = True
    error: str | None = None

    def log_fields(self) -> dict[str, Any]:
        """The outcome as plain names, numbers and lists of names: the ``extra`` of a log record, a metric's labels."""
        found = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "coverage"}
        gaps = None if self.coverage is None else list(self.coverage.rules)
        return {**found, "policies": list(self.policies), "not_covered": gaps}


Report = Callable[[Outcome], None]


def logging_to(logger: logging.Logger, level: int = logging.INFO) -> Report:
    """An ``on_outcome`` that writes each outcome's :meth:`Outcome.log_fields` as JSON to a logger.

    The client itself logs nothing. botocore does at DEBUG, and with whole request and response bodies: leave the
    ``botocore`` and ``urllib3`` loggers above DEBUG wherever prompts must not be written down.
    """

    def write(outcome: Outcome) -> None:
        logger.log(level, "%s", json.dumps(outcome.log_fields(), sort_keys=True))

    return write


@dataclass
class _Draft:
    """What is known so far."""

    operation: str
    request_id: str
    guardrail: str
    model: str | None = None
    version: str | None = None
    coverage: Coverage | None = None
    intervened: bool = False
    policies: list[str] = field(default_factory=list)
    stop_reason: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    latency_ms: int | None = None
    error: str | None = None

    def finish(self, *, complete: bool = True) -> Outcome:
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
        if reason is not None:
            self.stop_reason = shown(reason)
            self.intervened |= reason == INTERVENED

    def traced(self, trace: Any) -> None:
        self.policies += _policies(trace)

    def measured(self, *counts: Mapping[str, Any]) -> None:
        """Take token counts and latency from the first of some mappings that has them."""
        for target, names in _MEASURES.items():
            found = (_number(count[name]) for count in counts for name in names if name in count)
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


def _number(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and value.isdecimal() else None


def observe(
    operation: str,
    parsed: dict[str, Any],
    guardrail: str,
    report: Report,
    *,
    model: str | None = None,
    version: str | None = None,
    coverage: Coverage | None = None,
) -> None:
    """Read a parsed response and report its outcome: at once, or for a stream when it ends."""
    metadata = parsed.get("ResponseMetadata", {})
    if int(metadata.get("HTTPStatusCode", 0)) >= 300:
        return
    draft = _Draft(operation, str(metadata.get("RequestId", "")), guardrail, model, version, coverage)
    member = {"ConverseStream": "stream", "InvokeModelWithResponseStream": "body"}.get(operation)
    if member is not None:
        if isinstance(parsed.get(member), EventStream):
            read = _read_converse_event if member == "stream" else _read_invoke_event
            parsed[member] = _Watched(parsed[member], draft, read, report)
        return
    if operation == "InvokeModel" and "body" in parsed:
        data = parsed["body"].read()
        parsed["body"] = StreamingBody(io.BytesIO(data), len(data))
        draft.measured(metadata.get("HTTPHeaders", {}))
        _read_invoke_body(draft, data)
    elif operation == "ApplyGuardrail":
        draft.intervened = parsed.get("action") == "GUARDRAIL_INTERVENED"
        draft.traced({"assessments": parsed.get("assessments")})
    elif operation == "Converse":
        draft.stopped(parsed.get("stopReason"))
        draft.traced(parsed.get("trace"))
        draft.measured(parsed.get("usage") or {}, parsed.get("metrics") or {})
    report(draft.finish())


class _Watched(EventStream):
    """An event stream that is passed on unchanged, and reported once: at its end, when it breaks or is closed."""

    def __init__(
        self,
        stream: EventStream,
        draft: _Draft,
        read: Callable[[_Draft, Mapping[str, Any]], None],
        report: Report,
    ) -> None:
        self.__dict__.update(vars(stream))
        self._draft = draft
        self._read = read
        self._report: Report | None = report

    def __iter__(self) -> Iterator[Any]:
        try:
            for event in super().__iter__():
                self._read(self._draft, event)
                yield event
        except ClientError as error:
            self._draft.error = str(error.response.get("Error", {}).get("Code", "EventStreamError"))
            self._end(complete=False)
            raise
        except (BotoCoreError, OSError) as error:
            self._draft.error = type(error).__name__
            self._end(complete=False)
            raise
        self._end(complete=True)

    def close(self) -> None:
        super().close()
        self._end(complete=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self._end(complete=False)

    def _end(self, *, complete: bool) -> None:
        report, self._report = getattr(self, "_report", None), None
        if report is not None:
            report(self._draft.finish(complete=complete))


def _read_converse_event(draft: _Draft, event: Mapping[str, Any]) -> None:
    if "messageStop" in event:
        draft.stopped(event["messageStop"].get("stopReason"))
    if "metadata" in event:
        metadata = event["metadata"]
        draft.traced(metadata.get("trace"))
        draft.measured(metadata.get("usage") or {}, metadata.get("metrics") or {})


def _read_invoke_event(draft: _Draft, event: Mapping[str, Any]) -> None:
    if "chunk" in event:
        _read_invoke_body(draft, event["chunk"].get("bytes", b""))


def _read_invoke_body(draft: _Draft, data: bytes) -> None:
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
