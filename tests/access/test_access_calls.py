"""``ringwall decide`` on operations: Region, account, partition, API keys, and what names of the account stand for."""

from __future__ import annotations

import re

import pytest

from ringwall.access.deciding import Decider
from ringwall.catalog import load

MODEL = "anthropic.claude-sonnet-4-5-20250929-v1:0"
ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/App"
HERE = f"arn:aws:bedrock:us-east-1:{ACCOUNT}"
GUARDRAIL = f"{HERE}:guardrail/abcd1234efgh"


def allow(*actions, resource="*", condition=None):
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    if condition:
        statement["Condition"] = condition
    return statement


def deny(*actions, condition):
    return {**allow(*actions, condition=condition), "Effect": "Deny"}


def policy(*statements):
    return {"name": "p", "document": {"Version": "2012-10-17", "Statement": list(statements)}}


EVERYTHING = {"identity": [policy(allow("*"))]}


def answer(
    operation, parameters, *, region="us-east-1", policies=EVERYTHING, principal=ROLE, context=None, **more
):
    keys = {**({"aws:RequestedRegion": region} if region else {}), **(context or {})}
    request = {
        "principal": principal, "operation": operation, "parameters": parameters, "context": keys, **more,
    }  # fmt: skip
    return Decider(load()).answer({"id": "q", "request": request, "policies": policies})


def parts(*args, **more):
    return [(one["action"], one["resource"]) for one in answer(*args, **more)["authorizations"]]


def foundation(region, partition="aws"):
    return f"arn:{partition}:bedrock:{region}::foundation-model/{MODEL}"


@pytest.mark.parametrize(
    "spelling",
    ["Converse", "converse", "bedrock-runtime:Converse", "bedrock:Converse", "bedrock-runtime.converse"],
)
def test_operations_in_every_spelling(spelling):
    assert parts(spelling, {"modelId": MODEL}) == [("bedrock:InvokeModel", foundation("us-east-1"))]


@pytest.mark.parametrize(
    ("principal", "region", "model", "first"),
    [
        ("arn:aws-us-gov:iam::111122223333:role/App", "us-gov-west-1", MODEL, foundation("us-gov-west-1", "aws-us-gov")),
        ("arn:aws-us-gov:sts::111122223333:assumed-role/App/s", "us-gov-east-1", f"us-gov.{MODEL}",
         f"arn:aws-us-gov:bedrock:us-gov-east-1:{ACCOUNT}:inference-profile/us-gov.{MODEL}"),
        ("arn:aws-cn:iam::111122223333:role/App", "cn-north-1", MODEL, foundation("cn-north-1", "aws-cn")),
        ("*", "us-gov-west-1", MODEL, foundation("us-gov-west-1", "aws-us-gov")),
        (ROLE, None, foundation("eu-west-1"), foundation("eu-west-1")),
        (ROLE, None, f"arn:aws:bedrock:us-west-2:{ACCOUNT}:inference-profile/us.{MODEL}",
         f"arn:aws:bedrock:us-west-2:{ACCOUNT}:inference-profile/us.{MODEL}"),
    ],
)  # fmt: skip
def test_partition_and_region(principal, region, model, first):
    found = answer("Converse", {"modelId": model}, region=region, principal=principal, account=ACCOUNT)
    assert found["authorizations"][0]["resource"] == first


