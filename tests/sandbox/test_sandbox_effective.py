"""Declarative policies of the organization: how they merge, and Bedrock policies that enforce guardrails."""

import json

import pytest

from ringwall.sandbox.effective import merged

MANAGEMENT = "999988887777"
MEMBER = "111122223333"


def assign(value):
    return {"@@assign": value}


MERGES = {
    "one policy": ([[{"a": {"b": assign(1)}}]], {"a": {"b": 1}}),
    "nothing": ([[], []], None),
    "a child replaces": ([[{"a": assign(1)}], [{"a": assign(2)}]], {"a": 2}),
    "a child adds beside": ([[{"a": {"x": assign(1)}}], [{"a": {"y": assign(2)}}]], {"a": {"x": 1, "y": 2}}),
    "lists are replaced": ([[{"a": assign([1, 2])}], [{"a": assign([3])}]], {"a": [3]}),
    "lists grow": ([[{"a": assign([1, 2])}], [{"a": {"@@append": [2, 3]}}]], {"a": [1, 2, 3]}),
    "lists shrink": ([[{"a": assign([1, 2])}], [{"a": {"@@remove": [2, 9]}}]], {"a": [1]}),
    "appending to nothing": ([[{"a": {"@@append": [1]}}]], {"a": [1]}),
    "a locked value stays": (
        [[{"a": {**assign(1), "@@operators_allowed_for_child_policies": ["@@none"]}}], [{"a": assign(2)}]],
        {"a": 1},
    ),
    "a lock holds below": (
        [
            [{"a": {"@@operators_allowed_for_child_policies": ["@@none"], "b": assign(1)}}],
            [{"a": {"b": assign(2), "c": assign(3)}}],
        ],
        {"a": {"b": 1}},
    ),
    "a lock is not undone": (
        [
            [{"a": {**assign([1]), "@@operators_allowed_for_child_policies": ["@@append"]}}],
            [{"a": {"@@operators_allowed_for_child_policies": ["@@all"]}}],
            [{"a": {**assign([9]), "@@append": [2]}}],
        ],
        {"a": [1, 2]},
    ),
}


@pytest.mark.parametrize("name", MERGES)
def test_merging(name):
    levels, effective = MERGES[name]
    assert merged(levels) == effective


@pytest.fixture(scope="module")
def management(world, helpers):
    """Keys of the management account's role, which may manage guardrails too."""
    rights = {"Effect": "Allow", "Action": "bedrock:*", "Resource": "*"}
    world.sandbox.gateway.moto.execute(
        "iam",
        "PutRolePolicy",
        {
            "RoleName": "RingwallManagement",
            "PolicyName": "guardrails",
            "PolicyDocument": helpers.policy(rights),
        },
        MANAGEMENT,
        "us-east-1",
    )
    world.sandbox.gateway.views.changed()
    return world.assume(f"arn:aws:iam::{MANAGEMENT}:role/RingwallManagement")


@pytest.fixture(scope="module")
def guardrail(world, helpers, management):
    """A guardrail of the management account that members may apply."""
    bedrock = world.client("bedrock", **management)
    made = bedrock.create_guardrail(
        name="organization",
        blockedInputMessaging="NOT HERE",
        blockedOutputsMessaging="NOT HERE",
        wordPolicyConfig={"wordsConfig": [{"text": "nightjar", "outputEnabled": False}]},
    )
    bedrock.create_guardrail_version(guardrailIdentifier=made["guardrailId"])
    share = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "bedrock:ApplyGuardrail",
        "Resource": made["guardrailArn"],
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-ringwallsb"}},
    }
    bedrock.put_resource_policy(resourceArn=made["guardrailArn"], resourcePolicy=helpers.policy(share))
    return made["guardrailArn"]


def document(identifier, region="us-east-1", **more):
    return {
        "bedrock": {"guardrail_inference": {region: {"config_1": {"identifier": assign(identifier), **more}}}}
    }


