"""Any user or role of an account as one actor: what is proved of it is proved of each of them.

Its own policies allow everything and nothing but service control policies limits it, so it can send every request that
any user or role of the account can send, sessions included.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ringwall.access.actors import Actor
from ringwall.iam.conditions import compile_test
from ringwall.iam.policy import ConditionTest, Policy
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


_OPPOSITE = {
    operator: operator.replace("Not", "") if "Not" in operator else f"{operator[:at]}Not{operator[at:]}"
    for at, operators in (
        (3, ("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike")),
        (6, ("StringEquals", "StringLike", "StringNotEquals", "StringNotLike")),
        (6, ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase")),
    )
    for operator in operators
}


def tests_of_arns(policies: Iterable[Policy]) -> tuple[ConditionTest, ...]:
    """What the policies ask of ``aws:PrincipalArn`` itself, each test once."""
    found: dict[ConditionTest, None] = {}
    for policy in policies:
        for statement in policy.statements:
            found.update(dict.fromkeys(filter(_is_plain, statement.conditions)))
    return tuple(found)


def _is_plain(test: ConditionTest) -> bool:
    return (
        test.key.lower() == "aws:principalarn"
        and test.qualifier is None
        and test.operator in _OPPOSITE
        and not any("${" in value for value in test.values)
    )


def likeness(principal: str, tests: Iterable[ConditionTest]) -> tuple[ConditionTest, ...]:
    """Conditions on ``aws:PrincipalArn`` that the principal meets, and whoever else passes the same of the tests.

    Who may be anybody may be somebody that a policy exempts; who is like one that it does not exempt may not.
    """
    known = {"aws:principalarn": (principal,)}
    return tuple(
        test
        if compile_test(test, variables=False)(known)
        else replace(test, operator=_OPPOSITE[test.operator])
        for test in tests
    )


def _of_principals(claim: Claim) -> Iterable[ConditionTest]:
    if claim.principals is not None:
        yield ConditionTest("ArnLike", None, False, "aws:PrincipalArn", claim.principals)
    if claim.not_principals is not None:
        yield ConditionTest("ArnNotLike", None, False, "aws:PrincipalArn", claim.not_principals)
