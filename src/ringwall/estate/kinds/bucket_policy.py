"""``AWS::S3::BucketPolicy``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import BaseKind, Reading, allowing, side_by_side
from ringwall.estate.kinds.bucket import names_here
from ringwall.estate.kinds.documents import as_list, document, text
from ringwall.estate.kinds.limits import Limit

if TYPE_CHECKING:
    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource


class BucketPolicy(BaseKind):
    """Policies of the Region's buckets, known by their bucket."""

    type = "AWS::S3::BucketPolicy"
    names = ("Bucket",)
    create_only = ("Bucket",)
    documents = ("PolicyDocument",)
    taggable = False
    permissions = Permissions(
        ("s3:ListAllMyBuckets", "s3:GetBucketLocation", "s3:GetBucketPolicy"),
        ("s3:PutBucketPolicy", "s3:DeleteBucketPolicy"),
    )
    limits = (Limit("Bucket", required=True), Limit("PolicyDocument", required=True, size=20_480))

    def validate(self, properties: Mapping[str, Any]) -> tuple[str, ...]:
        """Limits, and that every statement has a principal and speaks of this bucket."""
        found = list(super().validate(properties))
        bucket, policy = properties.get("Bucket"), properties.get("PolicyDocument")
        if not isinstance(policy, Mapping):
            return tuple(found)
        for index, statement in enumerate(_statements(policy)):
            if "Principal" not in statement and "NotPrincipal" not in statement:
                found.append(f"PolicyDocument.Statement[{index}]: a bucket policy needs a Principal")
            found.extend(
                f"PolicyDocument.Statement[{index}]: {arn} is not part of the bucket"
                for arn in as_list(statement.get("Resource"))
                if isinstance(arn, str) and isinstance(bucket, str) and not _inside(arn, bucket)
            )
        return tuple(found)

    def read(self, aws: Aws) -> Iterator[Resource]:
        """The policy of every bucket that has one."""
        names = names_here(aws)
        shared = aws.evidence()
        yield from side_by_side(aws, partial(self._read_one, aws, shared), names)

    def read_again(self, aws: Aws, ids: Sequence[str]) -> Iterator[Resource]:
        """The policies of those buckets."""
        yield from side_by_side(aws, partial(self._read_one, aws, ()), ids)

    def _read_one(self, aws: Aws, shared: tuple[str, ...], name: str) -> Resource | None:
        reading = Reading(aws)
        reading.set(Bucket=name)
        reading.take(
            "PolicyDocument",
            ("s3", "GetBucketPolicy", {"Bucket": name}),
            lambda answer: document(answer["Policy"]),
            ("NoSuchBucketPolicy", "NoSuchBucket"),
        )
        if "PolicyDocument" not in reading.properties and not reading.unknown:
            return None
        return self.seen(aws, name, reading.properties, reading.unknown, shared)

    def create(self, aws: Aws, desired: Resource) -> Resource:
        """Set it."""
        bucket = desired.properties["Bucket"]
        aws.call("s3", "PutBucketPolicy", Bucket=bucket, Policy=text(desired.properties["PolicyDocument"]))
        return self.written(aws, desired, bucket)

    def update(self, aws: Aws, observed: Resource, desired: Resource) -> Resource:
        """Replace it."""
        if self.differs(observed, desired, "PolicyDocument"):
            return self.create(aws, desired)
        return self.written(aws, desired, observed.id)

    def delete(self, aws: Aws, observed: Resource) -> None:
        """Remove it."""
        with allowing("NoSuchBucket", "NoSuchBucketPolicy"):
            aws.call("s3", "DeleteBucketPolicy", Bucket=observed.id)


def _statements(policy: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = policy.get("Statement", [])
    return [found] if isinstance(found, Mapping) else [item for item in found if isinstance(item, Mapping)]


def _inside(arn: str, bucket: str) -> bool:
    name = arn.split(":::", 1)[-1].split("/", 1)[0]
    return name == bucket or "*" in name or "?" in name
