"""What one set of policies allows and another does not, with a request to show it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, Self

from ringwall.iam.evaluate import decide
from ringwall.iam.policy import Policy, PolicySet
from ringwall.iam.request import Request
from ringwall.proof import axioms
from ringwall.proof.claims import Claim
from ringwall.proof.formula import FALSE
from ringwall.proof.frames import DEFAULT_PRINCIPAL, Frame, frames
from ringwall.proof.grounding import groundings
from ringwall.proof.language import Clock, GaveUpError
from ringwall.proof.question import ContextModel, Question
from ringwall.proof.search import Model, Search
from ringwall.proof.setting import make_setting
from ringwall.proof.witness import requests_of

if TYPE_CHECKING:
    from ringwall.iam.vocabulary import Vocabulary

Difference = Request | None | Literal["unknown"]

_EVERYTHING: Final = Claim("never")
_KEPT: Final = frozenset({axioms.SINGLE_VALUED_KEYS, axioms.TYPED_VALUES, axioms.ONE_PARTITION})
_ANY_REQUEST: Final = frozenset(axioms.AXIOMS) - _KEPT


_AFTER, _BEFORE = 0, 1
"""The sides of a contest: the question's own policies are those after the change."""


@dataclass(frozen=True)
class Comparison:
    """A request that the later policies newly allow, and one that they newly deny.

    ``None`` means that there is none, which is proved; ``"unknown"`` that neither was found in time.
    """

    newly_allows: Difference
    newly_denies: Difference


def compare(
    before: PolicySet | Policy,
    after: PolicySet | Policy,
    vocabulary: Vocabulary,
    *,
    principal: str = DEFAULT_PRINCIPAL,
    context_model: ContextModel = "catalog",
    timeout: float = 10.0,
) -> Comparison:
    """Compare two policies, or two sets of policies of one principal.

    Args:
        before: what is compared with; single policies are compared over any request, as identity policies of one principal, or, where
            a statement has a Principal element, as policies of one resource. Sets are compared over the requests of
            ``principal``.
        after: what is compared, of the same form.
        vocabulary: what AWS's actions and keys are.
        principal: whose requests, for sets.
        context_model: for sets, ``catalog`` or ``any``.
        timeout: seconds for each direction.

    Raises:
        TypeError: one is a single policy, the other a set.
        ValueError: the principal cannot be read.
    """
    if isinstance(before, Policy) and isinstance(after, Policy):
        return _documents(before, after, vocabulary, timeout)
    if isinstance(before, Policy) or isinstance(after, Policy):
        raise TypeError("compare two policies or two sets of policies, not one of each")
    question = Question("compare", principal, after, Claim("never"), context_model)
    clock = Clock.starting_now(timeout)
    try:
        contest = _Contest(question, before, vocabulary, clock)
    except GaveUpError:
        return Comparison("unknown", "unknown")
    with contest:
        allows = contest.only(_AFTER, clock)
        return Comparison(allows, contest.only(_BEFORE, Clock.starting_now(timeout)))


def newly_allowed(
    before: PolicySet,
    after: PolicySet,
    vocabulary: Vocabulary,
    *,
    principal: str = DEFAULT_PRINCIPAL,
    actions: tuple[str, ...] | None = None,
    context_model: ContextModel = "catalog",
    timeout: float = 10.0,
) -> Difference:
    """A request that the one set of policies denies and the other allows: one direction of :func:`compare`.

    Args:
        before: what must not allow it.
        after: what must.
        vocabulary: what AWS's actions and keys are.
        principal: whose requests.
        actions: patterns of the actions to look among; ``None`` = all.
        context_model: ``catalog`` or ``any``.
        timeout: seconds.

    Raises:
        ValueError: the principal cannot be read.
    """
    question = Question("compare", principal, after, Claim("never", actions), context_model)
    clock = Clock.starting_now(timeout)
    try:
        contest = _Contest(question, before, vocabulary, clock)
    except GaveUpError:
        return "unknown"
    with contest:
        return contest.only(_AFTER, clock)


