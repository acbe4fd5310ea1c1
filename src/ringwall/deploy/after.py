"""The Estate as it will be once a plan is applied: the observed one with the plan's changes made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ringwall.deploy.changes import Plan
from ringwall.deploy.plan import bound
from ringwall.estate.kind import Kind
from ringwall.estate.model import Account, Estate, Resource


@dataclass(frozen=True, slots=True)
class Outlook:
    """Two Estates that access can be compared between, and what is new in the second.

    Attributes:
        before: the observed Estate.
        after: the same with the changes made; ids and ARNs that AWS will choose are placeholders.
        new: by ARN and id, the declared id of what the plan creates. Nobody can have been denied it before.
    """

    before: Estate
    after: Estate
    new: Mapping[str, str]


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
    return Outlook(before, before.with_resources([*kept, *made]), new)


def _updated(observed: Resource, desired: Resource) -> Resource:
    return replace(observed, properties={**observed.properties, **desired.properties})


def _observed_form(accounts: tuple[Account, ...]) -> tuple[Account, ...]:
    return tuple(replace(account, levels=account.levels or (account.id,)) for account in accounts)
