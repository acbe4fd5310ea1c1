"""One API call is several authorizations: the operation map and the resolvers."""

from __future__ import annotations

import re
from typing import ClassVar

import botocore.session
import pytest

from ringwall.catalog import load
from ringwall.catalog.operations import (
    UnknownOperationError,
    UnresolvedModelError,
    actions_of,
    authorizations,
    deciding,
    find_operation,
)
from ringwall.catalog.operations.additions import ADDED, KEYS, PASSED, TAGGED
from ringwall.catalog.operations.exceptions import EXCEPTIONS, UNLISTED
from ringwall.catalog.operations.names import operations_document, services
from ringwall.catalog.operations.parameters import CONTEXT, RESOURCES
from ringwall.catalog.operations.storage import OF_VERSION

ACCOUNT, REGION = "111122223333", "us-east-1"
HERE = f"arn:aws:bedrock:{REGION}:{ACCOUNT}"
MODEL = "anthropic.claude-sonnet-4-5-20250929-v1:0"
PROFILE = f"{HERE}:inference-profile/us.{MODEL}"
GUARDRAIL = f"{HERE}:guardrail/abcd1234efgh"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Service"

# Services whose operations all map to actions of the reference, or are listed as newer than it.
FAMILY = [
    name
    for name, item in services().items()
    if item.prefix.startswith(("bedrock", "agent-registry", "aws-ext"))
]
NEWER = {
    **{name: UNLISTED.get(name, ()) for name in FAMILY},
    "s3": (),
    "sts": (),
    "organizations": (),
    "logs": ("GetLogObject",),
    "cloudtrail": ("ListInsightsMetricData",),
    "kms": ("Decapsulate", "Encapsulate"),
    "iam": ("AcquireRole", "UpdateDelegationRequest"),
}


def ask(service, operation, parameters=None, **extra):
    return authorizations(
        service, operation, parameters or {}, **{"account": ACCOUNT, "region": REGION, **extra}
    )


def short(found):
    """Action, resource and context without the Region of the call."""
    home = ("aws:requestedregion", (REGION,))
    return [
        (one.action, one.resource, {key: value for key, value in one.context.items() if (key, value) != home})
        for one in found
    ]


def foundation(region, model=MODEL):
    return f"arn:aws:bedrock:{region}::foundation-model/{model}"


class Resolver:
    """What an account knows of its own names."""

    known: ClassVar = {
        f"{HERE}:application-inference-profile/team": (foundation("us-east-1"), foundation("us-west-2")),
        f"{HERE}:prompt/PROMPT1234:2": ("us.amazon.nova-pro-v1:0",),
        f"{HERE}:prompt-router/router": (MODEL,),
        PROFILE: (foundation("us-east-1"),),
    }

    def models(self, arn, region):
        return self.known.get(arn)


# ---- the map --------------------------------------------------------------------------------------------------------


def test_exceptions_name_real_actions_and_operations():
    for service, table in EXCEPTIONS.items():
        known = set(services()[service].operations.values())
        for operation, actions in table.items():
            assert operation in known, (service, operation)
            assert all(load().is_action(action) for action in actions), (service, operation, actions)


def unmapped(service, is_action):
    """Operations of a service for which the map names an action that the reference lacks."""
    return {
        operation
        for operation in services()[service].operations.values()
        if not all(is_action(action) for action in actions_of(service, operation))
    }


@pytest.mark.parametrize("service", NEWER)
def test_every_operation_has_an_action(service):
    assert unmapped(service, load().is_action) == set(NEWER[service])


def test_a_map_that_names_an_unknown_action_is_found():
    without = {"bedrock:InvokeModelWithResponseStream"}
    assert unmapped("bedrock-runtime", lambda name: load().is_action(name) and name not in without) == {
        "ConverseStream",
        "InvokeModelWithResponseStream",
    }


def test_tables_name_real_actions_types_and_keys():
    for service, table in RESOURCES.items():
        assert set(table) <= set(load().service(service).resource_types), service
    assert not [key for key in CONTEXT if load().key_type(key) is None]
    assert not [a for rows in ADDED.values() for _, a in rows if not load().is_action(a)]
    assert not [a for pair in OF_VERSION.items() for a in pair if not load().is_action(a)]
    assert not [a for _, _, actions in KEYS.values() for a in actions if not load().is_action(a)]
    assert set(TAGGED.values()) <= set(load().service("bedrock").resource_types)
    for service, operation in (*ADDED, *PASSED, *KEYS):
        assert operation in services()[service].operations.values(), (service, operation)


def test_operation_lists_are_those_of_the_botocore_that_made_them():
    made = operations_document()["provenance"]["version"]
    session = botocore.session.get_session()
    for service in (name for name in services() if name in session.get_available_services()):
        listed = set(services()[service].operations.values())
        modelled = set(session.get_service_model(service).operation_names)
        assert listed == modelled if made == botocore.__version__ else listed <= modelled, service


