"""The controls of sections that the quickstart does not have: one fault each, and the control that tells of it."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from controls.controls_estates import (
    Change,
    changed,
    compiled_complete,
    complete,
    context_of,
    gone,
    setting,
    unreadable,
    without,
)
from ringwall.controls import registry
from ringwall.controls.findings import Finding, Status
from ringwall.estate.model import Estate, Resource, Unknown

SLUGS = ("buckets-private", "knowledge-base-sources", "guardrail-enforced", "resources-stay-in-organization")


def verdicts(estate: Estate) -> dict[str, Finding]:
    """The worst finding of each of these controls that needs no proof."""
    order = (Status.FAIL, Status.UNKNOWN, Status.PASS, Status.NOT_APPLICABLE)
    context = context_of(complete(), estate)
    found: dict[str, Finding] = {}
    for control in (item for item in registry() if item.slug in SLUGS):
        of_claims = {claim.name for claim in control.claims(complete())}
        own = [item for item in control.check(context) if item.resource not in of_claims]
        found[control.slug] = min(own, key=lambda item: order.index(item.status))
    return found


def inside(*path: str | int, value: Any) -> Change:
    """Change that sets something deep in a resource's properties."""

    def change(resource: Resource) -> Resource:
        properties = deepcopy(dict(resource.properties))
        here: Any = properties
        for step in path[:-1]:
            here = here[step]
        here[path[-1]] = value
        return replace(resource, properties=properties)

    return change


def trusting(*statements: dict[str, Any]) -> Change:
    return setting(AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": list(statements)})


DEPUTY = {"Effect": "Allow", "Principal": {"Service": "bedrock.amazonaws.com"}, "Action": "sts:AssumeRole"}
ANYBODY = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    "Action": "sts:AssumeRole",
}
OPEN = {"Effect": "Allow", "Action": ["s3:GetObject", "bedrock:InvokeModel"], "Resource": "*"}
PUBLIC = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}
ENFORCED = "enforced-guardrail/main"
CONFIG = "GuardrailInferenceConfig"

FAULTS = [
    ("buckets-private", "bucket/kb-manuals", inside("PublicAccessBlockConfiguration", "IgnorePublicAcls", value=False), "IgnorePublicAcls"),
    ("buckets-private", "bucket/trail", inside("VersioningConfiguration", "Status", value="Suspended"), "versioning"),
    ("buckets-private", "bucket/trail", without("LifecycleConfiguration"), "lifecycle"),
    ("buckets-private", "bucket/trail", inside("OwnershipControls", "Rules", 0, "ObjectOwnership", value="ObjectWriter"), "ACLs"),
    ("buckets-private", "bucket/kb-manuals", inside("BucketEncryption", "ServerSideEncryptionConfiguration", 0, "BucketKeyEnabled", value=False), "bucket keys"),
    ("buckets-private", "bucket/kb-manuals", inside("BucketEncryption", "ServerSideEncryptionConfiguration", 0, "ServerSideEncryptionByDefault", "KMSMasterKeyID", value="alias/x"), "not by the key's ARN"),
    ("buckets-private", "bucket-policy/trail", setting(PolicyDocument={"Version": "2012-10-17", "Statement": [PUBLIC]}), "anybody can s3:GetObject"),
    ("buckets-private", "bucket-policy/kb-contracts", gone, "without TLS"),
    ("knowledge-base-sources", "role/kb-manuals", gone, "not there"),
    ("knowledge-base-sources", "role/kb-manuals", trusting(DEPUTY), "any account"),
    ("knowledge-base-sources", "role/kb-manuals", trusting(ANYBODY), "others than Bedrock"),
    ("knowledge-base-sources", "role/kb-manuals", setting(Policies=[{"PolicyName": "x", "PolicyDocument": {"Version": "2012-10-17", "Statement": [OPEN]}}]), "it can s3:GetObject on another-bucket"),
    ("knowledge-base-sources", "role/kb-contracts", setting(Policies=[]), "it cannot s3:GetObject"),
    ("guardrail-enforced", ENFORCED, gone, "no guardrail is enforced"),
    ("guardrail-enforced", ENFORCED, inside(CONFIG, "SelectiveContentGuarding", "Messages", value="SELECTIVE"), "SelectiveContentGuarding"),
    ("guardrail-enforced", ENFORCED, inside(CONFIG, "GuardrailVersion", value="7"), "GuardrailVersion is 7"),
    ("guardrail-enforced", ENFORCED, inside(CONFIG, "ModelEnforcement", "ExcludedModels", value=["amazon.nova-pro-v1:0"]), "ModelEnforcement"),
    ("guardrail-enforced", "resource-policy/baseline", gone, "no policy that lets the account"),
    ("guardrail-enforced", "guardrail/baseline", setting(AutomatedReasoningPolicyConfig={"Policies": ["arn"]}), "automated reasoning"),
    ("resources-stay-in-organization", "rcp/perimeter", gone, "no resource control policy"),
    ("resources-stay-in-organization", "rcp/perimeter", setting(TargetIds=[]), "not attached"),
    ("resources-stay-in-organization", "rcp/perimeter", setting(Content={"Version": "2012-10-17", "Statement": []}), "says something else"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("slug", "resource", "change", "words"), FAULTS, ids=[f"{case[1]}: {case[3]}" for case in FAULTS]
)
def test_one_fault_fails_its_control(slug: str, resource: str, change: Change, words: str) -> None:
    found = verdicts(changed(resource, change, compiled_complete()))[slug]
    assert found.status is Status.FAIL
    assert words in found.summary, found.summary


def test_a_service_role_that_may_not_apply_what_is_enforced_is_named_before_its_calls_fail() -> None:
    def change(resource: Resource) -> Resource:
        policies = deepcopy(list(resource.get("Policies")))
        statements = policies[0]["PolicyDocument"]["Statement"]
        policies[0]["PolicyDocument"]["Statement"] = [
            item for item in statements if item["Sid"] != "ApplyEnforcedGuardrail"
        ]
        return replace(resource, properties={**resource.properties, "Policies": policies})

    found = verdicts(changed("role/kb-manuals", change, compiled_complete()))["guardrail-enforced"]
    assert found.status is Status.FAIL
    assert "complete-kb-manuals may not apply it" in found.summary


@pytest.mark.parametrize(
    ("slug", "resource", "change"),
    [
        ("buckets-private", "bucket/trail", unreadable("VersioningConfiguration")),
        ("buckets-private", "bucket/trail", gone),
    ],
)
def test_what_cannot_be_judged_is_unknown(slug: str, resource: str, change: Change) -> None:
    assert verdicts(changed(resource, change, compiled_complete()))[slug].status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("slug", "resource_type"),
    [
        ("buckets-private", "AWS::S3::BucketPolicy"),
        ("guardrail-enforced", "AWS::Bedrock::EnforcedGuardrailConfiguration"),
        ("resources-stay-in-organization", "AWS::Organizations::Policy"),
    ],
)
def test_what_cannot_be_listed_is_unknown(slug: str, resource_type: str) -> None:
    base = compiled_complete()
    gap = Resource(
        resource_type, "111122223333", "us-east-1", "?", unknown=(Unknown("*", "AccessDenied: needs x"),)
    )
    left = base.with_resources([*(item for item in base if item.type != resource_type), gap])
    found = verdicts(left)[slug]
    assert found.status is Status.UNKNOWN
    assert "AccessDenied: needs x" in found.summary
