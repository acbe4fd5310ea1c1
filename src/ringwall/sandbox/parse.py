"""Request bodies to parameters: the input side of AWS's protocols, by shape.

Parameters come out in boto3's spelling, timestamps as aware datetimes, blobs as bytes.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus
from xml.etree import ElementTree as ET

import botocore.parsers
import botocore.utils

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ringwall.sandbox.resolve import Resolution
    from ringwall.sandbox.wire import HttpRequest

_MAX_DEPTH = 64
_ABSENT = object()


class MalformedRequestError(Exception):
    """The body cannot be read as the operation's input."""


def parse(request: HttpRequest, resolution: Resolution) -> dict[str, Any]:
    """Parameters of a request.

    Raises:
        MalformedRequestError: the body is not what the protocol and the operation's shape want.
    """
    shape = resolution.model.input_shape
    if shape is None:
        return {}
    try:
        return _PROTOCOLS[resolution.protocol](request, resolution, shape)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError, ET.ParseError) as error:
        raise MalformedRequestError(str(error)) from error


def timestamp(value: Any) -> datetime:
    """A timestamp in any of AWS's formats, aware."""
    parsed: datetime = botocore.utils.parse_timestamp(value)
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


# --- JSON ---------------------------------------------------------------------------------------------------------


def load_json(body: bytes) -> Any:
    """JSON of bounded depth, UTF-8.

    Raises:
        MalformedRequestError: it is not.
    """
    try:
        value = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise MalformedRequestError(f"the body is not JSON: {error}") from error
    _check_depth(value, 0)
    return value