@pytest.mark.parametrize(
    ("name", "service", "expected"),
    [
        ("Converse", None, ("bedrock-runtime", "Converse")),
        ("converse_stream", None, ("bedrock-runtime", "ConverseStream")),
        ("invoke_model", "bedrock", ("bedrock-runtime", "InvokeModel")),
        ("list_objects_v2", "s3", ("s3", "ListObjectsV2")),
        ("describe_vpcs", None, ("ec2", "DescribeVpcs")),
        ("bedrock-agent:GetAgent", None, ("bedrock-agent", "GetAgent")),
        ("kms:Decrypt", None, ("kms", "Decrypt")),
        ("Invoke", "lambda", ("lambda", "Invoke")),
        ("CreateInference", "bedrock-mantle", ("bedrock-mantle", "CreateInference")),
        ("GetCallerIdentity", None, ("sts", "GetCallerIdentity")),
        ("create_collection", "aoss", ("opensearchserverless", "CreateCollection")),
    ],
)
def test_find_operation(name, service, expected):
    assert find_operation(name, service) == expected


@pytest.mark.parametrize(
    ("name", "service", "hint"),
    [("Convers", None, "did you mean Converse"), ("InvokeModel", "bedrok", "did you mean bedrock")],
)
def test_find_operation_suggests(name, service, hint):
    with pytest.raises(UnknownOperationError, match=hint):
        find_operation(name, service)


# ---- inference ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("Converse", "bedrock:InvokeModel"),
        ("converse_stream", "bedrock:InvokeModelWithResponseStream"),
        ("InvokeModel", "bedrock:InvokeModel"),
        ("invoke_model_with_response_stream", "bedrock:InvokeModelWithResponseStream"),
    ],
)
def test_profile_needs_the_profile_every_destination_and_the_guardrail(operation, action):
    guardrail = {"guardrailIdentifier": "abcd1234efgh", "guardrailVersion": "3"}
    given = {"guardrailConfig": guardrail} if operation.lower().startswith("converse") else guardrail
    key = {"bedrock:guardrailidentifier": (f"{GUARDRAIL}:3",)}
    via = {"bedrock:inferenceprofilearn": (PROFILE,), **key}
    assert short(ask("bedrock-runtime", operation, {"modelId": f"us.{MODEL}", **given})) == [
        (action, PROFILE, key),
        (action, foundation("us-east-1"), via),
        (action, foundation("us-east-2"), {"aws:requestedregion": ("us-east-2",), **via}),
        (action, foundation("us-west-2"), {"aws:requestedregion": ("us-west-2",), **via}),
        ("bedrock:ApplyGuardrail", GUARDRAIL, {}),
    ]


def test_global_profile_is_authorized_without_a_region():
    profile = f"{HERE}:inference-profile/global.{MODEL}"
    via = {"bedrock:inferenceprofilearn": (profile,)}
    assert short(ask("bedrock-runtime", "Converse", {"modelId": f"global.{MODEL}"})) == [
        ("bedrock:InvokeModel", profile, {}),
        ("bedrock:InvokeModel", foundation("us-east-1"), via),
        ("bedrock:InvokeModel", foundation(""), {"aws:requestedregion": ("unspecified",), **via}),
    ]


@pytest.mark.parametrize(
    ("model", "resource"),
    [
        ("amazon.nova-pro-v1:0", foundation(REGION, "amazon.nova-pro-v1:0")),
        (foundation(REGION), foundation(REGION)),
        (f"{HERE}:provisioned-model/abc123", f"{HERE}:provisioned-model/abc123"),
        (f"{HERE}:custom-model-deployment/abc123", f"{HERE}:custom-model-deployment/abc123"),
        (f"{HERE}:imported-model/abc123", f"{HERE}:imported-model/abc123"),
    ],
)
def test_other_models_need_one_authorization(model, resource):
    assert short(ask("bedrock-runtime", "InvokeModel", {"modelId": model})) == [
        ("bedrock:InvokeModel", resource, {})
    ]


def test_profile_given_by_arn_is_the_same_profile():
    by_id = ask("bedrock-runtime", "Converse", {"modelId": f"us.{MODEL}"})
    assert ask("bedrock-runtime", "Converse", {"modelId": PROFILE}) == by_id


@pytest.mark.parametrize(
    ("identifier", "version", "value", "applied"),
    [
        ("abcd1234efgh", "DRAFT", GUARDRAIL, GUARDRAIL),
        ("abcd1234efgh", None, GUARDRAIL, GUARDRAIL),
        ("abcd1234efgh", "12", f"{GUARDRAIL}:12", GUARDRAIL),
        (GUARDRAIL, "1", f"{GUARDRAIL}:1", GUARDRAIL),
        (f"{GUARDRAIL}:4", None, f"{GUARDRAIL}:4", GUARDRAIL),
    ],
)
def test_guardrail_identifier_forms(identifier, version, value, applied):
    given = {"guardrailIdentifier": identifier} | ({"guardrailVersion": version} if version else {})
    invoke, apply = ask("bedrock-runtime", "InvokeModel", {"modelId": MODEL, **given})
    assert invoke.context["bedrock:guardrailidentifier"] == (value,)
    assert (apply.action, apply.resource) == ("bedrock:ApplyGuardrail", applied)


def test_guardrail_of_another_account_keeps_its_owner():
    shared = "arn:aws:bedrock:us-east-1:999988887777:guardrail/sharedguard1"
    *_, apply = ask(
        "bedrock-runtime",
        "Converse",
        {"modelId": MODEL, "guardrailConfig": {"guardrailIdentifier": shared, "guardrailVersion": "1"}},
    )
    assert (apply.resource, apply.resource_account) == (shared, "999988887777")


def test_service_tier_in_both_spellings():
    for operation, tier in (("InvokeModel", "priority"), ("Converse", {"type": "priority"})):
        (one,) = ask("bedrock-runtime", operation, {"modelId": MODEL, "serviceTier": tier})
        assert one.context["bedrock:servicetier"] == ("priority",)


