"""Results to response bodies: the output side of AWS's protocols, by shape."""

from __future__ import annotations

import base64
import email.utils
import json
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

import botocore.serialize
import botocore.utils

from ringwall.sandbox.wire import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ringwall.sandbox.resolve import Resolution

_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_S3_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def serialize(resolution: Resolution, result: Mapping[str, Any], request_id: str) -> HttpResponse:
    """A successful response with ``result`` (boto3's spelling) in the client's protocol."""
    return _PROTOCOLS[resolution.protocol](resolution, result, request_id)


def _moment(value: Any) -> datetime:
    moment: datetime = value if isinstance(value, datetime) else botocore.utils.parse_timestamp(value)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _iso8601(value: Any) -> str:
    moment = _moment(value)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + (
        f".{moment.microsecond // 1000:03d}Z" if moment.microsecond else "Z"
    )


def _epoch(value: Any) -> float | int:
    seconds = round(_moment(value).timestamp(), 3)
    return int(seconds) if seconds == int(seconds) else seconds


def _rfc822(value: Any) -> str:
    return email.utils.format_datetime(_moment(value).replace(microsecond=0), usegmt=True)


_TIMESTAMPS: Mapping[str, Callable[[Any], Any]] = {
    "iso8601": _iso8601,
    "unixtimestamp": _epoch,
    "rfc822": _rfc822,
}


def _timestamp(shape: Any, value: Any, default: str) -> Any:
    return _TIMESTAMPS[shape.serialization.get("timestampFormat", default).lower()](value)


