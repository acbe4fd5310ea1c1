"""Who may act, and by which way: what "nobody" quantifies over.

"Nobody" means every principal of the member accounts, their root users, anonymous callers, services, and any outside
account. SCPs do not bind the management account; its principals are reported apart, as a standing exposure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from ringwall.access.bearing import BEDROCK, FULL_ACCESS, Access
from ringwall.iam.parser import parse_policy
from ringwall.iam.policy import Policy, PolicySet

OUTSIDE_ACCOUNT = "000000000000"
"""An account number that AWS gives to nobody, standing for any account outside of the Estate."""

ASSUMED = "taken to allow everything"
"""Name of the policy of those whose own policies are not known. Nobody can change it."""

ActorKind = Literal["user", "role", "root", "unlisted", "anonymous", "service", "outside"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who may send a request.

    Attributes:
        kind: what sort of principal.
        label: in words, for reports.
        principal: ARN, service principal or ``*``; ``None`` for any principal of ``account`` that the Estate does not
            list (its own policies are then taken to allow everything).
        account: account of the principal, empty for anonymous callers and services.
        policies: what bears on it apart from resource and endpoint policies.
        exempt: whether it is a role that Bedrock alone can assume.
        tags: principal tags.
    """

    kind: ActorKind
    label: str
    principal: str | None
    account: str
    policies: PolicySet
    exempt: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Route:
    """A way for a request to reach AWS.

    Attributes:
        label: in words.
        endpoint: id of the VPC endpoint; ``None`` for the public network.
        vpc: its VPC.
        policies: endpoint policies (``None`` = none applies).
        facts: context keys that the route fixes; ``None`` = absent.
    """

    label: str
    endpoint: str | None
    vpc: str | None
    policies: tuple[Policy, ...] | None
    facts: Mapping[str, str | None]


def actors(access: Access, account: str) -> tuple[Actor, ...]:
    """Everybody who may act on an account's Bedrock, principals of the Estate first."""
    return tuple(_actors(access, account))


def _actors(access: Access, account: str) -> Iterator[Actor]:
    everything = (parse_policy(FULL_ACCESS, name=ASSUMED),)
    for entry in access.principals(account=account):
        yield Actor(
            entry.kind,
            entry.arn.split(":", 5)[5],
            entry.arn,
            account,
            access.policies(entry.arn),
            exempt=entry.service_only,
            tags=entry.tags,
        )
    root = f"arn:{access.partition}:iam::{account}:root"
    bound = access.policies(root)
    yield Actor("root", "the account's root user", root, account, replace(bound, identity=everything))
    if access.estate.source == "desired":
        yield Actor(
            "unlisted",
            "any other principal of the account",
            None,
            account,
            replace(bound, identity=everything),
        )
    yield Actor("anonymous", "an anonymous caller", "*", "", PolicySet())
    for service in _services(access):
        yield Actor("service", f"the AWS service {service} by itself", service, "", PolicySet())
    outsider = f"arn:{access.partition}:iam::{OUTSIDE_ACCOUNT}:role/Outside"
    yield Actor("outside", "any other account", outsider, OUTSIDE_ACCOUNT, PolicySet(identity=everything))


def _services(access: Access) -> Iterator[str]:
    """Bedrock, and every service that the policy of a resource names: to others nothing is granted."""
    policies = (policy for _, policy in access.policies_of_resources())
    named = (
        service
        for policy in policies
        for statement in policy.statements
        for element in (statement.principal, statement.not_principal)
        if element is not None
        for service in element.service
        if "*" not in service
    )
    yield from dict.fromkeys((BEDROCK, *named))


def routes(access: Access, *, services: tuple[str, ...] = ("bedrock",)) -> tuple[Route, ...]:
    """The public network, each endpoint of the Estate for the given service prefixes, and an endpoint of somebody else.

    Args:
        access: the Estate's access.
        services: prefixes of endpoint services (``bedrock`` covers ``bedrock-runtime``).
    """
    return tuple(_routes(access, services))


def _routes(access: Access, services: tuple[str, ...]) -> Iterator[Route]:
    yield Route("over the public network", None, None, None, {"aws:sourcevpce": None, "aws:sourcevpc": None})
    for resource in access.estate.of_type("AWS::EC2::VPCEndpoint"):
        service = str(resource.get("ServiceName", "")).rsplit(".", 1)[-1]
        if resource.id == "?" or not service.startswith(services):
            continue
        endpoint = access.attribute(resource, "Id") or resource.id
        vpc = str(resource.get("VpcId"))
        yield Route(
            f"through the VPC endpoint for {service} ({endpoint})",
            endpoint,
            vpc,
            access.endpoint_policies(resource.id),
            {"aws:sourcevpce": endpoint, "aws:sourcevpc": vpc},
        )
    other = "vpce-00000000000000000"
    yield Route(
        "through a VPC endpoint of somebody else",
        other,
        "vpc-00000000000000000",
        None,
        {"aws:sourcevpce": other, "aws:sourcevpc": "vpc-00000000000000000"},
    )
