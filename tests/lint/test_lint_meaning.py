"""Rules decide by what a policy means: other spellings of the same mistake, and what looks like one and is none."""

from __future__ import annotations

import json

import pytest

from ringwall.lint import lint_text

BOTH = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]
OWN = "111122223333"
FM = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0"
G = f"arn:aws:bedrock:us-east-1:{OWN}:guardrail/abcd1234efgh"
KB = f"arn:aws:bedrock:us-east-1:{OWN}:knowledge-base/KB12345678"
PROFILE = f"arn:aws:bedrock:us-east-1:{OWN}:inference-profile/us.amazon.nova-pro-v1:0"
ALIAS = f"arn:aws:bedrock:us-east-1:{OWN}:agent-alias"
KEY = "bedrock:GuardrailIdentifier"
SIDE_DOORS = ["bedrock:CreateModelInvocationJob", "bedrock:InvokeInlineAgent", "bedrock-mantle:*", "bedrock-websearch:*", "aws-external-anthropic:*"]  # fmt: skip
SIBLINGS = ["bedrock-mantle:*", "bedrock-agentcore:*", "bedrock-websearch:*", "agent-registry:*", "aws-external-anthropic:*"]  # fmt: skip
CLOSED = {"Effect": "Deny", "Action": SIDE_DOORS, "Resource": "*"}
BREAK_GLASS = {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/BreakGlass"}}


def allow(action, resource="*", condition=None, **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **({"Condition": condition} if condition else {}), **more}  # fmt: skip


def deny(action, condition=None, resource="*", **more):
    return {"Effect": "Deny", "Action": action, "Resource": resource, **({"Condition": condition} if condition else {}), **more}  # fmt: skip


def lint(statements, kind, version="2012-10-17"):
    frame = {"Version": version} if version else {}
    text = json.dumps({**frame, "Statement": statements}, indent="\t", ensure_ascii=False)
    return text, [item for item in lint_text(text, policy_type=kind) if item.severity != "info"]


def value_at(text, finding):
    lines = text.split("\n")
    rest = "\n".join([lines[finding.line - 1][finding.column - 1 :], *lines[finding.line :]])
    return json.JSONDecoder().raw_decode(rest)[0]


PIN = {"ArnNotLike": {KEY: f"{G}:*"}}
BEDROCK = {"Service": "bedrock.amazonaws.com"}
EVERY = f"{ALIAS}/*/*"
TEST_ALIAS = "arn:aws:bedrock:*:*:agent-alias/*/TSTALIASID"
KMS = ["kms:Decrypt", "kms:GenerateDataKey"]
REGIONS = {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1", "us-east-2", "us-west-2"]}}

# rule, kind, statements, the value that the finding points at
WRONG = {
    # guardrails
    "presence in an Allow": ("guardrail-not-pinned", "identity", [allow(BOTH, FM, {"Null": {KEY: "false"}})], KEY),
    "presence as a boolean": ("guardrail-not-pinned", "scp", [deny(BOTH, {"Null": {KEY: True}}), CLOSED], KEY),
    "presence in a list": ("guardrail-not-pinned", "scp", [deny(BOTH, {"Null": {KEY: ["true"]}}), CLOSED], KEY),
    "presence in lower case": ("guardrail-not-pinned", "scp", [deny("bedrock:invokemodel*", {"Null": {"BEDROCK:guardrailidentifier": "true"}}), CLOSED], "BEDROCK:guardrailidentifier"),
    "presence by the wrong key": ("guardrail-not-pinned", "scp", [deny(BOTH, {"Null": {"bedrock:GuardrailArn": "true"}}), CLOSED], "bedrock:GuardrailArn"),
    "presence by NotAction": ("guardrail-not-pinned", "scp", [{"Effect": "Deny", "NotAction": ["iam:*", "bedrock:Get*"], "Resource": "*", "Condition": {"Null": {KEY: "true"}}}], KEY),
    "pinned for one action of two": ("guardrail-not-pinned", "scp", [deny(BOTH, {"Null": {KEY: "true"}}), deny(BOTH[0], PIN), CLOSED], KEY),
    "absent and wrong at once": ("guardrail-not-pinned", "scp", [deny(BOTH, {**PIN, "Null": {KEY: "true"}}), CLOSED], KEY),
    "any guardrail": ("guardrail-not-pinned", "scp", [deny(BOTH, {"StringNotLike": {KEY: "*"}}), CLOSED], "*"),
    "any guardrail's ARN": ("guardrail-not-pinned", "scp", [deny(BOTH, {"ArnNotLike": {KEY: [f"{G}:1", "arn:aws:bedrock:*:*:guardrail/*"]}}), CLOSED], "arn:aws:bedrock:*:*:guardrail/*"),
    "a wildcard within the id": ("guardrail-not-pinned", "scp", [deny(BOTH, {"StringNotLike": {KEY: f"{G[:-4]}*gh:1"}}), CLOSED], f"{G[:-4]}*gh:1"),
    "an id and no ARN": ("guardrail-not-pinned", "scp", [deny(BOTH, {"StringNotEquals": {KEY: "abcd1234efgh"}}), CLOSED], "abcd1234efgh"),
    "the DRAFT in GovCloud": ("guardrail-not-pinned", "identity", [allow(BOTH, FM.replace("aws:bedrock:us-east-1", "aws-us-gov:bedrock:us-gov-west-1"), {"StringEquals": {KEY: G.replace("aws:bedrock:us-east-1", "aws-us-gov:bedrock:us-gov-west-1")}})], G.replace("aws:bedrock:us-east-1", "aws-us-gov:bedrock:us-gov-west-1")),
    "any version but in an exact operator": ("wildcard-taken-literally", "scp", [deny(BOTH, {"StringNotEquals": {KEY: f"{G}:*"}}), CLOSED], f"{G}:*"),
    "a missing guardrail passes": ("operator-passes-when-key-absent", "scp", [deny(BOTH, {"ForAnyValue:StringNotLike": {KEY: f"{G}:*"}}), CLOSED], KEY),
    "a guardrail if there is one": ("operator-passes-when-key-absent", "identity", [allow(BOTH, FM, {"ArnLikeIfExists": {KEY: f"{G}:1"}})], KEY),
    "streaming is left open": ("unguarded-inference-path", "scp", [deny(BOTH[0], PIN), CLOSED], BOTH[0]),
    "the side doors": ("unguarded-inference-path", "scp", [deny("bedrock:InvokeModel*", PIN)], "bedrock:InvokeModel*"),
    "guarded on foundation models alone": ("unguarded-inference-path", "scp", [deny(BOTH, PIN, ["arn:aws:bedrock:*::foundation-model/*"]), CLOSED], ["arn:aws:bedrock:*::foundation-model/*"]),
    # Regions
    "one prefix of six, as a pattern": ("region-deny-misses-service-prefixes", "scp", [deny(["bedrock:Invoke*"], REGIONS)], ["bedrock:Invoke*"]),
    "one prefix of six, if it exists": ("region-deny-misses-service-prefixes", "scp", [deny("bedrock:*", {"StringNotEqualsIfExists": REGIONS["StringNotEquals"]})], "bedrock:*"),
    "the siblings exempted by NotAction": ("region-deny-misses-service-prefixes", "scp", [{"Effect": "Deny", "NotAction": SIBLINGS, "Resource": "*", "Condition": REGIONS}], SIBLINGS),
    "Frankfurt alone": ("region-deny-breaks-inference-profiles", "scp", [deny(["bedrock:*", *SIBLINGS], {"StringNotLike": {"aws:RequestedRegion": "eu-central-1"}})], "eu-central-1"),
    "everything outside of Virginia": ("region-deny-breaks-inference-profiles", "scp", [{"Effect": "Deny", "NotAction": ["iam:*", "sts:*"], "Resource": "*", "Condition": {"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}}}], "us-east-1"),
    # models
    "every model, padded": ("wildcard-resource", "identity", [allow("bedrock:Invoke*", "arn:aws:bedrock:*")], "arn:aws:bedrock:*"),
    "everything of Bedrock's": ("wildcard-resource", "identity", [allow(BOTH, "arn:aws:bedrock:us-east-1:*:*")], "arn:aws:bedrock:us-east-1:*:*"),
    "every model of a partition": ("wildcard-resource", "identity", [allow(BOTH, ["arn:*:bedrock:*::foundation-model/*"])], "arn:*:bedrock:*::foundation-model/*"),
    "every model, by question marks": ("wildcard-resource", "identity", [allow(BOTH, "arn:aws:bedrock:*::foundation-model/?*")], "arn:aws:bedrock:*::foundation-model/?*"),
    "every profile": ("wildcard-resource", "identity", [allow(BOTH, f"arn:aws:bedrock:us-east-1:{OWN}:inference-profile/us.*")], f"arn:aws:bedrock:us-east-1:{OWN}:inference-profile/us.*"),
    "a pattern of dead models": ("model-end-of-life", "identity", [allow(BOTH, "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-sonnet-*")], "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-sonnet-*"),
    "a dead model with a context length": ("model-end-of-life", "identity", [allow(BOTH, "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0:48k")], "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0:48k"),
    "a dead model on a list of exceptions": ("model-end-of-life", "scp", [{"Effect": "Deny", "Action": BOTH, "NotResource": ["arn:aws:bedrock:*::foundation-model/anthropic.claude-v2:1"]}], "arn:aws:bedrock:*::foundation-model/anthropic.claude-v2:1"),
    "a profile with one destination of three": ("inference-profile-incomplete", "identity", [allow(BOTH, [PROFILE, FM])], PROFILE),
    "a profile streamed only": ("inference-profile-incomplete", "identity", [allow(BOTH, PROFILE), allow(BOTH[0], "arn:aws:bedrock:us-*::foundation-model/amazon.nova-pro-v1:0")], PROFILE),
    # knowledge bases and agents
    "a pattern of actions without resource types": ("resource-type-not-on-action", "identity", [allow(["bedrock:RetrieveAnd*"], KB)], "bedrock:RetrieveAnd*"),
    "the other partition's knowledge base": ("resource-type-not-on-action", "identity", [allow("bedrock:RetrieveAndGenerate", KB.replace("aws:", "aws-us-gov:", 1).replace("us-east-1", "us-gov-west-1"))], "bedrock:RetrieveAndGenerate"),
    "an agent for its alias": ("resource-type-not-on-action", "identity", [allow("bedrock:InvokeAgent", f"arn:aws:bedrock:us-east-1:{OWN}:agent/AGENT12345")], "bedrock:InvokeAgent"),
    "listing on an ARN": ("resource-type-not-on-action", "identity", [allow(["bedrock:ListFoundationModels", "bedrock:InvokeModel"], FM)], "bedrock:ListFoundationModels"),
    "buckets beside a knowledge base": ("caller-reads-knowledge-base-source", "identity", [allow("bedrock:Retrieve*", KB), allow(["s3:Get*"], ["arn:aws:s3:::handbook/*"])], "arn:aws:s3:::handbook/*"),
    "every bucket": ("caller-reads-knowledge-base-source", "identity", [allow("bedrock:Retrieve", KB), allow(["s3:GetObject"], "*")], "*"),
    "the test alias of one agent": ("agent-test-alias", "identity", [allow("bedrock:Invoke*", f"{ALIAS}/AGENT12345/*")], f"{ALIAS}/AGENT12345/*"),
    "the test alias in GovCloud": ("agent-test-alias", "identity", [allow("bedrock:InvokeAgent", f"arn:aws-us-gov:bedrock:us-gov-west-1:{OWN}:agent-alias/*")], f"arn:aws-us-gov:bedrock:us-gov-west-1:{OWN}:agent-alias/*"),
    "denied for another agent alone": ("agent-test-alias", "identity", [allow("bedrock:InvokeAgent", EVERY), deny("bedrock:InvokeAgent", None, f"{ALIAS}/AGENT12345/TSTALIASID")], EVERY),
    # services
    "a list of services": ("service-principal-without-source", "kms-key", [allow(KMS, Principal={"Service": ["bedrock.amazonaws.com"]})], "bedrock.amazonaws.com"),
    "a source in any account": ("service-principal-without-source", "trust", [{"Effect": "Allow", "Principal": BEDROCK, "Action": "sts:AssumeRole", "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:bedrock:*:*:agent/*"}}}], "bedrock.amazonaws.com"),
    "a source if it exists": ("service-principal-without-source", "kms-key", [allow(KMS, "*", {"StringEqualsIfExists": {"aws:SourceAccount": OWN}}, Principal=BEDROCK)], "bedrock.amazonaws.com"),
    "a source that is excluded": ("service-principal-without-source", "kms-key", [allow(KMS, "*", {"StringNotEquals": {"aws:SourceAccount": OWN}}, Principal=BEDROCK)], "bedrock.amazonaws.com"),
    "a service without its host name": ("malformed-arn", "trust", [{"Effect": "Allow", "Principal": {"Service": "bedrock"}, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"aws:SourceAccount": OWN}}}], "bedrock"),
    # conditions
    "an endpoint if it exists": ("operator-passes-when-key-absent", "identity", [allow(BOTH, FM, {"StringLikeIfExists": {"aws:sourcevpce": "vpce-*"}})], "aws:sourcevpce"),
    "another tag": ("operator-passes-when-key-absent", "identity", [allow(BOTH, FM, {"StringNotEquals": {"aws:PrincipalTag/team": "guests"}})], "aws:PrincipalTag/team"),
    "all of one value": ("operator-passes-when-key-absent", "identity", [allow(BOTH, FM, {"ForAllValues:StringEquals": {"aws:SourceVpce": ["vpce-1"]}})], "aws:SourceVpce"),
    "Converse with a guardrail": ("unknown-action", "scp", [deny("bedrock:Converse*", PIN)], "bedrock:Converse*"),
    "the endpoint's name as a prefix": ("unknown-action", "identity", [allow(["bedrock-runtime:InvokeModel"], FM)], "bedrock-runtime:InvokeModel"),
    "a key of another action": ("statement-never-applies", "scp", [deny("bedrock:InvokeAgent", {"ArnEquals": {KEY: f"{G}:1"}})], KEY),
    "a number that is none": ("operator-type-mismatch", "scp", [deny("iam:CreateServiceSpecificCredential", {"NumericGreaterThan": {"iam:ServiceSpecificCredentialAgeDays": ["30", "thirty"]}})], "thirty"),
    "a network compared as text": ("operator-type-mismatch", "scp", [deny(BOTH, {"StringNotEquals": {"aws:SourceIp": ["203.0.113.0/24"]}})], "aws:SourceIp"),
    "an endpoint compared as a network": ("operator-type-mismatch", "identity", [allow(BOTH, FM, {"IpAddress": {"aws:SourceVpce": "vpce-1"}})], "aws:SourceVpce"),
    "neither true nor false": ("operator-type-mismatch", "scp", [deny(BOTH, {"Bool": {"aws:SecureTransport": "no"}})], "no"),
    "an operator that is none": ("syntax-error", "identity", [allow(BOTH, FM, {"StringEqual": {"aws:SourceVpce": "vpce-1"}})], "StringEqual"),
    "another account's queue": ("wildcard-action", "resource", [allow("SQS:*", f"arn:aws:sqs:us-east-1:{OWN}:q", Principal={"AWS": "arn:aws:iam::999988887777:root"})], "SQS:*"),
    "a role for everybody": ("open-to-everyone", "trust", [{"Effect": "Allow", "Principal": {"AWS": ["*"]}, "Action": "sts:AssumeRole"}], "*"),
    "a bucket for everybody by TLS": ("open-to-everyone", "s3-bucket", [allow("s3:GetObject", "arn:aws:s3:::a/*", {"Bool": {"aws:SecureTransport": "true"}}, Principal="*")], "*"),
    "private networks": ("source-ip-never-public", "scp", [deny(BOTH, {"NotIpAddress": {"aws:SourceIp": "10.1.2.3"}})], "10.1.2.3"),
    "a public network at an endpoint": ("source-ip-never-public", "vpc-endpoint", [allow(BOTH, FM, {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, Principal="*")], "aws:SourceIp"),
    # ARNs
    "a model with an account": ("malformed-arn", "identity", [allow(BOTH, f"arn:aws:bedrock:us-east-1:{OWN}:foundation-model/amazon.nova-pro-v1:0")], f"arn:aws:bedrock:us-east-1:{OWN}:foundation-model/amazon.nova-pro-v1:0"),
    "a Region of another partition": ("malformed-arn", "identity", [allow(BOTH, "arn:aws:bedrock:us-gov-west-1::foundation-model/amazon.nova-pro-v1:0")], "arn:aws:bedrock:us-gov-west-1::foundation-model/amazon.nova-pro-v1:0"),
    "a type in the plural": ("malformed-arn", "identity", [allow("bedrock:Retrieve", KB.replace("base/", "bases/"))], KB.replace("base/", "bases/")),
    "a role with a wildcard": ("malformed-arn", "s3-bucket", [allow("s3:GetObject", "arn:aws:s3:::a/*", Principal={"AWS": ["123456789012", "arn:aws:iam::123456789012:role/App*"]})], "arn:aws:iam::123456789012:role/App*"),
    "an RCP on Bedrock among others": ("rcp-has-no-effect", "rcp", [deny(["s3:*", "bedrock:*"], Principal="*")], "bedrock:*"),
    "all but one action": ("wildcard-action", "identity", [{"Effect": "Allow", "NotAction": ["bedrock:DeleteGuardrail"], "Resource": FM}], "NotAction"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_the_mistake_is_reported_at_the_value(name):
    rule, kind, statements, where = WRONG[name]
    text, found = lint(statements, kind)
    assert rule in {item.rule for item in found}, [item.rule for item in found]
    assert where in [value_at(text, item) for item in found if item.rule == rule]


VPCE = {"StringEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"}}
THREE = [FM, FM.replace("us-east-1", "us-east-2"), FM.replace("us-east-1", "us-west-2")]
FINE = {
    "pinned by an exact version": ("scp", [deny(BOTH, {"StringNotEquals": {KEY: [f"{G}:1", f"{G}:2"]}}), CLOSED]),
    "pinned if it exists": ("scp", [deny(BOTH, {"ArnNotLikeIfExists": {KEY: f"{G}:*"}}), CLOSED]),
    "pinned in two statements": ("scp", [deny(BOTH[0], PIN), deny(BOTH[1], PIN), deny(BOTH, {"Null": {KEY: "true"}}), CLOSED]),
    "pinned by a tag of the caller": ("scp", [deny(BOTH, {"StringNotLike": {KEY: "${aws:PrincipalTag/guardrail}"}}), CLOSED]),
    "pinned by a tag within the ARN": ("scp", [deny(BOTH, {"StringNotLike": {KEY: "arn:aws:bedrock:*:${aws:PrincipalAccount}:guardrail/${aws:PrincipalTag/guardrail}:*"}}), CLOSED]),
    "pinned in GovCloud": ("scp", [deny(BOTH, {"ArnNotLike": {KEY: f"arn:aws-us-gov:bedrock:us-gov-west-1:{OWN}:guardrail/abcd1234efgh:3"}}), CLOSED]),
    "pinned but for some roles": ("scp", [deny("bedrock:InvokeModel*", {**PIN, "ArnNotLikeIfExists": BREAK_GLASS["ArnNotLike"]}), deny(SIDE_DOORS, BREAK_GLASS)]),
    "presence where a pin stands in the Allow": ("identity", [allow(BOTH, FM, {"ArnLike": {KEY: f"{G}:*"}, "Null": {KEY: "false"}})]),
    "a pin at an endpoint of the runtime": ("vpc-endpoint", [allow("*", Principal="*", condition={"StringEquals": {"aws:PrincipalOrgID": "o-a"}}), deny(BOTH, PIN, Principal="*")]),
    "no guardrail, no model": ("scp", [deny("bedrock:CreateGuardrail", {"StringNotEquals": {"aws:PrincipalTag/role": "security"}})]),
    "Regions with the siblings denied but for some": ("scp", [deny("bedrock:*", REGIONS), deny(SIBLINGS, BREAK_GLASS)]),
    "Regions of guardrails alone": ("scp", [deny("bedrock:CreateGuardrail", REGIONS)]),
    "Regions of everything": ("scp", [{"Effect": "Deny", "NotAction": ["iam:*", "sts:*"], "Resource": "*", "Condition": REGIONS}]),
    "Regions where profiles are forbidden": ("scp", [deny(["bedrock:*", *SIBLINGS], {"StringNotEquals": {"aws:RequestedRegion": "eu-central-1"}}), deny(BOTH, {"Null": {"bedrock:InferenceProfileArn": "false"}})]),
    "an opt-in model through its profile alone": ("identity", [allow(BOTH, PROFILE), allow(BOTH, "arn:aws:bedrock:*::foundation-model/*", {"ArnEquals": {"bedrock:InferenceProfileArn": PROFILE}})]),
    "every model but a list denied": ("identity", [allow(BOTH, "arn:aws:bedrock:*::foundation-model/*"), {"Effect": "Deny", "Action": BOTH, "NotResource": ["arn:aws:bedrock:*::foundation-model/amazon.nova-*"]}]),
    "a provider's models": ("identity", [allow(BOTH, "arn:aws:bedrock:us-east-1::foundation-model/anthropic.*")]),
    "a profile with its destinations by a pattern": ("identity", [allow(BOTH, [PROFILE, "arn:aws:bedrock:us-*::foundation-model/amazon.nova-pro-v1:0"])]),
    "a profile whose models are in another policy": ("identity", [allow(BOTH, PROFILE)]),
    "an application profile": ("identity", [allow(BOTH, [f"arn:aws:bedrock:us-east-1:{OWN}:application-inference-profile/abc", *THREE])]),
    "a global profile": ("identity", [allow(BOTH, [PROFILE.replace("/us.", "/global."), FM, FM.replace("us-east-1", "")])]),
    "a template's model that may live": ("identity", [allow(BOTH, "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-*")]),
    "RetrieveAndGenerate as it should be": ("identity", [allow("bedrock:Retrieve", KB), allow(["bedrock:RetrieveAndGenerate"])]),
    "patterns of actions": ("identity", [allow(["bedrock:Get*", "bedrock:List*"], G)]),
    "listing a whole service's type": ("identity", [allow(["logs:DescribeLogGroups", "logs:GetLogEvents"], "arn:aws:logs:*:*:log-group:*"), allow("s3:ListAllMyBuckets", "arn:aws:s3:::*"), allow("iam:ListRoles", f"arn:aws:iam::{OWN}:role/*")]),
    "a schema's object": ("identity", [allow("bedrock:Retrieve", KB), allow("s3:GetObject", "arn:aws:s3:::schemas/agent.json")]),
    "a bucket through the service": ("identity", [allow("bedrock:Retrieve", KB), allow("s3:GetObject", "arn:aws:s3:::handbook/*", {"ForAnyValue:StringEquals": {"aws:CalledVia": "bedrock.amazonaws.com"}})]),
    "uploads to the source": ("identity", [allow("bedrock:Retrieve", KB), allow("s3:PutObject", "arn:aws:s3:::handbook/*")]),
    "the test alias denied but for testers": ("identity", [allow("bedrock:InvokeAgent", EVERY), deny("bedrock:Invoke*", BREAK_GLASS, TEST_ALIAS)]),
    "the test alias of this agent denied": ("identity", [allow("bedrock:InvokeAgent", f"{ALIAS}/AGENT12345/*"), deny("bedrock:InvokeAgent", None, [f"{ALIAS}/AGENT12345/TSTALIASID"])]),
    "an alias by a tag": ("identity", [allow("bedrock:InvokeAgent", f"{ALIAS}/${{aws:PrincipalTag/agent}}/${{aws:PrincipalTag/alias}}")]),
    "an alias in China's partition": ("identity", [allow("bedrock:InvokeAgent", f"arn:aws-cn:bedrock:cn-north-1:{OWN}:agent-alias/AGENT12345/ALIAS12345")]),
    "a service whose other sources are denied": ("s3-bucket", [
        allow("s3:PutObject", "arn:aws:s3:::logs/*", Principal=BEDROCK),
        deny("s3:PutObject", {"StringNotEquals": {"aws:SourceAccount": OWN}, "Bool": {"aws:PrincipalIsAWSService": "true"}}, "arn:aws:s3:::logs/*", Principal="*")]),
    "a service of one's organization": ("kms-key", [allow(KMS, "*", {"StringEquals": {"aws:SourceOrgID": "o-exampleorgid"}}, Principal=BEDROCK)]),
    "a service by the ARN of a bucket": ("resource", [allow("sqs:SendMessage", f"arn:aws:sqs:us-east-1:{OWN}:q", {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::uploads"}}, Principal={"Service": "s3.amazonaws.com"})]),
    "CloudFront's old identity": ("s3-bucket", [allow("s3:GetObject", "arn:aws:s3:::site/*", Principal={"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity EAF5XXXXXXXXX"})]),
    "a deleted role": ("s3-bucket", [allow("s3:GetObject", "arn:aws:s3:::site/*", Principal={"AWS": "AROAEXAMPLEID"})]),
    "API Gateway's short ARNs": ("resource", [allow("execute-api:Invoke", "execute-api:/prod/GET/*", VPCE, Principal="*")]),
    "instance types, AWS's example of IfExists": ("identity", [allow("ec2:RunInstances", ["arn:aws:ec2:*:*:instance/*", "arn:aws:ec2:*:*:subnet/*"], {"StringLikeIfExists": {"ec2:InstanceType": ["t3.*"]}})]),
    "resources without a tag": ("identity", [allow("ec2:StopInstances", f"arn:aws:ec2:*:{OWN}:instance/*", {"StringNotEquals": {"aws:ResourceTag/env": "prod"}})]),
    "a tag that the resource needs as well": ("identity", [allow("s3:GetObject", "arn:aws:s3:::data/${aws:PrincipalTag/team}/*", {"StringNotEquals": {"aws:PrincipalTag/team": ""}})]),
    "an endpoint if it exists, and absence denied": ("identity", [allow(BOTH, FM, {"StringEqualsIfExists": {"aws:SourceVpce": "vpce-1"}}), deny(BOTH, {"Null": {"aws:SourceVpce": "true"}})]),
    "the endpoints' Deny": ("scp", [deny(BOTH, {"StringNotEqualsIfExists": VPCE["StringEquals"], "BoolIfExists": {"aws:ViaAWSService": "false"}})]),
    "subscribing to a product": ("identity", [allow("aws-marketplace:Subscribe", "*", {"ForAnyValue:StringEquals": {"aws-marketplace:ProductId": ["prod-abc"]}})]),
    "secrets by their tag": ("identity", [allow("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:*:{OWN}:secret:*", {"StringEquals": {"secretsmanager:ResourceTag/team": "a"}})]),
    "public networks": ("identity", [allow(BOTH, FM, {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "10.0.0.0/8", "2001:db8::/32"]}})]),
    "private networks by their own key": ("identity", [allow(BOTH, FM, {"IpAddress": {"aws:VpcSourceIp": "10.0.0.0/8"}, **VPCE})]),
    "a star that is meant": ("identity", [allow("s3:GetObject", "arn:aws:s3:::a/*", {"StringEquals": {"s3:ExistingObjectTag/x": "${*}"}})]),
    "a key's administrators": ("kms-key", [allow("kms:*", Principal={"AWS": f"arn:aws:iam::{OWN}:root"})]),
    "the European sovereign cloud": ("identity", [allow(BOTH, "arn:aws-eusc:bedrock:eusc-de-east-1::foundation-model/amazon.nova-pro-v1:0")]),
    "an RCP on what it reaches": ("rcp", [deny(["s3:*", "kms:Decrypt", "sts:AssumeRole"], {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-a"}, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}, Principal="*")]),
    "everybody of an organization by a Deny": ("s3-bucket", [
        allow("s3:GetObject", "arn:aws:s3:::a/*", Principal="*"),
        deny("s3:*", {"StringNotEquals": {"aws:PrincipalOrgID": "o-a"}}, "arn:aws:s3:::a/*", Principal="*")]),
    "everybody whose role has a name of ours": ("trust", [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole", "Condition": {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OWN}:role/ci-*"}}}]),
    "a queue's own account": ("resource", [allow("SQS:*", f"arn:aws:sqs:us-east-1:{OWN}:q", Principal={"AWS": f"arn:aws:iam::{OWN}:root"})]),
    "agents by their tag": ("identity", [allow(["bedrock:GetAgent", "bedrock:InvokeAgent"], f"arn:aws:bedrock:us-east-1:{OWN}:*", {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}})]),
    "records by their names": ("identity", [allow("route53:ChangeResourceRecordSets", "arn:aws:route53:::hostedzone/Z1", {"ForAllValues:StringLike": {"route53:ChangeResourceRecordSetsNormalizedRecordNames": ["*.example.com"]}})]),
    "an endpoint for services": ("vpc-endpoint", [allow("*", Principal={"AWS": "*"}, condition={"Bool": {"aws:PrincipalIsAWSService": "true"}})]),
    "no other tags": ("scp", [deny("ec2:CreateTags", {"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["team"]}})]),
    "a role for a cluster": ("trust", [{"Effect": "Allow", "Principal": {"Federated": f"arn:aws:iam::{OWN}:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/AB12"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {"oidc.eks.us-east-1.amazonaws.com/id/AB12:sub": "system:serviceaccount:ns:sa"}}}]),
    "the network perimeter": ("scp", [{"Effect": "Deny", "NotAction": ["es:ES*"], "Resource": "*", "Condition": {
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false", "aws:ViaAWSService": "false"},
        "NotIpAddressIfExists": {"aws:SourceIp": ["203.0.113.0/24"]},
        "StringNotEqualsIfExists": {"aws:SourceVpc": ["vpc-1"], "aws:PrincipalTag/exception": "true"}}}]),
    "NotPrincipal in a Deny": ("s3-bucket", [{"Effect": "Deny", "NotPrincipal": {"AWS": [f"arn:aws:iam::{OWN}:root", f"arn:aws:iam::{OWN}:role/App"]}, "Action": "s3:*", "Resource": "arn:aws:s3:::a/*"}]),
}  # fmt: skip


@pytest.mark.parametrize("name", FINE)
def test_nothing_is_said_of_what_is_right(name):
    kind, statements = FINE[name]
    _, found = lint(statements, kind)
    assert [(item.rule, item.message) for item in found] == []


@pytest.mark.parametrize("version", ["2008-10-17", None])
def test_variables_of_old_versions_are_reported_at_the_value(version):
    statement = allow("s3:GetObject", ["arn:aws:s3:::a/*", "arn:aws:s3:::home/${aws:username}/*"])
    text, found = lint([statement], "identity", version)
    assert [(item.rule, value_at(text, item)) for item in found] == [
        ("variable-not-expanded", "arn:aws:s3:::home/${aws:username}/*")
    ]
