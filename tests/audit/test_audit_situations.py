"""Situations in which a check for presence is wrong, made by real calls in a sandbox and judged without a declaration.

Each row leaves something behind that looks like a control and is none, or looks like none and is one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from controls.test_controls_vector_stores import access, collection, granting
from estate.estate_stubs import answering
from ringwall.audit.bundle import write_bundle
from ringwall.audit.run import Audit, run_audit
from ringwall.audit.shards import Plan, merge, run_shard
from ringwall.audit.verify import verify
from ringwall.catalog import load
from ringwall.controls.findings import Finding, Status, Waiver
from ringwall.demo.world import environment
from ringwall.estate.connection import connect
from ringwall.estate.sessions import new_session
from ringwall.sandbox import Sandbox

ACCOUNT, REGION = "111122223333", "us-east-1"
MANAGEMENT_ROLE = "arn:aws:iam::999988887777:role/RingwallManagement"
TRAIL = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/main"
Client = Callable[[str], Any]


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str | list[str], resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


@pytest.fixture
def client() -> Iterator[Client]:
    """Clients of the administrator of a fresh account."""
    with Sandbox() as sandbox, environment(sandbox.environment()):
        session = new_session()
        yield lambda service: session.client(service, region_name=REGION)


def audited(refused: tuple[str, ...] = ()) -> Audit:
    """The baseline's verdicts; operations that are named answer with an error."""
    aws = connect("", region=REGION)
    aws._session.register("before-send", refuse_by_name(refused))
    return run_audit(aws, aws.elsewhere(role=MANAGEMENT_ROLE), None, load())


def refuse_by_name(operations: tuple[str, ...]) -> Callable[..., Any]:
    """A handler for ``before-send``."""

    def handler(request: Any, event_name: str = "", **_: Any) -> Any:
        if event_name.rsplit(".", 1)[-1] not in operations:
            return None
        body = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>not today</Message></Error></ErrorResponse>"
        raw = BytesIO(body)
        raw.stream = lambda **__: iter((body,))  # type: ignore[attr-defined]
        return AWSResponse(request.url, 403, {}, raw)

    return handler


def of(found: Audit, slug: str) -> list[Finding]:
    return [item for item in found.findings if item.control == slug]


def trail(client: Client) -> None:
    """A trail with a bucket that it may write, logging."""
    client("s3").create_bucket(Bucket="trail-logs")
    service = {"Principal": {"Service": "cloudtrail.amazonaws.com"}}
    client("s3").put_bucket_policy(
        Bucket="trail-logs",
        Policy=document(
            allow("s3:GetBucketAcl", "arn:aws:s3:::trail-logs", **service),
            allow("s3:PutObject", "arn:aws:s3:::trail-logs/AWSLogs/*", **service),
        ),
    )
    client("cloudtrail").create_trail(Name="main", S3BucketName="trail-logs", IsMultiRegionTrail=True)
    client("cloudtrail").start_logging(Name="main")


def test_a_trail_that_drops_reads_records_no_inference(client: Client) -> None:
    trail(client)
    client("cloudtrail").put_event_selectors(
        TrailName="main", EventSelectors=[{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}]
    )
    (found,) = of(audited(), "trail-records-inference")
    assert found.status is Status.FAIL
    assert "read-only management events" in found.details["not recorded"]


def test_advanced_selectors_need_no_event_source(client: Client) -> None:
    """Management events and the data events of the agent that is there; the knowledge base is gone."""
    trail(client)
    client("bedrock-agent").delete_knowledge_base(knowledgeBaseId="KBQUICKST1")
    client("cloudtrail").put_event_selectors(
        TrailName="main",
        AdvancedEventSelectors=[
            {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]},
            {
                "FieldSelectors": [
                    {"Field": "eventCategory", "Equals": ["Data"]},
                    {"Field": "resources.type", "Equals": ["AWS::Bedrock::AgentAlias"]},
                ]
            },
        ],
    )
    (found,) = of(audited(), "trail-records-inference")
    assert found.status is Status.PASS, found.summary


