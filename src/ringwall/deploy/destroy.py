"""Destroy: the way back, in reverse order, keeping data and every key that the data needs.

Service control policies go first, so that none of them outlives what it refers to and locks the deployer out. Buckets and
log groups that hold data stay, with their keys: a log whose key is gone is as good as deleted. ``purge`` removes them
too; keys then wait out KMS's 30 days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ringwall.deploy.apply import Applied, Failed, NotAttempted, Progress, silent
from ringwall.deploy.changes import Change, Plan
from ringwall.deploy.contents import clear_manifest, empty
from ringwall.deploy.doors import Doors
from ringwall.deploy.manifest import Book, Entry, home, matched
from ringwall.deploy.order import dependencies, levels, phase
from ringwall.deploy.ownership import declared_id
from ringwall.deploy.retry import Backoff
from ringwall.deploy.write import remove
from ringwall.errors import AwsCallError, RingwallError
from ringwall.estate.aws import Aws
from ringwall.estate.kind import Kind
from ringwall.estate.model import Resource

HoldsData = Callable[[Resource], bool | None]
"""Whether a retained resource holds anything; ``None`` = could not be told, which counts as yes."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What destroy leaves, why, and how to remove it.

    Attributes:
        name: the declared id, or the physical one of what is not declared.
        resource: what is there.
        reason: why it stays.
        command: what removes it.
    """

    name: str
    resource: Resource
    reason: str
    command: str


@dataclass(frozen=True, slots=True)
class Destruction:
    """What destroying will do.

    Attributes:
        removals: deletions, in the order in which they are made.
        kept: what stays.
        purge: whether data goes too; buckets are emptied before they are removed.
        homes: by account, its bucket that holds the manifest.
    """

    removals: tuple[Change, ...]
    kept: tuple[Kept, ...]
    purge: bool = False
    homes: Mapping[str, Resource] = field(default_factory=dict)

    def manifest_bucket(self, account: str) -> Resource | None:
        """The bucket of an account's manifest, if it is kept."""
        bucket = self.homes.get(account)
        return bucket if any(item.resource is bucket for item in self.kept) else None


def plan_destroy(
    plan: Plan, kinds: Mapping[str, Kind], *, holds_data: HoldsData = lambda _: None, purge: bool = False
) -> Destruction:
    """What to remove of a perimeter, from a plan that compared its declaration with the account.

    Everything goes that the plan matched, and everything else that carries the perimeter's tag.

    Args:
        plan: from :func:`ringwall.deploy.plan.make_plan`.
        kinds: resource kinds by type.
        holds_data: tells whether a bucket or log group holds anything.
        purge: remove data and keys too.
    """
    there = [
        change
        for change in plan.changes
        if change.observed is not None and kinds[change.resource.type].removable(change.observed)
    ]
    kept = {} if purge else dict(_kept(plan, there, kinds, holds_data))
    level_of = levels(plan.desired)
    removals = [
        Change("delete", change.resource, change.observed) for change in there if change.id not in kept
    ]
    depth = {
        item.id: number
        for number, item in enumerate(sorted(plan.desired, key=lambda item: level_of[item.id]))
    }
    rank = _depths(plan)
    removals.sort(
        key=lambda change: (
            -level_of.get(change.id, phase(change.resource.type)),
            -rank.get(change.id, 0),
            -depth.get(change.id, 0),
            change.id,
        )
    )
    return Destruction(tuple(removals), tuple(kept.values()), purge, _homes(plan))


def _homes(plan: Plan) -> dict[str, Resource]:
    """By account, the bucket that is there and holds its manifest."""
    there = {change.id: change.observed for change in plan.changes if change.observed is not None}
    accounts = {item.account for item in plan.desired}
    names = {account: home(item for item in plan.desired if item.account == account) for account in accounts}
    return {account: there[name] for account, name in names.items() if name in there}


def destroy(
    destruction: Destruction,
    aws: Aws,
    kinds: Mapping[str, Kind],
    *,
    management: Aws | None = None,
    others: Iterable[Aws] = (),
    progress: Progress = silent,
    backoff: Backoff | None = None,
    listed: Iterable[Entry] = (),
) -> Applied:
    """Remove what was planned, one after the other.

    A failure leaves what the failed resource refers to (it is still in use); the rest goes on. Safe to kill and repeat.
    The manifest goes with its bucket; where that is kept, it lists what is left.
    """
    doors, pause = Doors(aws, management, tuple(others)), backoff or Backoff()
    done: list[Change] = []
    failed: list[Failed] = []
    left: list[NotAttempted] = []
    in_use: dict[str, str] = {}
    for change in destruction.removals:
        if change.id in in_use:
            left.append(NotAttempted(change, f"{in_use[change.id]} still uses it"))
            in_use |= dict.fromkeys(dependencies(change.resource) - in_use.keys(), change.id)
            progress("not attempted", change, left[-1].reason)
            continue
        kind = kinds[change.resource.type]
        progress("started", change, "")
        try:
            door, target = doors.for_kind(kind, change.resource), change.observed or change.resource
            if destruction.purge:
                empty(door, target)
            else:
                clear_manifest(door, target)
            written = remove(kind, door, target, pause)
        except AwsCallError as error:
            failed.append(Failed(change, error, f"{error.service}:{error.operation}", error.permission))
        except RingwallError as error:
            failed.append(Failed(change, error))
        else:
            done.append(change)
            progress("done", change, written.note)
            continue
        in_use |= dict.fromkeys(dependencies(change.resource) - in_use.keys(), change.id)
        progress("failed", change, str(failed[-1].error))
    entries = tuple(listed)
    removed = [change.observed for change in done if change.observed is not None]
    struck = {item.key for item, _ in matched(entries, removed, kinds)}
    unlisted = [
        _struck(destruction, door, [item for item in entries if item.account == door.account], struck, pause)
        for door in doors
    ]
    first = next((item for item in unlisted if item is not None), None)
    return Applied(tuple(done), tuple(failed), tuple(left), unlisted=first)


