"""What one set of policies allows and another does not, with a request to show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from ringwall.iam.policy import Policy, PolicySet
from ringwall.iam.request import Request
from ringwall.proof import axioms
from ringwall.proof.claims import Claim
from ringwall.proof.contest import AFTER, BEFORE, OUT_OF_TIME, Contest, Found, Unknown
from ringwall.proof.frames import DEFAULT_PRINCIPAL, Frame, frames
from ringwall.proof.language import Clock, GaveUpError
from ringwall.proof.question import ContextModel, Question

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringwall.iam.vocabulary import Vocabulary

Difference = Request | None | Literal["unknown"]

_EVERYTHING: Final = Claim("never")
_KEPT: Final = frozenset({axioms.SINGLE_VALUED_KEYS, axioms.TYPED_VALUES, axioms.ONE_PARTITION})
_ANY_REQUEST: Final = frozenset(axioms.AXIOMS) - _KEPT


@dataclass(frozen=True)
class Comparison:
    """A request that the later policies newly allow, and one that they newly deny.

    ``None`` means that there is none, which is proved; ``"unknown"`` that neither was found, and ``reason`` says why.
    """

    newly_allows: Difference
    newly_denies: Difference
    reason: str | None = None


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
    found = _Found()
    clocks = Clock.starting_now(timeout), Clock.starting_now(2 * timeout)
    found.look(lambda: Contest(question, before, vocabulary, clocks[AFTER]), clocks)
    return found.comparison()


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
        with Contest(question, before, vocabulary, clock) as contest:
            found = contest.only(AFTER, clock)
    except GaveUpError:
        return "unknown"
    return _told(found)


def _told(found: Found) -> Difference:
    return "unknown" if isinstance(found, Unknown) else found


def _documents(before: Policy, after: Policy, vocabulary: Vocabulary, timeout: float) -> Comparison:
    """What single documents allow that the other does not, whoever asks and whatever the resource's policy says."""
    found = _Found()
    clocks = Clock.starting_now(timeout), Clock.starting_now(2 * timeout)
    for frame in frames(after, before):
        found.look(lambda frame=frame: _framed(frame, after, before, vocabulary, clocks[AFTER]), clocks)  # type: ignore[misc]
        if found.complete:
            break
    return found.comparison()


def _framed(frame: Frame, after: Policy, before: Policy, vocabulary: Vocabulary, clock: Clock) -> Contest:
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
    return Contest(
        question,
        frame.policies(before),
        vocabulary,
        clock,
        delegation=frame.delegation,
        divisible=not frame.as_resource,
    )


class _Found:
    """The differences found so far, by side."""

    def __init__(self) -> None:
        self._sides: list[Found] = [None, None]

    @property
    def complete(self) -> bool:
        """Whether there is a request for each side."""
        return all(isinstance(one, Request) for one in self._sides)

    def look(self, opening: Callable[[], Contest], clocks: tuple[Clock, Clock]) -> None:
        """Look for what is missing in a further contest. A request outdoes *unknown*, and that outdoes none."""
        try:
            with opening() as contest:
                for side in (AFTER, BEFORE):
                    if not isinstance(self._sides[side], Request):
                        self._sides[side] = contest.only(side, clocks[side]) or self._sides[side]
        except GaveUpError:
            self._sides = [one or Unknown(OUT_OF_TIME) for one in self._sides]

    def comparison(self) -> Comparison:
        """What there is to tell."""
        allows, denies = map(_told, self._sides)
        reasons = [one.reason for one in self._sides if isinstance(one, Unknown)]
        return Comparison(allows, denies, "; ".join(dict.fromkeys(reasons)) or None)
