"""Changes of policies that cannot let anybody do more, seen from their statements alone.

Two laws of evaluation carry this: adding a deny never allows, and an allow that goes never allows. So does a policy type
that comes to apply (a boundary, an endpoint policy, a level of service control policies): it can only take away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ringwall.iam.policy import Effect, Policy, PolicyLevel, PolicySet, Statement


def narrows(before: PolicySet, after: PolicySet) -> bool:
    """Whether ``after`` allows at most what ``before`` does, by the laws alone. ``False`` says nothing."""
    return (
        _group(before.identity, after.identity)
        and all(
            old is None or (new is not None and _group(old, new))
            for old, new in (
                (before.permissions_boundary, after.permissions_boundary),
                (before.session, after.session),
                (before.vpc_endpoint, after.vpc_endpoint),
            )
        )
        and _group(_one(before.resource), _one(after.resource))
        and _levels(before.scp, after.scp)
        and _levels(before.rcp, after.rcp)
    )


def _one(policy: Policy | None) -> Sequence[Policy]:
    return () if policy is None else (policy,)


def _levels(before: Sequence[PolicyLevel] | None, after: Sequence[PolicyLevel] | None) -> bool:
    if before is None:
        return True
    if after is None:
        return False
    new = {level.target: level.policies for level in after}
    return all(level.target in new and _group(level.policies, new[level.target]) for level in before)


def _group(before: Iterable[Policy], after: Iterable[Policy]) -> bool:
    """Within one type: nothing but denies came, nothing but allows went."""
    old, new = Counter(_statements(before)), Counter(_statements(after))
    came, went = new - old, old - new
    return all(item.effect is Effect.DENY for item in came) and all(
        item.effect is Effect.ALLOW for item in went
    )


def _statements(policies: Iterable[Policy]) -> Iterable[Statement]:
    return (replace(item, index=0) for policy in policies for item in policy.statements)
