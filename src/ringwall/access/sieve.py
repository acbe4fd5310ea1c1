"""Statements that let nobody through, found once for all principals that have them.

A principal's own policies allow what any one of their statements allows. So whoever has only statements by which not
even anybody (:mod:`ringwall.access.anybody`) could, given the same organization and the same route, cannot either; and a
request that one statement lets through is worth trying for everybody who has that statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from ringwall.iam.compile import POLICY_VARIABLES_SINCE
from ringwall.iam.patterns import glob_matches
from ringwall.iam.policy import Effect, Policy, PolicySet, Statement
from ringwall.proof.hints import Hint
from ringwall.proof.question import Question, Verdict

Prove = Callable[[Question], Verdict]
Lone = tuple[str, Statement]
"""A statement by itself, wherever it stands, with the version of the policy language that it is written in."""


@dataclass
class Sieve:
    """The statements of one question, asked of anybody by one route.

    Attributes:
        question: a *can* question about anybody; its identity policies do not matter.
        prove: the prover.
    """

    question: Question
    prove: Prove
    _passes: dict[tuple[Lone, int], bool] = field(default_factory=dict)
    _hints: dict[Lone, list[Hint]] = field(default_factory=dict)

    @cached_property
    def closed(self) -> bool:
        """Whether not even anybody can, whose own policies allow everything."""
        return self.prove(self.question) == "violated"

    def candidates(self, policies: Iterable[Policy]) -> list[Lone] | None:
        """The statements by which a principal with these policies might; ``None`` if it cannot.

        Every authorization of a call needs a statement that anybody could pass it by, unless a resource's policy lets
        anybody pass without.
        """
        if self.closed:
            return None
        listed = list(dict.fromkeys(_allowing(policies)))
        found: dict[Lone, None] = {}
        for index in range(max(1, len(self.question.authorizations))):
            passing = [one for one in listed if self._lets_through(one, index)]
            if not passing and not self._lets_through(_NOTHING, index):
                return None
            found.update(dict.fromkeys(passing))
        return list(found)

    def hints(self, statements: Sequence[Lone]) -> list[Hint]:
        """Requests that others sent who have one of the statements."""
        return [hint for one in statements for hint in self._hints.get(one, ())]

    def learn(self, statements: Sequence[Lone], hint: Hint) -> None:
        """Note what somebody with these statements can send."""
        for one in statements:
            kept = self._hints.setdefault(one, [])
            if len(kept) < _HINTS and hint not in kept:
                kept.append(hint)

    def _lets_through(self, lone: Lone, index: int) -> bool:
        key = (lone, index)
        if key not in self._passes:
            self._passes[key] = self._may_match(lone[1], index) and (
                self.prove(_with(self.question, lone, index)) != "violated"
            )
        return self._passes[key]

    def _may_match(self, statement: Statement, index: int) -> bool:
        """Whether the statement's actions meet the question's, as far as a glance shows."""
        if statement.actions is None or statement.effect is Effect.DENY:
            return True
        parts = self.question.authorizations
        actions = (parts[index].action,) if parts else self.question.claim.actions or ("*",)
        if any("*" in action or "?" in action for action in actions):
            return True
        lowered = [action.lower() for action in actions]
        return any(
            glob_matches(pattern.lower(), action) for pattern in statement.actions for action in lowered
        )


_HINTS = 8
_NOTHING: Lone = (
    POLICY_VARIABLES_SINCE,
    Statement(0, None, Effect.DENY, actions=("nothing:Nothing",), resources=("*",)),
)
"""Stands for having no statement at all."""


def _allowing(policies: Iterable[Policy]) -> Iterable[Lone]:
    for policy in policies:
        for statement in policy.statements:
            if statement.effect is Effect.ALLOW:
                yield policy.version, replace(statement, index=0, sid=None)


def _with(question: Question, lone: Lone, index: int) -> Question:
    """The question with a single statement as the principal's policies, about one authorization of the call."""
    version, statement = lone
    policy = Policy("statement", version, (statement,))

    def only(policies: PolicySet) -> PolicySet:
        return replace(policies, identity=(policy,))

    parts = question.authorizations[index : index + 1]
    return replace(
        question,
        policies=only(question.policies),
        authorizations=tuple(
            part._replace(policies=only(part.policies)) if part.policies else part for part in parts
        ),
    )