def say(world, text, **keys):
    return world.client("bedrock-runtime", **keys).converse(
        modelId="us.amazon.nova-pro-v1:0", messages=[{"role": "user", "content": [{"text": text}]}]
    )["stopReason"]


def attached(organizations, content, target, name):
    made = organizations.create_policy(
        Name=name, Description="", Type="BEDROCK_POLICY", Content=json.dumps(content)
    )["Policy"]["PolicySummary"]["Id"]
    organizations.attach_policy(PolicyId=made, TargetId=target)
    return made


def test_an_organizations_guardrail_is_enforced_on_its_members(world, helpers, guardrail):
    organizations = world.organizations()
    assert (
        helpers.code_of(
            lambda: organizations.describe_effective_policy(PolicyType="BEDROCK_POLICY", TargetId=MEMBER)
        )
        == "EffectivePolicyNotFoundException"
    )
    organizations.enable_policy_type(RootId="r-ring", PolicyType="BEDROCK_POLICY")
    assert say(world, "a nightjar") == "end_turn"
    parent = attached(organizations, document(f"{guardrail}:1"), "r-ring", "parent")
    assert say(world, "a nightjar") == "guardrail_intervened"
    assert say(world, "a swift") == "end_turn"
    shown = organizations.describe_effective_policy(PolicyType="BEDROCK_POLICY", TargetId=MEMBER)
    content = json.loads(shown["EffectivePolicy"]["PolicyContent"])
    assert content == {
        "bedrock": {"guardrail_inference": {"us-east-1": {"config_1": {"identifier": f"{guardrail}:1"}}}}
    }
    nova = {"excluded_models": assign(["amazon.nova-pro-v1:0"])}
    child = {"bedrock": {"guardrail_inference": {"us-east-1": {"config_1": {"model_enforcement": nova}}}}}
    inner = attached(organizations, child, MEMBER, "child")
    assert say(world, "a nightjar") == "end_turn"
    organizations.detach_policy(PolicyId=inner, TargetId=MEMBER)
    denied = world.user("unshared", {"Effect": "Allow", "Action": "bedrock:InvokeModel*", "Resource": "*"})
    assert helpers.code_of(lambda: say(world, "hello", **denied)) == "AccessDeniedException"
    wrong = attached(organizations, document(f"{guardrail[:-3]}zzz:1"), MEMBER, "wrong")
    assert helpers.code_of(lambda: say(world, "hello")) in {"ValidationException", "AccessDeniedException"}
    organizations.detach_policy(PolicyId=wrong, TargetId=MEMBER)
    organizations.detach_policy(PolicyId=parent, TargetId="r-ring")
    assert say(world, "a nightjar") == "end_turn"


@pytest.mark.parametrize(
    "content",
    [
        "{",
        {},
        {"bedrock": {}},
        {"Version": "2012-10-17", "Statement": []},
        document("arn:aws:bedrock:us-east-1:999988887777:guardrail/abc"),
        document("arn:aws:bedrock:us-east-1:999988887777:guardrail/abc:DRAFT"),
        document("arn:aws:bedrock:us-east-1:111122223333:guardrail/abc:1"),
        document("arn:aws:bedrock:us-west-2:999988887777:guardrail/abc:1"),
        document(
            "arn:aws:bedrock:us-east-1:999988887777:guardrail/abc:1",
            selective_content_guarding={"system": assign("COMPREHENSIVE")},
        ),
        document("arn:aws:bedrock:us-east-1:999988887777:guardrail/abc:1", models=assign(["ALL"])),
    ],
)
def test_malformed_bedrock_policies(world, helpers, content):
    organizations = world.organizations()
    text = content if isinstance(content, str) else json.dumps(content)

    def make():
        return organizations.create_policy(Name="bad", Description="", Type="BEDROCK_POLICY", Content=text)

    assert helpers.code_of(make) == "MalformedPolicyDocumentException"
