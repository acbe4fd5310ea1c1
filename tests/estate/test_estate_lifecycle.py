"""Every kind that moto has: create, find again, no difference, change out of band, repair, delete, gone."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from estate.estate_support import (
    ACCOUNT,
    INVOKE,
    KEY_POLICY,
    REGION,
    TRUST,
    FakeClock,
    resource,
    without_api_keys,
)
from ringwall.estate.connection import Connection, connect
from ringwall.estate.kinds import registry
from ringwall.estate.kinds.base import ID_TAG, PERIMETER_TAG, tags_of
from ringwall.estate.model import Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "HTTPS_PROXY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield without_api_keys(connect("quickstart"))


def client(service: str) -> Any:
    return boto3.client(service, region_name=REGION)


def vpc_id() -> str:
    return str(client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"])


def subnet_ids() -> list[str]:
    return sorted(item["SubnetId"] for item in client("ec2").describe_subnets()["Subnets"])[:2]


def key_arn() -> str:
    return str(client("kms").create_key()["KeyMetadata"]["Arn"])


def bucket_name() -> str:
    client("s3").create_bucket(Bucket="ringwall-test-bucket")
    return "ringwall-test-bucket"


def group_of_logs() -> str:
    client("logs").create_log_group(logGroupName="/aws/bedrock/test")
    return "/aws/bedrock/test"


def topic_arn() -> str:
    return str(client("sns").create_topic(Name="alarms")["TopicArn"])


def root_id() -> str:
    client("organizations").create_organization(FeatureSet="ALL")
    return str(client("organizations").list_roots()["Roots"][0]["Id"])


@dataclass(frozen=True)
class Case:
    """A kind's test: what is declared, and what somebody does to it behind our back."""

    type: str
    properties: Callable[[], Mapping[str, Any]]
    tamper: Callable[[Resource], Any]
    shows: str
    """Property in which the tampering shows."""


WIDE = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}


def widened(document: Mapping[str, Any]) -> str:
    return json.dumps({**document, "Statement": [*document["Statement"], WIDE]})


BUCKET_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Delivery",
            "Effect": "Allow",
            "Principal": {"Service": "bedrock.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::ringwall-test-bucket/*",
        }
    ],
}
SCP = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": ["bedrock:*"], "Resource": ["*"]}]}
SELECTORS = [
    {"Name": "Management", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]},
    {
        "Name": "Model",
        "FieldSelectors": [
            {"Field": "eventCategory", "Equals": ["Data"]},
            {"Field": "resources.type", "Equals": ["AWS::Bedrock::Model"]},
        ],
    },
]
PATTERN = {"source": ["aws.bedrock"], "detail": {"eventName": ["DeleteGuardrail", "UpdateGuardrail"]}}


def inline(role: Resource) -> None:
    client("iam").put_role_policy(RoleName=role.id, PolicyName="extra", PolicyDocument=json.dumps(INVOKE))


