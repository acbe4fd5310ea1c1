"""Customer-managed keys, one for each data class, with exactly the services that need them.

Every policy begins with the account's administration, without which a key can be lost to everybody, and adds the
service principals with their confused-deputy conditions
(https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.controls import names
from ringwall.controls.documents import Document, Statement, allow, document
from ringwall.estate.model import Ref, Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ringwall.perimeter.model import Perimeter

PURPOSES: Mapping[str, str] = {
    "guardrail": "the pinned guardrail",
    "invocation-log-group": "invocation logs in CloudWatch Logs",
    "invocation-log-bucket": "invocation logs in S3",
    "trail": "the CloudTrail trail",
    "alarms": "the alarm topic",
    names.CUSTOM_MODELS: "custom models",
}


def keys(perimeter: Perimeter) -> Iterator[Resource]:
    """The keys, each followed by its alias."""
    for data_class in names.data_classes(perimeter):
        yield Resource(
            type="AWS::KMS::Key",
            account=perimeter.account,
            region=perimeter.regions.source,
            id=f"key/{data_class}",
            properties={
                "Description": f"Ringwall {perimeter.name}: {_purpose(data_class)}",
                "KeySpec": "SYMMETRIC_DEFAULT",
                "KeyUsage": "ENCRYPT_DECRYPT",
                "MultiRegion": False,
                "Enabled": True,
                "EnableKeyRotation": True,
                "RotationPeriodInDays": perimeter.encryption.rotation_days,
                "KeyPolicy": key_policy(perimeter, data_class),
            },
            depends_on=_named_roles(perimeter, data_class),
        )
        yield Resource(
            type="AWS::KMS::Alias",
            account=perimeter.account,
            region=perimeter.regions.source,
            id=f"alias/{data_class}",
            properties={
                "AliasName": f"alias/ringwall/{perimeter.name}/{data_class}",
                "TargetKeyId": Ref(f"key/{data_class}", "KeyId"),
            },
        )


def key_policy(perimeter: Perimeter, data_class: str) -> Document:
    """Policy of one key."""
    root = f"arn:{perimeter.partition}:iam::{perimeter.account}:root"
    administration = allow("AccountAdministration", "kms:*", "*", principal={"AWS": root})
    if data_class.startswith(names.KNOWLEDGE):
        return document(administration)
    return document(administration, *SERVICES[data_class](perimeter))


def _named_roles(perimeter: Perimeter, data_class: str) -> tuple[str, ...]:
    """Roles of ours that a key's policy names: KMS refuses a policy with a principal that is not there."""
    custom = perimeter.custom_models
    named = custom.invokers if custom is not None and data_class == names.CUSTOM_MODELS else ()
    return tuple(f"role/{use}" for use in named)


def _purpose(data_class: str) -> str:
    if data_class.startswith(names.KNOWLEDGE):
        return f"sources of the knowledge base {data_class.removeprefix(names.KNOWLEDGE)}"
    return PURPOSES[data_class]


def _guardrail(perimeter: Perimeter) -> Iterator[Statement]:
    """Bedrock uses the key with its caller's permissions, so callers' own policies decide; no service is named."""
    del perimeter
    yield from ()


def _log_group(perimeter: Perimeter) -> Iterator[Statement]:
    yield allow(
        "CloudWatchLogs",
        ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        "*",
        {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": names.log_group_arn(perimeter)}},
        principal={"Service": f"logs.{perimeter.regions.source}.amazonaws.com"},
    )


def _log_bucket(perimeter: Perimeter) -> Iterator[Statement]:
    yield allow(
        "BedrockLogDelivery",
        "kms:GenerateDataKey",
        "*",
        from_bedrock(perimeter),
        principal={"Service": "bedrock.amazonaws.com"},
    )


def _trail(perimeter: Perimeter) -> Iterator[Statement]:
    """For this trail alone, which says more than the encryption context of any trail of the account would."""
    of_trail = {"StringEquals": {"aws:SourceArn": names.trail_arn(perimeter)}}
    service = {"Service": "cloudtrail.amazonaws.com"}
    yield allow("CloudTrailEncrypts", "kms:GenerateDataKey*", "*", of_trail, principal=service)
    yield allow("CloudTrailDescribes", "kms:DescribeKey", "*", of_trail, principal=service)


def _alarms(perimeter: Perimeter) -> Iterator[Statement]:
    """EventBridge publishes without source keys, so its statement has no condition; the topic's policy names the rule."""
    publish = ["kms:Decrypt", "kms:GenerateDataKey*"]
    yield allow(
        "CloudWatchPublishes",
        publish,
        "*",
        {"StringEquals": {"aws:SourceAccount": perimeter.account}},
        principal={"Service": "cloudwatch.amazonaws.com"},
    )
    yield allow("EventBridgePublishes", publish, "*", principal={"Service": "events.amazonaws.com"})


def _custom_models(perimeter: Perimeter) -> Iterator[Statement]:
    """Bedrock encrypts a custom model by a grant, which the customizing role makes; who invokes only decrypts.

    No service principal is named: it would not be what lets Bedrock in
    (https://docs.aws.amazon.com/bedrock/latest/userguide/encryption-custom-job.html).
    """
    custom = perimeter.custom_models
    if custom is None:
        return
    through = {"StringEquals": {"kms:ViaService": f"bedrock.{perimeter.regions.source}.amazonaws.com"}}
    yield allow(
        "CustomizersEncrypt",
        ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
        "*",
        through,
        principal={"AWS": list(custom.customizers)},
    )
    invokers = [perimeter.role_arn(use) for use in custom.invokers]
    if invokers:
        yield allow("InvokersDecrypt", "kms:Decrypt", "*", through, principal={"AWS": invokers})


def from_bedrock(perimeter: Perimeter) -> dict[str, Any]:
    """Condition that admits Bedrock on behalf of this account alone."""
    return {
        "StringEquals": {"aws:SourceAccount": perimeter.account},
        "ArnLike": {"aws:SourceArn": names.arn(perimeter, "bedrock", "*")},
    }


SERVICES: Mapping[str, Callable[[Perimeter], Iterator[Statement]]] = {
    "guardrail": _guardrail,
    "invocation-log-group": _log_group,
    "invocation-log-bucket": _log_bucket,
    "trail": _trail,
    "alarms": _alarms,
    names.CUSTOM_MODELS: _custom_models,
}
