"""Breaking any one control turns exactly its line red.

Each mutation is what an administrator could do by mistake: the thing stays where it is, so that a check for presence
still passes, and does its work no more. Afterwards the declaration is applied again, and at the end everything passes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest

from demo.quickstart_account import deployed
from ringwall.audit.run import Audit, judge, run_audit
from ringwall.controls import registry as controls
from ringwall.controls.findings import Status
from ringwall.demo.audit import verdicts
from ringwall.demo.world import World
from ringwall.deploy.apply import apply
from ringwall.deploy.plan import make_plan
from ringwall.estate.kinds import registry
from ringwall.estate.references import bind

Statements = list[dict[str, Any]]
MODEL_ANYWHERE = "arn:aws:bedrock:*::foundation-model/*"
AGENT_ROLE = "AmazonBedrockExecutionRole_quickstart"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with deployed(tmp_path_factory.mktemp("mutations")) as found:
        yield found


def wanted(world: World, resource_id: str) -> dict[str, Any]:
    """Properties of a declared resource as they were deployed."""
    resource = bind(world.desired, world.attributes).find(resource_id)
    assert resource is not None
    return deepcopy(dict(resource.properties))


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, separators=(",", ":"))


def edit_scp(world: World, name: str, change: Callable[[Statements], Statements]) -> None:
    """Change the statements of a service control policy, as an administrator of the organization could."""
    statements = change(wanted(world, f"scp/{name}")["Content"]["Statement"])
    policy = world.attributes[f"scp/{name}"]["Id"]
    world.management.call("organizations", "UpdatePolicy", PolicyId=policy, Content=document(*statements))


def named(statements: Statements, sid: str) -> dict[str, Any]:
    return next(item for item in statements if item["Sid"] == sid)


# -- one mutation for each control -------------------------------------------------------------------------------------


def application_may_do_all_of_bedrock(world: World) -> None:
    everything = {"Effect": "Allow", "Action": "bedrock:*", "Resource": "*"}
    world.administrator("iam").put_role_policy(
        RoleName="quickstart-app", PolicyName="debug", PolicyDocument=document(everything)
    )


def any_guardrail_will_do(world: World) -> None:
    def change(statements: Statements) -> Statements:
        pinning = named(statements, "RequirePinnedGuardrail")
        pinning["Condition"] = {"Null": {"bedrock:GuardrailIdentifier": "true"}}
        return statements

    edit_scp(world, "guardrail", change)


def every_foundation_model_is_listed(world: World) -> None:
    def change(statements: Statements) -> Statements:
        named(statements, "OnlyDeclaredModels")["NotResource"].append(MODEL_ANYWHERE)
        return statements

    edit_scp(world, "models", change)


def another_region_is_listed(world: World) -> None:
    def change(statements: Statements) -> Statements:
        for statement in statements:
            statement["Condition"]["StringNotEquals"]["aws:RequestedRegion"].append("eu-west-1")
        return statements

    edit_scp(world, "regions", change)


def endpoints_admit_the_world(world: World) -> None:
    world.administrator("ec2").authorize_security_group_ingress(
        GroupId=world.attributes["security-group/endpoints"]["Id"],
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        ],
    )


def endpoint_is_compared_if_there_is_one(world: World) -> None:
    """Over the public network ``aws:SourceVpce`` is absent. (``...IfExists`` would still deny: absent counts as true.)"""

    def change(statements: Statements) -> Statements:
        for statement in statements:
            statement["Condition"]["Null"] = {"aws:SourceVpce": "false"}
        return statements

    edit_scp(world, "network", change)


def strangers_may_decrypt(world: World) -> None:
    policy = wanted(world, "key/invocation-log-bucket")["KeyPolicy"]
    opened = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:Decrypt", "Resource": "*"}
    world.administrator("kms").put_key_policy(
        KeyId=world.attributes["key/invocation-log-bucket"]["Arn"],
        Policy=document(*policy["Statement"], opened),
    )


def trail_drops_reads(world: World) -> None:
    selectors = wanted(world, "trail/main")["AdvancedEventSelectors"]
    selectors[0]["FieldSelectors"].append({"Field": "readOnly", "Equals": ["false"]})
    world.administrator("cloudtrail").put_event_selectors(
        TrailName="quickstart-bedrock", AdvancedEventSelectors=selectors
    )


def logging_role_writes_elsewhere(world: World) -> None:
    policy = wanted(world, "role/invocation-logging")["Policies"][0]
    statement = policy["PolicyDocument"]["Statement"][0]
    statement["Resource"] = [arn.replace("modelinvocations", "other") for arn in statement["Resource"]]
    world.administrator("iam").put_role_policy(
        RoleName="quickstart-invocation-logging",
        PolicyName=policy["PolicyName"],
        PolicyDocument=document(statement),
    )


def guardrail_only_blocks_a_word(world: World) -> None:
    declared = world.perimeter.guardrail
    world.administrator("bedrock").update_guardrail(
        guardrailIdentifier=world.attributes["guardrail/baseline"]["Id"],
        name=declared.name,
        blockedInputMessaging=declared.blocked_input,
        blockedOutputsMessaging=declared.blocked_output,
        wordPolicyConfig={"wordsConfig": [{"text": "xyzzy"}]},
        kmsKeyId=world.attributes["key/guardrail"]["Arn"],
    )


def a_weaker_version_is_published(world: World) -> None:
    """The weak draft is published, and the draft put right: nobody who looks at the guardrail sees it."""
    guardrail_only_blocks_a_word(world)
    world.administrator("bedrock").create_guardrail_version(
        guardrailIdentifier=world.attributes["guardrail/baseline"]["Id"]
    )
    put_right(world, run_audit(world.aws, world.management, world.perimeter, world.catalog))


def alarms_are_muted(world: World) -> None:
    world.administrator("cloudwatch").disable_alarm_actions(AlarmNames=["quickstart-log-delivery-s3"])


def trail_is_left_out(world: World) -> None:
    edit_scp(world, "protect", lambda found: [item for item in found if item["Sid"] != "ProtectTrail"])


def mantle_is_forgotten(world: World) -> None:
    def change(statements: Statements) -> Statements:
        named(statements, "NoUseOfKeys")["Action"].remove("bedrock-mantle:CallWithBearerToken")
        return statements

    edit_scp(world, "api-keys", change)


def retention_is_turned_on(world: World) -> None:
    def change(statements: Statements) -> Statements:
        named(statements, "RetentionNone")["Condition"]["StringNotEquals"][
            "bedrock:DataRetentionMode"
        ].append("default")
        return statements

    edit_scp(world, "retention", change)
    world.administrator("bedrock").put_account_data_retention(mode="default")


def public_policies_are_allowed(world: World) -> None:
    blocks = {**wanted(world, "bucket/trail")["PublicAccessBlockConfiguration"], "BlockPublicPolicy": False}
    world.administrator("s3").put_public_access_block(
        Bucket=world.perimeter.bucket("trail"), PublicAccessBlockConfiguration=blocks
    )


def agents_role_is_anybodys_deputy(world: World) -> None:
    """The role of the agent that is there, which was gone, is made again: Bedrock assumes it on behalf of any account."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "bedrock.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    world.administrator("iam").create_role(
        RoleName=AGENT_ROLE, Path="/service-role/", AssumeRolePolicyDocument=document(trust)
    )


