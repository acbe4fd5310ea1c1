"""A request as the authorizer sees it: who, what, on which resource, in which context."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ringwall.iam.principal import Principal

ANONYMOUS = "*"

PolicyType = Literal["identity", "permissions_boundary", "session", "resource", "scp", "rcp", "vpc_endpoint"]
Outcome = Literal["allow", "explicit_deny", "implicit_deny"]


class Resolvable:
    """Room for what the evaluator works out of a request once; no part of the value, and set by the evaluator alone."""

    __slots__ = ("resolved",)

    resolved: tuple[Principal, bool]


@dataclass(frozen=True, slots=True)
class Request(Resolvable):
    """One authorization request.

    Attributes:
        principal: ARN of a user, role, role session, federated user or root; a service principal
            (``ec2.amazonaws.com``); ``*`` for anonymous.
        action: ``service:Name``; case does not matter.
        resource: resource ARN, or ``*`` for actions without resources.
        resource_account: owner of the resource; ``None`` = from the ARN, else the principal's account.
        context: condition keys, lower-cased, each with its values as strings. A single-valued key has one value. An
            absent key is absent from the mapping. Build with :func:`ringwall.iam.codec.request_from_json`, which
            also derives what the principal and the resource determine (``aws:PrincipalArn``, ...).
    """

    principal: str
    action: str
    resource: str
    resource_account: str | None = None
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reason:
    """A deciding statement: ``statement`` is its Sid, or its index as text."""

    policy_type: PolicyType
    policy: str
    statement: str
    effect: Literal["Allow", "Deny"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What AWS answers, and why.

    Attributes:
        outcome: the three-valued decision.
        because: statements that decided (the denies of an explicit deny, the allows of an allow).
        missing: policy types that would have had to allow, for an implicit deny.
    """

    outcome: Outcome
    because: tuple[Reason, ...] = ()
    missing: tuple[PolicyType, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether the request passes."""
        return self.outcome == "allow"
