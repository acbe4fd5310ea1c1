"""The last look at a request, on the bytes that leave.

A request is read in full unless it is plain: byte for byte what botocore makes of a call that was decided and that
nobody has touched since. What is plain is recognised by a few comparisons:

- method and URL are those of a request that was read in full before and passed;
- the Authorization header has SigV4's form, for a declared Region and for Bedrock, and covers the guardrail's headers;
- no header says another host or another way to read the body, and Content-Length is the body's;
- the guardrail's headers are the pinned pair, or the body is the very object that botocore serialised, in which no name
  stands twice, and begins with the pinned pair.

Whatever differs in the least is no violation yet: it is read in full.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from ringwall.client.call import Call
from ringwall.client.operations import (
    CARRIERS,
    HEADER_CARRIERS,
    INVOKING,
    MODEL_ONLY,
)
from ringwall.client.rules import Rules
from ringwall.client.wire import HEADER_GUARDRAIL, REREADING, SIGV4, Routes, Sent, read

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
        operation = self._passed.get((request.method, request.url))
        if operation is not None and self._form is not None and self._form.holds(operation, request, call):
            return
        sent = read(request, self._routes)
        self._verify(sent)
        if sent.operation in INVOKING:
            if len(self._passed) >= REMEMBERED:
                self._passed.clear()
            self._passed[request.method, request.url] = sent.operation
            self._form = self._form or _PlainForm(self._rules())

    def _verify(self, sent: Sent) -> None:
        rules, service, operation = self._rules(), self._service, sent.operation
        if operation is None:
            reason = f"{service} has no operation of that path"
            raise rules.violation("operation-not-guarded", reason, "Unknown")
        self._verify_transport(sent, operation)
        rules.check_operation(service, operation, sent.labels)
        if operation in INVOKING or operation in MODEL_ONLY:
            rules.check_model(sent.labels.get("modelId"), operation)
        if operation in CARRIERS or sent.guardrail is not None:
            rules.check_guardrail(sent.guardrail, sent.version, operation)
        if sent.asynchronous:
            rules.check_stream_mode(operation)
        if operation in HEADER_CARRIERS and not sent.signed_headers.issuperset(HEADER_GUARDRAIL):
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
            reason = (
                "its headers say another length of the body than it has: a second request could hide in it"
            )
            raise rules.violation("body-not-whole", reason, operation)
        if sent.authorization != SIGV4:
            raise rules.violation("sigv4-only", "the request does not carry a SigV4 signature", operation)
        region, name = sent.scope
        rules.check_region(region, operation)
        if name != "bedrock":
            raise rules.violation("sigv4-only", f"the signature is for {name}, not bedrock", operation)


_SIGNED = frozenset(name.encode() for name in HEADER_GUARDRAIL)


class _PlainForm:
    """How an untouched request of an inference operation looks, under some rules."""

    def __init__(self, rules: Rules) -> None:
        pinned = rules.guardrail
        regions = "|".join(map(re.escape, rules.regions))
        self._authorization = re.compile(
            rf"{SIGV4} Credential=[^/, ]+/\d{{8}}/(?:{regions})/bedrock/aws4_request, "
            r"SignedHeaders=([a-z0-9;-]+), Signature=[0-9a-f]{64}".encode()
        ).fullmatch
        pairs = [(identifier, pinned.version) for identifier in (pinned.arn, pinned.id)]
        self._headers = {*pairs, *((first.encode(), second.encode()) for first, second in pairs)}
        bodies = tuple(_beginning(identifier, pinned.version) for identifier in (pinned.arn, pinned.id))
        whole = tuple(body + b', "trace": "enabled"}' for body in bodies)
        # Where a stream must not go out unread, no other setting may stand beside the pair.
        self._bodies = {"Converse": bodies, "ConverseStream": whole if rules.masks else bodies}
        self._unreadable = frozenset({"InvokeModelWithResponseStream"} if rules.masks else ())

    def holds(self, operation: str, request: Any, call: Call | None) -> bool:
        """Whether a request to a known URL is plain."""
        headers, body = request.headers, request.body
        authorization = headers.get("authorization")
        found = self._authorization(authorization) if type(authorization) is bytes else None
        if found is None or type(body) is not bytes:
            return False
        if not REREADING.isdisjoint([name.lower() for name in headers]):
            return False
        if headers.get("content-length") != str(len(body)):
            return False
        beginnings = self._bodies.get(operation)
        if beginnings is not None:
            return call is not None and call.serialized is body and body.startswith(beginnings)
        return (
            operation not in self._unreadable
            and (headers.get(HEADER_GUARDRAIL[0]), headers.get(HEADER_GUARDRAIL[1])) in self._headers
            and _SIGNED.issubset(found[1].split(b";"))
        )


def _beginning(identifier: str, version: str) -> bytes:
    """How the JSON of a body begins whose first member is the guardrail, up to the end of its version."""
    pair = json.dumps({"guardrailConfig": {"guardrailIdentifier": identifier, "guardrailVersion": version}})
    return pair.removesuffix("}}").encode()
