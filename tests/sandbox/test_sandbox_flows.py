"""Flows, live: who may make, read and run them, with whose rights, behind whose guardrail, under whose key."""

import json

import pytest
from botocore.exceptions import ClientError, EventStreamError

from sandbox.flow_scenes import FLOWS, MODEL, NOVA, REGION, allow, definition, grant, publish, role, run


@pytest.fixture(scope="module")
def flow_role(world, helpers):
    return role(world, "FlowRunner", "flow/*", allow("bedrock:InvokeModel", resource=MODEL))


@pytest.fixture(scope="module")
def flow(world, flow_role):
    return publish(world.client("bedrock-agent"), "live", flow_role)


def test_a_flow_runs_with_its_roles_rights_and_not_with_its_callers(world, helpers, flow, flow_role):
    arn = f"{FLOWS}{flow['flowIdentifier']}/alias/{flow['flowAliasIdentifier']}"
    caller = world.user("flow-caller", allow("bedrock:InvokeFlow", resource=arn))
    assert run(world, flow, **caller) == [f"[ringwall stand-in for {NOVA}] About pumps."]
    grant(world, "FlowRunner", allow("bedrock:InvokeModel", resource=f"{MODEL}x"))
    with pytest.raises(EventStreamError, match="accessDenied.*FlowRunner.*bedrock:InvokeModel"):
        run(world, flow)
    grant(world, "FlowRunner", allow("bedrock:InvokeModel", resource=MODEL))
    assert run(world, flow, **caller)


@pytest.mark.parametrize(
    ("name", "statements"),
    {
        "models alone": [allow("bedrock:InvokeModel")],
        "another alias": [allow("bedrock:InvokeFlow", resource=f"{FLOWS}*/alias/TSTALIASID")],
        "the flow": [allow("bedrock:InvokeFlow", resource=f"{FLOWS}??????????")],
    }.items(),
)
def test_who_may_not_use_the_alias_does_not_run_the_flow(world, helpers, flow, name, statements):
    caller = world.user(f"not-{name.replace(' ', '-')}", *statements)
    with pytest.raises(ClientError, match="AccessDeniedException.*bedrock:InvokeFlow"):
        run(world, flow, **caller)


@pytest.mark.parametrize("source", ["agent/*", "flow/ABCDEFGHIJ"])
def test_a_role_that_trusts_bedrock_for_something_else_runs_no_flow(world, helpers, source):
    name = f"Other{source[:4]}"
    elsewhere = role(world, name, source, allow("bedrock:InvokeModel"))
    lost = publish(world.client("bedrock-agent"), f"with-{name}", elsewhere)
    with pytest.raises(EventStreamError, match="accessDenied"):
        run(world, lost)


def test_a_prompt_nodes_guardrail_binds_the_role(world, flow_role):
    bedrock, agents = world.client("bedrock"), world.client("bedrock-agent")
    key = world.client("kms").create_key()["KeyMetadata"]["Arn"]
    words = {"wordsConfig": [{"text": "nightjar"}]}
    made = bedrock.create_guardrail(
        name="flows",
        blockedInputMessaging="IN",
        blockedOutputsMessaging="OUT",
        wordPolicyConfig=words,
        kmsKeyId=key,
    )
    bedrock.create_guardrail_version(guardrailIdentifier=made["guardrailId"])
    guarded = publish(agents, "guarded", flow_role, definition=definition(made["guardrailId"]))
    with pytest.raises(EventStreamError, match="bedrock:ApplyGuardrail"):
        run(world, guarded)
    models = allow("bedrock:InvokeModel", "bedrock:ApplyGuardrail")
    grant(world, "FlowRunner", models)
    with pytest.raises(EventStreamError, match="kms:Decrypt"):
        run(world, guarded)
    only = {"Condition": {"StringLike": {"bedrock:GuardrailIdentifier": f"{made['guardrailArn']}:*"}}}
    behind = [
        allow("bedrock:InvokeModel", **only),
        allow("bedrock:ApplyGuardrail"),
        allow("kms:Decrypt", resource=key),
    ]
    grant(world, "FlowRunner", *behind)
    assert run(world, guarded, "a nightjar") == ["IN"]
    assert run(world, guarded, "a heron") == [f"[ringwall stand-in for {NOVA}] About a heron."]
    unguarded = publish(agents, "unguarded", flow_role)
    with pytest.raises(EventStreamError, match="bedrock:InvokeModel"):
        run(world, unguarded)
    grant(world, "FlowRunner", allow("bedrock:InvokeModel", resource=MODEL))


