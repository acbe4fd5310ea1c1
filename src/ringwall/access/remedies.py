"""The smallest change of policies after which a violated claim holds. Every one that is offered was proved.

One statement that is changed or added mostly does. Where the claim is violated in several ways that no single statement
can bind (by principals of the account and by a resource's own policy, say), changes are put together, up to
:data:`MOST_CHANGES`; beyond that there is no small remedy, which is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringwall.access.amending import Amendment, amendments
from ringwall.access.possibilities import sample
from ringwall.access.smallest_change import MOST_CHANGES, PolicyChange, nearest_statements, opened
from ringwall.iam.codec import make_request
from ringwall.iam.evaluate import decide, explain
from ringwall.iam.trace import each_policy
from ringwall.proof.language import Clock
from ringwall.proof.prove import prove
from ringwall.proof.setting import known_keys

if TYPE_CHECKING:
    from ringwall.iam.policy import PolicySet
    from ringwall.iam.request import Request
    from ringwall.iam.vocabulary import Vocabulary
    from ringwall.proof.claims import Claim
    from ringwall.proof.question import Answer, Question, Verdict

_LEAST_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Violation:
    """A question whose answer is a violation, with the answer.

    Attributes:
        question: as it was asked.
        answer: what was found.
        claim: what is to hold; the question may have narrowed it to one principal and one resource.
    """

    question: Question
    answer: Answer
    claim: Claim

    @property
    def requests(self) -> tuple[tuple[Request, PolicySet], ...]:
        """The requests that show it, each with the policies that bear on it: those allowed, or, of a *can*, asked for."""
        found = self.answer.witness or asked_for(self.question)
        bearing = [one.policies for one in self.question.authorizations] or [None]
        return tuple(
            (request, policies or self.question.policies)
            for request, policies in zip(found, bearing, strict=False)
        )


Again = Callable[[Sequence[Amendment], float], tuple["Verdict", Violation | None]]
"""Proves the claim again under amended policies, within seconds: the verdict, and the violation if there is one."""


def asked_for(question: Question) -> tuple[Request, ...]:
    """The requests that a *can* claim is about, with the values that its conditions ask for; none if they are not clear."""
    claim = question.claim
    if question.principal is None:
        return ()
    wanted = {
        test.key.lower(): (sample(test.values[0]),)
        for test in claim.conditions
        if test.values and "Not" not in test.operator and test.operator != "Null"
    }
    known = {key: values for key, values in known_keys(question).items() if values}
    parts = [
        (one.action, one.resource, one.resource_account or question.resource_account, one.context)
        for one in question.authorizations
    ]
    if not parts and claim.actions:
        resource = sample(claim.resources[0]) if claim.resources and claim.resources != ("*",) else "*"
        parts = [(claim.actions[0], resource, question.resource_account, {})]
    return tuple(
        make_request(
            question.principal,
            action,
            resource,
            account,
            {**wanted, **known, **{key.lower(): tuple(values) for key, values in context.items()}},
        )
        for action, resource, account, context in parts
        if "*" not in action
    )


def remedy(
    violation: Violation, vocabulary: Vocabulary, *, timeout: float, again: Again | None = None
) -> tuple[PolicyChange, ...]:
    """Changes after which the claim holds, all of them together; empty if none was found that is small.

    Args:
        violation: the question and its answer.
        vocabulary: the catalog.
        timeout: seconds for all of it.
        again: how the claim is proved again; default: by the violation's own question.
    """
    clock = Clock.starting_now(timeout)
    if violation.question.claim.kind == "can":
        return _opened(violation.question, vocabulary, clock)
    ask = again or _asking(violation.question, vocabulary)
    chosen: tuple[Amendment, ...] = ()
    for _ in range(MOST_CHANGES):
        further: tuple[Amendment, Violation] | None = None
        for amendment in _helping(violation, vocabulary):
            if clock.left < _LEAST_SECONDS:
                return ()
            verdict, left = ask((*chosen, amendment), clock.left)
            if verdict == "holds":
                return tuple(one.change for one in (*chosen, amendment))
            if further is None and left is not None and amendment.change.replaces is None:
                further = amendment, left
        if further is None:
            return ()
        chosen, violation = (*chosen, further[0]), further[1]
    return ()


def _helping(violation: Violation, vocabulary: Vocabulary) -> Iterator[Amendment]:
    """Amendments after which one of the violation's requests is denied."""
    for request, policies in violation.requests:
        for amendment in amendments(violation.claim, request, policies, vocabulary):
            if not decide(request, amendment.applied(policies), vocabulary).allowed:
                yield amendment


