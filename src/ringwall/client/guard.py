"""The rules at work inside botocore: decided before a call is built, verified on the bytes that leave.

botocore runs handlers from the most specific event name to the least. Ours stand on the shortest names and come last,
so that no other handler can change a call behind them; ``before-send`` is the last event of all. Registered on the
*session's* emitter, they are in every client that it makes, before anybody can use one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from ringwall.client.operations import CARRIERS, INVOKING, MODEL_ONLY, SERVICES
from ringwall.client.outcome import Outcome, observe
from ringwall.client.rules import Rules
from ringwall.client.violation import GuardrailIntervened
from ringwall.client.wire import SIGV4, Sent, read

OnOutcome = Callable[[Outcome], None]
GUARDRAIL_HEADERS = frozenset({"x-amzn-bedrock-guardrailidentifier", "x-amzn-bedrock-guardrailversion"})


class Guard:
    """Holds one use's calls to its rules.

    Args:
        rules: gives the rules; asked when the first call is made, so that making a session calls nothing.
        hosts: host names that may be called.
        on_outcome: told of every outcome.
        raise_interventions: whether an intervention raises :class:`GuardrailIntervened`.
        insecure_http: whether plain HTTP may be used (``unsafe_insecure_http``).
    """

    def __init__(
        self,
        rules: Callable[[], Rules],
        hosts: frozenset[str],
        *,
        on_outcome: OnOutcome | None = None,
        raise_interventions: bool = False,
        insecure_http: bool = False,
    ) -> None:
        self._rules = rules
        self._hosts = hosts
        self._on_outcome = on_outcome
        self._raise = raise_interventions
        self._insecure_http = insecure_http

    def attach(self, events: Any) -> None:
        """Register on a botocore event emitter (a session's, or a client's ``meta.events``)."""
        for service in SERVICES:
            identifier = f"ringwall-{service}"
            events.register_last(f"before-parameter-build.{service}", self._decide, unique_id=f"{identifier}-decide")
            events.register_last(f"before-sign.{service}", self._before_sign, unique_id=f"{identifier}-sign")
            events.register_last(f"before-send.{service}", self._verify, unique_id=f"{identifier}-verify")
            events.register_first(f"needs-retry.{service}", self._no_paid_retry, unique_id=f"{identifier}-retry")
        events.register_last("after-call.bedrock-runtime", self._observe, unique_id="ringwall-observe")

    # -- before anything is built ----------------------------------------------------------------------------------

    def _decide(self, params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        operation = str(model.name)
        rules = self._rules()
        rules.check_region(context.get("client_region"), operation)
        rules.check_operation(str(model.service_model.service_name), operation, params)
        if operation in INVOKING or operation in MODEL_ONLY:
            rules.check_model(params.get("modelId"), operation)
        rules.complete(operation, params)
        context["ringwall"] = operation

    # -- before it leaves ------------------------------------------------------------------------------------------

    def _before_sign(self, request: Any, signing_name: str, operation_name: str, **_: Any) -> None:
        del signing_name
        context = getattr(request, "context", {})
        if context.get("is_presign_request"):
            raise self._rules().violation(
                "no-presigned-urls", "a presigned URL can be used without the perimeter", operation_name
            )
        if not str(context.get("auth_type") or "v4").startswith("v4"):
            raise self._rules().violation(
                "sigv4-only", f"the call would be authenticated by {context['auth_type']}, not SigV4", operation_name
            )

    def _verify(self, request: Any, **event: Any) -> None:
        operation = str(event.get("event_name", "before-send")).rsplit(".", 1)[-1]
        rules, sent = self._rules(), read(request)
        self._verify_transport(sent, operation)
        if sent.operation is None:
            return
        if sent.operation not in CARRIERS and sent.operation not in MODEL_ONLY:
            raise rules.violation("operation-not-guarded", f"{sent.operation} cannot carry a guardrail", operation, "uses")
        if sent.model is not None:
            rules.check_model(sent.model, operation)
        if sent.operation in CARRIERS:
            rules.check_guardrail(sent.guardrail, sent.version, operation)
        if sent.operation.startswith("InvokeModel") and not sent.signed_headers >= GUARDRAIL_HEADERS:
            raise rules.violation(
                "guardrail-not-signed", "the guardrail headers are not covered by the signature", operation, "guardrail"
            )

    def _verify_transport(self, sent: Sent, operation: str) -> None:
        if sent.host not in self._hosts:
            raise self._rules().violation("endpoint-not-declared", f"{sent.host} is not a declared endpoint", operation)
        if sent.scheme != "https" and not self._insecure_http:
            raise self._rules().violation("tls-required", "the endpoint is not HTTPS", operation)
        if sent.authorization != SIGV4:
            found = sent.authorization or "no signature"
            raise self._rules().violation("sigv4-only", f"the request carries {found}, not SigV4", operation)

    # -- after -----------------------------------------------------------------------------------------------------

    def _no_paid_retry(self, operation: Any, caught_exception: Exception | None = None, **_: Any) -> None:
        """A generation whose answer was lost is not asked for again: it was paid for, and would be twice."""
        lost = isinstance(caught_exception, ReadTimeoutError | ConnectionClosedError)
        if lost and str(operation.name) in INVOKING and caught_exception is not None:
            raise caught_exception

    def _observe(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        if str(model.name) not in CARRIERS:
            return
        observe(str(model.name), parsed, self._rules().guardrail.arn, self._report)

    def _report(self, outcome: Outcome) -> None:
        if self._on_outcome is not None:
            self._on_outcome(outcome)
        if self._raise and outcome.intervened:
            raise GuardrailIntervened(outcome)
