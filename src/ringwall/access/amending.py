"""Changes of policies that would make a violated *never* claim hold, likeliest and smallest first.

A Deny that was meant to hold the claim and has a hole is mended: its set operator goes, a value that it spares, or an
action or resource is added that it forgets. Else a Deny is added that says just what the claim says. Whether a change is
enough is for the prover to say (:mod:`ringwall.access.remedies`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringwall.access.actors import ASSUMED
from ringwall.access.policy_sets import levels_of, of_type, swapped, with_new
from ringwall.access.smallest_change import PolicyChange, less, rendered_statement
from ringwall.iam.conditions import compile_test
from ringwall.iam.evaluate import caller_of, explain
from ringwall.iam.patterns import glob_matches
from ringwall.iam.policy import ConditionTest, Effect, Policy, PolicySet, PrincipalElement, Statement
from ringwall.iam.render import operator_text
from ringwall.iam.trace import StatementTrace, each_policy

if TYPE_CHECKING:
    from ringwall.iam.request import PolicyType, Request
    from ringwall.iam.vocabulary import Vocabulary
    from ringwall.proof.claims import Claim


@dataclass(frozen=True, slots=True)
class Amendment:
    """A change of one policy, and the policies after it.

    Attributes:
        change: as it is told.
        old: the policy that is changed; ``None`` = a new one is attached.
        new: the policy after the change.
    """

    change: PolicyChange
    old: Policy | None
    new: Policy

    def applied(self, policies: PolicySet) -> PolicySet:
        """The policies after the change; those that it does not touch as they are."""
        if self.old is not None:
            return swapped(policies, self.old, self.new)
        kind, target = self.change.policy_type, self.change.target
        if kind in ("scp", "rcp") and all(level.target != target for level in levels_of(policies, kind)):
            return policies
        return with_new(policies, kind, self.new, target)


def amendments(
    claim: Claim, request: Request, policies: PolicySet, vocabulary: Vocabulary
) -> Iterator[Amendment]:
    """Changes after which a request that violates a claim may be denied.

    Args:
        claim: a *never* claim.
        request: a witness against it.
        policies: under which the request is allowed.
        vocabulary: the catalog.
    """
    yield from _mended(claim, request, policies, vocabulary)
    yield from _denials(claim, request, policies)


# -- mending ---------------------------------------------------------------------------------------------------------


def _mended(
    claim: Claim, request: Request, policies: PolicySet, vocabulary: Vocabulary
) -> Iterator[Amendment]:
    traces = explain(request, policies, vocabulary).policies
    for trace, (kind, target, policy) in zip(traces, each_policy(policies), strict=True):
        for one, statement in zip(trace.statements, policy.statements, strict=True):
            if trace.applies and statement.effect is Effect.DENY and not one.matched:
                for mended in _without_hole(claim, request, statement, one):
                    change = PolicyChange(
                        kind, policy.name, target, statement.label, rendered_statement(mended)
                    )
                    statements = tuple(mended if old is statement else old for old in policy.statements)
                    yield Amendment(change, policy, replace(policy, statements=statements, document={}))


def _without_hole(
    claim: Claim, request: Request, statement: Statement, trace: StatementTrace
) -> Iterator[Statement]:
    failed = [item.test for item in trace.conditions if not item.matched]
    missed = [part for part in ("action", "resource", "principal") if getattr(trace, part) is False]
    if failed and not missed:
        yield from _other_tests(claim, request, statement, failed)
    elif missed == ["action"] and not failed and _same_purpose(claim, statement) and statement.actions:
        forgotten = tuple(
            action
            for action in claim.actions or ("*",)
            if not any(glob_matches(known.lower(), action.lower()) for known in statement.actions)
        )
        yield replace(statement, actions=(*statement.actions, *forgotten))
    elif missed == ["resource"] and not failed and _same_purpose(claim, statement):
        spared = less(statement.not_resources, request.resource)
        if spared:
            yield replace(statement, not_resources=spared)
        elif statement.resources and claim.resources:
            resources = (*statement.resources, *claim.resources)
            yield replace(statement, resources=tuple(dict.fromkeys(resources)))


def _other_tests(
    claim: Claim, request: Request, statement: Statement, failed: list[ConditionTest]
) -> Iterator[Statement]:
    """The statement with its failing tests put right; never without a condition that it had."""
    own = {test.key.lower(): test for test in claim.conditions}
    if any(test.key.lower() not in own and test.operator != "Null" for test in failed):
        return
    plain = {test: replace(test, qualifier=None) for test in failed if test.qualifier}
    fewer = {test: kept for test in failed if (kept := _strict(test, request))}
    as_claimed = {test: own[test.key.lower()] for test in failed if test.key.lower() in own}
    for changed in (plain, fewer, as_claimed, dict.fromkeys(failed)):
        if not changed or len(changed) < len(failed):
            continue
        tests = tuple(new for old in statement.conditions if (new := changed.get(old, old)) is not None)
        if tests and tests != statement.conditions and not _said_twice(tests):
            yield replace(statement, conditions=tests)


def _strict(test: ConditionTest, request: Request) -> ConditionTest | None:
    """A negated test without the values that spare the request."""
    kept = tuple(
        value
        for value in test.values
        if compile_test(replace(test, values=(value,)), variables=True)(request.context)
    )
    return replace(test, values=kept) if kept and "Not" in test.operator and kept != test.values else None


def _same_purpose(claim: Claim, statement: Statement) -> bool:
    """Whether a statement has the conditions of the claim, so that for being about more it denies no more than is claimed."""
    return _meaning(statement.conditions) == _meaning(_tests_of(claim))


def _meaning(tests: Iterable[ConditionTest]) -> frozenset[tuple[str, str, frozenset[str]]]:
    return frozenset((operator_text(test), test.key.lower(), frozenset(test.values)) for test in tests)


# -- denying what is claimed -----------------------------------------------------------------------------------------


def _denials(claim: Claim, request: Request, policies: PolicySet) -> Iterator[Amendment]:
    """The claim as a Deny, in each place that can bind the caller: what binds most principals first."""
    statement = _as_deny(claim, request)
    if _said_twice(statement.conditions):
        return
    caller = caller_of(request)
    if policies.scp and caller.bound_by_scp:
        yield _in_organization(claim, statement, policies)
    if caller.has_identity_policies:
        for kind in ("permissions_boundary", "identity"):
            known = (policy for policy in of_type(policies, kind) if policy.name != ASSUMED)
            for policy in tuple(known)[:1]:
                yield _grown(kind, policy, None, statement)
    if policies.resource is not None:
        named = replace(statement, principal=PrincipalElement(anyone=True))
        yield _grown("resource", policies.resource, None, named)


def _as_deny(claim: Claim, request: Request) -> Statement:
    anything = claim.actions is None and claim.not_actions is None
    actions = ((request.action,) if claim.operation else ("*",)) if anything else claim.actions
    everywhere = claim.resources is None and claim.not_resources is None
    return Statement(
        index=0,
        sid=_sid(claim.name),
        effect=Effect.DENY,
        actions=actions,
        not_actions=claim.not_actions,
        resources=("*",) if everywhere else claim.resources,
        not_resources=claim.not_resources,
        conditions=_tests_of(claim),
    )


def _tests_of(claim: Claim) -> tuple[ConditionTest, ...]:
    """The claim's conditions, whose requests it speaks of among them."""
    tests = list(claim.conditions)
    if claim.principals is not None:
        tests.append(ConditionTest("ArnLike", None, False, "aws:PrincipalArn", claim.principals))
    if claim.not_principals is not None:
        exempt = tuple(name for name in claim.not_principals if name.startswith("arn:"))
        if exempt:
            tests.append(ConditionTest("ArnNotLike", None, False, "aws:PrincipalArn", exempt))
        if len(exempt) < len(claim.not_principals):
            tests.append(ConditionTest("Bool", None, False, "aws:PrincipalIsAWSService", ("false",)))
    return tuple(tests)


