"""Callers to whom nothing but a resource's own policy can grant: anonymous ones, services and other accounts.

Whether that policy names them is seen at once, so most questions about them need no proof
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.iam.compile import compile_policy
from ringwall.iam.patterns import glob_matches
from ringwall.iam.policy import Effect, Policy
from ringwall.iam.principal import parse_principal
from ringwall.iam.rules import ALWAYS_ALLOWED
from ringwall.proof.callers import OneCaller
from ringwall.proof.question import Answer

if TYPE_CHECKING:
    from ringwall.access.actors import Actor
    from ringwall.proof.claims import Claim

UNGRANTED = Answer("holds", missing=("resource",))
"""Nothing is granted to a stranger whom the resource's policy does not name."""


def is_granted_nothing(actor: Actor, claim: Claim, policy: Policy | None) -> bool:
    """Whether an actor is a stranger to the account and no Allow of the resource's policy names it.

    Args:
        actor: whoever asks.
        claim: of what it asks; what AWS allows everybody is not settled here.
        policy: the resource's, if it has one.
    """
    if actor.kind not in ("anonymous", "service", "outside") or actor.principal is None:
        return False
    if _speaks_of(claim, ALWAYS_ALLOWED):
        return False
    if policy is None:
        return True
    caller = OneCaller(parse_principal(actor.principal))
    compiled = compile_policy(policy, "resource").statements
    return not any(
        caller.named(compiled[index].ready(), bounded=False)
        for index, statement in enumerate(policy.statements)
        if statement.effect is Effect.ALLOW
    )


def _speaks_of(claim: Claim, actions: frozenset[str]) -> bool:
    listed = ("*",) if claim.actions is None else claim.actions
    return any(glob_matches(pattern.lower(), action.lower()) for pattern in listed for action in actions)
