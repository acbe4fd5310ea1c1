"""Reading a parsed response for its outcome: Converse, InvokeModel and their streams. The caller gets the same objects."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from botocore.eventstream import EventStream
from botocore.response import StreamingBody

from ringwall.client.call import Call
from ringwall.client.draft import (
    ACTION,
    INTERVENED,
    TRACE,
    Draft,
    answered,
    known_reason,
    number,
    policies_of,
)
from ringwall.client.operations import STREAM_MEMBERS
from ringwall.client.outcome import Outcome, Report
from ringwall.client.rules import PinnedGuardrail
from ringwall.client.stream import watched


def observe(
    operation: str,
    parsed: dict[str, Any],
    pinned: PinnedGuardrail,
    call: Call | None,
    report: Report | None,
) -> None:
    """Read a parsed response and report its outcome: at once, or for a stream when it ends.

    Args:
        operation: API operation.
        parsed: the response; a stream in it is replaced by one that is watched.
        pinned: the guardrail that the call carried.
        call: the call, if it is known.
        report: who is told; ``None`` if a stream is to be watched only for its end.
    """
    metadata = parsed.get("ResponseMetadata", {})
    if metadata.get("HTTPStatusCode", 0) >= 300:
        return
    request_id, body = metadata.get("RequestId", ""), parsed.get("body")
    member = STREAM_MEMBERS.get(operation)
    if member is not None:
        if isinstance(parsed.get(member), EventStream):
            draft = _draft(operation, request_id, pinned, None if report is None else call)
            parsed[member] = watched(parsed[member], draft, report, None if call is None else call.until)
    elif report is None:
        return
    elif operation == "Converse":
        report(_of_converse(parsed, request_id, pinned, call))
    elif operation == "ApplyGuardrail":
        draft = _draft(operation, request_id, pinned, call)
        draft.intervened = parsed.get("action") == "GUARDRAIL_INTERVENED"
        draft.traced({"assessments": parsed.get("assessments")})
        report(draft.finish())
    elif body is not None and type(body) is StreamingBody:  # aiobotocore's is a subclass, to be awaited
        data = body.read()
        parsed["body"] = StreamingBody(io.BytesIO(data), len(data))
        report(_of_invoke_model(data, metadata.get("HTTPHeaders", {}), request_id, pinned, call))
    else:
        draft = _draft(operation, request_id, pinned, call)
        draft.error = "NotRead"  # it is the caller's to read
        report(draft.finish(complete=False))


def _draft(operation: str, request_id: str, pinned: PinnedGuardrail, call: Call | None) -> Draft:
    model, read = (None, None) if call is None else (call.model, call.coverage)
    return Draft(operation, request_id, pinned.arn, pinned.version, model, read)


def _of_converse(
    parsed: dict[str, Any], request_id: str, pinned: PinnedGuardrail, call: Call | None
) -> Outcome:
    """Converse says everything in places of its own: read in one go."""
    reason, trace = parsed.get("stopReason"), parsed.get("trace")
    usage, metrics = parsed.get("usage") or {}, parsed.get("metrics") or {}
    return Outcome(
        "Converse",
        request_id,
        pinned.arn,
        reason == INTERVENED,
        tuple(dict.fromkeys(policies_of(trace))) if trace else (),
        None if reason is None else known_reason(reason),
        number(usage.get("inputTokens")),
        number(usage.get("outputTokens")),
        number(metrics.get("latencyMs")),
        None if call is None else call.parameters.get("modelId"),
        pinned.version,
        None if call is None else call.coverage,
    )


def _of_invoke_model(
    data: bytes, headers: Mapping[str, str], request_id: str, pinned: PinnedGuardrail, call: Call | None
) -> Outcome:
    """InvokeModel: the guardrail's members stand in the model's own body, counts there or in headers."""
    body = answered(data) or {}
    reason, trace, usage = (
        body.get("stop_reason") or body.get("stopReason"),
        body.get(TRACE),
        body.get("usage"),
    )
    counts: dict[str, Any] = usage if type(usage) is dict else {}
    inward = number(counts.get("input_tokens") or counts.get("inputTokens"))
    outward = number(counts.get("output_tokens") or counts.get("outputTokens"))
    return Outcome(
        "InvokeModel",
        request_id,
        pinned.arn,
        body.get(ACTION) == "INTERVENED" or reason == INTERVENED,
        tuple(dict.fromkeys(policies_of(trace))) if trace else (),
        None if reason is None else known_reason(reason),
        number(headers.get("x-amzn-bedrock-input-token-count")) if inward is None else inward,
        number(headers.get("x-amzn-bedrock-output-token-count")) if outward is None else outward,
        number(headers.get("x-amzn-bedrock-invocation-latency")),
        None if call is None else call.parameters.get("modelId"),
        pinned.version,
        None if call is None else call.coverage,
    )
