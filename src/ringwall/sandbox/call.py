"""The seam between the sandbox's gateway and what answers a call: one authenticated, authorized AWS call and its result.

The gateway verifies the signature, resolves the request to an operation and its parameters, and authorizes it. What is
left is a :class:`Call`. A plane (``ringwall.sandbox.bedrock.plane.BedrockPlane`` and the gateway's own) answers with an
:class:`Output`, or raises :class:`AwsError`; the gateway writes either in the protocol of the service.

A plane's ``handle(call)`` may be a plain function or a coroutine function. Plain ones run on the worker thread pool,
coroutines on the event loop, where they must not block: from a coroutine use ``await asyncio.to_thread(platform.call_as, ...)``.
:class:`Platform` is safe to use from any thread.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from ringwall.access import Access

Context = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One authenticated and authorized call.

    Attributes:
        service: botocore service name (``bedrock-runtime``), not the signing name.
        operation: API operation in AWS's spelling (``Converse``).
        parameters: input in boto3's spelling; streaming bodies as ``bytes``, timestamps as aware datetimes.
        account: account of the caller.
        region: Region of the endpoint that was called.
        principal: ARN of the caller: user, root, or assumed-role session.
        session_name: role session name, if the caller is a session.
        context: condition keys of the request, lower-cased (``aws:sourceip``, ``aws:principaltag/team``).
        request_id: what ``x-amzn-requestid`` will say.
        source_ip: address that the caller has on the internet, or in its VPC if it came through an endpoint.
        vpc_endpoint_id: ``vpce-...`` if it came through one.
        user_agent: header as sent.
        time: when it arrived, aware, UTC.
        headers: request headers, names lower-cased.
        access_key: the caller's access key id, for CloudTrail.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any]
    account: str
    region: str
    principal: str
    context: Context
    request_id: str
    source_ip: str
    user_agent: str
    time: datetime
    session_name: str | None = None
    vpc_endpoint_id: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    access_key: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """What a call returns.

    Attributes:
        parameters: output in boto3's spelling. The gateway puts each member where the service model has it (body,
            header, status code). A blob payload (``body`` of InvokeModel) is a member here, as ``bytes``.
        stream: for event streams (``ConverseStream``): the encoded frames, in ``application/vnd.amazon.eventstream``
            (``sandbox.eventstream.encode`` makes them); for blob payloads that are too large for memory: the bytes.
        events: alternative to ``stream``: the events as boto3 shows them (``{"contentBlockDelta": {...}}``), which
            the gateway encodes. A raised :class:`AwsError` becomes an exception event.
        headers: further response headers.
        status: HTTP status; ``None`` = the model's.
        trail: additions to the CloudTrail event of the call: ``additionalEventData``, ``resources``,
            ``requestParameters``, ``responseElements``, ``serviceEventDetails``, ``readOnly``, each replacing the default.
    """

    parameters: Mapping[str, Any] | None = None
    stream: AsyncIterator[bytes] | None = None
    events: AsyncIterator[Mapping[str, Any]] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int | None = None
    trail: Mapping[str, Any] = field(default_factory=dict)


class AwsError(Exception):
    """An error that the client is to see, in AWS's code and wording.

    Attributes:
        code: AWS error code (``ValidationException``).
        message: AWS's text.
        status: HTTP status.
        extra: further members of the error shape (``resourceName``, ``originalStatusCode``).
    """

    def __init__(
        self, code: str, message: str, status: int = 400, extra: Mapping[str, Any] | None = None
    ) -> None:
        self.code = code
        self.message = message
        self.status = status
        self.extra: Mapping[str, Any] = dict(extra or {})
        super().__init__(f"{code}: {message}")


def not_carried_out(service: str, operation: str, why: str = "") -> AwsError:
    """The answer to an operation that the sandbox lacks: 501, its name, and where to read what there is."""
    reason = f" ({why})" if why else ""
    message = f"The sandbox does not carry out {service}:{operation}{reason}. What it carries out is in docs/sandbox.md."
    return AwsError("NotImplementedException", message, 501)


class Platform(Protocol):
    """What a plane may ask of the rest of the sandbox. Thread-safe."""

    def call_as(
        self,
        principal: str,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        account: str,
        region: str,
        context: Context | None = None,
    ) -> dict[str, Any]:
        """Make an internal call as a principal: authorized by IAM, then executed.

        Args:
            principal: service principal (``bedrock.amazonaws.com``), or a role's ARN that a service has assumed. A
                user or a session ARN makes a forward access session (the caller's rights through ``aws:CalledVia``).
            service: botocore service name.
            operation: API operation in AWS's spelling.
            parameters: in boto3's spelling.
            account: account whose resources are used.
            region: Region of the call.
            context: further condition keys, lower-cased (``aws:sourcearn``, ``aws:sourceaccount``, ``kms:viaservice``).

        Returns:
            The output in boto3's spelling, without metadata; blob payloads as ``bytes``.

        Raises:
            AwsError: ``AccessDenied`` (in the service's spelling) or what the service answers.
        """

    def peek(
        self, service: str, operation: str, parameters: Mapping[str, Any], account: str, region: str
    ) -> dict[str, Any]:
        """Read state without authorization and without a trace. Raises :class:`AwsError` as the service would."""

    def authorize(self, call: Call, action: str, resource: str, context: Context | None = None) -> None:
        """Authorize the caller of ``call`` for a further action, with its whole request context.

        Raises:
            AwsError: ``AccessDeniedException`` in AWS's wording.
        """

    def access(self) -> Access:
        """Who has which policies, by the sandbox's present state."""

    def effective_policy(self, type_: str, account: str) -> Mapping[str, Any] | None:
        """What the organization's declarative policies of a type (``BEDROCK_POLICY``) come to for an account."""

    def now(self) -> datetime:
        """The sandbox's time, aware, UTC."""

    def record_event(
        self,
        *,
        event_source: str,
        event_name: str,
        account: str,
        region: str,
        identity: Mapping[str, Any],
        detail: Mapping[str, Any],
        category: str = "Management",
    ) -> None:
        """Add a CloudTrail event that no client call made (a service's own); ``detail`` is merged into the record."""

    def changed(self) -> None:
        """Say that policies of a plane (such as guardrail resource policies) changed, so that cached state is dropped."""


class Plane(Protocol):
    """Answers the calls of some services."""

    def handle(self, call: Call) -> Output | Awaitable[Output]:
        """Answer the call, or raise :class:`AwsError`."""

    def named(self, call: Call) -> Mapping[str, Any]:
        """Parameters that are authorized in another form: the ARN of what they name otherwise."""

    def trail(self, call: Call) -> Mapping[str, Any]:
        """What replaces members of the CloudTrail event of a call that failed (see :attr:`Output.trail`)."""
