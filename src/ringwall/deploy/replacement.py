"""Properties that cannot be changed in place: CloudFormation's ``createOnlyProperties``.

From the registry schemas of 2026-10-20 (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/). A kind
may know better and list its own as ``create_only``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ringwall.deploy.changes import Difference
from ringwall.estate.kind import Kind

CREATE_ONLY: Mapping[str, tuple[str, ...]] = {
    "AWS::Bedrock::GuardrailVersion": ("GuardrailIdentifier", "Description"),
    "AWS::Bedrock::ResourcePolicy": ("ResourceArn",),
    "AWS::CloudTrail::Trail": ("TrailName",),
    "AWS::CloudWatch::Alarm": ("AlarmName",),
    "AWS::CloudWatch::Dashboard": ("DashboardName",),
    "AWS::EC2::SecurityGroup": ("GroupDescription", "GroupName", "VpcId"),
    "AWS::EC2::VPCEndpoint": ("ServiceName", "VpcEndpointType", "VpcId"),
    "AWS::Events::Rule": ("Name", "EventBusName"),
    "AWS::IAM::ManagedPolicy": ("Description", "ManagedPolicyName", "Path"),
    "AWS::IAM::Role": ("Path", "RoleName"),
    "AWS::IAM::User": ("UserName",),
    "AWS::KMS::Key": ("KeySpec", "KeyUsage", "Origin", "MultiRegion"),
    "AWS::Logs::LogGroup": ("LogGroupName", "LogGroupClass"),
    "AWS::Logs::MetricFilter": ("FilterName", "LogGroupName"),
    "AWS::Organizations::Policy": ("Type",),
    "AWS::S3::Bucket": ("BucketName", "ObjectLockEnabled"),
    "AWS::S3::BucketPolicy": ("Bucket",),
    "AWS::SNS::Subscription": ("Endpoint", "Protocol", "TopicArn"),
    "AWS::SNS::Topic": ("FifoTopic", "TopicName"),
}


def create_only(kind: Kind, found: Iterable[Difference]) -> tuple[str, ...]:
    """The create-only properties among the differences; a resource with any has to be made anew."""
    fixed = tuple(getattr(kind, "create_only", ()) or CREATE_ONLY.get(kind.type, ()))
    return tuple(
        dict.fromkeys(
            name
            for item in found
            for name in fixed
            if item.path == name or item.path.startswith((f"{name}.", f"{name}["))
        )
    )
