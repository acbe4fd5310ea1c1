"""What the sandbox consists of at start: accounts, organization, network, by fixed ids that examples may name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MEMBER = "111122223333"
MANAGEMENT = "999988887777"
REGION = "us-east-1"
ORGANIZATION = "o-ringwallsb"
ROOT = "r-ring"
UNIT = "ou-ring-workload0"
MANAGEMENT_ROLE = "RingwallManagement"
ADMINISTRATOR = "SandboxAdministrator"
VPC = "vpc-0a11ce00000000001"
VPC_CIDR = "10.0.0.0/16"
SUBNETS = {
    "subnet-0a11ce00000000001": ("us-east-1a", "10.0.1.0/24"),
    "subnet-0a11ce00000000002": ("us-east-1b", "10.0.2.0/24"),
}
APPLICATION_GROUP = "sg-0a11ce00000000001"
INTERNET_ADDRESS = "203.0.113.10"
"""Address (of the documentation range, RFC 5737) that callers on the public listener have."""
NAT_ADDRESS = "198.51.100.20"
"""Address that a workload in a subnet has on the internet."""


@dataclass(frozen=True, slots=True)
class Workload:
    """Something that runs in a subnet: where its requests come from."""

    vpc: str
    subnet: str
    security_groups: tuple[str, ...]
    address: str
    region: str = REGION
    account: str = MEMBER


def organization_path(levels: tuple[str, ...], account: str) -> str:
    """``aws:PrincipalOrgPaths``' value of an account: ``o-.../r-.../ou-.../``."""
    return "/".join([ORGANIZATION, *(level for level in levels if level != account)]) + "/"


def user_boundary(user: Any) -> str | None:
    """The permissions boundary of one of moto's users (moto keeps none of its own; the gateway sets it)."""
    return getattr(user, "ringwall_permissions_boundary", None)


def private_dns(endpoint: Any) -> bool:
    """Whether one of moto's interface endpoints answers for the service's own name, to whomever it is told."""
    value = endpoint.private_dns_enabled
    return value is True or str(value).lower() == "true"


def inbound_only(endpoint: Any) -> bool:
    """Whether the service's own name leads to one of moto's interface endpoints from on-premises networks alone.

    That is what S3's do unless they are told otherwise; the VPC itself goes by its gateway endpoint.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/privatelink-interface-endpoints.html#private-dns
    """
    return bool(getattr(endpoint, "inbound_only", False))
