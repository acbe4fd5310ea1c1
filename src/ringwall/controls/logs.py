"""Buckets, log group, role and settings of invocation logging and the trail, as resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.catalog.bedrock import INVOCATION_LOG_STREAM
from ringwall.controls import names
from ringwall.controls.documents import Statement, allow, deny, document
from ringwall.controls.keys import from_bedrock
from ringwall.controls.siblings import EVENT_TYPES
from ringwall.estate.kinds.trail_selectors import own_name
from ringwall.estate.model import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.perimeter.model import Perimeter

LARGE_DATA = "large-data"

DATA_TYPES = (
    "AWS::Bedrock::AdvancedOptimizePromptJob",
    "AWS::Bedrock::AgentAlias",
    "AWS::Bedrock::AsyncInvoke",
    "AWS::Bedrock::AutomatedReasoningPolicy",
    "AWS::Bedrock::AutomatedReasoningPolicyVersion",
    "AWS::Bedrock::Blueprint",
    "AWS::Bedrock::DataAutomationInvocation",
    "AWS::Bedrock::DataAutomationProfile",
    "AWS::Bedrock::DataAutomationProject",
    "AWS::Bedrock::FlowAlias",
    "AWS::Bedrock::FlowExecution",
    "AWS::Bedrock::Guardrail",
    "AWS::Bedrock::InlineAgent",
    "AWS::Bedrock::KnowledgeBase",
    "AWS::Bedrock::Model",
    "AWS::Bedrock::PromptVersion",
    "AWS::Bedrock::Session",
    "AWS::Bedrock::Tool",
    "AWS::BedrockMantle::Project",
)
"""Data event types of Bedrock that advanced event selectors accept; one selector each."""

MODALITIES = (
    "TextDataDeliveryEnabled",
    "ImageDataDeliveryEnabled",
    "EmbeddingDataDeliveryEnabled",
    "VideoDataDeliveryEnabled",
    "AudioDataDeliveryEnabled",
)


def bucket(perimeter: Perimeter, purpose: str, key: str) -> Resource:
    """A private, versioned bucket that is encrypted with its own key, whose ARN S3 wants for service writers."""
    return Resource(
        type="AWS::S3::Bucket",
        account=perimeter.account,
        region=perimeter.regions.source,
        id=f"bucket/{purpose}",
        properties={
            "BucketName": perimeter.bucket(purpose),
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {
                        "ServerSideEncryptionByDefault": {
                            "SSEAlgorithm": "aws:kms",
                            "KMSMasterKeyID": names.key_arn(key),
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
            "LifecycleConfiguration": {"Rules": [_lifecycle(perimeter, purpose)]},
        },
    )


def _lifecycle(perimeter: Perimeter, purpose: str) -> dict[str, Any]:
    """Unfinished uploads go, and so do overwritten versions once the log group would have forgotten them too.

    Nothing that is current expires unless the declaration says so, and knowledge sources never do.
    """
    days = perimeter.logging.object_days if purpose in names.log_buckets(perimeter) else None
    return {
        "Id": "tidy",
        "Status": "Enabled",
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        "NoncurrentVersionExpiration": {"NoncurrentDays": perimeter.logging.retention_days},
        **({"ExpirationInDays": days} if days is not None else {}),
    }


def bucket_policy(perimeter: Perimeter, purpose: str, *statements: Statement) -> Resource:
    """The policy of a bucket, TLS only."""
    arn = names.bucket_arn(perimeter, purpose)
    tls = deny(
        "TlsOnly",
        "s3:*",
        [arn, f"{arn}/*"],
        {"Bool": {"aws:SecureTransport": "false"}},
        principal="*",
    )
    return Resource(
        type="AWS::S3::BucketPolicy",
        account=perimeter.account,
        region=perimeter.regions.source,
        id=f"bucket-policy/{purpose}",
        properties={"Bucket": perimeter.bucket(purpose), "PolicyDocument": document(*statements, tls)},
        depends_on=(f"bucket/{purpose}",),
    )


def delivery_path(perimeter: Perimeter, prefix: str) -> str:
    """Key prefix below which Bedrock writes a destination's objects."""
    return f"{prefix}/AWSLogs/{perimeter.account}/BedrockModelInvocationLogs"


