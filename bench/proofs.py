"""How long proofs take, beside cvc5 and z3 on the same questions, and how that grows.

The peers are given our translation for them (:mod:`ringwall.proof.second_opinion`, whose time is not counted for z3), so
they answer exactly what we do. A peer that does not answer within :data:`PATIENCE` is said so, and has no ratio.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import estate_families
import proof_families as families
from timing import Row, Timing, measure

from ringwall.access import Access
from ringwall.access.who_can import wanted, who_can
from ringwall.catalog import load as catalog
from ringwall.controls.proving import prove_declared
from ringwall.iam.parser import parse_policy
from ringwall.proof.compare import compare
from ringwall.proof.prove import prove
from ringwall.proof.question import Question

PATIENCE = 10.0
"""Seconds that a peer gets; by contract no proof of ours takes longer."""
PAIRS = 300


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
    """What AWS's managed policies allow beside each other and beside changed copies, both directions, each pair cold."""
    vocabulary = catalog()
    times = []
    for before, after in _pairs():
        one, other = parse_policy(before, name="before"), parse_policy(after, name="after")
        started = time.perf_counter()
        compare(one, other, vocabulary)
        times.append(time.perf_counter() - started)
    times.sort()
    middle = times[len(times) // 2]
    yield Row(f"compare two managed policies, p50 of {PAIRS} pairs", Timing(middle, times[0]))
    yield Row(
        f"compare two managed policies, p99 of {PAIRS} pairs",
        Timing(times[len(times) * 99 // 100], times[0]),
        0.01,
    )


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
            yield Row("", ours, peer=Timing(taken, taken), peer_name=peer)


def _cvc5(question: Question) -> float | None:
    from ringwall.proof.second_opinion import second_opinion

    started = time.perf_counter()
    verdict = second_opinion(question, catalog(), timeout=PATIENCE).verdict
    return None if verdict == "unknown" else time.perf_counter() - started


def _z3(question: Question) -> float | None:
    import z3

    from ringwall.proof.second_opinion import script

    text = script(question, catalog())
    solver = z3.Solver()
    solver.set("timeout", int(PATIENCE * 1000))
    started = time.perf_counter()
    solver.from_string(text)
    return None if solver.check() == z3.unknown else time.perf_counter() - started


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
