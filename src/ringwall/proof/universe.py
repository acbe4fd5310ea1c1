"""The actions that a question is about, and the classes into which it divides them.

Nothing here belongs to a formula, and many questions are about the same actions: a claim is asked of one principal
after the other, and of each key, bucket and topic. So what vocabulary and patterns say of the actions is kept.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ringwall.iam.evaluate import rcp_applies
from ringwall.proof.listed import is_literal, listed
from ringwall.proof.resources import shapes_of
from ringwall.proof.traits import TRAITS

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from ringwall.iam.policy import Statement
    from ringwall.iam.vocabulary import Vocabulary
    from ringwall.proof.traits import Trait

_FEW = 64
"""Actions up to which each is matched by itself; of more the vocabulary is asked."""
_NONE: frozenset[str] = frozenset()


class _Known(NamedTuple):
    """What vocabulary and rules know of an action.

    Attributes:
        carried: context keys that a request for it can carry.
        shapes: forms of the resources that it can be about.
        rules: which of AWS's own rules single it out.
        rcp: whether resource control policies reach it.
    """

    carried: frozenset[str]
    shapes: tuple[str, ...]
    rules: Hashable
    rcp: bool


class Universe:
    """Some actions of a vocabulary. Make one with :func:`universe_of`, so that the same patterns give the same one.

    Attributes:
        vocabulary: knows the actions.
        names: the vocabulary's spelling by lower-cased action, in the vocabulary's order.
        lowered: the lower-cased actions.
    """

    def __init__(self, vocabulary: Vocabulary, actions: Iterable[str]) -> None:
        self.vocabulary = vocabulary
        self.names: Mapping[str, str] = {action.lower(): action for action in actions}
        self.lowered = frozenset(self.names)

    def members(self, pattern: str) -> frozenset[str]:
        """The actions, lower-cased, that a pattern matches."""
        return _members(self, pattern.lower())

    def has_any(self, statement: Statement) -> bool:
        """Whether a statement's Action or NotAction element matches any of the actions."""
        if statement.actions is not None:
            return any(map(self.members, statement.actions))
        excluded = frozenset[str]().union(*map(self.members, statement.not_actions or ()))
        return len(excluded) < len(self.lowered)

    @cached_property
    def services(self) -> frozenset[str]:
        """Prefixes of the actions."""
        return frozenset(lowered.partition(":")[0] for lowered in self.lowered)

    def divided(self, sets: Iterable[frozenset[str]]) -> frozenset[frozenset[str]]:
        """Those of some sets of actions that tell actions apart: neither all nor none."""
        return frozenset(sets) - {self.lowered, frozenset()}

    def carrying(self, key: str) -> frozenset[str]:
        """The actions, lower-cased, that carry a lower-cased key."""
        return _carrying(self, key)

    @cached_property
    def by_keys(self) -> Mapping[frozenset[str], Sequence[str]]:
        """The actions by the context keys that they carry; many carry the same."""
        found: dict[frozenset[str], list[str]] = {}
        for lowered, known in self.known.items():
            found.setdefault(known.carried, []).append(lowered)
        return found

    @cached_property
    def known(self) -> Mapping[str, _Known]:
        """What vocabulary and rules know of each action."""
        return {
            lowered: _known(self.vocabulary, action)  # type: ignore[arg-type]  # it is hashable
            for lowered, action in self.names.items()
        }


