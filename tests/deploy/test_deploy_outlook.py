"""What a plan makes of an account, and what of it is as new as on a first run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ringwall.deploy.after import outlook
from ringwall.deploy.changes import Change, Plan
from ringwall.estate.kinds import registry
from ringwall.estate.model import Account, Estate, Resource, Unknown

ACCOUNT, REGION = "111122223333", "us-east-1"
OURS = [{"Key": "ringwall:perimeter", "Value": "q"}]
POLICY = {"Version": "2012-10-17", "Statement": []}
INLINE = [{"PolicyName": "own", "PolicyDocument": POLICY}]
TRUST = {"RoleName": "app", "AssumeRolePolicyDocument": POLICY}


def begun(change, *observed):
    estate = Estate("observed", (Account(ACCOUNT),), observed)
    return outlook(Plan("q", replace(estate, source="desired"), estate, (change,)), registry()).begun


@pytest.mark.parametrize(
    ("tags", "action", "found"), [(OURS, "create", True), ([], "create", False), (OURS, "update", False)]
)
def test_a_bucket_of_ours_that_never_had_its_policy(tags, action, found):
    bucket = Resource("AWS::S3::Bucket", ACCOUNT, REGION, "logs", {"BucketName": "logs", "Tags": tags})
    there = Resource("AWS::S3::BucketPolicy", ACCOUNT, REGION, "logs", {"Bucket": "logs"})
    wanted = replace(there, id="bucket-policy/logs", properties={"Bucket": "logs", "PolicyDocument": POLICY})
    change = Change(action, wanted, there if action == "update" else None)
    assert begun(change, bucket) == ({"arn:aws:s3:::logs": "bucket-policy/logs"} if found else {})


@pytest.mark.parametrize(
    ("there", "found"),
    [
        ({"Tags": OURS}, True),
        ({"Tags": []}, False),
        ({"Tags": OURS, "Policies": INLINE}, False),
        ({"Tags": OURS, "ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}, False),
    ],
)
def test_a_role_of_ours_that_was_granted_nothing_yet(there, found):
    observed = Resource("AWS::IAM::Role", ACCOUNT, "global", "app", {**TRUST, **there})
    wanted = replace(observed, id="role/app", properties={**TRUST, "Policies": INLINE})
    change = Change("update", wanted, observed)
    assert begun(change, observed) == ({f"arn:aws:iam::{ACCOUNT}:role/app": "role/app"} if found else {})
    unread = replace(observed, unknown=(Unknown("Policies", "AccessDenied"),))
    assert begun(replace(change, observed=unread), unread) == {}
