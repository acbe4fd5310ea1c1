"""Through which statements one policy may allow what another does not, and what bears on each of them.

A single identity policy allows a request if one of its Allows matches and none of its Denies. So what it allows beyond
another it allows through one of its Allows, and of both policies only the statements that can meet that Allow matter.
Where one policy is the other with a change, that is little; where the two have nothing to do with each other, the first
Allow mostly shows a difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from ringwall.iam.compile import POLICY_VARIABLES_SINCE
from ringwall.iam.policy import ConditionTest, Effect, Policy, Statement
from ringwall.proof.listed import Listed, listed
from ringwall.proof.places import variables_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringwall.proof.language import Clock

_EVERYTHING: Final = "*"
_PAIRS: Final = 400
"""Pairs of names up to which it is looked whether two lists of resources can meet."""

_MOST_PATTERNS: Final = 40_000
"""Pairs of action patterns up to which it is looked which of them contains the other."""


class Gain(NamedTuple):
    """Two policies that differ by what one Allow may let through.

    Attributes:
        statement: the Allow.
        allowing: it, and the Denies beside it that can meet it.
        denying: what of the other policy can meet it.
    """

    statement: Statement
    allowing: Policy
    denying: Policy


class _Said(NamedTuple):
    """What a statement says, whatever the order of its lists."""

    effect: Effect
    actions: frozenset[str] | None
    not_actions: frozenset[str] | None
    resources: frozenset[str] | None
    not_resources: frozenset[str] | None
    conditions: frozenset[ConditionTest]
    variables: bool


@dataclass(frozen=True, eq=False)
class _One:
    """A statement of one of the policies."""

    statement: Statement
    said: _Said

    @cached_property
    def actions(self) -> Listed | None:
        """The test of its Action element."""
        return None if self.said.actions is None else listed(self.said.actions)

    @cached_property
    def spared(self) -> Listed | None:
        """The test of its NotAction element."""
        return None if self.said.not_actions is None else listed(self.said.not_actions)

    @cached_property
    def beginnings(self) -> tuple[str, ...] | None:
        """What the actions of its Action element begin with; ``None`` where it has none."""
        return None if self.said.actions is None else tuple(map(_head, self.said.actions))

    @cached_property
    def heads(self) -> tuple[str, ...] | None:
        """What the names of its Resource element begin with; ``None`` where it has none."""
        if self.said.resources is None:
            return None
        return tuple(_head(pattern) for pattern in self.said.resources)


def gains(
    allowing: Policy, denying: Policy, clock: Clock, actions: tuple[str, ...] | None = None
) -> Iterator[Gain]:
    """The Allows of a policy by which it may allow what another does not.

    Args:
        allowing: an identity policy.
        denying: another of the same principal.
        clock: when to give up: each Allow is held against every statement.
        actions: patterns of the actions that are asked about; ``None`` = all.

    Raises:
        OutOfTimeError: the clock ran out.
    """
    own, other = list(_statements(allowing)), list(_statements(denying))
    if actions is not None:
        asked = _asking(actions)
        own = [one for one in own if _actions_may_meet(asked, one)]
        other = [one for one in other if _actions_may_meet(asked, one)]
    denies = [one for one in own if one.statement.effect is Effect.DENY]
    denied = {one.said for one in denies}
    lifted = [one for one in other if one.statement.effect is Effect.DENY and one.said not in denied]
    allows = [one for one in other if one.statement.effect is Effect.ALLOW]
    allowed = {one.said for one in allows}
    # What only this policy says, and without variables, first: that mostly shows a difference, if there is one.
    for one in sorted(
        own, key=lambda one: (one.said in allowed, bool(variables_of(allowing, one.statement)))
    ):
        if one.statement.effect is not Effect.ALLOW:
            continue
        clock.check()
        bearing = [deny for deny in lifted if _may_meet(one, deny)]
        covering = one if one.said in allowed else next((it for it in allows if _covers(it, one)), None)
        if covering is not None and not bearing:
            continue
        beside = [covering] if covering else [it for it in allows if _may_meet(one, it)]
        against = [deny for deny in denies if _may_meet(one, deny)]
        yield Gain(one.statement, _part(allowing, [one, *against]), _part(denying, [*beside, *bearing]))


def changed_actions(allowing: Iterable[Policy], denying: Iterable[Policy] | None) -> list[str]:
    """Action patterns under which some policies may allow what others do not.

    A pattern of an Allow where a changed statement bears on all of it, else the changed statement's own, and of those
    that others contain only the others.

    Args:
        allowing: the policies, whose Allows grant.
        denying: the others; ``None`` = others of whatever kind, so that any pattern may be affected.
    """
    own = [one for policy in allowing for one in _statements(policy)]
    changed = {_EVERYTHING: _EVERYTHING}
    if denying is not None:
        other = [one for policy in denying for one in _statements(policy)]
        same = {one.said for one in own} & {one.said for one in other}
        changed = _patterns(one for one in (*own, *other) if one.said not in same)
    allowed = _patterns(one for one in own if one.statement.effect is Effect.ALLOW)
    if len(changed) * len(allowed) > _MOST_PATTERNS:
        return list(changed.values())
    found: dict[str, str] = {}
    for wanted, spelled in allowed.items():
        for moved, written in changed.items():
            if _single(moved).covers(wanted):
                found.setdefault(wanted, spelled)
            elif _single(wanted).covers(moved) or _single(wanted).overlapping(moved):
                found.setdefault(moved, written)
    if len(found) ** 2 > _MOST_PATTERNS:
        return list(found.values())
    return [
        spelled
        for lowered, spelled in found.items()
        if not any(other != lowered and _single(other).covers(lowered) for other in found)
    ]


def _patterns(statements: Iterable[_One]) -> dict[str, str]:
    """Action patterns of statements, lower-cased, as they are written; all actions where a statement excludes some."""
    return {
        pattern.lower(): pattern for one in statements for pattern in one.statement.actions or (_EVERYTHING,)
    }


def _single(pattern: str) -> Listed:
    return listed(frozenset((pattern,)))


@lru_cache(maxsize=64)
def _statements(policy: Policy) -> tuple[_One, ...]:
    """A policy's statements, kept: both directions of a comparison and each of its groups look at them."""
    variables = policy.version == POLICY_VARIABLES_SINCE
    return tuple(_One(statement, _said(statement, variables=variables)) for statement in policy.statements)


