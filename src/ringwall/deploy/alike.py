"""Values that no statement tells apart: one of them is asked about for all.

Two resources are alike if every pattern of every statement matches both or neither, two values of a condition key if
every test of that key passes for both or for neither. Where a policy variable makes a test depend on something else,
nothing counts as alike.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeVar

from ringwall.iam.conditions import Context, compile_test
from ringwall.iam.patterns import (
    Reading,
    TextTest,
    Tokens,
    Variable,
    complete_arns,
    matcher,
    tokenize,
)
from ringwall.iam.policy import ConditionTest, Statement
from ringwall.iam.rules import deciding_resource

Values = tuple[str, ...]
"""Values of one condition key; none = the key is absent."""
_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Distinctions:
    """What the statements that bear on one action look at."""

    action: str
    statements: tuple[Statement, ...]

    def resources(
        self, arns: Iterable[str], apart: Callable[[str], Hashable] = lambda _arn: None
    ) -> list[tuple[str, ...]]:
        """Groups of resources that are alike.

        Args:
            arns: to be grouped; their order is kept.
            apart: what else tells resources apart, such as policies of their own.
        """
        if any(map(_is_open, self._patterns)):
            return [(arn,) for arn in arns]
        deciding = deciding_resource(self.action.lower())
        return _grouped(
            arns,
            lambda arn: (
                apart(arn),
                deciding is not None and deciding in arn,
                tuple(_matches(pattern, arn) for pattern in self._patterns),
            ),
        )

    def values(self, key: str, values: Iterable[Values]) -> list[tuple[Values, ...]]:
        """Groups of a lower-cased key's values that are alike, absence among them."""
        tests = self._conditions.get(key, ())
        if key in self._variables or any(_is_open(value) for test in tests for value in test.values):
            return [(value,) for value in values]

        def outcome(value: Values) -> tuple[bool, ...]:
            context = {key: value} if value else {}
            return tuple(_compiled(test)(context) for test in tests)

        return _grouped(values, outcome)

    @cached_property
    def _patterns(self) -> tuple[str, ...]:
        return tuple(
            dict.fromkeys(
                pattern
                for item in self.statements
                for pattern in (*(item.resources or ()), *(item.not_resources or ()))
            )
        )

    @cached_property
    def _conditions(self) -> dict[str, tuple[ConditionTest, ...]]:
        found: dict[str, dict[ConditionTest, None]] = {}
        for item in self.statements:
            for test in item.conditions:
                found.setdefault(test.key.lower(), {})[test] = None
        return {key: tuple(tests) for key, tests in found.items()}

    @cached_property
    def _variables(self) -> frozenset[str]:
        """Keys whose values policy variables bring into patterns and tests."""
        texts = [
            *self._patterns,
            *(value for tests in self._conditions.values() for test in tests for value in test.values),
        ]
        return frozenset(
            token.key for text in texts for token in _tokens(text) if isinstance(token, Variable)
        )


def _grouped(items: Iterable[_Item], mark: Callable[[_Item], Hashable]) -> list[tuple[_Item, ...]]:
    groups: dict[Hashable, list[_Item]] = {}
    for item in items:
        groups.setdefault(mark(item), []).append(item)
    return [tuple(group) for group in groups.values()]


@lru_cache(maxsize=4096)
def _tokens(text: str) -> Tokens:
    return tokenize(text, variables=True)


@lru_cache(maxsize=65_536)
def _matches(pattern: str, arn: str) -> tuple[bool, ...]:
    return tuple(test is None or bool(test(arn)) for test in _readings(pattern))


@lru_cache(maxsize=4096)
def _readings(pattern: str) -> tuple[TextTest | None, ...]:
    """The pattern as it is read in resources' policies, and in identities', which complete short ARNs."""
    tokens: Sequence[Tokens] = (_tokens(pattern),)
    return matcher(tokens, Reading.RESOURCE), matcher(complete_arns(tokens), Reading.RESOURCE)


def _is_open(text: str) -> bool:
    """Whether a policy variable may stand in a text, or what a policy's version tells from one."""
    return "${" in text


@lru_cache(maxsize=4096)
def _compiled(test: ConditionTest) -> Callable[[Context], bool]:
    return compile_test(test, variables=False)
