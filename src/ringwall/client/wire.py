"""What a prepared request really says: read from the method, URL, headers and bytes that leave."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from botocore.utils import determine_content_length

from ringwall.client.body import ASYNCHRONOUS, body_mode, is_text, json_object, outline
from ringwall.client.operations import AGENTS, KNOWLEDGE
from ringwall.client.transport import host_of, parts_of

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/,\s]+)/\d{8}/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)/aws4_request, "
    r"SignedHeaders=(?P<signed>[a-z0-9;-]+), Signature=[0-9a-f]{64}"
).fullmatch
"""SigV4, as botocore writes it. What says more, or something twice, could be read in two ways."""
BODY_GUARDRAIL: Mapping[str, tuple[str, str, str]] = {
    "Converse": ("guardrailConfig", "guardrailIdentifier", "guardrailVersion"),
    "ConverseStream": ("guardrailConfig", "guardrailIdentifier", "guardrailVersion"),
    "Retrieve": ("guardrailConfiguration", "guardrailId", "guardrailVersion"),
}
HEADER_METADATA = "x-amzn-bedrock-request-metadata"
HEADER_GUARDRAIL = ("x-amzn-bedrock-guardrailidentifier", "x-amzn-bedrock-guardrailversion")
REREADING = frozenset({"content-encoding", "transfer-encoding", "host"})
"""Headers that say how a body is to be read, or by whom. botocore gives an inference call none of them."""
REROUTING = frozenset({"x-amz-target", "smithy-protocol", "x-http-method-override"})
"""Headers by which other protocols than Bedrock's name the operation."""
_NAME = re.compile(r"[A-Za-z0-9-]+").fullmatch


SEARCHING = KNOWLEDGE | AGENTS
QUERYLESS = frozenset(
    {
        "Converse",
        "ConverseStream",
        "InvokeModel",
        "InvokeModelWithResponseStream",
        "CountTokens",
        "ApplyGuardrail",
    }
)
"""Operations whose URL has no query."""