def test_resolver_answers_before_the_tables():
    found = ask("bedrock-runtime", "Converse", {"modelId": PROFILE}, profiles=Resolver())
    assert [one.resource for one in found] == [PROFILE, foundation("us-east-1")]


def test_application_profile_needs_its_models():
    profile = f"{HERE}:application-inference-profile/team"
    found = ask("bedrock-runtime", "Converse", {"modelId": profile}, profiles=Resolver())
    assert [(one.resource, one.context.get("bedrock:inferenceprofilearn")) for one in found] == [
        (profile, None),
        (foundation("us-east-1"), (profile,)),
        (foundation("us-west-2"), (profile,)),
    ]


def test_prompt_is_rendered_and_its_model_invoked():
    found = ask(
        "bedrock-runtime", "Converse", {"modelId": f"{HERE}:prompt/PROMPT1234:2"}, profiles=Resolver()
    )
    assert (found[0].action, found[0].resource) == ("bedrock:RenderPrompt", f"{HERE}:prompt/PROMPT1234:2")
    assert found[1].resource == f"{HERE}:inference-profile/us.amazon.nova-pro-v1:0"
    assert len(found) == 5


def test_prompt_router_needs_the_router_and_its_models():
    router = f"{HERE}:prompt-router/router"
    found = ask("bedrock-runtime", "InvokeModel", {"modelId": router}, profiles=Resolver())
    assert [one.resource for one in found] == [router, foundation(REGION)]
    assert found[1].context["bedrock:promptrouterarn"] == (router,)


def test_marketplace_model_runs_on_a_sagemaker_endpoint():
    endpoint = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/mine"
    found = ask("bedrock-runtime", "Converse", {"modelId": endpoint})
    assert [(one.action, one.resource) for one in found] == [
        ("bedrock:InvokeModel", f"{HERE}:marketplace/model-endpoint/all-access"),
        ("sagemaker:InvokeEndpoint", endpoint),
    ]
    assert found[1].context["aws:calledvialast"] == ("bedrock.amazonaws.com",)


@pytest.mark.parametrize(
    "model", [f"{HERE}:application-inference-profile/unknown", f"{HERE}:prompt/UNKNOWN123", f"eu.{MODEL}"]
)
def test_what_nobody_knows_is_an_error(model):
    with pytest.raises(UnresolvedModelError):
        ask("bedrock-runtime", "Converse", {"modelId": model})


@pytest.mark.parametrize(
    ("service", "kind", "action"),
    [
        ("bedrock-runtime", "SHORT_TERM", "bedrock"),
        ("bedrock-runtime", "LONG_TERM", "bedrock"),
        ("bedrock-mantle", "LONG_TERM", "bedrock-mantle"),
    ],
)
def test_api_keys_need_another_action(service, kind, action):
    operation = "CreateInference" if service == "bedrock-mantle" else "Converse"
    *_, last = ask(service, operation, {"modelId": MODEL, "model": "m"}, bearer_token=kind)
    assert (last.action, last.resource) == (f"{action}:CallWithBearerToken", "*")
    assert last.context[f"{action}:bearertokentype"] == (kind,)


def test_partition_and_region_are_the_call_s():
    (one,) = ask(
        "bedrock-runtime", "InvokeModel", {"modelId": MODEL}, region="us-gov-west-1", partition="aws-us-gov"
    )
    assert one.resource == f"arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/{MODEL}"


# ---- the rest of the Bedrock family, and its neighbours --------------------------------------------------------------

RAG = {
    "retrieveAndGenerateConfiguration": {
        "type": "KNOWLEDGE_BASE",
        "knowledgeBaseConfiguration": {
            "knowledgeBaseId": "KB12345678",
            "modelArn": foundation(REGION),
            "generationConfiguration": {
                "guardrailConfiguration": {"guardrailId": "abcd1234efgh", "guardrailVersion": "3"}
            },
        },
    }
}
KB = f"{HERE}:knowledge-base/KB12345678"
S3 = "arn:aws:s3:::logs"
EC2 = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group"
ORG = f"arn:aws:organizations::{ACCOUNT}"

