"""The last look at a request, on the bytes that leave.

A request is read in full unless it is plain: the one that was read in full and passed before, but for what differs from
call to call. What is plain is recognised by a few comparisons:

- method and URL are that request's;
- its headers have that request's names, in that order, and no line break in them. The Authorization header is the same
  but for the signature at its end, Content-Length is the body's, and none says another way to read the body;
- the guardrail's headers are the same pair, and the metadata's hold what is declared; or the body is the very object that
  botocore serialised, in which no name stands twice, and begins with the pinned pair.

Whatever differs in the least is no violation yet: it is read in full.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from botocore.awsrequest import HeadersDict

from ringwall.client.body import json_object
from ringwall.client.call import Call
from ringwall.client.keys import Keys
from ringwall.client.operations import (
    CARRIERS,
    HEADER_CARRIERS,
    INVOKING,
    MODEL_ONLY,
)
from ringwall.client.rules import Rules
from ringwall.client.wire import (
    HEADER_GUARDRAIL,
    HEADER_METADATA,
    REREADING,
    Routes,
    Sent,
    read,
)

REMEMBERED = 512
"""Requests whose method and URL are kept; one use calls few models."""


class Verifier:
    """Checks every request of one client; given botocore's prepared request, raises to keep it from leaving.

    Args:
        service: botocore's name of the service.
        model: botocore's model of it.
        rules: gives the rules.
        hosts: ``host:port`` that may be called.
        keys: the access keys that the client may sign with.
    """

    def __init__(
        self, service: str, model: Any, rules: Callable[[], Rules], hosts: frozenset[str], keys: Keys
    ) -> None:
        self._service = service
        self._routes = Routes(model)
        self._rules = rules
        self._hosts = hosts
        self._keys = keys
        self._passed: dict[tuple[str, str], _Plain] = {}

    def __call__(self, request: Any, call: Call | None) -> None:
        """Let a request of a call pass, or raise.

        Raises:
            PerimeterViolation: it would leave the perimeter.
        """
        plain = self._passed.get((request.method, request.url))
        if plain is not None and plain.is_met_by(request, call):
            return
        sent = read(request, self._routes)
        self._verify(sent)
        if sent.operation in INVOKING:
            if len(self._passed) >= REMEMBERED:
                self._passed.clear()
            learned = _learned(sent.operation, request, self._rules())
            if learned is not None:
                self._passed[request.method, request.url] = learned

    def _verify(self, sent: Sent) -> None:
        rules, service, operation = self._rules(), self._service, sent.operation
        if sent.host is None:
            raise rules.violation("endpoint-not-declared", "its URL can be read in two ways", "Unknown")
        if operation is None:
            reason = f"{service} has no operation of that path"
            raise rules.violation("operation-not-guarded", reason, "Unknown")
        self._verify_transport(sent, operation)
        rules.check_operation(service, operation, {**sent.members, **sent.labels})
        if operation in INVOKING or operation in MODEL_ONLY:
            rules.check_model(sent.labels.get("modelId"), operation)
        if operation in CARRIERS or sent.guardrail is not None:
            rules.check_guardrail(sent.guardrail, sent.version, operation)
        if sent.asynchronous:
            rules.check_stream_mode(operation)
        if operation in INVOKING and rules.metadata:
            rules.check_metadata(sent.metadata, operation)
        if operation in HEADER_CARRIERS and not sent.signed_headers.issuperset(_to_be_signed(rules)):
            reason = "the guardrail headers are not covered by the signature"
            raise rules.violation("guardrail-not-signed", reason, operation, "guardrail")
        if not self._keys.hold(sent.scope[0]):
            reason = "the request is signed with other credentials than the session's"
            raise rules.violation("credentials-not-declared", reason, operation)

    def _verify_transport(self, sent: Sent, operation: str) -> None:
        rules = self._rules()
        if sent.host not in self._hosts:
            reason = f"{sent.host} is not a declared endpoint"
            raise rules.violation("endpoint-not-declared", reason, operation)
        if sent.scheme != "https":
            raise rules.violation("tls-required", "the endpoint is not HTTPS", operation)
        if sent.misdirected:
            reason = "the Host header names another host than the URL"
            raise rules.violation("endpoint-not-declared", reason, operation)
        if sent.misframed:
            reason = "its headers do not say the length of the body: a second request could hide in it"
            raise rules.violation("body-not-whole", reason, operation)
        if not sent.signed:
            raise rules.violation("sigv4-only", "the request does not carry a SigV4 signature", operation)
        if sent.rerouted:
            reason = "a header or the query of the request may name another operation than its path"
            raise rules.violation("operation-not-guarded", reason, operation)
        _, region, name = sent.scope
        rules.check_region(region, operation)
        if name != "bedrock":
            raise rules.violation("sigv4-only", f"the signature is for {name}, not bedrock", operation)


def _to_be_signed(rules: Rules) -> frozenset[str]:
    """Headers that the signature of an InvokeModel must cover."""
    return frozenset(HEADER_GUARDRAIL) | ({HEADER_METADATA} if rules.metadata else set())


class _Plain:
    """How an untouched request of an inference operation looks, by one that was read in full and passed.

    Attributes:
        names: of its headers, in lower case and in order.
        values: matches their values, one a line, without the length.
        metadata: what the value in the match's group must hold, where metadata stands in a header.
        body: how the body begins, where the guardrail stands in it.
    """

    __slots__ = ("_body", "_length", "_metadata", "_names", "_values")

    def __init__(
        self,
        names: list[str],
        values: Callable[[bytes], re.Match[bytes] | None],
        metadata: Mapping[str, str],
        body: tuple[bytes, ...] | None,
    ) -> None:
        self._names = names
        self._length = names.index(LENGTH)
        self._values = values
        self._metadata = metadata
        self._body = body

    def is_met_by(self, request: Any, call: Call | None) -> bool:
        """Whether another request of the same method and URL is plain."""
        body, headers = request.body, request.headers
        if type(body) is not bytes or type(headers) is not HeadersDict:
            return False
        names, values = _taken_apart(headers)
        if (
            names != self._names
            or values.pop(self._length) != str(len(body))
            or {*map(type, values)} != _BYTES
        ):
            return False
        text = b"\n".join(values)
        found = self._values(text)
        if found is None or b"\r" in text:
            return False
        if self._body is not None:
            return call is not None and call.serialized is body and body.startswith(self._body)
        return not self._metadata or self._metadata.items() <= json_object(found[1]).items()


LENGTH = "content-length"
_BYTES = {bytes}
_lower = attrgetter("_lower")


def _taken_apart(headers: HeadersDict) -> tuple[list[str], list[Any]]:
    """Botocore's headers: names in lower case, and values. To ask them one by one takes longer than all the rest."""
    try:
        found = headers._dict  # noqa: SLF001
        return [*map(_lower, found)], [*found.values()]
    except AttributeError:  # a later botocore has other ones
        return [name.lower() for name in headers], [*headers.values()]