def test_a_region_policy_that_is_attached_to_nothing_restricts_nothing(client: Client) -> None:
    organizations = audited_management("organizations")
    organizations.create_policy(
        Name="regions",
        Description="",
        Type="SERVICE_CONTROL_POLICY",
        Content=document(
            {
                "Effect": "Deny",
                "NotAction": "bedrock:*",
                "Resource": "*",
                "Condition": {"StringNotEquals": {"aws:RequestedRegion": [REGION]}},
            }
        ),
    )
    found = audited()
    assert found.verdicts["regions-restricted"] is Status.FAIL
    assert {item.confidence for item in of(found, "regions-restricted")} == {"proved"}


def test_the_same_region_policy_attached_still_exempts_bedrock(client: Client) -> None:
    test_a_region_policy_that_is_attached_to_nothing_restricts_nothing(client)
    organizations = audited_management("organizations")
    made = organizations.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]
    policy = next(item["Id"] for item in made if item["Name"] == "regions")
    organizations.attach_policy(PolicyId=policy, TargetId=ACCOUNT)
    assert audited().verdicts["regions-restricted"] is Status.FAIL


def audited_management(service: str) -> Any:
    sts = new_session().client("sts", region_name=REGION)
    made = sts.assume_role(RoleArn=MANAGEMENT_ROLE, RoleSessionName="situations")
    return new_session(region=REGION, keys=made["Credentials"]).client(service)


def logging(client: Client) -> None:
    """Invocation logging to places that existed when it was set."""
    client("s3").create_bucket(Bucket="invocations")
    client("s3").put_bucket_policy(
        Bucket="invocations",
        Policy=document(
            allow(
                "s3:PutObject", "arn:aws:s3:::invocations/*", Principal={"Service": "bedrock.amazonaws.com"}
            )
        ),
    )
    client("logs").create_log_group(logGroupName="/bedrock")
    client("iam").create_role(
        RoleName="logging",
        AssumeRolePolicyDocument=document(
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "bedrock.amazonaws.com"}}
        ),
    )
    client("iam").put_role_policy(
        RoleName="logging",
        PolicyName="write",
        PolicyDocument=document(allow(["logs:CreateLogStream", "logs:PutLogEvents"])),
    )
    client("bedrock").put_model_invocation_logging_configuration(
        loggingConfig={
            "cloudWatchConfig": {
                "logGroupName": "/bedrock",
                "roleArn": f"arn:aws:iam::{ACCOUNT}:role/logging",
            },
            "s3Config": {"bucketName": "invocations", "keyPrefix": ""},
            "textDataDeliveryEnabled": True,
            "imageDataDeliveryEnabled": True,
            "embeddingDataDeliveryEnabled": True,
            "videoDataDeliveryEnabled": True,
            "audioDataDeliveryEnabled": True,
        }
    )


def test_logging_to_places_that_are_gone_delivers_nothing(client: Client) -> None:
    logging(client)
    client("logs").delete_log_group(logGroupName="/bedrock")
    client("s3").delete_bucket_policy(Bucket="invocations")
    for item in client("s3").list_objects_v2(Bucket="invocations").get("Contents", ()):
        client("s3").delete_object(Bucket="invocations", Key=item["Key"])
    client("s3").delete_bucket(Bucket="invocations")
    client("iam").delete_role_policy(RoleName="logging", PolicyName="write")
    client("iam").delete_role(RoleName="logging")
    (found,) = of(audited(), "invocation-logging-delivers")
    assert found.status is Status.FAIL
    for gone in ("/bedrock", "bucket invocations", "role logging"):
        assert any(gone in item and "exist" in item for item in found.details["problems"]), gone


FULL_ACCESS = "arn:aws:iam::aws:policy/AmazonBedrockFullAccess"


def role(client: Client, name: str) -> str:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ACCOUNT}}
    made = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
    return str(made["Role"]["Arn"])


