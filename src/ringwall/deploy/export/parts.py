"""Which resources belong into one file: a stack lives in one account, and StackSets make global things once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from ringwall.estate.kind import Kind
from ringwall.estate.model import Ref, Resource, references

ACCOUNT = "account"
ORGANIZATION = "organization"
GLOBAL = "global"
REGIONAL = "regional"


@dataclass(frozen=True, slots=True)
class Part:
    """Resources of one file.

    Attributes:
        name: ``account`` and ``organization``, or with StackSets ``global``, ``regional`` and ``organization``; resources
            outside of the perimeter's home Region have parts of their own (``account-us-west-2``).
        resources: in dependency order.
        imports: references to resources of other parts.
        exports: references from other parts to these resources.
    """

    name: str
    resources: tuple[Resource, ...]
    imports: tuple[Ref, ...]
    exports: tuple[Ref, ...]


def parts(
    resources: Iterable[Resource],
    kinds: Mapping[str, Kind],
    *,
    region: str,
    unspoken: AbstractSet[str] = frozenset(),
    stacksets: bool = False,
) -> tuple[Part, ...]:
    """Divide resources.

    Args:
        resources: in dependency order.
        kinds: resource kinds by type.
        region: home Region of the perimeter.
        unspoken: types that the format has no word for; they are told of in the home Region's part, since a file with
            nothing in it is none.
        stacksets: put what an account has once apart from what each Region has. A stack set that makes roles in every
            Region fails on the second one.
    """
    groups: dict[str, list[Resource]] = {}
    for item in resources:
        where = region if item.type in unspoken else item.region
        groups.setdefault(_part(kinds[item.type], where, region, stacksets=stacksets), []).append(item)
    place = {item.id: name for name, group in groups.items() for item in group}
    used = {name: tuple(_abroad(group, name, place)) for name, group in groups.items()}
    return tuple(
        Part(
            name,
            tuple(group),
            used[name],
            tuple(dict.fromkeys(ref for refs in used.values() for ref in refs if place[ref.target] == name)),
        )
        for name, group in groups.items()
    )


def _part(kind: Kind, where: str, home: str, *, stacksets: bool) -> str:
    if kind.scope == "organization":
        return ORGANIZATION
    if kind.scope == "account":
        return GLOBAL if stacksets else ACCOUNT
    name = REGIONAL if stacksets else ACCOUNT
    return name if where in (home, "global") else f"{name}-{where}"


def _abroad(group: Iterable[Resource], name: str, place: Mapping[str, str]) -> Iterator[Ref]:
    found = (ref for item in group for ref in references(item.properties))
    yield from dict.fromkeys(ref for ref in found if place[ref.target] != name)
