"""Statements by themselves: what a principal's policies allow is what any one of their Allow statements allows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from ringwall.iam.compile import POLICY_VARIABLES_SINCE
from ringwall.iam.policy import Effect, Policy, Statement
from ringwall.proof.globs import FIELDS

if TYPE_CHECKING:
    from ringwall.iam.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class Lone:
    """A statement, wherever it stands, with the version of the policy language that it is written in."""

    version: str
    statement: Statement

    @cached_property
    def policy(self) -> Policy:
        """A policy that says this alone."""
        return Policy("statement", self.version, (self.statement,))


NOTHING = Lone(
    POLICY_VARIABLES_SINCE,
    Statement(0, None, Effect.DENY, actions=("nothing:Nothing",), resources=("*",)),
)
"""Stands for having no statement at all."""


@dataclass
class Lones:
    """The Allow statements of many principals' policies; those that say the same are one."""

    _by_content: dict[tuple[str, Statement], Lone] = field(default_factory=dict)
    _by_policy: dict[int, tuple[Policy, tuple[Lone, ...]]] = field(default_factory=dict)
    _members: dict[str, frozenset[str]] = field(default_factory=dict)

    def of(self, policies: Iterable[Policy]) -> list[Lone]:
        """The Allow statements of the policies, without repeats."""
        return list(dict.fromkeys(one for policy in policies for one in self._of_policy(policy)))

    def _of_policy(self, policy: Policy) -> tuple[Lone, ...]:
        # A policy is itself alone, so it is known by its identity, which is kept from being used again.
        known = self._by_policy.get(id(policy))
        if known is None:
            known = self._by_policy[id(policy)] = (policy, tuple(self._read(policy)))
        return known[1]

    def _read(self, policy: Policy) -> Iterable[Lone]:
        for statement in policy.statements:
            if statement.effect is Effect.ALLOW:
                said = (policy.version, replace(statement, index=0, sid=None))
                yield self._by_content.setdefault(said, Lone(*said))

    def members(self, pattern: str, vocabulary: Vocabulary) -> frozenset[str]:
        """The actions, lower-cased, that a pattern matches."""
        found = self._members.get(pattern)
        if found is None:
            matching = (*vocabulary.actions_matching(pattern), *(() if _is_open(pattern) else (pattern,)))
            found = self._members[pattern] = frozenset(action.lower() for action in matching)
        return found


def _is_open(pattern: str) -> bool:
    return "*" in pattern or "?" in pattern


def may_overlap(patterns: Sequence[str] | None, others: Sequence[str] | None) -> bool:
    """Whether a resource may match one of the patterns and one of the others, by how whole ARNs begin.

    A pattern of fewer fields than an ARN has is completed when it is read, so how it begins says nothing.
    """
    if patterns is None or others is None:
        return True
    begins = [_begin(other) for other in others]
    return any(
        begin.startswith(other) or other.startswith(begin)
        for begin in map(_begin, patterns)
        for other in begins
    )


@lru_cache(maxsize=65536)
def _begin(pattern: str) -> str:
    """The text before the first wildcard or variable."""
    return _OPEN.split(pattern, maxsplit=1)[0] if pattern.count(":") >= FIELDS - 1 else ""


_OPEN = re.compile(r"[*?]|\$\{")
