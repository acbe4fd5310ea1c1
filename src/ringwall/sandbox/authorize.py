"""Authorization: each call becomes its IAM authorizations, and every one of them is decided by the policy engine."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ringwall import catalog
from ringwall.access import Access
from ringwall.catalog import operations
from ringwall.iam.evaluate import decide
from ringwall.iam.request import ANONYMOUS, Request
from ringwall.sandbox import context as keys
from ringwall.sandbox import effective, faults, models, state
from ringwall.sandbox.call import AwsError, not_carried_out
from ringwall.sandbox.decisions import DecisionLog, Entry, denial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from ringwall.catalog.operations import Authorization, ProfileResolver
    from ringwall.estate.model import Estate, Resource
    from ringwall.iam.policy import Policy, PolicySet
    from ringwall.sandbox.backend import Moto
    from ringwall.sandbox.credentials import Caller

_TRUST_ACTIONS = ("sts:assumerole", "sts:tagsession", "sts:setsourceidentity")
_SETS_KEPT = 4096


@dataclass(frozen=True)
class View:
    """The sandbox's policies at one moment."""

    estate: Estate

    @cached_property
    def access(self) -> Access:
        """Who has which policies."""
        return Access(self.estate)

    @cached_property
    def tags(self) -> Mapping[str, Mapping[str, str]]:
        """Tags of resources, by ARN."""
        found: dict[str, Mapping[str, str]] = {}
        for resource in self.estate:
            tags = {tag["Key"]: tag["Value"] for tag in resource.get("Tags", ())}
            if tags:
                found[_arn(resource)] = tags
        return found

    @cached_property
    def authorizations(self) -> dict[tuple[Any, ...], tuple[Authorization, ...]]:
        """What inference calls need, by what decides it. Who changes what a profile stands for says so."""
        return {}

    @cached_property
    def _sets(self) -> dict[tuple[Any, ...], PolicySet]:
        return {}

    def policies(
        self,
        principal: str,
        resource: str,
        action: str,
        endpoint: str | None,
        session: tuple[Policy, ...] | None,
    ) -> PolicySet:
        """The policies that bear on a request; the same object each time, which remembers its compiled form.

        A trust policy bears on ``sts:AssumeRole`` alone, so other actions of a service do not tell sets apart.
        """
        kind = "sts:AssumeRole" if action.lower().startswith(_TRUST_ACTIONS) else ""
        key = (principal, resource, kind, endpoint, session)
        found = self._sets.get(key)
        if found is None:
            if len(self._sets) >= _SETS_KEPT:
                self._sets.clear()
            found = self.access.policies(
                principal, resource=resource, action=kind or action, endpoint=endpoint, session=session
            )
            self._sets[key] = found
        return found

    def effective_policy(self, type_: str, account: str) -> dict[str, Any] | None:
        """What the organization's declarative policies of a type come to for an account; ``None`` = nothing."""
        known = self.estate.account(account)
        if known is None or type_ not in self._declared:
            return None
        return effective.merged(
            [policy for target, policy in self._declared[type_] if target == level]
            for level in (known.levels or (account,))
        )

    @cached_property
    def _declared(self) -> Mapping[str, list[tuple[str, Mapping[str, Any]]]]:
        """Attachments of policies that are not access control, by type."""
        found: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
        for policy in self.estate:
            if policy.type == "AWS::Organizations::Policy" and policy.get("Type") == effective.BEDROCK:
                pairs = [(target, policy.get("Content")) for target in policy.get("TargetIds", ())]
                found.setdefault(effective.BEDROCK, []).extend(pairs)
        return found


def _arn(resource: Resource) -> str:
    for type_, kind, name in (("AWS::IAM::Role", "role", "RoleName"), ("AWS::IAM::User", "user", "UserName")):
        if resource.type == type_:
            path = resource.get("Path", "/")
            return f"arn:aws:iam::{resource.account}:{kind}{path}{resource.get(name)}"
    return str(resource.get("Arn", resource.id))


class Views:
    """The present view, made again after each change."""

    def __init__(self, moto: Moto, ec2_ready: Callable[[], bool]) -> None:
        self._moto = moto
        self._ec2_ready = ec2_ready
        self._lock = threading.Lock()
        self._generation = 0
        self._view: tuple[tuple[int, bool], View] | None = None
        self.sources: list[Callable[[], Iterable[Resource]]] = []

    def changed(self) -> None:
        """Policies changed."""
        with self._lock:
            self._generation += 1

    def now(self) -> View:
        """The view of the present generation."""
        with self._lock:
            key = (self._generation, self._ec2_ready())
            if self._view is None or self._view[0] != key:
                further = tuple(resource for source in self.sources for resource in source())
                self._view = (key, View(state.read_estate(self._moto, further, ec2=key[1])))
            return self._view[1]


