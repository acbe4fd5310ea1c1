"""The action of the symbolic request.

Where a claim speaks of AWS's actions, they are finitely many and fall into classes that nothing in the question tells
apart: exactly one class is chosen. Where any action is meant, the action is a text.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from ringwall.proof.digest import digest_of
from ringwall.proof.formula import FALSE, TRUE, Formula
from ringwall.proof.language import ANY, STAR
from ringwall.proof.listed import listed
from ringwall.proof.theory import Free, Holds, Variable
from ringwall.proof.universe import only

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ringwall.iam.policy import Policy, Statement
    from ringwall.iam.vocabulary import Vocabulary
    from ringwall.proof.traits import Trait
    from ringwall.proof.universe import Classes

ACTION = "action"
_NAMES = "abcdefghijklmnopqrstuvwxyz0123456789-"


class Actions(Protocol):
    """The choice of an action."""

    def any_of(self, patterns: Iterable[str]) -> int:
        """The literal that the action matches any of the patterns."""

    def among(self, trait: Trait) -> int:
        """The literal that the action has a property."""

    def constraint(self) -> int:
        """What holds of the choice itself."""

    def statements(self, policy: Policy) -> tuple[Statement, ...]:
        """Those of a policy's statements, in order, that speak of an action that there is to choose."""


class KnownActions:
    """One of the actions of a vocabulary, of a class of them.

    Args:
        formula: the arena.
        classes: of actions that nothing in the question tells apart.
    """

    def __init__(self, formula: Formula, classes: Classes) -> None:
        self._formula = formula
        self._divided = classes
        self.classes = tuple(classes.bits)
        self.choices = self._choices()
        self._literals: dict[int, int] = {}
        """By bits of classes, the literal that the action is of one of them."""

    def _choices(self) -> Mapping[str, int]:
        if len(self.classes) == 1:
            return {self.classes[0]: TRUE}
        return {lowered: self._formula.atom(Free(f"action {lowered}")) for lowered in self.classes}

    def any_of(self, patterns: Iterable[str]) -> int:
        """See :class:`Actions`."""
        mask = 0
        for pattern in patterns:
            mask |= self._divided.mask(pattern.lower())
        return self._any(mask)

    def among(self, trait: Trait) -> int:
        """See :class:`Actions`."""
        return self._any(self._divided.having(trait))

    def _any(self, mask: int) -> int:
        if mask not in self._literals:
            bits = self._divided.bits
            chosen = [self.choices[lowered] for lowered, bit in bits.items() if mask & bit]
            everything = bool(chosen) and len(chosen) == len(self.classes)
            self._literals[mask] = TRUE if everything else self._formula.disj(chosen)
        return self._literals[mask]

    def constraint(self) -> int:
        """At least one class; two at once would only match more, and the witness takes one."""
        literals = list(self.choices.values())
        if len(literals) == 1:
            return TRUE
        return self._formula.conj((self._formula.disj(literals), _at_most_one(self._formula, literals)))

    def statements(self, policy: Policy) -> tuple[Statement, ...]:
        """See :class:`Actions`."""
        return digest_of(policy).speaking_of(self._divided.universe)

    def carrying(self, key: str) -> list[int]:
        """The literals of the classes whose requests can carry a lower-cased key."""
        return [self.choices[lowered] for lowered in self._divided.carrying(key)]

    def by_shapes(self) -> Iterator[tuple[tuple[str, ...], list[int]]]:
        """The literals of the classes, by the forms that their resources can have."""
        for shapes, names in self._divided.by_shapes.items():
            yield shapes, [self.choices[lowered] for lowered in names]

    def name(self, lowered: str) -> str:
        """The action in the vocabulary's spelling."""
        return self._divided.universe.names[lowered]


def _at_most_one(formula: Formula, literals: list[int]) -> int:
    """A ladder: the literals before each one, and none of them with it."""
    parts: list[int] = []
    before = FALSE
    for one in literals:
        if before != FALSE:
            parts.append(-formula.conj((one, before)))
        before = formula.disj((before, one))
    return formula.conj(parts)


class OneAction:
    """An action that is known, in the vocabulary's spelling."""

    def __init__(self, vocabulary: Vocabulary, action: str) -> None:
        self._universe = only(vocabulary, action)  # type: ignore[arg-type]  # it is hashable
        self.action = action
        self._lowered = action.lower()

    def any_of(self, patterns: Iterable[str]) -> int:
        """See :class:`Actions`."""
        return TRUE if listed(_lowered(tuple(patterns))).accepts(self._lowered) else FALSE

    def among(self, trait: Trait) -> int:
        """See :class:`Actions`."""
        return TRUE if trait.has(self._lowered) else FALSE

    def constraint(self) -> int:
        """Nothing more."""
        return TRUE

    def statements(self, policy: Policy) -> tuple[Statement, ...]:
        """See :class:`Actions`."""
        return digest_of(policy).speaking_of(self._universe)


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

    def among(self, trait: Trait) -> int:
        """See :class:`Actions`."""
        return self.any_of(trait.patterns())

    def constraint(self) -> int:
        """Nothing more."""
        return TRUE

    def statements(self, policy: Policy) -> tuple[Statement, ...]:
        """See :class:`Actions`."""
        return policy.statements
