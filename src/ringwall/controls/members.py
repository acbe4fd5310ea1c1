"""From a declaration of several accounts to one Estate.

Each account's resources stand under its name. Organization policies that name an account's own things are made for each
account and attached to it alone; what names none of them is made once, and attached to the declared target or to every
account that has it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ringwall.controls import enforcement, retention
from ringwall.controls.compile import compile_estate
from ringwall.errors import RingwallError
from ringwall.estate.members import among_others
from ringwall.estate.model import Estate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ringwall.estate.model import Resource
    from ringwall.perimeter.model import Perimeter

SHARED = frozenset({f"scp/{retention.POLICY}", enforcement.ORGANIZATION_POLICY})
"""Policies that name nothing of an account's own."""


def compile_members(perimeters: Sequence[Perimeter]) -> Estate:
    """The desired Estate of all accounts of a declaration.

    Args:
        perimeters: from :func:`ringwall.perimeter.load_all`. One without a member's name compiles as ever.

    Raises:
        RingwallError: an account's part does not fit AWS's limits, or two accounts want different policies of what the
            organization has once.
    """
    first = perimeters[0]
    if len(perimeters) == 1 and first.member is None:
        return compile_estate(first)
    estates = [(perimeter.member or perimeter.account, compile_estate(perimeter)) for perimeter in perimeters]
    accounts = {account.id: account for _, estate in estates for account in estate.accounts}
    own = (among_others(name, item) for name, estate in estates for item in estate if item.id not in SHARED)
    shared = [(name, item) for name, estate in estates for item in estate if item.id in SHARED]
    return Estate(
        source="desired",
        accounts=tuple(accounts.values()),
        resources=(*own, *_once(shared, perimeters)),
    )


def compile_member(perimeters: Sequence[Perimeter], chosen: Perimeter) -> tuple[Estate, Mapping[str, str]]:
    """The desired Estate of one account, for files that are that account's.

    What the organization has once stands with the first account that declares it, attached for all of them.

    Args:
        perimeters: of the whole declaration.
        chosen: one of them.

    Returns:
        The Estate, and by each policy that is left out the account that it stands with.

    Raises:
        RingwallError: as :func:`compile_members`.
    """
    if len(perimeters) == 1:
        return compile_estate(chosen), {}
    estates = {perimeter.member or perimeter.account: compile_estate(perimeter) for perimeter in perimeters}
    shared = [(name, item) for name, estate in estates.items() for item in estate if item.id in SHARED]
    whole = {item.id: item for item in _once(shared, perimeters)}
    first = {item.id: name for name, item in reversed(shared)}
    name = chosen.member or chosen.account
    own = estates[name]
    kept = [whole.get(item.id, item) for item in own if first.get(item.id, name) == name]
    elsewhere = {item.id: first[item.id] for item in own if first.get(item.id, name) != name}
    return own.with_resources(kept), elsewhere


def _once(shared: Iterable[tuple[str, Resource]], perimeters: Sequence[Perimeter]) -> Iterator[Resource]:
    """Each shared policy once; at the declared target only if every account wants it."""
    wanting: dict[str, list[tuple[str, Resource]]] = {}
    for name, item in shared:
        wanting.setdefault(item.id, []).append((name, item))
    numbers = {perimeter.member or perimeter.account: perimeter.account for perimeter in perimeters}
    for policy, entries in wanting.items():
        (first, found), *others = entries
        for name, other in others:
            if other.get("Content") != found.get("Content"):
                raise RingwallError(
                    f"{policy} is made once for the organization, but {first} and {name} declare it differently"
                )
        targets = found.get("TargetIds")
        if len(entries) < len(perimeters) or targets == [numbers[first]]:
            targets = sorted(numbers[name] for name, _ in entries)
        yield replace(found, properties={**found.properties, "TargetIds": targets})
