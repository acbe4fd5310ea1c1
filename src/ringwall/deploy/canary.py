"""Canary: organization policies reach one target first, and the rest only when the account can still be managed there.

A service control policy that is wrong takes effect everywhere it is attached at once. With a canary the new policies are
attached to it alone (and to where they are attached already), the account is read through it, and only then the declared
targets follow. If reading is denied, the canary is detached again.

The text of a policy that is attached already changes wherever it is attached; AWS has no versions of organization policies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ringwall.deploy.changes import Plan
from ringwall.errors import RingwallError
from ringwall.estate.aws import Aws
from ringwall.estate.kinds.base import allowing
from ringwall.estate.model import Estate, Resource

POLICY = "AWS::Organizations::Policy"
DENIED = "AccessDenied"


class CanaryFailedError(RingwallError):
    """With the policies on the canary the account could not be read any more. They were detached from it again."""


def first_wave(plan: Plan, target: str) -> Estate:
    """The declaration as it is tried out: each organization policy on the canary, and where it is already.

    Args:
        plan: the plan of the whole declaration.
        target: root, organizational unit or account id of the canary.
    """
    there = {
        change.id: tuple(change.observed.get("TargetIds") or ()) if change.observed is not None else ()
        for change in plan.changes
        if change.resource.type == POLICY and change.action != "delete"
    }

    def tried(item: Resource) -> Resource:
        if item.type != POLICY:
            return item
        targets = sorted({*there.get(item.id, ()), target})
        return replace(item, properties={**item.properties, "TargetIds": targets})

    return plan.desired.with_resources(tried(item) for item in plan.desired)


def changed_in_place(plan: Plan) -> tuple[str, ...]:
    """Desired ids of attached policies whose text changes: no canary can hold these back."""
    return tuple(
        change.id
        for change in plan.todo
        if change.resource.type == POLICY
        and change.action == "update"
        and any(item.path.startswith("Content") for item in change.differences)
    )


def stands_in(observed: Estate, account: str, target: str) -> bool:
    """Whether an account is in the canary, so that reading it shows what the policies do there."""
    found = observed.account(account)
    return found is not None and target in found.levels


def denials(before: Estate, after: Estate) -> tuple[str, ...]:
    """What can not be read any more."""
    known = {(item.type, item.id, gap.reason) for item in before for gap in item.unknown}
    return tuple(
        dict.fromkeys(
            f"{item.type}: {gap.reason}"
            for item in after
            for gap in item.unknown
            if DENIED in gap.reason and (item.type, item.id, gap.reason) not in known
        )
    )


def retreat(management: Aws, plan: Plan, made: Iterable[Resource], target: str) -> Iterator[str]:
    """Detach the canary from every policy that was not on it before; yields their names.

    Args:
        management: connection to the management account.
        plan: the plan of the first wave.
        made: the policies as they are now.
        target: the canary.
    """
    before = {
        change.observed.id
        for change in plan.changes
        if change.observed is not None and target in (change.observed.get("TargetIds") or ())
    }
    for policy in made:
        if policy.type == POLICY and policy.id not in before:
            with allowing("PolicyNotAttachedException"):
                management.call("organizations", "DetachPolicy", PolicyId=policy.id, TargetId=target)
            yield str(policy.get("Name", policy.id))