MUTATIONS: dict[str, Callable[[World], None]] = {
    "least-privilege-invoke": application_may_do_all_of_bedrock,
    "guardrail-cannot-be-bypassed": any_guardrail_will_do,
    "models-restricted": every_foundation_model_is_listed,
    "regions-restricted": another_region_is_listed,
    "vpc-endpoint-effective": endpoints_admit_the_world,
    "vpc-endpoint-cannot-be-skipped": endpoint_is_compared_if_there_is_one,
    "keys-effective": strangers_may_decrypt,
    "trail-records-inference": trail_drops_reads,
    "invocation-logging-delivers": logging_role_writes_elsewhere,
    "guardrail-filters-content": guardrail_only_blocks_a_word,
    "guardrail-pinned": a_weaker_version_is_published,
    "alarms-reach-someone": alarms_are_muted,
    "controls-protected": trail_is_left_out,
    "api-keys-prevented": mantle_is_forgotten,
    "data-retention-none": retention_is_turned_on,
    "buckets-private": public_policies_are_allowed,
    "agents-bounded": agents_role_is_anybodys_deputy,
}
NOT_DECLARED = {
    "knowledge-base-sources", "guardrail-enforced", "resources-stay-in-organization", "nothing-shared-outside",
    "agentcore-enclosed", "calls-stayed-inside", "vector-store-closed",
}  # fmt: skip
"""Controls of what the quickstart does not have; their own tests break them."""


def any_model_by_anybody(world: World) -> None:
    """The list of models is open, a role may use all of Bedrock, and the endpoint carries everything."""
    every_foundation_model_is_listed(world)
    application_may_do_all_of_bedrock(world)
    opened = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    world.administrator("ec2").modify_vpc_endpoint(
        VpcEndpointId=world.attributes["endpoint/bedrock-runtime"]["Id"], PolicyDocument=document(opened)
    )


def global_routing_is_listed(world: World) -> None:
    """What is routed globally is authorized with the Region ``unspecified``."""

    def change(statements: Statements) -> Statements:
        for statement in statements:
            statement["Condition"]["StringNotEquals"]["aws:RequestedRegion"].append("unspecified")
        return statements

    edit_scp(world, "regions", change)
    any_model_by_anybody(world)


