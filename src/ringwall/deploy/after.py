"""The Estate as it will be once a plan is applied: the observed one with the plan's changes made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from ringwall.deploy.changes import Plan
from ringwall.deploy.ownership import owner
from ringwall.deploy.plan import bound
from ringwall.estate.kind import Kind
from ringwall.estate.model import Account, Estate, Resource

BUCKET, BUCKET_POLICY, ROLE = "AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::IAM::Role"


@dataclass(frozen=True, slots=True)
class Outlook:
    """Two Estates that access can be compared between, and what is new in the second.

    Attributes:
        before: the observed Estate.
        after: the same with the changes made; ids and ARNs that AWS will choose are placeholders.
        new: by ARN and id, the declared id of what the plan creates. Nobody can have been denied it before.
        begun: by ARN, the declared id of what a run that was stopped made of ours and did not open yet: roles without any
            policy, and buckets whose first policy the plan sets. What the plan then grants such a role, and what it lets AWS's
            own services put into such a bucket, is as new as on the first run.
    """

    before: Estate
    after: Estate
    new: Mapping[str, str]
    begun: Mapping[str, str] = field(default_factory=dict)


def outlook(plan: Plan, kinds: Mapping[str, Kind]) -> Outlook:
    """What a plan would make of the account, without making it."""
    gone: set[int] = set()
    made: list[Resource] = []
    new: dict[str, str] = {}
    for change in plan.todo:
        if change.observed is not None:
            gone.add(id(change.observed))
        if change.action == "delete":
            continue
        complete = bound(change.resource, plan.attributes)
        if change.action == "update" and change.observed is not None:
            made.append(_updated(change.observed, complete))
        else:
            attributes = kinds[complete.type].placeholder(change.resource)
            new = {**dict.fromkeys(attributes.values(), complete.id), **new}
            made.append(replace(complete, id=attributes.get("Id", complete.id), depends_on=()))
    kept = [item for item in plan.observed if id(item) not in gone]
    accounts = plan.observed.accounts or _observed_form(plan.desired.accounts)
    before = replace(plan.observed, accounts=accounts)
    return Outlook(before, before.with_resources([*kept, *made]), new, dict(_begun(plan, kinds)))


def _begun(plan: Plan, kinds: Mapping[str, Kind]) -> Iterator[tuple[str, str]]:
    ours = {item.id: item for item in plan.observed.of_type(BUCKET) if owner(item) == plan.perimeter}
    for change in plan.todo:
        there = change.observed
        if change.resource.type == BUCKET_POLICY and change.action == "create":
            bucket = ours.get(str(bound(change.resource, plan.attributes).get("Bucket")))
            if bucket is not None:
                yield kinds[BUCKET].attributes(bucket)["Arn"], change.id
        elif change.resource.type == ROLE and there is not None and owner(there) == plan.perimeter:
            granted = there.get("Policies") or there.get("ManagedPolicyArns")
            if not granted and not there.unknown:
                yield kinds[ROLE].attributes(there)["Arn"], change.id


def _updated(observed: Resource, desired: Resource) -> Resource:
    return replace(observed, properties={**observed.properties, **desired.properties})


def _observed_form(accounts: tuple[Account, ...]) -> tuple[Account, ...]:
    return tuple(replace(account, levels=account.levels or (account.id,)) for account in accounts)
