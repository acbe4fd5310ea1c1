"""The parsed form of a policy document: what the evaluator and the prover both read.

A document is parsed once (:func:`ringwall.iam.parser.parse_policy`) into these immutable values. Element names are
IAM's own (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

Qualifier = Literal["ForAllValues", "ForAnyValue"]


class Effect(StrEnum):
    """What a matching statement does. Case-sensitive in IAM."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, slots=True)
class ConditionTest:
    """One condition key under one operator; the tests of a statement are joined by AND.

    Attributes:
        operator: base operator in IAM's spelling, without qualifier and suffix (``StringNotLike``).
        qualifier: set prefix, if any.
        if_exists: whether the operator carried the suffix ``IfExists``.
        key: condition key as written (keys compare case-insensitively).
        values: the listed values as strings, joined by OR (NOR for negated operators). JSON numbers and booleans
            are rendered as IAM does (``true``, ``10``).
    """

    operator: str
    qualifier: Qualifier | None
    if_exists: bool
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PrincipalElement:
    """A ``Principal`` or ``NotPrincipal`` element. ``anyone`` is the bare ``"*"``."""

    anyone: bool = False
    aws: tuple[str, ...] = ()
    service: tuple[str, ...] = ()
    federated: tuple[str, ...] = ()
    canonical_user: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. Of each pair (actions / not_actions, ...) at most one is set; ``None`` means absent."""

    index: int
    sid: str | None
    effect: Effect
    principal: PrincipalElement | None = None
    not_principal: PrincipalElement | None = None
    actions: tuple[str, ...] | None = None
    not_actions: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None
    not_resources: tuple[str, ...] | None = None
    conditions: tuple[ConditionTest, ...] = ()

    @property
    def label(self) -> str:
        """The Sid, or the zero-based index as text where there is none (CONTRACTS: ``because[].statement``)."""
        return self.sid or str(self.index)


class Compilable:
    """Room for what was worked out of a value once; no part of the value.

    Attributes:
        compiled: what the evaluator compiled it into; set by the evaluator alone.
        digest: what the prover reads off it; set by the prover alone.
    """

    __slots__ = ("compiled", "digest")

    compiled: Any
    digest: Any


@dataclass(frozen=True, slots=True, eq=False)
class Policy(Compilable):
    """A named policy. ``document`` is the JSON value it was parsed from, for rendering and evidence."""

    name: str
    version: str
    statements: tuple[Statement, ...]
    id: str | None = None
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class PolicyLevel:
    """The SCPs or RCPs attached to one root, organizational unit or account."""

    target: str
    policies: tuple[Policy, ...]


@dataclass(frozen=True, slots=True, eq=False)
class PolicySet(Compilable):
    """Every policy that bears on a request, by type.

    ``None`` means that the type does not apply; an empty tuple means that it applies and allows nothing.

    Attributes:
        identity: policies of the user (own and groups') or role.
        permissions_boundary: boundary of the user or role.
        session: session policies passed when the session was made.
        resource: the policy of the resource, for KMS the key policy, for ``sts:AssumeRole*`` the trust policy.
        scp: service control policies, root level first.
        rcp: resource control policies of the resource's account, root level first.
        vpc_endpoint: policy of the VPC endpoint that the request came through.
    """

    identity: tuple[Policy, ...] = ()
    permissions_boundary: tuple[Policy, ...] | None = None
    session: tuple[Policy, ...] | None = None
    resource: Policy | None = None
    scp: tuple[PolicyLevel, ...] | None = None
    rcp: tuple[PolicyLevel, ...] | None = None
    vpc_endpoint: tuple[Policy, ...] | None = None