FAILING = ("least-privilege-invoke", "controls-protected")
"""Without a declaration nobody is known to be an administrator: whoever may invoke anything, or switch off, is named."""
ALONG = {
    "keys-effective": ("least-privilege-invoke", "controls-protected"),
    "agents-bounded": ("knowledge-base-sources",),
}
"""Controls that the same mutation breaks: a key that strangers may use lets in who is no user of it; the agent's role is
the knowledge base's as well."""
UNDECLARED: dict[str, Callable[[World], None]] = {
    **{slug: change for slug, change in MUTATIONS.items() if slug not in FAILING},
    "models-restricted": any_model_by_anybody,
    "regions-restricted": global_routing_is_listed,
}
"""Mutations that a judge without a declaration has to see; the same where it can be."""


def put_right(world: World, found: Audit) -> None:
    """Apply the declaration to what the audit saw; nothing may be missing, so nothing is created."""
    plan = make_plan(world.desired, found.observed, registry(), perimeter=world.perimeter.name)
    assert [change.id for change in plan.todo if change.action == "create"] == []
    applied = apply(plan, world.aws, registry(), management=world.management)
    assert applied.complete, [(item.change.id, item.error) for item in applied.failed]


def withdraw_agents_role(world: World) -> None:
    """Delete the role that nobody declared."""
    iam = world.administrator("iam")
    if any(item["RoleName"] == AGENT_ROLE for item in iam.list_roles()["Roles"]):
        iam.delete_role(RoleName=AGENT_ROLE)


def withdraw_versions(world: World) -> None:
    """Delete versions of the pinned guardrail beside the declared one: apply keeps what it did not publish."""
    bedrock = world.administrator("bedrock")
    guardrail = world.attributes["guardrail/baseline"]["Id"]
    keep = {"DRAFT", world.attributes["guardrail-version/baseline"]["Version"]}
    for item in bedrock.list_guardrails(guardrailIdentifier=guardrail)["guardrails"]:
        if item["version"] not in keep:
            bedrock.delete_guardrail(guardrailIdentifier=guardrail, guardrailVersion=item["version"])


def red(found: Audit) -> dict[str, tuple[str, ...]]:
    """Lines that are not green, with what they say."""
    return {line.slug: line.details for line in verdicts(found) if not line.ok}


def test_every_control_has_a_mutation() -> None:
    assert set(MUTATIONS) == {control.slug for control in controls()} - NOT_DECLARED


def undeclared(world: World, found: Audit) -> Audit:
    """The same account, judged by the baseline: without what was read elsewhere because it is declared there."""
    here = (world.perimeter.regions.source, "global")
    observed = found.observed.with_resources(item for item in found.observed if item.region in here)
    return judge(None, observed, world.catalog, reading=found.reading)


def test_without_a_declaration_all_but_two_controls_pass(world: World) -> None:
    found = undeclared(world, run_audit(world.aws, world.management, world.perimeter, world.catalog))
    passed = {slug for slug, status in found.verdicts.items() if status is Status.PASS}
    assert passed == set(UNDECLARED)
    assert {slug for slug, status in found.verdicts.items() if status is Status.FAIL} == set(FAILING)


@pytest.mark.parametrize("slug", MUTATIONS)
def test_breaking_one_control_turns_exactly_its_line_red(world: World, slug: str) -> None:
    MUTATIONS[slug](world)
    found = run_audit(world.aws, world.management, world.perimeter, world.catalog)
    put_right(world, found)
    withdraw_versions(world)
    withdraw_agents_role(world)
    if UNDECLARED.get(slug) is MUTATIONS[slug]:
        assert undeclared(world, found).verdicts[slug] is Status.FAIL
    lines = red(found)
    assert set(lines) == {f"control:{name}" for name in (slug, *ALONG.get(slug, ()))}, lines
    assert all(text.startswith("FAIL ") for text in lines[f"control:{slug}"])


@pytest.mark.parametrize("slug", [slug for slug in UNDECLARED if UNDECLARED[slug] is not MUTATIONS[slug]])
def test_what_only_the_baseline_asks_can_be_broken_too(world: World, slug: str) -> None:
    UNDECLARED[slug](world)
    found = run_audit(world.aws, world.management, world.perimeter, world.catalog)
    put_right(world, found)
    assert undeclared(world, found).verdicts[slug] is Status.FAIL


def test_afterwards_everything_passes_again(world: World) -> None:
    found = run_audit(world.aws, world.management, world.perimeter, world.catalog)
    assert red(found) == {}
    assert found.clean
    assert make_plan(world.desired, found.observed, registry(), perimeter=world.perimeter.name).empty
