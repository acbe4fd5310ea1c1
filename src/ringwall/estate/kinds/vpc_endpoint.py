"""``AWS::EC2::VPCEndpoint``: interface and gateway endpoints with their policies.

Follows https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.errors import AwsCallError
from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import (
    BaseKind,
    Field,
    fresh,
    from_api,
    from_tags,
    missing_tags,
    optional,
    ownership,
    partition_of,
    tag_list,
    to_api,
    until,
)
from ringwall.estate.kinds.documents import document, text
from ringwall.estate.kinds.limits import Limit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

FIELDS = tuple(
    Field(name, name)
    for name in (
        "VpcEndpointType",
        "ServiceName",
        "VpcId",
        "SubnetIds",
        "RouteTableIds",
        "PrivateDnsEnabled",
        "IpAddressType",
        "ServiceRegion",
    )
)
LISTS = (
    # property, members of ModifyVpcEndpoint
    ("SubnetIds", "SubnetIds"),
    ("SecurityGroupIds", "SecurityGroupIds"),
    ("RouteTableIds", "RouteTableIds"),
)
INBOUND_ONLY = "PrivateDnsOnlyForInboundResolverEndpoint"
"""The DNS option by which the private name is told on-premises networks alone."""
RESOLVERS = {"OnlyInboundResolver": True, "AllResolvers": False}
"""What CloudFormation calls the values of ``INBOUND_ONLY``: whether the private name is told on-premises networks alone."""
GONE = ("InvalidVpcEndpointId.NotFound", "InvalidVpcEndpoint.NotFound")
ENDED = ("deleted", "deleting")
BROKEN = ("failed", "rejected", "expired")
ENOUGH = 600.0
"""Seconds that an endpoint may take to come or go."""


class VpcEndpoint(BaseKind):
    """VPC endpoints. Ours are known by tag: a VPC may have several endpoints for one service.

    But only one of them with private DNS, whatever its tags say: that one is the declared one where no other is, for none can
    be made beside it (https://docs.aws.amazon.com/vpc/latest/privatelink/manage-dns-names.html).
    """

    type = "AWS::EC2::VPCEndpoint"
    defaults: Mapping[str, Any] = {"VpcEndpointType": "Gateway"}
    read_only = (
        "Arn",
        "Id",
        "State",
        "DnsEntries",
        "NetworkInterfaceIds",
        "RequesterManaged",
        "ServiceRegion",
    )
    create_only = ("ServiceName", "VpcEndpointType", "VpcId")
    documents = ("PolicyDocument",)
    unordered = ("SubnetIds", "SecurityGroupIds", "RouteTableIds")
    permissions = Permissions(
        ("ec2:DescribeVpcEndpoints",),
        (
            "ec2:CreateVpcEndpoint",
            "ec2:ModifyVpcEndpoint",
            "ec2:CreateTags",
            "ec2:DeleteVpcEndpoints",
            "ec2:DescribeVpcs",
            "ec2:DescribeSubnets",
            "ec2:DescribeSecurityGroups",
            "route53:AssociateVPCWithHostedZone",
        ),
    )
    limits = (
        Limit("ServiceName", required=True, pattern=r"(cn\.)?(com|aws)\.[\w.-]+"),
        Limit("VpcId", required=True),
        Limit(
            "VpcEndpointType",
            choices=("Interface", "Gateway", "GatewayLoadBalancer", "Resource", "ServiceNetwork"),
        ),
        Limit("IpAddressType", choices=("ipv4", "dualstack", "ipv6")),
        Limit(f"DnsOptions.{INBOUND_ONLY}", choices=tuple(RESOLVERS)),
        Limit("PolicyDocument", size=20_480),
    )

    def match(self, desired: Resource, observed: tuple[Resource, ...]) -> Resource | None:
        """By ownership tag, else what has the private DNS name that the declared one needs."""
        holding = (
            item for item in observed if self._same_place(desired, item) and _holds_name(item, desired)
        )
        return super().match(desired, observed) or min(holding, key=lambda item: item.id, default=None)

    def validate(self, properties: Mapping[str, Any]) -> tuple[str, ...]:
        """Limits, and what only interface endpoints have."""
        found = super().validate(properties)
        if properties.get("VpcEndpointType", "Gateway") == "Gateway":
            wrong = [
                name
                for name in ("SubnetIds", "SecurityGroupIds", "PrivateDnsEnabled")
                if properties.get(name)
            ]
            found += tuple(f"{name}: only interface endpoints have it" for name in wrong)
        return found

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Every endpoint that is not on its way out."""
        listed = aws.pages("ec2", "DescribeVpcEndpoints", "VpcEndpoints")
        shared = aws.evidence()
        for item in listed:
            if str(item.get("State", "")).lower() in ENDED:
                continue
            properties: dict[str, Any] = {
                **from_api(item, FIELDS),
                "SecurityGroupIds": [group["GroupId"] for group in item.get("Groups") or ()],
                "State": str(item.get("State", "")).lower(),
                "DnsEntries": [
                    entry["DnsName"] for entry in item.get("DnsEntries") or () if entry.get("DnsName")
                ],
                "NetworkInterfaceIds": sorted(item.get("NetworkInterfaceIds") or ()),
                "RequesterManaged": bool(item.get("RequesterManaged")),
                "Tags": from_tags(item.get("Tags")),
            }
            if item.get("PolicyDocument"):
                properties["PolicyDocument"] = document(item["PolicyDocument"])
            inbound_only = (item.get("DnsOptions") or {}).get(INBOUND_ONLY)
            if inbound_only is not None:
                told = next(name for name, value in RESOLVERS.items() if value is inbound_only)
                properties["DnsOptions"] = {INBOUND_ONLY: told}
            yield self.seen(aws, item["VpcEndpointId"], properties, evidence=shared)

    def create(self, aws: Aws, desired: Resource) -> Resource:
        """Create it with its policy and tags in one call, so that it never stands open, and wait until it works."""
        wanted, tags = desired.properties, ownership(aws, desired)
        options = to_api(wanted, FIELDS)
        if wanted.get("SecurityGroupIds"):
            options["SecurityGroupIds"] = list(wanted["SecurityGroupIds"])
        if wanted.get("PolicyDocument"):
            options["PolicyDocument"] = text(wanted["PolicyDocument"])
        if wanted.get("DnsOptions"):
            options["DnsOptions"] = _dns_options(wanted)
        made = aws.call(
            "ec2",
            "CreateVpcEndpoint",
            TagSpecifications=[{"ResourceType": "vpc-endpoint", "Tags": tag_list(tags)}],
            **options,
        )["VpcEndpoint"]
        self._wait(aws, made["VpcEndpointId"])
        return self.written(aws, desired, made["VpcEndpointId"], tags)

    def update(self, aws: Aws, observed: Resource, desired: Resource) -> Resource:
        """Change policy, groups, subnets and private DNS in one call."""
        wanted = desired.properties
        changes: dict[str, Any] = {}
        if self.differs(observed, desired, "PolicyDocument"):
            changes["PolicyDocument"] = text(wanted["PolicyDocument"])
        for name in ("PrivateDnsEnabled", "IpAddressType"):
            if self.differs(observed, desired, name):
                changes[name] = wanted[name]
        if self.differs(observed, desired, "DnsOptions"):
            changes["DnsOptions"] = _dns_options(wanted)
        for name, member in LISTS:
            if name in wanted:
                before, after = set(observed.get(name) or ()), set(wanted[name])
                changes |= {f"Add{member}": sorted(after - before)} if after - before else {}
                changes |= {f"Remove{member}": sorted(before - after)} if before - after else {}
        if changes:
            aws.call("ec2", "ModifyVpcEndpoint", VpcEndpointId=observed.id, **changes)
            self._wait(aws, observed.id)
        tags = missing_tags(aws, observed, desired)
        if tags:
            aws.call("ec2", "CreateTags", Resources=[observed.id], Tags=tag_list(tags))
        return self.written(aws, desired, observed.id, ownership(aws, desired))

    def delete(self, aws: Aws, observed: Resource) -> None:
        """Remove it and wait until it is gone, since its security group and private DNS name are taken until then."""
        answer = aws.call("ec2", "DeleteVpcEndpoints", VpcEndpointIds=[observed.id])
        for item in answer.get("Unsuccessful") or ():
            error = item.get("Error") or {}
            if error.get("Code") not in GONE:
                raise AwsCallError(
                    "ec2", "DeleteVpcEndpoints", str(error.get("Code")), str(error.get("Message"))
                )
        until(
            self.clock,
            lambda: self._state(aws, observed.id) in (None, "deleted"),
            timeout=ENOUGH,
            late=lambda: _late(observed.id, "is still being deleted"),
        )

    def _wait(self, aws: Aws, endpoint: str) -> None:
        def works() -> bool:
            state = self._state(aws, endpoint)
            if state in BROKEN:
                raise AwsCallError("ec2", "CreateVpcEndpoint", "EndpointFailed", f"{endpoint} is {state}")
            return state in ("available", "pendingacceptance")

        until(self.clock, works, timeout=ENOUGH, late=lambda: _late(endpoint, "is not available yet"))

    @staticmethod
    def _state(aws: Aws, endpoint: str) -> str | None:
        answer = optional(aws, "ec2", "DescribeVpcEndpoints", GONE, VpcEndpointIds=[endpoint])
        found = (answer or {}).get("VpcEndpoints") or ()
        return str(found[0].get("State", "")).lower() if found else None

    def physical_id(self, desired: Resource) -> str:
        """A made-up id of the right shape."""
        return f"vpce-{fresh(desired, 17)}"

    def identity(self, resource: Resource, physical_id: str) -> Mapping[str, str]:
        """Id and ARN."""
        where = f"{resource.region}:{resource.account}"
        arn = f"arn:{partition_of(resource.region)}:ec2:{where}:vpc-endpoint/{physical_id}"
        return {"Id": physical_id, "VpcEndpointId": physical_id, "Arn": arn}


def _holds_name(observed: Resource, desired: Resource) -> bool:
    """Whether an endpoint has the private DNS name that a desired one needs."""
    same = all(
        observed.get(name) == desired.get(name) for name in ("ServiceName", "VpcId", "VpcEndpointType")
    )
    return same and observed.get("PrivateDnsEnabled") is True and desired.get("PrivateDnsEnabled") is True


def _late(endpoint: str, what: str) -> AwsCallError:
    message = f"{endpoint} {what} after {ENOUGH:g} s; run the command again to go on"
    return AwsCallError("ec2", "DescribeVpcEndpoints", "StillPending", message)


def _dns_options(properties: Mapping[str, Any]) -> dict[str, bool]:
    """DNS options as EC2 names them."""
    return {INBOUND_ONLY: RESOLVERS[properties["DnsOptions"][INBOUND_ONLY]]}
