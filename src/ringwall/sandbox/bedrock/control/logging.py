"""Model invocation logging: one configuration per account and Region.

User guide: "Set up an Amazon S3 destination", "Set up a CloudWatch Logs destination". AWS tries the destinations out
before it accepts a configuration; so does this, with the same objects and events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.delivery.destinations import Destinations
from ringwall.sandbox.bedrock.faults import invalid
from ringwall.sandbox.call import AwsError, Call, Output

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.sandbox.bedrock.scope import Operation, Scope

_ENABLED = (
    "textDataDeliveryEnabled",
    "imageDataDeliveryEnabled",
    "embeddingDataDeliveryEnabled",
    "videoDataDeliveryEnabled",
    "audioDataDeliveryEnabled",
)


def put(scope: Scope, call: Call) -> Output:
    """PutModelInvocationLoggingConfiguration."""
    config: dict[str, Any] = dict(call.parameters["loggingConfig"])
    cloudwatch, s3 = config.get("cloudWatchConfig"), config.get("s3Config")
    if cloudwatch is None and s3 is None:
        raise invalid("At least one of cloudWatchConfig and s3Config must be provided.")
    destinations = Destinations(scope.platform, call.account, call.region)
    if cloudwatch is not None:
        _check_role(call, cloudwatch)
        try:
            destinations.check_events(cloudwatch, scope.platform.now())
        except AwsError as error:
            raise invalid(
                f"Failed to validate permissions for log group: {cloudwatch['logGroupName']}, with role: {cloudwatch['roleArn']}. "
                "Verify the IAM role permissions are correct."
            ) from error
        if cloudwatch.get("largeDataDeliveryS3Config"):
            _check_bucket(scope, call, destinations, cloudwatch["largeDataDeliveryS3Config"])
    if s3 is not None:
        _check_bucket(scope, call, destinations, s3)
    config |= {name: config.get(name, True) for name in _ENABLED}
    scope.home(call).logging = config
    return Output({})


def _check_role(call: Call, cloudwatch: Mapping[str, Any]) -> None:
    account = cloudwatch["roleArn"].split(":")[4]
    if account != call.account:
        raise invalid(
            f"Cross-account pass role is not allowed: {cloudwatch['roleArn']} is not a role of account {call.account}."
        )


def _check_bucket(scope: Scope, call: Call, destinations: Destinations, config: Mapping[str, Any]) -> None:
    bucket = config["bucketName"]
    try:
        place = scope.platform.peek("s3", "GetBucketLocation", {"Bucket": bucket}, call.account, call.region)
        region = place.get("LocationConstraint") or "us-east-1"
        if region != call.region:
            raise invalid(
                f"The S3 bucket {bucket} is in Region {region}; it must be in {call.region}, as the logging is."
            )
        destinations.check_bucket(config)
    except AwsError as error:
        if error.code == "ValidationException":
            raise
        raise invalid(
            f"Failed to validate permissions for S3 bucket: {bucket}, with prefix: {config.get('keyPrefix') or ''}. Verify the "
            f"bucket exists in this account, and its policy (and that of its KMS key) allows bedrock.amazonaws.com: {error.message}"
        ) from error


def get(scope: Scope, call: Call) -> Output:
    """GetModelInvocationLoggingConfiguration: nothing where logging is off."""
    config = scope.home(call).logging
    return Output({} if config is None else {"loggingConfig": config})


def delete(scope: Scope, call: Call) -> Output:
    """DeleteModelInvocationLoggingConfiguration."""
    scope.home(call).logging = None
    return Output({})


def put_retention(scope: Scope, call: Call) -> Output:
    """PutAccountDataRetention."""
    retention = {"mode": call.parameters["mode"], "updatedAt": scope.platform.now()}
    scope.home(call).retention = retention
    return Output(retention)


def get_retention(scope: Scope, call: Call) -> Output:
    """GetAccountDataRetention: ``inherit`` until something is set."""
    return Output(scope.home(call).retention or {"mode": "inherit"})


OPERATIONS: dict[str, Operation] = {
    "PutModelInvocationLoggingConfiguration": put,
    "GetModelInvocationLoggingConfiguration": get,
    "DeleteModelInvocationLoggingConfiguration": delete,
    "PutAccountDataRetention": put_retention,
    "GetAccountDataRetention": get_retention,
}