def _check_depth(value: Any, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise MalformedRequestError("the body is nested too deeply")
    if isinstance(value, dict):
        for item in value.values():
            _check_depth(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check_depth(item, depth + 1)


def _json(request: HttpRequest, _: Resolution, shape: Any) -> dict[str, Any]:
    value = load_json(request.body) if request.body else {}
    return _require_structure(_from_json(shape, value, ""))


def _require_structure(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedRequestError("the body is not a JSON object")
    return value


def _from_json(shape: Any, value: Any, path: str) -> Any:
    if getattr(shape, "is_document_type", False):
        return value
    return _FROM_JSON.get(shape.type_name, _scalar_from_json)(shape, value, path)


def _structure_from_json(shape: Any, value: Any, path: str) -> dict[str, Any]:
    _expect(value, dict, path)
    result = {}
    for name, member in shape.members.items():
        item = value.get(member.serialization.get("name", name))
        if item is not None:
            result[name] = _from_json(member, item, f"{path}/{name}")
    return result


def _list_from_json(shape: Any, value: Any, path: str) -> list[Any]:
    _expect(value, list, path)
    return [_from_json(shape.member, item, f"{path}/{index}") for index, item in enumerate(value)]


def _map_from_json(shape: Any, value: Any, path: str) -> dict[str, Any]:
    _expect(value, dict, path)
    return {
        key: _from_json(shape.value, item, f"{path}/{key}") for key, item in value.items() if item is not None
    }


def _blob_from_json(_: Any, value: Any, path: str) -> bytes:
    _expect(value, str, path)
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise MalformedRequestError(f"{path}: not base64") from error


def _timestamp_from_json(_: Any, value: Any, path: str) -> datetime:
    try:
        return timestamp(value)
    except ValueError as error:
        raise MalformedRequestError(f"{path}: not a timestamp") from error


_SCALARS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "character": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float, str),
    "double": (int, float, str),
}


def _scalar_from_json(shape: Any, value: Any, path: str) -> Any:
    kinds = _SCALARS.get(shape.type_name, (object,))
    if not isinstance(value, kinds) or (
        isinstance(value, bool) and bool not in kinds and object not in kinds
    ):
        raise MalformedRequestError(f"{path}: {shape.type_name} expected")
    return value


def _expect(value: Any, kind: type, path: str) -> None:
    if not isinstance(value, kind):
        names = {"dict": "an object", "list": "a list", "str": "a string"}
        raise MalformedRequestError(f"{path or '/'}: {names[kind.__name__]} expected")


_FROM_JSON: Mapping[str, Callable[[Any, Any, str], Any]] = {
    "structure": _structure_from_json,
    "list": _list_from_json,
    "map": _map_from_json,
    "blob": _blob_from_json,
    "timestamp": _timestamp_from_json,
}


# --- query and EC2 ------------------------------------------------------------------------------------------------


def _query(request: HttpRequest, _: Resolution, shape: Any) -> dict[str, Any]:
    value = _FormReader(request.form, ec2=False).structure(shape, "")
    return {} if value is _ABSENT else value


def _ec2(request: HttpRequest, _: Resolution, shape: Any) -> dict[str, Any]:
    value = _FormReader(request.form, ec2=True).structure(shape, "")
    return {} if value is _ABSENT else value


class _FormReader:
    """Reads ``Filter.1.Value.1=...`` parameters by shape."""

    def __init__(self, form: Mapping[str, str], *, ec2: bool) -> None:
        self._form = form
        self._ec2 = ec2
        self._prefixes = self._all_prefixes(form)

    @staticmethod
    def _all_prefixes(form: Mapping[str, str]) -> frozenset[str]:
        found: set[str] = set()
        for name in form:
            parts = name.split(".")
            found.update(".".join(parts[:count]) for count in range(1, len(parts) + 1))
        return frozenset(found)

    def value(self, shape: Any, prefix: str) -> Any:
        if prefix not in self._prefixes:
            return _ABSENT
        if shape.type_name == "structure":
            return self.structure(shape, prefix)
        if shape.type_name == "list":
            return self._list(shape, prefix)
        if shape.type_name == "map":
            return self._map(shape, prefix)
        text = self._form.get(prefix)
        return _ABSENT if text is None else from_text(shape, text)

    def structure(self, shape: Any, prefix: str) -> Any:
        result = {}
        for name, member in shape.members.items():
            key = self._member_key(member, name)
            item = self.value(member, f"{prefix}.{key}" if prefix else key)
            if item is not _ABSENT:
                result[name] = item
        return result

    def _member_key(self, member: Any, name: str) -> str:
        serialization = member.serialization
        if self._ec2:
            if "queryName" in serialization:
                return str(serialization["queryName"])
            if "name" in serialization:
                return str(serialization["name"][0].upper() + serialization["name"][1:])
            return name
        if member.type_name == "list" and serialization.get("flattened"):
            return str(member.member.serialization.get("name") or serialization.get("name", name))
        return str(serialization.get("name", name))

    def _list(self, shape: Any, prefix: str) -> list[Any]:
        flat = self._ec2 or shape.serialization.get("flattened")
        base = prefix if flat else f"{prefix}.{shape.member.serialization.get('name', 'member')}"
        result = []
        for index in range(1, len(self._form) + 1):
            item = self.value(shape.member, f"{base}.{index}")
            if item is _ABSENT:
                break
            result.append(item)
        return result

    def _map(self, shape: Any, prefix: str) -> dict[str, Any]:
        base = prefix if shape.serialization.get("flattened") else f"{prefix}.entry"
        key_name = shape.key.serialization.get("name", "key")
        value_name = shape.value.serialization.get("name", "value")
        result = {}
        for index in range(1, len(self._form) + 1):
            key = self.value(shape.key, f"{base}.{index}.{key_name}")
            if key is _ABSENT:
                break
            item = self.value(shape.value, f"{base}.{index}.{value_name}")
            result[key] = "" if item is _ABSENT else item
        return result


def from_text(shape: Any, text: str) -> Any:
    """A scalar written as text (form values, headers, XML)."""
    match shape.type_name:
        case "boolean":
            return text.lower() == "true"
        case "integer" | "long":
            return int(text)
        case "float" | "double":
            return float(text)
        case "timestamp":
            return timestamp(text)
        case "blob":
            return base64.b64decode(text)
        case _:
            return text


# --- REST ---------------------------------------------------------------------------------------------------------


def _rest_json(request: HttpRequest, resolution: Resolution, shape: Any) -> dict[str, Any]:
    return _rest(request, resolution, shape, _rest_json_body)


def _rest_xml(request: HttpRequest, resolution: Resolution, shape: Any) -> dict[str, Any]:
    return _rest(request, resolution, shape, _rest_xml_body)


def _rest(
    request: HttpRequest, resolution: Resolution, shape: Any, read_body: Callable[[Any, bytes], Any]
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, member in shape.members.items():
        value = _from_location(request, resolution.labels, name, member)
        if value is not _ABSENT:
            result[name] = value
    payload = shape.serialization.get("payload")
    if payload:
        value = _payload(shape.members[payload], request.body, read_body)
        if value is not _ABSENT:
            result[payload] = value
    elif request.body and any(not member.serialization.get("location") for member in shape.members.values()):
        result.update(_require_structure(read_body(shape, request.body)))
    return result


def _payload(member: Any, body: bytes, read_body: Callable[[Any, bytes], Any]) -> Any:
    if member.type_name == "blob":
        return body
    if not body:
        return _ABSENT
    return body.decode("utf-8") if member.type_name == "string" else read_body(member, body)


def _from_location(request: HttpRequest, labels: Mapping[str, str], name: str, member: Any) -> Any:
    location = member.serialization.get("location")
    key = member.serialization.get("name", name)
    if location == "uri":
        return from_text(member, labels[key]) if key in labels else _ABSENT
    if location == "querystring":
        return _from_query(request, member, key)
    if location == "header":
        return _from_header(member, request.headers.get(key.lower()))
    if location == "headers":
        prefix = key.lower()
        found = {n[len(prefix) :]: value for n, value in request.headers.items() if n.startswith(prefix)}
        return found or _ABSENT
    return _ABSENT


def _from_query(request: HttpRequest, member: Any, key: str) -> Any:
    query = request.query_parameters
    if member.type_name == "map":
        return query or _ABSENT
    if key not in query:
        return _ABSENT
    if member.type_name == "list":
        names = [part.partition("=") for part in request.query.split("&")]
        return [from_text(member.member, _decode(value)) for name, _, value in names if _decode(name) == key]
    return from_text(member, query[key])


def _decode(text: str) -> str:
    return unquote_plus(text)


def _from_header(member: Any, text: str | None) -> Any:
    if text is None:
        return _ABSENT
    if member.type_name == "list":
        return [from_text(member.member, part.strip()) for part in text.split(",")]
    if member.serialization.get("jsonvalue"):
        return json.loads(base64.b64decode(text))
    return from_text(member, text)


def _rest_json_body(shape: Any, body: bytes) -> Any:
    # Members of the body alone: those of the path and the headers must not be taken from it.
    value = load_json(body)
    if shape.type_name != "structure" or getattr(shape, "is_document_type", False):
        return _from_json(shape, value, "")
    _expect(value, dict, "")
    elsewhere = {
        member.serialization.get("name", name)
        for name, member in shape.members.items()
        if member.serialization.get("location")
    }
    return _from_json(shape, {key: item for key, item in value.items() if key not in elsewhere}, "")


def _rest_xml_body(shape: Any, body: bytes) -> Any:
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise MalformedRequestError("document type declarations are not allowed")
    return _from_xml(shape, ET.fromstring(body))  # noqa: S314 - declarations, hence entities, are refused above


def _tag(node: ET.Element) -> str:
    return node.tag.rsplit("}", 1)[-1]


def _from_xml(shape: Any, node: ET.Element) -> Any:
    if shape.type_name == "structure":
        return _structure_from_xml(shape, node)
    if shape.type_name == "list":
        return [_from_xml(shape.member, child) for child in node]
    if shape.type_name == "map":
        return _map_from_xml(shape, node)
    return from_text(shape, node.text or "")


def _structure_from_xml(shape: Any, node: ET.Element) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, member in shape.members.items():
        if member.serialization.get("location"):
            continue
        key = str(member.serialization.get("name", name))
        if member.serialization.get("xmlAttribute"):
            value = next(
                (
                    text
                    for attribute, text in node.attrib.items()
                    if attribute.endswith(key.rsplit(":", maxsplit=1)[-1])
                ),
                None,
            )
            if value is not None:
                result[name] = value
            continue
        flattened = member.type_name == "list" and member.serialization.get("flattened")
        if flattened:
            key = str(member.serialization.get("name") or member.member.serialization.get("name", name))
        children = [child for child in node if _tag(child) == key]
        if children:
            result[name] = (
                [_from_xml(member.member, child) for child in children]
                if flattened
                else _from_xml(member, children[0])
            )
    return result


def _map_from_xml(shape: Any, node: ET.Element) -> dict[str, Any]:
    key_name = shape.key.serialization.get("name", "key")
    value_name = shape.value.serialization.get("name", "value")
    result = {}
    for entry in node:
        found = {_tag(child): child for child in entry}
        result[found[key_name].text or ""] = _from_xml(shape.value, found[value_name])
    return result


# --- CBOR ---------------------------------------------------------------------------------------------------------


def _cbor(request: HttpRequest, _: Resolution, shape: Any) -> dict[str, Any]:
    if not request.body:
        return {}
    parser = botocore.parsers.create_parser("smithy-rpc-v2-cbor")
    message = {"body": request.body, "headers": {"smithy-protocol": "rpc-v2-cbor"}, "status_code": 200}
    value: dict[str, Any] = parser.parse(message, shape)
    value.pop("ResponseMetadata", None)
    return value


_PROTOCOLS: Mapping[str, Callable[[HttpRequest, Resolution, Any], dict[str, Any]]] = {
    "json": _json,
    "rest-json": _rest_json,
    "rest-xml": _rest_xml,
    "query": _query,
    "ec2": _ec2,
    "smithy-rpc-v2-cbor": _cbor,
}