CASES = (
    Case(
        "AWS::IAM::Role",
        lambda: {
            "RoleName": "quickstart-app",
            "Path": "/",
            "Description": "The application",
            "MaxSessionDuration": 3600,
            "AssumeRolePolicyDocument": TRUST,
            "Policies": [{"PolicyName": "invoke", "PolicyDocument": INVOKE}],
        },
        inline,
        "Policies",
    ),
    Case(
        "AWS::IAM::User",
        lambda: {"UserName": "somebody", "Policies": [{"PolicyName": "invoke", "PolicyDocument": INVOKE}]},
        lambda user: client("iam").delete_user_policy(UserName=user.id, PolicyName="invoke"),
        "Policies",
    ),
    Case(
        "AWS::IAM::Group",
        lambda: {"GroupName": "team", "Policies": [{"PolicyName": "invoke", "PolicyDocument": INVOKE}]},
        lambda group: client("iam").delete_group_policy(GroupName=group.id, PolicyName="invoke"),
        "Policies",
    ),
    Case(
        "AWS::IAM::ManagedPolicy",
        lambda: {"ManagedPolicyName": "quickstart-invoke", "PolicyDocument": INVOKE},
        lambda policy: client("iam").create_policy_version(
            PolicyArn=policy.id,
            PolicyDocument=json.dumps(
                {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
            ),
            SetAsDefault=True,
        ),
        "PolicyDocument",
    ),
    Case(
        "AWS::KMS::Key",
        lambda: {
            "Description": "Guardrail",
            "KeyPolicy": KEY_POLICY,
            "EnableKeyRotation": True,
            "RotationPeriodInDays": 365,
        },
        lambda key: client("kms").put_key_policy(
            KeyId=key.id, PolicyName="default", Policy=widened(KEY_POLICY)
        ),
        "KeyPolicy",
    ),
    Case(
        "AWS::KMS::Alias",
        lambda: {
            "AliasName": "alias/ringwall/quickstart/guardrail",
            "TargetKeyId": key_arn().rsplit("/", 1)[1],
        },
        lambda alias: client("kms").update_alias(AliasName=alias.id, TargetKeyId=key_arn()),
        "TargetKeyId",
    ),
    Case(
        "AWS::EC2::SecurityGroup",
        lambda: {
            "GroupName": "endpoints",
            "GroupDescription": "VPC endpoints",
            "VpcId": vpc_id(),
            "SecurityGroupIngress": [
                {
                    "IpProtocol": "tcp",
                    "FromPort": 443,
                    "ToPort": 443,
                    "CidrIp": "10.0.0.0/16",
                    "Description": "HTTPS",
                }
            ],
            "SecurityGroupEgress": [],
        },
        lambda group: client("ec2").authorize_security_group_ingress(
            GroupId=group.id,
            IpPermissions=[
                {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
            ],
        ),
        "SecurityGroupIngress",
    ),
    Case(
        "AWS::EC2::VPCEndpoint",
        lambda: {
            "VpcEndpointType": "Interface",
            "ServiceName": "com.amazonaws.us-east-1.bedrock-runtime",
            "VpcId": vpc_id(),
            "SubnetIds": subnet_ids(),
            "SecurityGroupIds": [
                client("ec2").describe_security_groups()["SecurityGroups"][0]["GroupId"],
            ],
            "PrivateDnsEnabled": True,
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Principal": "*", "Action": "bedrock:InvokeModel", "Resource": "*"}
                ],
            },
        },
        lambda endpoint: client("ec2").modify_vpc_endpoint(
            VpcEndpointId=endpoint.id,
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [WIDE]}),
        ),
        "PolicyDocument",
    ),
    Case(
        "AWS::S3::Bucket",
        lambda: {
            "BucketName": "ringwall-quickstart-logs",
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {
                        "ServerSideEncryptionByDefault": {
                            "SSEAlgorithm": "aws:kms",
                            "KMSMasterKeyID": key_arn(),
                        },
                        "BucketKeyEnabled": True,
                    }
                ]
            },
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "VersioningConfiguration": {"Status": "Enabled"},
            "LifecycleConfiguration": {
                "Rules": [
                    {
                        "Id": "expire",
                        "Status": "Enabled",
                        "ExpirationInDays": 400,
                        "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
                        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
                    }
                ]
            },
        },
        lambda bucket: client("s3").delete_public_access_block(Bucket=bucket.id),
        "PublicAccessBlockConfiguration",
    ),
    Case(
        "AWS::S3::BucketPolicy",
        lambda: {"Bucket": bucket_name(), "PolicyDocument": BUCKET_POLICY},
        lambda policy: client("s3").put_bucket_policy(Bucket=policy.id, Policy=widened(BUCKET_POLICY)),
        "PolicyDocument",
    ),
    Case(
        "AWS::Logs::LogGroup",
        lambda: {"LogGroupName": "/aws/bedrock/invocations", "RetentionInDays": 365, "KmsKeyId": key_arn()},
        lambda group: client("logs").put_retention_policy(logGroupName=group.id, retentionInDays=1),
        "RetentionInDays",
    ),
    Case(
        "AWS::CloudTrail::Trail",
        lambda: {
            "TrailName": "quickstart-bedrock",
            "S3BucketName": bucket_name(),
            "IsLogging": True,
            "IsMultiRegionTrail": True,
            "IncludeGlobalServiceEvents": True,
            "EnableLogFileValidation": True,
            "KMSKeyId": key_arn(),
            "AdvancedEventSelectors": SELECTORS,
        },
        lambda trail: client("cloudtrail").stop_logging(Name=trail.id),
        "IsLogging",
    ),
    Case(
        "AWS::CloudWatch::Alarm",
        lambda: {
            "AlarmName": "quickstart-delivery",
            "Namespace": "AWS/Bedrock",
            "MetricName": "ModelInvocationLogsS3DeliveryFailure",
            "Statistic": "Sum",
            "Period": 300,
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            "Dimensions": [],
            "AlarmActions": [topic_arn()],
        },
        lambda alarm: client("cloudwatch").disable_alarm_actions(AlarmNames=[alarm.id]),
        "ActionsEnabled",
    ),
    Case(
        "AWS::SNS::Topic",
        lambda: {"TopicName": "quickstart-alarms", "KmsMasterKeyId": key_arn()},
        lambda topic: client("sns").set_topic_attributes(
            TopicArn=topic.id, AttributeName="KmsMasterKeyId", AttributeValue="alias/aws/sns"
        ),
        "KmsMasterKeyId",
    ),
    Case(
        "AWS::SNS::TopicPolicy",
        lambda: {
            "Topics": [topic_arn()],
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "cloudwatch.amazonaws.com"},
                        "Action": "sns:Publish",
                        "Resource": f"arn:aws:sns:us-east-1:{ACCOUNT}:alarms",
                    }
                ],
            },
        },
        lambda policy: client("sns").set_topic_attributes(
            TopicArn=policy.id,
            AttributeName="Policy",
            AttributeValue=json.dumps({"Version": "2012-10-17", "Statement": [WIDE]}),
        ),
        "PolicyDocument",
    ),
    Case(
        "AWS::Events::Rule",
        lambda: {
            "Name": "quickstart-tampering",
            "EventPattern": PATTERN,
            "State": "ENABLED",
            "Targets": [{"Id": "alarms", "Arn": topic_arn()}],
        },
        lambda rule: client("events").remove_targets(Rule=rule.id, Ids=["alarms"]),
        "Targets",
    ),
    Case(
        "AWS::Organizations::Policy",
        lambda: {
            "Name": "quickstart-guardrail",
            "Description": "Ringwall",
            "Type": "SERVICE_CONTROL_POLICY",
            "Content": SCP,
            "TargetIds": [root_id()],
        },
        lambda policy: client("organizations").detach_policy(
            PolicyId=policy.id, TargetId=policy.properties["TargetIds"][0]
        ),
        "TargetIds",
    ),
)


