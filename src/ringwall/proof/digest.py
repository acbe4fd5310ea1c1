"""What the prover reads off a policy once, for all the questions that it bears on.

A policy has many statements, and most of them say nothing of the few actions that a question is about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringwall.iam.policy import ConditionTest, Policy, Statement
    from ringwall.proof.universe import Universe


class Digest:
    """Of a policy, the keys that it tests, and the statements that speak of some actions.

    Attributes:
        keys: the lower-cased keys of all its tests.
        qualified: those of tests with a set operator.
    """

    __slots__ = ("_speaking", "_statements", "_telling", "keys", "qualified")

    def __init__(self, statements: tuple[Statement, ...]) -> None:
        tests = [test for statement in statements for test in statement.conditions]
        self.keys = keys_of(tests)
        self.qualified = keys_of(test for test in tests if test.qualifier is not None)
        self._statements = statements
        self._speaking: dict[frozenset[str], tuple[Statement, ...]] = {}
        self._telling: dict[frozenset[str], frozenset[frozenset[str]]] = {}

    def speaking_of(self, universe: Universe) -> tuple[Statement, ...]:
        """The statements whose Action or NotAction element matches any of the actions, in order."""
        found = self._speaking.get(universe.lowered)
        if found is None:
            found = self._speaking[universe.lowered] = tuple(filter(universe.has_any, self._statements))
        return found

    def telling(self, universe: Universe) -> frozenset[frozenset[str]]:
        """The actions that each of its action patterns matches, as far as that tells actions apart."""
        found = self._telling.get(universe.lowered)
        if found is None:
            speaking = self.speaking_of(universe)
            patterns = (pattern for one in speaking for pattern in one.actions or one.not_actions or ())
            found = self._telling[universe.lowered] = universe.divided(map(universe.members, patterns))
        return found


def keys_of(tests: Iterable[ConditionTest]) -> frozenset[str]:
    """The lower-cased keys of some tests."""
    return frozenset(test.key.lower() for test in tests)


def digest_of(policy: Policy) -> Digest:
    """The policy's digest; remembered on the policy."""
    try:
        found: Digest = policy.digest
    except AttributeError:
        found = Digest(policy.statements)
        object.__setattr__(policy, "digest", found)
    return found
