"""What one set of policies allows and another does not, with a request to show it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from ringwall.iam.policy import Policy, PolicySet
from ringwall.iam.request import Request
from ringwall.proof import axioms
from ringwall.proof.claims import Claim
from ringwall.proof.contest import AFTER, BEFORE, OUT_OF_TIME, Contest, Found, Unknown
from ringwall.proof.frames import DEFAULT_PRINCIPAL, Frame, frames
from ringwall.proof.gains import changed_actions
from ringwall.proof.language import Clock, GaveUpError
from ringwall.proof.question import ContextModel, Question

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ringwall.iam.vocabulary import Vocabulary

Difference = Request | None | Literal["unknown"]

_KEPT: Final = frozenset({axioms.SINGLE_VALUED_KEYS, axioms.TYPED_VALUES, axioms.ONE_PARTITION})
ANY_REQUEST: Final = frozenset(axioms.AXIOMS) - _KEPT
"""Axioms that are not taken for granted where bare documents are compared."""


@dataclass(frozen=True)
class Comparison:
    """A request that the later policies newly allow, and one that they newly deny.

    ``None`` means that there is none, which is proved; ``"unknown"`` that neither was found, and ``reason`` says why.
    """

    newly_allows: Difference
    newly_denies: Difference
    reason: str | None = None


class Group(NamedTuple):
    """What differs for a principal under an action pattern, as a policy writes it, and a request that shows it."""

    principal: str
    action: str
    witness: Request


@dataclass(frozen=True)
class Differences:
    """What the later policies newly allow and newly deny, by principal and action; ``unknown`` names what stays open."""

    newly_allows: tuple[Group, ...]
    newly_denies: tuple[Group, ...]
    unknown: tuple[str, ...]


def compare(
    before: PolicySet | Policy,
    after: PolicySet | Policy,
    vocabulary: Vocabulary,
    *,
    principal: str = DEFAULT_PRINCIPAL,
    context_model: ContextModel = "catalog",
    timeout: float = 10.0,
    explain: bool = True,
) -> Comparison:
    """Compare two policies, or two sets of policies of one principal.

    Args:
        before: what is compared with; single policies are compared over any request, as identity policies of one
            principal, or, where a statement has a Principal element, as policies of one resource. Sets are compared over
            the requests of ``principal``.
        after: what is compared, of the same form.
        vocabulary: what AWS's actions and keys are.
        principal: whose requests, for sets.
        context_model: for sets, ``catalog`` or ``any``.
        timeout: seconds for each direction.
        explain: whether requests are to be the plainest that a moment's work finds.

    Raises:
        TypeError: one is a single policy, the other a set; or one is an identity policy, the other a resource's.
        ValueError: the principal cannot be read.
    """
    pair = _Pair(before, after, vocabulary, principal, context_model)
    found = _Found(explain=explain)
    clocks = Clock.starting_now(timeout), Clock.starting_now(2 * timeout)
    for opening in pair.contests(None, clocks[AFTER]):
        found.look(opening, clocks)
        if found.complete:
            break
    return found.comparison()


def differences(
    before: PolicySet | Policy,
    after: PolicySet | Policy,
    vocabulary: Vocabulary,
    *,
    principal: str = DEFAULT_PRINCIPAL,
    context_model: ContextModel = "catalog",
    timeout: float = 10.0,
) -> Differences:
    """Every principal and action pattern of two policies, or sets of policies, that differ, each with a request.

    Args and errors as of :func:`compare`; ``timeout`` is for all of them together. What was not looked at by then, or
    could not be told, is named.
    """
    pair = _Pair(before, after, vocabulary, principal, context_model)
    clock = Clock.starting_now(timeout)
    unknown: dict[str, None] = {}
    found: list[dict[tuple[str, str], Request]] = [{}, {}]
    for side, allowing, denying in ((AFTER, pair.after, pair.before), (BEFORE, pair.before, pair.after)):
        for pattern in _patterns(allowing, denying):
            if clock.left == 0:
                unknown[f"{_DIRECTIONS[side]} {pattern} or others after it: there was no time to look"] = None
                break
            for one in pair.those(side, pattern, clock):
                if isinstance(one, Unknown):
                    unknown[f"{_DIRECTIONS[side]} {pattern}: {one.reason}"] = None
                else:
                    found[side].setdefault((one.principal, pattern), one)
    allows, denies = (tuple(Group(*key, request) for key, request in one.items()) for one in found)
    return Differences(allows, denies, tuple(unknown))


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


class _Pair:
    """Two policies, or two sets of policies of one principal, and the contests that between them show every difference."""

    def __init__(
        self,
        before: PolicySet | Policy,
        after: PolicySet | Policy,
        vocabulary: Vocabulary,
        principal: str,
        context_model: ContextModel,
    ) -> None:
        if isinstance(before, Policy) != isinstance(after, Policy):
            raise TypeError("compare two policies or two sets of policies, not one of each")
        if isinstance(before, Policy) and isinstance(after, Policy):
            kinds = {kind: one.name for one in (before, after) if (kind := _kind(one)) is not None}
            if len(kinds) > 1:
                told = ", ".join(f"{name} is {kind}" for kind, name in kinds.items())
                raise TypeError(f"{told}: compare two policies of one type")
        self.before, self.after = before, after
        self._vocabulary = vocabulary
        self._principal = principal
        self._context_model = context_model

    def contests(self, actions: tuple[str, ...] | None, clock: Clock) -> Iterator[Callable[[], Contest]]:
        """Contests to open, over the actions that match, each of a principal."""
        before, after = self.before, self.after
        claim = Claim("never", actions)
        if isinstance(before, Policy) and isinstance(after, Policy):
            for frame in frames(after, before):
                yield partial(
                    self._framed, frame, frame.policies(after), frame.policies(before), claim, clock
                )
        elif isinstance(before, PolicySet) and isinstance(after, PolicySet):
            question = Question("compare", self._principal, after, claim, self._context_model)
            yield partial(Contest, question, before, self._vocabulary, clock)

    def _framed(
        self, frame: Frame, after: PolicySet, before: PolicySet, claim: Claim, clock: Clock
    ) -> Contest:
        """A contest of bare documents."""
        question = Question(
            "compare",
            frame.principal,
            after,
            claim,
            "any",
            resource_account=frame.resource_account,
            disabled_axioms=ANY_REQUEST,
        )
        return Contest(
            question,
            before,
            self._vocabulary,
            clock,
            delegation=frame.delegation,
            divisible=not frame.as_resource,
        )

    def those(self, side: int, pattern: str, clock: Clock) -> Iterator[Request | Unknown]:
        """Of each principal, a request for an action of the pattern that the side alone allows, or that it is unknown."""
        seen: set[str] = set()
        for opening in self.contests((pattern,), clock):
            try:
                with opening() as contest:
                    found = None if contest.principal in seen else contest.only(side, clock)
                    if isinstance(found, Request):
                        seen.add(found.principal)
                        found = contest.plain(found, side, clock)
            except GaveUpError:
                found = Unknown(OUT_OF_TIME)
            if found is not None:
                yield found


_DIRECTIONS: Final = ("newly allows", "newly denies")
"""By side."""


def _kind(policy: Policy) -> str | None:
    """What a bare document is taken for; ``None`` where it has no statement to tell by."""
    if not policy.statements:
        return None
    named = any(one.principal or one.not_principal for one in policy.statements)
    return "a resource's policy" if named else "an identity policy"


def _patterns(allowing: PolicySet | Policy, denying: PolicySet | Policy) -> list[str]:
    """Action patterns under which a side may allow what the other does not."""
    if isinstance(allowing, Policy) and isinstance(denying, Policy):
        return changed_actions([allowing], [denying])
    assert isinstance(allowing, PolicySet)
    granting = [*allowing.identity, *([allowing.resource] if allowing.resource else [])]
    return changed_actions(granting, None)


class _Found:
    """The differences found so far, by side."""

    def __init__(self, *, explain: bool) -> None:
        self._sides: list[Found] = [None, None]
        self._explain = explain

    @property
    def complete(self) -> bool:
        """Whether there is a request for each side."""
        return all(isinstance(one, Request) for one in self._sides)

    def look(self, opening: Callable[[], Contest], clocks: tuple[Clock, Clock]) -> None:
        """Look for what is missing in a further contest. A request outdoes *unknown*, and that outdoes none."""
        try:
            with opening() as contest:
                for side in (AFTER, BEFORE):
                    if isinstance(self._sides[side], Request):
                        continue
                    found = contest.only(side, clocks[side])
                    if self._explain and isinstance(found, Request):
                        found = contest.plain(found, side, clocks[side])
                    self._sides[side] = found or self._sides[side]
        except GaveUpError:
            self._sides = [one or Unknown(OUT_OF_TIME) for one in self._sides]

    def comparison(self) -> Comparison:
        """What there is to tell."""
        allows, denies = map(_told, self._sides)
        reasons = [one.reason for one in self._sides if isinstance(one, Unknown)]
        return Comparison(allows, denies, "; ".join(dict.fromkeys(reasons)) or None)