def _struck(
    destruction: Destruction, aws: Aws, entries: list[Entry], struck: set[str], backoff: Backoff
) -> AwsCallError | None:
    """Strike what was removed from an account's manifest, if that is kept; why it could not be written, if so."""
    bucket = destruction.manifest_bucket(aws.account)
    if bucket is None or not any(item.key in struck for item in entries):
        return None
    door = aws if bucket.region == aws.region else aws.elsewhere(region=bucket.region)
    book = Book(door, aws.perimeter, entries, backoff)
    return book.settled(bucket.id, (item for item in entries if item.key not in struck))


def _kept(
    plan: Plan, there: list[Change], kinds: Mapping[str, Kind], holds_data: HoldsData
) -> Iterator[tuple[str, Kept]]:
    """Data first, then the keys that it needs, then what belongs to either: a bucket keeps its policy."""
    data: list[Change] = []
    keys: list[Change] = []
    for change in there:
        if kinds[change.resource.type].retention != "retain" or change.observed is None:
            continue
        holds = holds_data(change.observed)
        if holds is not False:
            data.append(change)
            reason = "it holds data" if holds else "it may hold data"
            yield change.id, _keep(change, change.observed, reason)
    for change in there:
        if kinds[change.resource.type].retention != "key" or change.observed is None:
            continue
        needing = [item.id for item in data if _needs(plan, kinds, item, change)]
        if needing:
            reason = f"{', '.join(sorted(needing))} cannot be read without it"
            yield change.id, _keep(change, change.observed, reason)
            keys.append(change)
    for change in there:
        parents = [item.id for item in (*data, *keys) if item.id in dependencies(change.resource)]
        if change.resource.type in _PARTS and parents and change.observed is not None:
            yield change.id, _keep(change, change.observed, f"it belongs to {parents[0]}")


def _keep(change: Change, there: Resource, reason: str) -> Kept:
    name = declared_id(there) or change.id if change.resource is there else change.id
    return Kept(name, there, reason, removing(there))


def _needs(plan: Plan, kinds: Mapping[str, Kind], data: Change, key: Change) -> bool:
    """Whether data needs a key: by the declaration's references, or by what is really set on it.

    A declared reference counts transitively (data that a trail wrote under the trail's key lies in the bucket), and what
    lies there may have been written under any key of the resources that write to it.
    """
    if key.id in dependencies(data.resource):
        return True
    for item in plan.desired:
        writes_there = data.id in dependencies(item)
        if writes_there and key.id in dependencies(item):
            return True
    if key.observed is None or data.observed is None:
        return False
    names = {value for value in kinds[key.observed.type].attributes(key.observed).values() if value}
    return any(value in names for value in _strings(data.observed.properties))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)


def _depths(plan: Plan) -> dict[str, int]:
    """How many steps of references stand below each desired resource."""
    found: dict[str, int] = {}
    for item in sorted(plan.desired, key=lambda item: item.id):
        _depth(item.id, {resource.id: resource for resource in plan.desired}, found)
    return found


def _depth(name: str, by_id: Mapping[str, Resource], found: dict[str, int]) -> int:
    if name not in found:
        below = [_depth(target, by_id, found) for target in dependencies(by_id[name]) if target in by_id]
        found[name] = 1 + max(below, default=0)
    return found[name]


_PARTS = frozenset({"AWS::S3::BucketPolicy", "AWS::KMS::Alias"})
"""What stays with what it belongs to."""
_PURGE = "ringwall destroy --purge"
_EMPTY = "aws s3 rb s3://{id} --force --region {region}"
_UNPROTECT = (
    "aws logs put-log-group-deletion-protection --log-group-identifier {id} --no-deletion-protection-enabled "
    "--region {region} && "
)
_COMMANDS: Mapping[str, str] = {
    "AWS::Logs::LogGroup": "aws logs delete-log-group --log-group-name {id} --region {region}",
    "AWS::KMS::Key": "aws kms schedule-key-deletion --key-id {id} --pending-window-in-days 30 --region {region}",
}


def removing(resource: Resource) -> str:
    """What removes one kept resource. ``aws s3 rb --force`` leaves old versions, so of a versioned bucket purging does."""
    template = _COMMANDS.get(resource.type, _PURGE)
    if resource.type == "AWS::S3::Bucket" and not resource.get("VersioningConfiguration"):
        template = _EMPTY
    if resource.get("DeletionProtectionEnabled"):
        template = _UNPROTECT + template
    return template.format(id=resource.id, region=resource.region)
