"""``AWS::KMS::Alias``: a name for a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import BaseKind, allowing, partition_of
from ringwall.estate.kinds.limits import Limit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource


class Alias(BaseKind):
    """Aliases of customer-managed keys."""

    type = "AWS::KMS::Alias"
    names = ("AliasName",)
    taggable = False
    permissions = Permissions(("kms:ListAliases",), ("kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias"))
    limits = (
        Limit("AliasName", required=True, pattern=r"alias/(?!aws/)[a-zA-Z0-9/_-]+", longest=256),
        Limit("TargetKeyId", required=True),
    )

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Every alias that points at a key and is not AWS's own."""
        for item in aws.pages("kms", "ListAliases", "Aliases"):
            if item["AliasName"].startswith("alias/aws/") or not item.get("TargetKeyId"):
                continue
            properties = {
                "AliasName": item["AliasName"],
                "TargetKeyId": item["TargetKeyId"],
                "Arn": item["AliasArn"],
            }
            yield self.seen(aws, item["AliasName"], properties)

    def canonical(self, name: str, value: object) -> object:
        """A key by its id, given as id or ARN."""
        known = name == "TargetKeyId" and isinstance(value, str) and value.startswith("arn:")
        return str(value).rsplit("/", 1)[-1] if known else value

    def create(self, aws: Aws, desired: Resource) -> Resource:
        """Create it."""
        wanted = desired.properties
        aws.call("kms", "CreateAlias", AliasName=wanted["AliasName"], TargetKeyId=wanted["TargetKeyId"])
        return self.written(aws, desired, wanted["AliasName"])

    def update(self, aws: Aws, observed: Resource, desired: Resource) -> Resource:
        """Point it at the declared key."""
        if self.differs(observed, desired, "TargetKeyId"):
            key = desired.properties["TargetKeyId"]
            aws.call("kms", "UpdateAlias", AliasName=observed.id, TargetKeyId=key)
        return self.written(aws, desired, observed.id, Arn=observed.get("Arn"))

    def delete(self, aws: Aws, observed: Resource) -> None:
        """Remove it."""
        with allowing("NotFoundException"):
            aws.call("kms", "DeleteAlias", AliasName=observed.id)

    def identity(self, resource: Resource, physical_id: str) -> Mapping[str, str]:
        """Name and ARN."""
        arn = f"arn:{partition_of(resource.region)}:kms:{resource.region}:{resource.account}:{physical_id}"
        return {"Id": physical_id, "Name": physical_id, "AliasName": physical_id, "Arn": arn}
