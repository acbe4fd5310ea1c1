"""``AWS::S3::Bucket``: encryption, public access, ownership, versioning, lifecycle, object lock.

Follows https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import (
    BaseKind,
    Reading,
    allowing,
    from_tags,
    missing_tags,
    ownership,
    partition_of,
    remembered,
    side_by_side,
    tag_list,
    tags_of,
)
from ringwall.estate.kinds.documents import unique
from ringwall.estate.kinds.lifecycle import rules_from_api, rules_to_api
from ringwall.estate.kinds.limits import Limit
from ringwall.estate.model import Ref, Resource

if TYPE_CHECKING:
    from ringwall.estate.aws import Aws

BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


@dataclass(frozen=True, slots=True)
class Part:
    """One configuration of a bucket, with calls of its own.

    Attributes:
        name: CloudFormation property.
        get: operation that reads it.
        put: operation that writes it.
        parameter: its parameter of ``put``.
        absent: error code that says there is none.
        read: response -> property.
        write: property -> parameter.
    """

    name: str
    get: str
    put: str
    parameter: str
    absent: str
    read: Callable[[Mapping[str, Any]], Any]
    write: Callable[[Any], Any]


def _encryption(answer: Mapping[str, Any]) -> dict[str, Any]:
    rules = []
    for rule in answer["ServerSideEncryptionConfiguration"]["Rules"]:
        entry: dict[str, Any] = {}
        if rule.get("ApplyServerSideEncryptionByDefault"):
            entry["ServerSideEncryptionByDefault"] = dict(rule["ApplyServerSideEncryptionByDefault"])
        entry["BucketKeyEnabled"] = bool(rule.get("BucketKeyEnabled"))
        rules.append(entry)
    return {"ServerSideEncryptionConfiguration": rules}


def _encryption_to_api(value: Mapping[str, Any]) -> dict[str, Any]:
    names = {"ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault"}
    return {
        "Rules": [
            {names.get(key, key): item for key, item in rule.items()}
            for rule in value["ServerSideEncryptionConfiguration"]
        ]
    }


def _versioning(answer: Mapping[str, Any]) -> dict[str, Any] | None:
    return {"Status": answer["Status"]} if answer.get("Status") else None


PARTS = (
    # in the order in which they are written: first what closes the bucket
    Part(
        "PublicAccessBlockConfiguration",
        "GetPublicAccessBlock",
        "PutPublicAccessBlock",
        "PublicAccessBlockConfiguration",
        "NoSuchPublicAccessBlockConfiguration",
        lambda answer: dict(answer["PublicAccessBlockConfiguration"]),
        dict,
    ),
    Part(
        "OwnershipControls",
        "GetBucketOwnershipControls",
        "PutBucketOwnershipControls",
        "OwnershipControls",
        "OwnershipControlsNotFoundError",
        lambda answer: {"Rules": list(answer["OwnershipControls"]["Rules"])},
        dict,
    ),
    Part(
        "BucketEncryption",
        "GetBucketEncryption",
        "PutBucketEncryption",
        "ServerSideEncryptionConfiguration",
        "ServerSideEncryptionConfigurationNotFoundError",
        _encryption,
        _encryption_to_api,
    ),
    Part(
        "VersioningConfiguration",
        "GetBucketVersioning",
        "PutBucketVersioning",
        "VersioningConfiguration",
        "",
        _versioning,
        dict,
    ),
    Part(
        "ObjectLockConfiguration",
        "GetObjectLockConfiguration",
        "PutObjectLockConfiguration",
        "ObjectLockConfiguration",
        "ObjectLockConfigurationNotFoundError",
        lambda answer: dict(answer["ObjectLockConfiguration"]),
        dict,
    ),
    Part(
        "LifecycleConfiguration",
        "GetBucketLifecycleConfiguration",
        "PutBucketLifecycleConfiguration",
        "LifecycleConfiguration",
        "NoSuchLifecycleConfiguration",
        lambda answer: {"Rules": rules_from_api(answer.get("Rules") or ())},
        lambda value: {"Rules": rules_to_api(value["Rules"])},
    ),
)


def names_here(aws: Aws) -> list[str]:
    """Buckets of the account in the connection's Region, asked once between two writes."""
    return remembered(aws, "s3:ListBuckets", lambda: _names_here(aws))


