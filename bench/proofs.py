"""How long proofs take, beside cvc5 and z3 on the same questions, and how that grows.

The peers are given our translation for them (:mod:`ringwall.proof.second_opinion`, whose time is not counted for z3), so
they answer exactly what we do, and where they answer otherwise the run ends. A peer that does not answer within :data:`PATIENCE` is said so, and has no ratio.
"""

from __future__ import annotations

import gc
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import estate_families
import proof_families as families
from timing import Row, Timing, measure

from ringwall.access import Access
from ringwall.access.who_can import wanted, who_can
from ringwall.catalog import load as catalog
from ringwall.controls.proving import prove_declared
from ringwall.iam.parser import parse_policy
from ringwall.iam.policy import Policy, PolicySet
from ringwall.proof.claims import Claim
from ringwall.proof.compare import ANY_REQUEST, compare
from ringwall.proof.contest import AFTER, Contest
from ringwall.proof.frames import frames
from ringwall.proof.language import Clock
from ringwall.proof.prove import prove
from ringwall.proof.question import Question

PATIENCE = 10.0
"""Seconds that a peer gets; by contract no proof of ours takes longer."""
PAIRS = 300
PAIRS_OF_PEERS = 40
PATIENCE_ON_PAIRS = 2.0
"""Seconds that a peer gets on each pair, two hundred times what we promise."""


def rows() -> Iterator[Row]:
    """Every row about proofs."""
    yield from implications()
    for size, target in ((200, 0.05), (1000, 0.5)):
        for hole in (False, True):
            question = families.guardrail(size, hole=hole)
            name = f"guardrail claim, {size} statements, {'violated' if hole else 'holds'}"
            yield from beside_peers(name, question, target, "violated" if hole else "holds")
    yield from of_estates()
    yield from growth()


def implications() -> Iterator[Row]:
    """What AWS's managed policies allow beside each other and beside changed copies, each pair cold.

    In the first rows both directions, by CPU time, for they are short and the machine may be shared; then again with
    the requests retold as people like to read them. Beside the peers one direction, on the pairs that they can be told,
    as often as they answer.
    """
    vocabulary = catalog()
    pairs = [
        (parse_policy(before, name="before"), parse_policy(after, name="after")) for before, after in _pairs()
    ]
    # What the benchmark itself holds in memory is none of a comparison's garbage to look through.
    gc.collect()
    gc.freeze()
    title = f"of {PAIRS} pairs of managed policies compared, CPU"
    for explain in (False, True):
        times, unknown = [], 0
        for before, after in ((replace(one), replace(other)) for one, other in pairs):
            started = time.process_time()
            found = compare(before, after, vocabulary, explain=explain)
            times.append(time.process_time() - started)
            unknown += "unknown" in (found.newly_allows, found.newly_denies)
        if not explain:
            yield Row(f"p50 {title}", _percentile(times, 50))
            yield Row(f"p99 {title}", _percentile(times, 99), 0.01)
            yield Row("  of these unknown", note=str(unknown))
        else:
            yield Row("p99 with requests retold", _percentile(times, 99))
    yield from _beside_on_pairs(pairs)