def differing(kind: Any, desired: Resource, observed: Resource) -> list[str]:
    wanted, there = kind.normalise(desired.properties), kind.normalise(observed.properties)
    return [name for name in wanted if name != "Tags" and wanted[name] != there.get(name)]


def found(kind: Any, aws: Connection, desired: Resource) -> Resource | None:
    aws.forget()
    match = kind.match(desired, tuple(kind.read(aws)))
    return match if match is None or isinstance(match, Resource) else None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.type)
def test_lifecycle(aws: Connection, case: Case) -> None:
    kind = registry()[case.type]
    kind.clock = FakeClock()  # type: ignore[attr-defined]
    desired = resource(case.type, "thing/main", **case.properties())

    assert kind.validate(desired.properties) == ()
    assert found(kind, aws, desired) is None or case.type == "AWS::SNS::TopicPolicy"

    made = kind.create(aws, desired)
    assert made.evidence
    there = found(kind, aws, desired)
    assert there is not None
    assert there.id == made.id
    assert there.unknown == ()
    assert differing(kind, desired, there) == []
    assert kind.attributes(there) == kind.attributes(made)
    assert set(kind.placeholder(desired)) == set(kind.attributes(there))
    if kind.taggable:  # type: ignore[attr-defined]
        marks = tags_of(there.properties)
        assert (marks.get(ID_TAG), marks.get(PERIMETER_TAG)) == ("thing/main", "quickstart")

    case.tamper(there)
    drifted = found(kind, aws, desired)
    assert drifted is not None
    assert case.shows in differing(kind, desired, drifted)

    kind.update(aws, drifted, desired)
    repaired = found(kind, aws, desired)
    assert repaired is not None
    assert differing(kind, desired, repaired) == []

    before = len(aws.recording())
    kind.update(aws, repaired, desired)
    assert [item.operation for item in aws.recording()[before:]] == []

    kind.delete(aws, repaired)
    gone = found(kind, aws, desired)
    if case.type == "AWS::KMS::Key":
        assert gone is not None
        assert gone.get("KeyState") == "PendingDeletion"
        kind.update(aws, gone, desired)
        back = found(kind, aws, desired)
        assert back is not None
        assert back.get("KeyState") == "Enabled"
    elif case.type == "AWS::SNS::TopicPolicy":
        assert gone is not None
        assert differing(kind, desired, gone) == ["PolicyDocument"]
    else:
        assert gone is None


