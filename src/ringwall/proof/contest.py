"""Two sets of policies held against each other: is there a request that the one allows and the other does not?

Both are encoded over one symbolic request, so that what is learned of values in one direction serves the other, and
statement by statement as they are needed: where two single policies differ, a look at one Allow and what can meet it
(:mod:`ringwall.proof.gains`) mostly decides, and all the other statements never become formulas.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from ringwall.iam.evaluate import decide
from ringwall.iam.policy import Policy, PolicySet
from ringwall.iam.request import Request
from ringwall.proof.formula import FALSE
from ringwall.proof.gains import gains
from ringwall.proof.grounding import can_be_sent, groundings
from ringwall.proof.language import Clock, GaveUpError, OutOfRoomError, OutOfTimeError
from ringwall.proof.opinion import opinion_of_cvc5
from ringwall.proof.places import mixed, undetermined, variables_in
from ringwall.proof.search import Model, Search
from ringwall.proof.setting import all_policies, make_setting
from ringwall.proof.simplest import simpler
from ringwall.proof.witness import requests_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ringwall.iam.vocabulary import Vocabulary
    from ringwall.proof.question import Question

AFTER, BEFORE = 0, 1
"""The sides of a contest: the question's own policies are those after the change."""

OUT_OF_TIME: Final = "nothing was found in time, and nothing proved"

_TRIED_AT_ONCE: Final = 3
"""Undecided parts for whose policy variables a value is tried before the other parts are looked at."""


@dataclass(frozen=True)
class Unknown:
    """There may be such a request or not.

    Attributes:
        reason: what stopped the search, and where.
        is_open: values for policy variables that nothing determines may yet tell.
    """

    reason: str
    is_open: bool = False


Found = Request | None | Unknown
"""A request, the proof that there is none, or neither."""


class Bout(NamedTuple):
    """A part of the question: whether these policies allow a request that those do not."""

    allowing: PolicySet
    denying: PolicySet


