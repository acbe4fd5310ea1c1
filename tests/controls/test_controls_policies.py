"""Requests against the quickstart's policies, with verdicts derived by hand from AWS's documentation.

Each policy is asked alone, as a principal that may do everything else: what it denies, and what it leaves alone.
"""

from __future__ import annotations

from typing import Any

import pytest

from controls.controls_estates import ACCOUNT, context, declaration, desired, quickstart
from ringwall import catalog
from ringwall.controls.ask import ask
from ringwall.controls.compile import compile_estate
from ringwall.controls.endpoints import endpoint_policy
from ringwall.estate.references import bind, placeholders
from ringwall.iam.codec import request_from_json
from ringwall.iam.evaluate import decide
from ringwall.iam.parser import parse_policy
from ringwall.iam.policy import PolicyLevel, PolicySet
from ringwall.perimeter.rules import ENDPOINT_SERVICES

EVERYTHING = parse_policy(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)
ANYBODY = parse_policy(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
    }
)
"""A resource policy that is in nobody's way: keys and roles are never reached by identity policies alone."""
IDS = placeholders(compile_estate(declaration()))
PINNED = IDS["guardrail-version/baseline"]["Arn"]
DRAFT = IDS["guardrail/baseline"]["Arn"]
WEAK = IDS["guardrail-version/team-experiment"]["Arn"]
RUNTIME = IDS["endpoint/bedrock-runtime"]["Id"]
AGENTS = IDS["endpoint/bedrock-agent-runtime"]["Id"]
OPERATOR = f"arn:aws:iam::{ACCOUNT}:role/quickstart-operator"
APP = f"arn:aws:iam::{ACCOUNT}:role/quickstart-app"
SEARCH = f"arn:aws:iam::{ACCOUNT}:role/quickstart-search"
ASSISTANT = f"arn:aws:iam::{ACCOUNT}:role/quickstart-assistant"
AUDITOR = f"arn:aws:iam::{ACCOUNT}:role/quickstart-auditor"
GUARDRAIL_ADMIN = f"arn:aws:iam::{ACCOUNT}:role/quickstart-guardrail-admin"
ADMIN = f"arn:aws:iam::{ACCOUNT}:user/SandboxAdministrator"
CLAUDE = "anthropic.claude-sonnet-4-5-20250929-v1:0"
PROFILE = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/us.{CLAUDE}"
NOVA_PROFILE = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/us.amazon.nova-pro-v1:0"
INVOKE = "bedrock:InvokeModel"
LOGS = f"arn:aws:s3:::ringwall-quickstart-invocation-logs-{ACCOUNT}-us-east-1"
TRAIL = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/quickstart-bedrock"
GROUP = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/bedrock/quickstart/model-invocations"


def model(region: str = "us-east-1", name: str = CLAUDE) -> str:
    return f"arn:aws:bedrock:{region}::foundation-model/{name}"


def guarded(value: str = PINNED, **more: str) -> dict[str, str]:
    return {"bedrock:GuardrailIdentifier": value, "aws:RequestedRegion": "us-east-1", **more}


def scp(name: str, principal: str, action: str, resource: str, keys: dict[str, str]) -> bool:
    """Whether one service control policy lets the request of an all-powerful principal through."""
    policy = parse_policy(desired().find(f"scp/{name}").get("Content"), name=name)  # type: ignore[union-attr]
    request = request_from_json(
        {"principal": principal, "action": action, "resource": resource, "context": keys}
    )
    levels = (PolicyLevel(ACCOUNT, (EVERYTHING, policy)),)
    return decide(request, PolicySet(identity=(EVERYTHING,), resource=ANYBODY, scp=levels)).allowed


