"""Canary: organization policies reach one target first, and the rest only when what is there can still be managed.

A service control policy that is wrong takes effect everywhere it is attached at once. With a canary the new policies are
attached to it alone (and to where they are attached already), the account is read through it, and only then the declared
targets follow. If reading is denied, the canary is detached again. Of several accounts those in the canary get all that
is theirs first; in the others nothing happens before. Nothing is removed before either.

The text of a policy that is attached already changes wherever it is attached; AWS has no versions of organization policies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ringwall.deploy.changes import Plan
from ringwall.deploy.manifest import Entry
from ringwall.deploy.plan import make_plan
from ringwall.errors import RingwallError
from ringwall.estate.aws import Aws
from ringwall.estate.kind import Kind
from ringwall.estate.kinds.base import allowing
from ringwall.estate.members import member_of
from ringwall.estate.model import Estate, Resource

POLICY = "AWS::Organizations::Policy"
DENIED = "AccessDenied"


class CanaryFailedError(RingwallError):
    """With the policies on the canary the account could not be read any more. They were detached from it again."""


def first_wave(plan: Plan, target: str, kinds: Mapping[str, Kind], *, listed: Iterable[Entry] = ()) -> Plan:
    """The plan of what is tried out: each organization policy on the canary and where it is already; nothing goes.

    Args:
        plan: the plan of the whole declaration.
        target: root, organizational unit or account id of the canary.
        kinds: resource kinds by type.
        listed: the manifest's entries.

    Raises:
        PlanRefusedError: as for the whole.
    """
    wanted = plan.desired.with_resources(_tried(plan, target))
    wave = make_plan(wanted, plan.observed, kinds, perimeter=plan.perimeter, listed=listed)
    return replace(wave, changes=tuple(change for change in wave.changes if change.action != "delete"))


def _tried(plan: Plan, target: str) -> Iterator[Resource]:
    """The declaration as it is tried out; of several accounts what belongs to those in the canary."""
    there = {
        change.id: set(map(str, change.observed.get("TargetIds") or ()))
        for change in plan.changes
        if change.resource.type == POLICY and change.action != "delete" and change.observed is not None
    }
    several = any(member_of(item.id) for item in plan.desired)
    inside = {
        account.id
        for account in plan.desired.accounts
        if not account.management and (not several or stands_in(plan.observed, account.id, target))
    }
    for item in plan.desired:
        if item.type != POLICY:
            if item.account in inside:
                yield item
            continue
        declared = set(map(str, item.get("TargetIds") or ()))
        if not several:
            declared = {target}
        elif member_of(item.id) and not declared & inside:
            continue
        else:
            declared = declared & inside or {target}
        targets = sorted(there.get(item.id, set()) | declared)
        yield replace(item, properties={**item.properties, "TargetIds": targets})


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


def retreat(management: Aws, plan: Plan, made: Iterable[Resource]) -> Iterator[str]:
    """Detach every policy from what the first wave attached it to; yields their names.

    Args:
        management: connection to the management account.
        plan: the plan of the first wave.
        made: the policies as they are now.
    """
    before = {
        change.observed.id: set(change.observed.get("TargetIds") or ())
        for change in plan.changes
        if change.observed is not None and change.resource.type == POLICY
    }
    for policy in made:
        if policy.type != POLICY:
            continue
        added = sorted(set(policy.get("TargetIds") or ()) - before.get(policy.id, set()))
        for target in added:
            with allowing("PolicyNotAttachedException"):
                management.call("organizations", "DetachPolicy", PolicyId=policy.id, TargetId=target)
        if added:
            yield str(policy.get("Name", policy.id))
