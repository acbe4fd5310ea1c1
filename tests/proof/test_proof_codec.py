"""Questions, claims and answers as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ringwall.catalog import load
from ringwall.iam.codec import request_from_json
from ringwall.iam.evaluate import decide
from ringwall.iam.parser import PolicySyntaxError
from ringwall.proof.claims import ClaimSyntaxError, claim_from_json, claim_to_json
from ringwall.proof.codec import (
    QuestionError,
    answer_to_json,
    comparison_to_json,
    policies_of_comparison,
    question_from_json,
)
from ringwall.proof.compare import compare
from ringwall.proof.prove import prove

CATALOG = load()
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "bedrock:*", "Resource": "*"}]}
LINE = {
    "id": "q1",
    "principal": "arn:aws:iam::111122223333:role/App",
    "policies": {"identity": [{"name": "app", "document": ALLOW}]},
    "claim": {
        "never": {
            "Action": ["bedrock:InvokeModel"],
            "Resource": "*",
            "Condition": {"Null": {"bedrock:GuardrailIdentifier": "true"}},
        }
    },
}


def test_answer_of_the_contract() -> None:
    question = question_from_json(LINE)
    value = json.loads(json.dumps(answer_to_json(question, prove(question, CATALOG))))
    assert (value["id"], value["verdict"], value["reason"]) == ("q1", "violated", None)
    assert value["because"] == [
        {"policy_type": "identity", "policy": "app", "statement": "0", "effect": "Allow"}
    ]
    replayed = request_from_json(value["witness"])
    assert decide(replayed, question.policies, CATALOG).allowed
    assert "bedrock:guardrailidentifier" not in replayed.context


CLAIMS = [
    {"never": {"Action": ["s3:Get*"], "Resource": ["arn:aws:s3:::b/*"]}},
    {"can": {"NotAction": ["s3:*"], "NotResource": ["*"], "Condition": {"ForAllValues:StringLikeIfExists": {"k": ["a", "b"]}}}},
    {"name": "n", "title": "t", "never": {"Operation": "Converse", "Principal": ["arn:aws:iam::111122223333:role/App"]}},
    {"never": {"Action": ["*"], "NotPrincipal": ["a", "b"]}},
]  # fmt: skip


@pytest.mark.parametrize("value", CLAIMS)
def test_claims_come_back(value: dict[str, Any]) -> None:
    claim = claim_from_json(value)
    assert claim_to_json(claim) == value
    assert claim_from_json(claim_to_json(claim)) == claim


@pytest.mark.parametrize(
    ("value", "error", "says"),
    [
        ({}, ClaimSyntaxError, "never, can"),
        ({"never": {}, "can": {}}, ClaimSyntaxError, "exactly one"),
        ({"never": "x"}, ClaimSyntaxError, "object"),
        ({"never": {"Actions": "x:y"}}, ClaimSyntaxError, "Actions"),
        ({"never": {"Action": "x:y", "Operation": "Z"}}, ClaimSyntaxError, "not both"),
        ({"never": {"Action": "x:y"}, "severity": "high"}, ClaimSyntaxError, "severity"),
        ({"never": {"Operation": ["Z"]}}, ClaimSyntaxError, "one API operation"),
        ({"never": {"Action": "nocolon"}}, PolicySyntaxError, "nocolon"),
        ({"never": {"Condition": {"StringEqual": {"k": "v"}}}}, PolicySyntaxError, "StringEqual"),
        ({"never": {"Principal": 7}}, ClaimSyntaxError, "Principal"),
    ],
)
def test_malformed_claims_say_what_is_wrong(value: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        claim_from_json(value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"claim": None}, "claim"),
        ({"policies": []}, "policies"),
        ({"principal": None}, "principal"),
        ({"principal": "nobody"}, "nobody"),
        ({"account": "111122223333"}, "principal"),
        ({"context_model": "all"}, "catalog, any"),
        ({"disabled_axioms": ["gravity"]}, "gravity"),
        ({"context": {"k": 7}}, "context.k"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_malformed_questions_say_what_is_wrong(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        question_from_json({key: item for key, item in {**LINE, **change}.items() if item is not None})


def test_comparison_of_the_contract() -> None:
    narrower = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "bedrock:Invoke*", "Resource": "*"},
    }
    before, after = policies_of_comparison(ALLOW, "before"), policies_of_comparison(narrower, "after")
    value = comparison_to_json("1", compare(before, after, CATALOG))
    assert value["newly_allows"] is None
    assert value["newly_denies"]["action"].startswith("bedrock:")
    request_from_json(value["newly_denies"])


def test_comparison_of_sets() -> None:
    before = policies_of_comparison({"identity": [{"name": "a", "document": ALLOW}]}, "before")
    closed = {"identity": [{"name": "a", "document": ALLOW}], "permissions_boundary": []}
    after = policies_of_comparison(closed, "after")
    comparison = compare(before, after, CATALOG)
    assert comparison.newly_allows is None
    assert comparison.newly_denies not in (None, "unknown")


def test_comparison_of_unlike_things_is_refused() -> None:
    with pytest.raises(QuestionError, match="before"):
        policies_of_comparison([], "before")
    with pytest.raises(TypeError, match="one of each"):
        compare(policies_of_comparison(ALLOW, "a"), policies_of_comparison({}, "b"), CATALOG)
