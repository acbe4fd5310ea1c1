"""Which resources belong into one file: a stack lives in one account, and StackSets make global things once.

Files are made one after the other. What needs a file that needs its own comes in a file of its own, after both: a role has
the ARN of a key in its policies, and the key's policy names a role, which KMS wants to find.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from ringwall.deploy.order import dependencies
from ringwall.estate.kind import Kind
from ringwall.estate.model import Ref, Resource, references

ACCOUNT = "account"
ORGANIZATION = "organization"
GLOBAL = "global"
REGIONAL = "regional"
AFTER = "-after"
LAST = 1_000
"""Stage of what nothing else needs."""


@dataclass(frozen=True, slots=True)
class Part:
    """Resources of one file.

    Attributes:
        name: ``account`` and ``organization``, or with StackSets ``global``, ``regional`` and ``organization``; resources
            outside of the perimeter's home Region have parts of their own (``account-us-west-2``), and so have those that
            need a part which needs theirs (``regional-after``).
        resources: in dependency order.
        imports: references to resources of other parts.
        exports: references from other parts to these resources.
        after: names of the parts that must be there first.
    """

    name: str
    resources: tuple[Resource, ...]
    imports: tuple[Ref, ...]
    exports: tuple[Ref, ...]
    after: tuple[str, ...] = ()


def parts(
    resources: Iterable[Resource],
    kinds: Mapping[str, Kind],
    *,
    region: str,
    unspoken: AbstractSet[str] = frozenset(),
    stacksets: bool = False,
) -> tuple[Part, ...]:
    """Divide resources; the parts come in the order in which they are made.

    Args:
        resources: in dependency order.
        kinds: resource kinds by type.
        region: home Region of the perimeter.
        unspoken: types that the format has no word for; they are told of in the home Region's part, since a file with
            nothing in it is none.
        stacksets: put what an account has once apart from what each Region has. A stack set that makes roles in every
            Region fails on the second one.
    """
    groups: dict[tuple[int, int, str], list[Resource]] = {}
    place: dict[str, tuple[int, int, str]] = {}
    for item in resources:
        spoken = item.type not in unspoken
        where = item.region if spoken else region
        base = _part(kinds[item.type], where, region, stacksets=stacksets)
        needs = [place[name] for name in dependencies(item) if spoken and name in place]
        place[item.id] = (_stage(base, needs), _rank(base), base)
        groups.setdefault(place[item.id], []).append(item)
    names = {item_id: _name(key) for item_id, key in place.items()}
    made = {key: [item for item in group if item.type not in unspoken] for key, group in groups.items()}
    used = {key: tuple(_abroad(group, names)) for key, group in made.items()}
    return tuple(
        Part(
            _name(key),
            tuple(groups[key]),
            used[key],
            tuple(dict.fromkeys(ref for refs in used.values() for ref in refs if place[ref.target] == key)),
            _needed(made[key], names),
        )
        for key in sorted(groups)
    )


def _stage(base: str, needs: Iterable[tuple[int, int, str]]) -> int:
    """How often a later part has to be there before a resource of a part; the organization's come after everything."""
    if base == ORGANIZATION:
        return LAST
    return max((stage + (rank > _rank(base)) for stage, rank, _ in needs), default=0)


def _name(key: tuple[int, int, str]) -> str:
    stage, _, base = key
    return base if base == ORGANIZATION else f"{base}{AFTER * stage}"


def _rank(base: str) -> int:
    """Which of the parts comes first: what a Region has, then what an account has once, then the organization's."""
    return (GLOBAL, ORGANIZATION).index(base) + 1 if base in (GLOBAL, ORGANIZATION) else 0


def _needed(group: Iterable[Resource], place: Mapping[str, str]) -> tuple[str, ...]:
    """The other parts that a part's resources need."""
    needs = {place[target] for item in group for target in dependencies(item)}
    return tuple(sorted(needs - {place[item.id] for item in group}))


def _part(kind: Kind, where: str, home: str, *, stacksets: bool) -> str:
    if kind.scope == "organization":
        return ORGANIZATION
    if kind.scope == "account":
        return GLOBAL if stacksets else ACCOUNT
    name = REGIONAL if stacksets else ACCOUNT
    return name if where in (home, "global") else f"{name}-{where}"


def _abroad(group: Iterable[Resource], place: Mapping[str, str]) -> Iterator[Ref]:
    found = ((item, ref) for item in group for ref in references(item.properties))
    yield from dict.fromkeys(ref for item, ref in found if place[ref.target] != place[item.id])