@pytest.mark.parametrize(
    ("allowed", "action", "resource", "keys"),
    [
        (True, INVOKE, model(), guarded()),
        (True, "bedrock:InvokeModelWithResponseStream", PROFILE, guarded()),
        (False, INVOKE, model(), {"aws:RequestedRegion": "us-east-1"}),
        (False, INVOKE, model(), guarded(DRAFT)),
        (False, INVOKE, model(), guarded(WEAK)),
        (False, INVOKE, model(), guarded(f"{DRAFT}9:1")),
        (False, INVOKE, f"arn:aws:bedrock:us-east-1:{ACCOUNT}:project/default", {}),
        (False, "bedrock:CreateModelInvocationJob", model(), {}),
        (False, "bedrock:RetrieveAndGenerate", "*", {}),
        (
            False,
            "bedrock-mantle:CreateInference",
            f"arn:aws:bedrock-mantle:us-east-1:{ACCOUNT}:project/x",
            {},
        ),
        (False, "aws-external-anthropic:CreateInference", "*", {}),
        (False, "bedrock:InvokeInlineAgent", "*", {}),
        (
            True,
            "bedrock:InvokeAgent",
            f"arn:aws:bedrock:us-east-1:{ACCOUNT}:agent-alias/AGENTQUIC1/ALIASQUIC1",
            {},
        ),
        (
            False,
            "bedrock:InvokeAgent",
            f"arn:aws:bedrock:us-east-1:{ACCOUNT}:agent-alias/AGENTQUIC1/TSTALIASID",
            {},
        ),
        (True, "bedrock:ApplyGuardrail", DRAFT, {}),
        (True, "bedrock:Retrieve", f"arn:aws:bedrock:us-east-1:{ACCOUNT}:knowledge-base/KBQUICKST1", {}),
        (True, "s3:GetObject", "arn:aws:s3:::x/y", {}),
    ],
)
def test_guardrail_policy(allowed: bool, action: str, resource: str, keys: dict[str, str]) -> None:
    assert scp("guardrail", OPERATOR, action, resource, keys) is allowed
    assert scp("guardrail", ADMIN, action, resource, keys) is allowed


@pytest.mark.parametrize(
    ("allowed", "action", "resource"),
    [
        (True, INVOKE, PROFILE),
        (True, INVOKE, NOVA_PROFILE),
        (True, INVOKE, model()),
        (True, INVOKE, model("us-west-2")),
        (False, INVOKE, model("eu-west-1")),
        (False, INVOKE, model(name="meta.llama3-1-70b-instruct-v1:0")),
        (False, INVOKE, PROFILE.replace("us-east-1", "us-west-2")),
        (False, INVOKE, f"arn:aws:bedrock:us-east-1:{ACCOUNT}:application-inference-profile/abc"),
        (False, INVOKE, f"arn:aws:bedrock:us-east-1:{ACCOUNT}:imported-model/abc"),
        (False, INVOKE, f"arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/global.{CLAUDE}"),
        (False, INVOKE, model("")),
        (True, "bedrock:ApplyGuardrail", DRAFT),
        (True, "bedrock:GetFoundationModel", model(name="meta.llama3-1-70b-instruct-v1:0")),
    ],
)
def test_models_policy(allowed: bool, action: str, resource: str) -> None:
    assert scp("models", OPERATOR, action, resource, guarded()) is allowed


@pytest.mark.parametrize(
    ("allowed", "action", "region", "profile"),
    [
        (True, INVOKE, "us-east-1", None),
        (True, INVOKE, "us-east-1", PROFILE),
        (True, INVOKE, "us-west-2", PROFILE),
        (True, INVOKE, "us-east-2", PROFILE),
        (False, INVOKE, "us-west-2", None),
        (False, INVOKE, "eu-west-1", PROFILE),
        (False, INVOKE, "unspecified", PROFILE),
        (False, INVOKE, "us-west-2", PROFILE.replace("us-east-1", "us-west-2")),
        (True, "bedrock:CreateGuardrail", "us-east-1", None),
        (False, "bedrock:CreateGuardrail", "us-west-2", None),
        (False, "bedrock-mantle:CreateInference", "eu-central-1", None),
        (False, "bedrock-agentcore:InvokeAgentRuntime", "us-west-2", None),
        (False, "bedrock:InvokeAgent", "us-west-2", None),
        (True, "bedrock:ApplyGuardrail", "us-west-2", None),
        (True, "bedrock:ListGuardrails", "eu-west-1", None),
        (True, "ec2:RunInstances", "eu-west-1", None),
    ],
)
def test_regions_policy(allowed: bool, action: str, region: str, profile: str | None) -> None:
    keys = {"aws:RequestedRegion": region, **({"bedrock:InferenceProfileArn": profile} if profile else {})}
    assert scp("regions", OPERATOR, action, "*", keys) is allowed


