"""Taking over what others made: refused by apply, done by import, which changes nothing else."""

from __future__ import annotations

import json

import pytest

from deploy.deploy_sweep import Deployment, Faults, Hazardous, one_of_each, swift
from ringwall.demo.world import environment
from ringwall.deploy.adoption import adopt, adoptions, chosen, require_imported
from ringwall.deploy.doors import Doors
from ringwall.errors import GateRefusedError, RingwallError
from ringwall.sandbox import Sandbox

LOGGING = "invocation-logging/main"


@pytest.fixture
def deployment():
    with Sandbox() as sandbox, environment(sandbox.environment()):
        yield Deployment.connected(one_of_each)


def somebodys_role(deployment):
    trust = {"Effect": "Allow", "Principal": {"AWS": deployment.aws.caller}, "Action": "sts:AssumeRole"}
    name = deployment.desired.find("role/assistant").properties["RoleName"]
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    tags = [{"Key": "team", "Value": "theirs"}]
    deployment.aws.call("iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=document, Tags=tags)
    return name


def imported(deployment, plan, *names):
    listed, faults = deployment.listed(plan.observed), Faults()
    doors = Doors(Hazardous(deployment.aws, faults), Hazardous(deployment.management, faults))
    left = adopt(plan, chosen(plan, listed, names), doors, listed, swift())
    return left, faults.writes


def test_a_first_apply_adopts_nothing(deployment):
    plan = deployment.plan()
    assert adoptions(plan) == ()
    require_imported(plan)
    assert deployment.apply(plan).complete
    observed = deployment.observe()
    assert adoptions(deployment.plan(observed), deployment.listed(observed)) == ()


def test_what_is_not_declared_cannot_be_adopted(deployment):
    with pytest.raises(RingwallError, match="role/nobody is nothing to adopt"):
        require_imported(deployment.plan(), allowed=["role/nobody"])


def test_what_exists_is_refused_until_it_is_imported(deployment):
    name = somebodys_role(deployment)
    plan = deployment.plan()
    with pytest.raises(GateRefusedError, match="ringwall import") as caught:
        require_imported(plan)
    assert caught.value.details == (f"role/assistant: {name}",)
    require_imported(plan, allowed=["role/assistant"])
    left, writes = imported(deployment, plan)
    assert (left, writes) == ((), [("iam", "TagRole")])
    plan = deployment.plan()
    require_imported(plan)
    change = next(item for item in plan.changes if item.id == "role/assistant")
    assert change.action == "update", "importing repairs nothing; the differences are still shown"
    assert deployment.apply(plan).complete
    tags = {tag["Key"] for tag in deployment.observe(["AWS::IAM::Role"]).find(name).get("Tags")}
    assert tags >= {"team", "ringwall:perimeter", "ringwall:id"}


def test_what_carries_no_tags_is_listed_once_there_is_a_list(deployment):
    assert deployment.apply(deployment.plan()).complete
    deployment.aws.call("bedrock", "DeleteModelInvocationLoggingConfiguration")
    without = deployment.desired
    deployment.desired = without.with_resources(item for item in without if item.id != LOGGING)
    assert deployment.apply(deployment.plan()).complete
    bucket = without.find("bucket/invocation-logs").properties["BucketName"]
    logging = {
        "s3Config": {"bucketName": bucket, "keyPrefix": "invocation-logs"},
        "textDataDeliveryEnabled": True,
    }
    deployment.aws.call("bedrock", "PutModelInvocationLoggingConfiguration", loggingConfig=logging)
    deployment.desired = without
    plan = deployment.plan()
    listed = deployment.listed(plan.observed)
    assert [change.id for change in adoptions(plan, listed)] == [LOGGING]
    left, writes = imported(deployment, plan, LOGGING)
    assert (left, writes) == ((), [("s3", "PutObject")])
    plan = deployment.plan()
    require_imported(plan, deployment.listed(plan.observed))
    assert deployment.apply(plan).complete
    assert deployment.plan().empty


def test_what_is_ours_cannot_be_imported(deployment):
    with pytest.raises(RingwallError, match="nothing to import"):
        chosen(deployment.plan(), (), ["role/assistant"])
