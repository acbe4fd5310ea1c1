"""Who writes an action group's API schema that lies in S3: whoever does says what the agent may do.

The schema lists the operations that an agent offers its model, and which of them ask a person first
(https://docs.aws.amazon.com/bedrock/latest/userguide/agents-api-schema.html). Judged are the bucket's owner, everybody outside
whom its policy admits, the roles that the agent acts with, and the declared uses. Whom else in the account IAM lets write a
bucket is the account's own affair.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ringwall.controls.ask import ask
from ringwall.controls.outsiders import deputies, let_in, outsiders

if TYPE_CHECKING:
    from ringwall.controls.context import CheckContext

BUCKET, POLICY = "AWS::S3::Bucket", "AWS::S3::BucketPolicy"
WRITE = "s3:PutObject"


@dataclass(frozen=True, slots=True)
class Schema:
    """Where a schema lies."""

    partition: str
    bucket: str
    key: str

    @property
    def bucket_arn(self) -> str:
        """ARN of the bucket."""
        return f"arn:{self.partition}:s3:::{self.bucket}"

    @property
    def arn(self) -> str:
        """ARN of the object."""
        return f"{self.bucket_arn}/{self.key}"


@dataclass(slots=True)
class Told:
    """What is wrong, and what could not be told."""

    problems: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


def writers(context: CheckContext, schema: Schema, roles: Sequence[str]) -> Told:
    """Who writes a schema that should not.

    Args:
        context: the Estate.
        schema: where it lies.
        roles: ARNs of the roles that the agent acts with, its functions' included.
    """
    told = Told()
    reason = context.unread(BUCKET) or context.unread(POLICY)
    if reason is not None:
        told.unread.append(f"bucket {schema.bucket} could not be read: {reason}")
    elif schema.bucket not in _buckets(context):
        told.unread.append(
            f"whose bucket {schema.bucket} is nothing tells: it is none of those that were read"
        )
    told.problems += dict.fromkeys((*_outside(context, schema), *_inside(context, schema, roles)))
    return told


def _buckets(context: CheckContext) -> set[str]:
    found = context.observed.of_type(BUCKET, account=context.account)
    return {str(item.get("BucketName", item.id)) for item in found}


def _outside(context: CheckContext, schema: Schema) -> Iterator[str]:
    """Strangers and services on somebody's behalf."""
    policy = context.access.resource_policy(schema.bucket_arn)
    if policy is not None:
        for who in (outsiders(context, policy), deputies(policy)):
            yield from let_in(context, policy, {WRITE: schema.arn}, who)


def _inside(context: CheckContext, schema: Schema, roles: Sequence[str]) -> Iterator[str]:
    """Whoever acts for the agent, or calls models."""
    perimeter = context.perimeter
    uses = [perimeter.role_arn(name) for name in perimeter.uses] if perimeter is not None else []
    keys = {"aws:SecureTransport": "true"}
    for role in dict.fromkeys((*roles, *uses)):
        if ask(context, role, WRITE, schema.arn, keys).allowed:
            yield f"role {role.rsplit('/', 1)[-1]} can write it"
