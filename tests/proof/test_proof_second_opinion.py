"""The prover against cvc5, which is told the same policies and axioms by other code."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from proof.proof_world import ACCOUNT, PRINCIPALS, WORLD, claim_bodies, policy_sets
from proof.quickstart_world import questions
from ringwall.catalog import load
from ringwall.iam.codec import policies_to_json
from ringwall.iam.policy import PolicySet
from ringwall.proof.claims import claim_from_json
from ringwall.proof.codec import question_from_json
from ringwall.proof.prove import prove
from ringwall.proof.question import Question
from ringwall.proof.second_opinion import second_opinion
from ringwall.proof.smt import InexpressibleError
from ringwall.proof.witness import confirms

CATALOG = load()
CORPUS = Path(__file__).parent / "corpus.jsonl"
TEXTUAL = frozenset({"shop:color", "shop:tags", "shop:fresh", "shop:owner"})
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def as_line(question: Question, body: dict[str, Any]) -> str:
    """The line of the corpus that keeps a disagreement."""
    value = {
        "id": "what it is about",
        "world": "shop",
        "principal": question.principal,
        "policies": policies_to_json(question.policies),
        "claim": {"never": body},
        "resource_account": question.resource_account,
        "verdict": "which one is right",
    }
    return f"add to {CORPUS.name}: {json.dumps(value)}"


@seed(20261127)
@settings(max_examples=50, deadline=None, suppress_health_check=SLOW, database=None)
@given(
    policies=policy_sets(keys=TEXTUAL),
    body=claim_bodies(keys=TEXTUAL),
    principal=st.sampled_from(PRINCIPALS[:2]),
    owner=st.sampled_from((None, ACCOUNT)),
)
def test_cvc5_agrees(policies: PolicySet, body: dict[str, Any], principal: str, owner: str | None) -> None:
    question = Question("q", principal, policies, claim_from_json({"never": body}), resource_account=owner)
    answer = prove(question, WORLD)
    try:
        opinion = second_opinion(question, WORLD)
    except InexpressibleError:
        return
    assert opinion.verdict == answer.verdict, as_line(question, body)
    if opinion.request is not None:
        assert confirms(question, (opinion.request,), WORLD) is None, as_line(question, body)


@pytest.mark.parametrize("name", sorted(questions()))
def test_cvc5_agrees_on_the_quickstart(name: str) -> None:
    question = questions()[name]
    assert second_opinion(question, CATALOG).verdict == prove(question, CATALOG).verdict == "holds"


CASES = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_corpus(case: dict[str, Any]) -> None:
    """Questions on which this prover or another once was wrong, or gave up; both must be right now."""
    value = dict(case)
    world = WORLD if value.pop("world") == "shop" else CATALOG
    verdict = value.pop("verdict")
    question = question_from_json(value)
    answer = prove(question, world)
    assert answer.verdict == verdict, answer.reason
    for request in answer.witness:
        assert confirms(question, (request,), world) is None
    try:
        opinion = second_opinion(question, world)
    except InexpressibleError:
        return
    assert opinion.verdict in (verdict, "unknown")


OWN = "arn:aws:s3:::b/${aws:PrincipalTag/team}/*"


def asked(resource: str, condition: dict[str, Any], claim: dict[str, Any]) -> Question:
    statements = [
        {"Sid": "Own", "Effect": "Allow", "Action": "s3:GetObject", "Resource": resource},
        {"Sid": "Team", "Effect": "Deny", "Action": "s3:GetObject", "Resource": "*", "Condition": condition},
    ]
    return question_from_json(
        {
            "principal": f"arn:aws:iam::{ACCOUNT}:role/App",
            "policies": {
                "identity": [{"name": "own", "document": {"Version": "2012-10-17", "Statement": statements}}]
            },
            "claim": {"never": {"Action": "s3:GetObject", **claim}},
        }
    )


TEAM = "aws:PrincipalTag/team"
RED = {"NotResource": "arn:aws:s3:::b/red/*"}


@pytest.mark.parametrize(
    ("resource", "condition", "verdict"),
    [
        (OWN, {"StringNotEquals": {TEAM: "red"}}, "holds"),
        (OWN, {"StringNotLike": {TEAM: "red*"}}, "violated"),
        (OWN, {"StringEquals": {TEAM: "red"}}, "violated"),
        ("arn:aws:s3:::b/a*c${aws:PrincipalTag/team}/*", {"StringNotEquals": {TEAM: "red"}}, "violated"),
    ],
)
def test_policy_variables_are_word_equations(resource: str, condition: dict[str, Any], verdict: str) -> None:
    question = asked(resource, condition, RED)
    answer = prove(question, CATALOG)
    if answer.verdict == "unknown":
        # A wildcard in the middle of the pattern: no word equation, and the answer says where.
        assert "*c" in resource
        assert answer.reason is not None
        assert answer.reason.endswith("own/Own")
        return
    assert answer.verdict == verdict
    assert bool(answer.witness) == (verdict == "violated")
    assert ("cvc5" in (answer.reason or "")) == (verdict == "holds")


def test_without_cvc5_it_names_the_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringwall.proof.opinion.find_spec", lambda _name: None)
    answer = prove(asked(OWN, {"StringNotEquals": {TEAM: "red"}}, RED), CATALOG)
    assert answer.verdict == "unknown"
    assert (
        answer.reason
        == "policy variable ${aws:principaltag/team} is not determined by the principal: own/Own"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"principal": None, "account": ACCOUNT},
        {"disabled_axioms": frozenset({"one-partition"})},
        {"principal": f"arn:aws:iam::{ACCOUNT}:root"},
    ],
)
def test_what_it_cannot_express_it_says(change: dict[str, Any]) -> None:
    question = replace(asked(OWN, {"StringEquals": {TEAM: "red"}}, RED), **change)
    with pytest.raises(InexpressibleError):
        second_opinion(question, CATALOG)
