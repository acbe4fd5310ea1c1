"""The organization's guardrail: read before it is enforced, and then applied to a call through the endpoint."""

from __future__ import annotations

import json

import pytest

from deploy.deploy_sweep import QUICKSTART
from ringwall.controls.compile import compile_estate
from ringwall.demo.world import World, environment
from ringwall.deploy.apply import apply
from ringwall.deploy.enforcing import require_nobody_shut_out
from ringwall.deploy.organization_guardrail import (
    UnusableGuardrailError,
    decrypting,
    require_usable,
    sharing,
)
from ringwall.deploy.permissions import Place, management_deploy_policy
from ringwall.deploy.plan import make_plan
from ringwall.estate.kinds import registry
from ringwall.perimeter import load
from ringwall.sandbox import Sandbox

MANAGEMENT = "999988887777"
PROFILE = "us.guardrail.v1:0"
REGIONS = ("us-east-1", "us-east-2", "us-west-2")
OTHER_KEY = f"arn:aws:kms:us-east-1:{MANAGEMENT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
BLOCKED = "The organization does not allow this."


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A sandbox, and a declaration that enforces a guardrail that its management account has by then."""
    folder = tmp_path_factory.mktemp("organization")
    with Sandbox() as sandbox, environment(sandbox.environment()):
        first = World(sandbox, QUICKSTART, folder / "report.html")
        rights = {"Effect": "Allow", "Action": ["bedrock:*", "kms:*"], "Resource": "*"}
        sandbox.gateway.moto.execute(
            "iam",
            "PutRolePolicy",
            {
                "RoleName": "RingwallManagement",
                "PolicyName": "guardrails",
                "PolicyDocument": json.dumps({"Version": "2012-10-17", "Statement": rights}),
            },
            MANAGEMENT,
            "us-east-1",
        )
        sandbox.gateway.views.changed()
        key = first.management.call("kms", "CreateKey")["KeyMetadata"]["Arn"]
        made = first.management.call(
            "bedrock",
            "CreateGuardrail",
            name="organization",
            kmsKeyId=key,
            blockedInputMessaging=BLOCKED,
            blockedOutputsMessaging=BLOCKED,
            wordPolicyConfig={"wordsConfig": [{"text": "heliotrope"}]},
            crossRegionConfig={"guardrailProfileIdentifier": PROFILE},
        )
        first.management.call("bedrock", "CreateGuardrailVersion", guardrailIdentifier=made["guardrailId"])
        file = folder / "ringwall.yaml"
        enforced = (
            f'{{guardrail: "{made["guardrailArn"]}", version: "1", profile: "{PROFILE}", key: "{key}"}}'
        )
        text = QUICKSTART.read_text(encoding="utf-8")
        file.write_text(f"{text}\nenforcement: {{organization: {enforced}}}\n", encoding="utf-8")
        yield World(sandbox, file, folder / "report.html")


def plan(world):
    return make_plan(world.desired, world.observe(), registry(), perimeter=world.perimeter.name)


def refusal(world, perimeter=None):
    with pytest.raises(UnusableGuardrailError) as caught:
        require_usable(plan(world), world.management, [perimeter or world.perimeter])
    return [str(caught.value), *caught.value.details]


def targets(world):
    arn = world.perimeter.enforcement.organization.guardrail
    return [arn, *(f"arn:aws:bedrock:{one}:{MANAGEMENT}:guardrail-profile/{PROFILE}" for one in REGIONS)]


def share(world, target, policy):
    region = target.split(":")[3]
    world.management.elsewhere(region=region).call(
        "bedrock", "PutResourcePolicy", resourceArn=target, resourcePolicy=json.dumps(policy)
    )


def unlock(world, statement):
    """Add a statement to the policy that the key began with."""
    key = world.perimeter.enforcement.organization.key
    own = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{MANAGEMENT}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [own, statement]})
    world.management.call("kms", "PutKeyPolicy", KeyId=key, PolicyName="default", Policy=policy)


def changed(world, **fields):
    organization = world.perimeter.enforcement.organization.model_copy(update=fields)
    enforcement = world.perimeter.enforcement.model_copy(update={"organization": organization})
    return world.perimeter.model_copy(update={"enforcement": enforcement})


def test_without_its_policies_nobody_could_apply_it(world):
    first, *said = refusal(world)
    key = world.perimeter.enforcement.organization.key
    assert f"the policy of {key} does not let account 111122223333 decrypt with it through Bedrock" in first
    assert json.dumps(decrypting(world.perimeter)) in first
    for target, words in zip(targets(world), said, strict=True):
        assert words.startswith(f"{target} has no policy that lets the organization apply it; attach one")
        assert json.dumps(sharing(target, world.perimeter)) in words


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"version": "7"}, "version 7 of"),
        ({"guardrail": f"arn:aws:bedrock:us-east-1:{MANAGEMENT}:guardrail/nosuch"}, "cannot be read"),
        ({"profile": None}, f"is evaluated by {PROFILE}: declare it as enforcement.organization.profile"),
        ({"profile": "eu.guardrail.v1:0"}, f"is evaluated by {PROFILE}"),
        ({"key": None}, "declare it as enforcement.organization.key"),
        ({"key": OTHER_KEY}, "declare it as enforcement.organization.key"),
    ],
)
def test_what_does_not_fit_the_declaration_is_said(world, fields, words):
    assert words in refusal(world, changed(world, **fields))[0]


@pytest.mark.parametrize(
    "statement",
    [
        {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-somebodyelse"}}},
        {"Principal": {"AWS": f"arn:aws:iam::{MANAGEMENT}:root"}},
        {
            "Condition": {
                "StringEquals": {"aws:PrincipalOrgID": "o-ringwallsb"},
                "ForAnyValue:StringLike": {
                    "aws:PrincipalOrgPaths": "o-ringwallsb/r-ring/ou-ring-elsewhere/*"
                },
            }
        },
    ],
    ids=["another organization", "its own account", "another unit"],
)
def test_a_policy_that_leaves_the_account_out_is_none(world, statement):
    target = targets(world)[0]
    policy = sharing(target, world.perimeter)
    policy["Statement"][0].update(statement)
    share(world, target, policy)
    assert f"the policy of {target} does not let account 111122223333 apply it" in "\n".join(refusal(world))


@pytest.mark.parametrize(
    "condition",
    [
        {"kms:ViaService": "s3.us-east-1.amazonaws.com"},
        {"kms:CallerAccount": MANAGEMENT},
        {"aws:PrincipalOrgID": "o-somebodyelse"},
    ],
    ids=["another service", "another account", "another organization"],
)
def test_a_key_that_leaves_the_account_out_is_none(world, condition):
    statement = decrypting(world.perimeter)
    statement["Condition"]["StringEquals"].update(condition)
    unlock(world, statement)
    assert "decrypt with it through Bedrock" in refusal(world)[0]


def test_what_may_not_be_read_is_no_pass(world):
    own = world.aws  # the workload account's administrator, who is nobody in the management account
    with pytest.raises(UnusableGuardrailError, match="cannot be read"):
        require_usable(plan(world), own, [world.perimeter])


def test_shared_it_is_enforced_and_a_call_through_the_endpoint_is_held_to_it(world):
    for target in targets(world):
        share(world, target, sharing(target, world.perimeter))
    unlock(world, decrypting(world.perimeter))
    todo = plan(world)
    require_usable(todo, world.management, [world.perimeter])
    require_nobody_shut_out(todo, registry(), [world.perimeter])
    applied = apply(todo, world.aws, registry(), management=world.management)
    assert applied.complete, [(item.change.id, str(item.error)) for item in applied.failed]
    assert plan(world).empty
    require_usable(plan(world), world.aws, [world.perimeter])  # nothing is enforced anew, so nobody is asked

    runtime = world.inside(world.credentials("app"), "bedrock-runtime")

    def converse(text):
        return runtime.converse(
            modelId=world.perimeter.models["claude"],
            guardrailConfig=world.guardrail("baseline"),
            messages=[{"role": "user", "content": [{"text": text}]}],
        )

    assert converse("Good morning")["stopReason"] == "end_turn"
    grant = decrypting(world.perimeter)
    unlock(world, {**grant, "Effect": "Deny"})
    with pytest.raises(runtime.exceptions.AccessDeniedException, match="kms:Decrypt"):
        converse("Good morning")
    unlock(world, grant)
    blocked = converse("Tell me of the heliotrope")
    assert blocked["stopReason"] == "guardrail_intervened"
    assert blocked["output"]["message"]["content"] == [{"text": BLOCKED}]


def test_the_management_role_is_told_to_read_it(world):
    perimeter = world.perimeter
    place = Place(perimeter.account, "us-east-1", "aws", perimeter.organization.management_role)

    def sids(declared):
        document = management_deploy_policy(compile_estate(declared), registry(), world.catalog, place)
        return {item["Sid"] for item in document["Statement"]}

    assert {"ReadEnforcedGuardrail", "ReadItsKey"} <= sids(perimeter)
    assert "ReadEnforcedGuardrail" not in sids(load(QUICKSTART))
