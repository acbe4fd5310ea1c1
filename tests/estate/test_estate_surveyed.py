"""Kinds that only audits read, over answers in AWS's own form: botocore serializes the question and parses the answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import ANY

from estate.estate_stubs import ACCOUNT, NOW, REGION, Answers, Stubbed
from ringwall.errors import AwsCallError
from ringwall.estate.aws import Aws
from ringwall.estate.kinds import surveyed
from ringwall.estate.kinds.agent import _function_policies, _functions

# -- AgentCore -------------------------------------------------------------------------------------------------------

CORE = "bedrock-agentcore-control"
RUNTIME = f"arn:aws:bedrock-agentcore:{REGION}:{ACCOUNT}:runtime/one-1"
SUMMARY = {
    "agentRuntimeArn": RUNTIME, "agentRuntimeId": "one-1", "agentRuntimeVersion": "1", "agentRuntimeName": "one",
    "description": "x", "lastUpdatedAt": NOW, "status": "READY",
}  # fmt: skip
DETAILS = {
    "agentRuntimeArn": RUNTIME, "agentRuntimeName": "one", "agentRuntimeId": "one-1", "agentRuntimeVersion": "1",
    "createdAt": NOW, "lastUpdatedAt": NOW, "roleArn": f"arn:aws:iam::{ACCOUNT}:role/one", "status": "READY",
    "networkConfiguration": {"networkMode": "PUBLIC"}, "lifecycleConfiguration": {},
    "environmentVariables": {"STRIPE_API_KEY": "sk_live_123", "LOG_LEVEL": "info"},
    "authorizerConfiguration": {"customJWTAuthorizer": {"discoveryUrl": "https://id.example.com/.well-known/openid-configuration"}},
}  # fmt: skip
LISTED = ("list_agent_runtimes", {}, {"agentRuntimes": [SUMMARY]})
GOT = ("get_agent_runtime", {"agentRuntimeId": "one-1"}, DETAILS)
OPEN = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
}
POLICY = ("get_resource_policy", {"resourceArn": RUNTIME}, {"policy": json.dumps(OPEN)})
NO_ENDPOINT = ("list_agent_runtime_endpoints", {"agentRuntimeId": "one-1"}, {"runtimeEndpoints": []})


def test_a_runtime_is_read_and_its_secrets_are_not_kept() -> None:
    stubbed = Stubbed().answers(CORE, LISTED, GOT, NO_ENDPOINT, POLICY)
    (runtime,) = stubbed.read("AWS::BedrockAgentCore::Runtime")
    assert runtime.unknown == ()
    assert runtime.get("NetworkConfiguration.NetworkMode") == "PUBLIC"
    assert runtime.get("AuthorizerConfiguration.CustomJWTAuthorizer.DiscoveryUrl").startswith("https://id.")
    assert runtime.get("EnvironmentVariableNames") == ["LOG_LEVEL", "STRIPE_API_KEY"]
    assert runtime.get("ResourcePolicy") == OPEN
    assert "sk_live_123" not in stubbed.bodies()
    assert "STRIPE_API_KEY" in stubbed.bodies()
    assert len(runtime.evidence) == 4


def test_a_runtime_that_is_refused_is_unknown_with_its_permission() -> None:
    (runtime,) = (
        Stubbed()
        .answers(CORE, LISTED)
        .refuses(CORE, "get_agent_runtime")
        .answers(CORE, NO_ENDPOINT)
        .read("AWS::BedrockAgentCore::Runtime")
    )
    assert {item.reason for item in runtime.unknown} == {
        "AccessDenied: needs bedrock-agentcore:GetAgentRuntime"
    }


@pytest.mark.parametrize(("region", "raises"), [("eu-central-2", False), ("us-east-1", True)])
def test_where_agentcore_is_not_offered_there_is_none(region: str, raises: bool) -> None:
    """An endpoint that cannot be reached proves nothing where there is one."""
    unreachable = AwsCallError(CORE, "ListGateways", "EndpointUnreachable", "no route")

    class Nowhere:
        def __init__(self) -> None:
            self.region, self.account = region, ACCOUNT

        def pages(self, *_: Any, **__: Any) -> list[Any]:
            raise unreachable

        def evidence(self) -> tuple[str, ...]:
            return ()

    aws: Aws = Nowhere()  # type: ignore[assignment]
    kind = surveyed()["AWS::BedrockAgentCore::Gateway"]
    if raises:
        with pytest.raises(AwsCallError):
            list(kind.read(aws))
    else:
        assert list(kind.read(aws)) == []


# -- shares ----------------------------------------------------------------------------------------------------------

MODEL = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:custom-model/amazon.nova/abc"
SHARE = f"arn:aws:ram:{REGION}:{ACCOUNT}:resource-share/1"
OWNED = (
    "list_custom_models",
    {"isOwned": True},
    {
        "modelSummaries": [
            {
                "modelArn": MODEL,
                "modelName": "mine",
                "creationTime": NOW,
                "baseModelArn": MODEL,
                "baseModelName": "nova",
            }
        ]
    },
)
SHARED = (
    "list_resources",
    {"resourceOwner": "SELF"},
    {
        "resources": [
            {"arn": MODEL, "resourceShareArn": SHARE},
            {"arn": "arn:aws:ec2:us-east-1:1:subnet/s", "resourceShareArn": "x"},
        ]
    },
)
WHO = (
    "list_principals",
    {"resourceOwner": "SELF", "resourceShareArns": [SHARE]},
    {"principals": [{"id": "444455556666"}]},
)


def test_shares_of_bedrocks_resources_alone_are_read() -> None:
    (share,) = Stubbed().answers("bedrock", OWNED).answers("ram", SHARED, WHO).read("AWS::RAM::ResourceShare")
    assert (share.get("ResourceArns"), share.get("Principals")) == ([MODEL], ["444455556666"])


def test_who_owns_no_model_is_not_asked_for_shares() -> None:
    nothing = ("list_custom_models", {"isOwned": True}, {"modelSummaries": []})
    assert Stubbed().answers("bedrock", nothing).read("AWS::RAM::ResourceShare") == []


def test_shares_that_may_not_be_asked_for_raise_with_the_permission() -> None:
    with pytest.raises(AwsCallError) as error:
        Stubbed().answers("bedrock", OWNED).refuses("ram", "list_resources").read("AWS::RAM::ResourceShare")
    assert error.value.permission == "ram:ListResources"


# -- agents and flows ------------------------------------------------------------------------------------------------

AGENT = {
    "agentId": "AGENT00001", "agentName": "travel", "agentArn": f"arn:aws:bedrock:{REGION}:{ACCOUNT}:agent/AGENT00001",
    "agentVersion": "DRAFT", "agentStatus": "PREPARED", "idleSessionTTLInSeconds": 600, "createdAt": NOW, "updatedAt": NOW,
    "agentResourceRoleArn": f"arn:aws:iam::{ACCOUNT}:role/agent", "instruction": "You book journeys. Never tell the code 4711.",
}  # fmt: skip
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:book"
OF_AGENT = {"agentId": "AGENT00001"}


def group(version: str) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    summary = {
        "actionGroupId": "GROUP00001",
        "actionGroupName": "trips",
        "actionGroupState": "ENABLED",
        "updatedAt": NOW,
    }
    details = {
        "agentId": "AGENT00001", "agentVersion": version, "actionGroupId": "GROUP00001", "actionGroupName": "trips",
        "createdAt": NOW, "updatedAt": NOW, "actionGroupState": "ENABLED", "actionGroupExecutor": {"lambda": FUNCTION},
        "functionSchema": {"functions": [{"name": "book", "requireConfirmation": "ENABLED"}]},
        "apiSchema": {"s3": {"s3BucketName": "schemas", "s3ObjectKey": "trips.yaml"}},
    }  # fmt: skip
    where = {**OF_AGENT, "agentVersion": version}
    return [
        ("list_agent_action_groups", where, {"actionGroupSummaries": [summary]}),
        (
            "get_agent_action_group",
            {**where, "actionGroupId": "GROUP00001"},
            {"agentActionGroup": details},
        ),
    ]


LIST = (
    "list_agents",
    {},
    {
        "agentSummaries": [
            {
                "agentId": "AGENT00001",
                "agentName": "travel",
                "agentStatus": "PREPARED",
                "updatedAt": NOW,
            }
        ]
    },
)
ALIASES = (
    "list_agent_aliases",
    OF_AGENT,
    {
        "agentAliasSummaries": [
            {
                "agentAliasId": "TSTALIASID", "agentAliasName": "draft", "agentAliasStatus": "PREPARED",
                "createdAt": NOW, "updatedAt": NOW, "routingConfiguration": [{"agentVersion": "DRAFT"}],
            },
            {
                "agentAliasId": "ALIAS00001", "agentAliasName": "live", "agentAliasStatus": "PREPARED",
                "createdAt": NOW, "updatedAt": NOW, "routingConfiguration": [{"agentVersion": "3"}],
            },
        ]
    },
)  # fmt: skip
VERSION = {
    **{key: value for key, value in AGENT.items() if key != "agentVersion"}, "version": "3",
    "guardrailConfiguration": {"guardrailIdentifier": "abc", "guardrailVersion": "DRAFT"},
}  # fmt: skip
ADMITS = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "bedrock.amazonaws.com"},
            "Action": "lambda:InvokeFunction",
            "Resource": FUNCTION,
        }
    ],
}


ACTS = (
    "get_function_configuration",
    {"FunctionName": FUNCTION},
    {
        "Role": f"arn:aws:iam::{ACCOUNT}:role/book",
        "Environment": {"Variables": {"STRIPE": "s3cr3t"}},
    },
)


def test_an_agent_is_read_with_the_version_that_answers() -> None:
    stubbed = (
        Stubbed()
        .answers(
            "bedrock-agent",
            LIST,
            ("get_agent", OF_AGENT, {"agent": AGENT}),
            *group("DRAFT"),
            ALIASES,
            ("get_agent_version", {**OF_AGENT, "agentVersion": "3"}, {"agentVersion": VERSION}),
            *group("3"),
        )
        .answers("lambda", ("get_policy", {"FunctionName": FUNCTION}, {"Policy": json.dumps(ADMITS)}), ACTS)
    )
    (agent,) = stubbed.read("AWS::Bedrock::Agent")
    assert agent.unknown == ()
    (version,) = agent.get("Versions")
    assert version["Version"] == "3"
    assert version["GuardrailConfiguration"]["GuardrailVersion"] == "DRAFT"
    assert agent.get("GuardrailConfiguration") is None
    assert agent.get("FunctionPolicies") == {FUNCTION: ADMITS}
    assert agent.get("FunctionRoles") == {FUNCTION: f"arn:aws:iam::{ACCOUNT}:role/book"}
    assert agent.get("ActionGroups")[0]["ApiSchemaBucket"] == "schemas"
    assert "4711" not in stubbed.bodies()
    assert "s3cr3t" not in stubbed.bodies()


def test_a_function_without_a_policy_has_none_and_one_that_is_refused_is_unknown() -> None:
    def asked() -> Stubbed:
        nothing = ("list_agent_aliases", OF_AGENT, {"agentAliasSummaries": []})
        return Stubbed().answers(
            "bedrock-agent", LIST, ("get_agent", OF_AGENT, {"agent": AGENT}), *group("DRAFT"), nothing
        )

    gone = "ResourceNotFoundException"
    (agent,) = (
        asked()
        .refuses("lambda", "get_policy", gone)
        .refuses("lambda", "get_function_configuration", gone)
        .read("AWS::Bedrock::Agent")
    )
    assert agent.get("FunctionPolicies") == {FUNCTION: None}
    assert agent.get("FunctionRoles") == {FUNCTION: None}
    (agent,) = (
        asked()
        .refuses("lambda", "get_policy")
        .refuses("lambda", "get_function_configuration")
        .read("AWS::Bedrock::Agent")
    )
    assert agent.unknown_reason("FunctionPolicies") == "AccessDenied: needs lambda:GetPolicy"
    assert agent.unknown_reason("FunctionRoles") == "AccessDenied: needs lambda:GetFunctionConfiguration"


def test_an_alias_has_a_policy_of_its_own_and_the_function_says_who_changes_it() -> None:
    alias = f"{FUNCTION}:live"
    assert _functions({"ActionGroups": [{"ActionGroupExecutor": {"lambda": alias}}]}) == [alias]
    nothing = {"Policy": json.dumps(ADMITS)}
    stubbed = Stubbed().answers(
        "lambda",
        ("get_policy", {"FunctionName": FUNCTION}, nothing),
        ("get_policy", {"FunctionName": alias}, nothing),
    )
    assert _function_policies(stubbed.aws, [alias]) == {"FunctionPolicies": {FUNCTION: ADMITS, alias: ADMITS}}


def test_a_flows_nodes_that_run_a_model_are_read() -> None:
    node = {
        "name": "answer", "type": "Prompt",
        "configuration": {
            "prompt": {
                "sourceConfiguration": {"inline": {
                    "templateType": "TEXT", "modelId": "m", "templateConfiguration": {"text": {"text": "secret words"}},
                }},
                "guardrailConfiguration": {"guardrailIdentifier": "abc", "guardrailVersion": "DRAFT"},
            }
        },
    }  # fmt: skip
    flow = {
        "name": "mail", "executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/flow", "id": "FLOW000001",
        "arn": f"arn:aws:bedrock:{REGION}:{ACCOUNT}:flow/FLOW000001", "status": "Prepared", "createdAt": NOW, "updatedAt": NOW,
        "version": "DRAFT", "definition": {"nodes": [node, {"name": "in", "type": "Input"}]},
    }  # fmt: skip
    summary = {key: flow[key] for key in ("name", "id", "arn", "status", "createdAt", "updatedAt", "version")}
    stubbed = Stubbed().answers(
        "bedrock-agent",
        ("list_flows", {}, {"flowSummaries": [summary]}),
        ("get_flow", {"flowIdentifier": "FLOW000001"}, flow),
        ("list_flow_aliases", {"flowIdentifier": "FLOW000001"}, {"flowAliasSummaries": [
            flow_alias("ALIAS00001", "2"), flow_alias("ALIAS00002", "DRAFT"), flow_alias("ALIAS00003", "2"),
        ]}),
        ("get_flow_version", {"flowIdentifier": "FLOW000001", "flowVersion": "2"}, {
            **{key: value for key, value in flow.items() if key != "updatedAt"}, "version": "2",
        }),
    )  # fmt: skip
    (found,) = stubbed.read("AWS::Bedrock::Flow")
    (kept,) = found.get("Nodes")
    assert kept["GuardrailConfiguration"] == {"GuardrailIdentifier": "abc", "GuardrailVersion": "DRAFT"}
    assert found.get("Versions") == [{"Version": "2", "Nodes": [kept]}]
    assert "secret words" not in stubbed.bodies()


def flow_alias(identifier: str, version: str) -> dict[str, Any]:
    return {
        "name": identifier.lower(), "routingConfiguration": [{"flowVersion": version}], "flowId": "FLOW000001",
        "id": identifier, "arn": f"arn:aws:bedrock:{REGION}:{ACCOUNT}:flow/FLOW000001/alias/{identifier}",
        "createdAt": NOW, "updatedAt": NOW,
    }  # fmt: skip


# -- activity --------------------------------------------------------------------------------------------------------


def event(name: str, model: str, region: str | None, moment: str, **more: Any) -> dict[str, Any]:
    record = {
        "eventID": f"{name}-{moment}", "eventTime": moment, "eventName": name, "awsRegion": REGION,
        "userIdentity": {"arn": "a", "sessionContext": {"sessionIssuer": {"arn": f"arn:aws:iam::{ACCOUNT}:role/app"}}},
        "requestParameters": {"modelId": model}, "additionalEventData": {"inferenceRegion": region} if region else None, **more,
    }  # fmt: skip
    return {"CloudTrailEvent": json.dumps(record)}


def looked_up(name: str, *events: dict[str, Any], **more: Any) -> tuple[str, dict[str, Any], dict[str, Any]]:
    asked = {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": name}], "MaxResults": 50}
    return "lookup_events", asked, {"Events": list(events), **more}


NOVA, PROFILE = "amazon.nova-pro-v1:0", "us.amazon.nova-pro-v1:0"
NOTHING_SET = looked_up("PutModelInvocationLoggingConfiguration")
LOGGED = {
    "loggingConfig": {
        "cloudWatchConfig": {"logGroupName": "g", "roleArn": f"arn:aws:iam::{ACCOUNT}:role/l"},
        "s3Config": {"bucketName": "logs", "keyPrefix": "p"},
    }
}
SETTING = ("get_model_invocation_logging_configuration", {}, LOGGED)


def history(*first: dict[str, Any], **more: Any) -> Answers:
    names = ("ConverseStream", "InvokeModel", "InvokeModelWithResponseStream")
    return [looked_up("Converse", *first, **more), *(looked_up(name) for name in names)]


def test_calls_are_counted_by_the_region_that_processed_them() -> None:
    events = (
        event("Converse", PROFILE, "us-west-2", "2026-11-27T10:00:00Z"),
        event("Converse", PROFILE, None, "2026-11-27T09:00:00Z"),
        event("Converse", NOVA, None, "2026-11-27T08:00:00Z"),
        event("Converse", PROFILE, "eu-west-1", "2026-11-27T11:00:00Z", errorCode="AccessDenied"),
    )
    stubbed = Stubbed().answers("cloudtrail", *history(*events), NOTHING_SET)
    stubbed.answers("bedrock", ("get_model_invocation_logging_configuration", {}, {}))
    (found,) = stubbed.read("Ringwall::Bedrock::Activity")
    places = {place["InferenceRegion"]: place["Calls"] for place in found.get("Places")}
    assert places == {"us-west-2": 1, "": 1, REGION: 1}  # the refused call was processed nowhere
    assert (found.get("Calls"), found.get("Complete"), found.get("LastCall")) == (
        3,
        True,
        "2026-11-27T10:00:00+00:00",
    )
    assert found.get("Places")[0]["Principals"] == [f"arn:aws:iam::{ACCOUNT}:role/app"]


def test_of_a_busy_account_two_pages_are_looked_at() -> None:
    one = event("Converse", NOVA, REGION, "2026-11-27T10:00:00Z")
    first, *others = history(one, NextToken="t")
    more = ("lookup_events", {**first[1], "NextToken": "t"}, {"Events": [one], "NextToken": "u"})
    stubbed = Stubbed().answers("cloudtrail", first, more, *others, NOTHING_SET)
    stubbed.answers("bedrock", ("get_model_invocation_logging_configuration", {}, {}))
    (found,) = stubbed.read("Ringwall::Bedrock::Activity")
    assert (found.get("Calls"), bool(found.get("Complete"))) == (2, False)


def test_what_was_delivered_stands_beside_what_was_called() -> None:
    one = event("Converse", NOVA, REGION, "2026-11-27T10:30:00Z")
    head = f"p/AWSLogs/{ACCOUNT}/BedrockModelInvocationLogs/{REGION}/2026/11"
    millis = int(datetime(2026, 11, 27, 10, 31, tzinfo=UTC).timestamp() * 1000)
    results = [{"Id": f"m{index}", "Values": values} for index, values in enumerate(([], [2.0, 1.0], [0.0]))]
    stubbed = Stubbed().answers("cloudtrail", *history(one), NOTHING_SET).answers("bedrock", SETTING)
    stubbed.answers(
        "logs",
        (
            "describe_log_streams",
            {"logGroupName": "g", "logStreamNamePrefix": "aws/bedrock/modelinvocations"},
            {"logStreams": [{"logStreamName": "s", "lastIngestionTime": millis}]},
        ),
    )
    stubbed.answers(
        "s3",
        (
            "list_objects_v2",
            {"Bucket": "logs", "Prefix": f"{head}/27/", "StartAfter": f"{head}/27/10/"},
            {"Contents": [{"Key": "k", "LastModified": datetime(2026, 11, 27, 10, 40, tzinfo=UTC)}]},
        ),
        (
            "list_objects_v2",
            {"Bucket": "logs", "Prefix": f"{head}/28/", "StartAfter": f"{head}/28/"},
            {},
        ),
    )
    hours = {
        "StartTime": datetime(2026, 11, 26, 10, tzinfo=UTC),
        "EndTime": datetime(2026, 11, 27, 13, tzinfo=UTC),
    }
    stubbed.answers(
        "cloudwatch", ("get_metric_data", {**hours, "MetricDataQueries": ANY}, {"MetricDataResults": results})
    )
    (found,) = stubbed.read("Ringwall::Bedrock::Activity")
    assert found.unknown == ()
    assert found.get("LastLogEvent") == "2026-11-27T10:31:00+00:00"
    assert found.get("LastLogObject") == "2026-11-27T10:40:00+00:00"
    assert found.get("Failures") == {"ModelInvocationLogsS3DeliveryFailure": 3.0}


def test_a_history_that_may_not_be_looked_up_is_unknown() -> None:
    (found,) = Stubbed().refuses("cloudtrail", "lookup_events").read("Ringwall::Bedrock::Activity")
    assert found.unknown_reason("Calls") == "AccessDenied: needs cloudtrail:LookupEvents"


@pytest.mark.parametrize(
    ("service", "operation", "name", "permission"),
    [
        ("logs", "describe_log_streams", "LastLogEvent", "logs:DescribeLogStreams"),
        ("s3", "list_objects_v2", "LastLogObject", "s3:ListBucket"),
        ("cloudwatch", "get_metric_data", "Failures", "cloudwatch:GetMetricData"),
    ],
)
def test_a_destination_that_may_not_be_asked_is_unknown(
    service: str, operation: str, name: str, permission: str
) -> None:
    one = event("Converse", NOVA, REGION, "2026-11-27T10:30:00Z")
    stubbed = Stubbed().answers("cloudtrail", *history(one), NOTHING_SET).answers("bedrock", SETTING)
    rest: dict[str, tuple[str, Any, dict[str, Any]]] = {
        "logs": ("describe_log_streams", {"logGroupName": "g", "logStreamNamePrefix": ANY}, {}),
        "s3": ("list_objects_v2", {"Bucket": "logs", "Prefix": ANY, "StartAfter": ANY}, {}),
        "cloudwatch": (
            "get_metric_data",
            {"StartTime": ANY, "EndTime": ANY, "MetricDataQueries": ANY},
            {},
        ),
    }
    for other, answer in rest.items():
        if other == service:
            stubbed.refuses(other, operation)
        else:
            stubbed.answers(other, *([answer] * (2 if other == "s3" else 1)))
    (found,) = stubbed.read("Ringwall::Bedrock::Activity")
    assert found.unknown_reason(name) == f"AccessDenied: needs {permission}"