class Contest:
    """Two sets of policies over one symbolic request.

    Args:
        question: whose requests are compared, under the policies after the change.
        before: the policies before.
        vocabulary: what AWS's actions and keys are.
        clock: when building the formula has to end.
        delegation: a resource policy that leaves the decision to the account, under which a request may differ too.
        divisible: each side is one identity policy, which may be looked at Allow by Allow.
        final: what is undecided stays so, without values tried for policy variables.

    Raises:
        GaveUpError: the clock ran out.
        ValueError: the principal cannot be read.
    """

    def __init__(
        self,
        question: Question,
        before: PolicySet,
        vocabulary: Vocabulary,
        clock: Clock,
        *,
        delegation: Policy | None = None,
        divisible: bool = False,
        final: bool = False,
    ) -> None:
        self._sides = question.policies, before
        self._question = question
        self._vocabulary = vocabulary
        self._delegation = delegation
        self._divisible = divisible
        self._final = final
        delegable = delegation is not None
        self._setting = make_setting(question, vocabulary, against=before, delegable=delegable, clock=clock)
        self._open: Search | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._open is not None:
            self._open.close()

    @property
    def principal(self) -> str | None:
        """Whose requests are compared."""
        return self._question.principal

    def only(self, side: int, clock: Clock) -> Found:
        """A request that this side alone allows."""
        undecided: list[tuple[Bout, Unknown]] = []
        try:
            for bout in self._bouts(side, clock):
                found = self._of_bout(bout, side, clock)
                if isinstance(found, Unknown):
                    undecided.append((bout, found))
                    if found.is_open and len(undecided) <= _TRIED_AT_ONCE and not self._final:
                        found = self._grounded(bout, side, clock, most=1)
                if isinstance(found, Request):
                    return found
            return self._settled(undecided, side, clock)
        except OutOfTimeError:
            return undecided[0][1] if undecided else Unknown(OUT_OF_TIME)

    def _settled(self, undecided: Sequence[tuple[Bout, Unknown]], side: int, clock: Clock) -> Found:
        """A request through a part that was undecided, or the first reason why it cannot be told."""
        left: Unknown | None = None
        for bout, unknown in undecided:
            found = unknown if self._final else self._otherwise(bout, side, unknown, clock)
            if isinstance(found, Request):
                return found
            left = left or found
        return left

    def plain(self, request: Request, side: int, clock: Clock) -> Request:
        """A request that this side alone allows, retold as plainly as a moment's work makes it."""
        (told,) = simpler(
            self._question,
            (request,),
            self._vocabulary,
            clock,
            lambda told: self._shows_somehow(told[0], side),
        )
        return told

    def _bouts(self, side: int, clock: Clock) -> Iterator[Bout]:
        allowing, denying = self._sides[side], self._sides[1 - side]
        if not self._divisible:
            yield Bout(allowing, denying)
            return
        wanted = self._question.claim.actions
        for gain in gains(allowing.identity[0], denying.identity[0], clock, wanted):
            yield Bout(PolicySet(identity=(gain.allowing,)), PolicySet(identity=(gain.denying,)))

    def _of_bout(self, bout: Bout, side: int, clock: Clock) -> Found:
        setting = self._setting
        setting.formula.clock = clock
        try:
            allowed, denied = setting.side(bout.allowing), setting.side(bout.denying)
            goal = setting.formula.conj((allowed, -denied, setting.facts()))
            if FALSE in (goal, setting.root):
                return None
            return self._run(bout, side, goal, clock)
        except OutOfRoomError as error:
            return Unknown(str(error))

    def _run(self, bout: Bout, side: int, goal: int, clock: Clock) -> Found:
        """First where no resource policy delegates; under one only if the proof rests on there being none."""
        setting = self._setting
        search = self._search(clock)
        facts = tuple(setting.assumed)
        without = (-setting.delegated,) if self._delegation else ()
        outcome = search.run((*facts, *without), goal=goal)
        delegated = not isinstance(outcome, Model) and any(one in outcome.core for one in without)
        if delegated:
            outcome = search.run((*facts, setting.delegated), goal=goal)
        if isinstance(outcome, Model):
            return self._confirmed(bout, side, outcome, clock, delegated=delegated)
        return Unknown(mixed(search.incomplete, _statements(bout))) if search.incomplete else None

    def _search(self, clock: Clock) -> Search:
        setting = self._setting
        if self._open is None:
            self._open = Search(
                setting.formula, setting.root, setting.variables, setting.keys.multivalued, clock
            )
        self._open.clock = clock
        self._open.variables = setting.variables
        return self._open

    def _confirmed(self, bout: Bout, side: int, model: Model, clock: Clock, *, delegated: bool) -> Found:
        (request,) = requests_of(self._setting, model, self._vocabulary, clock)
        if self._shows(request, side, delegated=delegated):
            return request
        if model.opaque:
            construct = min(opaque.construct for opaque in model.opaque)
            return Unknown(undetermined(construct, _statements(bout)), is_open=True)
        return Unknown("internal disagreement: a request was found that the evaluator decides otherwise")

    def _shows(self, request: Request, side: int, *, delegated: bool) -> bool:
        """Whether the evaluator says so too, of all the statements."""
        allowing, denying = (
            replace(policies, resource=self._delegation) if delegated else policies
            for policies in (self._sides[side], self._sides[1 - side])
        )
        return (
            decide(request, allowing, self._vocabulary).allowed
            and not decide(request, denying, self._vocabulary).allowed
        )

    def _otherwise(self, bout: Bout, side: int, unknown: Unknown, clock: Clock) -> Found:
        """With values for the policy variables that nothing determines, or by cvc5, which knows them for equations."""
        if not unknown.is_open or clock.left == 0:
            return unknown
        try:
            return self._grounded(bout, side, clock) or self._by_cvc5(bout, side, unknown, clock)
        except GaveUpError:
            return unknown

    def _grounded(self, bout: Bout, side: int, clock: Clock, *, most: int | None = None) -> Request | None:
        asked = variables_in(_statements(bout))
        for fixed in islice(groundings(self._setting, asked), most):
            question = replace(
                self._question, policies=bout.allowing, fixed={**self._question.fixed, **fixed}
            )
            with type(self)(
                question, bout.denying, self._vocabulary, clock, delegation=self._delegation, final=True
            ) as contest:
                found = contest.only(AFTER, clock)
            if (
                isinstance(found, Request)
                and self._shows_somehow(found, side)
                and can_be_sent(question, fixed, (found,), self._vocabulary)
            ):
                return found
        return None

    def _by_cvc5(self, bout: Bout, side: int, unknown: Unknown, clock: Clock) -> Found:
        for resource in (None, self._delegation) if self._delegation else (None,):
            allowing, denying = (replace(one, resource=resource or one.resource) for one in bout)
            question = replace(self._question, policies=allowing)
            opinion = opinion_of_cvc5(question, self._vocabulary, timeout=clock.left, against=denying)
            if opinion is None:
                return unknown
            if opinion.request is not None:
                return opinion.request if self._shows_somehow(opinion.request, side) else unknown
        return None

    def _shows_somehow(self, request: Request, side: int) -> bool:
        ways = (False, True) if self._delegation else (False,)
        return any(self._shows(request, side, delegated=delegated) for delegated in ways)


def _statements(bout: Bout) -> list[Policy]:
    return [policy for policies in bout for policy in all_policies(policies)]
