"""The prover against everything that can contradict it, and where a contradiction is kept.

A case is a question or a comparison in JSON, as a line of ``corpus.jsonl`` holds it. What no case may show: an answer of
*unknown* that no policy variable explains, a witness that the evaluator does not allow, a proof that a request of the
small world contradicts, a verdict other than cvc5's. A test that fails so adds its case to the corpus (conftest.py), which
is replayed from then on, whatever becomes of the random tests.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from proof.proof_world import ACCOUNT, PRINCIPALS, WORLD, requests
from ringwall.catalog import load
from ringwall.iam.codec import request_to_json
from ringwall.iam.evaluate import decide
from ringwall.iam.parser import parse_policy
from ringwall.iam.policy import Policy, PolicySet
from ringwall.iam.request import Request
from ringwall.proof.claims import Claim
from ringwall.proof.codec import policies_of_comparison, question_from_json
from ringwall.proof.compare import ANY_REQUEST, Difference, compare
from ringwall.proof.frames import DEFAULT_PRINCIPAL, EVERYTHING, OUTSIDE_ACCOUNT, frames
from ringwall.proof.prove import prove
from ringwall.proof.question import Answer, Question
from ringwall.proof.second_opinion import second_opinion
from ringwall.proof.smt import InexpressibleError
from ringwall.proof.witness import confirms, speaks_of

CORPUS = Path(__file__).parent / "corpus.jsonl"
TIMEOUT = 20.0
EXPLAINED = ("policy variable", "a session")
"""What may leave an answer unknown."""
Case = Mapping[str, Any]

seen: list[dict[str, Any]] = []
"""Cases on which a test found a disagreement, in order: when it fails, the last is the smallest."""


def agree(case: Case, *, cvc5: bool = True) -> None:
    """Fail where anything contradicts the prover on a case; cvc5 takes longest of all."""
    problem = disagreement(case, cvc5=cvc5)
    if problem is not None:
        fail(case, problem)


def found(case: Case, request: Request) -> NoReturn:
    """Fail because of a request that contradicts a proof. It is kept as a claim about nothing but itself."""
    (kind, body), *_ = case["claim"].items()
    context = {key: list(values) for key, values in request.context.items()}
    narrowed = {**body, "Action": request.action, "Resource": request.resource}
    narrowed.pop("NotResource", None)
    fail({**case, "claim": {kind: narrowed}, "context": context, "verdict": "violated"}, _told(request))


def fail(case: Case, problem: str) -> NoReturn:
    """Fail a test with a case that is to be kept."""
    seen.append({"id": f"found: {problem}"[:160], **case})
    raise AssertionError(problem)


def keep(case: Case, corpus: Path = CORPUS) -> None:
    """Add a case to the corpus, unless it is there."""
    line = json.dumps(case, ensure_ascii=False)
    if line not in corpus.read_text(encoding="utf-8").splitlines():
        with corpus.open("a", encoding="utf-8") as lines:
            lines.write(line + "\n")


def cases(corpus: Path = CORPUS) -> list[dict[str, Any]]:
    """The corpus."""
    return [json.loads(line) for line in corpus.read_text(encoding="utf-8").splitlines()]


def disagreement(case: Case, *, cvc5: bool = True) -> str | None:
    """What contradicts the prover on a case; ``None`` = nothing."""
    value = {key: item for key, item in case.items() if key not in ("world", "id")}
    world = WORLD if case["world"] == "shop" else load()
    problems = (
        _of_comparison(value, world, cvc5=cvc5)
        if "before" in value
        else _of_question(value, world, cvc5=cvc5)
    )
    return next(problems, None)


def _of_question(value: dict[str, Any], world: Any, *, cvc5: bool) -> Iterator[str]:
    expected, laws = value.pop("verdict", None), value.pop("laws", ())
    question = question_from_json(value)
    answer = prove(question, world, timeout=TIMEOUT)
    if expected not in (None, answer.verdict):
        yield f"{answer.verdict}, not {expected}"
    if answer.verdict == "unknown":
        reason = answer.reason or "no reason"
        if "disagreement" in reason or not any(word in reason for word in EXPLAINED):
            yield f"unknown: {reason}"
        return
    yield from _of_evaluator(question, answer, world)
    for law in laws:
        yield from LAWS[law](question, answer, world)
    if cvc5:
        yield from _of_cvc5(question, answer.verdict, world)


def _opposite(question: Question, answer: Answer, world: Any) -> Iterator[str]:
    """What can be done is what it does not hold of that it is never done."""
    can = prove(replace(question, claim=replace(question.claim, kind="can")), world, timeout=TIMEOUT)
    if {answer.verdict, can.verdict} != {"holds", "violated"}:
        yield f"never: {answer.verdict}, can: {can.verdict}"


def _core(question: Question, answer: Answer, world: Any) -> Iterator[str]:
    """A proof still holds when every Deny that it does not name is taken away."""
    if answer.verdict == "holds":
        named = {(reason.policy, reason.statement) for reason in answer.because}
        fewer = replace(question, policies=_only(question.policies, named))
        found = prove(fewer, world, timeout=TIMEOUT).verdict
        if found != "holds":
            yield f"{found} with no Denies but those that the proof names"


def _any_context(question: Question, answer: Answer, world: Any) -> Iterator[str]:
    """What holds of requests with any keys holds of those with the keys that their actions carry."""
    free = prove(replace(question, context_model="any"), world, timeout=TIMEOUT).verdict
    if free == "unknown" or (free == "holds" and answer.verdict != "holds"):
        yield f"any context: {free}, catalog: {answer.verdict}"


def _each(question: Question, answer: Answer, world: Any) -> Iterator[str]:
    """What holds of any principal of the account holds of the roles and users that the world knows."""
    for principal in PRINCIPALS[:2]:
        alone = replace(question, principal=principal, account=None)
        found = prove(alone, world, timeout=TIMEOUT).verdict
        if answer.verdict == "holds" and found != "holds":
            yield f"anybody: holds, {principal}: {found}"


LAWS: Mapping[str, Callable[[Question, Answer, Any], Iterator[str]]] = {
    "opposite": _opposite,
    "core": _core,
    "any-context": _any_context,
    "each": _each,
}
"""What answers to related questions must have to do with each other; a case names those that it is held to."""


def _of_evaluator(question: Question, answer: Answer, world: Any) -> Iterator[str]:
    if answer.witness:
        objection = confirms(question, answer.witness, world)
        if objection is not None:
            yield objection
    elif not question.authorizations and world is WORLD:
        for request in _requests(question):
            if speaks_of(question.claim, request) and decide(request, question.policies, world).allowed:
                yield f"proved, but {_told(request)} is allowed"


def _requests(question: Question) -> Iterator[Request]:
    """Requests of the small world that the question is about."""
    for principal in (question.principal,) if question.principal else PRINCIPALS[:2]:
        yield from requests(principal, question.resource_account)


def _of_cvc5(question: Question, verdict: str, world: Any) -> Iterator[str]:
    try:
        opinion = second_opinion(question, world, timeout=TIMEOUT)
    except InexpressibleError:
        return
    if opinion.verdict not in (verdict, "unknown"):
        yield f"{verdict}, but cvc5 says {opinion.verdict}"
    elif opinion.request is not None:
        objection = confirms(question, (opinion.request,), world)
        if objection is not None:
            yield f"cvc5's witness: {objection}"


def _of_comparison(value: dict[str, Any], world: Any, *, cvc5: bool) -> Iterator[str]:
    before = policies_of_comparison(value["before"], "before")
    after = policies_of_comparison(value["after"], "after")
    comparison = compare(before, after, world, timeout=TIMEOUT)
    for name, denying, allowing in (
        ("newly_allows", before, after),
        ("newly_denies", after, before),
    ):
        difference = getattr(comparison, name)
        expected = value.get(name)
        told = "unknown" if difference == "unknown" else difference is not None
        if expected not in (None, told):
            yield f"{name}: {told}, not {expected}"
        if difference == "unknown":
            reason = comparison.reason or "no reason"
            if "disagreement" in reason or not any(word in reason for word in EXPLAINED):
                yield f"{name} is unknown: {reason}"
        elif difference is None and world is WORLD:
            for request, allows, denies in _compared(allowing, denying):
                if _shows(request, allows, denies, world):
                    yield f"{name}: nothing, but {_told(request)}"
        if cvc5 and isinstance(allowing, Policy) and isinstance(denying, Policy):
            yield from _compared_by_cvc5(name, difference, allowing, denying, world)


def _shows(request: Request, allowing: PolicySet, denying: PolicySet, world: Any) -> bool:
    return decide(request, allowing, world).allowed and not decide(request, denying, world).allowed


def _compared_by_cvc5(
    name: str, difference: Difference, allowing: Policy, denying: Policy, world: Any
) -> Iterator[str]:
    """One direction of a comparison of identity policies, where no resource's policy delegates anything."""
    frame = next(frames(allowing, denying))
    if frame.as_resource:
        return
    allows, denies = frame.policies(allowing), frame.policies(denying)
    question = Question(
        "compare", frame.principal, allows, Claim("never"), "any",
        resource_account=frame.resource_account, disabled_axioms=ANY_REQUEST,
    )  # fmt: skip
    try:
        opinion = second_opinion(question, world, timeout=TIMEOUT, against=denies)
    except InexpressibleError:
        return
    if difference is None and opinion.verdict == "violated":
        yield f"{name}: nothing, but cvc5 has a request"
    shown = isinstance(difference, Request) and _shows(difference, allows, denies, world)
    if shown and opinion.verdict == "holds":
        yield f"{name}: {difference}, but cvc5 proves that there is nothing"
    if opinion.request is not None and not _shows(opinion.request, allows, denies, world):
        yield f"{name}: cvc5's request shows no difference"


