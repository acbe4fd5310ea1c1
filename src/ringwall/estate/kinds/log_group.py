"""``AWS::Logs::LogGroup``: key, retention, deletion protection, data protection policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import (
    BaseKind,
    Field,
    Reading,
    allowing,
    from_api,
    from_tags,
    missing_tags,
    ownership,
    partition_of,
    to_api,
)
from ringwall.estate.kinds.documents import document, text
from ringwall.estate.kinds.limits import Limit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

GONE = "ResourceNotFoundException"
FIELDS = (
    Field("LogGroupName", "logGroupName"),
    Field("KmsKeyId", "kmsKeyId"),
    Field("LogGroupClass", "logGroupClass"),
    Field("DeletionProtectionEnabled", "deletionProtectionEnabled"),
)
RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip


class LogGroup(BaseKind):
    """Log groups. They hold data: kept on destroy.

    Tags are read for encrypted groups and for those with "bedrock" or "ringwall" in their name; asking thousands of
    groups one by one would take longer than everything else together.
    """

    type = "AWS::Logs::LogGroup"
    retention = "retain"
    names = ("LogGroupName",)
    create_only = ("LogGroupName", "LogGroupClass")
    defaults: Mapping[str, Any] = {
        "DeletionProtectionEnabled": False,
        "DataProtectionPolicy": {"Statement": []},
    }
    permissions = Permissions(
        ("logs:DescribeLogGroups", "logs:GetDataProtectionPolicy", "logs:ListTagsForResource"),
        (
            "logs:CreateLogGroup",
            "logs:TagResource",
            "logs:PutRetentionPolicy",
            "logs:AssociateKmsKey",
            "logs:PutLogGroupDeletionProtection",
            "logs:PutDataProtectionPolicy",
            "logs:DeleteDataProtectionPolicy",
            "logs:DeleteLogGroup",
        ),
    )
    limits = (
        Limit("LogGroupName", required=True, pattern=r"[.\-_/#A-Za-z0-9]+", longest=512),
        Limit("RetentionInDays", choices=RETENTION_DAYS),
        Limit("KmsKeyId", pattern=r"arn:aws[\w-]*:kms:[a-z0-9-]+:\d{12}:key/[\w-]+", longest=256),
        Limit("DataProtectionPolicy", size=30_720),
        Limit("LogGroupClass", choices=("STANDARD", "INFREQUENT_ACCESS", "DELIVERY", "ESSENTIALS")),
    )

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Every log group."""
        yield from self._read_some(aws)

    def read_again(self, aws: Aws, ids: Sequence[str]) -> Iterator[Resource]:
        """Those log groups, and others whose names go on from theirs."""
        for name in ids:
            yield from self._read_some(aws, logGroupNamePrefix=name)

    def _read_some(self, aws: Aws, **which: Any) -> Iterator[Resource]:
        listed = aws.pages("logs", "DescribeLogGroups", "logGroups", **which)
        shared = aws.evidence()
        for item in listed:
            arn = str(item.get("logGroupArn") or item.get("arn", "")).removesuffix(":*")
            reading = Reading(aws)
            reading.set(**from_api(item, FIELDS), RetentionInDays=item.get("retentionInDays"), Arn=arn)
            name = item["logGroupName"]
            if item.get("kmsKeyId") or any(word in name.lower() for word in ("bedrock", "ringwall")):
                reading.take(
                    "Tags",
                    ("logs", "ListTagsForResource", {"resourceArn": arn}),
                    lambda answer: from_tags(answer.get("tags")),
                    (GONE,),
                )
            if item.get("dataProtectionStatus"):
                reading.take(
                    "DataProtectionPolicy",
                    ("logs", "GetDataProtectionPolicy", {"logGroupIdentifier": name}),
                    lambda answer: (
                        document(answer["policyDocument"]) if answer.get("policyDocument") else None
                    ),
                    (GONE,),
                )
            yield self.seen(aws, name, reading.properties, reading.unknown, shared)

    def create(self, aws: Aws, desired: Resource) -> Resource:
        """Create it with its key and tags in one call, so that nothing is ever written unencrypted."""
        wanted, tags = desired.properties, ownership(aws, desired)
        aws.call("logs", "CreateLogGroup", tags=tags, **to_api(wanted, FIELDS))
        name = wanted["LogGroupName"]
        self._write_retention(aws, name, wanted.get("RetentionInDays"))
        if wanted.get("DataProtectionPolicy"):
            self._mask(aws, name, wanted["DataProtectionPolicy"])
        return self.written(aws, desired, name, tags, Arn=self._arn(aws, name))

    def update(self, aws: Aws, observed: Resource, desired: Resource) -> Resource:
        """Key first, then retention, protection, tags."""
        name, wanted = observed.id, desired.properties
        if self.differs(observed, desired, "KmsKeyId"):
            aws.call("logs", "AssociateKmsKey", logGroupName=name, kmsKeyId=wanted["KmsKeyId"])
        if self.differs(observed, desired, "RetentionInDays"):
            self._write_retention(aws, name, wanted["RetentionInDays"])
        if self.differs(observed, desired, "DeletionProtectionEnabled"):
            self._protect(aws, name, wanted["DeletionProtectionEnabled"])
        if self.differs(observed, desired, "DataProtectionPolicy"):
            self._mask(aws, name, wanted.get("DataProtectionPolicy"))
        tags = missing_tags(aws, observed, desired)
        if tags:
            aws.call("logs", "TagResource", resourceArn=self._arn(aws, name), tags=tags)
        return self.written(aws, desired, name, ownership(aws, desired), Arn=self._arn(aws, name))

    def delete(self, aws: Aws, observed: Resource) -> None:
        """Remove it with everything in it."""
        if observed.get("DeletionProtectionEnabled"):
            self._protect(aws, observed.id, enabled=False)
        with allowing(GONE):
            aws.call("logs", "DeleteLogGroup", logGroupName=observed.id)

    @staticmethod
    def _protect(aws: Aws, name: str, enabled: bool) -> None:
        aws.call(
            "logs",
            "PutLogGroupDeletionProtection",
            logGroupIdentifier=name,
            deletionProtectionEnabled=enabled,
        )

    @staticmethod
    def _mask(aws: Aws, name: str, policy: Any) -> None:
        if policy:
            aws.call("logs", "PutDataProtectionPolicy", logGroupIdentifier=name, policyDocument=text(policy))
        else:
            aws.call("logs", "DeleteDataProtectionPolicy", logGroupIdentifier=name)

    @staticmethod
    def _write_retention(aws: Aws, name: str, days: Any) -> None:
        if days:
            aws.call("logs", "PutRetentionPolicy", logGroupName=name, retentionInDays=int(days))

    @staticmethod
    def _arn(aws: Aws, name: str) -> str:
        return f"arn:{aws.partition}:logs:{aws.region}:{aws.account}:log-group:{name}"

    def identity(self, resource: Resource, physical_id: str) -> Mapping[str, str]:
        """Name and ARN, without the ``:*`` that some APIs append."""
        where = f"{resource.region}:{resource.account}"
        arn = f"arn:{partition_of(resource.region)}:logs:{where}:log-group:{physical_id}"
        return {"Id": physical_id, "Name": physical_id, "LogGroupName": physical_id, "Arn": arn}
