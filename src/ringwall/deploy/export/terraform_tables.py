"""Types and attributes of the Terraform AWS provider, by CloudFormation's names.

Made against the schema of hashicorp/aws 5.100 (``terraform providers schema``). A property that stands in no table is
reported as a gap; nothing is left out in silence.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ringwall.deploy.export.terraform_fitting import Fitted, guardrail_that_fits, selectors_that_fit

Form = Callable[[Any], Any]


def plain(value: Any) -> Any:
    """As it is."""
    return value


def text(value: Any) -> str:
    """A document as JSON text."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def tag_map(value: Any) -> dict[str, str]:
    """Tags as a mapping."""
    return {tag["Key"]: tag["Value"] for tag in value}


def dimension_map(value: Any) -> dict[str, Any]:
    """An alarm's dimensions as a mapping."""
    return {item["Name"]: item["Value"] for item in value}


def pairs(value: Any) -> dict[str, Any]:
    """A metric filter's dimensions as a mapping."""
    return {item["Key"]: item["Value"] for item in value}


Table: TypeAlias = "Mapping[str, tuple[str, Form | Table]]"
TAGS = ("tags", tag_map)


def same(*names: tuple[str, str]) -> dict[str, tuple[str, Form | Table]]:
    """Rows of properties whose values are taken as they are."""
    return {name: (attribute, plain) for name, attribute in names}


@dataclass(frozen=True, slots=True)
class Simple:
    """A type that one Terraform resource expresses.

    Attributes:
        name: Terraform's type.
        table: attribute and form by property; a nested table for blocks.
        fixed: what is always set.
        fitting: the properties without values that the provider refuses, and what those are called.
    """

    name: str
    table: Table
    fixed: Mapping[str, Any] | None = None
    fitting: Callable[[Mapping[str, Any]], Fitted] = lambda properties: (properties, [])


KEEP = {"lifecycle": {"prevent_destroy": True}}
"""For what holds data or decrypts it: Terraform refuses to destroy it."""

