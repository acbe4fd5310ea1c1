"""The record of a model invocation log (user guide: "Monitor model invocation using CloudWatch Logs and Amazon S3")."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from ringwall.sandbox import moments

if TYPE_CHECKING:
    from ringwall.sandbox.bedrock.telemetry import Invocation

INLINE_BYTES = 100 * 1024
_STREAMED = frozenset({"ConverseStream", "InvokeModelWithResponseStream"})


def record_of(invocation: Invocation) -> dict[str, Any]:
    """The log record of a call: what the caller sent (never masked), what it got, and who it was."""
    call = invocation.call
    embeds = "EMBEDDING" in invocation.target.model.output
    record: dict[str, Any] = {
        "timestamp": moments.stamp(call.time),
        "accountId": call.account,
        "identity": {"arn": call.principal},
        "region": call.region,
        "requestId": call.request_id,
        "operation": call.operation,
        "modelId": _model_id(invocation),
        "input": {
            "inputContentType": "application/json",
            "inputBodyJson": invocation.input_body,
            "inputTokenCount": invocation.input_tokens,
        },
        "output": {
            "outputContentType": "application/json",
            "outputBodyJson": invocation.output_body,
            **({} if embeds else {"outputTokenCount": invocation.output_tokens}),
        },
        "inferenceRegion": call.region,
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
    }
    if invocation.metadata:
        record["requestMetadata"] = dict(invocation.metadata)
    return record


def _model_id(invocation: Invocation) -> str:
    """As AWS writes it: a profile by its ARN, a model by its id."""
    requested, call = invocation.target.requested, invocation.call
    if requested.startswith("arn:"):
        return requested if ":foundation-model/" not in requested else invocation.target.model.id
    if requested == invocation.target.model.id:
        return requested
    return f"arn:aws:bedrock:{call.region}:{call.account}:inference-profile/{requested}"


def without_bodies(record: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """The record with the bodies left out that the configuration does not have delivered."""
    is_embedding = "outputTokenCount" not in record["output"]
    enabled = config["embeddingDataDeliveryEnabled"] if is_embedding else config["textDataDeliveryEnabled"]
    if enabled:
        return record
    trimmed = dict(record)
    for side in ("input", "output"):
        trimmed[side] = {key: value for key, value in record[side].items() if key != f"{side}BodyJson"}
    return trimmed


def large_bodies(record: dict[str, Any]) -> dict[str, bytes]:
    """The bodies that are too large to stand in the record, by side (``input``, ``output``)."""
    found: dict[str, bytes] = {}
    for side in ("input", "output"):
        body = record[side].get(f"{side}BodyJson")
        if body is not None:
            encoded = to_text(body).encode()
            if len(encoded) > INLINE_BYTES:
                found[side] = encoded
    return found


def to_text(value: Any) -> str:
    """A record, or a body, as JSON: bytes in base64."""
    return json.dumps(value, default=_base64)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
