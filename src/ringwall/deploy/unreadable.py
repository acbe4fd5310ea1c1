"""What could not be read and a plan would rest on. A plan that guessed there could duplicate or overlook something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ringwall.estate.kind import Kind
from ringwall.estate.model import Estate, Resource

UNREAD = "?"
_STRANGE_TOKEN = ("UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure")
CLOSED = "If other Regions can be read, this one is not enabled for the account (`aws account list-regions`)."
"""What a credential that a service does not know means where it is known elsewhere. Source:
https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html"""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something that was not read.

    Attributes:
        type: CloudFormation type.
        id: physical id, or ``?`` when the listing itself failed.
        where: account and Region.
        property: the property, or ``*``.
        reason: AWS's answer: the call and its error code.
        permissions: IAM actions that reading the type needs.
    """

    type: str
    id: str
    where: str
    property: str
    reason: str
    permissions: tuple[str, ...]

    def __str__(self) -> str:
        what = f"{self.type}" if self.id == UNREAD else f"{self.type} {self.id}"
        part = "" if self.property in ("*", "") else f", {self.property}"
        needs = f" Reading it needs {', '.join(self.permissions)}." if self.permissions else ""
        closed = f" {CLOSED}" if any(code in self.reason for code in _STRANGE_TOKEN) else ""
        return f"could not read {what}{part} ({self.where}): {self.reason}.{needs}{closed}"


def unreadable(
    desired: Estate,
    observed: Estate,
    matched: Mapping[str, Resource | None],
    kinds: Mapping[str, Kind],
    accepted: frozenset[str] = frozenset(),
) -> tuple[Unreadable, ...]:
    """Unread parts that decide a plan.

    These are: a listing of a declared type that failed, declared properties of a matched resource, and, where a
    declared resource matched nothing, any unread part of its type's other resources (it may be one of them).
    """
    return tuple(item for item in _unreadable(desired, observed, matched, kinds) if item.id not in accepted)


def _unreadable(
    desired: Estate, observed: Estate, matched: Mapping[str, Resource | None], kinds: Mapping[str, Kind]
) -> Iterator[Unreadable]:
    declared: dict[int, Resource] = {}
    missing: set[str] = set()
    for resource in desired:
        found = matched.get(resource.id)
        if found is None:
            missing.add(resource.type)
        else:
            declared[id(found)] = resource
    types = {resource.type for resource in desired}
    for item in observed:
        if item.type not in types:
            continue
        match = declared.get(id(item))
        for part in item.unknown:
            if (
                item.id == UNREAD
                or (match is not None and _matters(part.property, match))
                or (match is None and item.type in missing and part.property in ("Tags", "*"))
            ):
                where = " ".join(
                    name for name in (item.account, item.region) if name not in (UNREAD, "global")
                )
                yield Unreadable(
                    item.type,
                    item.id,
                    where or "the organization",
                    part.property,
                    part.reason,
                    _reads(kinds, item.type),
                )


def _matters(name: str, declared: Resource) -> bool:
    top = name.split(".", 1)[0].split("[", 1)[0]
    return top in ("*", "Tags") or top in declared.properties


def _reads(kinds: Mapping[str, Kind], resource_type: str) -> tuple[str, ...]:
    kind = kinds.get(resource_type)
    return kind.permissions.read if kind else ()
