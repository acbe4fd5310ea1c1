"""Cases of single rules beyond the examples on their pages: what must be said, and what must not."""

from __future__ import annotations

import json

import pytest

from ringwall.lint import lint_text

BOTH = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]
NOVA = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0"
GUARDRAIL = "arn:aws:bedrock:us-east-1:111122223333:guardrail/abcd1234efgh"
TOPIC = "arn:aws:sns:us-east-1:111122223333:alarms"


def rules(*statements, kind="identity"):
    text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    return {item.rule for item in lint_text(text, policy_type=kind) if item.severity in {"error", "warning"}}


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action, resource="*", **more):
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def when(**operators):
    return {"Condition": {name.replace("__", ":"): keys for name, keys in operators.items()}}


KEY = "bedrock:GuardrailIdentifier"
SAID = [
    ("unknown-action", allow("bedrock-runtime:InvokeModel", NOVA), "identity"),
    ("unknown-action", allow("bedrock:Foo*", NOVA), "identity"),
    ("unknown-action", {"Effect": "Allow", "NotAction": "s3:Foo", "Resource": "*"}, "identity"),
    ("unknown-condition-key", allow("s3:GetObject", "arn:aws:s3:::a/*", **when(IpAddress={"SourceIp": "10.0.0.0/8"})), "identity"),
    ("condition-key-not-on-action", deny("bedrock:InvokeAgent", **when(StringLike={KEY: "x"})), "scp"),
    ("statement-never-applies", deny("bedrock:InvokeAgent", **when(StringLike={KEY: "x"})), "scp"),
    ("statement-never-applies", allow("s3:GetObject", "arn:aws:s3:::a/*", **when(Null={"aws:SourceVpce": "true"}, StringEquals={"aws:SourceVpce": "vpce-1"})), "identity"),
    ("statement-never-applies", {"Effect": "Deny", "NotAction": "*", "Resource": "*"}, "scp"),
    ("deny-always-applies", deny("bedrock:InvokeModel", **when(StringNotEquals={"aws:VpceOrgID": "o-a"})), "scp"),
    ("deny-always-applies", deny("bedrock:InvokeModel", **when(Null={"bedrock:Guardrail": "true"}, ArnNotLike={"aws:PrincipalArn": "arn:aws:iam::*:role/x"})), "scp"),
    ("guardrail-not-pinned", deny(BOTH, **when(ArnNotLike={KEY: GUARDRAIL})), "scp"),
    ("guardrail-not-pinned", deny(BOTH, **when(ArnNotLike={KEY: f"{GUARDRAIL}:DRAFT"})), "scp"),
    ("guardrail-not-pinned", deny(BOTH, **when(StringNotLike={KEY: f"{GUARDRAIL}*"})), "scp"),
    ("guardrail-not-pinned", deny(BOTH, **when(StringNotLike={KEY: GUARDRAIL.replace("abcd1234efgh", "*")})), "scp"),
    ("guardrail-not-pinned", deny(BOTH, **when(StringNotLike={KEY: f"{GUARDRAIL}:*"}, Null={KEY: "false"})), "scp"),
    ("guardrail-not-pinned", allow(BOTH, NOVA, **when(ArnLike={KEY: GUARDRAIL})), "identity"),
    ("unguarded-inference-path", deny("bedrock:InvokeModel", **when(ArnNotLike={KEY: f"{GUARDRAIL}:1"})), "scp"),
    ("unguarded-inference-path", deny(BOTH, "arn:aws:bedrock:*::foundation-model/*", **when(ArnNotLike={KEY: f"{GUARDRAIL}:1"})), "scp"),
    ("resource-type-not-on-action", allow("s3:ListAllMyBuckets", "arn:aws:s3:::a"), "identity"),
    ("resource-type-not-on-action", deny("s3:GetObject", "arn:aws:s3:::a"), "scp"),
    ("malformed-arn", allow("bedrock:GetGuardrail", "arn:aws:bedrock:us-east-1:1111:guardrail/x"), "identity"),
    ("malformed-arn", allow("bedrock:GetGuardrail", "arn:aws:bedrock:us-east-1:111122223333:guardrails/x"), "identity"),
    ("malformed-arn", allow("bedrock:InvokeModel", "arn:aws:bedrock:us-east-1::inference-profile/us.x"), "identity"),
    ("malformed-arn", allow("s3:GetObject", "arn:amazon:s3:::a/*"), "identity"),
    ("malformed-arn", allow("s3:GetObject", "arn:aws:s3:::a/*", Principal={"AWS": "arn:aws:iam::111122223333:role/*"}), "s3-bucket"),
    ("malformed-arn", deny("s3:*", **when(ArnNotLike={"aws:PrincipalArn": "role/x"})), "scp"),
    ("service-principal-without-source", allow("sns:Publish", TOPIC, Principal={"Service": "cloudwatch.amazonaws.com"}), "resource"),
    ("service-principal-without-source", allow("sns:Publish", TOPIC, Principal={"Service": "cloudwatch.amazonaws.com"}, **when(StringEqualsIfExists={"aws:SourceAccount": "111122223333"})), "resource"),
    ("service-principal-without-source", {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "bedrock.amazonaws.com"}}, "trust"),
    ("operator-passes-when-key-absent", allow("bedrock:InvokeModel", NOVA, **when(StringNotEquals={"aws:SourceVpce": "vpce-1"})), "identity"),
    ("operator-passes-when-key-absent", allow("bedrock:InvokeModel", NOVA, **when(ForAllValues__StringEquals={"aws:PrincipalOrgPaths": "o-a/*"})), "identity"),
    ("operator-passes-when-key-absent", deny("iam:*", **when(Bool={"aws:MultiFactorAuthPresent": "false"})), "identity"),
    ("wildcard-action", allow("*"), "identity"),
    ("wildcard-action", allow("*", Principal="*"), "vpc-endpoint"),
    ("wildcard-action", allow("kms:*", Principal={"AWS": "arn:aws:iam::111122223333:role/x"}), "kms-key"),
    ("wildcard-action", {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, "identity"),
    ("wildcard-resource", allow("iam:PassRole"), "identity"),
    ("wildcard-resource", allow("kms:Decrypt"), "identity"),
    ("agent-test-alias", allow("bedrock:InvokeAgent"), "identity"),
    ("agent-test-alias", allow("bedrock:InvokeAgent", "arn:aws:bedrock:*:111122223333:agent-alias/AGENT12345/TSTALIASID"), "identity"),
    ("model-end-of-life", allow("bedrock:InvokeModel", "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.anthropic.claude-3-haiku-20240307-v1:0"), "identity"),
    ("unknown-element", allow("s3:GetObject", "arn:aws:s3:::a/*", Principal="*"), "identity"),
    ("unknown-element", {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*"}, "trust"),
    ("unknown-element", allow("s3:GetObject", Principal="*"), "rcp"),
    ("rcp-has-no-effect", deny("bedrock-agentcore:InvokeGateway", Principal="*"), "rcp"),
    ("rcp-has-no-effect", deny("kms:RetireGrant", Principal="*"), "rcp"),
    ("syntax-error", {"Effect": "Allow", "Action": "s3:GetObject"}, "identity"),
    ("syntax-error", {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"}, "s3-bucket"),
    ("syntax-error", allow("s3:GetObject", "arn:aws:s3:::a/*", Sid="two words"), "identity"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "statement", "kind"), SAID)
def test_it_is_said(rule, statement, kind):
    assert rule in rules(statement, kind=kind)


UNSAID = {
    "an OpenID Connect claim": ("trust", {
        "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
        "Condition": {"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"},
                      "StringLike": {"token.actions.githubusercontent.com:repository": "o/r"}}}),
    "an external id with session tags": ("trust", {
        "Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Principal": {"AWS": "999988887777"},
        "Condition": {"StringEquals": {"sts:ExternalId": "x"}}}),
    "a role for Lambda": ("trust", {
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}),
    "tags": ("identity", allow("ec2:StartInstances", "arn:aws:ec2:*:111122223333:instance/*",
                               **when(StringEquals={"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}))),
    "keys in any case": ("identity", allow("s3:GetObject", "arn:aws:s3:::a/*", **when(StringEquals={"AWS:sourcevpce": "vpce-1"}))),
    "actions in any case": ("identity", allow("S3:getobject", "arn:aws:s3:::a/*")),
    "the default service control policy": ("scp", allow("*")),
    "the default resource control policy": ("rcp", allow("*", Principal="*")),
    "a Region deny by NotAction that lets profiles go": ("scp", {
        "Effect": "Deny", "NotAction": ["iam:*", "sts:*", "bedrock:InvokeModel*"], "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1"]}}}),
    "a Region deny that lists a whole geography": ("scp", deny(
        ["bedrock:*", "bedrock-mantle:*", "bedrock-agentcore:*", "bedrock-websearch:*", "agent-registry:*",
         "aws-external-anthropic:*"],
        **when(StringNotEquals={"aws:RequestedRegion": ["us-east-1", "us-east-2", "us-west-2", "unspecified"]}))),
    "a data perimeter on an endpoint": ("vpc-endpoint", allow("*", Principal="*", **when(StringEquals={"aws:PrincipalOrgID": "o-a"}))),
    "EventBridge to a topic": ("resource", allow("sns:Publish", TOPIC, Principal={"Service": "events.amazonaws.com"})),
    "a list of everything": ("identity", allow(["s3:ListAllMyBuckets", "bedrock:ListGuardrails", "ec2:DescribeVpcs"])),
    "encryption contexts": ("kms-key", allow(
        "kms:Decrypt", Principal={"AWS": "arn:aws:iam::111122223333:role/x"},
        **when(StringEquals={"kms:EncryptionContext:aws:bedrock:arn": "arn:aws:bedrock:us-east-1:111122223333:agent/A"}))),
    "log streams": ("identity", allow(["logs:CreateLogStream", "logs:PutLogEvents"],
                                      "arn:aws:logs:us-east-1:111122223333:log-group:/app/*:*")),
    "an agent's schema": ("identity", allow("s3:GetObject", "arn:aws:s3:::schemas/agent.json")),
    "a Deny that mentions Converse beside the real action": ("scp", deny(["bedrock:InvokeModel", "bedrock:Converse"])),
}  # fmt: skip


@pytest.mark.parametrize("name", UNSAID)
def test_it_is_not_said(name):
    kind, statement = UNSAID[name]
    assert rules(statement, kind=kind) == set()


def test_a_pinned_guardrail_makes_the_test_for_its_presence_harmless():
    pin = deny(BOTH, **when(ArnNotLike={KEY: f"{GUARDRAIL}:*"}))
    present = deny(BOTH, **when(Null={KEY: "true"}))
    assert "guardrail-not-pinned" not in rules(pin, present, kind="scp")


def test_paths_that_an_allow_list_leaves_out_are_not_open():
    pin = deny(BOTH, **when(ArnNotLike={KEY: f"{GUARDRAIL}:*"}))
    assert rules(allow(BOTH, NOVA), pin) == set()
    assert rules(allow([*BOTH, "bedrock:InvokeInlineAgent"], NOVA), pin) >= {"unguarded-inference-path"}


def test_the_test_alias_may_be_denied_instead():
    every = allow("bedrock:InvokeAgent", "arn:aws:bedrock:us-east-1:111122223333:agent-alias/*/*")
    assert rules(every, deny("bedrock:InvokeAgent", "arn:aws:bedrock:*:*:agent-alias/*/TSTALIASID")) == set()


@pytest.mark.parametrize(
    ("kind", "characters", "severity"),
    [("scp", 10_240, None), ("scp", 10_300, "error"), ("rcp", 5_200, "error"), ("identity", 6_200, "warning"),
     ("identity", 10_300, "error"), ("trust", 2_100, "warning"), ("trust", 8_300, "error"), ("s3-bucket", 20_600, "error"),
     ("kms-key", 33_000, "error"), ("vpc-endpoint", 20_600, "error")],
)  # fmt: skip
def test_sizes_count_without_white_space(kind, characters, severity):
    document = {"Version": "2012-10-17", "Statement": [], "Id": ""}
    document["Id"] = "x" * (characters - len(json.dumps(document, separators=(",", ":"))))
    found = lint_text(json.dumps(document, indent=8), policy_type=kind)
    assert [item.severity for item in found if item.rule == "policy-too-large"] == (
        [severity] if severity else []
    )