@pytest.mark.parametrize(
    ("refused", "status", "words"),
    [
        ((), Status.FAIL, "role/invoker"),
        (("GetAccountAuthorizationDetails",), Status.UNKNOWN, "needs iam:GetAccountAuthorizationDetails"),
    ],
)
def test_policies_that_cannot_be_read_are_unknown(
    client: Client, refused: tuple[str, ...], status: Status, words: str
) -> None:
    role(client, "invoker")
    client("iam").attach_role_policy(RoleName="invoker", PolicyArn=FULL_ACCESS)
    found = audited(refused)
    assert found.verdicts["least-privilege-invoke"] is status
    assert any(words in item.summary for item in of(found, "least-privilege-invoke"))
    assert found.verdicts["guardrail-cannot-be-bypassed"] is status


def test_action_star_is_seen_as_what_it_allows(client: Client) -> None:
    arn = role(client, "everything")
    client("iam").put_role_policy(
        RoleName="everything", PolicyName="all", PolicyDocument=document(allow("*"))
    )
    found = audited()
    (least,) = [item for item in of(found, "least-privilege-invoke") if item.resource == arn]
    assert least.status is Status.FAIL
    bypass = {item.resource: item for item in of(found, "guardrail-cannot-be-bypassed")}
    assert arn in bypass["some-guardrail-always"].details["principals"]


