"""Statements that let nobody through, found once for all principals that have them.

A principal's own policies allow what any one of their statements allows. So whoever has only statements by which not
even anybody (:mod:`ringwall.access.anybody`) could, given the same organization, boundary and route, cannot either; and
a request that one statement lets through is worth trying for everybody who has that statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from ringwall.access.lone import NOTHING, Lone, Lones, may_overlap
from ringwall.access.possibilities import sample
from ringwall.iam.patterns import glob_matches
from ringwall.iam.policy import Policy, PolicySet
from ringwall.proof.prove import retold

if TYPE_CHECKING:
    from ringwall.iam.vocabulary import Vocabulary
    from ringwall.proof.hints import Hint
    from ringwall.proof.question import Answer, Question, Verdict

Prove = Callable[["Question"], "Answer"]

_HINTS = 8
_ACCOUNT, _LAST_FIELD = 4, 5  # of an ARN
_LATEST = 3
_MANY_ACTIONS = 4
"""Actions of a question from which on it is tried whether a single one of them shows something."""


@dataclass
class Sieve:
    """The statements of one question, asked of anybody by one route.

    Attributes:
        question: about anybody; its identity policies do not matter.
        prove: the prover.
        vocabulary: the actions.
        lones: the statements of the Estate's principals.
        wider: of the same question without regard to the route.
        whole: the answer to the question itself, if it is known.
    """

    question: Question
    prove: Prove
    vocabulary: Vocabulary
    lones: Lones
    wider: Sieve | None = None
    whole: Answer | None = None
    _telling: str = ""
    _latest: tuple[Hint, ...] = ()
    _passes: dict[tuple[Lone, int], bool] = field(default_factory=dict)
    _hints: dict[Lone, list[Hint]] = field(default_factory=dict)
    _questions: dict[tuple[Lone, int], Question] = field(default_factory=dict)

    @cached_property
    def closed(self) -> bool:
        """Whether not even anybody can, whose own policies allow everything."""
        return (self.whole or self.prove(self.question)).verdict == self._nobody

    @property
    def _nobody(self) -> Verdict:
        """The verdict that says that nobody can."""
        return "violated" if self.question.claim.kind == "can" else "holds"

    def candidates(self, policies: Iterable[Policy]) -> Sequence[Lone] | None:
        """The statements by which a principal with these policies might; ``None`` if it cannot.

        Every authorization of a call needs a statement that anybody could pass it by, unless a resource's policy lets
        anybody pass without.
        """
        if self.closed:
            return None
        listed = self.lones.of(policies)
        found: dict[Lone, None] = {}
        for index in self._indices:
            passing = [one for one in listed if self._lets_through(one, index)]
            if not passing and not self._lets_through(NOTHING, index):
                return None
            found.update(dict.fromkeys(passing))
        return list(found)

    def grounds(self, policies: Iterable[Policy]) -> Iterator[Question]:
        """Where there are no candidates: the questions whose answers together say why."""
        if self.closed:
            yield self.question
            return
        listed = (NOTHING, *self.lones.of(policies))
        for index in self._indices:
            if not any(self._lets_through(one, index) for one in listed):
                yield from (
                    self._alone(one, index) for one in listed if one is NOTHING or self._meets(one, index)
                )
                return

    def hints(self, statements: Sequence[Lone]) -> list[Hint]:
        """Requests that others sent who have one of the statements."""
        return [hint for one in statements for hint in self._hints.get(one, ())]

    def learn(self, statements: Sequence[Lone], hint: Hint) -> None:
        """Note what somebody with these statements can send."""
        for one in statements:
            kept = self._hints.setdefault(one, [])
            if len(kept) < _HINTS and hint not in kept:
                kept.append(hint)

    @property
    def _indices(self) -> range:
        return range(max(1, len(self.question.authorizations)))

    def _lets_through(self, lone: Lone, index: int) -> bool:
        key = (lone, index)
        found = self._passes.get(key)
        if found is None:
            found = self._passes[key] = (lone is NOTHING or self._meets(lone, index)) and self._asked(
                lone, index
            )
        return found

    def _asked(self, lone: Lone, index: int) -> bool:
        question = self._alone(lone, index)
        answer = (
            self._known(lone, question)
            or self._adapted(lone, question)
            or self._narrowed(lone, question)
            or self.prove(question)
        )
        if answer.witness and len(answer.witness) == len(self._indices):
            self.learn((lone,), answer.witness)
            self._latest = (answer.witness, *self._latest)[:_LATEST]
        return answer.verdict != self._nobody

    def _adapted(self, lone: Lone, question: Question) -> Answer | None:
        """The latest requests that got through, on a resource that the statement names, if they do so as well.

        But for its last field the ARN stays, and all that a request says of its resource's Region and owner with it.
        """
        if question.authorizations:
            return None
        for (request,) in self._latest:
            shapes = self.vocabulary.resource_patterns(request.action)
            asked = replace(question, principal=request.principal, account=None)
            for resource in _siblings(request.resource, lone.statement.resources or ()):
                if any(_has_shape(resource, shape) for shape in shapes):
                    told = retold(asked, ((replace(request, resource=resource),),), self.vocabulary)
                    if told is not None:
                        return told
        return None

    def _known(self, lone: Lone, question: Question) -> Answer | None:
        """What those can send of whom more was asked, if it gets through here as well."""
        for hint in self.wider.hints((lone,)) if self.wider is not None else ():
            told = retold(
                replace(question, principal=hint[0].principal, account=None), (hint,), self.vocabulary
            )
            if told is not None:
                return told
        return None

    def _narrowed(self, lone: Lone, question: Question) -> Answer | None:
        """The answer if a single action shows that somebody can: that is quickly seen, where it can be seen."""
        if question.authorizations or len(self._universe) < _MANY_ACTIONS:
            return None
        listed = lone.statement.actions
        named = self._universe if listed is None else self._universe & _union(map(self._members, listed))
        if len(named) > 1:
            action = self._telling if self._telling in named else min(named)
            claim = replace(question.claim, actions=(action,), not_actions=None)
            answer = self.prove(replace(question, claim=claim))
            if answer.witness:
                self._telling = action
                return answer
        return None

    def _meets(self, lone: Lone, index: int) -> bool:
        """Whether the statement is about any of the question's actions, on any of its resources, as far as a glance shows."""
        claim, parts = self.question.claim, self.question.authorizations
        if not may_overlap(lone.statement.resources, (parts[index].resource,) if parts else claim.resources):
            return False
        statement = lone.statement
        listed = statement.actions if statement.actions is not None else statement.not_actions or ()
        if parts:
            action = parts[index].action.lower()
            named = any(glob_matches(pattern.lower(), action) for pattern in listed)
            return named == (statement.actions is not None)
        if statement.actions is not None:
            return any(not self._universe.isdisjoint(self._members(pattern)) for pattern in listed)
        return not self._universe <= _union(map(self._members, listed))

    @cached_property
    def _universe(self) -> frozenset[str]:
        claim = self.question.claim
        listed = ("*",) if claim.actions is None else claim.actions
        return _union(map(self._members, listed)) - _union(map(self._members, claim.not_actions or ()))

    def _members(self, pattern: str) -> frozenset[str]:
        return self.lones.members(pattern, self.vocabulary)

    def _alone(self, lone: Lone, index: int) -> Question:
        """The question with a single statement as the principal's policies, about one authorization of the call."""
        key = (lone, index)
        if key not in self._questions:
            self._questions[key] = self._made(lone, index)
        return self._questions[key]

    def _made(self, lone: Lone, index: int) -> Question:
        question, policy = self.question, lone.policy

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


def _union(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*sets)


def _siblings(resource: str, patterns: Iterable[str]) -> Iterator[str]:
    """Of each pattern a resource that it matches, where that differs from the given one in the ARN's last field alone."""
    head = resource.split(":", _LAST_FIELD)[:_LAST_FIELD]
    for pattern in patterns:
        fields = pattern.split(":", _LAST_FIELD)
        if (
            len(fields) > _LAST_FIELD
            and "${" not in pattern
            and glob_matches(":".join(fields[:-1]), ":".join(head))
        ):
            yield ":".join((*head, sample(fields[-1])))


def _has_shape(resource: str, shape: str) -> bool:
    """Whether a resource has the ARN format of a resource type, field by field; an account that it takes is there."""
    pairs = list(zip(shape.split(":", _LAST_FIELD), resource.split(":", _LAST_FIELD), strict=False))
    return all(glob_matches(pattern, field) for pattern, field in pairs) and ("*", "") not in pairs[_ACCOUNT:]
