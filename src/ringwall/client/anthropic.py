"""The same decision for anthropic's ``AnthropicBedrock``, which signs and sends by itself.

Through its ``middleware``::

    AnthropicBedrock(aws_region="us-east-1", middleware=[middleware(session)])

A middleware sees a request before it is signed: what is decided here is model, operation, guardrail and stream mode. It
does not see the host, the credentials or an API key that the client was made with, nor what middleware behind it does
(``with_middleware`` puts more behind it: make ours the last): there IAM is the only hold. An API key of the environment
is one that the client takes by itself, so no call is made while there is one. Nothing of anthropic's is imported.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import unquote

from ringwall.client.body import ASYNCHRONOUS, body_mode
from ringwall.client.rules import Rules
from ringwall.client.session import GuardedSession

IDENTIFIER, VERSION = "X-Amzn-Bedrock-GuardrailIdentifier", "X-Amzn-Bedrock-GuardrailVersion"
OPERATIONS = {
    # last segment of the path: operation
    "invoke": "InvokeModel",
    "invoke-with-response-stream": "InvokeModelWithResponseStream",
}
TOKEN = "AWS_BEARER_TOKEN_BEDROCK"  # noqa: S105 - a variable's name
CallNext = Callable[[Any], Any]


def middleware(session: GuardedSession) -> Callable[[Any, CallNext], Any]:
    """A middleware for ``AnthropicBedrock``; it raises :class:`PerimeterViolation`, which is not retried."""

    def handle(request: Any, call_next: CallNext) -> Any:
        return call_next(decided(session.rules, request))

    return handle


def asynchronous_middleware(session: GuardedSession) -> Callable[[Any, CallNext], Awaitable[Any]]:
    """The same for ``AsyncAnthropicBedrock``. The first call looks the guardrail up, and waits for it."""

    async def handle(request: Any, call_next: CallNext) -> Any:
        return await call_next(decided(session.rules, request))

    return handle


def decided(rules: Rules, request: Any) -> Any:
    """The request with the pinned guardrail, if it is within the perimeter.

    Args:
        rules: of the use.
        request: anthropic's ``APIRequest``, in its own form (``/v1/messages``) or in Bedrock's.

    Raises:
        PerimeterViolation: another operation or model, another guardrail, a stream that goes out unread.
    """
    body = request.json if isinstance(request.json, Mapping) else {}
    operation, model = _asked(rules, request, body)
    rules.check_model(model, operation)
    given = {name.lower(): value for name, value in request.headers.items()}
    if os.environ.get(TOKEN):
        reason = f"AnthropicBedrock takes the API key of {TOKEN} in place of the role: unset it"
        raise rules.violation("sigv4-only", reason, operation)
    if "authorization" in given:
        raise rules.violation("sigv4-only", "the request brings an authorization of its own", operation)
    identifier = given.pop(IDENTIFIER.lower(), rules.guardrail.arn)
    version = given.pop(VERSION.lower(), rules.guardrail.version)
    rules.check_guardrail(identifier, version, operation)
    if operation == "InvokeModelWithResponseStream" and body_mode(body) in ASYNCHRONOUS:
        rules.check_stream_mode(operation)
    others = {name: value for name, value in request.headers.items() if name.lower() in given}
    return request.copy(headers={**others, IDENTIFIER: identifier, VERSION: version})


def _asked(rules: Rules, request: Any, body: Mapping[str, Any]) -> tuple[str, Any]:
    """Operation and model of a request."""
    path = request.url.partition("?")[0].split("/")
    if path == ["", "v1", "messages"]:
        streamed = body.get("stream")
        return "InvokeModelWithResponseStream" if streamed else "InvokeModel", body.get("model")
    if len(path) == 4 and path[1] == "model" and path[3] in OPERATIONS:
        return OPERATIONS[path[3]], unquote(path[2])
    raise rules.violation("operation-not-guarded", "the request is for no message", "Unknown")
