"""Adoption: taking over what somebody else made under a declared name. Explicit, never a side effect of ``apply``.

A declared role whose name exists already may be another team's; making it ours changes it, and ``destroy`` would remove it.
So a plan says what it would adopt, ``apply`` refuses that, and ``import`` shows the differences and marks it as ours,
changing nothing else: by ownership tags, or by an entry in the manifest for what cannot carry tags.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial

from ringwall.deploy.changes import Change, Plan
from ringwall.deploy.doors import Doors
from ringwall.deploy.manifest import Book, Entry, entry, home, listed
from ringwall.deploy.ownership import declared_id, owner
from ringwall.deploy.plan import bound
from ringwall.deploy.retry import Backoff, patiently
from ringwall.errors import GateRefusedError, RingwallError
from ringwall.estate.kind import Kind
from ringwall.estate.kinds import registry
from ringwall.estate.members import own_id


def adoptions(plan: Plan, entries: Iterable[Entry] = ()) -> tuple[Change, ...]:
    """Changes that would take over something that is not ours.

    What carries tags is ours by them. Of what does not, only what would be overwritten counts: a setting that is as
    declared is simply listed.

    Args:
        plan: from :func:`ringwall.deploy.plan.make_plan`.
        entries: the manifest's.
    """
    return tuple(_adoptions(plan, {item.key for item in entries}))


def require_imported(plan: Plan, entries: Iterable[Entry] = (), *, allowed: Iterable[str] = ()) -> None:
    """Refuse a plan that would take over something that is not ours.

    Args:
        plan: the plan.
        entries: the manifest's.
        allowed: desired ids that the user named.

    Raises:
        GateRefusedError: there are such changes.
        RingwallError: a named id is not declared.
    """
    known = set(allowed)
    undeclared = sorted(known - {item.id for item in plan.desired})
    if undeclared:
        raise RingwallError(f"{undeclared[0]} is nothing to adopt: the declaration has no such resource")
    found = [change for change in adoptions(plan, entries) if change.id not in known]
    if found:
        raise GateRefusedError(
            f"{len(found)} declared resources exist already and are not Ringwall's; look at them with `ringwall import`",
            details=tuple(
                f"{change.id}: {change.observed.id if change.observed else ''}" for change in found
            ),
        )


def adopt(
    plan: Plan,
    changes: Iterable[Change],
    doors: Doors,
    entries: Iterable[Entry],
    backoff: Backoff | None = None,
) -> tuple[str, ...]:
    """Mark what is there as ours, and change nothing else. Safe to repeat.

    Returns:
        Desired ids that could not be marked because the manifest's bucket does not exist yet.

    Raises:
        AwsCallError: AWS refused.
    """
    kinds, pause = registry(), backoff or Backoff()
    known = tuple(entries)
    books = {
        door.account: Book(
            door, plan.perimeter, (item for item in known if item.account == door.account), pause
        )
        for door in doors
    }
    buckets = {account: _bucket(plan, account) for account in books}
    left = []
    for change in changes:
        kind, observed = kinds[change.resource.type], change.observed
        if observed is None:
            continue
        if not listed(kind):
            door = doors.for_kind(kind, change.resource)
            as_it_is = replace(change.resource, properties=observed.properties)
            patiently(partial(kind.update, door, observed, as_it_is), pause)
        elif (bucket := buckets.get(change.resource.account)) is not None:
            books[change.resource.account].note(bucket, entry(kind, bound(change.resource, plan.attributes)))
        else:
            left.append(change.id)
    return tuple(left)


def chosen(plan: Plan, entries: Iterable[Entry], names: Iterable[str]) -> tuple[Change, ...]:
    """The adoptions that a user named; all of them without a name.

    Raises:
        RingwallError: a name is no adoption.
    """
    found = {change.id: change for change in adoptions(plan, entries)}
    wanted = tuple(names) or tuple(found)
    unknown = [name for name in wanted if name not in found]
    if unknown:
        raise RingwallError(
            f"{unknown[0]} is nothing to import: it is ours already, or does not exist",
            details=tuple(found),
        )
    return tuple(found[name] for name in wanted)


def _adoptions(plan: Plan, known: set[str]) -> Iterator[Change]:
    kinds = registry()
    for change in plan.changes:
        there = change.observed
        if there is None or change.action == "delete" or change.resource is there:
            continue
        kind = kinds[change.resource.type]
        if listed(kind):
            ours = not kind.removable(there) or change.action == "no-op" or _key(kind, change, plan) in known
        else:
            ours = not kind.taggable or owner(there) is not None or declared_id(there) == own_id(change.id)
        if not ours:
            yield change


def _key(kind: Kind, change: Change, plan: Plan) -> str:
    return entry(kind, bound(change.resource, plan.attributes)).key


def _bucket(plan: Plan, account: str) -> str | None:
    """The bucket of an account's manifest, if it is there and ours."""
    name = home(item for item in plan.desired if item.account == account)
    change = next((item for item in plan.changes if item.id == name), None)
    there = change.observed if change is not None else None
    return there.id if there is not None and owner(there) == plan.perimeter else None
