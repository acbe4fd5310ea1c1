"""Reading what is there: AWS -> observed Estate.

Nothing is silently absent. A kind that cannot be listed appears as one resource with id ``?`` whose ``unknown`` says
why; a property that cannot be read is named in its resource's ``unknown``.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ringwall.errors import AwsCallError, RingwallError
from ringwall.estate.kinds import registry, surveyed
from ringwall.estate.kinds.base import reason
from ringwall.estate.kinds.model_access import ModelAccess
from ringwall.estate.model import Account, Estate, Resource, Unknown
from ringwall.estate.remembering import Remembers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ringwall.estate.aws import Aws
    from ringwall.estate.kind import Kind

WORKERS = 8
ACCOUNTS_AT_ONCE = 4
USAGE = "Ringwall::Bedrock::Usage"
NOT_IN_USE = "AWSOrganizationsNotInUseException"
NO_MANAGEMENT = "NotAsked: organization policies are read through the management account; set organization.management_role"


def unread(kind: Kind, aws: Aws, why: str, *, management: bool = False) -> Resource:
    """The resource that stands for everything of a kind that could not be listed."""
    return Resource(
        type=kind.type,
        account=aws.account if not management else "?",
        region=aws.region if kind.scope == "region" else "global",
        id="?",
        unknown=(Unknown("*", why),),
        # Of organizations nothing was asked here; what was asked before is not why.
        evidence=aws.evidence() if not management else (),
    )


def collect(
    aws: Aws,
    *,
    types: Iterable[str] | None = None,
    management: Aws | None = None,
    regions: Sequence[str] | None = None,
    survey: bool = False,
    candidates: Sequence[str] = (),
    organization: Sequence[Resource] | None = None,
    desired: Estate | None = None,
    models: Sequence[str] = (),
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    watch: Callable[[int, int], None] = lambda _done, _total: None,
) -> Estate:
    """Read an account.

    Args:
        aws: connection to the account.
        types: resource types to read; default: all.
        management: connection to the organization's management account, for service control policies and the
            account's place in the organization.
        regions: Regions to read; default: the connection's.
        survey: read what uses Bedrock as well (agents, knowledge bases, metered models), which deployment needs not.
        candidates: further Regions, each of which is surveyed first and read only where something uses Bedrock, or where
            that cannot be told. Implies ``survey``.
        organization: what the management account holds, if it was read before; it is not read again.
        desired: what is wanted: types that it has in further Regions are read there too, and no others.
        models: foundation models whose access is asked for, in the connection's Region.
        clock: what time it is.
        watch: told how many parts of how many are read.

    Raises:
        RingwallError: a type that no kind has.
    """
    kinds = [*_chosen(types), *(surveyed().values() if survey or candidates else ())]
    kinds += [ModelAccess(models, aws.region)] if models else []
    _start_afresh(aws)
    if management is not None:
        _start_afresh(management)
    named = tuple(regions or (aws.region,))
    others = [region for region in candidates if region not in named]
    asked = management if organization is None else None
    with ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="collect") as pool:
        probes = dict(zip(others, pool.map(lambda region: _probe(aws, region), others), strict=True))
        used = [region for region, found in probes.items() if not unused(found)]
        here = (*named, *used)
        jobs = [*_jobs(kinds, aws, asked, here), *_further(kinds, aws, here, desired)]
        place = pool.submit(_accounts, aws, management)
        batches = []
        for done, batch in enumerate(pool.map(_Job.run, jobs), start=1):
            batches.append(batch)
            watch(done, len(jobs))
    resources = [item for batch in batches for item in batch]
    resources += [item for region, found in probes.items() if region not in used for item in found]
    if organization is not None:
        resources += organization
    elif management is None:
        resources += [
            unread(kind, aws, NO_MANAGEMENT, management=True)
            for kind in kinds
            if kind.scope == "organization"
        ]
    accounts, gaps = place.result()
    return Estate(
        source="observed",
        accounts=accounts,
        resources=_distinct([*resources, *gaps]),
        taken_at=clock().isoformat(timespec="seconds"),
    )


def collect_all(
    accounts: Sequence[Aws], *, management: Aws, desired: Estate, types: Iterable[str] | None = None
) -> Estate:
    """Read the accounts of a declaration, and the organization once for all of them.

    Args:
        accounts: a connection to each.
        management: connection to the organization's management account.
        desired: what is wanted in all of them.
        types: resource types to read; default: all.

    Raises:
        RingwallError: a type that no kind has.
    """
    if len(accounts) == 1:
        return collect(accounts[0], management=management, desired=desired, types=types)
    wanted = None if types is None else frozenset(types)
    organization = [item for item in read_organization(management) if wanted is None or item.type in wanted]

    def read(aws: Aws) -> Estate:
        own = desired.with_resources(item for item in desired if item.account == aws.account)
        return collect(aws, management=management, organization=organization, desired=own, types=wanted)

    with ThreadPoolExecutor(max_workers=ACCOUNTS_AT_ONCE, thread_name_prefix="accounts") as pool:
        estates = list(pool.map(read, accounts))
    found = {account.id: account for estate in estates for account in estate.accounts}
    return replace(
        estates[0],
        accounts=tuple(found.values()),
        resources=_distinct([item for estate in estates for item in estate]),
    )


def _probe(aws: Aws, region: str) -> list[Resource]:
    """What uses Bedrock in a Region."""
    return _Job(aws.elsewhere(region=region), (surveyed()[USAGE],)).run()


def unused(found: Sequence[Resource]) -> bool:
    """Whether a survey is certain that nothing in its Region uses Bedrock: all was read, and nothing is there."""
    return bool(found) and not any(item.unknown or any(item.properties.values()) for item in found)


def read_organization(management: Aws) -> tuple[Resource, ...]:
    """What the management account holds for every account: read once, given to each :func:`collect`."""
    _start_afresh(management)
    kinds = [kind for kind in registry().values() if kind.scope == "organization"]
    return tuple(item for job in _by_service(management, kinds) for item in job.run())


def _start_afresh(aws: Aws) -> None:
    if isinstance(aws, Remembers):
        aws.forget()


def _chosen(types: Iterable[str] | None) -> list[Kind]:
    known = registry()
    if types is None:
        return list(known.values())
    wanted = set(types)
    unknown = sorted(wanted - known.keys())
    if unknown:
        raise RingwallError(f"No resource kind is called {unknown[0]}.", details=tuple(sorted(known)))
    return [kind for name, kind in known.items() if name in wanted]


@dataclass(frozen=True, slots=True)
class _Job:
    """Kinds of one service, read one after the other through one connection: spares rate limits."""

    aws: Aws
    kinds: tuple[Kind, ...]

    def run(self) -> list[Resource]:
        found: list[Resource] = []
        for kind in self.kinds:
            self.aws.evidence()
            try:
                found.extend(kind.read(self.aws))
            except AwsCallError as error:
                found.append(unread(kind, self.aws, reason(error)))
        return found


def _jobs(kinds: Sequence[Kind], aws: Aws, management: Aws | None, regions: Sequence[str]) -> Iterable[_Job]:
    yield from _by_service(aws, [kind for kind in kinds if kind.scope == "account"])
    for region in regions:
        there = aws if region == aws.region else aws.elsewhere(region=region)
        yield from _by_service(there, [kind for kind in kinds if kind.scope == "region"])
    if management is not None:
        yield from _by_service(management, [kind for kind in kinds if kind.scope == "organization"])


def _further(kinds: Sequence[Kind], aws: Aws, here: Sequence[str], desired: Estate | None) -> Iterable[_Job]:
    """What a desired Estate has in Regions that are not read anyway."""
    wanted: dict[str, set[str]] = {}
    for resource in desired or ():
        if resource.region not in (*here, "global"):
            wanted.setdefault(resource.region, set()).add(resource.type)
    for region, types in sorted(wanted.items()):
        chosen = [kind for kind in kinds if kind.scope == "region" and kind.type in types]
        if chosen:
            yield from _by_service(aws.elsewhere(region=region), chosen)


def _by_service(aws: Aws, kinds: Sequence[Kind]) -> Iterable[_Job]:
    services: dict[str, list[Kind]] = {}
    for kind in kinds:
        services.setdefault(kind.type.split("::")[1], []).append(kind)
    return [_Job(aws, tuple(group)) for group in services.values()]


def _distinct(resources: Iterable[Resource]) -> tuple[Resource, ...]:
    """Each resource once (a multi-Region trail is seen from every Region), in a stable order."""
    found: dict[tuple[str, str, str, str], Resource] = {}
    for item in resources:
        key = (item.type, item.account, item.region, item.id)
        seen = found.setdefault(key, item)
        if item.id == "?" and seen is not item:
            found[key] = replace(seen, unknown=tuple(dict.fromkeys((*seen.unknown, *item.unknown))))
    return tuple(found[key] for key in sorted(found))


# -- accounts --------------------------------------------------------------------------------------------------------


def _accounts(aws: Aws, management: Aws | None) -> tuple[tuple[Account, ...], list[Resource]]:
    """The accounts of the Estate, and a resource for what could not be learned of them."""
    organization, master, gaps = _organization(aws)
    asked = management if management is not None else aws
    found = [aws.account]
    if management is not None and management.account not in found:
        found.append(management.account)
    accounts = []
    for number in found:
        levels: tuple[str, ...] = ()
        if organization is not None:
            try:
                levels = _levels(asked, number)
            except AwsCallError as error:
                gaps.append(_gap(number, "TargetLevels", reason(error)))
        accounts.append(
            Account(id=number, organization=organization, management=number == master, levels=levels)
        )
    return tuple(accounts), gaps


def _organization(aws: Aws) -> tuple[str | None, str | None, list[Resource]]:
    try:
        told: Mapping[str, str] = aws.call("organizations", "DescribeOrganization")["Organization"]
    except AwsCallError as error:
        if error.code == NOT_IN_USE:
            return None, None, []
        return None, None, [_gap(aws.account, "Organization", reason(error))]
    return told["Id"], told.get("MasterAccountId"), []


def _levels(aws: Aws, account: str) -> tuple[str, ...]:
    """Targets above an account, root first, itself last."""
    levels = [account]
    while not levels[0].startswith("r-"):
        parents = aws.pages("organizations", "ListParents", "Parents", ChildId=levels[0])
        if not parents:
            break
        levels.insert(0, str(parents[0]["Id"]))
    return tuple(levels)


def _gap(account: str, what: str, why: str) -> Resource:
    return Resource(
        type="AWS::Organizations::Policy",
        account=account,
        region="global",
        id="?",
        unknown=(Unknown(what, why),),
    )
