"""Reading a parsed response for its outcome: Converse, InvokeModel and their streams. The caller gets the same objects."""

from __future__ import annotations

import io
from typing import Any

from botocore.eventstream import EventStream
from botocore.response import StreamingBody

from ringwall.client.call import Call
from ringwall.client.draft import INTERVENED, Draft, known_reason, number, policies_of, read_invoke_body
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
    if report is not None and operation == "Converse":
        report(_of_converse(parsed, metadata.get("RequestId", ""), pinned, call))
        return
    member = STREAM_MEMBERS.get(operation)
    if report is None and member is None:
        return
    told = call if report is not None else None
    draft = Draft(
        operation,
        metadata.get("RequestId", ""),
        pinned.arn,
        pinned.version,
        None if told is None else told.model,
        None if told is None else told.coverage,
    )
    if member is not None:
        if isinstance(parsed.get(member), EventStream):
            parsed[member] = watched(parsed[member], draft, report, None if call is None else call.until)
    elif report is not None:
        _of_others(operation, parsed, draft)
        report(draft.finish(complete=draft.error is None))


def _of_others(operation: str, parsed: dict[str, Any], draft: Draft) -> None:
    """InvokeModel, whose body the caller gets to read again, and ApplyGuardrail."""
    body = parsed.get("body")
    if operation == "ApplyGuardrail":
        draft.intervened = parsed.get("action") == "GUARDRAIL_INTERVENED"
        draft.traced({"assessments": parsed.get("assessments")})
    elif isinstance(body, StreamingBody):
        data = body.read()
        parsed["body"] = StreamingBody(io.BytesIO(data), len(data))
        draft.measured(parsed["ResponseMetadata"].get("HTTPHeaders", {}))
        read_invoke_body(draft, data)
    else:
        draft.error = "NotRead"  # aiobotocore's body has to be awaited: it is the caller's to read


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
