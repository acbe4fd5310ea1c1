"""What a proof over many principals rests on, without what only single ones of them needed.

Each principal's proof names as few statements as carry it. Together they may name more: what one rests on can carry
another too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from ringwall.access.policy_sets import mapped
from ringwall.iam.policy import Effect, Policy, PolicySet
from ringwall.iam.request import PolicyType, Reason


@dataclass(frozen=True)
class Resting:
    """A change of policies: of their Deny statements only those stay that are named.

    Attributes:
        named: type of policy, its name, and Sid or index of the statement.
    """

    named: frozenset[tuple[str, str, str]]
    _made: dict[tuple[PolicyType, int], tuple[Policy, Policy]] = field(default_factory=dict, compare=False)
    """By type and identity of what it was made of, which is kept: the same policy of many stays the same for all."""

    @classmethod
    def on(cls, reasons: Iterable[Reason]) -> Resting:
        """What these reasons name."""
        return cls(frozenset((one.policy_type, one.policy, one.statement) for one in reasons))

    def applied(self, policies: PolicySet) -> PolicySet:
        """The policies after the change."""
        return mapped(policies, self._thin)

    def _thin(self, policy_type: PolicyType, policy: Policy) -> Policy:
        key = policy_type, id(policy)
        if key not in self._made:
            kept = [
                replace(one, sid=one.label)  # an index would be another's afterwards
                for one in policy.statements
                if one.effect is Effect.ALLOW or (policy_type, policy.name, one.label) in self.named
            ]
            thin = tuple(replace(one, index=index) for index, one in enumerate(kept))
            whole = len(thin) == len(policy.statements)
            self._made[key] = policy, policy if whole else replace(policy, statements=thin)
        return self._made[key][1]


def needed(reasons: tuple[Reason, ...], holds_with: Callable[[Resting], bool]) -> tuple[Reason, ...]:
    """As few of the reasons as carry the proof: without any one of them it fails.

    Args:
        reasons: that carry it together.
        holds_with: whether it holds of policies so changed.
    """
    for reason in reasons:
        rest = tuple(one for one in reasons if one != reason)
        if holds_with(Resting.on(rest)):
            reasons = rest
    return reasons