def test_a_flows_key_decides_who_makes_reads_and_runs_it(world, helpers, flow_role):
    key = world.client("kms").create_key()["KeyMetadata"]["Arn"]
    wanted = {
        "StringEquals": {"kms:ViaService": f"bedrock.{REGION}.amazonaws.com"},
        "StringLike": {"kms:EncryptionContext:aws:bedrock-flows:arn": f"{FLOWS}*"},
    }
    uses = allow("kms:GenerateDataKey", "kms:Decrypt", resource=key, Condition=wanted)
    making = allow("bedrock:*Flow*", "iam:PassRole")
    keyless, holder = world.user("keyless", making), world.user("holder", making, uses)
    given = {"executionRoleArn": flow_role, "definition": definition(), "customerEncryptionKeyArn": key}
    agents = world.client("bedrock-agent", **keyless)
    assert helpers.code_of(agents.create_flow, name="refused", **given) == "AccessDeniedException"
    kept = publish(
        world.client("bedrock-agent", **holder), "encrypted", flow_role, customerEncryptionKeyArn=key
    )
    assert run(world, kept, **holder)
    with pytest.raises(ClientError, match="kms:Decrypt"):
        run(world, kept, **keyless)
    named = {"flowIdentifier": kept["flowIdentifier"]}
    assert helpers.code_of(agents.get_flow, **named) == "AccessDeniedException"
    assert agents.get_flow(**named, includedData="METADATA_ONLY")["name"] == "encrypted"
    other = {"StringLike": {"kms:EncryptionContext:aws:bedrock-flows:arn": f"{FLOWS}ABCDEFGHIJ"}}
    elsewhere = world.user(
        "elsewhere", making, allow("kms:GenerateDataKey", "kms:Decrypt", resource=key, Condition=other)
    )
    with pytest.raises(ClientError, match="kms:Decrypt"):
        run(world, kept, **elsewhere)


def test_tags_of_flows_and_aliases_decide(world, helpers, flow_role):
    agents = world.client("bedrock-agent")
    theirs = publish(agents, "tagged", flow_role, tags={"team": "plant"})
    arn = agents.get_flow(flowIdentifier=theirs["flowIdentifier"])["arn"]
    tagged = {"Condition": {"StringEquals": {"aws:ResourceTag/team": "plant"}}}
    reader = world.client("bedrock-agent", **world.user("plant", allow("bedrock:GetFlow", **tagged)))
    assert reader.get_flow(flowIdentifier=theirs["flowIdentifier"])["arn"] == arn
    agents.untag_resource(resourceArn=arn, tagKeys=["team"])
    code = helpers.code_of(reader.get_flow, flowIdentifier=theirs["flowIdentifier"])
    assert code == "AccessDeniedException"


def test_the_trail_does_not_show_what_a_flows_nodes_say(world, flow):
    named = [{"AttributeKey": "EventName", "AttributeValue": "CreateFlow"}]
    (event, *_) = world.client("cloudtrail").lookup_events(LookupAttributes=named)["Events"]
    record = json.loads(event["CloudTrailEvent"])
    assert record["requestParameters"]["definition"] == "HIDDEN_DUE_TO_SECURITY_REASONS"
    assert "About {{topic}}" not in event["CloudTrailEvent"]