def test_an_alarm_without_an_action_reaches_nobody(client: Client) -> None:
    client("cloudwatch").put_metric_alarm(
        AlarmName="throttles",
        Namespace="AWS/Bedrock",
        MetricName="InvocationThrottles",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    (found,) = of(audited(), "alarms-reach-someone")
    assert found.status is Status.FAIL
    assert "notifies nobody" in found.summary


def test_an_endpoint_that_anybody_may_use_and_nobody_does(client: Client) -> None:
    subnet = client("ec2").describe_subnets()["Subnets"][0]
    group = client("ec2").create_security_group(GroupName="open", Description="open", VpcId=subnet["VpcId"])[
        "GroupId"
    ]
    world = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    client("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=world)
    client("ec2").create_vpc_endpoint(
        VpcId=subnet["VpcId"],
        ServiceName=f"com.amazonaws.{REGION}.bedrock-runtime",
        VpcEndpointType="Interface",
        SubnetIds=[subnet["SubnetId"]],
        SecurityGroupIds=[group],
        PrivateDnsEnabled=False,
        PolicyDocument=document(allow("*", Principal="*")),
    )
    endpoint, security_group = of(audited(), "vpc-endpoint-effective")
    assert (endpoint.status, security_group.status) == (Status.FAIL, Status.FAIL)
    for words in ("private DNS is off", "credentials of any account"):
        assert words in endpoint.summary
    assert "admits everybody" in security_group.summary
    assert security_group.resource.endswith(group)
    assert security_group.remediation is not None
    (command,) = security_group.remediation.commands
    assert "revoke-security-group-ingress" in command


def test_unused_regions_are_said_once_not_to_apply(client: Client, tmp_path: Path) -> None:
    """And the bundle gives the same verdicts again, waivers included, from what was recorded alone."""
    logging(client)
    waivers = (Waiver("api-keys-prevented", "*", "owner@example.com", "known", date(2099, 1, 1)),)
    aws = connect("", region=REGION)
    places = ("ap-south-1", "eu-west-1", REGION, "us-west-2")
    found = run_audit(
        aws, aws.elsewhere(role=MANAGEMENT_ROLE), None, load(), candidates=places, waivers=waivers
    )
    unused = [
        item
        for item in found.findings
        if item.status is Status.NOT_APPLICABLE and "ap-south-1" in item.summary
    ]
    (once,) = unused
    assert {item.waiver for item in of(found, "api-keys-prevented")} == set(waivers)
    assert verify(write_bundle(found, tmp_path / "bundle"), load()).problems == ()
    assert "ap-south-1, eu-west-1, us-west-2" in once.summary
    assert once.evidence
    regions = {item.region for item in found.findings if item.status in (Status.FAIL, Status.UNKNOWN)}
    assert regions <= {REGION, "global"}


def test_shards_reach_accounts_through_a_role(client: Client, tmp_path: Path) -> None:
    role(client, "Audit")
    client("iam").put_role_policy(RoleName="Audit", PolicyName="read", PolicyDocument=document(allow("*")))
    plan = Plan((ACCOUNT, "999988887777"), "Audit", MANAGEMENT_ROLE, regions=(REGION,))
    for index in range(2):
        run_shard(plan, index, 2, tmp_path)
    counts = merge(plan, tmp_path, tmp_path / "merged.ndjson")
    lines = [json.loads(line) for line in (tmp_path / "merged.ndjson").read_text("utf-8").splitlines()]
    by_account = {
        number: {item["status"] for item in lines if item["account"] == number} for number in plan.accounts
    }
    assert by_account["999988887777"] == {"UNKNOWN"}
    assert "FAIL" in by_account[ACCOUNT]
    assert "UNKNOWN" not in by_account[ACCOUNT]
    assert sum(counts.values()) == len(lines)


def test_an_agent_that_uses_the_draft_is_told(client: Client) -> None:
    made = client("bedrock").create_guardrail(
        name="g", blockedInputMessaging="no", blockedOutputsMessaging="no",
        wordPolicyConfig={"wordsConfig": [{"text": "xyzzy"}]},
    )  # fmt: skip
    client("bedrock").create_guardrail_version(guardrailIdentifier=made["guardrailId"])
    agents = client("bedrock-agent")
    agent = agents.get_agent(agentId="AGENTQUIC1")["agent"]
    kept = {name: agent[name] for name in ("agentId", "agentName", "agentResourceRoleArn", "foundationModel")}
    pinned = {"guardrailIdentifier": made["guardrailId"], "guardrailVersion": "1"}
    agents.update_agent(**kept, guardrailConfiguration=pinned)
    assert audited().verdicts["guardrail-pinned"] is Status.PASS
    agents.update_agent(**kept, guardrailConfiguration={**pinned, "guardrailVersion": "DRAFT"})
    (found,) = of(audited(), "guardrail-pinned")
    assert found.status is Status.FAIL
    assert "agent quickstart uses the DRAFT" in found.summary


def test_a_guardrail_that_is_shared_by_its_own_policy_is_told(client: Client) -> None:
    """The policy stands there before and after; what changes is whom its condition admits."""
    made = client("bedrock").create_guardrail(
        name="g", blockedInputMessaging="no", blockedOutputsMessaging="no",
        wordPolicyConfig={"wordsConfig": [{"text": "xyzzy"}]},
    )  # fmt: skip
    arn = made["guardrailArn"]

    def share(**condition: Any) -> None:
        statement = allow("bedrock:ApplyGuardrail", arn, Principal="*", **condition)
        client("bedrock").put_resource_policy(resourceArn=arn, resourcePolicy=document(statement))

    share(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-ringwallsb"}})
    (found,) = of(audited(), "nothing-shared-outside")
    assert found.status is Status.PASS, found.summary
    assert found.evidence
    share(Condition={"StringEquals": {"aws:PrincipalOrgID": ["o-ringwallsb", "o-partner0000"]}})
    (found,) = of(audited(), "nothing-shared-outside")
    assert found.status is Status.FAIL
    assert "organization o-partner0000 can bedrock:ApplyGuardrail" in found.summary
    (found,) = of(audited(("GetResourcePolicy",)), "nothing-shared-outside")
    assert found.status is Status.UNKNOWN
    assert "GetResourcePolicy" in found.summary


def prompting(guardrail: dict[str, str] | None) -> dict[str, Any]:
    """A flow of one prompt, behind a guardrail."""
    inline = {
        "modelId": "amazon.nova-lite-v1:0",
        "templateType": "TEXT",
        "templateConfiguration": {"text": {"text": "Answer {{mail}}."}},
    }
    prompt: dict[str, Any] = {"sourceConfiguration": {"inline": inline}}
    if guardrail:
        prompt["guardrailConfiguration"] = guardrail
    node = {
        "name": "Answer",
        "type": "Prompt",
        "configuration": {"prompt": prompt},
        "inputs": [{"name": "mail", "type": "String", "expression": "$.data"}],
        "outputs": [{"name": "modelCompletion", "type": "String"}],
    }
    entry = {
        "name": "Start",
        "type": "Input",
        "configuration": {"input": {}},
        "outputs": [{"name": "document", "type": "String"}],
    }
    result = {
        "name": "End",
        "type": "Output",
        "configuration": {"output": {}},
        "inputs": [{"name": "document", "type": "String", "expression": "$.data"}],
    }
    return {
        "nodes": [entry, node, result],
        "connections": [
            joined("Start", "document", "Answer", "mail"),
            joined("Answer", "modelCompletion", "End", "document"),
        ],
    }


def joined(source: str, output: str, target: str, input_: str) -> dict[str, Any]:
    """A connection that carries data from node to node."""
    data = {"sourceOutput": output, "targetInput": input_}
    named = {"name": f"{source}To{target}", "source": source, "target": target}
    return {"type": "Data", **named, "configuration": {"data": data}}


def test_a_flow_that_uses_the_draft_is_told(client: Client) -> None:
    bedrock, agents = client("bedrock"), client("bedrock-agent")
    service = {
        "Effect": "Allow",
        "Principal": {"Service": "bedrock.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    own = {"Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}}
    client("iam").create_role(RoleName="flow", AssumeRolePolicyDocument=document({**service, **own}))
    made = bedrock.create_guardrail(
        name="words",
        blockedInputMessaging="no",
        blockedOutputsMessaging="no",
        wordPolicyConfig={"wordsConfig": [{"text": "nightjar"}]},
    )
    version = bedrock.create_guardrail_version(guardrailIdentifier=made["guardrailId"])["version"]
    pinned = {"guardrailIdentifier": made["guardrailId"], "guardrailVersion": version}
    kept = {"name": "mail", "executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/flow"}
    draft = {**pinned, "guardrailVersion": "DRAFT"}
    flow = agents.create_flow(**kept, definition=prompting(draft))["id"]
    assert agents.prepare_flow(flowIdentifier=flow)["status"] == "Prepared"
    number = agents.create_flow_version(flowIdentifier=flow)["version"]
    agents.update_flow(flowIdentifier=flow, **kept, definition=prompting(pinned))
    assert audited().verdicts["guardrail-pinned"] is Status.PASS  # nobody can call that version
    route = [{"flowVersion": number}]
    agents.create_flow_alias(flowIdentifier=flow, name="live", routingConfiguration=route)
    (found,) = of(audited(), "guardrail-pinned")
    assert found.status is Status.FAIL
    assert "node Answer of version 1 of flow mail uses the DRAFT" in found.summary


def test_an_agent_is_as_bounded_as_its_role(client: Client) -> None:
    agents = client("bedrock-agent")
    agent = agents.get_agent(agentId="AGENTQUIC1")["agent"]
    trusted = {"Service": "bedrock.amazonaws.com"}
    own = {"StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnLike": {"aws:SourceArn": agent["agentArn"]}}

    def acting(condition: dict[str, Any] | None, *statements: dict[str, Any]) -> None:
        trust = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
        text = document({**trust, "Condition": condition} if condition else trust)
        client("iam").update_assume_role_policy(RoleName="agent", PolicyDocument=text)
        client("iam").put_role_policy(
            RoleName="agent", PolicyName="own", PolicyDocument=document(*statements)
        )

    first = document({"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"})
    client("iam").create_role(RoleName="agent", AssumeRolePolicyDocument=first)
    kept = {name: agent[name] for name in ("agentId", "agentName", "foundationModel")}
    agents.update_agent(**kept, agentResourceRoleArn=f"arn:aws:iam::{ACCOUNT}:role/agent")
    model = allow("bedrock:InvokeModel", f"arn:aws:bedrock:{REGION}::foundation-model/amazon.nova-pro-v1:0")
    for condition, statements, status, words in (
        (own, (model,), Status.PASS, "it has no tools"),
        (None, (model,), Status.FAIL, "on behalf of any account"),
        (own, (model, allow("s3:GetObject")), Status.FAIL, "read any bucket"),
        (own, (allow("bedrock:Invoke*"),), Status.FAIL, "invoke any model"),
    ):
        acting(condition, *statements)
        (found,) = of(audited(), "agents-bounded")
        assert found.status is status, found.summary
        assert words in found.summary
    (found,) = of(audited(("ListAgentAliases",)), "agents-bounded")
    assert found.status in (Status.FAIL, Status.UNKNOWN)
    acting(own, model)
    (found,) = of(audited(("ListAgentAliases",)), "agents-bounded")
    assert found.status is Status.UNKNOWN
    assert "ListAgentAliases" in found.summary


def test_calls_are_judged_by_the_region_that_the_record_names(client: Client) -> None:
    assert audited().verdicts["calls-stayed-inside"] is Status.NOT_APPLICABLE
    client("bedrock-runtime").converse(
        modelId="us.amazon.nova-pro-v1:0", messages=[{"role": "user", "content": [{"text": "hello"}]}]
    )
    (found,) = of(audited(), "calls-stayed-inside")
    assert found.status is Status.PASS, found.summary
    assert f"all 1 recorded calls of {REGION} were processed in {REGION}" in found.summary
    assert found.evidence
    (found,) = of(audited(("LookupEvents",)), "calls-stayed-inside")
    assert found.status is Status.UNKNOWN
    assert "cloudtrail:LookupEvents" in found.summary


def test_a_knowledge_base_whose_bucket_others_write_is_told(client: Client) -> None:
    client("s3").create_bucket(Bucket="handbook")
    agents = client("bedrock-agent")
    base = agents.get_knowledge_base(knowledgeBaseId="KBQUICKST1")["knowledgeBase"]
    path, _, name = base["roleArn"].split(":role", 1)[1].rpartition("/")
    own = {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": base["knowledgeBaseArn"]},
    }
    trusted = {"Principal": {"Service": "bedrock.amazonaws.com"}, "Condition": own}
    client("iam").create_role(
        RoleName=name,
        Path=f"{path}/",
        AssumeRolePolicyDocument=document({"Effect": "Allow", "Action": "sts:AssumeRole", **trusted}),
    )
    agents.create_data_source(
        knowledgeBaseId="KBQUICKST1",
        name="handbook",
        dataSourceConfiguration={
            "type": "S3",
            "s3Configuration": {"bucketArn": "arn:aws:s3:::handbook"},
        },
    )
    inside = {"StringEquals": {"aws:PrincipalOrgID": "o-ringwallsb"}}
    for who, status in (
        ({"Principal": "*", "Condition": inside}, Status.PASS),
        ({"Principal": {"AWS": "444455556666"}}, Status.FAIL),
    ):
        statement = allow("s3:PutObject", "arn:aws:s3:::handbook/*", **who)
        client("s3").put_bucket_policy(Bucket="handbook", Policy=document(statement))
        (found,) = of(audited(), "knowledge-base-sources")
        assert found.status is status, found.summary
    assert "account 444455556666 can s3:PutObject" in found.summary


def test_a_knowledge_bases_store_is_followed_to_where_it_is(client: Client, tmp_path: Path) -> None:
    """The collection's own service is a table here; all else is the sandbox, the bundle and its offline verification."""
    told = collection(kmsKeyArn="auto")
    agents = client("bedrock-agent")
    shape = told["bedrock-agent:GetKnowledgeBase"]["knowledgeBase"]
    names = ("name", "roleArn", "knowledgeBaseConfiguration", "storageConfiguration")
    agents.create_knowledge_base(**{name: shape[name] for name in names})
    for opened, status in (({}, Status.PASS), (access(granting("*")), Status.FAIL)):
        aws = connect("", region=REGION)
        asked = answering(aws._session, told | opened, services=frozenset({"opensearchserverless"}))
        found = run_audit(aws, aws.elsewhere(role=MANAGEMENT_ROLE), None, load())
        (one,) = of(found, "vector-store-closed")
        assert one.status is status, one.summary
        assert len(asked) == len(set(asked)) == 5
        assert len(one.evidence) >= 5
        assert verify(write_bundle(found, tmp_path / status), load()).problems == ()


def test_an_open_account_fails_by_proof_and_names_who(client: Client) -> None:
    """Models, network, switches, API keys, retention: nothing is declared, nothing forbids, one role shows it."""
    arn = role(client, "everything")
    client("iam").put_role_policy(
        RoleName="everything", PolicyName="all", PolicyDocument=document(allow("*"))
    )
    found = audited()
    for slug in (
        "models-restricted",
        "vpc-endpoint-cannot-be-skipped",
        "controls-protected",
        "api-keys-prevented",
        "data-retention-none",
    ):
        proved = [item for item in of(found, slug) if item.confidence == "proved"]
        assert {item.status for item in proved} == {Status.FAIL}, slug
        assert all(arn in item.details["principals"] for item in proved), slug


def test_an_api_key_that_was_made_is_named(client: Client) -> None:
    client("iam").create_user(UserName="BedrockAPIKey-x")
    made = client("iam").create_service_specific_credential(
        UserName="BedrockAPIKey-x", ServiceName="bedrock.amazonaws.com", CredentialAgeDays=30
    )["ServiceSpecificCredential"]
    told = [item for item in of(audited(), "api-keys-prevented") if item.confidence != "proved"]
    assert any(
        item.status is Status.FAIL and made["ServiceSpecificCredentialId"] in item.summary for item in told
    )
    secret = made.get("ServiceCredentialSecret", "")
    assert secret
    assert all(secret not in item.body for item in audited().reading.calls)


def test_a_key_that_was_disabled_stops_the_logs_that_it_encrypts(client: Client) -> None:
    logging(client)
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/bedrock"
    own = allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    logs = allow(
        ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*"],
        Principal={"Service": f"logs.{REGION}.amazonaws.com"},
        Condition={"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": group}},
    )
    key = client("kms").create_key(Policy=document(own, logs))["KeyMetadata"]
    client("kms").enable_key_rotation(KeyId=key["KeyId"])
    client("logs").delete_log_group(logGroupName="/bedrock")
    client("logs").create_log_group(logGroupName="/bedrock", kmsKeyId=key["Arn"])
    assert audited().verdicts["keys-effective"] is Status.PASS
    client("kms").disable_key(KeyId=key["KeyId"])
    found = audited()
    assert found.verdicts["keys-effective"] is Status.FAIL
    (delivery,) = of(found, "invocation-logging-delivers")
    assert any("Disabled" in item for item in delivery.details["problems"])


def test_a_logging_role_that_any_accounts_bedrock_assumes_is_told(client: Client) -> None:
    logging(client)
    service = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "bedrock.amazonaws.com"},
    }
    own = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    for condition, told in (({}, True), ({"Condition": own}, False)):
        client("iam").update_assume_role_policy(
            RoleName="logging", PolicyDocument=document({**service, **condition})
        )
        (found,) = of(audited(), "invocation-logging-delivers")
        assert ("on behalf of any account" in found.summary) is told


@pytest.mark.parametrize("mode", ["none", "provider_data_share"])
def test_retention_is_read_from_the_setting(client: Client, mode: str) -> None:
    client("bedrock").put_account_data_retention(mode=mode)
    told = [item for item in of(audited(), "data-retention-none") if item.confidence != "proved"]
    assert [item.status for item in told] == [Status.PASS if mode == "none" else Status.FAIL]
    assert mode == "none" or mode in told[0].summary
