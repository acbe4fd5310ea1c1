"""Policy sets with one policy changed: what a decision would be if somebody changed a policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from ringwall.iam.evaluate import decide
from ringwall.iam.policy import Policy, PolicyLevel, PolicySet
from ringwall.iam.request import PolicyType, Request


def levels_of(policies: PolicySet, policy_type: PolicyType) -> tuple[PolicyLevel, ...]:
    """The organization levels of SCPs or RCPs; none where they do not apply."""
    return (policies.scp if policy_type == "scp" else policies.rcp) or ()


def of_type(policies: PolicySet, policy_type: PolicyType) -> Iterator[Policy]:
    """Every policy of a type."""
    if policy_type == "resource":
        yield from () if policies.resource is None else (policies.resource,)
    elif policy_type in ("scp", "rcp"):
        for level in levels_of(policies, policy_type):
            yield from level.policies
    else:
        yield from getattr(policies, policy_type) or ()


def named(policies: PolicySet, policy_type: PolicyType, name: str) -> Iterator[tuple[Policy, str | None]]:
    """Policies of a type and name, with the organization level that they are attached to."""
    if policy_type in ("scp", "rcp"):
        for level in levels_of(policies, policy_type):
            yield from ((policy, level.target) for policy in level.policies if policy.name == name)
        return
    yield from ((policy, None) for policy in of_type(policies, policy_type) if policy.name == name)


def level_allows(request: Request, policies: PolicySet, policy_type: PolicyType, level: PolicyLevel) -> bool:
    """Whether one organization level by itself has an Allow for a request that nothing denies."""
    alone: dict[str, Any] = {policy_type: (level,)}
    return policy_type not in decide(request, replace(policies, **alone)).missing


def swapped(policies: PolicySet, old: Policy, new: Policy) -> PolicySet:
    """The set with one policy replaced wherever it stands."""
    return mapped(policies, lambda _, item: new if item is old else item)


def mapped(policies: PolicySet, change: Callable[[PolicyType, Policy], Policy]) -> PolicySet:
    """The set with each policy changed; ``change`` is told its type."""

    def each(policy_type: PolicyType, listed: tuple[Policy, ...] | None) -> tuple[Policy, ...] | None:
        return None if listed is None else tuple(change(policy_type, item) for item in listed)

    def levels(
        policy_type: PolicyType, tree: tuple[PolicyLevel, ...] | None
    ) -> tuple[PolicyLevel, ...] | None:
        if tree is None:
            return None
        return tuple(PolicyLevel(level.target, each(policy_type, level.policies) or ()) for level in tree)

    return PolicySet(
        identity=each("identity", policies.identity) or (),
        permissions_boundary=each("permissions_boundary", policies.permissions_boundary),
        session=each("session", policies.session),
        resource=None if policies.resource is None else change("resource", policies.resource),
        scp=levels("scp", policies.scp),
        rcp=levels("rcp", policies.rcp),
        vpc_endpoint=each("vpc_endpoint", policies.vpc_endpoint),
    )


def with_new(policies: PolicySet, policy_type: PolicyType, policy: Policy, target: str | None) -> PolicySet:
    """The set with a policy more; ``target`` is the organization level of an SCP or RCP."""
    if policy_type == "resource":
        return replace(policies, resource=policy)
    grown: dict[str, Any] = {policy_type: (*of_type(policies, policy_type), policy)}
    if policy_type in ("scp", "rcp"):
        levels = levels_of(policies, policy_type) or (PolicyLevel(target or "", ()),)
        grown[policy_type] = tuple(
            PolicyLevel(level.target, (*level.policies, policy)) if level.target == target else level
            for level in levels
        )
    return replace(policies, **grown)