def _names_here(aws: Aws) -> list[str]:
    found = []
    for item in aws.pages("s3", "ListBuckets", "Buckets"):
        region = item.get("BucketRegion")
        if region is None:
            with allowing("NoSuchBucket"):
                answer = aws.call("s3", "GetBucketLocation", Bucket=item["Name"])
                region = {"": "us-east-1", "EU": "eu-west-1"}.get(
                    answer.get("LocationConstraint") or "", answer.get("LocationConstraint")
                )
        if region == aws.region:
            found.append(item["Name"])
    return found


class Bucket(BaseKind):
    """Buckets of a Region. They hold data: kept on destroy, and S3 itself deletes none that has objects.

    ``ReplicationConfiguration`` is read, as S3 spells it, and never written: a perimeter copies nothing elsewhere.
    """

    type = "AWS::S3::Bucket"
    retention = "retain"
    names = ("BucketName",)
    create_only = ("BucketName", "ObjectLockEnabled")
    permissions = Permissions(
        (
            "s3:ListAllMyBuckets",
            "s3:GetBucketLocation",
            "s3:GetEncryptionConfiguration",
            "s3:GetBucketPublicAccessBlock",
            "s3:GetBucketOwnershipControls",
            "s3:GetBucketVersioning",
            "s3:GetBucketObjectLockConfiguration",
            "s3:GetLifecycleConfiguration",
            "s3:GetReplicationConfiguration",
            "s3:GetBucketTagging",
        ),
        (
            "s3:CreateBucket",
            "s3:PutEncryptionConfiguration",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketOwnershipControls",
            "s3:PutBucketVersioning",
            "s3:PutBucketObjectLockConfiguration",
            "s3:PutLifecycleConfiguration",
            "s3:PutBucketTagging",
            "s3:DeleteBucket",
        ),
    )
    limits = (
        Limit(
            "BucketName",
            required=True,
            pattern=r"(?!xn--|sthree-|amzn-s3-demo-)(?!\d+\.\d+\.\d+\.\d+$)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
        ),
        Limit("BucketEncryption.ServerSideEncryptionConfiguration", shortest=1, longest=1),
        Limit(
            "BucketEncryption.ServerSideEncryptionConfiguration[].ServerSideEncryptionByDefault.SSEAlgorithm",
            required=True,
            choices=("AES256", "aws:kms", "aws:kms:dsse"),
        ),
        Limit("VersioningConfiguration.Status", choices=("Enabled", "Suspended")),
        Limit(
            "OwnershipControls.Rules[].ObjectOwnership",
            choices=("BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"),
        ),
    )

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Every bucket of the Region."""
        names = names_here(aws)
        shared = aws.evidence()
        yield from side_by_side(aws, partial(self._read_one, aws, shared), names)

    def read_again(self, aws: Aws, ids: Sequence[str]) -> Iterator[Resource]:
        """Those buckets."""
        yield from side_by_side(aws, partial(self._read_one, aws, ()), ids)

    def _read_one(self, aws: Aws, shared: tuple[str, ...], name: str) -> Resource | None:
        reading = Reading(aws)
        reading.set(BucketName=name, Arn=f"arn:{aws.partition}:s3:::{name}")
        for part in PARTS:
            reading.take(part.name, ("s3", part.get, {"Bucket": name}), part.read, (part.absent,))
        reading.take(
            "ReplicationConfiguration",
            ("s3", "GetBucketReplication", {"Bucket": name}),
            lambda answer: dict(answer["ReplicationConfiguration"]),
            ("ReplicationConfigurationNotFoundError",),
        )
        reading.take(
            "Tags",
            ("s3", "GetBucketTagging", {"Bucket": name}),
            lambda answer: from_tags(answer["TagSet"]),
            ("NoSuchTagSet",),
        )
        reading.properties.setdefault("Tags", [])
        if any("NoSuchBucket" in item.reason for item in reading.unknown):
            return None
        return self.seen(aws, name, reading.properties, reading.unknown, shared)

    def canonical(self, name: str, value: Any) -> Any:
        """Configurations with what S3 fills in."""
        if not isinstance(value, Mapping):
            return super().canonical(name, value)
        if name == "PublicAccessBlockConfiguration":
            return {block: value.get(block, False) for block in BLOCKS}
        if name == "BucketEncryption":
            rules = value.get("ServerSideEncryptionConfiguration") or ()
            return {
                "ServerSideEncryptionConfiguration": [
                    {"BucketKeyEnabled": False, **rule} if isinstance(rule, Mapping) else rule
                    for rule in rules
                ]
            }
        if name == "LifecycleConfiguration" and not isinstance(value.get("Rules"), Ref):
            return {"Rules": unique(rules_from_api(rules_to_api(value.get("Rules") or ())))}
        return dict(value)

    def create(self, aws: Aws, desired: Resource) -> Resource:
        """Create it, say whose it is, and configure it, closing it first: no run that is stopped leaves a stranger's."""
        wanted, tags = desired.properties, ownership(aws, desired)
        name = wanted["BucketName"]
        options: dict[str, Any] = {}
        if aws.region != "us-east-1":
            options["CreateBucketConfiguration"] = {"LocationConstraint": aws.region}
        if wanted.get("ObjectLockEnabled") or wanted.get("ObjectLockConfiguration"):
            options["ObjectLockEnabledForBucket"] = True
        with allowing("BucketAlreadyOwnedByYou"):
            aws.call("s3", "CreateBucket", Bucket=name, **options)
        aws.call("s3", "PutBucketTagging", Bucket=name, Tagging={"TagSet": tag_list(tags)})
        for part in PARTS:
            if wanted.get(part.name) is not None:
                self._put(aws, name, part, wanted[part.name])
        return self.written(aws, desired, name, tags, Arn=f"arn:{aws.partition}:s3:::{name}")

    def update(self, aws: Aws, observed: Resource, desired: Resource) -> Resource:
        """Write each configuration that differs."""
        for part in PARTS:
            if self.differs(observed, desired, part.name):
                self._put(aws, observed.id, part, desired.properties[part.name])
        if missing_tags(aws, observed, desired):
            # PutBucketTagging replaces all tags, so other people's go along.
            theirs = {key: item for key, item in tags_of(observed.properties).items() if key[:4] != "aws:"}
            merged = {**theirs, **ownership(aws, desired)}
            aws.call("s3", "PutBucketTagging", Bucket=observed.id, Tagging={"TagSet": tag_list(merged)})
        return self.written(aws, desired, observed.id, ownership(aws, desired), Arn=observed.get("Arn"))

    @staticmethod
    def _put(aws: Aws, name: str, part: Part, value: Any) -> None:
        aws.call("s3", part.put, Bucket=name, **{part.parameter: part.write(value)})

    def delete(self, aws: Aws, observed: Resource) -> None:
        """Remove it if it is empty; S3 refuses otherwise (``BucketNotEmpty``)."""
        with allowing("NoSuchBucket"):
            aws.call("s3", "DeleteBucket", Bucket=observed.id)

    def identity(self, resource: Resource, physical_id: str) -> Mapping[str, str]:
        """Name and ARN."""
        arn = f"arn:{partition_of(resource.region)}:s3:::{physical_id}"
        return {"Id": physical_id, "Name": physical_id, "BucketName": physical_id, "Arn": arn}