DNS_OPTIONS: Table = {
    "PrivateDnsOnlyForInboundResolverEndpoint": (
        "private_dns_only_for_inbound_resolver_endpoint",
        lambda value: value == "OnlyInboundResolver",
    )
}
LARGE_DATA = same(("BucketName", "bucket_name"), ("KeyPrefix", "key_prefix"))
LOGGING: Table = {
    "CloudWatchConfig": (
        "cloudwatch_config",
        {
            **same(("LogGroupName", "log_group_name"), ("RoleArn", "role_arn")),
            "LargeDataDeliveryS3Config": ("large_data_delivery_s3_config", LARGE_DATA),
        },
    ),
    "S3Config": ("s3_config", LARGE_DATA),
    **same(
        ("TextDataDeliveryEnabled", "text_data_delivery_enabled"),
        ("ImageDataDeliveryEnabled", "image_data_delivery_enabled"),
        ("EmbeddingDataDeliveryEnabled", "embedding_data_delivery_enabled"),
        ("VideoDataDeliveryEnabled", "video_data_delivery_enabled"),
    ),
}
GUARDRAIL: Table = {
    **same(
        ("Name", "name"),
        ("Description", "description"),
        ("BlockedInputMessaging", "blocked_input_messaging"),
        ("BlockedOutputsMessaging", "blocked_outputs_messaging"),
        ("KmsKeyArn", "kms_key_arn"),
    ),
    "Tags": TAGS,
    "ContentPolicyConfig": (
        "content_policy_config",
        {
            "FiltersConfig": (
                "filters_config",
                same(
                    ("Type", "type"),
                    ("InputStrength", "input_strength"),
                    ("OutputStrength", "output_strength"),
                ),
            )
        },
    ),
    "ContextualGroundingPolicyConfig": (
        "contextual_grounding_policy_config",
        {"FiltersConfig": ("filters_config", same(("Type", "type"), ("Threshold", "threshold")))},
    ),
    "TopicPolicyConfig": (
        "topic_policy_config",
        {
            "TopicsConfig": (
                "topics_config",
                same(
                    ("Name", "name"), ("Definition", "definition"), ("Type", "type"), ("Examples", "examples")
                ),
            )
        },
    ),
    "WordPolicyConfig": (
        "word_policy_config",
        {
            "WordsConfig": ("words_config", same(("Text", "text"))),
            "ManagedWordListsConfig": ("managed_word_lists_config", same(("Type", "type"))),
        },
    ),
    "SensitiveInformationPolicyConfig": (
        "sensitive_information_policy_config",
        {
            "PiiEntitiesConfig": ("pii_entities_config", same(("Type", "type"), ("Action", "action"))),
            "RegexesConfig": (
                "regexes_config",
                same(
                    ("Name", "name"),
                    ("Description", "description"),
                    ("Pattern", "pattern"),
                    ("Action", "action"),
                ),
            ),
        },
    ),
}
TRAIL: Table = {
    **same(
        ("TrailName", "name"),
        ("S3BucketName", "s3_bucket_name"),
        ("S3KeyPrefix", "s3_key_prefix"),
        ("IsLogging", "enable_logging"),
        ("IsMultiRegionTrail", "is_multi_region_trail"),
        ("IsOrganizationTrail", "is_organization_trail"),
        ("IncludeGlobalServiceEvents", "include_global_service_events"),
        ("EnableLogFileValidation", "enable_log_file_validation"),
        ("KMSKeyId", "kms_key_id"),
        ("SnsTopicName", "sns_topic_name"),
        ("CloudWatchLogsLogGroupArn", "cloud_watch_logs_group_arn"),
        ("CloudWatchLogsRoleArn", "cloud_watch_logs_role_arn"),
    ),
    "Tags": TAGS,
    "AdvancedEventSelectors": (
        "advanced_event_selector",
        {
            "Name": ("name", plain),
            "FieldSelectors": (
                "field_selector",
                same(
                    ("Field", "field"),
                    ("Equals", "equals"),
                    ("NotEquals", "not_equals"),
                    ("StartsWith", "starts_with"),
                    ("NotStartsWith", "not_starts_with"),
                    ("EndsWith", "ends_with"),
                    ("NotEndsWith", "not_ends_with"),
                ),
            ),
        },
    ),
    "InsightSelectors": ("insight_selector", same(("InsightType", "insight_type"))),
}
ALARM: Table = {
    **same(
        ("AlarmName", "alarm_name"),
        ("AlarmDescription", "alarm_description"),
        ("Namespace", "namespace"),
        ("MetricName", "metric_name"),
        ("Statistic", "statistic"),
        ("ExtendedStatistic", "extended_statistic"),
        ("Period", "period"),
        ("EvaluationPeriods", "evaluation_periods"),
        ("DatapointsToAlarm", "datapoints_to_alarm"),
        ("Threshold", "threshold"),
        ("ComparisonOperator", "comparison_operator"),
        ("TreatMissingData", "treat_missing_data"),
        ("ActionsEnabled", "actions_enabled"),
        ("AlarmActions", "alarm_actions"),
        ("OKActions", "ok_actions"),
        ("InsufficientDataActions", "insufficient_data_actions"),
        ("Unit", "unit"),
    ),
    "Dimensions": ("dimensions", dimension_map),
    "Tags": TAGS,
}