CASES = [
    ("bedrock-agent-runtime", "retrieve", {"knowledgeBaseId": "KB12345678"}, [("bedrock:Retrieve", KB)]),
    ("bedrock-agent-runtime", "RetrieveAndGenerate", RAG, [
        ("bedrock:RetrieveAndGenerate", "*"), ("bedrock:Retrieve", KB),
        ("bedrock:InvokeModel", foundation(REGION)), ("bedrock:ApplyGuardrail", GUARDRAIL),
    ]),
    ("bedrock-agent-runtime", "retrieve_and_generate_stream", RAG, [
        ("bedrock:RetrieveAndGenerate", "*"), ("bedrock:Retrieve", KB),
        ("bedrock:InvokeModel", foundation(REGION)), ("bedrock:ApplyGuardrail", GUARDRAIL),
    ]),
    ("bedrock-agent-runtime", "InvokeAgent", {"agentId": "AGENT", "agentAliasId": "ALIAS"},
     [("bedrock:InvokeAgent", f"{HERE}:agent-alias/AGENT/ALIAS")]),
    ("bedrock-agent-runtime", "InvokeFlow", {"flowIdentifier": "FLOW", "flowAliasIdentifier": "ALIAS"},
     [("bedrock:InvokeFlow", f"{HERE}:flow/FLOW/alias/ALIAS")]),
    ("bedrock-agent-runtime", "InvokeInlineAgent", {"foundationModel": MODEL, "agentName": "a"},
     [("bedrock:InvokeInlineAgent", "*"), ("bedrock:InvokeModel", foundation(REGION))]),
    ("bedrock-runtime", "ApplyGuardrail", {"guardrailIdentifier": "abcd1234efgh", "guardrailVersion": "3"},
     [("bedrock:ApplyGuardrail", GUARDRAIL)]),
    ("bedrock-runtime", "CountTokens", {"modelId": MODEL}, [("bedrock:CountTokens", foundation(REGION))]),
    ("bedrock-runtime", "InvokeGuardrailChecks", {}, [("bedrock:InvokeGuardrailChecks", "*")]),
    ("bedrock-runtime", "StartAsyncInvoke", {
        "modelId": "amazon.nova-reel-v1:0", "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": "s3://logs/out"}},
    }, [("bedrock:InvokeModel", foundation(REGION, "amazon.nova-reel-v1:0")), ("s3:PutObject", f"{S3}/out/*")]),
    ("bedrock", "CreateGuardrail", {"name": "g"}, [("bedrock:CreateGuardrail", "*")]),
    ("bedrock", "CreateGuardrail", {"name": "g", "tags": [{"key": "a", "value": "b"}]},
     [("bedrock:CreateGuardrail", "*"), ("bedrock:TagResource", f"{HERE}:guardrail/*")]),
    ("bedrock", "GetGuardrail", {"guardrailIdentifier": GUARDRAIL}, [("bedrock:GetGuardrail", GUARDRAIL)]),
    ("bedrock", "UpdateGuardrail", {"guardrailIdentifier": "abcd1234efgh"},
     [("bedrock:UpdateGuardrail", GUARDRAIL)]),
    ("bedrock", "DeleteGuardrail", {"guardrailIdentifier": "abcd1234efgh"},
     [("bedrock:DeleteGuardrail", GUARDRAIL)]),
    ("bedrock", "CreateGuardrailVersion", {"guardrailIdentifier": "abcd1234efgh"},
     [("bedrock:CreateGuardrailVersion", GUARDRAIL)]),
    ("bedrock", "ListGuardrails", {}, [("bedrock:ListGuardrails", "*")]),
    ("bedrock", "PutModelInvocationLoggingConfiguration",
     {"loggingConfig": {"cloudWatchConfig": {"roleArn": ROLE}}},
     [("bedrock:PutModelInvocationLoggingConfiguration", "*"), ("iam:PassRole", ROLE)]),
    ("bedrock", "PutEnforcedGuardrailConfiguration", {}, [("bedrock:PutEnforcedGuardrailConfiguration", "*")]),
    ("bedrock", "PutResourcePolicy", {"resourceArn": GUARDRAIL}, [("bedrock:PutResourcePolicy", GUARDRAIL)]),
    ("bedrock", "CreateModelInvocationJob", {"modelId": MODEL, "roleArn": ROLE}, [
        ("bedrock:CreateModelInvocationJob", f"{HERE}:model-invocation-job/*"),
        ("bedrock:CreateModelInvocationJob", foundation(REGION)), ("iam:PassRole", ROLE),
    ]),
    ("bedrock-agent", "CreateAgent", {"agentName": "a", "agentResourceRoleArn": ROLE},
     [("bedrock:CreateAgent", "*"), ("iam:PassRole", ROLE)]),
    ("bedrock-agent", "CreateKnowledgeBase", {"name": "k", "roleArn": ROLE},
     [("bedrock:CreateKnowledgeBase", "*"), ("iam:PassRole", ROLE)]),
    ("bedrock-agent", "GetPrompt", {"promptIdentifier": "P", "promptVersion": "1"},
     [("bedrock:GetPrompt", f"{HERE}:prompt/P:1")]),
    ("bedrock-mantle", "CreateInference", {"model": "m"},
     [("bedrock-mantle:CreateInference", f"arn:aws:bedrock-mantle:{REGION}:{ACCOUNT}:project/default")]),
    ("iam", "CreateRole", {"RoleName": "App", "Path": "/team/"},
     [("iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/team/App")]),
    ("iam", "AttachRolePolicy", {"RoleName": "App", "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
     [("iam:AttachRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/App")]),
    ("iam", "AddUserToGroup", {"UserName": "u", "GroupName": "g"},
     [("iam:AddUserToGroup", f"arn:aws:iam::{ACCOUNT}:group/g")]),
    ("sts", "AssumeRole", {"RoleArn": ROLE, "SourceIdentity": "me"},
     [("sts:AssumeRole", ROLE), ("sts:SetSourceIdentity", ROLE)]),
    ("sts", "GetCallerIdentity", {}, [("sts:GetCallerIdentity", "*")]),
    ("kms", "CreateKey", {"Tags": [{"TagKey": "a", "TagValue": "b"}]},
     [("kms:CreateKey", "*"), ("kms:TagResource", "*")]),
    ("kms", "ReEncrypt", {"SourceKeyId": "one", "DestinationKeyId": "two"}, [
        ("kms:ReEncryptFrom", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/one"),
        ("kms:ReEncryptTo", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/two"),
    ]),
    ("kms", "CreateAlias", {"AliasName": "alias/a", "TargetKeyId": "one"}, [
        ("kms:CreateAlias", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/a"),
        ("kms:CreateAlias", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/one"),
    ]),
    ("s3", "ListBuckets", {}, [("s3:ListAllMyBuckets", "*")]),
    ("s3", "HeadObject", {"Bucket": "logs", "Key": "a/b"}, [("s3:GetObject", f"{S3}/a/b")]),
    ("s3", "GetObject", {"Bucket": "logs", "Key": "a", "VersionId": "1"}, [("s3:GetObjectVersion", f"{S3}/a")]),
    ("s3", "ListObjectsV2", {"Bucket": "logs"}, [("s3:ListBucket", S3)]),
    ("s3", "CopyObject", {"Bucket": "logs", "Key": "b", "CopySource": "other/a%20b"},
     [("s3:GetObject", "arn:aws:s3:::other/a b"), ("s3:PutObject", f"{S3}/b")]),
    ("s3", "CopyObject", {"Bucket": "logs", "Key": "b", "CopySource": {"Bucket": "o", "Key": "k", "VersionId": "1"}},
     [("s3:GetObjectVersion", "arn:aws:s3:::o/k"), ("s3:PutObject", f"{S3}/b")]),
    ("s3", "DeleteObjects", {"Bucket": "logs", "Delete": {"Objects": [{"Key": "a"}, {"Key": "b", "VersionId": "1"}]}},
     [("s3:DeleteObject", f"{S3}/a"), ("s3:DeleteObjectVersion", f"{S3}/b")]),
    ("s3", "CreateBucket", {"Bucket": "logs", "ObjectLockEnabledForBucket": True}, [
        ("s3:CreateBucket", S3), ("s3:PutBucketObjectLockConfiguration", S3), ("s3:PutBucketVersioning", S3),
    ]),
    ("s3", "GetObject", {"Bucket": f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/ap", "Key": "k"},
     [("s3:GetObject", f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/ap/object/k")]),
    ("ec2", "DescribeVpcs", {}, [("ec2:DescribeVpcs", "*")]),
    ("ec2", "CreateVpcEndpoint", {"VpcId": "vpc-1", "SubnetIds": ["subnet-1", "subnet-2"]}, [
        ("ec2:CreateVpcEndpoint", f"{EC2}:subnet/subnet-1"), ("ec2:CreateVpcEndpoint", f"{EC2}:subnet/subnet-2"),
        ("ec2:CreateVpcEndpoint", f"{EC2}:vpc/vpc-1"), ("ec2:CreateVpcEndpoint", f"{EC2}:vpc-endpoint/*"),
    ]),
    ("ec2", "DeleteVpcEndpoints", {"VpcEndpointIds": ["vpce-1", "vpce-2"]}, [
        ("ec2:DeleteVpcEndpoints", f"{EC2}:vpc-endpoint/vpce-1"),
        ("ec2:DeleteVpcEndpoints", f"{EC2}:vpc-endpoint/vpce-2"),
    ]),
    ("ec2", "CreateTags", {"Resources": ["vpce-1", "sgr-1"], "Tags": [{"Key": "a", "Value": "b"}]}, [
        ("ec2:CreateTags", f"{EC2}:vpc-endpoint/vpce-1"), ("ec2:CreateTags", f"{EC2}:security-group-rule/sgr-1"),
    ]),
    ("logs", "CreateLogGroup", {"logGroupName": "/app"}, [("logs:CreateLogGroup", f"{LOGS}:/app:log-stream:")]),
    ("logs", "PutLogEvents", {"logGroupName": "/app", "logStreamName": "s"},
     [("logs:PutLogEvents", f"{LOGS}:/app:log-stream:s")]),
    ("logs", "TagResource", {"resourceArn": f"{LOGS}:/app"}, [("logs:TagResource", f"{LOGS}:/app")]),
    ("cloudwatch", "PutMetricAlarm", {"AlarmName": "a"},
     [("cloudwatch:PutMetricAlarm", f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:a")]),
    ("cloudwatch", "ListMetrics", {}, [("cloudwatch:ListMetrics", "*")]),
    ("cloudtrail", "CreateTrail", {"Name": "t", "S3BucketName": "logs", "CloudWatchLogsRoleArn": ROLE}, [
        ("cloudtrail:CreateTrail", f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/t"), ("iam:PassRole", ROLE),
    ]),
    ("bedrock", "UpdateCustomModelDeployment", {"customModelDeploymentIdentifier": "live", "modelArn": f"{HERE}:custom-model/m/x"}, [
        ("bedrock:UpdateCustomModelDeployment", f"{HERE}:custom-model-deployment/live"),
        ("bedrock:UpdateCustomModelDeployment", f"{HERE}:custom-model/m/x"),
    ]),
    ("bedrock", "UpdateProvisionedModelThroughput", {"provisionedModelId": "units"},
     [("bedrock:UpdateProvisionedModelThroughput", f"{HERE}:provisioned-model/units")]),
    ("bedrock", "UpdateProvisionedModelThroughput", {"provisionedModelId": "units", "desiredModelId": "amazon.nova-pro-v1:0"}, [
        ("bedrock:UpdateProvisionedModelThroughput", f"{HERE}:provisioned-model/units"),
        ("bedrock:UpdateProvisionedModelThroughput", "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0"),
    ]),
    ("sns", "Unsubscribe", {"SubscriptionArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:t:0a-1b"},
     [("sns:Unsubscribe", f"arn:aws:sns:{REGION}:{ACCOUNT}:t")]),
    ("events", "PutRule", {"Name": "r"}, [("events:PutRule", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/r")]),
    ("events", "PutRule", {"Name": "r", "EventBusName": "bus"},
     [("events:PutRule", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/bus/r")]),
    ("organizations", "AttachPolicy", {"PolicyId": "p-abc12345", "TargetId": "r-ab12"}, [
        ("organizations:AttachPolicy", f"{ORG}:policy/o-*/*/p-abc12345"),
        ("organizations:AttachPolicy", f"{ORG}:root/o-*/r-ab12"),
    ]),
    ("organizations", "DescribeOrganization", {}, [("organizations:DescribeOrganization", "*")]),
    ("lambda", "Invoke", {"FunctionName": "f"},
     [("lambda:InvokeFunction", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "expected"), CASES, ids=[f"{case[0]}:{case[1]}" for case in CASES]
)
def test_calls(service, operation, parameters, expected):
    assert [(one.action, one.resource) for one in ask(service, operation, parameters)] == expected


def test_rewriting_the_question_is_an_unguarded_invocation():
    configuration = {
        **RAG["retrieveAndGenerateConfiguration"]["knowledgeBaseConfiguration"],
        "orchestrationConfiguration": {"queryTransformationConfiguration": {"type": "QUERY_DECOMPOSITION"}},
    }
    found = ask(
        "bedrock-agent-runtime",
        "RetrieveAndGenerate",
        {"retrieveAndGenerateConfiguration": {"knowledgeBaseConfiguration": configuration}},
    )
    invocations = [one.context.get("bedrock:guardrailidentifier") for one in found if "Invoke" in one.action]
    assert invocations == [(f"{GUARDRAIL}:3",), None]


def test_rag_through_a_profile_looks_the_profile_up():
    configuration = {"knowledgeBaseId": "KB12345678", "modelArn": PROFILE}
    found = ask(
        "bedrock-agent-runtime",
        "RetrieveAndGenerate",
        {"retrieveAndGenerateConfiguration": {"knowledgeBaseConfiguration": configuration}},
    )
    assert ("bedrock:GetInferenceProfile", PROFILE) in [(one.action, one.resource) for one in found]
    assert sum(one.action == "bedrock:InvokeModel" for one in found) == 4


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "context"),
    [
        ("bedrock", "PutAccountDataRetention", {"mode": "none"}, {"bedrock:dataretentionmode": ("none",)}),
        ("bedrock-agent-runtime", "InvokeInlineAgent", {"agentName": "a"}, {"bedrock:inlineagentname": ("a",)}),
        ("bedrock-mantle", "CreateInference", {"model": "m"}, {"bedrock-mantle:model": ("m",)}),
        ("iam", "CreateServiceSpecificCredential",
         {"UserName": "u", "ServiceName": "bedrock.amazonaws.com", "CredentialAgeDays": 30},
         {"iam:servicespecificcredentialservicename": ("bedrock.amazonaws.com",),
          "iam:servicespecificcredentialagedays": ("30",)}),
        ("iam", "AttachRolePolicy", {"RoleName": "r", "PolicyArn": ROLE}, {"iam:policyarn": (ROLE,)}),
        ("sts", "AssumeRole", {"RoleArn": ROLE, "RoleSessionName": "s", "ExternalId": "x"},
         {"sts:externalid": ("x",), "sts:rolesessionname": ("s",)}),
        ("kms", "Encrypt", {"KeyId": "k", "EncryptionContext": {"aws:logs:arn": "x"}},
         {"kms:encryptioncontext:aws:logs:arn": ("x",), "kms:encryptioncontextkeys": ("aws:logs:arn",)}),
        ("kms", "CreateKey", {"MultiRegion": True}, {"kms:multiregion": ("true",)}),
        ("s3", "ListObjectsV2", {"Bucket": "b", "Prefix": "p/", "MaxKeys": 5},
         {"s3:prefix": ("p/",), "s3:max-keys": ("5",)}),
        ("s3", "PutObject", {"Bucket": "b", "Key": "k", "ServerSideEncryption": "aws:kms"},
         {"s3:x-amz-server-side-encryption": ("aws:kms",)}),
        ("sns", "Subscribe", {"TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:t", "Protocol": "email"},
         {"sns:protocol": ("email",)}),
        ("organizations", "CreatePolicy", {"Type": "SERVICE_CONTROL_POLICY"},
         {"organizations:policytype": ("SERVICE_CONTROL_POLICY",)}),
        ("bedrock", "UntagResource", {"resourceARN": GUARDRAIL, "tagKeys": ["A", "b"]},
         {"aws:tagkeys": ("A", "b")}),
        ("bedrock-agentcore-control", "CreateAgentRuntime",
         {"networkConfiguration": {"networkModeConfig": {"subnets": ["s1", "s2"]}}},
         {"bedrock-agentcore:subnets": ("s1", "s2")}),
    ],
)  # fmt: skip
def test_context(service, operation, parameters, context):
    first, *_ = short(ask(service, operation, parameters))
    assert first[2] == context


def test_tags_of_a_new_endpoint_are_no_context_of_its_subnet():
    parameters = {
        "VpcId": "vpc-1",
        "SubnetIds": ["subnet-1"],
        "ServiceName": "com.amazonaws.us-east-1.bedrock-runtime",
        "TagSpecifications": [{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "Team", "Value": "a"}]}],
    }
    found = {(one.action, one.resource): one.context for one in ask("ec2", "CreateVpcEndpoint", parameters)}
    endpoint = found["ec2:CreateVpcEndpoint", f"{EC2}:vpc-endpoint/*"]
    assert endpoint["aws:requesttag/team"] == ("a",)
    assert endpoint["ec2:vpceservicename"] == ("com.amazonaws.us-east-1.bedrock-runtime",)
    assert set(found["ec2:CreateVpcEndpoint", f"{EC2}:subnet/subnet-1"]) == {
        "aws:requestedregion",
        "ec2:region",
    }
    assert found["ec2:CreateTags", f"{EC2}:vpc-endpoint/*"]["ec2:createaction"] == ("CreateVpcEndpoint",)


def test_passed_role_names_the_service():
    *_, last = ask("bedrock-agent", "CreateFlow", {"name": "f", "executionRoleArn": ROLE})
    assert (last.action, last.resource) == ("iam:PassRole", ROLE)
    assert last.context["iam:passedtoservice"] == ("bedrock.amazonaws.com",)


def test_key_of_a_guardrail_is_used_through_bedrock():
    found = ask("bedrock", "CreateGuardrail", {"name": "g", "kmsKeyId": "key-1"})
    keys = [one for one in found if one.action.startswith("kms:")]
    assert [one.action for one in keys] == [
        "kms:CreateGrant", "kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt",
    ]  # fmt: skip
    assert {one.resource for one in keys} == {f"arn:aws:kms:{REGION}:{ACCOUNT}:key/key-1"}
    assert {one.context["kms:viaservice"] for one in keys} == {("bedrock.us-east-1.amazonaws.com",)}


def test_a_grant_that_bedrock_makes_is_one_for_an_aws_resource():
    found = ask("bedrock", "CreateModelImportJob", {"importedModelKmsKeyId": "key-1"})
    told = {one.action: one.context.get("kms:grantisforawsresource") for one in found}
    assert told == {
        "bedrock:CreateModelImportJob": None,
        "kms:CreateGrant": ("true",),
        "kms:DescribeKey": None,
        "kms:GenerateDataKey": None,
        "kms:Decrypt": None,
    }


KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/key-1"
FLOW_UNDER_KEY = {"customerEncryptionKeyArn": KEY, "flowIdentifier": "ABCDEFGHIJ"}
ENCRYPTED_CALLS = {
    "CreateFlow": (FLOW_UNDER_KEY, "aws:bedrock-flows:arn", f"{HERE}:flow/*"),
    "UpdateFlow": (FLOW_UNDER_KEY, "aws:bedrock-flows:arn", f"{HERE}:flow/ABCDEFGHIJ"),
    "CreateAgent": ({"customerEncryptionKeyArn": KEY}, "aws:bedrock:arn", f"{HERE}:agent/*"),
    "UpdateAgent": (
        {"customerEncryptionKeyArn": KEY, "agentId": "KLMNOPQRST"},
        "aws:bedrock:arn",
        f"{HERE}:agent/KLMNOPQRST",
    ),
}


@pytest.mark.parametrize(("operation", "case"), ENCRYPTED_CALLS.items(), ids=ENCRYPTED_CALLS)
def test_keys_of_agents_and_flows_are_used_for_them_alone(operation, case):
    parameters, name, arn = case
    keys = [one for one in ask("bedrock-agent", operation, parameters) if one.action.startswith("kms:")]
    assert [one.action for one in keys] == ["kms:GenerateDataKey", "kms:Decrypt"]
    for one in keys:
        assert one.context[f"kms:encryptioncontext:{name}"] == (arn,)
        assert one.context["kms:encryptioncontextkeys"] == (name,)


TAGGED_JOBS = {
    "jobs and models": ({"jobTags": [{"key": "a", "value": "1"}], "customModelTags": [{"key": "b", "value": "2"}]}, ["custom-model", "model-customization-job"]),
    "jobs": ({"jobTags": [{"key": "a", "value": "1"}]}, ["model-customization-job"]),
    "models": ({"customModelTags": [{"key": "b", "value": "2"}]}, ["custom-model"]),
    "nothing": ({}, []),
}  # fmt: skip


@pytest.mark.parametrize(("parameters", "kinds"), TAGGED_JOBS.values(), ids=TAGGED_JOBS)
def test_a_job_is_tagged_and_so_is_what_it_makes(parameters, kinds):
    found = ask("bedrock", "CreateModelCustomizationJob", {"jobName": "j", **parameters})
    tagging = [one for one in found if one.action == "bedrock:TagResource"]
    assert [one.resource.split(":")[5].partition("/")[0] for one in tagging] == kinds
    names = sorted(name for name, _ in (("a", "jobTags"), ("b", "customModelTags")) if _ in parameters)
    for one in found if kinds else ():
        assert sorted(one.context["aws:tagkeys"]) == names


def test_global_services_are_requested_at_their_endpoint():
    (one,) = ask("iam", "ListRoles", region="eu-west-1")
    assert one.context == {"aws:requestedregion": ("us-east-1",)}


def test_paths_of_entities_come_from_the_account():
    (one,) = ask("iam", "DeleteRole", {"RoleName": "App"}, paths=lambda kind, name: f"/{kind}s/")
    assert one.resource == f"arn:aws:iam::{ACCOUNT}:role/roles/App"


# ---- every operation there is ---------------------------------------------------------------------------------------


def _sample(shape, depth=0):
    """A minimal value of a shape: every string is ``x1``."""
    if shape.type_name == "structure":
        members = (
            shape.members if depth == 0 else {name: shape.members[name] for name in shape.required_members}
        )
        return {name: _sample(member, depth + 1) for name, member in members.items()} if depth < 4 else {}
    if shape.type_name == "list":
        return [_sample(shape.member, depth + 1)]
    if shape.type_name == "map":
        return {}
    return {"boolean": True, "integer": 1, "long": 1, "float": 1.0, "double": 1.0}.get(
        shape.type_name, "x1.y1"
    )


def _regex(pattern):
    return re.compile(re.escape(pattern).replace(r"\*", ".*"))


NEED_A_MODEL = {
    "Converse", "ConverseStream", "CountTokens", "InvokeModel", "InvokeModelWithBidirectionalStream",
    "InvokeModelWithResponseStream", "StartAsyncInvoke",
}  # fmt: skip


@pytest.mark.parametrize("service", sorted(services()))
def test_every_operation_resolves_to_actions_and_resources_of_the_reference(service):
    session = botocore.session.get_session()
    modelled = service in session.get_available_services()
    model = session.get_service_model(service) if modelled else None
    for operation in services()[service].operations.values():
        shape = model.operation_model(operation).input_shape if model else None
        for parameters in ({}, _sample(shape) if shape else {}):
            if not parameters and service == "bedrock-runtime" and operation in NEED_A_MODEL:
                with pytest.raises(UnresolvedModelError, match="needs the parameter modelId"):
                    ask(service, operation, parameters)
                continue
            found = ask(service, operation, parameters)
            assert found, operation
            for one in found:
                known = load().action(one.action)
                if known is None or one.resource == "*" or ":*/" in one.resource:  # an EC2 id of unknown type
                    continue
                patterns = load().resource_patterns(one.action)
                assert any(_regex(pattern).fullmatch(one.resource) for pattern in patterns), (operation, one)


WHOLE_CALLS = {
    "Converse": {
        "modelId": "us.amazon.nova-pro-v1:0",
        "messages": [{"role": "user", "content": [{"text": "arn:aws:bedrock:us-east-1:1:guardrail/x"}]}],
        "system": [{"text": "be kind"}],
        "inferenceConfig": {"maxTokens": 5},
        "toolConfig": {"tools": []},
        "guardrailConfig": {"guardrailIdentifier": "abc", "guardrailVersion": "3", "trace": "enabled"},
        "serviceTier": {"type": "flex"},
        "requestMetadata": {"tags": "x", "modelId": "y"},
    },
    "InvokeModel": {
        "modelId": "amazon.nova-pro-v1:0",
        "body": b'{"tags": [{"key": "a", "value": "b"}]}',
        "contentType": "application/json",
        "trace": "ENABLED",
        "guardrailIdentifier": "arn:aws:bedrock:us-east-1:111122223333:guardrail/abc",
        "guardrailVersion": "DRAFT",
        "serviceTier": "priority",
    },
}
WHOLE_CALLS["ConverseStream"] = WHOLE_CALLS["Converse"]
WHOLE_CALLS["InvokeModelWithResponseStream"] = WHOLE_CALLS["InvokeModel"]
NAMED = ("modelId", "guardrailConfig", "guardrailIdentifier", "guardrailVersion", "serviceTier")


@pytest.mark.parametrize("operation", WHOLE_CALLS)
@pytest.mark.parametrize("bearer", [None, "LONG_TERM"])
def test_what_decides_an_inference_call_is_all_that_does(operation, bearer):
    whole = WHOLE_CALLS[operation]
    named = {name: value for name, value in whole.items() if name in NAMED}
    where = {"account": "111122223333", "region": "us-east-1", "bearer_token": bearer}
    assert authorizations("bedrock-runtime", operation, whole, **where) == authorizations(
        "bedrock-runtime", operation, named, **where
    )
    assert deciding("bedrock-runtime", operation, whole) == deciding("bedrock-runtime", operation, named)
    for table in (ADDED, PASSED, KEYS):
        assert ("bedrock-runtime", operation) not in table
    assert operation not in TAGGED


@pytest.mark.parametrize("name", NAMED)
def test_calls_that_differ_in_what_decides_are_told_apart(name):
    for operation, whole in WHOLE_CALLS.items():
        other = {"guardrailConfig": {"guardrailIdentifier": "abc", "guardrailVersion": "4"}}.get(
            name, "other"
        )
        if name in whole:
            changed = {**whole, name: other}
            assert deciding("bedrock-runtime", operation, changed) != deciding(
                "bedrock-runtime", operation, whole
            )


def test_a_decryption_is_decided_by_its_key_unless_it_says_more():
    key = "arn:aws:kms:us-east-1:111122223333:key/k"
    assert deciding("kms", "Decrypt", {"KeyId": key, "CiphertextBlob": b"x"}) == (key,)
    more = {"KeyId": key, "CiphertextBlob": b"x", "EncryptionContext": {"a": "b"}}
    assert deciding("kms", "Decrypt", more) is None
    assert deciding("kms", "Encrypt", {"KeyId": key, "CiphertextBlob": b"x"}) is None
    assert deciding("bedrock-runtime", "CountTokens", {"modelId": "x"}) is None