def _blob(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


# --- JSON ---------------------------------------------------------------------------------------------------------


def to_json(shape: Any, value: Any) -> Any:
    """A value as the JSON protocols write it; members that the shape does not have are left out."""
    if getattr(shape, "is_document_type", False):
        return value
    write = _TO_JSON.get(shape.type_name)
    return write(shape, value) if write else value


def _json_structure(shape: Any, value: Any) -> dict[str, Any]:
    return {
        member.serialization.get("name", name): to_json(member, value[name])
        for name, member in shape.members.items()
        if value.get(name) is not None
    }


def _json_number(_: Any, value: Any) -> Any:
    if math.isfinite(float(value)):
        return value
    return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(float(value), "NaN")


_TO_JSON: Mapping[str, Callable[[Any, Any], Any]] = {
    "structure": _json_structure,
    "list": lambda shape, value: [to_json(shape.member, item) for item in value],
    "map": lambda shape, value: {key: to_json(shape.value, item) for key, item in value.items()},
    "timestamp": lambda shape, value: _timestamp(shape, value, "unixtimestamp"),
    "blob": lambda _, value: base64.b64encode(_blob(value)).decode(),
    "float": _json_number,
    "double": _json_number,
}


def json_bytes(shape: Any, value: Mapping[str, Any]) -> bytes:
    """A structure as compact JSON."""
    return json.dumps(to_json(shape, value), separators=(",", ":")).encode()


def _json(resolution: Resolution, result: Mapping[str, Any], request_id: str) -> HttpResponse:
    shape = resolution.model.output_shape
    version = resolution.model.service_model.metadata.get("jsonVersion", "1.1")
    body = json_bytes(shape, result) if shape is not None else b""
    return HttpResponse(
        200, {"Content-Type": f"application/x-amz-json-{version}", "x-amzn-RequestId": request_id}, body
    )


# --- REST ---------------------------------------------------------------------------------------------------------


def _rest_json(resolution: Resolution, result: Mapping[str, Any], request_id: str) -> HttpResponse:
    response = _rest(resolution, result)
    response.headers.setdefault("Content-Type", "application/json")
    response.headers["x-amzn-RequestId"] = request_id
    if not response.body and _body_members(resolution.model.output_shape):
        response.body = _structure_without_locations(resolution.model.output_shape, result)
    return response


def _structure_without_locations(shape: Any, result: Mapping[str, Any]) -> bytes:
    inside = {name: result[name] for name in _body_members(shape) if result.get(name) is not None}
    return json_bytes(shape, inside)


def _body_members(shape: Any) -> tuple[str, ...]:
    if shape is None or shape.serialization.get("payload"):
        return ()
    return tuple(name for name, member in shape.members.items() if not member.serialization.get("location"))


def _rest_xml(resolution: Resolution, result: Mapping[str, Any], request_id: str) -> HttpResponse:
    response = _rest(resolution, result)
    response.headers["x-amz-request-id"] = request_id[:16].upper()
    response.headers["x-amz-id-2"] = base64.b64encode(request_id.encode()).decode()
    shape = resolution.model.output_shape
    members = _body_members(shape)
    if resolution.operation == "GetBucketLocation":
        response.body = _bucket_location(result)
    elif members:
        inside = {name: result[name] for name in members if result.get(name) is not None}
        name = _root_name(resolution)
        response.body = _document(shape, inside, name)
    if response.body and "Content-Type" not in response.headers:
        response.headers["Content-Type"] = "application/xml"
    return response


def _root_name(resolution: Resolution) -> str:
    names = {"ListObjects": "ListBucketResult", "ListObjectsV2": "ListBucketResult"}
    shape = resolution.model.output_shape
    default = shape.serialization.get("name") or shape.serialization.get("resultWrapper") or shape.name
    return names.get(
        resolution.operation, str(default).removesuffix("Output") + "Result" * str(default).endswith("Output")
    )


def _document(shape: Any, value: Any, name: str) -> bytes:
    uri = (shape.serialization.get("xmlNamespace") or {}).get("uri") if shape.serialization else None
    attributes = f' xmlns="{uri or _S3_NAMESPACE}"'
    return (_XML + _element(shape, value, name, "iso8601", attributes)).encode()


def _bucket_location(result: Mapping[str, Any]) -> bytes:
    location = result.get("LocationConstraint") or ""
    return (
        f'{_XML}<LocationConstraint xmlns="{_S3_NAMESPACE}">{escape(location)}</LocationConstraint>'.encode()
    )


def _rest(resolution: Resolution, result: Mapping[str, Any]) -> HttpResponse:
    operation = resolution.model
    response = HttpResponse(int(operation.http.get("responseCode", 200)))
    shape = operation.output_shape
    if shape is None:
        return response
    for name, member in shape.members.items():
        value = result.get(name)
        if value is not None and member.serialization.get("location"):
            _to_location(response, member, name, value)
    payload = shape.serialization.get("payload")
    if payload and result.get(payload) is not None:
        _write_payload(response, resolution, shape.members[payload], result[payload])
    return response


def _to_location(response: HttpResponse, member: Any, name: str, value: Any) -> None:
    location = member.serialization["location"]
    key = member.serialization.get("name", name)
    if location == "statusCode":
        response.status = int(value)
    elif location == "header":
        response.headers[key] = _header_text(member, value)
    elif location == "headers":
        response.headers.update({f"{key}{suffix}": str(text) for suffix, text in value.items()})


def _header_text(member: Any, value: Any) -> str:
    if member.type_name == "timestamp":
        return str(_timestamp(member, value, "rfc822"))
    if member.type_name == "boolean":
        return "true" if value else "false"
    if member.type_name == "list":
        return ",".join(str(item) for item in value)
    if member.serialization.get("jsonvalue"):
        return base64.b64encode(json.dumps(value).encode()).decode()
    return str(value)


def _write_payload(response: HttpResponse, resolution: Resolution, member: Any, value: Any) -> None:
    if member.type_name in {"blob", "string"}:
        response.body = _blob(value)
    elif resolution.protocol == "rest-xml":
        response.body = _document(member, value, str(member.serialization.get("name", member.name)))
    else:
        response.body = json.dumps(to_json(member, value)).encode()


# --- XML ----------------------------------------------------------------------------------------------------------


def _element(shape: Any, value: Any, name: str, timestamps: str, attributes: str = "") -> str:
    inner = _xml_value(shape, value, timestamps)
    own = _own_attributes(shape, value)
    return f"<{name}{attributes}{own}>{inner}</{name}>"


def _own_attributes(shape: Any, value: Any) -> str:
    if shape.type_name != "structure":
        return ""
    texts = []
    for name, member in shape.members.items():
        if member.serialization.get("xmlAttribute") and value.get(name) is not None:
            key = member.serialization.get("name", name)
            if key.startswith("xsi:"):
                texts.append(' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"')
            texts.append(f" {key}={quoteattr(str(value[name]))}")
    return "".join(texts)


def _xml_value(shape: Any, value: Any, timestamps: str) -> str:
    kind = shape.type_name
    if kind == "structure":
        return "".join(_structure_members(shape, value, timestamps))
    if kind == "list":
        name = shape.member.serialization.get("name", "member")
        return "".join(_element(shape.member, item, name, timestamps) for item in value)
    if kind == "map":
        return "".join(f"<entry>{entry}</entry>" for entry in _map_entries(shape, value, timestamps))
    if kind == "timestamp":
        return str(_timestamp(shape, value, timestamps))
    return _xml_scalar(kind, value)


def _xml_scalar(kind: str, value: Any) -> str:
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "blob":
        return base64.b64encode(_blob(value)).decode()
    return escape(str(value), {"\r": "&#13;"})


def _map_entries(shape: Any, value: Mapping[str, Any], timestamps: str) -> Iterable[str]:
    key_name = shape.key.serialization.get("name", "key")
    value_name = shape.value.serialization.get("name", "value")
    for key, item in value.items():
        yield _element(shape.key, key, key_name, timestamps) + _element(
            shape.value, item, value_name, timestamps
        )


def _structure_members(shape: Any, value: Mapping[str, Any], timestamps: str) -> Iterable[str]:
    for name, member in shape.members.items():
        item = value.get(name)
        if item is None or member.serialization.get("xmlAttribute") or member.serialization.get("location"):
            continue
        key = str(member.serialization.get("name", name))
        if member.serialization.get("flattened"):
            yield from _flattened(member, item, key, timestamps)
        else:
            yield _element(member, item, key, timestamps)


def _flattened(member: Any, value: Any, key: str, timestamps: str) -> Iterable[str]:
    if member.type_name == "map":
        for entry in _map_entries(member, value, timestamps):
            yield f"<{key}>{entry}</{key}>"
        return
    name = str(member.serialization.get("name") or member.member.serialization.get("name", key))
    for item in value:
        yield _element(member.member, item, name, timestamps)


def _query(resolution: Resolution, result: Mapping[str, Any], request_id: str) -> HttpResponse:
    operation = resolution.model
    shape = operation.output_shape
    namespace = operation.service_model.metadata.get("xmlNamespace", "")
    inner = ""
    if shape is not None:
        content = "".join(_structure_members(shape, result, "iso8601"))
        wrapper = shape.serialization.get("resultWrapper")
        inner = f"<{wrapper}>{content}</{wrapper}>" if wrapper else content
    name = f"{resolution.operation}Response"
    body = (
        f'<{name} xmlns="{namespace}">{inner}'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{name}>"
    )
    return HttpResponse(200, {"Content-Type": "text/xml", "x-amzn-RequestId": request_id}, body.encode())


def _ec2(resolution: Resolution, result: Mapping[str, Any], request_id: str) -> HttpResponse:
    operation = resolution.model
    metadata = operation.service_model.metadata
    namespace = metadata.get("xmlNamespace") or f"http://ec2.amazonaws.com/doc/{metadata['apiVersion']}/"
    shape = operation.output_shape
    inner = (
        "".join(_structure_members(shape, result, "iso8601"))
        if shape is not None
        else "<return>true</return>"
    )
    name = f"{resolution.operation}Response"
    body = f'{_XML}<{name} xmlns="{namespace}"><requestId>{request_id}</requestId>{inner}</{name}>'
    return HttpResponse(
        200, {"Content-Type": "text/xml;charset=UTF-8", "x-amzn-RequestId": request_id}, body.encode()
    )


# --- CBOR ---------------------------------------------------------------------------------------------------------


class _CborWriter(botocore.serialize.RpcV2CBORSerializer):
    """botocore's encoder of request bodies, which writes any shape."""

    def encode(self, shape: Any, value: Mapping[str, Any]) -> bytes:
        written = bytearray()
        known = {name: value[name] for name in shape.members if name in value}
        write: Any = getattr(self, "_serialize_data_item")  # noqa: B009 - botocore's stubs leave it out
        write(written, known, shape)
        return bytes(written)


def cbor_text_map(members: Mapping[str, str]) -> bytes:
    """A CBOR map of text to text: the form of errors."""
    writer = bytearray([0xA0 + len(members)])
    for text in (item for pair in members.items() for item in pair):
        raw = text.encode()
        head = bytes([0x60 + len(raw)]) if len(raw) < 24 else b"\x79" + len(raw).to_bytes(2, "big")
        writer += head + raw
    return bytes(writer)


def _cbor(resolution: Resolution, result: Mapping[str, Any], request_id: str) -> HttpResponse:
    shape = resolution.model.output_shape
    body = _CborWriter().encode(shape, result) if shape is not None else b"\xa0"
    headers = {
        "Content-Type": "application/cbor",
        "smithy-protocol": "rpc-v2-cbor",
        "x-amzn-RequestId": request_id,
    }
    return HttpResponse(200, headers, body)


_PROTOCOLS: Mapping[str, Callable[[Resolution, Mapping[str, Any], str], HttpResponse]] = {
    "json": _json,
    "rest-json": _rest_json,
    "rest-xml": _rest_xml,
    "query": _query,
    "ec2": _ec2,
    "smithy-rpc-v2-cbor": _cbor,
}