def invocation_logging(perimeter: Perimeter) -> Iterator[Resource]:
    """Everything of invocation logging but the keys."""
    purpose = names.INVOCATION_LOGS
    arn = names.bucket_arn(perimeter, purpose)
    yield bucket(perimeter, purpose, "invocation-log-bucket")
    yield bucket_policy(
        perimeter,
        purpose,
        allow(
            "BedrockLogDelivery",
            "s3:PutObject",
            [
                f"{arn}/{delivery_path(perimeter, prefix)}/*"
                for prefix in (perimeter.logging.prefix, LARGE_DATA)
            ],
            from_bedrock(perimeter),
            principal={"Service": "bedrock.amazonaws.com"},
        ),
    )
    yield Resource(
        type="AWS::Logs::LogGroup",
        account=perimeter.account,
        region=perimeter.regions.source,
        id="log-group/invocations",
        properties={
            "LogGroupName": names.log_group(perimeter),
            "RetentionInDays": perimeter.logging.retention_days,
            "KmsKeyId": names.key_arn("invocation-log-group"),
            "DeletionProtectionEnabled": perimeter.logging.deletion_protection,
            **({"DataProtectionPolicy": mask(perimeter)} if perimeter.logging.mask else {}),
        },
    )
    yield _logging_role(perimeter)
    yield _setting(perimeter)


def mask(perimeter: Perimeter) -> dict[str, Any]:
    """Data protection policy of the log group: what readers without ``logs:Unmask`` see masked.

    CloudWatch Logs wants both operations, for the same identifiers
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch-logs-data-protection-policies.html).
    """
    prefix = f"arn:{perimeter.partition}:dataprotection::aws:data-identifier"
    identifiers = [f"{prefix}/{name}" for name in perimeter.logging.mask]
    return {
        "Name": f"{perimeter.name}-invocation-logs",
        "Version": "2021-06-01",
        "Statement": [
            {
                "Sid": "audit",
                "DataIdentifier": identifiers,
                "Operation": {"Audit": {"FindingsDestination": {}}},
            },
            {
                "Sid": "mask",
                "DataIdentifier": identifiers,
                "Operation": {"Deidentify": {"MaskConfig": {}}},
            },
        ],
    }


def _logging_role(perimeter: Perimeter) -> Resource:
    stream = f"{names.log_group_arn(perimeter)}:log-stream:{INVOCATION_LOG_STREAM}"
    return Resource(
        type="AWS::IAM::Role",
        account=perimeter.account,
        region="global",
        id=f"role/{names.LOGGING_ROLE}",
        properties={
            "RoleName": names.logging_role_name(perimeter),
            "Path": "/",
            "Description": f"Ringwall {perimeter.name}: Bedrock writes invocation logs",
            "MaxSessionDuration": 3600,
            "AssumeRolePolicyDocument": document(
                allow(
                    "BedrockWritesLogs",
                    "sts:AssumeRole",
                    None,
                    from_bedrock(perimeter),
                    principal={"Service": "bedrock.amazonaws.com"},
                )
            ),
            "Policies": [
                {
                    "PolicyName": "write-invocation-logs",
                    "PolicyDocument": document(
                        allow("WriteStream", ["logs:CreateLogStream", "logs:PutLogEvents"], [stream])
                    ),
                }
            ],
        },
    )