def _asking(question: Question, vocabulary: Vocabulary) -> Again:
    def again(chosen: Sequence[Amendment], seconds: float) -> tuple[Verdict, Violation | None]:
        changed = amended(question, chosen)
        answer = prove(changed, vocabulary, timeout=seconds)
        return answer.verdict, Violation(
            changed, answer, changed.claim
        ) if answer.verdict == "violated" else None

    return again


def amended(question: Question, chosen: Iterable[Amendment]) -> Question:
    """The question under amended policies."""
    for amendment in chosen:
        authorizations = tuple(
            one._replace(policies=amendment.applied(one.policies)) if one.policies else one
            for one in question.authorizations
        )
        policies = amendment.applied(question.policies)
        question = replace(question, policies=policies, authorizations=authorizations)
    return question


def _opened(question: Question, vocabulary: Vocabulary, clock: Clock) -> tuple[PolicyChange, ...]:
    """What would have to be allowed for a *can* to hold."""
    changes: list[PolicyChange] = []
    policies, authorizations = question.policies, list(question.authorizations)
    for index, request in enumerate(asked_for(question)):
        own = authorizations[index].policies if authorizations else None
        bearing = _with_changes(own or question.policies, policies)
        found, after = _allowing(request, bearing, vocabulary)
        changes += found
        policies = replace(after, resource=question.policies.resource) if own else after
        if own:
            authorizations[index] = authorizations[index]._replace(policies=after)
    if not changes:
        return ()
    authorizations = [
        one._replace(policies=_with_changes(one.policies, policies)) if one.policies else one
        for one in authorizations
    ]
    changed = replace(question, policies=policies, authorizations=tuple(authorizations))
    answer = prove(changed, vocabulary, timeout=max(clock.left, _LEAST_SECONDS), explain=False)
    return tuple(_joined(changes)) if answer.verdict == "holds" else ()


def _joined(changes: Iterable[PolicyChange]) -> Iterator[PolicyChange]:
    """Statements to add to one policy that differ by their resource, as one statement."""
    together: dict[str, list[PolicyChange]] = {}
    for change in changes:
        rest = {key: value for key, value in (change.statement or {}).items() if key != "Resource"}
        place = (change.policy_type, change.policy, change.target, change.replaces, rest)
        together.setdefault(repr(place), []).append(change)
    for first, *others in together.values():
        if first.statement is None or first.replaces is not None or not others:
            yield from (first, *others)
            continue
        resources = dict.fromkeys(str((one.statement or {})["Resource"]) for one in (first, *others))
        yield replace(first, statement={**first.statement, "Resource": list(resources)})


def _with_changes(own: PolicySet, policies: PolicySet) -> PolicySet:
    """The policies, with the resource's policy that bears on one authorization alone."""
    return replace(policies, resource=own.resource, rcp=own.rcp)


def _allowing(
    request: Request, policies: PolicySet, vocabulary: Vocabulary
) -> tuple[tuple[PolicyChange, ...], PolicySet]:
    decision = decide(request, policies, vocabulary)
    if decision.allowed:
        return (), policies
    traces = explain(request, policies, vocabulary).policies
    bearing = (policy for _, _, policy in each_policy(policies))
    kinds = decision.missing or tuple({trace.policy_type for trace in traces})
    nearest = nearest_statements(zip(traces, bearing, strict=True), kinds)
    return opened(request, policies, nearest, vocabulary)