def _asking(actions: tuple[str, ...]) -> _One:
    """A statement about these actions, to hold others against."""
    statement = Statement(0, None, Effect.ALLOW, actions=actions)
    return _One(statement, _said(statement, variables=False))


def _said(statement: Statement, *, variables: bool) -> _Said:
    return _Said(
        statement.effect,
        _folded(statement.actions),
        _folded(statement.not_actions),
        None if statement.resources is None else frozenset(statement.resources),
        None if statement.not_resources is None else frozenset(statement.not_resources),
        frozenset(statement.conditions),
        variables,
    )


def _folded(actions: Iterable[str] | None) -> frozenset[str] | None:
    return None if actions is None else frozenset(map(str.lower, actions))


def _part(policy: Policy, chosen: Iterable[_One]) -> Policy:
    statements = tuple(one.statement for one in chosen)
    return Policy(policy.name, policy.version, statements, policy.id, policy.document)


def _covers(outer: _One, inner: _One) -> bool:
    """Whether one Allow plainly matches all that another does; ``False`` leaves it open."""
    wide, narrow = outer.said, inner.said
    if wide.variables != narrow.variables or not wide.conditions <= narrow.conditions:
        return False
    return _covers_names(
        wide.resources, wide.not_resources, narrow.resources, narrow.not_resources
    ) and _covers_actions(outer, inner)


def _covers_actions(outer: _One, inner: _One) -> bool:
    if outer.actions is not None and inner.said.actions is not None:
        if len(outer.actions.patterns) == 1 and not _each_begins(inner.beginnings, outer.beginnings):
            return False
        return all(outer.actions.covers(pattern) for pattern in inner.said.actions)
    return _covers_names(
        outer.said.actions, outer.said.not_actions, inner.said.actions, inner.said.not_actions
    )


def _covers_names(
    wide: frozenset[str] | None,
    wide_not: frozenset[str] | None,
    narrow: frozenset[str] | None,
    narrow_not: frozenset[str] | None,
) -> bool:
    if wide is not None:
        return _EVERYTHING in wide or (narrow is not None and narrow <= wide)
    return wide_not is not None and narrow_not is not None and wide_not <= narrow_not


def _may_meet(one: _One, other: _One) -> bool:
    """Whether a request can match both statements; ``True`` leaves it open."""
    return _heads_may_meet(one.heads, other.heads) and _actions_may_meet(one, other)


def _actions_may_meet(one: _One, other: _One) -> bool:
    if one.actions is not None and other.actions is not None:
        if not _heads_may_meet(one.beginnings, other.beginnings):
            return False
        fewer, more = sorted((one.actions, other.actions), key=lambda test: len(test.patterns))
        if _EVERYTHING in fewer.patterns or _EVERYTHING in more.patterns:
            return True
        return any(more.overlapping(pattern) for pattern in fewer.patterns)
    for first, second in ((one, other), (other, one)):
        if first.actions is not None and second.spared is not None:
            return not all(second.spared.covers(pattern) for pattern in first.actions.patterns)
    return True


def _heads_may_meet(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> bool:
    if one is None or other is None or len(one) * len(other) > _PAIRS:
        return True
    return any(mine.startswith(its) or its.startswith(mine) for mine in one for its in other)


def _each_begins(narrow: tuple[str, ...] | None, wide: tuple[str, ...] | None) -> bool:
    """Whether every text begins with one of others."""
    return all(one.startswith(wide or ()) for one in narrow or ())


def _head(pattern: str) -> str:
    """What every name that the pattern matches begins with."""
    cuts = [cut for sign in ("*", "?", "${") if (cut := pattern.find(sign)) >= 0]
    return pattern[: min(cuts)] if cuts else pattern
