"""Why a decision came out as it did: every statement of every policy, and which of its parts matched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ringwall.iam.compile import CompiledStatement, compile_policy
from ringwall.iam.policy import ConditionTest, Policy, PolicyLevel, PolicySet
from ringwall.iam.principal import Principal
from ringwall.iam.render import operator_text
from ringwall.iam.request import Decision, PolicyType, Request


class ConditionTrace(NamedTuple):
    """One condition test, with the values that the request carried (empty = the key is absent)."""

    test: ConditionTest
    actual: tuple[str, ...]
    matched: bool

    def __str__(self) -> str:
        actual = ", ".join(self.actual) if self.actual else "absent"
        verdict = "holds" if self.matched else "fails"
        return f"{operator_text(self.test)} {self.test.key} {list(self.test.values)}: {verdict}, the request has {actual}"


class StatementTrace(NamedTuple):
    """One statement. ``None`` for a part means that the statement does not have it."""

    label: str
    effect: str
    matched: bool
    principal: bool | None
    action: bool
    resource: bool | None
    conditions: tuple[ConditionTrace, ...]

    @property
    def failed(self) -> tuple[str, ...]:
        """The parts that did not match: ``principal``, ``action``, ``resource`` or ``condition <key>``."""
        parts = (("principal", self.principal), ("action", self.action), ("resource", self.resource))
        names = [name for name, matched in parts if matched is False]
        return (*names, *(f"condition {item.test.key}" for item in self.conditions if not item.matched))


class PolicyTrace(NamedTuple):
    """One policy. ``target`` is the organization level; ``applies`` is false for a type that cannot bind the caller."""

    policy_type: PolicyType
    policy: str
    target: str | None
    applies: bool
    statements: tuple[StatementTrace, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """A decision with all that led to it. ``str()`` is a readable account."""

    request: Request
    decision: Decision
    policies: tuple[PolicyTrace, ...]

    def matching(self, effect: str) -> tuple[tuple[PolicyTrace, StatementTrace], ...]:
        """Matching statements of an effect in the policies that apply."""
        return tuple(
            (policy, statement)
            for policy in self.policies
            if policy.applies
            for statement in policy.statements
            if statement.matched and statement.effect == effect
        )

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        request, decision = self.request, self.decision
        yield f"{decision.outcome}: {request.principal} {request.action} {request.resource}"
        if decision.missing:
            yield f"  nothing allows in: {', '.join(decision.missing)}"
        for policy in self.policies:
            level = f" at {policy.target}" if policy.target else ""
            yield f"  {policy.policy_type} {policy.policy}{level}{'' if policy.applies else ' (does not apply)'}"
            for statement in policy.statements:
                verdict = "matches" if statement.matched else f"no match: {', '.join(statement.failed)}"
                yield f"    {statement.effect} {statement.label}: {verdict}"
                for condition in statement.conditions:
                    yield f"      {condition}"


def trace_policies(
    request: Request, policies: PolicySet, decision: Decision, *, caller: Principal, scp: bool, rcp: bool
) -> Trace:
    """Trace every policy of the set; ``scp`` and ``rcp`` say whether these types can bind the caller."""
    bounded = policies.permissions_boundary is not None
    binds: dict[PolicyType, bool] = {"scp": scp, "rcp": rcp}
    action = request.action.lower()
    traced = [
        PolicyTrace(
            policy_type,
            policy.name,
            target,
            binds.get(policy_type, True),
            tuple(
                [
                    trace_statement(item.ready(), request, caller, action, bounded)
                    for item in compile_policy(policy, policy_type).statements
                ]
            ),
        )
        for policy_type, target, policy in each_policy(policies)
    ]
    return Trace(request, decision, tuple(traced))


def each_policy(policies: PolicySet) -> Iterator[tuple[PolicyType, str | None, Policy]]:
    """Every policy of a set as (type, organization level, policy), in the order of ``missing``."""
    flat: tuple[tuple[PolicyType, tuple[Policy, ...] | None], ...] = (
        ("identity", policies.identity),
        ("resource", None if policies.resource is None else (policies.resource,)),
        ("permissions_boundary", policies.permissions_boundary),
        ("session", policies.session),
    )
    for policy_type, listed in flat:
        for policy in listed or ():
            yield policy_type, None, policy
    levels: tuple[tuple[PolicyType, tuple[PolicyLevel, ...] | None], ...] = (
        ("scp", policies.scp),
        ("rcp", policies.rcp),
    )
    for policy_type, tree in levels:
        for level in tree or ():
            for policy in level.policies:
                yield policy_type, level.target, policy
    for policy in policies.vpc_endpoint or ():
        yield "vpc_endpoint", None, policy


def trace_statement(
    item: CompiledStatement, request: Request, caller: Principal, action: str, bounded: bool
) -> StatementTrace:
    """Which parts of a statement match the request; ``action`` is the request's, in lower case."""
    context = request.context
    principal = None if item.principal is None else bool(item.principal(caller, bounded))
    fits = item.action is None or bool(item.action(action))
    resource = item.matches_resource(request.resource, context)
    matched = principal is not False and fits and resource
    conditions: tuple[ConditionTrace, ...] = ()
    for test, key, check in item.conditions:
        holds = check(context)
        matched = matched and holds
        conditions += (ConditionTrace(test, context.get(key, ()), holds),)
    named = item.names_resources or not resource
    return StatementTrace(
        item.reason.statement,
        item.reason.effect,
        matched,
        principal,
        fits,
        resource if named else None,
        conditions,
    )
