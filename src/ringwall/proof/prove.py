"""Does a claim hold of every request? A proof, a request that shows the contrary, or what stopped the proof."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ringwall.iam.evaluate import decide
from ringwall.iam.patterns import glob_matches
from ringwall.iam.policy import Effect, Policy, PolicySet, Statement
from ringwall.proof.axioms import AXIOMS
from ringwall.proof.claims import Claim
from ringwall.proof.formula import FALSE
from ringwall.proof.frames import EVERYTHING
from ringwall.proof.grounding import can_be_sent, groundings
from ringwall.proof.hints import Hint, by_hint
from ringwall.proof.language import Clock, GaveUpError, OutOfTimeError
from ringwall.proof.opinion import opinion_of_cvc5
from ringwall.proof.places import mixed, undetermined
from ringwall.proof.question import Answer, Question, Verdict
from ringwall.proof.search import Model, Refutation, Search
from ringwall.proof.setting import Setting, all_policies, make_setting
from ringwall.proof.simplest import simplest
from ringwall.proof.witness import confirms, requests_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringwall.iam.request import PolicyType, Reason, Request
    from ringwall.iam.vocabulary import Vocabulary

_SHRINK_UP_TO = 48
"""Selectors of a proof that are tried one by one for whether it could do without."""

_MANY = 16
"""Statements of own policies from which on it is tried first whether the others rule the claim out by themselves."""

_SHRINK_ROUNDS = 500
"""Proposals of the solver that this may take: the proof stands already. Not seconds, or what a proof names would depend
on how busy the machine is, and evidence could not be verified to the byte.
"""


def prove(
    question: Question,
    vocabulary: Vocabulary,
    *,
    timeout: float = 10.0,
    explain: bool = True,
    hints: Iterable[Hint] = (),
) -> Answer:
    """Prove or refute a claim.

    Args:
        question: the claim, whose requests it is about, and the policies that bear on them.
        vocabulary: what AWS's actions and keys are.
        timeout: seconds; then the answer is ``unknown``.
        explain: whether the answer is to name what a proof rests on and whether it is vacuous, and a witness to be the
            simplest, which takes longer.
        hints: witnesses of the same claim for other principals, which are tried first.

    Returns:
        The answer. Every witness in it was decided by :func:`ringwall.iam.evaluate.decide` and is allowed.

    Raises:
        ValueError: the question's principal cannot be read.
    """
    clock = Clock.starting_now(timeout)
    if question.claim.operation is not None and not question.authorizations:
        return Answer(
            "unknown", reason=f"it is not known which authorizations {question.claim.operation} needs"
        )
    told = by_hint(question, hints, vocabulary)
    if told is not None:
        return _witnessed(question, told, vocabulary, clock, explain=explain)
    try:
        return _prove(question, vocabulary, clock, explain=explain)
    except OutOfTimeError:
        return Answer("unknown", reason=f"no proof and no counterexample within {timeout:g} s")
    except GaveUpError as error:
        return Answer("unknown", reason=f"no proof and no counterexample: {error}")


def retold(question: Question, hints: Iterable[Hint], vocabulary: Vocabulary) -> Answer | None:
    """The answer to a question of which a witness of somebody else's tells; ``None`` if none does.

    Args:
        question: about one principal.
        hints: witnesses of questions that differ in whose policies they ask about.
        vocabulary: what AWS's actions and keys are.
    """
    told = by_hint(question, hints, vocabulary)
    return None if told is None else _told(question, told, vocabulary)


def verdict_without_axioms(
    question: Question, answer: Answer, vocabulary: Vocabulary, *, timeout: float = 10.0
) -> Verdict | None:
    """The verdict if none of the axioms that a proof names is taken for granted; ``None`` where there is no proof."""
    if answer.witness or answer.verdict == "unknown":
        return None
    disabled = question.disabled_axioms | frozenset(answer.axioms)
    if disabled == question.disabled_axioms:
        return answer.verdict
    bold = replace(question, disabled_axioms=disabled)
    return prove(bold, vocabulary, timeout=timeout, explain=False).verdict


def _prove(question: Question, vocabulary: Vocabulary, clock: Clock, *, explain: bool) -> Answer:
    freer = _freer(question)
    if freer is not None:
        attempt = _attempt(
            make_setting(freer, vocabulary, named=explain, clock=clock), vocabulary, clock, explain=explain
        )
        if attempt.undecided is None and not attempt.answer.witness:
            return attempt.answer
    fewer = _fewer(question)
    if fewer is not None:
        part = make_setting(fewer, vocabulary, named=False, clock=clock)
        part.question = question
        attempt = _attempt(part, vocabulary, clock, explain=False)
        if attempt.undecided is None and attempt.answer.witness:
            return _witnessed(question, attempt.answer.witness, vocabulary, clock, explain=explain)
    setting = make_setting(question, vocabulary, named=explain, clock=clock)
    attempt = _attempt(setting, vocabulary, clock, explain=explain)
    if attempt.undecided is None:
        return attempt.answer
    for fixed in groundings(setting):
        grounded = replace(question, fixed={**question.fixed, **fixed})
        other = _attempt(
            make_setting(grounded, vocabulary, named=explain, clock=clock), vocabulary, clock, explain=explain
        )
        found = other.answer.witness
        if other.undecided is None and found and can_be_sent(question, fixed, found, vocabulary):
            return other.answer
    second = _by_cvc5(question, vocabulary, clock, explain=explain)
    return second or Answer("unknown", reason=attempt.undecided)


def _by_cvc5(question: Question, vocabulary: Vocabulary, clock: Clock, *, explain: bool) -> Answer | None:
    opinion = opinion_of_cvc5(question, vocabulary, timeout=clock.left)
    if opinion is None:
        return None
    if opinion.request is None:
        reason = "proved by cvc5, which does not say what the proof rests on"
        return Answer(opinion.verdict, axioms=tuple(sorted(AXIOMS)), reason=reason)
    if confirms(question, (opinion.request,), vocabulary) is not None:
        return None
    return _witnessed(question, (opinion.request,), vocabulary, clock, explain=explain)


def _freer(question: Question) -> Question | None:
    """The question with own policies that allow everything, where there are many statements.

    What the other policies rule out even so is ruled out, without a look at those statements.
    """
    statements = sum(len(policy.statements) for policy in question.policies.identity)
    if statements < _MANY or not any(_others(policies) for policies in _sets(question)):
        return None

    def free(policies: PolicySet) -> PolicySet:
        return replace(policies, identity=(EVERYTHING,))

    authorizations = tuple(
        one._replace(policies=free(one.policies)) if one.policies else one for one in question.authorizations
    )
    return replace(question, policies=free(question.policies), authorizations=authorizations)


def _fewer(question: Question) -> Question | None:
    """The question with every Deny of the own policies but only some of their Allows, where there are many.

    What gets through with these gets through with all.
    """
    if question.authorizations or sum(len(one.statements) for one in question.policies.identity) < 2 * _MANY:
        return None
    left = _MANY
    policies: list[Policy] = []
    for policy in question.policies.identity:
        kept: list[Statement] = []
        for statement in policy.statements:
            if statement.effect is Effect.DENY:
                kept.append(statement)
            elif left and _may_speak_of(statement, question.claim):
                kept.append(statement)
                left -= 1
        policies.append(Policy(policy.name, policy.version, tuple(kept)))
    return replace(question, policies=replace(question.policies, identity=tuple(policies)))


def _may_speak_of(statement: Statement, claim: Claim) -> bool:
    """Whether a claim about single actions names one that the statement lists, as far as a glance shows."""
    if statement.actions is None or claim.actions is None:
        return True
    named = [action.lower() for action in claim.actions]
    return any("*" in action or "?" in action for action in named) or any(
        glob_matches(pattern.lower(), action) for pattern in statement.actions for action in named
    )


def _sets(question: Question) -> list[PolicySet]:
    return [question.policies, *(one.policies for one in question.authorizations if one.policies)]


def _others(policies: PolicySet) -> bool:
    """Whether anything but own policies bears on a request."""
    own = replace(policies, identity=())
    return next(iter(all_policies(own)), None) is not None


class _Attempt:
    """An answer, or why there is none yet."""

    def __init__(self, answer: Answer, undecided: str | None = None) -> None:
        self.answer = answer
        self.undecided = undecided


def _attempt(setting: Setting, vocabulary: Vocabulary, clock: Clock, *, explain: bool) -> _Attempt:
    if setting.root == FALSE and not explain:
        return _Attempt(Answer(_without(setting)))
    if setting.root == FALSE:
        return _Attempt(Answer(_without(setting), axioms=tuple(sorted(setting.always)), vacuous=True))
    search = Search(setting.formula, setting.root, setting.variables, setting.keys.multivalued, clock)
    try:
        outcome = search.run(setting.assumptions)
        if isinstance(outcome, Refutation):
            return _refuted(setting, search, outcome, explain=explain)
        return _confirmed(setting, outcome, vocabulary, clock, explain=explain)
    finally:
        search.close()


def _without(setting: Setting) -> Verdict:
    """The verdict where no request of the claim's shape is allowed."""
    return "holds" if setting.question.claim.kind == "never" else "violated"


