"""Drift: what changed behind the declaration's back.

Two lists, because they mean different things: what is ours and is not as declared, and what is not ours and widens what
the perimeter allows. The second is what comparing declared resources can never see: another role with ``bedrock:*``, a
second endpoint with the default policy, a grant on a key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ringwall.deploy.changes import Change, Difference, Plan
from ringwall.deploy.manifest import Entry
from ringwall.deploy.plan import make_plan
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
        changed: ours, but not as declared. Their differences read from declared (``before``) to observed (``after``).
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
        changed=tuple(drifted(item) for item in plan.changes if item.action in ("update", "replace")),
        missing=tuple(item for item in plan.changes if item.action == "create"),
        leftover=tuple(item for item in plan.changes if item.action == "delete"),
        unmanaged=found,
        unknown=unknown,
    )


def drifted(change: Change) -> Change:
    """A planned change seen the other way round: from what was declared to what is there."""
    return replace(change, differences=tuple(map(_turned, change.differences)))


def _turned(difference: Difference) -> Difference:
    return Difference(difference.path, difference.after, difference.before, reverse(difference.effect))
