"""The action of the symbolic request.

Where a claim speaks of AWS's actions, they are finitely many and fall into classes that nothing in the question tells
apart: exactly one class is chosen. Where any action is meant, the action is a text.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from ringwall.proof.formula import FALSE, TRUE, Formula
from ringwall.proof.language import ANY, STAR
from ringwall.proof.listed import listed
from ringwall.proof.theory import Free, Holds, Variable

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from ringwall.iam.vocabulary import Vocabulary

ACTION = "action"
_NAMES = "abcdefghijklmnopqrstuvwxyz0123456789-"


class Actions(Protocol):
    """The choice of an action."""

    def any_of(self, patterns: Iterable[str]) -> int:
        """The literal that the action matches any of the patterns."""

    def among(self, member: Callable[[str], bool], patterns: Callable[[], Iterable[str]]) -> int:
        """The literal that the action has a property, which ``member`` tests and the patterns spell out."""

    def constraint(self) -> int:
        """What holds of the choice itself."""


class KnownActions:
    """One of the actions of a vocabulary.

    Args:
        formula: the arena.
        vocabulary: knows the actions.
        universe: the actions to choose from.
        traits: further properties of actions that the question depends on; actions that agree in all of them and in
            every pattern are one class.
        patterns: every action pattern that will be asked about.
    """

    def __init__(
        self,
        formula: Formula,
        vocabulary: Vocabulary,
        universe: Iterable[str],
        patterns: Iterable[str],
        traits: Callable[[str], Hashable],
    ) -> None:
        self._formula = formula
        chosen = {action.lower(): action for action in universe}
        self._members: dict[str, frozenset[str]] = {}
        marks: dict[str, int] = dict.fromkeys(chosen, 0)
        for index, pattern in enumerate(dict.fromkeys(item.lower() for item in patterns)):
            members = _members(vocabulary, pattern, chosen)
            self._members[pattern] = members
            if len(members) != len(chosen):
                for action in members:
                    marks[action] |= 1 << index
        groups: dict[Hashable, list[str]] = {}
        for lowered, action in chosen.items():
            groups.setdefault((marks[lowered], traits(action)), []).append(lowered)
        self._names = chosen
        self.classes = tuple(members[0] for members in groups.values())
        self.choices = self._choices()
        self._bits = {lowered: 1 << index for index, lowered in enumerate(self.classes)}
        """A bit for each class, by the action that stands for it."""
        self._masks: dict[str, int] = {}
        """By pattern, the bits of the classes that match it."""
        self._literals: dict[int, int] = {}
        """By such bits, the literal that the action is of one of these classes."""

    def _choices(self) -> Mapping[str, int]:
        if len(self.classes) == 1:
            return {self.classes[0]: TRUE}
        return {lowered: self._formula.atom(Free(f"action {lowered}")) for lowered in self.classes}

    def any_of(self, patterns: Iterable[str]) -> int:
        """See :class:`Actions`."""
        mask = 0
        for pattern in patterns:
            mask |= self._mask(pattern.lower())
        return self._any(mask)

    def among(self, member: Callable[[str], bool], patterns: Callable[[], Iterable[str]]) -> int:  # noqa: ARG002
        """See :class:`Actions`."""
        return self._any(sum(bit for lowered, bit in self._bits.items() if member(lowered)))

    def _mask(self, pattern: str) -> int:
        mask = self._masks.get(pattern)
        if mask is None:
            members, bits = self._members[pattern], self._bits
            shared = members & bits.keys() if len(members) > len(bits) else members
            mask = self._masks[pattern] = sum(bits.get(lowered, 0) for lowered in shared)
        return mask

    def _any(self, mask: int) -> int:
        if mask not in self._literals:
            chosen = [self.choices[lowered] for lowered, bit in self._bits.items() if mask & bit]
            everything = bool(chosen) and len(chosen) == len(self.classes)
            self._literals[mask] = TRUE if everything else self._formula.disj(chosen)
        return self._literals[mask]

    def constraint(self) -> int:
        """At least one class; two at once would only match more, and the witness takes one."""
        literals = list(self.choices.values())
        if len(literals) == 1:
            return TRUE
        return self._formula.conj((self._formula.disj(literals), _at_most_one(self._formula, literals)))

    def name(self, lowered: str) -> str:
        """The action in the vocabulary's spelling."""
        return self._names[lowered]


def _at_most_one(formula: Formula, literals: list[int]) -> int:
    """A ladder: the literals before each one, and none of them with it."""
    parts: list[int] = []
    before = FALSE
    for one in literals:
        if before != FALSE:
            parts.append(-formula.conj((one, before)))
        before = formula.disj((before, one))
    return formula.conj(parts)


def _members(vocabulary: Vocabulary, pattern: str, chosen: Mapping[str, str]) -> frozenset[str]:
    if pattern == "*":
        return frozenset(chosen)
    if "*" not in pattern and "?" not in pattern:
        return frozenset((pattern,)) if pattern in chosen else frozenset()
    if len(chosen) > 64:
        return frozenset(action.lower() for action in vocabulary.actions_matching(pattern)) & chosen.keys()
    return frozenset(action for action in chosen if _accepts(pattern, action))


@lru_cache(maxsize=65_536)
def _accepts(pattern: str, action: str) -> bool:
    return listed(frozenset((pattern,))).accepts(action)


class OneAction:
    """An action that is known, in the vocabulary's spelling."""

    def __init__(self, action: str) -> None:
        self.action = action
        self._lowered = action.lower()

    def any_of(self, patterns: Iterable[str]) -> int:
        """See :class:`Actions`."""
        return TRUE if listed(_lowered(tuple(patterns))).accepts(self._lowered) else FALSE

    def among(self, member: Callable[[str], bool], patterns: Callable[[], Iterable[str]]) -> int:  # noqa: ARG002
        """See :class:`Actions`."""
        return TRUE if member(self._lowered) else FALSE

    def constraint(self) -> int:
        """Nothing more."""
        return TRUE


@lru_cache(maxsize=16384)
def _lowered(patterns: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(str.lower, patterns))


class AnyAction:
    """Any text of the form ``service:name``."""

    def __init__(self, formula: Formula) -> None:
        self._formula = formula
        service = (ANY, STAR)
        self.variable = Variable(shape=(((*service, "=:", *service),),), alphabet=_NAMES + ":", listed=True)

    def any_of(self, patterns: Iterable[str]) -> int:
        """See :class:`Actions`."""
        lowered = _lowered(tuple(patterns))
        if not lowered:
            return FALSE
        if "*" in lowered:
            return TRUE
        return self._formula.atom(Holds(ACTION, listed(lowered)), cost=1)

    def among(self, member: Callable[[str], bool], patterns: Callable[[], Iterable[str]]) -> int:  # noqa: ARG002
        """See :class:`Actions`."""
        return self.any_of(patterns())

    def constraint(self) -> int:
        """Nothing more."""
        return TRUE
