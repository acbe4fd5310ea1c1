"""The real resource kinds against moto's state: apply, converge, drift, die and go on, destroy."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field

import pytest
from moto import mock_aws

from deploy.deploy_fakes import Killed, patient
from ringwall import catalog
from ringwall.deploy.apply import apply
from ringwall.deploy.contents import contents
from ringwall.deploy.destroy import destroy, plan_destroy
from ringwall.deploy.doors import Doors
from ringwall.deploy.drift import find_drift
from ringwall.deploy.plan import make_plan
from ringwall.estate.collect import collect
from ringwall.estate.connection import connect
from ringwall.estate.kinds import registry
from ringwall.estate.model import Account, Estate, Ref, Resource
from ringwall.estate.sessions import new_session

ACCOUNT = "123456789012"
REGION = "us-east-1"
PERIMETER = "quickstart"
TYPES = (
    "AWS::KMS::Key",
    "AWS::KMS::Alias",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::Logs::LogGroup",
    "AWS::IAM::Role",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::VPCEndpoint",
)
ADMINISTER = {
    "Sid": "Administer",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "kms:*",
    "Resource": "*",
}


@dataclass
class Mortal:
    """A connection that dies after a number of writes, as a killed process does: the write was made."""

    inner: object
    writes_left: int
    dead: bool = field(default=False)

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def call(self, service, operation, /, **parameters):
        if self.dead:
            raise Killed
        response = self.inner.call(service, operation, **parameters)
        if not operation.startswith(("Get", "List", "Describe", "Head")):
            self.writes_left -= 1
            if self.writes_left == 0:
                self.dead = True
                raise Killed
        return response

    def pages(self, *args, **parameters):
        if self.dead:
            raise Killed
        return self.inner.pages(*args, **parameters)


@pytest.fixture
def aws(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield connect(PERIMETER, region=REGION)


def client(service):
    """Somebody's client beside the deployer's."""
    return new_session(region=REGION).client(service)


@pytest.fixture
def desired(aws):
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]

    def make(kind, name, region=REGION, **properties):
        return Resource(kind, ACCOUNT, region, name, properties)

    tls = {
        "Sid": "Tls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [Ref("bucket/logs", "Arn")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    allow = {"Sid": "Invoke", "Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "*"}
    return Estate(
        "desired",
        (Account(ACCOUNT),),
        (
            make("AWS::KMS::Key", "key/logs", KeyPolicy=_policy(ADMINISTER), EnableKeyRotation=True),
            make(
                "AWS::KMS::Alias",
                "alias/logs",
                AliasName="alias/ringwall/quickstart/logs",
                TargetKeyId=Ref("key/logs", "Id"),
            ),
            make("AWS::S3::Bucket", "bucket/logs", BucketName="ringwall-quickstart-logs"),
            make(
                "AWS::S3::BucketPolicy",
                "bucket-policy/logs",
                Bucket=Ref("bucket/logs", "Id"),
                PolicyDocument=_policy(tls),
            ),
            make(
                "AWS::Logs::LogGroup",
                "log-group/invocations",
                LogGroupName="/ringwall/quickstart",
                RetentionInDays=365,
                KmsKeyId=Ref("key/logs", "Arn"),
            ),
            make(
                "AWS::IAM::Role",
                "role/app",
                "global",
                RoleName="quickstart-app",
                AssumeRolePolicyDocument=_policy(
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                        "Action": "sts:AssumeRole",
                    }
                ),
                Policies=[{"PolicyName": "app", "PolicyDocument": _policy(allow)}],
            ),
            make(
                "AWS::EC2::SecurityGroup",
                "security-group/endpoints",
                GroupName="quickstart-endpoints",
                GroupDescription="Ringwall endpoints",
                VpcId=vpc,
                SecurityGroupIngress=[
                    {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/16"}
                ],
            ),
            make(
                "AWS::EC2::VPCEndpoint",
                "endpoint/bedrock-runtime",
                ServiceName=f"com.amazonaws.{REGION}.bedrock-runtime",
                VpcEndpointType="Interface",
                VpcId=vpc,
                SubnetIds=[subnet],
                SecurityGroupIds=[Ref("security-group/endpoints", "Id")],
                PrivateDnsEnabled=True,
                PolicyDocument=_policy({**allow, "Principal": "*"}),
            ),
        ),
    )


def _policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def planned(aws, desired):
    return make_plan(desired, collect(aws, types=TYPES), registry(), perimeter=PERIMETER)


def run(plan, aws, **more):
    return apply(plan, aws, registry(), backoff=patient()[0], **more)


def drift(aws, desired):
    observed = collect(aws, types=TYPES)
    return find_drift(desired, observed, registry(), catalog.load(), perimeter=PERIMETER)


def counts(aws):
    """How many of each type are there and ours."""
    found = {}
    for item in planned_types(aws):
        found[item.type] = found.get(item.type, 0) + 1
    return found


def planned_types(aws):
    for item in collect(aws, types=TYPES):
        tags = {tag["Key"] for tag in item.get("Tags", ()) or ()}
        if "ringwall:id" in tags:
            yield item


def test_apply_converges_and_is_clean(aws, desired):
    applied = run(planned(aws, desired), aws)
    assert applied.complete, [str(item.error) for item in applied.failed]
    assert planned(aws, desired).empty
    assert drift(aws, desired).clean


@pytest.mark.parametrize("writes", [1, 4, 7, 11])
def test_killed_after_a_write_the_next_run_converges(aws, desired, writes):
    mortal = Mortal(aws, writes)
    with pytest.raises(Killed):
        run(planned(aws, desired), mortal, workers=1)
    assert run(planned(aws, desired), aws).complete
    assert planned(aws, desired).empty
    assert set(counts(aws).values()) == {1}


TAMPERS = {
    "rotation off": lambda c, ids: c("kms").disable_key_rotation(KeyId=ids["key/logs"]),
    "key policy widened": lambda c, ids: c("kms").put_key_policy(
        KeyId=ids["key/logs"],
        PolicyName="default",
        Policy=json.dumps(_policy(ADMINISTER, {**ADMINISTER, "Sid": "Anybody", "Principal": "*"})),
    ),
    "retention cut": lambda c, ids: c("logs").put_retention_policy(
        logGroupName="/ringwall/quickstart", retentionInDays=1
    ),
    "bucket policy gone": lambda c, ids: c("s3").delete_bucket_policy(Bucket="ringwall-quickstart-logs"),
    "inline policy added": lambda c, ids: c("iam").put_role_policy(
        RoleName="quickstart-app",
        PolicyName="more",
        PolicyDocument=json.dumps(_policy({"Effect": "Allow", "Action": "bedrock:*", "Resource": "*"})),
    ),
    "managed policy attached": lambda c, ids: c("iam").attach_role_policy(
        RoleName="quickstart-app",
        PolicyArn=c("iam").create_policy(
            PolicyName="Wide",
            PolicyDocument=json.dumps(_policy({"Effect": "Allow", "Action": "*", "Resource": "*"})),
        )["Policy"]["Arn"],
    ),
    "trust widened": lambda c, ids: c("iam").update_assume_role_policy(
        RoleName="quickstart-app",
        PolicyDocument=json.dumps(
            _policy({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})
        ),
    ),
    "security group opened": lambda c, ids: c("ec2").authorize_security_group_ingress(
        GroupId=ids["security-group/endpoints"],
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        ],
    ),
    "endpoint policy opened": lambda c, ids: c("ec2").modify_vpc_endpoint(
        VpcEndpointId=ids["endpoint/bedrock-runtime"],
        PolicyDocument=json.dumps(
            _policy({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"})
        ),
    ),
    "endpoint deleted": lambda c, ids: c("ec2").delete_vpc_endpoints(
        VpcEndpointIds=[ids["endpoint/bedrock-runtime"]]
    ),
    "grant made": lambda c, ids: c("kms").create_grant(
        KeyId=ids["key/logs"], GranteePrincipal=f"arn:aws:iam::{ACCOUNT}:role/Thief", Operations=["Decrypt"]
    ),
    "shadow role": lambda c, ids: (
        c("iam").create_role(
            RoleName="Shadow",
            AssumeRolePolicyDocument=json.dumps(
                _policy(
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                        "Action": "sts:AssumeRole",
                    }
                )
            ),
        ),
        c("iam").put_role_policy(
            RoleName="Shadow",
            PolicyName="all",
            PolicyDocument=json.dumps(_policy({"Effect": "Allow", "Action": "bedrock:*", "Resource": "*"})),
        ),
    ),
}


@pytest.mark.parametrize("tamper", sorted(TAMPERS))
def test_out_of_band_change_is_seen_and_repaired(aws, desired, tamper):
    applied = run(planned(aws, desired), aws)
    ids = {name: resource.id for name, resource in applied.made.items()}
    TAMPERS[tamper](client, ids)
    found = drift(aws, desired)
    assert found.changed or found.missing or found.unmanaged
    if tamper == "shadow role":
        assert next(item.id for item in found.unmanaged) == "Shadow"
        return
    assert bool(found.missing) == (tamper in ("endpoint deleted", "bucket policy gone"))
    assert run(planned(aws, desired), aws).complete
    assert drift(aws, desired).clean


def test_destroy_keeps_the_log_with_its_key_and_takes_them_up_again(aws, desired):
    run(planned(aws, desired), aws)
    logs = client("logs")
    logs.create_log_stream(logGroupName="/ringwall/quickstart", logStreamName="s")
    logs.put_log_events(
        logGroupName="/ringwall/quickstart",
        logStreamName="s",
        logEvents=[{"timestamp": int(time.time() * 1000), "message": "m"}],
    )
    destruction = plan_destroy(planned(aws, desired), registry(), holds_data=contents(Doors(aws)))
    assert {item.resource.type for item in destruction.kept} == {
        "AWS::Logs::LogGroup",
        "AWS::KMS::Key",
        "AWS::KMS::Alias",
    }
    assert destroy(destruction, aws, registry(), backoff=patient()[0]).complete
    again = planned(aws, desired)
    assert again.summary["no-op"] == 3
    assert run(again, aws).complete
    assert planned(aws, desired).empty


def test_purge_empties_the_bucket_and_schedules_the_key(aws, desired):
    run(planned(aws, desired), aws)
    client("s3").put_object(Bucket="ringwall-quickstart-logs", Key="a", Body=b"b")
    destruction = plan_destroy(planned(aws, desired), registry(), holds_data=contents(Doors(aws)), purge=True)
    applied = destroy(destruction, aws, registry(), backoff=patient()[0])
    assert applied.complete, [str(item.error) for item in applied.failed]
    left = planned(aws, desired)
    assert {change.id for change in left.changes if change.action == "update"} == {"key/logs"}
    assert left.summary["create"] == 7
    assert run(left, aws).complete
    assert planned(aws, desired).empty
