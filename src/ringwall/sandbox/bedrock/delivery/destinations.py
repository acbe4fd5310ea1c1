"""Writing to a logging configuration's destinations with the identities that AWS uses.

CloudWatch Logs is written in a session of the configured role, which must trust ``bedrock.amazonaws.com``; S3 is written
by the service principal itself, which the bucket's policy, and the key's of an SSE-KMS bucket, must allow.
"""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

from ringwall.catalog.bedrock import INVOCATION_LOG_STREAM
from ringwall.sandbox import places
from ringwall.sandbox.bedrock.state import UPPER, new_id
from ringwall.sandbox.log_events import put_lines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from ringwall.sandbox.call import Context, Platform

SERVICE = "bedrock.amazonaws.com"
_QUICK = 1
"""Level of compression: the next ones take three times as long for a tenth less."""
PERMISSION_CHECK = "amazon-bedrock-logs-permission-check"
_CHECK_MESSAGE = "Permissions are correctly set for Amazon Bedrock logs."


class Destinations:
    """One account's log destinations in one Region."""

    def __init__(self, platform: Platform, account: str, region: str) -> None:
        self._platform = platform
        self._account = account
        self._region = region

    @property
    def _context(self) -> Context:
        source = f"arn:aws:bedrock:{self._region}:{self._account}:model-invocation-logging"
        return {
            "aws:sourceaccount": (self._account,),
            "aws:sourcearn": (source,),
            "aws:sourceorgid": (places.ORGANIZATION,),
        }

    def _as_service(self, service: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        return self._platform.call_as(
            SERVICE,
            service,
            operation,
            parameters,
            account=self._account,
            region=self._region,
            context=self._context,
        )

    def write_events(self, role_arn: str, group: str, messages: Sequence[tuple[datetime, str]]) -> None:
        """Put events into the log stream of invocation logs, as the role.

        Raises:
            AwsError: the role does not trust Bedrock, lacks a permission, or the log group does not exist.
        """
        session = {"RoleArn": role_arn, "RoleSessionName": "BedrockModelInvocationLogging"}
        self._as_service("sts", "AssumeRole", session)
        stream = {"logGroupName": group, "logStreamName": INVOCATION_LOG_STREAM}
        lines = [(int(time.timestamp() * 1000), message) for time, message in messages]

        def call(operation: str, **more: Any) -> None:
            self._as_role(role_arn, operation, {**stream, **more})

        put_lines(call, lines)

    def _as_role(self, role_arn: str, operation: str, parameters: Mapping[str, Any]) -> None:
        self._platform.call_as(
            role_arn, "logs", operation, parameters, account=self._account, region=self._region
        )

    def write_object(self, bucket: str, key: str, body: bytes) -> None:
        """Put an object as the service principal.

        Raises:
            AwsError: the bucket's policy, or its key's, does not allow it, or the bucket does not exist.
        """
        self._as_service(
            "s3", "PutObject", {"Bucket": bucket, "Key": key, "Body": body, "ContentType": "application/json"}
        )

    def folder(self, prefix: str | None) -> str:
        """The folder of invocation logs in a bucket, with a slash at its end."""
        head = f"{prefix.rstrip('/')}/" if prefix else ""
        return f"{head}AWSLogs/{self._account}/BedrockModelInvocationLogs/"

    def hour(self, prefix: str | None, time: datetime) -> str:
        """The folder of one hour's records."""
        return f"{self.folder(prefix)}{self._region}/{time:%Y/%m/%d/%H}/"

    def write_records(self, config: Mapping[str, Any], time: datetime, records: Sequence[str]) -> None:
        """Put records, each as JSON, into S3 as one compressed object of lines."""
        lines = "".join(f"{record}\n" for record in records)
        name = f"{time:%Y%m%dT%H%M%S}{time.microsecond // 1000:03d}Z_{new_id(16, UPPER).lower()}.json.gz"
        key = self.hour(config.get("keyPrefix"), time) + name
        self.write_object(config["bucketName"], key, gzip.compress(lines.encode(), _QUICK))

    def write_body(self, config: Mapping[str, Any], time: datetime, name: str, body: bytes) -> str:
        """Put a large body into S3; returns its URI."""
        key = f"{self.hour(config.get('keyPrefix'), time)}data/{name}.json.gz"
        self.write_object(config["bucketName"], key, gzip.compress(body, _QUICK))
        return f"s3://{config['bucketName']}/{key}"

    def check_events(self, config: Mapping[str, Any], time: datetime) -> None:
        """Write the event with which AWS checks a log group's permissions."""
        self.write_events(config["roleArn"], config["logGroupName"], [(time, _CHECK_MESSAGE)])

    def check_bucket(self, config: Mapping[str, Any]) -> None:
        """Write the object with which AWS checks a bucket's permissions."""
        key = self.folder(config.get("keyPrefix")) + PERMISSION_CHECK
        self.write_object(config["bucketName"], key, _CHECK_MESSAGE.encode())