def test_a_region_that_only_the_arn_names_is_the_requested_one():
    only_here = {
        "identity": [policy(allow("*", condition={"StringEquals": {"aws:RequestedRegion": "us-west-2"}}))]
    }
    found = answer("Converse", {"modelId": foundation("us-west-2")}, region=None, policies=only_here)
    assert found["decision"] == "allow"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"region": None}, "an operation needs aws:RequestedRegion in its context"),
        ({"principal": "*"}, "an operation by \\* needs an account"),
        ({"region": "us-gov-west-1"}, "is of partition aws, but us-gov-west-1 is of aws-us-gov"),
        ({"parameters": {"modelId": foundation("us-west-2")}}, "modelId is of us-west-2, but the call goes to us-east-1"),
        ({"parameters": {"modelId": "Claude Sonnet"}}, "is no id of a foundation model .*did you mean anthropic"),
        ({"parameters": {"modelId": f"sa.{MODEL}"}}, "'sa' is no geography .*did you mean us.anthropic"),
        ({"parameters": {"modelId": f"{HERE}:application-inference-profile/x"}}, "Ask GetInferenceProfile there"),
        ({"parameters": {"modelId": f"{HERE}:prompt/P:1"}}, "Ask GetPrompt there"),
        ({"parameters": {"modelId": f"eu.{MODEL}"}}, "cannot be called in us-east-1, only in eu-central-1"),
        ({"parameters": []}, "parameters must be an object"),
        ({"parameters": {"modelID": MODEL, "guardrails": 1}}, "did you mean modelId\\?; there is no parameter guardrails"),
        ({"operation": "Convers"}, "did you mean Converse"),
        ({"operation": 3}, "operation must be a string"),
        ({"parametres": {}}, "request has no field parametres; did you mean parameters\\?"),
        ({"action": "bedrock:InvokeModel"}, "request has no field action"),
        ({"models": {"x": "y"}}, "models of x must be a list"),
        ({"context": {"bedrock:BearerTokenType": "MEDIUM"}}, "is SHORT_TERM or LONG_TERM"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_an_error(change, message):
    asked = {"operation": "Converse", "parameters": {"modelId": MODEL}, **change}
    found = answer(**asked)
    assert "decision" not in found
    assert re.search(message, found["error"]), found["error"]


def test_an_api_key_needs_its_action_and_other_actions_do_not_carry_its_kind():
    no_long_term = deny("bedrock:*", condition={"StringEquals": {"bedrock:BearerTokenType": "LONG_TERM"}})
    policies = {"identity": [policy(allow("*"), no_long_term)]}
    for kind, decision in (("SHORT_TERM", "allow"), ("LONG_TERM", "explicit_deny")):
        found = answer(
            "Converse", {"modelId": MODEL}, policies=policies, context={"bedrock:bearerTokenType": kind}
        )
        by_action = {one["action"]: one["decision"] for one in found["authorizations"]}
        assert by_action == {"bedrock:InvokeModel": "allow", "bedrock:CallWithBearerToken": decision}
    mantle = parts(
        "bedrock-mantle:CreateInference",
        {"model": "openai.gpt-oss-120b"},
        context={"bedrock-mantle:BearerTokenType": "SHORT_TERM"},
    )
    assert mantle[-1] == ("bedrock-mantle:CallWithBearerToken", "*")


@pytest.mark.parametrize(
    ("name", "stands_for", "expected"),
    [
        (f"{HERE}:application-inference-profile/team", [foundation("us-east-1"), foundation("us-west-2")],
         [foundation("us-east-1"), foundation("us-west-2")]),
        (f"{HERE}:inference-profile/us.{MODEL}", [foundation("us-east-1")], [foundation("us-east-1")]),
        (f"{HERE}:prompt-router/r", [MODEL], [foundation("us-east-1")]),
    ],
)  # fmt: skip
def test_what_the_account_tells_wins_over_the_tables(name, stands_for, expected):
    found = parts("Converse", {"modelId": name}, models={name: stands_for})
    assert found == [("bedrock:InvokeModel", one) for one in (name, *expected)]


def test_a_guardrail_with_a_profile_is_authorized_on_both():
    profile = f"{HERE}:guardrail-profile/us.guardrail.v1:0"
    elsewhere = profile.replace("us-east-1", "us-west-2")
    asked = {
        "modelId": MODEL,
        "guardrailConfig": {"guardrailIdentifier": "abcd1234efgh", "guardrailVersion": "2"},
    }
    found = answer("Converse", asked, models={GUARDRAIL: [profile, elsewhere]})
    applied = [
        one["resource"] for one in found["authorizations"] if one["action"] == "bedrock:ApplyGuardrail"
    ]
    assert applied == [GUARDRAIL, profile, elsewhere]


def test_unlisted_profiles_and_actions_are_told():
    listed = answer("Converse", {"modelId": f"us.{MODEL}"})
    assert "notes" not in listed
    newer = answer("Converse", {"modelId": "us.example.model-v9:0"})
    assert newer["decision"] == "allow"
    assert "us.example.model-v9:0: the Regions of its geography" in newer["notes"][0]
    (note,) = answer("ListVpcConfigurations", {"knowledgeBaseId": "K"})["notes"]
    assert "does not list bedrock:ListVpcConfigurations" in note


def test_what_bedrock_does_for_the_caller_does_not_come_through_the_callers_endpoint():
    endpoint = {
        "name": "vpce",
        "document": {"Version": "2012-10-17", "Statement": [{**allow("bedrock:*"), "Principal": "*"}]},
    }
    near = {"StringEquals": {"aws:SourceVpce": "vpce-1"}, "Bool": {"aws:ViaAWSService": "false"}}
    identity = policy(
        allow("bedrock:*", condition=near),
        allow("s3:PutObject", condition={"Null": {"aws:SourceVpce": "true"}}),
    )
    uri = {"s3OutputDataConfig": {"s3Uri": "s3://out/x"}}
    found = answer(
        "StartAsyncInvoke", {"modelId": "amazon.nova-reel-v1:0", "outputDataConfig": uri},
        policies={"identity": [identity], "vpc_endpoint": [endpoint]},
        context={"aws:SourceVpce": "vpce-1", "aws:ViaAWSService": "false"},
    )  # fmt: skip
    assert [(one["action"], one["decision"]) for one in found["authorizations"]] == [
        ("bedrock:InvokeModel", "allow"),
        ("s3:PutObject", "allow"),
    ]


def test_the_guardrail_key_is_on_the_invocations_alone():
    pinned = {"StringEquals": {"bedrock:GuardrailIdentifier": f"{GUARDRAIL}:2"}}
    identity = policy(
        allow("bedrock:InvokeModel", condition=pinned),
        allow("bedrock:ApplyGuardrail", condition={"Null": {"bedrock:GuardrailIdentifier": "true"}}),
    )
    for version, decision in (("2", "allow"), ("1", "implicit_deny"), ("DRAFT", "implicit_deny")):
        asked = {
            "modelId": f"us.{MODEL}",
            "guardrailConfig": {"guardrailIdentifier": GUARDRAIL, "guardrailVersion": version},
        }
        assert answer("Converse", asked, policies={"identity": [identity]})["decision"] == decision