def _documents(before: Policy, after: Policy, vocabulary: Vocabulary, timeout: float) -> Comparison:
    """What single documents allow that the other does not, whoever asks and whatever the resource's policy says."""
    found: list[Difference] = [None, None]
    clocks = Clock.starting_now(timeout), Clock.starting_now(2 * timeout)
    for frame in frames(after, before):
        try:
            opened = _Contest.framed(frame, after, before, vocabulary, clocks[_BEFORE])
        except GaveUpError:
            return Comparison(found[_AFTER] or "unknown", found[_BEFORE] or "unknown")
        with opened as contest:
            for side in (_AFTER, _BEFORE):
                if not isinstance(found[side], Request):
                    found[side] = contest.only(side, clocks[side]) or found[side]
        if all(isinstance(one, Request) for one in found):
            break
    return Comparison(found[_AFTER], found[_BEFORE])


class _Contest:
    """Two sets of policies in one formula, so that what is learned in one direction serves the other.

    Args:
        question: whose requests are compared, under the policies after the change.
        before: the policies before.
        vocabulary: what AWS's actions and keys are.
        clock: when building the formula has to end.
        delegation: a resource policy that leaves the decision to the account, under which a request may differ too.
    """

    def __init__(
        self,
        question: Question,
        before: PolicySet,
        vocabulary: Vocabulary,
        clock: Clock,
        delegation: Policy | None = None,
    ) -> None:
        self._sides = question.policies, before
        self._question = question
        self._vocabulary = vocabulary
        self._delegation = delegation
        delegable = delegation is not None
        self._setting = make_setting(question, vocabulary, against=before, delegable=delegable, clock=clock)
        self._open: Search | None = None

    @classmethod
    def framed(
        cls, frame: Frame, after: Policy, before: Policy, vocabulary: Vocabulary, clock: Clock
    ) -> Self:
        """A contest of bare documents."""
        question = Question(
            "compare",
            frame.principal,
            frame.policies(after),
            _EVERYTHING,
            "any",
            resource_account=frame.resource_account,
            disabled_axioms=_ANY_REQUEST,
        )
        return cls(question, frame.policies(before), vocabulary, clock, frame.delegation)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._open is not None:
            self._open.close()

    def only(self, side: int, clock: Clock) -> Difference:
        """A request that this side alone allows."""
        setting = self._setting
        setting.formula.clock = clock
        try:
            goal = setting.formula.conj((setting.sides[side], -setting.sides[1 - side]))
            if FALSE in (goal, setting.root):
                return None
            return self._run(side, goal, clock)
        except GaveUpError:
            return "unknown"

    def _run(self, side: int, goal: int, clock: Clock) -> Difference:
        """First where no resource policy delegates; under one only if the proof rests on there being none."""
        search = self._search(clock)
        without = (-self._setting.delegated,) if self._delegation else ()
        outcome = search.run(without, goal=goal)
        delegated = not isinstance(outcome, Model) and bool(outcome.core)
        if delegated:
            outcome = search.run((self._setting.delegated,), goal=goal)
        if isinstance(outcome, Model):
            return self._confirmed(side, outcome, clock, delegated=delegated)
        return "unknown" if search.incomplete else None

    def _search(self, clock: Clock) -> Search:
        setting = self._setting
        if self._open is None:
            several = frozenset(setting.keys.multivalued)
            self._open = Search(setting.formula, setting.root, setting.variables, several, clock)
        self._open.clock = clock
        return self._open

    def _confirmed(self, side: int, model: Model, clock: Clock, *, delegated: bool) -> Difference:
        (request,) = requests_of(self._setting, model, self._vocabulary, clock)
        resource = self._delegation if delegated else None
        allowing, denying = (
            replace(policies, resource=resource) if resource else policies
            for policies in (self._sides[side], self._sides[1 - side])
        )
        if (
            decide(request, allowing, self._vocabulary).allowed
            and not decide(request, denying, self._vocabulary).allowed
        ):
            return request
        return self._grounded(side, clock) if model.opaque else "unknown"

    def _grounded(self, side: int, clock: Clock) -> Difference:
        """A request with values for the policy variables that nothing determines."""
        for fixed in groundings(self._setting):
            question = replace(self._question, fixed={**self._question.fixed, **fixed})
            before = self._sides[_BEFORE]
            with type(self)(question, before, self._vocabulary, clock, self._delegation) as contest:
                found = contest.only(side, clock)
            if isinstance(found, Request):
                return found
        return "unknown"
