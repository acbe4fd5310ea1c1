"""What a plan is made of: changes to resources and the differences behind them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ringwall.access.bearing import BEARING_TYPES
from ringwall.errors import RingwallError
from ringwall.estate.model import Estate, Resource, canonical_json

Action = Literal["create", "update", "replace", "delete", "no-op"]
Effect = Literal["weakens", "strengthens", "neutral", "unclear"]

ACTIONS: tuple[Action, ...] = ("create", "update", "replace", "delete", "no-op")


class PlanRefusedError(RingwallError):
    """No plan can be made: part of the account is unreadable, or the declaration is not deployable.

    ``details`` lists every reason, so that all of them can be fixed at once.
    """


@dataclass(frozen=True, slots=True)
class Difference:
    """One property that differs.

    Attributes:
        path: dotted path within ``properties``; list members by name or Sid
            (``PolicyDocument.Statement[RequireGuardrail]``).
        before: the observed value, ``None`` where there is none.
        after: the declared value, ``None`` where it goes away. A part that only the deployment will reveal reads
            ``(known after apply: guardrail/baseline.Arn)``.
        effect: whether going from before to after weakens or strengthens the control. ``unclear`` where that cannot
            be told from the property alone; access changes are told apart in :mod:`ringwall.deploy.effects`.
    """

    path: str
    before: Any
    after: Any
    effect: Effect = "unclear"


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one resource.

    Attributes:
        action: what is done.
        resource: the desired resource, references unresolved; for a delete the observed one.
        observed: what is there now, if anything.
        differences: why, property by property; empty for ``create``, ``delete`` and ``no-op``.
        reasons: why, in words.
    """

    action: Action
    resource: Resource
    observed: Resource | None = None
    differences: tuple[Difference, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The desired id, or the physical id of a resource that goes away."""
        return self.resource.id


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that has to change, in the order in which it will be done.

    Attributes:
        perimeter: name of the declaration, which is the value of the ownership tag.
        desired: the Estate that was asked for.
        observed: the Estate that was read.
        changes: one for every desired resource and one for every deletion.
        attributes: by desired id, what references to it resolve to; placeholders for what does not exist yet.
        pending: desired ids whose attributes are placeholders.
    """

    perimeter: str
    desired: Estate
    observed: Estate
    changes: tuple[Change, ...]
    attributes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    pending: frozenset[str] = frozenset()

    @property
    def todo(self) -> tuple[Change, ...]:
        """The changes that do something."""
        return tuple(change for change in self.changes if change.action != "no-op")

    @property
    def empty(self) -> bool:
        """Whether nothing has to be done."""
        return not self.todo

    @property
    def summary(self) -> Mapping[Action, int]:
        """How many resources of each action."""
        return {name: sum(change.action == name for change in self.changes) for name in ACTIONS}

    @property
    def digest(self) -> str:
        """``sha256:...`` over the observed state that the plan rests on; a saved plan is refused when it moved."""
        return observed_digest(self.observed, self.perimeter, self)


def observed_digest(observed: Estate, perimeter: str, plan: Plan) -> str:
    """Digest of the part of an observed Estate that decides a plan and what it says of access.

    That is the resources of the types that it declares, those whose policies decide requests, what could not be read of
    them, and where the accounts stand in the organization. Other neighbours are left out, so that an unrelated change in the
    account does not make a saved plan stale.
    """
    types = {resource.type for resource in plan.desired} | {change.resource.type for change in plan.changes}
    rows = sorted(
        canonical_json(
            [
                item.type,
                item.account,
                item.region,
                item.id,
                dict(item.properties),
                sorted([gap.property, gap.reason] for gap in item.unknown),
            ]
        )
        for item in observed
        if item.type in types or item.type in BEARING_TYPES
    )
    places = sorted([item.id, item.organization or "", *item.levels] for item in observed.accounts)
    text = canonical_json({"perimeter": perimeter, "accounts": places, "resources": rows})
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