class Routes:
    """The operations of a service by method and path, from botocore's model of it."""

    def __init__(self, model: Any) -> None:
        self._routes: dict[tuple[str, int], list[tuple[str, tuple[str, ...]]]] = {}
        for name in model.operation_names:
            http = model.operation_model(name).http
            parts = tuple(http["requestUri"].partition("?")[0].split("/"))
            self._routes.setdefault((http["method"], len(parts)), []).append((name, parts))

    def find(self, method: str, path: str) -> tuple[str | None, dict[str, str]]:
        """The operation of a request and the values in its path, or ``None`` where no operation has such a path."""
        given = path.split("/")
        for name, parts in self._routes.get((method, len(given)), []):
            if all(part == value or part.startswith("{") for part, value in zip(parts, given, strict=True)):
                labels = zip(parts, given, strict=True)
                return name, {part[1:-1]: unquote(value) for part, value in labels if part.startswith("{")}
        return None, {}


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as the network will see it.

    Attributes:
        scheme: ``https`` or ``http``.
        host: ``host:port``, in lower case; ``None`` where the URL is not plain.
        operation: operation by method and path, or ``None`` where there is none.
        labels: values in the path, by the API's names (``modelId``, ``knowledgeBaseId``, ...).
        guardrail: guardrail identifier carried.
        version: its version.
        metadata: request metadata carried.
        members: the body of a search or of an agent's call.
        asynchronous: whether a stream is let out before the guardrail has read it.
        signed: whether the Authorization header is SigV4's.
        scope: access key, Region and service of the signature.
        signed_headers: names covered by the signature.
        misdirected: whether the Host header names another host than the URL.
        misframed: whether headers say another length of the body than it has, or are none.
        rerouted: whether a header or the query says something about the operation too.
    """

    scheme: str
    host: str | None
    operation: str | None
    labels: Mapping[str, str] = field(default_factory=dict)
    guardrail: str | None = None
    version: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    members: Mapping[str, Any] = field(default_factory=dict)
    asynchronous: bool = False
    signed: bool = False
    scope: tuple[str, str, str] = ("", "", "")
    signed_headers: frozenset[str] = frozenset()
    misdirected: bool = False
    misframed: bool = False
    rerouted: bool = False


def read(request: Any, routes: Routes) -> Sent:
    """Read a botocore ``AWSPreparedRequest``."""
    url = parts_of(request.url)
    if url is None:
        return Sent("", None, None)
    headers = {name.lower(): _text(value) for name, value in request.headers.items()}
    operation, labels = routes.find(str(request.method), url["path"] or "")
    guardrail, version, asynchronous, metadata = _carried(operation, labels, headers, request.body)
    members: Mapping[str, Any] = {}
    if operation in SEARCHING and request.body not in (b"{}", b"", None):
        members = json_object(request.body) if type(request.body) in (bytes, str) else {}
        guardrail = guardrail if members else ""  # what cannot be read could name another
    signature = AUTHORIZATION(headers.get("authorization", ""))
    return Sent(
        scheme=url["scheme"],
        host=host_of(request.url),
        operation=operation,
        labels=labels,
        guardrail=guardrail,
        version=version,
        metadata=metadata,
        members=members,
        asynchronous=asynchronous,
        signed=signature is not None,
        scope=("", "", "")
        if signature is None
        else (signature["key"], signature["region"], signature["service"]),
        signed_headers=frozenset() if signature is None else frozenset(signature["signed"].split(";")),
        misdirected="host" in headers
        and host_of(f"{url['scheme']}://{headers['host']}") != host_of(request.url),
        misframed=_misframed(headers, request.body),
        rerouted=not REROUTING.isdisjoint(headers) or (operation in QUERYLESS and bool(url["query"])),
    )


def _misframed(headers: Mapping[str, str], body: Any) -> bool:
    """Whether a reader of the headers would take another part of the connection for the body.

    Readers differ on names with a space at the end, and on values that go on in another line.
    """
    if not all(_NAME(name) and "\n" not in value and "\r" not in value for name, value in headers.items()):
        return True
    length = determine_content_length(body.encode() if isinstance(body, str) else body)
    if length is None:  # a stream of unknown length goes in chunks
        return False
    return "transfer-encoding" in headers or headers.get("content-length", str(length)) != str(length)


_Carried = tuple[str | None, str | None, bool, Mapping[str, Any]]
"""Guardrail, its version, whether the stream goes out unread, and metadata."""
_NOTHING: _Carried = (None, None, False, {})


def _carried(
    operation: str | None, labels: Mapping[str, str], headers: Mapping[str, str], body: Any
) -> _Carried:
    if operation is not None and operation in BODY_GUARDRAIL:
        section, identifier, version = BODY_GUARDRAIL[operation]
        whole = json_object(body) if type(body) in (bytes, str) else {}
        if (not whole and body) or "content-encoding" in headers:
            return "", None, False, {}
        given, metadata = whole.get(section), whole.get("requestMetadata")
        if not isinstance(given, Mapping):
            return _NOTHING
        late = given.get("streamProcessingMode") in ASYNCHRONOUS
        pair = _optional(given.get(identifier)), _optional(given.get(version))
        return *pair, late, metadata if isinstance(metadata, Mapping) else {}
    if operation in ("InvokeModel", "InvokeModelWithResponseStream"):
        late = operation != "InvokeModel" and _late(body)
        metadata = json_object(headers.get(HEADER_METADATA, ""))
        return headers.get(HEADER_GUARDRAIL[0]), headers.get(HEADER_GUARDRAIL[1]), late, metadata
    if operation == "ApplyGuardrail":
        return labels["guardrailIdentifier"], labels["guardrailVersion"], False, {}
    return _NOTHING


def _late(data: Any) -> bool:
    """Whether the stream goes out unread, as one must assume of a body that cannot be read."""
    body = outline(data) if is_text(data) else {}
    return not body or body_mode(body) in ASYNCHRONOUS


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _optional(value: Any) -> str | None:
    return None if value is None else str(value)
