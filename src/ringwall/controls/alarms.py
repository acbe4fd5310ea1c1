"""Topic, subscription, alarms and the rule on tampering, as resources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringwall.controls import names
from ringwall.controls.documents import allow, deny, document
from ringwall.estate.model import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.perimeter.model import Perimeter

RUNTIME = "AWS/Bedrock"
GUARDRAILS = "AWS/Bedrock/Guardrails"
MANTLE = "AWS/BedrockMantle"
MANTLE_USE = "mantle-use"


@dataclass(frozen=True, slots=True)
class Watch:
    """One alarm: when the sum over ``minutes`` reaches ``threshold``."""

    name: str
    namespace: str
    metric: str
    meaning: str
    threshold: int = 1
    minutes: int = 5
    per_model: bool = False
    per_guardrail: bool = False


WATCHES = (
    Watch(
        "log-delivery-cloudwatch",
        RUNTIME,
        "ModelInvocationLogsCloudWatchDeliveryFailure",
        "Invocation logs do not reach CloudWatch Logs",
    ),
    Watch(
        "log-delivery-s3",
        RUNTIME,
        "ModelInvocationLogsS3DeliveryFailure",
        "Invocation logs do not reach S3",
    ),
    Watch(
        "log-delivery-large-data",
        RUNTIME,
        "ModelInvocationLargeDataS3DeliveryFailure",
        "Large bodies of invocation logs do not reach S3",
    ),
    Watch(
        "guardrail-interventions",
        GUARDRAILS,
        "InvocationsIntervened",
        "The pinned guardrail stops unusually many requests",
        threshold=50,
        per_guardrail=True,
    ),
    Watch(
        "guardrail-errors",
        GUARDRAILS,
        "InvocationServerErrors",
        "The pinned guardrail fails",
        per_guardrail=True,
    ),
    Watch(
        "guardrail-throttles",
        GUARDRAILS,
        "InvocationThrottles",
        "The pinned guardrail is throttled, and calls with it",
        per_guardrail=True,
    ),
    Watch(
        "legacy-model",
        RUNTIME,
        "LegacyModelInvocations",
        "A model is used that AWS is about to withdraw",
        per_model=True,
    ),
    Watch(
        "client-errors",
        RUNTIME,
        "InvocationClientErrors",
        "Many refused calls: a broken client, or somebody trying what is allowed",
        threshold=50,
        per_model=True,
    ),
    Watch(
        "throttles",
        RUNTIME,
        "InvocationThrottles",
        "Sustained throttling: a runaway client, or stolen credentials at work",
        threshold=100,
        minutes=15,
        per_model=True,
    ),
    Watch(MANTLE_USE, MANTLE, "Inferences", "Inference on an endpoint that the perimeter closes"),
)
TOKENS = ("InputTokenCount", "OutputTokenCount")


def watches(perimeter: Perimeter) -> Iterator[Watch]:
    """The alarms of a declaration: those that always are, less the one on a sibling that it opens, and its ceilings."""
    for watch in WATCHES:
        if watch.name != MANTLE_USE or "bedrock-mantle" not in perimeter.siblings:
            yield watch
    ceiling = perimeter.alarms.tokens_per_hour
    for metric in TOKENS if ceiling is not None else ():
        yield Watch(
            "input-tokens" if metric == TOKENS[0] else "output-tokens",
            RUNTIME,
            metric,
            "More tokens in an hour than declared: a runaway client, or stolen credentials at work",
            threshold=ceiling or 1,
            minutes=60,
            per_model=True,
        )


TAMPERING_SOURCES = (
    "aws.bedrock",
    "aws.cloudtrail",
    "aws.kms",
    "aws.ec2",
    "aws.logs",
    "aws.s3",
    "aws.sns",
    "aws.monitoring",
    "aws.events",
    "aws.iam",
)
TAMPERING_EVENTS = (
    "CreateFoundationModelAgreement",
    "CreateModelImportJob",
    "CreateProvisionedModelThroughput",
    "DeleteEnforcedGuardrailConfiguration",
    "DeleteGuardrail",
    "DeleteModelInvocationLoggingConfiguration",
    "DeleteResourcePolicy",
    "PutAccountDataRetention",
    "PutEnforcedGuardrailConfiguration",
    "PutFoundationModelEntitlement",
    "PutModelInvocationLoggingConfiguration",
    "PutResourcePolicy",
    "PutUseCaseForModelAccess",
    "UpdateGuardrail",
    "DeleteTrail",
    "PutEventSelectors",
    "StopLogging",
    "UpdateTrail",
    "DisableKey",
    "DisableKeyRotation",
    "PutKeyPolicy",
    "ScheduleKeyDeletion",
    "AuthorizeSecurityGroupIngress",
    "DeleteVpcEndpoints",
    "ModifyVpcEndpoint",
    "DeleteLogGroup",
    "DeleteRetentionPolicy",
    "DisassociateKmsKey",
    "PutRetentionPolicy",
    "DeleteBucketEncryption",
    "DeleteBucketPolicy",
    "PutBucketPolicy",
    "PutBucketPublicAccessBlock",
    "DeleteTopic",
    "SetTopicAttributes",
    "Unsubscribe",
    "DeleteAlarms",
    "DisableAlarmActions",
    "DeleteRule",
    "DisableRule",
    "RemoveTargets",
    "CreateServiceSpecificCredential",
    "ResetServiceSpecificCredential",
    "UpdateAssumeRolePolicy",
)


def topic(perimeter: Perimeter) -> Iterator[Resource]:
    """The topic, its policy and the subscription."""
    arn = names.topic_arn(perimeter)
    yield Resource(
        type="AWS::SNS::Topic",
        account=perimeter.account,
        region=perimeter.regions.source,
        id=f"topic/{names.ALARM_TOPIC}",
        properties={"TopicName": names.topic_name(perimeter), "KmsMasterKeyId": names.key_arn("alarms")},
    )
    yield Resource(
        type="AWS::SNS::TopicPolicy",
        account=perimeter.account,
        region=perimeter.regions.source,
        id=f"topic-policy/{names.ALARM_TOPIC}",
        properties={"Topics": [arn], "PolicyDocument": _topic_policy(perimeter, arn)},
        depends_on=(f"topic/{names.ALARM_TOPIC}",),
    )
    yield Resource(
        type="AWS::SNS::Subscription",
        account=perimeter.account,
        region=perimeter.regions.source,
        id=f"subscription/{names.ALARM_TOPIC}",
        properties={"TopicArn": arn, "Protocol": "email", "Endpoint": perimeter.alarms.email},
        depends_on=(f"topic/{names.ALARM_TOPIC}",),
    )


def _topic_policy(perimeter: Perimeter, arn: str) -> dict[str, Any]:
    return document(
        allow(
            "CloudWatchPublishes",
            "sns:Publish",
            [arn],
            {
                "StringEquals": {"aws:SourceAccount": perimeter.account},
                "ArnLike": {"aws:SourceArn": names.arn(perimeter, "cloudwatch", "alarm:*")},
            },
            principal={"Service": "cloudwatch.amazonaws.com"},
        ),
        allow("EventBridgePublishes", "sns:Publish", [arn], principal={"Service": "events.amazonaws.com"}),
        deny(
            "TlsOnly",
            "sns:Publish",
            [arn],
            {"Bool": {"aws:SecureTransport": "false"}},
            principal="*",
        ),
    )


def alarms(perimeter: Perimeter) -> Iterator[Resource]:
    """The alarms, all of which notify the topic."""
    for watch in watches(perimeter):
        if watch.per_model:
            for name, model in perimeter.models.items():
                yield _alarm(perimeter, watch, f"{watch.name}-{name}", [{"Name": "ModelId", "Value": model}])
        elif watch.per_guardrail:
            dimensions = [
                {"Name": "GuardrailArn", "Value": names.guardrail_arn(perimeter)},
                {"Name": "GuardrailVersion", "Value": names.pinned_version(perimeter)},
            ]
            yield _alarm(perimeter, watch, watch.name, dimensions)
        else:
            yield _alarm(perimeter, watch, watch.name, [])


def _alarm(perimeter: Perimeter, watch: Watch, name: str, dimensions: list[dict[str, Any]]) -> Resource:
    return Resource(
        type="AWS::CloudWatch::Alarm",
        account=perimeter.account,
        region=perimeter.regions.source,
        id=f"alarm/{name}",
        properties={
            "AlarmName": f"{perimeter.name}-{name}",
            "AlarmDescription": watch.meaning,
            "Namespace": watch.namespace,
            "MetricName": watch.metric,
            "Dimensions": dimensions,
            "Statistic": "Sum",
            "Period": watch.minutes * 60,
            "EvaluationPeriods": 1,
            "Threshold": watch.threshold,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            "ActionsEnabled": True,
            "AlarmActions": [names.topic_arn(perimeter)],
        },
        depends_on=(f"topic/{names.ALARM_TOPIC}",),
    )


def tampering_rule(perimeter: Perimeter) -> Resource:
    """Tells the topic of every call that changes a control, whoever made it and whether or not it was allowed to."""
    return Resource(
        type="AWS::Events::Rule",
        account=perimeter.account,
        region=perimeter.regions.source,
        id="rule/control-tampering",
        properties={
            "Name": names.rule_name(perimeter),
            "Description": f"Ringwall {perimeter.name}: somebody changes a control",
            "State": "ENABLED",
            "EventPattern": {
                "source": list(TAMPERING_SOURCES),
                "detail-type": ["AWS API Call via CloudTrail"],
                "detail": {"eventName": list(TAMPERING_EVENTS)},
            },
            "Targets": [{"Id": "alarms", "Arn": names.topic_arn(perimeter)}],
        },
        depends_on=(f"topic-policy/{names.ALARM_TOPIC}",),
    )