def _confirmed(
    setting: Setting, model: Model, vocabulary: Vocabulary, clock: Clock, *, explain: bool
) -> _Attempt:
    requests = requests_of(setting, model, vocabulary, clock)
    objection = confirms(setting.question, requests, vocabulary)
    if objection is None:
        return _Attempt(_witnessed(setting.question, requests, vocabulary, clock, explain=explain))
    if model.opaque:
        construct = min(opaque.construct for opaque in model.opaque)
        return _Attempt(Answer("unknown"), undetermined(construct, _policies(setting.question)))
    return _Attempt(Answer("unknown"), f"internal disagreement: a request was found, but {objection}")


def _policies(question: Question) -> list[Policy]:
    return [policy for policies in _sets(question) for policy in all_policies(policies)]


def _witnessed(
    question: Question,
    requests: tuple[Request, ...],
    vocabulary: Vocabulary,
    clock: Clock,
    *,
    explain: bool,
) -> Answer:
    if explain:
        requests = simplest(question, requests, vocabulary, clock)
    return _told(question, requests, vocabulary)


def _told(question: Question, requests: tuple[Request, ...], vocabulary: Vocabulary) -> Answer:
    """The answer of which the requests are witnesses."""
    verdict: Verdict = "violated" if question.claim.kind == "never" else "holds"
    return Answer(verdict, witness=requests, because=_allowing(question, requests, vocabulary))


