"""Plan: what has to change for the observed Estate to be the desired one. Pure; no call to AWS is made here.

Desired resources are taken in dependency order. References resolve to the attributes of what their targets matched;
what does not exist yet stays unresolved and its dependents' properties read "known after apply". Whatever carries the
perimeter's ownership tag and is not declared any more goes away, unless it holds data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ringwall.deploy.changes import Change, Difference, Plan, PlanRefusedError
from ringwall.deploy.diff import differences
from ringwall.deploy.manifest import Entry, matched
from ringwall.deploy.order import ordered, phase
from ringwall.deploy.ownership import declared_id, named_after, owner, perimeter_of
from ringwall.deploy.replacement import create_only
from ringwall.deploy.unreadable import Unreadable, unreadable
from ringwall.estate.kind import Kind
from ringwall.estate.kinds.base import PERIMETER_TAG
from ringwall.estate.model import Estate, Ref, Resource, substitute

UNREAD = "?"
"""Id of the stand-in for resources of a type that could not be listed."""
KNOWN_LATER = "(known after apply: "
"""How a value begins that only deployment will reveal."""
RETENTION_TYPE = "Ringwall::Bedrock::DataRetention"
VERSION_TYPE = "AWS::Bedrock::GuardrailVersion"


def make_plan(
    desired: Estate,
    observed: Estate,
    kinds: Mapping[str, Kind],
    *,
    perimeter: str = "",
    accept_unread: frozenset[str] = frozenset(),
    listed: Iterable[Entry] = (),
) -> Plan:
    """Compare two Estates.

    Args:
        desired: what the declaration compiles to; may hold references.
        observed: what was read.
        kinds: resource kinds by CloudFormation type.
        perimeter: name of the declaration. Default: the ownership tag that the desired resources carry.
        accept_unread: ids of observed resources whose unreadable parts the user takes to be somebody else's.
        listed: the manifest's entries: what is ours though it carries no tag.

    Raises:
        PlanRefusedError: something that the plan rests on could not be read, AWS would reject a declared property, a
            type has no kind, or a resource that holds data would have to be replaced. All reasons at once.
    """
    planner = _Planner(
        desired,
        observed,
        kinds,
        perimeter or perimeter_of(desired),
        placeholders=_placeholders(desired, kinds),
        listed=tuple(listed),
    )
    in_order = ordered(desired)
    for resource in in_order:
        planner.take(resource)
    refusals = (
        *unreadable(desired, observed, planner.matched, kinds, accept_unread),
        *planner.refusals,
    )
    if refusals:
        raise PlanRefusedError(
            f"No plan is made: {refusals[0]}", details=tuple(str(item) for item in refusals[1:])
        )
    return Plan(
        perimeter=planner.perimeter,
        desired=desired,
        observed=observed,
        changes=(*planner.changes, *planner.deletions()),
        attributes=planner.attributes,
        pending=frozenset(planner.pending),
    )


def bound(resource: Resource, attributes: Mapping[str, Mapping[str, str]]) -> Resource:
    """A desired resource with its references replaced by attribute values.

    Raises:
        PlanRefusedError: a reference names an attribute that its target does not have.
    """

    def resolve(ref: Ref) -> str:
        values = attributes.get(ref.target, {})
        if ref.attribute not in values:
            known = ", ".join(sorted(values)) or "none"
            raise PlanRefusedError(
                f"{resource.id} refers to {ref.target}.{ref.attribute}; its attributes are: {known}"
            )
        return values[ref.attribute]

    return _with(resource, substitute(resource.properties, resolve))


def attached_elsewhere(resource: Resource, desired: Estate, observed: Estate) -> bool:
    """Whether an organization policy is attached only to what a declaration is not about.

    The organization holds the policies of all accounts together. Those of an account that is declared elsewhere, or not
    any more, are not removed unseen: nobody would have read what that opens there.
    """
    targets = set(map(str, resource.get("TargetIds") or ()))
    if resource.type != "AWS::Organizations::Policy" or not targets:
        return False
    about = {name for item in (*desired.accounts, *observed.accounts) for name in (item.id, *item.levels)}
    return bool(about) and not targets & about


def known_after_apply(ref: Ref) -> str:
    """How a value that only deployment will reveal reads in a plan."""
    return f"{KNOWN_LATER}{ref.target}.{ref.attribute})"


@dataclass
class _Planner:
    """State of one planning: grows resource by resource, in dependency order."""

    desired: Estate
    observed: Estate
    kinds: Mapping[str, Kind]
    perimeter: str
    placeholders: Mapping[str, Mapping[str, str]]
    listed: tuple[Entry, ...] = ()
    changes: list[Change] = field(default_factory=list)
    matched: dict[str, Resource | None] = field(default_factory=dict)
    attributes: dict[str, Mapping[str, str]] = field(default_factory=dict)
    pending: set[str] = field(default_factory=set)
    refusals: list[Unreadable | str] = field(default_factory=list)
    _claimed: set[int] = field(default_factory=set)

    def take(self, resource: Resource) -> None:
        """Match one desired resource and decide what happens to it."""
        kind = self.kinds.get(resource.type)
        if kind is None:
            self.refusals.append(f"{resource.id}: no resource kind implements {resource.type}")
            self.matched[resource.id] = None
            self._stays_unknown(resource)
            return
        complete = bound(resource, {**self.placeholders, **self.attributes})
        self.refusals += [f"{resource.id}: {problem}" for problem in kind.validate(complete.properties)]
        legible = _with(resource, substitute(resource.properties, self._resolve))
        found = kind.match(complete, self._candidates(resource))
        self.matched[resource.id] = found
        if found is None:
            self._stays_unknown(resource)
            self.changes.append(Change("create", resource, reasons=("it does not exist",)))
            return
        self._claimed.add(id(found))
        self.attributes[resource.id] = kind.attributes(found)
        change = self._compared(kind, resource, legible, found)
        if change.action == "replace":
            self._stays_unknown(resource)
        self.changes.append(change)

    def deletions(self) -> list[Change]:
        """What is ours by tag, name or manifest and is not declared any more, last made first."""
        if not self.perimeter:
            return []
        unclaimed = [
            item
            for item in self.observed
            if id(item) not in self._claimed
            and item.type in self.kinds
            and item.id != UNREAD
            and not attached_elsewhere(item, self.desired, self.observed)
        ]
        listed = {id(item): entry for entry, item in matched(self.listed, unclaimed, self.kinds)}
        superseded = self._superseded(item for item in unclaimed if id(item) in listed)
        orphans = [
            item
            for item in unclaimed
            if (owner(item) == self.perimeter or named_after(item, self.perimeter) or id(item) in listed)
            and self.kinds[item.type].removable(item)
        ]
        orphans.sort(key=lambda item: (-phase(item.type), item.type, item.id))
        return [
            superseded.get(id(item))
            or self._deletion(item, listed[id(item)].declared if id(item) in listed else declared_id(item))
            for item in orphans
        ]

    def _superseded(self, versions: Iterable[Resource]) -> dict[int, Change]:
        """Of each guardrail that is still declared, the newest version that is not declared any more: it stays.

        Applications that still call it can move on in their own time, and a declaration that is taken back finds it.
        """
        there = {
            (item.account, item.id)
            for name, item in self.matched.items()
            if item and name not in self.pending
        }
        newest: dict[tuple[str, str], Resource] = {}
        for item in versions:
            guardrail = (item.account, str(item.get("GuardrailId")))
            if item.type == VERSION_TYPE and guardrail in there:
                newest[guardrail] = max(
                    item, newest.get(guardrail, item), key=lambda one: int(one.get("Version"))
                )
        reason = (
            "another version took its place; it stays until the next one does, for those who still call it"
        )
        return {id(item): Change("no-op", item, item, reasons=(reason,)) for item in newest.values()}

    def _deletion(self, resource: Resource, name: str | None) -> Change:
        reason = f"the declaration no longer has {name or 'it'}"
        other = self.matched.get(name or "")
        if other is not None:
            reason = f"it is tagged as {name}, which {other.id} is already"
        if resource.type == RETENTION_TYPE:
            why = "it stays: outside of the declared Regions the service control policies let nobody set it"
            return Change("no-op", resource, resource, reasons=(reason, why))
        if self.kinds[resource.type].retention == "delete":
            return Change("delete", resource, resource, reasons=(reason,))
        return Change(
            "no-op",
            resource,
            resource,
            reasons=(reason, "it is kept because it holds data or decrypts it; `destroy --purge` removes it"),
        )

    def _compared(self, kind: Kind, resource: Resource, legible: Resource, found: Resource) -> Change:
        found_differences = self._differences(kind, legible, found)
        reasons = []
        other = owner(found)
        if self._adopted(found):
            reasons.append(
                "it exists already and nothing says that it is ours; `ringwall import` makes it so"
            )
        elif other is not None and self.perimeter and other != self.perimeter:
            self.refusals.append(
                f"{resource.id}: {found.id} belongs to perimeter {other}; destroy that one first, or take the tag "
                f"{PERIMETER_TAG} off what it should no longer have"
            )
        if not found_differences:
            return Change("no-op", resource, found, reasons=tuple(reasons))
        fixed = create_only(kind, found_differences)
        if not fixed:
            return Change("update", resource, found, found_differences, tuple(reasons))
        reasons.append(f"{', '.join(fixed)} cannot be changed in place")
        if kind.retention != "delete":
            self.refusals.append(
                f"{resource.id}: {', '.join(fixed)} cannot be changed in place and {found.id} holds data or "
                "decrypts it; declare it under another name, or remove it with `destroy --purge` first"
            )
        return Change("replace", resource, found, found_differences, tuple(reasons))

    def _differences(self, kind: Kind, legible: Resource, found: Resource) -> tuple[Difference, ...]:
        left = differences(kind.normalise(legible.properties), kind.normalise(found.properties))
        path = f"Tags[{PERIMETER_TAG}]"
        if not self._adopted(found) or any(item.path == path for item in left):
            return left
        return (*left, Difference(path, None, {"Key": PERIMETER_TAG, "Value": self.perimeter}, "neutral"))

    def _adopted(self, found: Resource) -> bool:
        """Whether something of our name, made by somebody else and tagged by nobody, becomes ours."""
        return bool(self.perimeter) and "Tags" in found.properties and owner(found) is None

    def _candidates(self, resource: Resource) -> tuple[Resource, ...]:
        return tuple(
            item
            for item in self.observed.of_type(resource.type)
            if id(item) not in self._claimed and item.id != UNREAD
        )

    def _resolve(self, ref: Ref) -> str:
        if ref.target in self.pending:
            return known_after_apply(ref)
        return self.attributes[ref.target][ref.attribute]

    def _stays_unknown(self, resource: Resource) -> None:
        self.pending.add(resource.id)
        self.attributes[resource.id] = self.placeholders.get(resource.id, {})


def _placeholders(desired: Estate, kinds: Mapping[str, Kind]) -> dict[str, Mapping[str, str]]:
    return {
        resource.id: kinds[resource.type].placeholder(resource)
        for resource in desired
        if resource.type in kinds
    }


def _with(resource: Resource, properties: Mapping[str, Any]) -> Resource:
    return Resource(
        type=resource.type,
        account=resource.account,
        region=resource.region,
        id=resource.id,
        properties=properties,
        unknown=resource.unknown,
        depends_on=resource.depends_on,
        evidence=resource.evidence,
    )