@dataclass(frozen=True, slots=True, eq=False)
class Asking:
    """Who asks, and what is the same for all authorizations of a call.

    Attributes:
        caller: ``None`` = anonymous.
        principal: ARN, service principal or ``*``.
        context: keys of caller, network, clock and parameters.
        endpoint: VPC endpoint.
    """

    caller: Caller | None
    principal: str
    context: keys.Values
    request_id: str
    time: datetime
    service: str
    operation: str
    account: str
    region: str
    endpoint: str | None = None
    further: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Authorizer:
    """Decides, logs, and refuses in AWS's words."""

    def __init__(self, moto: Moto, views: Views, log: DecisionLog) -> None:
        self._moto = moto
        self._views = views
        self._log = log
        self._vocabulary = catalog.load()
        self.profiles: ProfileResolver | None = None

    def call(self, asking: Asking, parameters: Mapping[str, object]) -> None:
        """Authorize an API call.

        Raises:
            AwsError: the first authorization that is refused, in the service's spelling.
        """
        for authorization in self._authorizations(asking, parameters):
            self.one(asking, authorization)

    def _authorizations(self, asking: Asking, parameters: Mapping[str, object]) -> tuple[Authorization, ...]:
        bearer = asking.caller.bearer if asking.caller else None
        deciding = operations.deciding(asking.service, asking.operation, parameters)
        if deciding is None:
            return self._resolved(asking, parameters, bearer)
        known = self._views.now().authorizations
        key = (*deciding, asking.operation, asking.account, asking.region, bearer)
        found = known.get(key)
        if found is None:
            found = self._resolved(asking, parameters, bearer)
            if len(known) >= _SETS_KEPT:
                known.clear()
            known[key] = found
        return found

    def _resolved(
        self, asking: Asking, parameters: Mapping[str, object], bearer: str | None
    ) -> tuple[Authorization, ...]:
        try:
            return operations.authorizations(
                asking.service,
                asking.operation,
                parameters,
                account=asking.account,
                region=asking.region,
                profiles=self.profiles,
                bearer_token=bearer,  # type: ignore[arg-type]
            )
        except operations.UnresolvedModelError as error:
            raise AwsError(
                "ValidationException", f"The provided model identifier is invalid. {error}"
            ) from error
        except operations.UnknownOperationError as error:
            raise not_carried_out(
                asking.service, asking.operation, "its permissions are not known"
            ) from error

    def one(self, asking: Asking, authorization: Authorization) -> None:
        """Decide one authorization.

        Raises:
            AwsError: it is refused.
        """
        entry = self.decide(asking, authorization)
        if not entry.decision.allowed:
            raise faults.fault("denied", asking.service, _message(asking.service, entry))

    def decide(self, asking: Asking, authorization: Authorization) -> Entry:
        """Decide and log one authorization."""
        view = self._views.now()
        owner = authorization.resource_account or self._owner(authorization.resource)
        service = authorization.action.split(":", 1)[0]
        context = {
            **asking.context,
            **keys.resource(
                owner or asking.account, view.estate, view.tags.get(authorization.resource, {}), service
            ),
            **authorization.context,
            **asking.further,
        }
        request = Request(asking.principal, authorization.action, authorization.resource, owner, context)
        session = asking.caller.session_policies if asking.caller else None
        policies = view.policies(
            asking.principal, authorization.resource, authorization.action, asking.endpoint, session
        )
        decision = decide(request, policies, self._vocabulary)
        entry = Entry(
            asking.time,
            asking.request_id,
            asking.service,
            asking.operation,
            request,
            policies,
            decision,
            asking.endpoint,
            self._vocabulary,
        )
        self._log.add(entry)
        return entry

    def _owner(self, resource: str) -> str | None:
        if resource.startswith("arn:aws:s3:::"):
            return self._moto.bucket_owner(resource.removeprefix("arn:aws:s3:::").split("/", 1)[0])
        fields = resource.split(":", 5)
        return fields[4] or None if len(fields) == 6 and fields[4].isdigit() else None


def anonymous_or(caller: Caller | None) -> str:
    """The principal of a request."""
    return caller.arn if caller else ANONYMOUS


def _message(service: str, entry: Entry) -> str:
    text = denial(entry.request, entry.decision)
    if models.SIGNING_NAMES.get(service) == "ec2":
        return f"You are not authorized to perform this operation. {text}"
    return text
