"""Drift: the out-of-band changes that matter, each seen and judged."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from deploy.deploy_fakes import (
    ACCOUNT,
    KINDS,
    MANAGEMENT,
    PERIMETER,
    REGION,
    deployed,
    desired_estate,
    observe,
    policy,
)
from ringwall import catalog
from ringwall.deploy.apply import Applied, Failed, NotAttempted
from ringwall.deploy.changes import Change, PlanRefusedError
from ringwall.deploy.destroy import plan_destroy
from ringwall.deploy.drift import find_drift
from ringwall.deploy.effects import access_changes
from ringwall.deploy.forms import applied_to_json, destruction_to_json, drift_to_json, plan_to_json
from ringwall.deploy.plan import make_plan
from ringwall.deploy.render import applied_lines, destruction_lines, drift_lines, plain, plan_lines
from ringwall.deploy.schema import SCHEMAS
from ringwall.errors import AwsCallError
from ringwall.estate.model import Resource, Unknown

FULL = policy({"Sid": "All", "Effect": "Allow", "Action": "*", "Resource": "*"})
BEDROCK = policy({"Sid": "Bedrock", "Effect": "Allow", "Action": "bedrock:*", "Resource": "*"})
TRUST = policy(
    {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
)
FULL_ACCESS = Resource(
    "AWS::Organizations::Policy",
    MANAGEMENT,
    "global",
    "p-FullAWSAccess",
    {"Name": "FullAWSAccess", "Type": "SERVICE_CONTROL_POLICY", "Content": FULL, "TargetIds": [ACCOUNT]},
)


def first(aws, kind):
    return next(iter(aws.items[kind].values()))


def report(aws, *more, **options):
    observed = observe(aws)
    observed = observed.with_resources([*observed, FULL_ACCESS, *more])
    return find_drift(desired_estate(), observed, KINDS, catalog.load(), perimeter=PERIMETER, **options)


def role(name, document):
    return Resource(
        "AWS::IAM::Role",
        ACCOUNT,
        "global",
        name,
        {
            "RoleName": name,
            "AssumeRolePolicyDocument": TRUST,
            "Policies": [{"PolicyName": "own", "PolicyDocument": document}],
        },
    )


def endpoint(**properties):
    base = {"ServiceName": f"com.amazonaws.{REGION}.bedrock-runtime", "VpcId": "vpc-1"}
    return Resource("AWS::EC2::VPCEndpoint", ACCOUNT, REGION, "vpce-shadow", {**base, **properties})


def test_untouched_perimeter_is_clean():
    assert report(deployed()).clean


TAMPERS = [
    # type, property, new value, path, effect
    ("AWS::KMS::Key", "EnableKeyRotation", False, "EnableKeyRotation", "weakens"),
    ("AWS::Bedrock::Guardrail", "Strength", "NONE", "Strength", "unclear"),
    ("AWS::Organizations::Policy", "TargetIds", [], "TargetIds", "weakens"),
    ("AWS::Organizations::Policy", "Content", policy(), "Content.Statement[RequireGuardrail]", "weakens"),
    ("AWS::EC2::VPCEndpoint", "PolicyDocument", FULL, "PolicyDocument.Statement[All]", "weakens"),
    ("AWS::EC2::VPCEndpoint", "PrivateDnsEnabled", False, "PrivateDnsEnabled", "weakens"),
    ("AWS::Logs::LogGroup", "KmsKeyId", None, "KmsKeyId", "weakens"),
    (
        "AWS::IAM::Role",
        "Policies",
        [{"PolicyName": "app", "PolicyDocument": FULL}],
        "Policies[app].PolicyDocument.Statement[All]",
        "weakens",
    ),
]


@pytest.mark.parametrize(("kind", "name", "value", "path", "effect"), TAMPERS)
def test_changed_resource_is_seen_and_judged(kind, name, value, path, effect):
    aws = deployed()
    first(aws, kind)[name] = value
    drift = report(aws)
    (change,) = drift.changed
    assert change.resource.type == kind
    found = {item.path: item for item in change.differences}
    assert found[path].effect == effect
    assert (change in drift.weaker) == (effect == "weakens")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_missing_resource_is_seen(kind):
    aws = deployed()
    aws.items[kind].clear()
    assert kind in {change.resource.type for change in report(aws).missing}


def test_what_the_declaration_dropped_is_left_over():
    aws = deployed()
    observed = observe(aws)
    fewer = desired_estate()
    fewer = fewer.with_resources(item for item in fewer if item.id != "trail/main")
    drift = find_drift(
        fewer, observed.with_resources([*observed, FULL_ACCESS]), KINDS, catalog.load(), perimeter=PERIMETER
    )
    assert [change.resource.type for change in drift.leftover] == ["AWS::CloudTrail::Trail"]


def test_shadow_role_past_the_guardrail_is_critical():
    aws = deployed()
    first(aws, "AWS::Organizations::Policy")["Content"] = policy()
    (critical, *_) = report(aws, role("Shadow", BEDROCK)).unmanaged
    assert (critical.id, critical.severity) == ("Shadow", "critical")
    assert critical.grants == ("own/Bedrock",)
    assert "bedrock:InvokeModel" in critical.actions


def test_shadow_role_that_the_perimeter_holds_is_medium_and_says_by_what():
    only_invoke = policy({"Sid": "I", "Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "*"})
    (held,) = report(deployed(), role("Shadow", only_invoke)).unmanaged
    assert held.severity == "medium"
    assert held.held_by == ("quickstart-guardrail/RequireGuardrail",)


def test_role_that_may_weaken_a_control_is_high():
    weak = policy({"Sid": "W", "Effect": "Allow", "Action": "cloudtrail:StopLogging", "Resource": "*"})
    (found,) = report(deployed(), role("Helper", weak)).unmanaged
    assert (found.severity, found.actions) == ("high", ("cloudtrail:StopLogging",))


@pytest.mark.parametrize(
    "document",
    [
        policy({"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}),
        policy({"Effect": "Deny", "Action": "*", "Resource": "*"}),
        policy({"Effect": "Allow", "Action": ["bedrock:Get*", "bedrock:List*"], "Resource": "*"}),
    ],
)
def test_harmless_principals_are_not_reported(document):
    assert report(deployed(), role("Harmless", document)).clean


def test_declared_administrators_are_not_drift():
    admin = role("Admin", FULL)
    assert report(deployed(), admin).unmanaged
    assert report(deployed(), admin, administrators=(f"arn:aws:iam::{ACCOUNT}:role/Admin",)).unmanaged == ()


@pytest.mark.parametrize(
    ("properties", "severity"),
    [
        ({}, "critical"),
        (
            {"PolicyDocument": policy({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"})},
            "critical",
        ),
        (
            {"PolicyDocument": policy({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"})},
            "high",
        ),
        ({"VpcId": "vpc-elsewhere"}, None),
        ({"ServiceName": f"com.amazonaws.{REGION}.s3"}, None),
    ],
)
def test_second_endpoint_for_bedrock(properties, severity):
    found = report(deployed(), endpoint(**properties)).unmanaged
    assert [item.severity for item in found] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("status", "actions", "severity"),
    [
        ("Active", "bedrock:*", "critical"),
        ("Active", "bedrock:ListFoundationModels", "medium"),
        ("Inactive", "bedrock:*", None),
    ],
)
def test_a_bedrock_api_key_is_reported(status, actions, severity):
    """A credential that no policy shows; how grave it is depends on whether its user may call with it."""
    keys = [
        {"ServiceName": "bedrock.amazonaws.com", "ServiceSpecificCredentialId": "ACCAKEY", "Status": status},
        {
            "ServiceName": "codecommit.amazonaws.com",
            "ServiceSpecificCredentialId": "ACCAGIT",
            "Status": status,
        },
    ]
    allowed = policy({"Sid": "Some", "Effect": "Allow", "Action": actions, "Resource": "*"})
    user = Resource(
        "AWS::IAM::User",
        ACCOUNT,
        "global",
        "key-holder",
        {
            "UserName": "key-holder",
            "Policies": [{"PolicyName": "own", "PolicyDocument": allowed}],
            "ServiceSpecificCredentials": keys,
        },
    )
    found = [item for item in report(deployed(), user).unmanaged if "API key" in item.what]
    assert [item.severity for item in found] == ([severity] if severity else [])
    assert all(item.grants == ("ACCAKEY",) for item in found)


def test_grant_on_our_key_is_reported_unless_a_service_holds_it():
    aws = deployed()
    first(aws, "AWS::KMS::Key")["Grants"] = [
        {
            "GrantId": "g-1",
            "GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:role/Thief",
            "Operations": ["Decrypt"],
        },
        {"GrantId": "g-2", "GranteePrincipal": "bedrock.us-east-1.amazonaws.com", "Operations": ["Decrypt"]},
    ]
    (found,) = report(aws).unmanaged
    assert (found.grants, found.actions, found.severity) == (("g-1",), ("kms:Decrypt",), "high")


def test_unread_principals_are_not_passed_over():
    blind = replace(role("Dark", BEDROCK), unknown=(Unknown("Policies", "iam:GetRolePolicy: AccessDenied"),))
    drift = report(deployed(), blind)
    assert any("iam:GetRolePolicy" in reason for reason in drift.unknown)
    assert not drift.clean


def test_unread_declared_resource_refuses_the_whole_report():
    unread = Resource(
        "AWS::KMS::Key", ACCOUNT, REGION, "?", unknown=(Unknown("*", "kms:ListKeys: AccessDenied"),)
    )
    with pytest.raises(PlanRefusedError, match="kms:ListKeys"):
        report(deployed(), unread)


def test_reports_read_well_and_fit_their_schemas():
    aws = deployed()
    first(aws, "AWS::KMS::Key")["EnableKeyRotation"] = False
    first(aws, "AWS::Organizations::Policy")["Content"] = policy()
    aws.items["AWS::EC2::SecurityGroup"].clear()
    drift = report(aws, role("Shadow", BEDROCK))
    jsonschema.validate(_json(drift_to_json(drift)), SCHEMAS["drift"])
    text = plain(drift_lines(drift))
    assert text.startswith(
        "UNMANAGED  not declared, and widening\n    ! role/Shadow may call bedrock:InvokeModel"
    )
    assert "        ~ EnableKeyRotation: true -> false  (weaker)\n" in text
    assert "    - security-group/endpoints  AWS::EC2::SecurityGroup\n" in text
    assert text.endswith("Drift: 2 changed (2 weaker), 1 missing, 0 left over, 2 unmanaged.\n")


def test_plan_reads_well_and_fits_its_schema():
    aws = deployed()
    first(aws, "AWS::KMS::Key")["EnableKeyRotation"] = False
    first(aws, "AWS::Organizations::Policy")["Content"] = policy()
    observed = observe(aws)
    observed = observed.with_resources([*observed, FULL_ACCESS])
    plan = make_plan(desired_estate(), observed, KINDS, perimeter=PERIMETER)
    fixed = observed.with_resources(
        replace(item, properties={**item.properties, "Content": policy(_deny())})
        if item.get("Name") == "quickstart-guardrail"
        else item
        for item in observed
    )
    access = access_changes(observed, fixed, catalog.load())
    jsonschema.validate(_json(plan_to_json(plan, access)), SCHEMAS["plan"])
    text = plain(plan_lines(plan, access))
    assert text.startswith("ACCESS\n  - newly DENIES  ")
    assert "    ~ key/logs  AWS::KMS::Key" in text
    assert "        ~ EnableKeyRotation: false -> true  (stronger)\n" in text
    assert "        + Content.Statement[RequireGuardrail] = " in text
    assert text.endswith("Plan: 0 to add, 2 to change, 0 to destroy.\n")
    empty = make_plan(desired_estate(), observe(deployed()), KINDS, perimeter=PERIMETER)
    assert plain(plan_lines(empty, access_changes(observed, observed, catalog.load()))) == (
        "No changes. The account is as declared.\n"
    )


def test_destroy_and_apply_reports_read_well_and_fit_their_schemas():
    plan = make_plan(desired_estate(), observe(deployed()), KINDS, perimeter=PERIMETER)
    destruction = plan_destroy(plan, KINDS)
    jsonschema.validate(_json(destruction_to_json(destruction)), SCHEMAS["destroy"])
    text = plain(destruction_lines(destruction))
    assert "KEPT\n      bucket/logs  " in text
    assert "to remove it: aws s3 rb s3://" in text
    assert text.endswith("Destroy: 6 to remove, 3 kept.\n")
    change = Change("create", next(iter(desired_estate())))
    error = AwsCallError("kms", "CreateKey", "AccessDeniedException", "no", permission="kms:CreateKey")
    applied = Applied(
        (change,), (Failed(change, error, "kms:CreateKey", "kms:CreateKey"),), (NotAttempted(change, "why"),)
    )
    jsonschema.validate(_json(applied_to_json(applied)), SCHEMAS["apply"])
    text = plain(applied_lines(applied))
    assert "needs kms:CreateKey" in text
    assert "1 done, 1 failed, 1 not attempted. Run it again" in text


def _deny():
    return {
        "Sid": "RequireGuardrail",
        "Effect": "Deny",
        "Action": "bedrock:InvokeModel",
        "Resource": "*",
        "Condition": {"StringNotEquals": {"bedrock:GuardrailIdentifier": "arn:x"}},
    }


def _json(value):
    return json.loads(json.dumps(value))


def test_what_follows_from_something_missing_is_told_once():
    aws = deployed()
    aws.items["AWS::Bedrock::Guardrail"].clear()
    drift = report(aws)
    assert [item.id for item in drift.missing] == ["guardrail/baseline"]
    assert [(item.id, [one.path for one in item.differences]) for item in drift.changed] == []
    assert any(item.action == "update" for item in drift.plan.changes), "the plan that repairs it has them"