def _percentile(times: Sequence[float], percent: int) -> Timing:
    ordered = sorted(times)
    return Timing(ordered[len(ordered) * percent // 100], ordered[0])


def _beside_on_pairs(pairs: Sequence[tuple[Policy, Policy]]) -> Iterator[Row]:
    told = list(islice(_told(pairs), PAIRS_OF_PEERS))
    for question, before in told[:1]:
        _ours(question, before)
    for peer, ask in (("cvc5", _cvc5), ("z3", _z3)):
        ours, theirs, silent = [], [], 0
        for question, before in told:
            started = time.perf_counter()
            found = _ours(question, before)
            mine = time.perf_counter() - started
            try:
                answer = ask(question, against=before, patience=PATIENCE_ON_PAIRS)
            except ImportError:
                yield Row(f"  {peer}", note="not installed")
                break
            if answer is None:
                silent += 1
                continue
            taken, theirs_found = answer
            if (found is not None) != theirs_found:
                raise AssertionError(f"{peer} disagrees")
            ours.append(mine)
            theirs.append(taken)
        else:
            for percent in (50, 99):
                name = f"p{percent} of {len(ours)} comparisons that {peer} answers"
                yield Row(name, _percentile(ours, percent), peer=_percentile(theirs, percent), peer_name=peer)
            yield Row(f"  {peer}", note=f"no answer in {PATIENCE_ON_PAIRS:g} s: {silent} of {len(told)}")


def _ours(question: Question, before: PolicySet) -> Any:
    clock = Clock.starting_now(PATIENCE)
    with Contest(question, before, catalog(), clock, divisible=True) as contest:
        return contest.only(AFTER, clock)


def _told(pairs: Sequence[tuple[Policy, Policy]]) -> Iterator[tuple[Question, PolicySet]]:
    """Comparisons of which every part has a translation for the peers."""
    from ringwall.proof.second_opinion import script
    from ringwall.proof.smt import InexpressibleError

    for before, after in pairs:
        frame = next(frames(after, before))
        question = Question(
            "compare", frame.principal, frame.policies(after), Claim("never"), "any",
            resource_account=frame.resource_account, disabled_axioms=ANY_REQUEST,
        )  # fmt: skip
        against = frame.policies(before)
        try:
            script(question, catalog(), against=against)
        except InexpressibleError:
            continue
        yield question, against


def _pairs() -> Iterator[tuple[Any, Any]]:
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    documents = [item["Document"] for item in json.loads(aws_managed_policies_data).values()]
    chance = random.Random(7)  # noqa: S311 - published, not secret
    for number in range(PAIRS):
        before = chance.choice(documents)
        yield before, chance.choice(documents) if number % 3 == 0 else _changed(before, chance)


def _changed(document: Mapping[str, Any], chance: random.Random) -> dict[str, Any]:
    """The document with a statement less, turned round, narrowed by condition, or denied over plain text."""
    listed = document["Statement"]
    statements = [dict(one) for one in (listed if isinstance(listed, list) else [listed])]
    chosen = chance.randrange(len(statements))
    kind = chance.randrange(4)
    if kind == 0 and len(statements) > 1:
        del statements[chosen]
    elif kind == 1:
        statements[chosen]["Effect"] = "Deny" if statements[chosen]["Effect"] == "Allow" else "Allow"
    elif kind == 2:
        condition = {
            **statements[chosen].get("Condition", {}),
            "StringNotLike": {"aws:RequestedRegion": "eu-*"},
        }
        statements[chosen]["Condition"] = condition
    else:
        plain = {"Bool": {"aws:SecureTransport": "false"}}
        statements.append({"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": plain})
    return {**document, "Statement": statements}


def beside_peers(name: str, question: Question, target: float | None, verdict: str) -> Iterator[Row]:
    """Our time on a question, then the peers'."""
    vocabulary = catalog()

    def call() -> None:
        # As a new policy: nothing of it was compiled before.
        fresh = replace(question, policies=replace(question.policies))
        found = prove(fresh, vocabulary, explain=False).verdict
        if found != verdict:
            raise AssertionError(f"{name}: {found}")

    ours = measure(call, seconds=1, rounds=5)
    yield Row(name, ours, target)
    for peer, ask in (("cvc5", _cvc5), ("z3", _z3)):
        try:
            taken = ask(question)
        except ImportError:
            yield Row(f"  {peer}", note="not installed")
            continue
        if taken is None:
            yield Row(f"  {peer}", note=f"no answer in {PATIENCE:g} s")
        else:
            seconds, _ = taken
            yield Row("", ours, peer=Timing(seconds, seconds), peer_name=peer)


Answered = tuple[float, bool] | None
"""Seconds, and whether there is such a request; ``None`` = no answer in time."""


def _cvc5(question: Question, *, against: PolicySet | None = None, patience: float = PATIENCE) -> Answered:
    from ringwall.proof.second_opinion import second_opinion

    started = time.perf_counter()
    opinion = second_opinion(question, catalog(), timeout=patience, against=against)
    taken = time.perf_counter() - started
    return None if opinion.verdict == "unknown" else (taken, opinion.verdict == "violated")


def _z3(question: Question, *, against: PolicySet | None = None, patience: float = PATIENCE) -> Answered:
    import z3

    from ringwall.proof.second_opinion import script

    text = script(question, catalog(), against=against)
    solver = z3.Solver()
    solver.set("timeout", int(patience * 1000))
    started = time.perf_counter()
    solver.from_string(text)
    found = solver.check()
    return None if found == z3.unknown else (time.perf_counter() - started, found == z3.sat)


def of_estates() -> Iterator[Row]:
    """Questions about everybody, in CPU seconds. No peer knows what a principal is, so there is none beside them."""
    yield Row("who can bedrock:InvokeModel, 500 roles with 4 policies", _timed(_who_can(500)), 1.0)
    vocabulary = catalog()
    for limits, state in (("all", "hold"), ("half", "half of the SCPs gone"), ("none", "all SCPs gone")):
        perimeter, estate, attributes = estate_families.organization(1000, limits=limits)

        def prove_all(estate: Any = estate, perimeter: Any = perimeter, attributes: Any = attributes) -> Any:
            return list(prove_declared(perimeter, estate, attributes, vocabulary, teach=True))

        name = f"every claim, 1,000 principals more, {state}"
        yield Row(name, _timed(prove_all, rounds=1), 30.0)


def _who_can(roles: int) -> Callable[[], Any]:
    perimeter, estate, _ = families.estate(roles, 4)
    vocabulary = catalog()
    what = wanted("bedrock:InvokeModel", "*", vocabulary)
    return lambda: list(who_can(Access(estate), perimeter.account, what, vocabulary))


def _timed(call: Callable[[], Any], rounds: int = 3) -> Timing:
    found = []
    for _ in range(rounds):
        started = time.process_time()
        call()
        found.append(time.process_time() - started)
    found.sort()
    return Timing(found[rounds // 2], found[0])


def growth() -> Iterator[Row]:
    """Four families, each by one number."""
    vocabulary = catalog()
    for title, numbers, make in (
        ("statements", (10, 100, 1000), families.guardrail),
        ("SCP levels", (1, 3, 6), lambda levels: families.guardrail(50, levels=levels)),
        ("overlapping wildcards", (2, 3, 4, 5), families.overlapping),
    ):
        for number in numbers:
            question = make(number)
            asked = measure(
                lambda one=question: prove(replace(one, policies=replace(one.policies)), vocabulary),
                seconds=0.5,
                rounds=3,
            )  # type: ignore[misc]
            verdict = prove(question, vocabulary).verdict
            yield Row(f"growth: {number} {title} ({verdict})", asked)
    for roles in (50, 200, 500):
        yield Row(f"growth: who can, {roles} roles", _timed(_who_can(roles), rounds=1))
