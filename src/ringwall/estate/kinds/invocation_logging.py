"""``Ringwall::Bedrock::InvocationLogging``: model invocation logging, for which CloudFormation has no type.

``LoggingConfig`` is the structure of PutModelInvocationLoggingConfiguration with capital first letters. Follows
https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.guardrail_fields import lower, upper
from ringwall.estate.kinds.limits import Limit
from ringwall.estate.kinds.singleton import Singleton

if TYPE_CHECKING:
    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

CONFIG = "LoggingConfig"
BUCKET = r"(?!\.)[a-z0-9.-]{3,63}"


class InvocationLogging(Singleton):
    """The logging configuration of the account in this Region."""

    type = "Ringwall::Bedrock::InvocationLogging"
    slug = "invocation-logging"
    permissions = Permissions(
        ("bedrock:GetModelInvocationLoggingConfiguration",),
        (
            "bedrock:PutModelInvocationLoggingConfiguration",
            "bedrock:DeleteModelInvocationLoggingConfiguration",
            "iam:PassRole",
        ),
    )
    limits = (
        Limit(CONFIG, required=True),
        Limit(f"{CONFIG}.CloudWatchConfig.LogGroupName", required=True, longest=512),
        Limit(
            f"{CONFIG}.CloudWatchConfig.RoleArn", required=True, pattern=r"arn:aws[\w-]*:iam::\d{12}:role/.+"
        ),
        Limit(
            f"{CONFIG}.CloudWatchConfig.LargeDataDeliveryS3Config.BucketName", required=True, pattern=BUCKET
        ),
        Limit(f"{CONFIG}.CloudWatchConfig.LargeDataDeliveryS3Config.KeyPrefix", longest=1024),
        Limit(f"{CONFIG}.S3Config.BucketName", required=True, pattern=BUCKET),
        Limit(f"{CONFIG}.S3Config.KeyPrefix", longest=1024),
    )

    def validate(self, properties: Mapping[str, Any]) -> tuple[str, ...]:
        """Limits, and that there is a destination."""
        found = super().validate(properties)
        config = properties.get(CONFIG) or {}
        if not config.get("CloudWatchConfig") and not config.get("S3Config"):
            found += (f"{CONFIG}: needs CloudWatchConfig or S3Config",)
        return found

    def read(self, aws: Aws) -> Iterator[Resource]:
        """The configuration, if logging is on."""
        config = aws.call("bedrock", "GetModelInvocationLoggingConfiguration").get("loggingConfig")
        if config:
            yield self.seen(aws, self.slug, {CONFIG: upper(config)})

    def canonical(self, name: str, value: Any) -> Any:
        """Without empty prefixes."""
        return _without_empty(value) if name == CONFIG else super().canonical(name, value)

    def create(self, aws: Aws, desired: Resource) -> Resource:
        """Set it. Bedrock tries the role first, which it may not see for some seconds after it was made."""
        aws.call(
            "bedrock",
            "PutModelInvocationLoggingConfiguration",
            loggingConfig=lower(desired.properties[CONFIG]),
        )
        return self.written(aws, desired, self.slug)

    def update(self, aws: Aws, observed: Resource, desired: Resource) -> Resource:
        """Replace it."""
        if self.differs(observed, desired, CONFIG):
            return self.create(aws, desired)
        return self.written(aws, desired, observed.id)

    def delete(self, aws: Aws, observed: Resource) -> None:  # noqa: ARG002 - there is only one
        """Turn logging off."""
        aws.call("bedrock", "DeleteModelInvocationLoggingConfiguration")


def _without_empty(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_empty(item) for key, item in value.items() if item not in ("", None)}
    return value