def test_tags_that_are_lost_come_back(aws: Connection) -> None:
    kind = registry()["AWS::SNS::Topic"]
    desired = resource("AWS::SNS::Topic", "topic/alarms", TopicName="alarms")
    made = kind.create(aws, desired)
    client("sns").untag_resource(ResourceArn=made.id, TagKeys=[ID_TAG])
    there = found(kind, aws, desired)
    assert there is not None
    kind.update(aws, there, desired)
    repaired = found(kind, aws, desired)
    assert repaired is not None
    assert tags_of(repaired.properties)[ID_TAG] == "topic/alarms"


def test_other_peoples_bucket_tags_survive(aws: Connection) -> None:
    kind = registry()["AWS::S3::Bucket"]
    desired = resource("AWS::S3::Bucket", "bucket/logs", BucketName="ringwall-quickstart-logs")
    kind.create(aws, desired)
    client("s3").put_bucket_tagging(
        Bucket="ringwall-quickstart-logs", Tagging={"TagSet": [{"Key": "cost-centre", "Value": "42"}]}
    )
    there = found(kind, aws, desired)
    assert there is not None
    kind.update(aws, there, desired)
    repaired = found(kind, aws, desired)
    assert repaired is not None
    assert tags_of(repaired.properties) == {
        "cost-centre": "42",
        ID_TAG: "bucket/logs",
        PERIMETER_TAG: "quickstart",
    }


def test_two_perimeters_do_not_take_each_others_keys(aws: Connection) -> None:
    kind = registry()["AWS::KMS::Key"]
    tags = [{"Key": PERIMETER_TAG, "Value": "quickstart"}]
    ours = resource("AWS::KMS::Key", "key/guardrail", KeyPolicy=KEY_POLICY, Tags=tags)
    theirs = replace(ours, properties={**ours.properties, "Tags": [{"Key": PERIMETER_TAG, "Value": "other"}]})
    made = kind.create(aws, ours)
    assert found(kind, aws, ours) == replace(made, properties=found(kind, aws, ours).properties)  # type: ignore[union-attr]
    assert found(kind, aws, theirs) is None


def test_metric_filter(aws: Connection) -> None:
    kind = registry()["AWS::Logs::MetricFilter"]
    desired = resource(
        "AWS::Logs::MetricFilter",
        "metric-filter/denied",
        LogGroupName=group_of_logs(),
        FilterName="access-denied",
        FilterPattern='{ $.errorCode = "AccessDenied*" }',
        MetricTransformations=[
            {"MetricName": "Denied", "MetricNamespace": "Ringwall/quickstart", "MetricValue": "1"}
        ],
    )
    kind.create(aws, desired)
    there = found(kind, aws, desired)
    assert there is not None
    assert differing(kind, desired, there) == []
    kind.delete(aws, there)
    assert found(kind, aws, desired) is None


def test_a_subscription_waits_for_confirmation(aws: Connection) -> None:
    kind = registry()["AWS::SNS::Subscription"]
    desired = resource(
        "AWS::SNS::Subscription",
        "subscription/alarms",
        TopicArn=topic_arn(),
        Protocol="email",
        Endpoint="security@example.com",
    )
    assert found(kind, aws, desired) is None
    kind.create(aws, desired)
    there = found(kind, aws, desired)
    assert there is not None
    assert isinstance(there.get("PendingConfirmation"), bool)


def test_managed_policy_makes_room_for_a_sixth_version(aws: Connection) -> None:
    kind = registry()["AWS::IAM::ManagedPolicy"]
    desired = resource("AWS::IAM::ManagedPolicy", "policy/x", ManagedPolicyName="x", PolicyDocument=INVOKE)
    kind.create(aws, desired)
    for number in range(6):
        statement = {"Effect": "Deny", "Action": f"bedrock:Action{number}", "Resource": "*"}
        changed = resource(
            "AWS::IAM::ManagedPolicy",
            "policy/x",
            ManagedPolicyName="x",
            PolicyDocument={"Version": "2012-10-17", "Statement": [statement]},
        )
        there = found(kind, aws, changed)
        assert there is not None
        kind.update(aws, there, changed)
        there = found(kind, aws, changed)
        assert there is not None
        assert differing(kind, changed, there) == []
    assert len(client("iam").list_policy_versions(PolicyArn=there.id)["Versions"]) == 5
