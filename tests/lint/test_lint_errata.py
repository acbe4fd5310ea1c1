"""Policies as people copy them from blog posts, what is wrong with each, and the corrected forms, of which nothing is."""

from __future__ import annotations

import json

import pytest

from ringwall.lint import lint_text

BOTH = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]
ACCOUNT = "123456789012"


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": [dict(statement) for statement in statements]}


def deny(action, condition, resource="*", **more):
    return {"Effect": "Deny", "Action": action, "Resource": resource, "Condition": condition, **more}


def allow(action, resource, **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


GUARDRAIL_BY_WRONG_KEY = policy(deny(BOTH, {"Null": {"bedrock:GuardrailArn": "true"}}))
GUARDRAIL_PRESENT = policy(deny(BOTH, {"Null": {"bedrock:GuardrailIdentifier": "true"}}))
REGIONS = policy(deny("bedrock:*", {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1", "us-west-2"]}}))
EVERY_MODEL = policy(allow(BOTH, "arn:aws:bedrock:*::foundation-model/*"))
OLD_MODELS = policy(
    allow(
        BOTH,
        [
            "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-sonnet-20240229-v1:0",
            "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
        ],
    )
)
KNOWLEDGE_BASE = policy(
    allow(
        ["bedrock:Retrieve", "bedrock:RetrieveAndGenerate"],
        f"arn:aws:bedrock:us-east-1:{ACCOUNT}:knowledge-base/*",
    ),
    allow(["s3:GetObject", "s3:ListBucket"], ["arn:aws:s3:::knowledge", "arn:aws:s3:::knowledge/*"]),
)
AGENTS = policy(allow(["bedrock:InvokeAgent"], f"arn:aws:bedrock:us-east-1:{ACCOUNT}:agent-alias/*/*"))
ENDPOINT = policy(
    allow(
        BOTH,
        "arn:aws:bedrock:us-east-1::foundation-model/*",
        Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/BedrockRole"},
    )
)
GUARDRAILS_READ = policy(
    allow(["bedrock:GetGuardrail", "bedrock:ListGuardrails", "bedrock:ApplyGuardrail"], "*")
)
KEY = policy(
    allow("kms:*", "*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, Sid="Enable IAM policies"),
    allow(
        ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*"],
        "*",
        Principal={"Service": "bedrock.amazonaws.com"},
        Sid="Allow Bedrock",
    ),
)

ERRATA = [
    ("a key that does not exist", GUARDRAIL_BY_WRONG_KEY, "scp", "unknown-condition-key", "bedrock:GuardrailArn"),
    ("so everything is denied", GUARDRAIL_BY_WRONG_KEY, "scp", "deny-always-applies", "bedrock:GuardrailArn"),
    ("any guardrail would do", GUARDRAIL_BY_WRONG_KEY, "scp", "guardrail-not-pinned", "bedrock:GuardrailArn"),
    ("any guardrail will do", GUARDRAIL_PRESENT, "scp", "guardrail-not-pinned", "bedrock:GuardrailIdentifier"),
    ("other ways to a model", GUARDRAIL_PRESENT, "scp", "unguarded-inference-path", ["bedrock:InvokeModel"]),
    ("other ways, whatever the key", GUARDRAIL_BY_WRONG_KEY, "scp", "unguarded-inference-path", ["bedrock:InvokeModel"]),
    ("one prefix of six", REGIONS, "scp", "region-deny-misses-service-prefixes", "bedrock:*"),
    ("us. profiles go to us-east-2", REGIONS, "scp", "region-deny-breaks-inference-profiles", ["us-east-1", "us-west-2"]),
    ("every model everywhere", EVERY_MODEL, "identity", "wildcard-resource", "arn:aws:bedrock:*::foundation-model/*"),
    ("every model at an endpoint", ENDPOINT, "vpc-endpoint", "wildcard-resource", "arn:aws:bedrock:us-east-1::foundation-model/*"),
    ("models that are gone", OLD_MODELS, "identity", "model-end-of-life", OLD_MODELS["Statement"][0]["Resource"][1]),
    ("no resource type", KNOWLEDGE_BASE, "identity", "resource-type-not-on-action", "bedrock:RetrieveAndGenerate"),
    ("the caller reads the bucket", KNOWLEDGE_BASE, "identity", "caller-reads-knowledge-base-source", "arn:aws:s3:::knowledge"),
    ("the test alias", AGENTS, "identity", "agent-test-alias", AGENTS["Statement"][0]["Resource"]),
    ("any guardrail applied", GUARDRAILS_READ, "identity", "wildcard-resource", "*"),
    ("anybody's deputy", KEY, "kms-key", "service-principal-without-source", "bedrock.amazonaws.com"),
]  # fmt: skip


def serious(document, kind):
    found = lint_text(json.dumps(document, indent=1), policy_type=kind)
    return [item for item in found if item.severity in {"error", "warning"}]


def pointed_at(text, finding):
    """What stands at the finding's position."""
    rest = text.split("\n")[finding.line - 1][finding.column - 1 :] + "\n"
    tail = "\n".join([rest.rstrip("\n"), *text.split("\n")[finding.line :]])
    return json.JSONDecoder().raw_decode(tail)[0]


@pytest.mark.parametrize(
    ("title", "document", "kind", "rule", "where"), ERRATA, ids=[row[0] for row in ERRATA]
)
@pytest.mark.parametrize("indent", [None, 0, 2, "\t"])
def test_the_mistake_is_reported_at_its_place(title, document, kind, rule, where, indent):
    text = json.dumps(document, indent=indent)
    mine = [item for item in lint_text(text, policy_type=kind) if item.rule == rule]
    assert any(item.severity in {"error", "warning"} for item in mine), title
    values = [pointed_at(text, item) for item in mine]
    assert any(value == where or (isinstance(where, list) and set(where) <= set(value)) for value in values)


def test_without_a_type_the_same_mistakes_are_reported():
    for _, document, kind, rule, _ in ERRATA:
        text = json.dumps(document, indent=0)
        assert rule in {item.rule for item in lint_text(text)}, (kind, rule)


def test_both_removed_models_are_reported():
    assert [item.rule for item in serious(OLD_MODELS, "identity")] == ["model-end-of-life"] * 2


def test_the_key_that_was_meant_is_suggested():
    found = {item.rule: item.suggestion for item in serious(GUARDRAIL_BY_WRONG_KEY, "scp")}
    assert found["unknown-condition-key"] == "did you mean bedrock:GuardrailIdentifier?"


def test_missing_regions_and_prefixes_are_named():
    found = {item.rule: f"{item.message} {item.suggestion}" for item in serious(REGIONS, "scp")}
    assert "us-east-2" in found["region-deny-breaks-inference-profiles"]
    for prefix in (
        "bedrock-mantle",
        "bedrock-agentcore",
        "bedrock-websearch",
        "agent-registry",
        "aws-external-anthropic",
    ):
        assert f"{prefix}:*" in found["region-deny-misses-service-prefixes"]


OWN = "111122223333"
PIN = f"arn:aws:bedrock:us-east-1:{OWN}:guardrail/abcd1234efgh:*"
PROFILE = f"arn:aws:bedrock:us-east-1:{OWN}:inference-profile/us.amazon.nova-pro-v1:0"
MODELS = [
    f"arn:aws:bedrock:{r}::foundation-model/amazon.nova-pro-v1:0"
    for r in ("us-east-1", "us-east-2", "us-west-2")
]
SIBLINGS = [
    "bedrock-mantle:*",
    "bedrock-agentcore:*",
    "bedrock-websearch:*",
    "agent-registry:*",
    "aws-external-anthropic:*",
]
HOME = {"aws:RequestedRegion": ["us-east-1", "us-west-2"]}
ORGANIZATION = {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}}
SOURCE = {
    "StringEquals": {"aws:SourceAccount": OWN},
    "ArnLike": {"aws:SourceArn": f"arn:aws:bedrock:us-east-1:{OWN}:*"},
}
ROOT = allow("kms:*", "*", Principal={"AWS": f"arn:aws:iam::{OWN}:root"}, Sid="Admin")
LOG_KEY = "kms:EncryptionContext:aws:logs:arn"
LOG_GROUP = f"arn:aws:logs:us-east-1:{OWN}:log-group:/aws/bedrock/model-invocations"
CRYPTO = ["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey", "kms:CreateGrant"]
VIA = {"StringLike": {"kms:ViaService": "bedrock.us-east-1.amazonaws.com"}}

CORRECTED = {
    "runtime endpoint": ("vpc-endpoint", policy(
        allow([*BOTH, "bedrock:CountTokens"], [
            f"arn:aws:bedrock:us-east-1:{OWN}:inference-profile/us.anthropic.*",
            f"arn:aws:bedrock:us-east-1:{OWN}:application-inference-profile/*",
            "arn:aws:bedrock:us-east-1::foundation-model/anthropic.*",
            "arn:aws:bedrock:us-east-2::foundation-model/anthropic.*",
        ], Principal="*", Condition=ORGANIZATION),
        allow(["bedrock:ApplyGuardrail", "bedrock:GetGuardrail", "bedrock:GetInferenceProfile", "bedrock:RenderPrompt"],
              f"arn:aws:bedrock:*:{OWN}:*", Principal="*", Condition=ORGANIZATION),
        {"Effect": "Deny", "Principal": "*", "Action": "bedrock:CallWithBearerToken", "Resource": "*"},
    )),
    "network": ("scp", policy(deny(
        [*BOTH, "bedrock:ApplyGuardrail", "bedrock:Retrieve", "bedrock:RetrieveAndGenerate", "bedrock:InvokeAgent",
         "bedrock:InvokeFlow", "bedrock-mantle:CreateInference"],
        {"StringNotEqualsIfExists": {"aws:SourceVpce": ["vpce-0123456789abcdef0", "vpce-0fedcba9876543210"]},
         "BoolIfExists": {"aws:ViaAWSService": "false"},
         "ArnNotLikeIfExists": {"aws:PrincipalArn": ["arn:aws:iam::*:role/bedrock-service/*"]}},
    ))),
    "caller": ("identity", policy(
        allow([*BOTH, "bedrock:GetInferenceProfile"], PROFILE),
        allow(BOTH, MODELS, Condition={"ArnEquals": {"bedrock:InferenceProfileArn": PROFILE}}),
        allow(["bedrock:ApplyGuardrail", "bedrock:GetGuardrail"], [
            f"arn:aws:bedrock:us-east-1:{OWN}:guardrail/abcd1234efgh",
            f"arn:aws:bedrock:us-east-2:{OWN}:guardrail-profile/us.guardrail.v1:0"]),
        deny(BOTH, {"ArnNotLike": {"bedrock:GuardrailIdentifier": PIN}}),
        {"Effect": "Deny", "Resource": "*", "Action": [
            "bedrock:CreateModelInvocationJob", "bedrock:InvokeInlineAgent", "bedrock-mantle:*", "bedrock-websearch:*",
            "bedrock:CallWithBearerToken", "aws-external-anthropic:*"]},
    )),
    "guardrail administrator": ("identity", policy(
        allow(["bedrock:ListGuardrails", "bedrock:CreateGuardrail", "bedrock:ListEnforcedGuardrailsConfiguration",
               "bedrock:PutEnforcedGuardrailConfiguration", "bedrock:DeleteEnforcedGuardrailConfiguration"], "*"),
        allow(["bedrock:GetGuardrail", "bedrock:UpdateGuardrail", "bedrock:DeleteGuardrail",
               "bedrock:CreateGuardrailVersion", "bedrock:GetResourcePolicy", "bedrock:PutResourcePolicy",
               "bedrock:DeleteResourcePolicy", "bedrock:TagResource", "bedrock:UntagResource",
               "bedrock:ListTagsForResource", "bedrock:ApplyGuardrail"],
              [f"arn:aws:bedrock:*:{OWN}:guardrail/*", f"arn:aws:bedrock:*:{OWN}:guardrail-profile/*"]),
    )),
    "protect": ("scp", policy(deny(
        ["bedrock:UpdateGuardrail", "bedrock:DeleteGuardrail", "bedrock:PutEnforcedGuardrailConfiguration",
         "bedrock:PutAccountDataRetention", "bedrock-mantle:PutAccountDataRetention", "bedrock:CreateModelImportJob"],
        {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/security/BedrockSecurityAdmin"}},
    ))),
    "guardrail": ("scp", policy(
        {"Effect": "Deny", "Action": BOTH, "NotResource": [
            "arn:aws:bedrock:*::foundation-model/amazon.titan-embed*",
            "arn:aws:bedrock:*::foundation-model/cohere.rerank*"],
         "Condition": {
            "StringNotLike": {"bedrock:GuardrailIdentifier": [
                "arn:aws:bedrock:*:999988887777:guardrail/abcd1234efgh:*",
                "arn:aws:bedrock:*:${aws:PrincipalAccount}:guardrail/localapproved1:*"]},
            "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/bedrock-service/*"}}},
        {"Effect": "Deny", "Resource": "*", "Action": [
            "bedrock-mantle:CreateInference", "bedrock-mantle:CreateFineTuningJob", "bedrock:CreateModelInvocationJob",
            "bedrock:InvokeInlineAgent", "aws-external-anthropic:CreateInference",
            "aws-external-anthropic:CreateBatchInference"]},
    )),
    "regions": ("scp", policy(
        deny(["bedrock:Create*", "bedrock:Update*", "bedrock:Delete*", "bedrock:Put*", "bedrock:Invoke*Agent",
              "bedrock:InvokeFlow", "bedrock:Retrieve*", *SIBLINGS], {"StringNotEquals": HOME}),
        deny([*BOTH, "bedrock:CreateModelInvocationJob"], {
            "StringNotEquals": HOME,
            "ArnNotLike": {"bedrock:InferenceProfileArn": [
                "arn:aws:bedrock:us-east-1:*:inference-profile/us.*",
                "arn:aws:bedrock:us-west-2:*:inference-profile/us.*"]}}),
        deny([*BOTH, "bedrock:CreateModelInvocationJob"], {"StringEquals": {"aws:RequestedRegion": "unspecified"}}),
    )),
    "models": ("scp", policy(
        {"Effect": "Deny", "Action": [*BOTH, "bedrock:CreateModelInvocationJob"], "NotResource": [
            "arn:aws:bedrock:*::foundation-model/anthropic.claude-*",
            "arn:aws:bedrock:*:*:inference-profile/*.anthropic.claude-*",
            "arn:aws:bedrock:*:*:application-inference-profile/*",
            "arn:aws:bedrock:*:*:model-invocation-job/*",
            "arn:aws:bedrock:*:*:project/default"]},
        deny(["bedrock-mantle:CreateInference", "bedrock-mantle:CreateFineTuningJob"],
             {"StringNotLike": {"bedrock-mantle:Model": "anthropic.claude-*"}}),
    )),
    "retention": ("scp", policy(
        deny("bedrock:PutAccountDataRetention", {"StringNotEquals": {"bedrock:DataRetentionMode": "none"}}),
        deny("bedrock-mantle:PutAccountDataRetention", {"StringNotEquals": {"bedrock-mantle:DataRetentionMode": "none"}}),
        deny(["bedrock-mantle:CreateProject", "bedrock-mantle:UpdateProject"], {
            "StringNotEquals": {"bedrock-mantle:DataRetentionMode": ["none", "inherit"]},
            "Null": {"bedrock-mantle:DataRetentionMode": "false"}}),
    )),
    "log group key": ("kms-key", policy(ROOT, allow(
        ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"], "*",
        Principal={"Service": "logs.us-east-1.amazonaws.com"}, Condition={"ArnEquals": {LOG_KEY: LOG_GROUP}}))),
    "log bucket key": ("kms-key", policy(ROOT, allow(
        "kms:GenerateDataKey", "*", Principal={"Service": "bedrock.amazonaws.com"}, Condition=SOURCE))),
    "custom model key": ("kms-key", policy(
        ROOT,
        allow(CRYPTO, "*", Principal={"AWS": f"arn:aws:iam::{OWN}:role/ModelCustomizer"}, Condition=VIA),
        allow("kms:Decrypt", "*", Principal={"AWS": f"arn:aws:iam::{OWN}:role/ModelInvoker"}, Condition=VIA))),
    "logging role's trust": ("trust", policy(
        {"Effect": "Allow", "Principal": {"Service": "bedrock.amazonaws.com"}, "Action": "sts:AssumeRole",
         "Condition": SOURCE})),
    "logging role": ("identity", policy(allow(
        ["logs:CreateLogStream", "logs:PutLogEvents"], f"{LOG_GROUP}:log-stream:aws/bedrock/modelinvocations"))),
    "log bucket": ("s3-bucket", policy(
        allow("s3:PutObject", [f"arn:aws:s3:::logs/invocation-logs/AWSLogs/{OWN}/BedrockModelInvocationLogs/*"],
              Principal={"Service": "bedrock.amazonaws.com"}, Condition=SOURCE),
        deny("s3:*", {"Bool": {"aws:SecureTransport": "false"}}, ["arn:aws:s3:::logs", "arn:aws:s3:::logs/*"],
             Principal="*"))),
    "guardrail's own policy": ("resource", policy(allow(
        ["bedrock:ApplyGuardrail", "bedrock:GetGuardrail"],
        "arn:aws:bedrock:us-east-1:999988887777:guardrail/abcd1234efgh", Principal="*", Condition=ORGANIZATION))),
    "API keys": ("scp", policy(
        deny(["iam:CreateServiceSpecificCredential", "iam:ResetServiceSpecificCredential",
              "iam:UpdateServiceSpecificCredential"], {
            "StringEquals": {"iam:ServiceSpecificCredentialServiceName": "bedrock.amazonaws.com"},
            "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/security/IncidentResponse"}}),
        deny("bedrock:CallWithBearerToken", {"StringEquals": {"bedrock:BearerTokenType": "LONG_TERM"}}),
        deny("bedrock-mantle:CallWithBearerToken", {"StringEquals": {"bedrock-mantle:BearerTokenType": "LONG_TERM"}}),
    )),
    "AgentCore in the VPC": ("scp", policy(deny(
        ["bedrock-agentcore:CreateAgentRuntime", "bedrock-agentcore:UpdateAgentRuntime",
         "bedrock-agentcore:CreateBrowser", "bedrock-agentcore:CreateCodeInterpreter"],
        {"Null": {"bedrock-agentcore:subnets": "true"}}))),
}  # fmt: skip


@pytest.mark.parametrize("name", CORRECTED)
@pytest.mark.parametrize("told", [True, False], ids=["type given", "type guessed"])
def test_nothing_serious_is_said_of_corrected_policies(name, told):
    kind, document = CORRECTED[name]
    assert serious(document, kind if told else None) == []
