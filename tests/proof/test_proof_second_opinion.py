"""The prover against cvc5, which is told the same policies and axioms by other code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from proof.proof_world import ACCOUNT
from proof.quickstart_world import questions
from ringwall.catalog import load
from ringwall.proof.codec import question_from_json
from ringwall.proof.prove import prove
from ringwall.proof.question import Question
from ringwall.proof.second_opinion import second_opinion
from ringwall.proof.smt import InexpressibleError

CATALOG = load()


@pytest.mark.parametrize("name", sorted(questions()))
def test_cvc5_agrees_on_the_quickstart(name: str) -> None:
    question = questions()[name]
    assert second_opinion(question, CATALOG).verdict == prove(question, CATALOG).verdict == "holds"


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
