"""Drift: what changed behind the declaration's back.

Two lists, because they mean different things: what is ours and is not as declared, and what is not ours and widens what
the perimeter allows. The second is what comparing declared resources can never see: another role with ``bedrock:*``, a
second endpoint with the default policy, a grant on a key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ringwall.deploy.changes import Change, Difference, Plan
from ringwall.deploy.manifest import Entry
from ringwall.deploy.plan import KNOWN_LATER, make_plan
from ringwall.deploy.strength import reverse
from ringwall.deploy.unmanaged import Unmanaged, unmanaged
from ringwall.estate.kind import Kind
from ringwall.estate.model import Estate
from ringwall.iam.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Drift:
    """What differs from the declaration.

    Attributes:
        plan: the plan that would repair it.
        changed: ours, but not as declared. Their differences read from declared (``before``) to observed (``after``). What
            differs only because something that they refer to is missing is not among them.
        missing: declared, but not there.
        leftover: ours by tag or manifest, but not declared any more.
        unmanaged: not ours, and widening.
        unknown: what could not be read and may hide more.
    """

    plan: Plan
    changed: tuple[Change, ...] = ()
    missing: tuple[Change, ...] = ()
    leftover: tuple[Change, ...] = ()
    unmanaged: tuple[Unmanaged, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether the account is as declared, and everything that could say otherwise was read."""
        return not (self.changed or self.missing or self.leftover or self.unmanaged or self.unknown)

    @property
    def weaker(self) -> tuple[Change, ...]:
        """Changed resources with a difference that weakens a control."""
        return tuple(
            change for change in self.changed if any(item.effect == "weakens" for item in change.differences)
        )


def find_drift(
    desired: Estate,
    observed: Estate,
    kinds: Mapping[str, Kind],
    vocabulary: Vocabulary,
    *,
    perimeter: str = "",
    administrators: Iterable[str] = (),
    listed: Iterable[Entry] = (),
) -> Drift:
    """Compare an account with its declaration, both ways.

    Args:
        desired: what the declaration compiles to.
        observed: what was read; the more types, the more is seen.
        kinds: resource kinds by type.
        vocabulary: the catalog.
        perimeter: name of the declaration.
        administrators: ARNs that the declaration lets change the controls.
        listed: the manifest's entries.

    Raises:
        PlanRefusedError: a declared resource could not be read; nothing is half-reported.
    """
    plan = make_plan(desired, observed, kinds, perimeter=perimeter, listed=listed)
    found, unknown = unmanaged(plan, kinds, vocabulary, administrators=frozenset(administrators))
    return Drift(
        plan,
        changed=tuple(
            drifted(item)
            for item in map(_by_itself, plan.changes)
            if item.action in ("update", "replace") and item.differences
        ),
        missing=tuple(item for item in plan.changes if item.action == "create"),
        leftover=tuple(item for item in plan.changes if item.action == "delete"),
        unmanaged=found,
        unknown=unknown,
    )


def drifted(change: Change) -> Change:
    """A planned change seen the other way round: from what was declared to what is there."""
    return replace(change, differences=tuple(map(_turned, change.differences)))


def _by_itself(change: Change) -> Change:
    """A change without what only follows from another resource's absence: that one is reported as missing, and once."""
    own = tuple(item for item in change.differences if not _follows(item.after, item.before))
    return change if len(own) == len(change.differences) else replace(change, differences=own)


def _follows(declared: Any, there: Any) -> bool:
    """Whether two values are the same but for references that nothing resolves to any more."""
    if isinstance(declared, str):
        return declared == there or (declared.startswith(KNOWN_LATER) and isinstance(there, str))
    if isinstance(declared, Mapping) and isinstance(there, Mapping):
        return declared.keys() == there.keys() and all(
            _follows(value, there[name]) for name, value in declared.items()
        )
    if isinstance(declared, list | tuple) and isinstance(there, list | tuple):
        left = [item for item in there if item not in declared]
        later = [item for item in declared if item not in there]
        return len(left) == len(later) and all(map(_follows, later, left))
    return bool(declared == there)


def _turned(difference: Difference) -> Difference:
    return Difference(difference.path, difference.after, difference.before, reverse(difference.effect))
