"""Claims about API operations: a call is allowed when all of its authorizations are, in one context."""

from __future__ import annotations

from typing import Any

import pytest

from ringwall.catalog import load
from ringwall.iam.evaluate import decide
from ringwall.proof.codec import answer_to_json, question_from_json
from ringwall.proof.prove import prove
from ringwall.proof.question import Answer, Authorization, Question

CATALOG = load()
ROLE = "arn:aws:iam::111122223333:role/App"
PROFILE = (
    "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0"
)
MODEL = "foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0"
GUARDRAIL = "arn:aws:bedrock:us-east-1:111122223333:guardrail/gr1"
KEY = "bedrock:GuardrailIdentifier"


def line(claim: dict[str, Any], *statements: dict[str, Any], **more: Any) -> dict[str, Any]:
    identity = [{"name": "app", "document": {"Version": "2012-10-17", "Statement": list(statements)}}]
    return {"id": "q", "principal": ROLE, "policies": {"identity": identity}, "claim": claim, **more}


def ask(value: dict[str, Any]) -> tuple[Question, Answer]:
    question = question_from_json(value)
    answer = prove(question, CATALOG)
    for request in answer.witness:
        assert decide(request, question.policies, CATALOG).allowed
    return question, answer


def allow(resource: Any, **condition: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "bedrock:*", "Resource": resource, **condition}


CONVERSE = {"Operation": "bedrock-runtime:Converse", "Resource": PROFILE}
REGIONS = ("us-east-1", "us-east-2", "us-west-2")
MODELS = [f"arn:aws:bedrock:{region}::{MODEL}" for region in REGIONS]


@pytest.mark.parametrize(
    ("resources", "verdict"),
    [
        (PROFILE, "violated"),
        ([PROFILE, *MODELS[:2]], "violated"),
        ([PROFILE, *MODELS], "holds"),
        (MODELS, "violated"),
    ],
)
def test_a_call_needs_every_authorization(resources: Any, verdict: str) -> None:
    _, answer = ask(line({"can": CONVERSE}, allow(resources)))
    assert answer.verdict == verdict


def test_witness_lists_every_request() -> None:
    question, answer = ask(line({"can": CONVERSE}, allow("*")))
    witness = answer_to_json(question, answer)["witness"]
    assert witness["operation"] == "bedrock-runtime:Converse"
    assert {request["context"].get("aws:requestedregion") for request in witness["requests"]} == set(REGIONS)
    assert witness["requests"][0]["resource"] == PROFILE


def test_context_is_shared() -> None:
    """The profile is allowed with one guardrail only, the models with another: together never."""
    first = allow(PROFILE, Condition={"StringEquals": {KEY: f"{GUARDRAIL}:1"}})
    second = allow(MODELS, Condition={"StringEquals": {KEY: f"{GUARDRAIL}:2"}})
    assert ask(line({"can": CONVERSE}, first, second))[1].verdict == "violated"
    either = allow(MODELS, Condition={"StringLike": {KEY: f"{GUARDRAIL}:*"}})
    _, answer = ask(line({"can": CONVERSE}, first, either))
    assert answer.verdict == "holds"
    assert {request.context[KEY.lower()] for request in answer.witness} == {(f"{GUARDRAIL}:1",)}


def test_never_without_the_guardrail() -> None:
    naked = {"never": {**CONVERSE, "Condition": {"Null": {KEY: "true"}}}}
    assert ask(line(naked, allow("*")))[1].verdict == "violated"
    pinned = allow("*", Condition={"StringEquals": {KEY: f"{GUARDRAIL}:1"}})
    _, answer = ask(line(naked, pinned))
    assert answer.verdict == "holds"
    assert answer.missing == ("identity",)


def test_keys_that_one_authorization_does_not_carry_are_absent_from_it() -> None:
    """ApplyGuardrail carries no guardrail key, so a test for it fails there although the model call passes it."""
    both = (
        Authorization("bedrock:InvokeModel", MODELS[0], {}),
        Authorization("bedrock:ApplyGuardrail", GUARDRAIL, {}),
    )
    pinned = allow("*", Condition={"StringEquals": {KEY: GUARDRAIL}})
    question = question_from_json(line({"can": CONVERSE}, pinned))
    asked = Question("q", ROLE, question.policies, question.claim, authorizations=both)
    assert prove(asked, CATALOG).verdict == "violated"
    alone = Question("q", ROLE, question.policies, question.claim, authorizations=both[:1])
    assert prove(alone, CATALOG).verdict == "holds"


def test_policies_can_differ_by_authorization() -> None:
    question = question_from_json(line({"can": CONVERSE}))
    other = question_from_json(line({"can": CONVERSE}, allow("*"))).policies
    call = (Authorization("bedrock:InvokeModel", MODELS[0], {}, None, other),)
    assert (
        prove(Question("q", ROLE, question.policies, question.claim, authorizations=call), CATALOG).verdict
        == "holds"
    )


def test_parameters_may_be_given() -> None:
    claim = {"can": {"Operation": "Converse"}}
    parameters = {
        "modelId": PROFILE,
        "guardrailConfig": {"guardrailIdentifier": GUARDRAIL, "guardrailVersion": "1"},
    }
    _, answer = ask(line(claim, allow("*"), parameters=parameters))
    assert "bedrock:ApplyGuardrail" in {request.action for request in answer.witness}
    assert ask(line(claim, allow([PROFILE, *MODELS]), parameters=parameters))[1].verdict == "violated"


def test_operation_without_authorizations_is_unknown() -> None:
    question = question_from_json(line({"can": CONVERSE}, allow("*")))
    answer = prove(Question("q", ROLE, question.policies, question.claim), CATALOG)
    assert answer.verdict == "unknown"
    assert "Converse" in (answer.reason or "")
