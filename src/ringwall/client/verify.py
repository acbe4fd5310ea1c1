"""The last look at a request, on the bytes that leave.

A request is read in full unless it is plain: byte for byte what botocore makes of a call that was decided and that
nobody has touched since. What is plain is recognised by a few comparisons:

- method and URL are those of a request that was read in full before and passed;
- the Authorization header has SigV4's form, for a declared Region and for Bedrock, and covers the guardrail's headers;
- its headers have the names of that request's and no line break in them, none says another host or another way to read
  the body, and Content-Length is the body's;
- the guardrail's headers are the pinned pair, and the metadata's the declared ones; or the body is the very object that botocore serialised, in which no name
  stands twice, and begins with the pinned pair.

Whatever differs in the least is no violation yet: it is read in full.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from botocore.awsrequest import HeadersDict

from ringwall.client.body import json_object
from ringwall.client.call import Call
from ringwall.client.operations import (
    CARRIERS,
    HEADER_CARRIERS,
    INVOKING,
    MODEL_ONLY,
)
from ringwall.client.rules import Rules
from ringwall.client.wire import (
    AUTHORIZATION,
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
    """

    def __init__(self, service: str, model: Any, rules: Callable[[], Rules], hosts: frozenset[str]) -> None:
        self._service = service
        self._routes = Routes(model)
        self._rules = rules
        self._hosts = hosts
        self._passed: dict[tuple[str, str], str] = {}
        self._form: _PlainForm | None = None

    def __call__(self, request: Any, call: Call | None) -> None:
        """Let a request of a call pass, or raise.

        Raises:
            PerimeterViolation: it would leave the perimeter.
        """
        operation, form = self._passed.get((request.method, request.url)), self._form
        if operation is not None and form is not None and form.holds(operation, request, call):
            return
        sent = read(request, self._routes)
        self._verify(sent)
        if sent.operation in INVOKING:
            if len(self._passed) >= REMEMBERED:
                self._passed.clear()
            self._passed[request.method, request.url] = sent.operation
            form = self._form = self._form or _PlainForm(self._rules())
            form.learn(request.headers)

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
        region, name = sent.scope
        rules.check_region(region, operation)
        if name != "bedrock":
            raise rules.violation("sigv4-only", f"the signature is for {name}, not bedrock", operation)


def _to_be_signed(rules: Rules) -> frozenset[str]:
    """Headers that the signature of an InvokeModel must cover."""
    return frozenset(HEADER_GUARDRAIL) | ({HEADER_METADATA} if rules.metadata else set())


class _PlainForm:
    """How an untouched request of an inference operation looks, under some rules.

    The Authorization header is the same for a day but for the signature at its end: what stood before the last one that
    was read need not be read again.
    """

    def __init__(self, rules: Rules) -> None:
        pinned = rules.guardrail
        self._regions = rules.regions
        self._to_be_signed = _to_be_signed(rules)
        self._metadata = rules.metadata.items()
        self._authorized: dict[bool, bytes] = {}
        self._names = set[str]()
        pairs = [(identifier, pinned.version) for identifier in (pinned.arn, pinned.id)]
        self._headers = {*pairs, *((first.encode(), second.encode()) for first, second in pairs)}
        bodies = tuple(_beginning(identifier, pinned.version) for identifier in (pinned.arn, pinned.id))
        whole = tuple(body + b', "trace": "enabled"}' for body in bodies)
        # Where a stream must not go out unread, no other setting may stand beside the pair.
        self._bodies = {"Converse": bodies, "ConverseStream": whole if rules.masks else bodies}
        self._unreadable = frozenset({"InvokeModelWithResponseStream"} if rules.masks else ())

    def learn(self, headers: Any) -> None:
        """Take the names of a request's headers that was read in full and passed."""
        self._names |= {name.lower() for name in headers} - REREADING

    def holds(self, operation: str, request: Any, call: Call | None) -> bool:
        """Whether a request to a known URL is plain."""
        body = request.body
        if type(request.headers) is not HeadersDict or type(body) is not bytes:
            return False
        given = _by_name(request.headers)
        carries = operation in HEADER_CARRIERS
        if not (
            self._are_plain(given, len(body)) and self._is_signed(given.get("authorization", b""), carries)
        ):
            return False
        if carries:
            pair = given.get(HEADER_GUARDRAIL[0]), given.get(HEADER_GUARDRAIL[1])
            told = not self._metadata or self._metadata <= json_object(given.get(HEADER_METADATA)).items()
            return told and pair in self._headers and operation not in self._unreadable
        return call is not None and call.serialized is body and body.startswith(self._bodies[operation])

    def _are_plain(self, given: dict[str, Any], length: int) -> bool:
        """Whether headers have known names and the body's length, and no line break in them."""
        if given.keys() - self._names or given.pop("content-length", None) != str(length):
            return False
        values = [*given.values()]
        return {*map(type, values)} == _BYTES and b"\n" not in b"".join(values)

    def _is_signed(self, authorization: bytes, carries: bool) -> bool:
        if authorization[:-64] == self._authorized.get(carries) and authorization[-64:].isalnum():
            return True
        found = AUTHORIZATION(authorization.decode("latin-1"))
        if (
            found is None
            or found["region"] not in self._regions
            or found["service"] != "bedrock"
            or (carries and not self._to_be_signed <= set(found["signed"].split(";")))
        ):
            return False
        self._authorized[carries] = authorization[:-64]
        return True


_BYTES = {bytes}


def _by_name(headers: HeadersDict) -> dict[str, Any]:
    """Botocore's headers by lower-case name. To ask them one by one takes longer than all the rest."""
    try:
        return {key._lower: value for key, value in headers._dict.items()}  # noqa: SLF001
    except AttributeError:  # a later botocore has other ones
        return {name.lower(): value for name, value in headers.items()}


def _beginning(identifier: str, version: str) -> bytes:
    """How the JSON of a body begins whose first member is the guardrail, up to the end of its version."""
    pair = json.dumps({"guardrailConfig": {"guardrailIdentifier": identifier, "guardrailVersion": version}})
    return pair.removesuffix("}}").encode()