def _allowing(question: Question, requests: Iterable[Request], vocabulary: Vocabulary) -> tuple[Reason, ...]:
    found: dict[Reason, None] = {}
    for index, request in enumerate(requests):
        policies = question.policies
        if question.authorizations:
            policies = question.authorizations[index].policies or policies
        found.update(dict.fromkeys(decide(request, policies, vocabulary).because))
    return tuple(found)


def _refuted(setting: Setting, search: Search, refutation: Refutation, *, explain: bool) -> _Attempt:
    if search.incomplete:
        return _Attempt(Answer("unknown"), mixed(search.incomplete, _policies(setting.question)))
    if not explain:
        return _Attempt(Answer(_without(setting)))
    core = _shrunk(search, refutation.core)
    selectors = setting.selectors
    because = tuple(selectors.denies[one] for one in core if one in selectors.denies)
    missing: dict[PolicyType, None] = {selectors.duties[one]: None for one in core if one in selectors.duties}
    axioms = {setting.assumed[one] for one in core if one in setting.assumed} | setting.always
    return _Attempt(
        Answer(
            _without(setting),
            because=because,
            missing=tuple(missing),
            axioms=tuple(sorted(axioms)),
            vacuous=not because and not missing,
        )
    )


def _shrunk(search: Search, core: tuple[int, ...]) -> list[int]:
    """The core without what the proof can do without, as far as a moment's work shows."""
    kept = list(core)
    search.most = search.rounds + _SHRINK_ROUNDS
    if len(kept) > _SHRINK_UP_TO:
        return kept
    for one in sorted(core, reverse=True):
        if one not in kept:
            continue
        fewer = [other for other in kept if other != one]
        try:
            outcome = search.run(fewer)
        except GaveUpError:
            return kept
        if isinstance(outcome, Refutation) and not search.incomplete:
            kept = [other for other in fewer if other in outcome.core]
    return kept
