"""Accounts that other people use: what is in the way is said before, taken over when asked, and made whole again."""

from __future__ import annotations

import json

import boto3
import pytest

from cli.command_line import QUICKSTART, ringwall
from deploy.deploy_fakes import Killed
from deploy.deploy_sweep import Deployment, Faults
from ringwall.demo.world import environment
from ringwall.sandbox import Sandbox

ACCOUNT, REGION = "111122223333", "us-east-1"
VPC, SUBNET = "vpc-0a11ce00000000001", "subnet-0a11ce00000000001"
RUNTIME = f"com.amazonaws.{REGION}.bedrock-runtime"
GROUP = "/aws/bedrock/quickstart/model-invocations"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "ringwall.yaml").write_text(QUICKSTART.read_text())
    with Sandbox() as sandbox, environment(sandbox.environment()):
        monkeypatch.chdir(tmp_path)
        yield tmp_path


def client(service, **credentials):
    return boto3.Session(region_name=REGION).client(service, **credentials)


def management():
    role = "arn:aws:iam::999988887777:role/RingwallManagement"
    given = client("sts").assume_role(RoleArn=role, RoleSessionName="neighbour")["Credentials"]
    return client(
        "organizations",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


def foreign_policies(number):
    """Service control policies of others on the account."""
    organizations = management()
    text = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "ec2:RunInstances", "Resource": "*"}],
    }
    for name in range(number):
        made = organizations.create_policy(
            Name=f"foreign-{name}", Description="", Type="SERVICE_CONTROL_POLICY", Content=json.dumps(text)
        )
        organizations.attach_policy(PolicyId=made["Policy"]["PolicySummary"]["Id"], TargetId=ACCOUNT)


def foreign_endpoint():
    made = client("ec2").create_vpc_endpoint(
        VpcId=VPC,
        ServiceName=RUNTIME,
        VpcEndpointType="Interface",
        SubnetIds=[SUBNET],
        PrivateDnsEnabled=True,
    )
    return made["VpcEndpoint"]["VpcEndpointId"]


def endpoints():
    listed = client("ec2").describe_vpc_endpoints()["VpcEndpoints"]
    return [item["VpcEndpointId"] for item in listed if item["ServiceName"] == RUNTIME]


def key_of(alias):
    listed = client("kms").list_aliases()["Aliases"]
    return next(
        item["TargetKeyId"] for item in listed if item["AliasName"] == f"alias/ringwall/quickstart/{alias}"
    )


def test_too_many_policies_on_the_account_stop_an_apply_before_it_begins(folder):
    foreign_policies(5)
    planned = ringwall("plan", "--json")
    assert planned.valid("plan")["obstacles"] == [
        (
            f"AWS will refuse 14 service control policies on {ACCOUNT}, it takes 10: set organization.attachments to 4, "
            "or detach others"
        )
    ]
    assert "IN THE WAY" in ringwall("plan").out
    done = ringwall("apply", "--yes")
    assert done.code == 1
    assert done.err.startswith("ringwall: Nothing was changed: AWS will refuse 14 service control policies")
    assert client("kms").list_keys()["Keys"] == []
    text = QUICKSTART.read_text().replace("  id: o-ringwallsb", "  id: o-ringwallsb\n  attachments: 4")
    (folder / "ringwall.yaml").write_text(text)
    assert ringwall("apply", "--yes").code == 0
    assert ringwall("plan").code == 0


@pytest.mark.usefixtures("folder")
def test_what_is_in_the_way_is_taken_over_and_not_made_twice():
    there = foreign_endpoint()
    client("logs").create_log_group(logGroupName=GROUP)
    said = ringwall("plan").err
    assert all(
        f"`ringwall import {name}`" in said for name in ("log-group/invocations", "endpoint/bedrock-runtime")
    )
    refused = ringwall("apply", "--yes")
    assert refused.code == 3
    assert [line.split(": ")[1] for line in refused.err.splitlines()[1:]] == [
        "log-group/invocations",
        "endpoint/bedrock-runtime",
    ]
    assert ringwall("import", "--yes").err.strip() == "2 imported"
    assert ringwall("apply", "--yes").code == 0
    assert endpoints() == [there]
    (group,) = client("logs").describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]
    assert group["kmsKeyId"].endswith(key_of("invocation-log-group"))
    assert ringwall("plan").code == 0
    assert ringwall("drift").code == 0


@pytest.mark.usefixtures("folder")
def test_things_that_lost_their_tags_or_are_about_to_end_are_kept():
    assert ringwall("apply", "--yes").code == 0
    (endpoint,), alarms, guardrail = endpoints(), key_of("alarms"), key_of("guardrail")
    client("ec2").delete_tags(Resources=[endpoint], Tags=[{"Key": "ringwall:id"}])
    client("kms").untag_resource(KeyId=alarms, TagKeys=["ringwall:id"])
    client("kms").schedule_key_deletion(KeyId=guardrail, PendingWindowInDays=7)
    found = ringwall("drift", "--json").valid("drift")
    assert {item["id"] for item in found["changed"]} == {
        "endpoint/bedrock-runtime",
        "key/alarms",
        "key/guardrail",
    }
    (state,) = [
        item
        for change in found["changed"]
        for item in change["differences"]
        if change["id"] == "key/guardrail" and item["path"] == "KeyState"
    ]
    assert (state["before"], state["after"], state["effect"]) == ("Enabled", "PendingDeletion", "weakens")
    assert (found["missing"], found["leftover"]) == ([], [])
    assert ringwall("apply", "--yes").code == 0
    assert (endpoints(), key_of("alarms"), key_of("guardrail")) == ([endpoint], alarms, guardrail)
    assert ringwall("plan").code == 0


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("last", [("s3", "PutBucketPolicy"), ("iam", "PutRolePolicy")])
def test_a_run_that_was_stopped_goes_on_without_being_asked_again(last):
    deployment, faults = Deployment.connected(), Faults()

    def dies(carry_out, call, _tries):
        if call == last or faults.dead:
            faults.dead = True
            raise Killed
        return carry_out()

    faults.fault = dies
    with pytest.raises(Killed):
        deployment.apply(deployment.plan(), faults)
    done = ringwall("apply", "--yes")
    assert (done.code, "newly allows" in done.err) == (0, False)
    assert ringwall("plan").code == 0


def test_a_deployer_who_would_lock_himself_out_is_told_in_the_plan_and_at_once(folder):
    text = QUICKSTART.read_text().replace("user/SandboxAdministrator", "user/Somebody")
    (folder / "ringwall.yaml").write_text(text)
    said = [line for line in ringwall("plan").err.splitlines() if "would lock itself out" in line]
    assert any("quickstart-protect/ProtectRoles" in line for line in said)
    done = ringwall("apply", "--yes")
    assert done.code == 1
    assert "Add the deployer's role or user to `administrators`" in done.err.splitlines()[0]
    assert len(done.err.splitlines()) == len(said), "one line for each statement"
    assert client("kms").list_keys()["Keys"] == []
