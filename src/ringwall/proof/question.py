"""A question to the prover and its answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.iam.policy import PolicySet
    from ringwall.iam.request import PolicyType, Reason, Request
    from ringwall.proof.claims import Claim

ContextModel = Literal["catalog", "any"]
Verdict = Literal["holds", "violated", "unknown"]


class Authorization(NamedTuple):
    """One of the authorizations that an API call consists of.

    Attributes:
        action: ``service:Name``.
        resource: ARN, or ``*``.
        context: the keys that the operation itself determines for this authorization, lower-cased, with their values.
            Every other key has one value, shared by all the authorizations of the call.
        resource_account: owner of the resource; ``None`` = from the ARN, else the principal's account.
        policies: the policies that bear on this authorization where they differ from the question's (a guardrail's
            own resource policy); ``None`` = the question's.
    """

    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]]
    resource_account: str | None = None
    policies: PolicySet | None = None


@dataclass(frozen=True)
class Question:
    """Does a claim hold of the requests of one principal under these policies?

    Attributes:
        id: echoed by callers.
        principal: whose requests; ``None`` = any user or role of ``account``, with ``policies`` as theirs.
        policies: the policies that bear on the principal's requests.
        claim: what is claimed.
        context_model: ``catalog`` = actions and context keys that AWS knows; ``any`` = any key on any action.
        resource_account: owner of every resource that the claim speaks of; ``None`` = what the resource's ARN says.
        disabled_axioms: names from :mod:`ringwall.proof.axioms` that are not taken for granted.
        fixed: context keys with a known value, or ``None`` for a key known to be absent.
        authorizations: for an operation claim, what the call consists of.
        account: the principal's account where ``principal`` is ``None``.
    """

    id: str
    principal: str | None
    policies: PolicySet
    claim: Claim
    context_model: ContextModel = "catalog"
    resource_account: str | None = None
    disabled_axioms: frozenset[str] = frozenset()
    fixed: Mapping[str, str | tuple[str, ...] | None] = field(default_factory=dict)
    authorizations: tuple[Authorization, ...] = ()
    account: str | None = None


@dataclass(frozen=True)
class Answer:
    """What the prover found.

    Attributes:
        verdict: ``holds``, ``violated`` or ``unknown``.
        witness: for a violated *never* and a holding *can*, requests that ``decide`` allows: one, or for an operation
            claim one for each authorization. Empty otherwise.
        because: what a holding *never* (or a violated *can*) rests on, the denies that no proof could do without; with
            a witness, the statements that allow it.
        missing: policy types that would have had to allow, where a proof rests on their silence.
        axioms: names of the facts about requests that the proof used (or at most used: some are counted whenever a
            statement speaks of their keys).
        reason: for ``unknown``, what stopped the proof.
        vacuous: the claim speaks of no request that AWS can send, so it holds (or fails) of nothing.
    """

    verdict: Verdict
    witness: tuple[Request, ...] = ()
    because: tuple[Reason, ...] = ()
    missing: tuple[PolicyType, ...] = ()
    axioms: tuple[str, ...] = ()
    reason: str | None = None
    vacuous: bool = False