def _setting(perimeter: Perimeter) -> Resource:
    bucket_name = perimeter.bucket(names.INVOCATION_LOGS)
    configuration: dict[str, Any] = {
        "CloudWatchConfig": {
            "LogGroupName": names.log_group(perimeter),
            "RoleArn": names.logging_role_arn(perimeter),
            "LargeDataDeliveryS3Config": {"BucketName": bucket_name, "KeyPrefix": LARGE_DATA},
        },
        "S3Config": {"BucketName": bucket_name, "KeyPrefix": perimeter.logging.prefix},
        **dict.fromkeys(MODALITIES, True),
    }
    return Resource(
        type="Ringwall::Bedrock::InvocationLogging",
        account=perimeter.account,
        region=perimeter.regions.source,
        id="invocation-logging/main",
        properties={"LoggingConfig": configuration},
        depends_on=(
            f"bucket-policy/{names.INVOCATION_LOGS}",
            "key/invocation-log-bucket",
            "log-group/invocations",
            f"role/{names.LOGGING_ROLE}",
        ),
    )


def trail(perimeter: Perimeter) -> Iterator[Resource]:
    """The trail, its bucket and the bucket's policy; on a trail that was there before, our selectors alone."""
    if perimeter.logging.trail is not None:
        yield _merged_selectors(perimeter, perimeter.logging.trail)
        return
    arn = names.bucket_arn(perimeter, names.TRAIL)
    source = {"aws:SourceArn": names.trail_arn(perimeter)}
    service = {"Service": "cloudtrail.amazonaws.com"}
    yield bucket(perimeter, names.TRAIL, "trail")
    yield bucket_policy(
        perimeter,
        names.TRAIL,
        allow("CloudTrailAclCheck", "s3:GetBucketAcl", [arn], {"StringEquals": source}, principal=service),
        allow(
            "CloudTrailWrites",
            "s3:PutObject",
            [f"{arn}/AWSLogs/{perimeter.account}/*"],
            {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", **source}},
            principal=service,
        ),
    )
    yield Resource(
        type="AWS::CloudTrail::Trail",
        account=perimeter.account,
        region=perimeter.regions.source,
        id="trail/main",
        properties={
            "TrailName": names.trail_name(perimeter),
            "S3BucketName": perimeter.bucket(names.TRAIL),
            "IsLogging": True,
            "IsMultiRegionTrail": True,
            "IncludeGlobalServiceEvents": True,
            "EnableLogFileValidation": True,
            "KMSKeyId": names.key_arn("trail"),
            "AdvancedEventSelectors": selectors(perimeter),
        },
        depends_on=(f"bucket-policy/{names.TRAIL}",),
    )


def _merged_selectors(perimeter: Perimeter, name: str) -> Resource:
    """Ours are told from the others by their names."""
    own = [{**item, "Name": own_name(perimeter.name, item["Name"])} for item in selectors(perimeter)]
    return Resource(
        type="Ringwall::CloudTrail::EventSelectors",
        account=perimeter.account,
        region=perimeter.regions.source,
        id="trail-selectors/main",
        properties={"TrailName": name, "AdvancedEventSelectors": own},
    )


def selectors(perimeter: Perimeter) -> list[dict[str, Any]]:
    """Management events, every data event type of Bedrock, and calls that an endpoint policy refused.

    Siblings that the declaration opens are recorded as well.

    One ``resources.type`` each, as CloudTrail wants it
    (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html).
    """
    data = [
        _selector(kind.removeprefix("AWS::").replace("::", ""), "Data", ("resources.type", kind))
        for kind in (
            *DATA_TYPES,
            *(kind for name in perimeter.siblings for kind in EVENT_TYPES.get(name, ())),
        )
    ]
    return [
        _selector("Management", "Management"),
        *data,
        _selector(
            "EndpointDenials",
            "NetworkActivity",
            ("eventSource", "bedrock.amazonaws.com"),
            ("errorCode", "VpceAccessDenied"),
        ),
    ]


def _selector(name: str, category: str, *fields: tuple[str, str]) -> dict[str, Any]:
    tests = [("eventCategory", category), *fields]
    return {"Name": name, "FieldSelectors": [{"Field": field, "Equals": [value]} for field, value in tests]}
