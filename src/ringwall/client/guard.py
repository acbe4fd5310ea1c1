"""The rules at work inside botocore: decided before a call is built, verified on the bytes that leave.

Deciding and verifying are steps of the client's own, which no event handler comes after and nobody can unregister: see
``classes``. Registered on the *session's* emitter, they are in every client that the session makes, before anybody can
use one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
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

from ringwall.client.call import KEY, Call, call_of
from ringwall.client.classes import credentials_of, guarded, refused, synchronous
from ringwall.client.credentials import Renewable
from ringwall.client.deadline import now
from ringwall.client.keys import Keys
from ringwall.client.observe import observe
from ringwall.client.operations import AGENTS, CARRIERS, INVOKING, MODEL_ONLY, SERVICES, STREAM_MEMBERS
from ringwall.client.outcome import Outcome, Report
from ringwall.client.rules import Rules
from ringwall.client.telemetry import Span, recording_span
from ringwall.client.verify import Verifier
from ringwall.client.violation import GuardrailIntervened, PerimeterViolation

OnOutcome = Callable[[Outcome], None]
NEVER_SENT = (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError)
"""Failures before a byte of the request left: safe to try again."""
OTHERS = "the session's own credentials are used, no others"
ELSEWHERE = "runs models where no guardrail of a call reaches"
PAID = INVOKING | AGENTS
ANSWER_LOST = frozenset({408, 502, 504})
"""Statuses by which something between says that the answer is lost; the generation may have run."""
EXPIRED = frozenset({"ExpiredTokenException", "ExpiredToken"})
"""Codes of a refusal before anything ran: the session of the credentials has ended."""


class Guard:
    """Holds one use's calls to its rules.

    Args:
        rules: gives the rules; asked when the first call is made, so that making a session calls nothing.
        hosts: by service, ``host:port`` that may be called.
        on_outcome: told of every outcome.
        raise_interventions: whether an intervention raises :class:`GuardrailIntervened`.
        deadline: seconds that a whole call may take; ``None`` for no limit.
        credentials: credentials that can be renewed where AWS says that they have expired.
    """

    def __init__(
        self,
        rules: Callable[[], Rules],
        hosts: Mapping[str, frozenset[str]],
        *,
        on_outcome: OnOutcome | None = None,
        raise_interventions: bool = False,
        deadline: float | None = None,
        credentials: Renewable | None = None,
    ) -> None:
        self._rules = rules
        self._hosts = hosts
        self._on_outcome = on_outcome
        self._raise = raise_interventions
        self._deadline = deadline
        self._credentials = credentials
        told = on_outcome is not None or raise_interventions
        self._report = (
            self._reporting_to(None) if told else None
        )  # without anybody to tell, no outcome is made

    def under(self, rules: Callable[[], Rules]) -> Guard:
        """The same guard under other rules."""
        return Guard(
            rules,
            self._hosts,
            on_outcome=self._on_outcome,
            raise_interventions=self._raise,
            deadline=self._deadline,
            credentials=self._credentials,
        )

    def attach(self, botocore_session: Any, *, own: bool = False) -> None:
        """Hold the clients to the rules that a botocore session makes from now on.

        Args:
            botocore_session: it.
            own: whether its clients may have its own credentials only.
        """
        events = botocore_session.get_component("event_emitter")
        of_session = botocore_session.get_credentials if own else None
        events.register(
            "creating-client-class", partial(self._harden, of_session), unique_id="ringwall-harden"
        )
        for service in SERVICES:
            events.register_first(
                f"needs-retry.{service}", self._retry, unique_id=f"ringwall-{service}-retry"
            )
        events.register_last("after-call.bedrock-runtime", self._observe, unique_id="ringwall-observe")

    def _harden(
        self, of_session: Callable[[], Any] | None, base_classes: list[type], event_name: str, **_: Any
    ) -> None:
        service = event_name.partition(".")[2]
        if service in SERVICES:

            def check_of(client: Any, keys: Keys) -> Verifier:
                found = credentials_of(client)
                if of_session is not None and found is not None and found is not of_session():
                    raise PerimeterViolation("credentials-not-declared", OTHERS, "CreateClient")
                return Verifier(service, client.meta.service_model, self._rules, self._hosts[service], keys)

            if synchronous(base_classes[-1]):
                base_classes.insert(0, guarded(check_of, self.decide))
            else:
                from ringwall.client.asynchronous import asynchronous  # noqa: PLC0415 - loads asyncio

                base_classes.insert(0, asynchronous(check_of, self.decide, self._deadline))
        elif service.startswith("bedrock"):
            raise PerimeterViolation("service-not-guarded", f"{service} {ELSEWHERE}", "CreateClient")
        else:
            base_classes.insert(0, refused(f"{service} is Bedrock by another name", ("bedrock",)))

    # -- before anything is built ----------------------------------------------------------------------------------

    def decide(self, parameters: dict[str, Any], model: Any, context: dict[str, Any]) -> Call:
        """Let a call pass, with the parameters that it is to have, or raise.

        Args:
            parameters: of boto3; they are not changed.
            model: botocore's model of the operation.
            context: botocore's request context; it is given the call.

        Raises:
            PerimeterViolation: the declaration forbids the call.
        """
        operation: str = model.name
        rules, region = self._rules(), context.get("client_region")
        if "is_presign_request" in context:
            reason = "a presigned URL can be used without the perimeter"
            raise rules.violation("no-presigned-urls", reason, operation)
        if not rules.plainly_allow(operation, region, parameters):
            rules.check_region(region, operation)
            rules.check_operation(model.service_model.service_name, operation, parameters)
            if operation in INVOKING or operation in MODEL_ONLY:
                rules.check_model(parameters.get("modelId"), operation)
        call = context[KEY] = Call(
            operation,
            parameters,
            None if self._deadline is None else now() + self._deadline,
            None if self._credentials is None else self._credentials.generation,
        )
        if operation in CARRIERS:
            rules.complete(call)
        return call

    # -- after -----------------------------------------------------------------------------------------------------

    def _retry(
        self,
        operation: Any,
        attempts: int = 1,
        response: Any = None,
        caught_exception: Exception | None = None,
        request_dict: Mapping[str, Any] | None = None,
        **_: Any,
    ) -> float | bool | None:
        """Whether to try again where botocore should not be asked: seconds to wait, ``False`` for no.

        A generation whose answer was lost is not asked for again: it was paid for, and would be twice. Nothing is tried
        again where the wait would not end before the deadline. Expired credentials are renewed, once.
        """
        if response is not None and response[0].status_code < 300:
            return None
        call = call_of((request_dict or {}).get("context"))
        if operation.name in PAID:
            lost = isinstance(caught_exception, BotocoreConnectionError | HTTPClientError)
            if caught_exception is not None and lost and not isinstance(caught_exception, NEVER_SENT):
                raise caught_exception
            if response is not None and response[0].status_code in ANSWER_LOST:
                return False
        if response is not None and response[1].get("Error", {}).get("Code") in EXPIRED:
            return 0.0 if attempts == 1 and self._renewed(call) else False
        if call is not None and call.until is not None and now() + _longest_wait(attempts) >= call.until:
            return False
        return None

    def _renewed(self, call: Call | None) -> bool:
        known = None if call is None else call.credentials
        return self._credentials is not None and known is not None and self._credentials.renew(known)

    def _observe(self, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        operation: str = model.name
        if operation not in CARRIERS:
            return
        span = recording_span()
        report = self._report if span is None else self._reporting_to(span)
        if report is not None or operation in STREAM_MEMBERS:
            observe(operation, parsed, self._rules().guardrail, call_of(context), report)

    def _reporting_to(self, span: Span | None) -> Report:
        """Who is to be told of an outcome: the span, the application, and whoever catches interventions."""
        if span is None and self._on_outcome is not None and not self._raise:
            return self._on_outcome

        def report(outcome: Outcome) -> None:
            if span is not None:
                span.describe(outcome)
            if self._on_outcome is not None:
                self._on_outcome(outcome)
            if self._raise and outcome.intervened and outcome.complete:
                raise GuardrailIntervened(outcome)

        return report


def _longest_wait(attempts: int) -> float:
    """Seconds that botocore waits at the most before the next attempt: 1, 2, 4, ... up to 20."""
    return min(2.0 ** (attempts - 1), 20.0)
