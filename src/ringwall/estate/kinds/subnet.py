"""``AWS::EC2::Subnet``: read only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import Field, fresh, from_api, from_tags, partition_of
from ringwall.estate.kinds.vpc import ReadOnlyKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

FIELDS = tuple(
    Field(name, name)
    for name in ("SubnetId", "VpcId", "CidrBlock", "AvailabilityZone", "MapPublicIpOnLaunch")
)


class Subnet(ReadOnlyKind):
    """Subnets: which VPC and Availability Zone they are in."""

    type = "AWS::EC2::Subnet"
    read_only = ("Arn", "SubnetId")
    permissions = Permissions(("ec2:DescribeSubnets",), ())

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Every subnet."""
        listed = aws.pages("ec2", "DescribeSubnets", "Subnets")
        shared = aws.evidence()
        for item in listed:
            properties = {**from_api(item, FIELDS), "Tags": from_tags(item.get("Tags"))}
            yield self.seen(aws, item["SubnetId"], properties, evidence=shared)

    def physical_id(self, desired: Resource) -> str:
        """A made-up id of the right shape."""
        return f"subnet-{fresh(desired, 17)}"

    def identity(self, resource: Resource, physical_id: str) -> Mapping[str, str]:
        """Id and ARN."""
        arn = f"arn:{partition_of(resource.region)}:ec2:{resource.region}:{resource.account}:subnet/{physical_id}"
        return {"Id": physical_id, "SubnetId": physical_id, "Arn": arn}
