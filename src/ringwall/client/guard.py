"""The rules at work inside botocore: decided before a call is built, verified on the bytes that leave.

botocore runs handlers from the most specific event name to the least. Ours stand on the shortest names and come last.
The verification is no handler at all: it stands in the client's HTTP session, behind every event. Registered on the
*session's* emitter, all of it is in every client that the session makes, before anybody can use one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import (
    ConnectionError as BotocoreConnectionError,
)
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ProxyConnectionError,
)

from ringwall.client.coverage import Coverage, coverage
from ringwall.client.operations import AGENTS, CARRIERS, HEADER_CARRIERS, INVOKING, MODEL_ONLY, SERVICES
from ringwall.client.outcome import Outcome, observe
from ringwall.client.rules import Rules
from ringwall.client.transport import mixin
from ringwall.client.violation import GuardrailIntervened, PerimeterViolation
from ringwall.client.wire import HEADER_GUARDRAIL, SIGV4, Routes, Sent, read

OnOutcome = Callable[[Outcome], None]
NEVER_SENT = (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError)
"""Failures before a byte of the request left: safe to try again."""
PAID = INVOKING | AGENTS
ANSWER_LOST = frozenset({408, 502, 504})
"""Statuses by which something between says that the answer is lost; the generation may have run."""


@dataclass(frozen=True, slots=True)
class _Call:
    """What is remembered of a call until its answer."""

    model: str | None
    coverage: Coverage


class Guard:
    """Holds one use's calls to its rules.

    Args:
        rules: gives the rules; asked when the first call is made, so that making a session calls nothing.
        hosts: by service, ``host:port`` that may be called.
        on_outcome: told of every outcome.
        raise_interventions: whether an intervention raises :class:`GuardrailIntervened`.
    """

    def __init__(
        self,
        rules: Callable[[], Rules],
        hosts: Mapping[str, frozenset[str]],
        *,
        on_outcome: OnOutcome | None = None,
        raise_interventions: bool = False,
    ) -> None:
        self._rules = rules
        self._hosts = hosts
        self._on_outcome = on_outcome
        self._raise = raise_interventions

    def attach(self, events: Any) -> None:
        """Register on a botocore session's event emitter."""
        events.register("creating-client-class", self._harden, unique_id="ringwall-harden")
        for service in SERVICES:
            identifier = f"ringwall-{service}"
            events.register_last(
                f"before-parameter-build.{service}", self._decide, unique_id=f"{identifier}-decide"
            )
            events.register_last(f"before-sign.{service}", self._before_sign, unique_id=f"{identifier}-sign")
            events.register_first(
                f"needs-retry.{service}", self._no_paid_retry, unique_id=f"{identifier}-retry"
            )
        events.register_last("after-call.bedrock-runtime", self._observe, unique_id="ringwall-observe")

    def _harden(self, base_classes: list[type], event_name: str, **_: Any) -> None:
        service = event_name.partition(".")[2]
        if service in SERVICES:
            base_classes.insert(0, mixin(lambda client: self._check_of(service, client)))
        elif service.startswith("bedrock"):
            reason = f"{service} runs models where no guardrail of a call reaches"
            raise PerimeterViolation("service-not-guarded", reason, "CreateClient")

    def _check_of(self, service: str, client: Any) -> Callable[[Any], None]:
        routes = Routes(client.meta.service_model)
        return lambda request: self._verify(service, read(request, routes))

    # -- before anything is built ----------------------------------------------------------------------------------

    def _decide(self, params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        operation = str(model.name)
        rules = self._rules()
        self._refuse_presigned(context, operation)
        rules.check_region(context.get("client_region"), operation)
        rules.check_operation(str(model.service_model.service_name), operation, params)
        if operation in INVOKING or operation in MODEL_ONLY:
            rules.check_model(params.get("modelId"), operation)
        rules.complete(operation, params)
        if operation in CARRIERS:
            context["ringwall"] = _Call(params.get("modelId"), coverage(params))

    # -- before it leaves ------------------------------------------------------------------------------------------

    def _before_sign(
        self, request: Any, operation_name: str, signature_version: Any = "v4", **_: Any
    ) -> None:
        context = getattr(request, "context", None) or {}
        self._refuse_presigned(context, operation_name, signature_version)
        if signature_version != "v4":
            raise self._rules().violation(
                "sigv4-only", "the call would not be signed by SigV4", operation_name
            )

    def _refuse_presigned(
        self, context: Mapping[str, Any], operation: str, signature_version: Any = "v4"
    ) -> None:
        if context.get("is_presign_request") or str(signature_version).endswith("-query"):
            reason = "a presigned URL can be used without the perimeter"
            raise self._rules().violation("no-presigned-urls", reason, operation)

    def _verify(self, service: str, sent: Sent) -> None:
        rules, operation = self._rules(), sent.operation
        if operation is None:
            raise rules.violation(
                "operation-not-guarded", f"{service} has no operation of that path", "Unknown"
            )
        self._verify_transport(service, sent, operation)
        rules.check_operation(service, operation, sent.labels)
        if operation in INVOKING or operation in MODEL_ONLY:
            rules.check_model(sent.labels.get("modelId"), operation)
        if operation in CARRIERS or sent.guardrail is not None:
            rules.check_guardrail(sent.guardrail, sent.version, operation)
        if sent.asynchronous:
            rules.check_stream_mode(operation)
        if operation in HEADER_CARRIERS and not sent.signed_headers.issuperset(HEADER_GUARDRAIL):
            raise rules.violation(
                "guardrail-not-signed",
                "the guardrail headers are not covered by the signature",
                operation,
                "guardrail",
            )

    def _verify_transport(self, service: str, sent: Sent, operation: str) -> None:
        rules = self._rules()
        if sent.host not in self._hosts[service]:
            raise rules.violation(
                "endpoint-not-declared", f"{sent.host} is not a declared endpoint", operation
            )
        if sent.scheme != "https":
            raise rules.violation("tls-required", "the endpoint is not HTTPS", operation)
        if sent.authorization != SIGV4:
            raise rules.violation("sigv4-only", "the request does not carry a SigV4 signature", operation)
        region, name = sent.scope
        rules.check_region(region, operation)
        if name != "bedrock":
            raise rules.violation("sigv4-only", f"the signature is for {name}, not bedrock", operation)

    # -- after -----------------------------------------------------------------------------------------------------

    def _no_paid_retry(
        self, operation: Any, response: Any = None, caught_exception: Exception | None = None, **_: Any
    ) -> bool | None:
        """A generation whose answer was lost is not asked for again: it was paid for, and would be twice."""
        if str(operation.name) not in PAID:
            return None
        lost = isinstance(caught_exception, BotocoreConnectionError | HTTPClientError)
        if caught_exception is not None and lost and not isinstance(caught_exception, NEVER_SENT):
            raise caught_exception
        return False if response is not None and response[0].status_code in ANSWER_LOST else None

    def _observe(self, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        operation = str(model.name)
        if operation not in CARRIERS:
            return
        pinned, call = self._rules().guardrail, context.get("ringwall")
        given = call if isinstance(call, _Call) else None
        observe(
            operation,
            parsed,
            pinned.arn,
            self._report,
            model=given.model if given else None,
            version=pinned.version,
            coverage=given.coverage if given else None,
        )

    def _report(self, outcome: Outcome) -> None:
        if self._on_outcome is not None:
            self._on_outcome(outcome)
        if self._raise and outcome.intervened and outcome.complete:
            raise GuardrailIntervened(outcome)
