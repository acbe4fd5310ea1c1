"""Any user or role of an account as one actor: what is proved of it is proved of each of them.

Its own policies allow everything and nothing but service control policies limits it, so it can send every request that
any user or role of the account can send, sessions included.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ringwall.access.actors import Actor
from ringwall.iam.conditions import compile_test
from ringwall.iam.policy import ConditionTest
from ringwall.proof.claims import Claim

SERVICE_LINKED = ":role/aws-service-role/"
"""Roles that service control policies do not bind."""


def anybody(actors: Iterable[Actor]) -> Actor:
    """The one who may be any user or role: the unlisted actor where there is one, else made of the root user's bounds."""
    listed = tuple(actors)
    for actor in listed:
        if actor.kind == "unlisted":
            return actor
    root = next(actor for actor in listed if actor.kind == "root")
    return replace(root, kind="unlisted", label="any principal of the account", principal=None)


def stands_for(anyone: Actor, actor: Actor, claim: Claim) -> bool:
    """Whether what holds of anyone holds of the actor.

    Args:
        anyone: as :func:`anybody` makes it.
        actor: a user or role, or somebody else.
        claim: about the actor; its principals are read as conditions for anyone, and have to mean the actor as such too.
    """
    if actor.principal is None or actor.kind not in ("user", "role") or SERVICE_LINKED in actor.principal:
        return False
    if any("${" in pattern for pattern in (*(claim.principals or ()), *(claim.not_principals or ()))):
        return False
    same_bounds = actor.policies.scp == anyone.policies.scp and actor.policies.rcp == anyone.policies.rcp
    known = {"aws:principalarn": (actor.principal,)}
    return (
        same_bounds
        and actor.account == anyone.account
        and all(compile_test(test, variables=False)(known) for test in _of_principals(claim))
    )


def as_conditions(claim: Claim) -> Claim:
    """The claim with its principals as conditions, for a principal whose ARN is not known."""
    conditions = (*claim.conditions, *_of_principals(claim))
    return replace(claim, principals=None, not_principals=None, conditions=conditions)


def _of_principals(claim: Claim) -> Iterable[ConditionTest]:
    if claim.principals is not None:
        yield ConditionTest("ArnLike", None, False, "aws:PrincipalArn", claim.principals)
    if claim.not_principals is not None:
        yield ConditionTest("ArnNotLike", None, False, "aws:PrincipalArn", claim.not_principals)