def _learned(operation: str, request: Any, rules: Rules) -> _Plain | None:
    """How an untouched request looks like one that passed; ``None`` where the next one has to be read in full too."""
    if type(request.headers) is not HeadersDict:
        return None
    names, values = _taken_apart(request.headers)
    carries = operation in HEADER_CARRIERS
    unreadable = (
        rules.masks and operation == "InvokeModelWithResponseStream"
    )  # its body says when it goes out
    if unreadable or LENGTH not in names or not REREADING.isdisjoint(names):
        return None
    others = [item for item in zip(names, values, strict=True) if item[0] != LENGTH]
    if {type(value) for _, value in others} != _BYTES:
        return None
    return _Plain(
        names,
        re.compile(b"\n".join(_pattern(*item) for item in others)).fullmatch,
        rules.metadata if carries else {},
        None if carries else _beginnings(operation, rules),
    )


def _pattern(name: str, value: bytes) -> bytes:
    """What the header of an untouched request may hold, where this one passed."""
    if name == "authorization":
        return re.escape(value[:-64]) + rb"[0-9a-f]{64}"
    if name in HEADER_GUARDRAIL:
        return re.escape(value)
    return rb"([^\n]*)" if name == HEADER_METADATA else rb"[^\n]*"


def _beginnings(operation: str, rules: Rules) -> tuple[bytes, ...]:
    """How the JSON of a body begins whose first member is the pinned guardrail."""
    pinned = rules.guardrail
    found = [
        json.dumps(
            {"guardrailConfig": {"guardrailIdentifier": identifier, "guardrailVersion": pinned.version}}
        )
        for identifier in (pinned.arn, pinned.id)
    ]
    # Where a stream must not go out unread, no other setting may stand beside the pair.
    whole = ', "trace": "enabled"}' if rules.masks and operation == "ConverseStream" else ""
    return tuple((text.removesuffix("}}") + whole).encode() for text in found)
