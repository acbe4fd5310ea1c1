"""``AWS::EC2::VPC``: read only; Ringwall works inside a VPC that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.errors import RingwallError
from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import BaseKind, Reading, fresh, from_tags, partition_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

ATTRIBUTES = (("EnableDnsSupport", "enableDnsSupport"), ("EnableDnsHostnames", "enableDnsHostnames"))


class ReadOnlyKind(BaseKind):
    """A kind that Ringwall reads and never writes."""

    def create(self, aws: Aws, desired: Resource) -> Resource:
        """Refused."""
        raise self._refusal(aws, desired)

    def update(self, aws: Aws, observed: Resource, desired: Resource) -> Resource:
        """Refused."""
        raise self._refusal(aws, observed if observed.id == desired.id else desired)

    def delete(self, aws: Aws, observed: Resource) -> None:
        """Refused."""
        raise self._refusal(aws, observed)

    def _refusal(self, aws: Aws, resource: Resource) -> RingwallError:
        where = f"account {aws.account}, {aws.region}"
        return RingwallError(
            f"Ringwall does not write {self.type}; {resource.id} has to be there already in {where}."
        )


class Vpc(ReadOnlyKind):
    """VPCs with the two DNS attributes that private DNS of endpoints needs."""

    type = "AWS::EC2::VPC"
    read_only = ("Arn", "VpcId")
    permissions = Permissions(("ec2:DescribeVpcs", "ec2:DescribeVpcAttribute"), ())

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Every VPC."""
        listed = aws.pages("ec2", "DescribeVpcs", "Vpcs")
        shared = aws.evidence()
        for item in listed:
            reading = Reading(aws)
            reading.set(
                VpcId=item["VpcId"],
                CidrBlock=item.get("CidrBlock"),
                CidrBlocks=sorted(
                    part["CidrBlock"]
                    for part in item.get("CidrBlockAssociationSet") or ()
                    if part.get("CidrBlockState", {}).get("State", "associated") == "associated"
                ),
                IsDefault=item.get("IsDefault"),
                Tags=from_tags(item.get("Tags")),
            )
            for name, attribute in ATTRIBUTES:
                reading.take(
                    name,
                    ("ec2", "DescribeVpcAttribute", {"VpcId": item["VpcId"], "Attribute": attribute}),
                    _attribute(name),
                )
            yield self.seen(aws, item["VpcId"], reading.properties, reading.unknown, shared)

    def physical_id(self, desired: Resource) -> str:
        """A made-up id of the right shape."""
        return f"vpc-{fresh(desired, 17)}"

    def identity(self, resource: Resource, physical_id: str) -> Mapping[str, str]:
        """Id and ARN."""
        arn = (
            f"arn:{partition_of(resource.region)}:ec2:{resource.region}:{resource.account}:vpc/{physical_id}"
        )
        return {"Id": physical_id, "VpcId": physical_id, "Arn": arn}


def _attribute(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda answer: answer[name]["Value"]