@pytest.mark.parametrize(
    ("allowed", "action", "keys"),
    [
        (True, INVOKE, {"aws:SourceVpce": RUNTIME}),
        (False, INVOKE, {}),
        (False, INVOKE, {"aws:SourceVpce": "vpce-0123456789abcdef0"}),
        (False, INVOKE, {"aws:SourceVpce": AGENTS}),
        (False, INVOKE, {"aws:ViaAWSService": "true"}),
        (False, "bedrock:ApplyGuardrail", {"aws:SourceIp": "203.0.113.7"}),
        (True, "bedrock:Retrieve", {"aws:SourceVpce": AGENTS}),
        (False, "bedrock:Retrieve", {"aws:SourceVpce": RUNTIME}),
        (False, "bedrock:InvokeAgent", {}),
        (True, "bedrock:ListFoundationModels", {}),
        (True, "bedrock:UpdateGuardrail", {}),
    ],
)
def test_network_policy(allowed: bool, action: str, keys: dict[str, str]) -> None:
    assert scp("network", OPERATOR, action, "*", keys) is allowed


PROTECTED: tuple[tuple[str, str, bool, bool], ...] = (
    # action, resource, whether the guardrail administrator may, whether an ordinary principal may
    ("bedrock:UpdateGuardrail", DRAFT, True, False),
    ("bedrock:CreateGuardrailVersion", DRAFT, True, False),
    ("bedrock:UpdateGuardrail", IDS["guardrail/team-experiment"]["Arn"], True, True),
    ("bedrock:DeleteModelInvocationLoggingConfiguration", "*", False, False),
    ("bedrock:PutEnforcedGuardrailConfiguration", "*", False, False),
    ("kms:ScheduleKeyDeletion", IDS["key/trail"]["Arn"], False, False),
    ("kms:ScheduleKeyDeletion", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/other", True, True),
    ("kms:CreateGrant", IDS["key/guardrail"]["Arn"], True, False),
    ("kms:Decrypt", IDS["key/trail"]["Arn"], False, False),
    ("kms:Decrypt", IDS["key/invocation-log-bucket"]["Arn"], False, False),
    ("kms:Decrypt", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/other", True, True),
    ("cloudtrail:StopLogging", TRAIL, False, False),
    ("cloudtrail:StopLogging", f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/other", True, True),
    ("logs:DeleteLogGroup", f"{GROUP}:*", False, False),
    ("logs:PutSubscriptionFilter", GROUP, False, False),
    ("logs:GetLogEvents", f"{GROUP}:log-stream:x", True, True),
    ("s3:PutBucketPolicy", LOGS, False, False),
    ("s3:DeleteObject", f"{LOGS}/invocation-logs/x", False, False),
    ("s3:PutBucketPolicy", "arn:aws:s3:::somebody-elses", True, True),
    ("ec2:ModifyVpcEndpoint", IDS["endpoint/bedrock-runtime"]["Arn"], False, False),
    ("ec2:DeleteVpcEndpoints", f"arn:aws:ec2:us-east-1:{ACCOUNT}:vpc-endpoint/vpce-0other", True, True),
    ("ec2:AuthorizeSecurityGroupIngress", IDS["security-group/endpoints"]["Arn"], False, False),
    ("sns:Unsubscribe", f"arn:aws:sns:us-east-1:{ACCOUNT}:quickstart-bedrock-alarms", False, False),
    (
        "cloudwatch:DeleteAlarms",
        f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:quickstart-mantle-use",
        False,
        False,
    ),
    (
        "events:DisableRule",
        f"arn:aws:events:us-east-1:{ACCOUNT}:rule/quickstart-control-tampering",
        False,
        False,
    ),
    ("iam:PutRolePolicy", APP, False, False),
    ("iam:CreateAccessKey", ADMIN, False, False),
    ("iam:PutRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/other", True, True),
)


@pytest.mark.parametrize(("action", "resource", "guardrail_admin", "anybody"), PROTECTED)
def test_protection_policy(action: str, resource: str, guardrail_admin: bool, anybody: bool) -> None:
    assert scp("protect", ADMIN, action, resource, {}) is True
    assert scp("protect", GUARDRAIL_ADMIN, action, resource, {}) is guardrail_admin
    assert scp("protect", OPERATOR, action, resource, {}) is anybody
    assert scp("protect", f"arn:aws:iam::{ACCOUNT}:root", action, resource, {}) is anybody


@pytest.mark.parametrize(
    ("allowed", "principal", "key"),
    [
        (True, OPERATOR, "guardrail"),
        (True, APP, "guardrail"),
        (False, AUDITOR, "guardrail"),
        (False, f"arn:aws:iam::{ACCOUNT}:role/other", "guardrail"),
        (True, AUDITOR, "trail"),
        (False, APP, "trail"),
        (False, AUDITOR, "invocation-log-bucket"),
        (True, ADMIN, "invocation-log-bucket"),
    ],
)
def test_keys_are_decrypted_by_their_users(allowed: bool, principal: str, key: str) -> None:
    assert scp("protect", principal, "kms:Decrypt", IDS[f"key/{key}"]["Arn"], {}) is allowed


@pytest.mark.parametrize(
    ("allowed", "principal"),
    [
        (True, APP),
        (True, OPERATOR),
        (False, ADMIN),
        (False, f"arn:aws:iam::{ACCOUNT}:root"),
        (False, f"arn:aws:iam::{ACCOUNT}:role/other"),
        (False, f"arn:aws:iam::{ACCOUNT}:role/path/quickstart-app"),
    ],
)
def test_only_declared_principals_run_anything(allowed: bool, principal: str) -> None:
    for action, resource in ((INVOKE, PROFILE), ("bedrock:InvokeAgent", "*"), ("bedrock:Retrieve", "*")):
        assert scp("models", principal, action, resource, {}) is allowed
    assert scp("models", principal, "bedrock:ListGuardrails", "*", {}) is True


def test_only_administrators_change_policies_and_nobody_leaves_the_organization() -> None:
    assert not scp("organization", ADMIN, "organizations:LeaveOrganization", "*", {})
    assert scp("organization", ADMIN, "organizations:DetachPolicy", "*", {})
    assert not scp(
        "organization", f"arn:aws:iam::{ACCOUNT}:role/Other", "organizations:DetachPolicy", "*", {}
    )


BEDROCK_KEY = {"iam:ServiceSpecificCredentialServiceName": "bedrock.amazonaws.com"}


@pytest.mark.parametrize(
    ("allowed", "principal", "action", "keys"),
    [
        (False, ADMIN, "iam:CreateServiceSpecificCredential", BEDROCK_KEY),
        (False, OPERATOR, "iam:ResetServiceSpecificCredential", BEDROCK_KEY),
        (True, ADMIN, "iam:UpdateServiceSpecificCredential", BEDROCK_KEY),
        (False, OPERATOR, "iam:UpdateServiceSpecificCredential", BEDROCK_KEY),
        (True, OPERATOR, "iam:DeleteServiceSpecificCredential", BEDROCK_KEY),
        (True, OPERATOR, "iam:CreateServiceSpecificCredential", {"iam:ServiceSpecificCredentialServiceName": "codecommit.amazonaws.com"}),
        (False, APP, "bedrock:CallWithBearerToken", {"bedrock:BearerTokenType": "SHORT_TERM"}),
        (False, ADMIN, "bedrock-mantle:CallWithBearerToken", {}),
        (True, APP, INVOKE, {}),
    ],
)  # fmt: skip
def test_api_key_policy(allowed: bool, principal: str, action: str, keys: dict[str, str]) -> None:
    assert scp("api-keys", principal, action, "*", keys) is allowed


@pytest.mark.parametrize(
    ("allowed", "action", "keys"),
    [
        (True, "bedrock:PutAccountDataRetention", {"bedrock:DataRetentionMode": "none"}),
        (False, "bedrock:PutAccountDataRetention", {"bedrock:DataRetentionMode": "aws_review"}),
        (False, "bedrock:PutAccountDataRetention", {"bedrock:DataRetentionMode": "inherit"}),
        (False, "bedrock-mantle:PutAccountDataRetention", {"bedrock-mantle:DataRetentionMode": "default"}),
        (True, "bedrock-mantle:UpdateProject", {}),
        (True, "bedrock-mantle:CreateProject", {"bedrock-mantle:DataRetentionMode": "inherit"}),
        (False, "bedrock-mantle:UpdateProject", {"bedrock-mantle:DataRetentionMode": "provider_data_share"}),
    ],
)
def test_retention_policy(allowed: bool, action: str, keys: dict[str, str]) -> None:
    assert scp("retention", ADMIN, action, "*", keys) is allowed


def whole(
    principal: str, action: str, resource: str, keys: dict[str, str], endpoint: str | None = None
) -> bool:
    """The decision by every policy of the Estate, the endpoint's included."""
    access = context().access
    given = {"aws:SourceVpce": endpoint, **keys} if endpoint else keys
    request = request_from_json(
        {
            "principal": principal,
            "action": action,
            "resource": resource,
            "resource_account": ACCOUNT,
            "context": given,
        }
    )
    return decide(
        request, access.policies(principal, resource=resource, action=action, endpoint=endpoint)
    ).allowed


@pytest.mark.parametrize(
    ("allowed", "principal", "action", "resource", "keys", "endpoint"),
    [
        # the application
        (True, APP, INVOKE, PROFILE, guarded(), RUNTIME),
        (True, APP, INVOKE, model("us-west-2"), {**guarded(), "aws:RequestedRegion": "us-west-2", "bedrock:InferenceProfileArn": PROFILE}, RUNTIME),
        (False, APP, INVOKE, model(), guarded(), RUNTIME),
        (False, APP, INVOKE, PROFILE, guarded(), None),
        (False, APP, INVOKE, PROFILE, guarded(DRAFT), RUNTIME),
        (True, APP, "bedrock:ApplyGuardrail", DRAFT, {"aws:RequestedRegion": "us-east-1"}, RUNTIME),
        (False, APP, "bedrock:UpdateGuardrail", DRAFT, {"aws:RequestedRegion": "us-east-1"}, None),
        (False, APP, "bedrock:Retrieve", f"arn:aws:bedrock:us-east-1:{ACCOUNT}:knowledge-base/KBQUICKST1", {}, AGENTS),
        # search
        (True, SEARCH, "bedrock:Retrieve", f"arn:aws:bedrock:us-east-1:{ACCOUNT}:knowledge-base/KBQUICKST1", {"aws:RequestedRegion": "us-east-1"}, AGENTS),
        (False, SEARCH, "bedrock:Retrieve", f"arn:aws:bedrock:us-east-1:{ACCOUNT}:knowledge-base/OTHERKB001", {"aws:RequestedRegion": "us-east-1"}, AGENTS),
        (True, SEARCH, INVOKE, NOVA_PROFILE, guarded(), RUNTIME),
        (False, SEARCH, INVOKE, PROFILE, guarded(), RUNTIME),
        (False, SEARCH, "bedrock:RetrieveAndGenerate", "*", {"aws:RequestedRegion": "us-east-1"}, AGENTS),
        (False, SEARCH, "s3:GetObject", "arn:aws:s3:::knowledge/x", {}, None),
        # the assistant
        (True, ASSISTANT, "bedrock:InvokeAgent", f"arn:aws:bedrock:us-east-1:{ACCOUNT}:agent-alias/AGENTQUIC1/ALIASQUIC1", {"aws:RequestedRegion": "us-east-1"}, AGENTS),
        (False, ASSISTANT, "bedrock:InvokeAgent", f"arn:aws:bedrock:us-east-1:{ACCOUNT}:agent-alias/AGENTQUIC1/TSTALIASID", {"aws:RequestedRegion": "us-east-1"}, AGENTS),
        (False, ASSISTANT, INVOKE, PROFILE, guarded(), RUNTIME),
        # the guardrail administrator
        (True, GUARDRAIL_ADMIN, "bedrock:UpdateGuardrail", DRAFT, {"aws:RequestedRegion": "us-east-1"}, None),
        (False, GUARDRAIL_ADMIN, INVOKE, PROFILE, guarded(), RUNTIME),
        (False, GUARDRAIL_ADMIN, "bedrock:PutEnforcedGuardrailConfiguration", "*", {"aws:RequestedRegion": "us-east-1"}, None),
        # the auditor
        (True, AUDITOR, "bedrock:GetModelInvocationLoggingConfiguration", "*", {}, None),
        (True, AUDITOR, "s3:GetObject", f"arn:aws:s3:::ringwall-quickstart-trail-{ACCOUNT}-us-east-1/AWSLogs/x", {"aws:SecureTransport": "true"}, None),
        (False, AUDITOR, "s3:GetObject", f"{LOGS}/invocation-logs/x", {"aws:SecureTransport": "true"}, None),
        (False, AUDITOR, "logs:GetLogEvents", f"{GROUP}:log-stream:aws/bedrock/modelinvocations", {}, None),
        (False, AUDITOR, "kms:Decrypt", IDS["key/invocation-log-bucket"]["Arn"], {}, None),
        (False, AUDITOR, "bedrock:DeleteGuardrail", DRAFT, {"aws:RequestedRegion": "us-east-1"}, None),
        # the operator, whom nothing but the organization's policies holds
        (True, OPERATOR, INVOKE, PROFILE, guarded(), RUNTIME),
        (False, OPERATOR, INVOKE, PROFILE, guarded(WEAK), RUNTIME),
        (False, OPERATOR, INVOKE, PROFILE, {"aws:RequestedRegion": "us-east-1"}, RUNTIME),
        (False, OPERATOR, INVOKE, PROFILE, guarded(), None),
        (False, OPERATOR, INVOKE, model(name="meta.llama3-1-70b-instruct-v1:0"), guarded(), RUNTIME),
        (False, OPERATOR, "bedrock:DeleteGuardrail", DRAFT, {"aws:RequestedRegion": "us-east-1"}, None),
        (False, OPERATOR, "bedrock:DeleteModelInvocationLoggingConfiguration", "*", {"aws:RequestedRegion": "us-east-1"}, None),
    ],
)  # fmt: skip
def test_uses_by_all_policies(
    allowed: bool, principal: str, action: str, resource: str, keys: dict[str, str], endpoint: str | None
) -> None:
    assert whole(principal, action, resource, keys, endpoint) is allowed


def endpoint_lets(service: str, principal: str, action: str, resource: str) -> bool:
    policy = parse_policy(desired().find(f"endpoint/{service}").get("PolicyDocument"))  # type: ignore[union-attr]
    request = request_from_json({"principal": principal, "action": action, "resource": resource})
    return decide(
        request, PolicySet(identity=(EVERYTHING,), resource=ANYBODY, vpc_endpoint=(policy,))
    ).allowed


STRANGER = "arn:aws:iam::444455556666:role/Stranger"


@pytest.mark.parametrize(
    ("allowed", "service", "principal", "action", "resource"),
    [
        (True, "bedrock-runtime", APP, INVOKE, PROFILE),
        (True, "bedrock-runtime", APP, INVOKE, model("us-east-2")),
        (False, "bedrock-runtime", APP, INVOKE, model(name="meta.llama3-1-70b-instruct-v1:0")),
        (False, "bedrock-runtime", STRANGER, INVOKE, model()),
        (False, "bedrock-runtime", APP, "bedrock:CallWithBearerToken", "*"),
        (True, "bedrock-runtime", APP, "bedrock:ApplyGuardrail", DRAFT),
        (True, "bedrock-agent-runtime", SEARCH, "bedrock:Retrieve", f"arn:aws:bedrock:us-east-1:{ACCOUNT}:knowledge-base/KBQUICKST1"),
        (False, "bedrock-agent-runtime", SEARCH, "bedrock:Retrieve", f"arn:aws:bedrock:us-east-1:{ACCOUNT}:knowledge-base/OTHER00001"),
        (False, "bedrock-agent-runtime", SEARCH, "bedrock:RetrieveAndGenerate", "*"),
        (False, "bedrock-agent-runtime", STRANGER, "bedrock:InvokeAgent", f"arn:aws:bedrock:us-east-1:{ACCOUNT}:agent-alias/AGENTQUIC1/ALIASQUIC1"),
        (True, "bedrock", ADMIN, "bedrock:CreateGuardrail", "*"),
        (False, "bedrock", STRANGER, "bedrock:CreateGuardrail", "*"),
        (True, "sts", ADMIN, "sts:AssumeRole", APP),
        (True, "sts", ADMIN, "sts:AssumeRole", "arn:aws:iam::999988887777:role/RingwallManagement"),
        (False, "sts", ADMIN, "sts:AssumeRole", "arn:aws:iam::444455556666:role/Exfiltrate"),
        (False, "sts", STRANGER, "sts:AssumeRole", APP),
    ],
)  # fmt: skip
def test_endpoint_policies(allowed: bool, service: str, principal: str, action: str, resource: str) -> None:
    assert endpoint_lets(service, principal, action, resource) is allowed


@pytest.mark.parametrize("service", ENDPOINT_SERVICES)
def test_endpoint_policies_name_services_that_iam_knows(service: str) -> None:
    """An endpoint's name need not be a prefix of actions, and one that is none allows nothing or is refused."""
    statements = endpoint_policy(quickstart(), service)["Statement"]
    actions = [item["Action"] for item in statements]
    flat = [name for item in actions for name in ([item] if isinstance(item, str) else item)]
    assert flat
    assert [name for name in flat if not catalog.load().actions_matching(name)] == []


BEDROCK, CLOUDTRAIL, CLOUDWATCH, EVENTS = (
    f"{name}.amazonaws.com" for name in ("bedrock", "cloudtrail", "cloudwatch", "events")
)
FOR_US = {
    "aws:SourceAccount": ACCOUNT,
    "aws:SourceArn": f"arn:aws:bedrock:us-east-1:{ACCOUNT}:x",
    "aws:SecureTransport": "true",
}
FOR_OTHERS = {
    **FOR_US,
    "aws:SourceAccount": "444455556666",
    "aws:SourceArn": "arn:aws:bedrock:us-east-1:444455556666:x",
}
DELIVERED = f"{LOGS}/invocation-logs/AWSLogs/{ACCOUNT}/BedrockModelInvocationLogs/us-east-1/x.gz"
TRAIL_BUCKET = f"arn:aws:s3:::ringwall-quickstart-trail-{ACCOUNT}-us-east-1"
OF_TRAIL = {
    "aws:SourceArn": TRAIL,
    "aws:SecureTransport": "true",
    "s3:x-amz-acl": "bucket-owner-full-control",
}


@pytest.mark.parametrize(
    ("allowed", "principal", "action", "resource", "keys"),
    [
        (True, BEDROCK, "s3:PutObject", DELIVERED, FOR_US),
        (False, BEDROCK, "s3:PutObject", DELIVERED, FOR_OTHERS),
        (False, BEDROCK, "s3:PutObject", DELIVERED, {**FOR_US, "aws:SecureTransport": "false"}),
        (False, BEDROCK, "s3:PutObject", f"{LOGS}/elsewhere/x", FOR_US),
        (False, BEDROCK, "s3:GetObject", DELIVERED, FOR_US),
        (True, BEDROCK, "kms:GenerateDataKey", IDS["key/invocation-log-bucket"]["Arn"], FOR_US),
        (False, BEDROCK, "kms:GenerateDataKey", IDS["key/invocation-log-bucket"]["Arn"], FOR_OTHERS),
        (False, BEDROCK, "kms:Decrypt", IDS["key/trail"]["Arn"], FOR_US),
        (True, BEDROCK, "sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/quickstart-invocation-logging", FOR_US),
        (False, BEDROCK, "sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/quickstart-invocation-logging", FOR_OTHERS),
        (False, BEDROCK, "sts:AssumeRole", APP, FOR_US),
        (True, "logs.us-east-1.amazonaws.com", "kms:Encrypt", IDS["key/invocation-log-group"]["Arn"], {"kms:EncryptionContext:aws:logs:arn": GROUP}),
        (False, "logs.us-east-1.amazonaws.com", "kms:Encrypt", IDS["key/invocation-log-group"]["Arn"], {"kms:EncryptionContext:aws:logs:arn": f"{GROUP}2"}),
        (True, CLOUDTRAIL, "s3:PutObject", f"{TRAIL_BUCKET}/AWSLogs/{ACCOUNT}/CloudTrail/x", OF_TRAIL),
        (True, CLOUDTRAIL, "s3:GetBucketAcl", TRAIL_BUCKET, OF_TRAIL),
        (False, CLOUDTRAIL, "s3:PutObject", f"{TRAIL_BUCKET}/AWSLogs/{ACCOUNT}/x", {**OF_TRAIL, "aws:SourceArn": TRAIL + "2"}),
        (False, CLOUDTRAIL, "s3:DeleteObject", f"{TRAIL_BUCKET}/AWSLogs/{ACCOUNT}/x", OF_TRAIL),
        (True, CLOUDTRAIL, "kms:GenerateDataKey", IDS["key/trail"]["Arn"], {**OF_TRAIL, "kms:EncryptionContext:aws:cloudtrail:arn": TRAIL}),
        (True, CLOUDWATCH, "sns:Publish", f"arn:aws:sns:us-east-1:{ACCOUNT}:quickstart-bedrock-alarms", {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:x", "aws:SecureTransport": "true"}),
        (False, CLOUDWATCH, "sns:Publish", f"arn:aws:sns:us-east-1:{ACCOUNT}:quickstart-bedrock-alarms", {"aws:SourceAccount": "444455556666", "aws:SourceArn": "arn:aws:cloudwatch:us-east-1:444455556666:alarm:x"}),
        (True, EVENTS, "sns:Publish", f"arn:aws:sns:us-east-1:{ACCOUNT}:quickstart-bedrock-alarms", {}),
        (True, EVENTS, "kms:GenerateDataKey", IDS["key/alarms"]["Arn"], {}),
        (True, CLOUDWATCH, "kms:Decrypt", IDS["key/alarms"]["Arn"], {"aws:SourceAccount": ACCOUNT}),
        (False, BEDROCK, "sns:Publish", f"arn:aws:sns:us-east-1:{ACCOUNT}:quickstart-bedrock-alarms", FOR_US),
    ],
)  # fmt: skip
def test_services_at_their_work(
    allowed: bool, principal: str, action: str, resource: str, keys: dict[str, str]
) -> None:
    assert ask(context(), principal, action, resource, keys).allowed is allowed


def trusts(**use: Any) -> Any:
    estate = compile_estate(declaration(uses={"app": {"kind": "auditor", **use}}))
    estate = bind(estate, placeholders(estate))
    return parse_policy(estate.find("role/app").get("AssumeRolePolicyDocument"))  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("allowed", "use", "principal", "keys"),
    [
        (True, {}, ADMIN, {}),
        (False, {}, STRANGER, {}),
        (True, {"trust": [STRANGER]}, STRANGER, {}),
        (False, {"trust": [STRANGER]}, ADMIN.replace("SandboxAdministrator", "Somebody"), {}),
        (True, {"trust": [STRANGER], "external_id": "e-1"}, STRANGER, {"sts:ExternalId": "e-1"}),
        (False, {"trust": [STRANGER], "external_id": "e-1"}, STRANGER, {"sts:ExternalId": "e-2"}),
        (False, {"trust": [STRANGER], "external_id": "e-1"}, STRANGER, {}),
    ],
)
def test_trust(allowed: bool, use: dict[str, Any], principal: str, keys: dict[str, str]) -> None:
    request = request_from_json(
        {"principal": principal, "action": "sts:AssumeRole", "resource": APP, "context": keys}
    )
    assert decide(request, PolicySet(identity=(EVERYTHING,), resource=trusts(**use))).allowed is allowed


def test_service_roles_are_exempt_by_exact_arn_alone() -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/service-role/KnowledgeBase"
    estate = compile_estate(declaration(service_roles=[role]))
    estate = bind(estate, placeholders(estate))
    levels = tuple(
        parse_policy(estate.find(f"scp/{name}").get("Content"), name=name)  # type: ignore[union-attr]
        for name in ("guardrail", "models", "regions", "network", "protect")
    )
    policies = PolicySet(identity=(EVERYTHING,), scp=(PolicyLevel(ACCOUNT, (EVERYTHING, *levels)),))
    titan = model(name="amazon.titan-embed-text-v2:0")

    def may(principal: str, action: str, resource: str) -> bool:
        keys = {"aws:RequestedRegion": "us-east-1"}
        request = request_from_json(
            {"principal": principal, "action": action, "resource": resource, "context": keys}
        )
        return decide(request, policies).allowed

    assert may(role, INVOKE, titan)
    assert not may(f"{role}2", INVOKE, titan)
    assert not may(OPERATOR, "iam:PassRole", role)
    assert may(ADMIN, "iam:PassRole", role)