SIMPLE: Mapping[str, Simple] = {
    "AWS::KMS::Key": Simple(
        "aws_kms_key",
        {
            **same(
                ("Description", "description"),
                ("KeySpec", "customer_master_key_spec"),
                ("KeyUsage", "key_usage"),
                ("MultiRegion", "multi_region"),
                ("Enabled", "is_enabled"),
                ("EnableKeyRotation", "enable_key_rotation"),
                ("RotationPeriodInDays", "rotation_period_in_days"),
            ),
            "KeyPolicy": ("policy", text),
            "Tags": TAGS,
        },
        {"deletion_window_in_days": 30, **KEEP},
    ),
    "AWS::KMS::Alias": Simple("aws_kms_alias", same(("AliasName", "name"), ("TargetKeyId", "target_key_id"))),
    "AWS::S3::BucketPolicy": Simple(
        "aws_s3_bucket_policy", {"Bucket": ("bucket", plain), "PolicyDocument": ("policy", text)}
    ),
    "AWS::Logs::MetricFilter": Simple(
        "aws_cloudwatch_log_metric_filter",
        {
            **same(("FilterName", "name"), ("LogGroupName", "log_group_name"), ("FilterPattern", "pattern")),
            "MetricTransformations": (
                "metric_transformation",
                {
                    **same(
                        ("MetricName", "name"),
                        ("MetricNamespace", "namespace"),
                        ("MetricValue", "value"),
                        ("DefaultValue", "default_value"),
                        ("Unit", "unit"),
                    ),
                    "Dimensions": ("dimensions", pairs),
                },
            ),
        },
    ),
    "AWS::CloudTrail::Trail": Simple("aws_cloudtrail", TRAIL, fitting=selectors_that_fit),
    "AWS::IAM::ManagedPolicy": Simple(
        "aws_iam_policy",
        {
            **same(("ManagedPolicyName", "name"), ("Path", "path"), ("Description", "description")),
            "PolicyDocument": ("policy", text),
            "Tags": TAGS,
        },
    ),
    "AWS::EC2::VPCEndpoint": Simple(
        "aws_vpc_endpoint",
        {
            **same(
                ("VpcId", "vpc_id"),
                ("ServiceName", "service_name"),
                ("VpcEndpointType", "vpc_endpoint_type"),
                ("SubnetIds", "subnet_ids"),
                ("SecurityGroupIds", "security_group_ids"),
                ("RouteTableIds", "route_table_ids"),
                ("PrivateDnsEnabled", "private_dns_enabled"),
                ("IpAddressType", "ip_address_type"),
            ),
            "DnsOptions": ("dns_options", DNS_OPTIONS),
            "PolicyDocument": ("policy", text),
            "Tags": TAGS,
        },
    ),
    "AWS::SNS::Topic": Simple(
        "aws_sns_topic",
        {
            **same(
                ("TopicName", "name"),
                ("DisplayName", "display_name"),
                ("KmsMasterKeyId", "kms_master_key_id"),
                ("SignatureVersion", "signature_version"),
            ),
            "Tags": TAGS,
        },
    ),
    "AWS::SNS::Subscription": Simple(
        "aws_sns_topic_subscription",
        same(("TopicArn", "topic_arn"), ("Protocol", "protocol"), ("Endpoint", "endpoint")),
    ),
    "AWS::CloudWatch::Alarm": Simple("aws_cloudwatch_metric_alarm", ALARM),
    "AWS::Bedrock::Guardrail": Simple("aws_bedrock_guardrail", GUARDRAIL, fitting=guardrail_that_fits),
    "Ringwall::Bedrock::InvocationLogging": Simple(
        "aws_bedrock_model_invocation_logging_configuration", {"LoggingConfig": ("logging_config", LOGGING)}
    ),
}

ADDRESSES: Mapping[tuple[str, str], str] = {
    # (type, attribute): what follows the address of the resource in an interpolation, {} being the address
    ("AWS::KMS::Key", "Id"): "${{{}.key_id}}",
    ("AWS::KMS::Key", "KeyId"): "${{{}.key_id}}",
    ("AWS::KMS::Key", "Arn"): "${{{}.arn}}",
    ("AWS::Bedrock::Guardrail", "Id"): "${{{}.guardrail_id}}",
    ("AWS::Bedrock::Guardrail", "GuardrailId"): "${{{}.guardrail_id}}",
    ("AWS::Bedrock::Guardrail", "Arn"): "${{{}.guardrail_arn}}",
    ("AWS::Bedrock::Guardrail", "GuardrailArn"): "${{{}.guardrail_arn}}",
    ("AWS::Bedrock::Guardrail", "NumberedVersions"): "${{{}.guardrail_arn}}:*",
    ("AWS::Bedrock::GuardrailVersion", "Version"): "${{{}.version}}",
    ("AWS::Bedrock::GuardrailVersion", "GuardrailArn"): "${{{}.guardrail_arn}}",
    ("AWS::Bedrock::GuardrailVersion", "Arn"): "${{{0}.guardrail_arn}}:${{{0}.version}}",
    ("AWS::EC2::SecurityGroup", "Id"): "${{{}.id}}",
    ("AWS::EC2::SecurityGroup", "GroupId"): "${{{}.id}}",
    ("AWS::EC2::SecurityGroup", "Arn"): "${{{}.arn}}",
    ("AWS::EC2::VPCEndpoint", "Id"): "${{{}.id}}",
    ("AWS::EC2::VPCEndpoint", "Arn"): "${{{}.arn}}",
}
"""Attributes that AWS chooses. All others follow from names that the declaration determines."""