Sides = Policy | PolicySet


def _compared(allowing: Sides, denying: Sides) -> Iterator[tuple[Request, PolicySet, PolicySet]]:
    """Requests of the small world with the policies that two sides are to them.

    A bare document is own policy of one principal, or, where it names principals, a resource's: beside own policies that
    allow everything, in the same account or another, or beside none.
    """
    if isinstance(allowing, PolicySet) or isinstance(denying, PolicySet):
        assert isinstance(allowing, PolicySet)
        assert isinstance(denying, PolicySet)
        yield from ((request, allowing, denying) for request in requests(DEFAULT_PRINCIPAL))
    elif not (_names_principals(allowing) or _names_principals(denying)):
        own = PolicySet(identity=(allowing,)), PolicySet(identity=(denying,))
        yield from ((request, *own) for request in requests(PRINCIPALS[0], ACCOUNT))
    else:
        alone = PolicySet(resource=allowing), PolicySet(resource=denying)
        beside = [replace(one, identity=(EVERYTHING,)) for one in alone]
        for principal in PRINCIPALS:
            yield from ((request, *alone) for request in requests(principal))
            if principal.startswith("arn:"):
                for owner in (OUTSIDE_ACCOUNT, principal.split(":")[4]):
                    yield from ((request, *beside) for request in requests(principal, owner))


def _names_principals(policy: Policy) -> bool:
    return any(one.principal or one.not_principal for one in policy.statements)


def _only(policies: PolicySet, named: set[tuple[str, str]]) -> PolicySet:
    def thin(policy: Any) -> Any:
        kept = [
            one
            for one, statement in zip(policy.document["Statement"], policy.statements, strict=True)
            if one["Effect"] == "Allow" or (policy.name, statement.label) in named
        ]
        return parse_policy({"Version": "2012-10-17", "Statement": kept}, name=policy.name)

    def all_of(listed: Any) -> Any:
        return None if listed is None else tuple(map(thin, listed))

    def levels(listed: Any) -> Any:
        return (
            None
            if listed is None
            else tuple(replace(level, policies=all_of(level.policies)) for level in listed)
        )

    return PolicySet(
        identity=all_of(policies.identity),
        permissions_boundary=all_of(policies.permissions_boundary),
        session=all_of(policies.session),
        resource=None if policies.resource is None else thin(policies.resource),
        scp=levels(policies.scp),
        rcp=levels(policies.rcp),
        vpc_endpoint=all_of(policies.vpc_endpoint),
    )


def _told(request: Request) -> str:
    return json.dumps(request_to_json(request))