class Classes:
    """A division of a universe, each class under the name of its first action.

    Args:
        universe: what is divided.
        names: of the classes, lower-cased, in the universe's order.
        telling: what the patterns match by which it was divided.
    """

    def __init__(
        self, universe: Universe, names: tuple[str, ...], telling: frozenset[frozenset[str]]
    ) -> None:
        self.universe = universe
        self.bits: Mapping[str, int] = {name: 1 << index for index, name in enumerate(names)}
        """A bit for each class, by its name."""
        self._telling = telling
        self._masks: dict[str, int] = {}
        self._carrying: dict[str, tuple[str, ...]] = {}
        self._having: dict[Trait, int] = {}

    def mask(self, pattern: str) -> int:
        """The bits of the classes that a lower-cased pattern matches; it must be one of those that divided them."""
        mask = self._masks.get(pattern)
        if mask is None:
            members = self.universe.members(pattern)
            assert not members or members in self._telling or members == self.universe.lowered
            mask = self._masks[pattern] = sum(self.bits[name] for name in members & self.bits.keys())
        return mask

    def having(self, trait: Trait) -> int:
        """The bits of the classes that have a property."""
        mask = self._having.get(trait)
        if mask is None:
            mask = self._having[trait] = sum(bit for name, bit in self.bits.items() if trait.has(name))
        return mask

    def carrying(self, key: str) -> tuple[str, ...]:
        """The classes whose requests can carry a lower-cased key."""
        found = self._carrying.get(key)
        if found is None:
            members = self.universe.carrying(key)
            found = self._carrying[key] = tuple(name for name in self.bits if name in members)
        return found

    @cached_property
    def by_shapes(self) -> Mapping[tuple[str, ...], Sequence[str]]:
        """The classes by the forms that their resources can have."""
        found: dict[tuple[str, ...], list[str]] = {}
        for name in self.bits:
            found.setdefault(self.universe.known[name].shapes, []).append(name)
        return found


def is_among(carried: AbstractSet[str], key: str) -> bool:
    """Whether a lower-cased key is among those that an action carries, free parts included."""
    if key in carried:
        return True
    cuts = [index + 1 for index, char in enumerate(key) if char in "/:"][1:]
    return any(key[:cut] in carried for cut in cuts)


@lru_cache(maxsize=128)
def universe_of(
    vocabulary: Vocabulary, actions: tuple[str, ...] | None, not_actions: tuple[str, ...] | None
) -> Universe:
    """The actions of a vocabulary that some patterns match (``None`` = all) and others do not."""
    patterns = ("*",) if actions is None else actions
    found = dict.fromkeys(action for pattern in patterns for action in vocabulary.actions_matching(pattern))
    for pattern in not_actions or ():
        for action in vocabulary.actions_matching(pattern):
            found.pop(action, None)
    return Universe(vocabulary, found)


@lru_cache(maxsize=1024)
def only(vocabulary: Vocabulary, action: str) -> Universe:
    """An action by itself, whether or not the vocabulary knows it."""
    return Universe(vocabulary, (action,))


@lru_cache(maxsize=16384)
def _members(universe: Universe, pattern: str) -> frozenset[str]:
    if pattern == "*":
        return universe.lowered
    if is_literal(pattern):
        return frozenset((pattern,)) if pattern in universe.lowered else _NONE
    service = pattern.partition(":")[0]
    if service not in universe.services and is_literal(service):
        return _NONE
    if len(universe.lowered) > _FEW:
        matching = universe.vocabulary.actions_matching(pattern)
        return universe.lowered.intersection(action.lower() for action in matching)
    return frozenset(filter(listed(frozenset((pattern,))).accepts, universe.lowered))


@lru_cache(maxsize=16384)
def _carrying(universe: Universe, key: str) -> frozenset[str]:
    carrying = [members for carried, members in universe.by_keys.items() if is_among(carried, key)]
    return frozenset().union(*carrying)


@lru_cache(maxsize=512)
def classes_of(universe: Universe, telling: frozenset[frozenset[str]], *, shapes: bool, rcp: bool) -> Classes:
    """The classes of actions that nothing tells apart.

    Args:
        universe: the actions.
        telling: the actions that have some property, for each property that matters.
        shapes: whether the forms of their resources matter.
        rcp: whether it matters that resource control policies reach them.
    """
    marks = dict.fromkeys(universe.names, 0)
    for index, members in enumerate(telling):
        for lowered in members:
            marks[lowered] |= 1 << index
    first: dict[Hashable, str] = {}
    for lowered, known in universe.known.items():
        kind = (known.shapes if shapes else (), known.rules, known.rcp if rcp else None)
        first.setdefault((marks[lowered], kind), lowered)
    return Classes(universe, tuple(first.values()), telling)


@lru_cache(maxsize=65536)
def _known(vocabulary: Vocabulary, action: str) -> _Known:
    lowered = action.lower()
    rules = (*(trait.has(lowered) for trait in TRAITS), lowered.endswith(":callwithbearertoken"))
    carried = frozenset(vocabulary.condition_keys(action))
    return _Known(carried, shapes_of(vocabulary, action), rules, rcp_applies(lowered, vocabulary))
