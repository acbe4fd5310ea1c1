"""Frames of ``application/vnd.amazon.eventstream``.

https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html describes the same framing: lengths,
CRC of the prelude, typed headers, payload, CRC of the message.
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import TYPE_CHECKING, Any

from ringwall.sandbox import serialize

if TYPE_CHECKING:
    from collections.abc import Mapping

_STRING = 7


def encode(payload: bytes, headers: Mapping[str, str]) -> bytes:
    """One frame. Header values are strings (the one type that AWS's JSON services use)."""
    packed = b"".join(_header(name, value) for name, value in headers.items())
    length = 16 + len(packed) + len(payload)
    prelude = struct.pack(">II", length, len(packed))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + packed + payload
    return message + struct.pack(">I", zlib.crc32(message))


def _header(name: str, value: str) -> bytes:
    raw_name, raw_value = name.encode(), value.encode()
    return (
        struct.pack(">B", len(raw_name)) + raw_name + struct.pack(">BH", _STRING, len(raw_value)) + raw_value
    )


def encode_event(stream_shape: Any, event: Mapping[str, Any]) -> bytes:
    """A frame for an event as boto3 shows it (``{"contentBlockDelta": {...}}``), by the model's event stream shape.

    Raises:
        KeyError: the stream has no such event.
    """
    ((name, value),) = event.items()
    shape = stream_shape.members[name]
    headers = {":event-type": name}
    if shape.metadata.get("exception"):
        headers = {":exception-type": name}
    kind = "exception" if ":exception-type" in headers else "event"
    payload_name = next(
        (key for key, member in shape.members.items() if member.serialization.get("eventpayload")), None
    )
    if payload_name and shape.members[payload_name].type_name == "blob":
        content_type, payload = "application/octet-stream", bytes(value.get(payload_name, b""))
    else:
        content_type, payload = "application/json", serialize.json_bytes(shape, value)
    return encode(payload, {**headers, ":content-type": content_type, ":message-type": kind})


def encode_error(code: str, message: str) -> bytes:
    """An exception frame, as a stream ends that failed after its headers were sent."""
    name = code[:1].lower() + code[1:]
    payload = json.dumps({"message": message}).encode()
    return encode(
        payload, {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    )


def stream_shape(operation_model: Any) -> Any | None:
    """The event stream member of an operation's output, if it has one."""
    shape = operation_model.output_shape
    member = (
        next((m for m in shape.members.values() if m.serialization.get("eventstream")), None)
        if shape
        else None
    )
    return member or (
        operation_model.get_event_stream_output() if operation_model.has_event_stream_output else None
    )