def _sid(name: str) -> str | None:
    """``only-declared-models`` -> ``OnlyDeclaredModels``."""
    return "".join(part.capitalize() for part in re.split(r"[^A-Za-z0-9]+", name)) or None


def _said_twice(tests: Iterable[ConditionTest]) -> bool:
    """Whether two tests have the same operator and key, which a document cannot hold beside each other."""
    heads = [(test.qualifier, test.operator, test.if_exists, test.key.lower()) for test in tests]
    return len(set(heads)) < len(heads)


def _in_organization(claim: Claim, statement: Statement, policies: PolicySet) -> Amendment:
    """In the service control policy that denies the most of what the claim speaks of, else in a new one."""
    levels = levels_of(policies, "scp")
    placed = [(policy, level.target) for level in levels for policy in level.policies]
    rank, policy, target = max(
        ((_kinship(policy, claim), policy, target) for policy, target in placed),
        key=lambda item: item[0],
        default=(0, None, levels[-1].target),
    )
    if rank and policy is not None:
        return _grown("scp", policy, target, statement)
    new = Policy(claim.name or "new", "2012-10-17", (statement,))
    change = PolicyChange("scp", "", levels[-1].target, None, rendered_statement(statement))
    return Amendment(change, None, new)


def _kinship(policy: Policy, claim: Claim) -> int:
    """How many of the claim's services a policy denies something of, and one for denying at all."""
    denied = {
        action.partition(":")[0].lower()
        for statement in policy.statements
        if statement.effect is Effect.DENY
        for action in statement.actions or ()
    }
    services = {action.partition(":")[0].lower() for action in claim.actions or ()}
    return bool(denied) + len(denied & services)


def _grown(kind: PolicyType, policy: Policy, target: str | None, statement: Statement) -> Amendment:
    taken = {one.label for one in policy.statements}
    sid = statement.sid if statement.sid not in taken else f"{statement.sid}{len(taken)}"
    added = replace(statement, index=len(policy.statements), sid=sid)
    new = replace(policy, statements=(*policy.statements, added), document={})
    return Amendment(PolicyChange(kind, policy.name, target, None, rendered_statement(added)), policy, new)
