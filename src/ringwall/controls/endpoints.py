"""The VPC endpoints, their policies and their security group, as resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.controls import names
from ringwall.controls.documents import Document, Statement, allow, deny, document
from ringwall.controls.roles import INVOKE
from ringwall.estate.kinds.vpc_endpoint import INBOUND_ONLY
from ringwall.estate.model import Ref, Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ringwall.perimeter.model import Perimeter

SECURITY_GROUP = "security-group/endpoints"
PREFIXES: Mapping[str, str] = {
    "monitoring": "cloudwatch",
    "bedrock-agentcore-control": "bedrock-agentcore",
    "bedrock-agentcore.gateway": "bedrock-agentcore",
}
"""IAM prefix of endpoint services whose name is another."""
GATEWAYS = frozenset({"s3"})
"""Services, of those that can be declared, that have gateway endpoints as well."""


def security_group(perimeter: Perimeter) -> Resource:
    """Port 443 from the application's security group, and nothing else; an endpoint only answers, so no egress."""
    return Resource(
        type="AWS::EC2::SecurityGroup",
        account=perimeter.account,
        region=perimeter.regions.source,
        id=SECURITY_GROUP,
        properties={
            "GroupName": f"{perimeter.name}-bedrock-endpoints",
            "GroupDescription": f"Ringwall {perimeter.name}: VPC endpoints for Bedrock",
            "VpcId": perimeter.network.vpc,
            "SecurityGroupIngress": [
                {
                    "IpProtocol": "tcp",
                    "FromPort": 443,
                    "ToPort": 443,
                    "SourceSecurityGroupId": perimeter.network.application_security_group,
                    "Description": "HTTPS from the application",
                }
            ],
            "SecurityGroupEgress": [],
        },
    )


def endpoints(perimeter: Perimeter) -> Iterator[Resource]:
    """One interface endpoint for each declared service."""
    for service in dict.fromkeys(perimeter.network.endpoints):
        yield Resource(
            type="AWS::EC2::VPCEndpoint",
            account=perimeter.account,
            region=perimeter.regions.source,
            id=f"endpoint/{service}",
            properties={
                "VpcEndpointType": "Interface",
                "ServiceName": names.endpoint_service(perimeter, service),
                "VpcId": perimeter.network.vpc,
                "SubnetIds": list(perimeter.network.subnets),
                "SecurityGroupIds": [Ref(SECURITY_GROUP, "Id")],
                "PrivateDnsEnabled": True,
                **_names_for(service),
                "PolicyDocument": endpoint_policy(perimeter, service),
            },
        )


def _names_for(service: str) -> dict[str, Any]:
    """Who is told the private name. Left to itself S3 tells on-premises networks alone, and demands a gateway endpoint too.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/privatelink-interface-endpoints.html#private-dns
    """
    if service not in GATEWAYS:
        return {}
    return {"DnsOptions": {INBOUND_ONLY: "AllResolvers"}}


def endpoint_policy(perimeter: Perimeter, service: str) -> Document:
    """The policy of one endpoint: what this account's principals need of that service."""
    build = POLICIES.get(service, _other)
    return document(*build(perimeter, service))


def _own(perimeter: Perimeter) -> dict[str, Any]:
    return {"StringEquals": {"aws:PrincipalAccount": perimeter.account}}


def _allow(perimeter: Perimeter, sid: str, actions: Any, resources: Any = "*") -> Statement:
    return allow(sid, actions, resources, _own(perimeter), principal="*")


def _no_bearer_tokens() -> Statement:
    return deny("NoBearerTokens", "bedrock:CallWithBearerToken", principal="*")


def _runtime(perimeter: Perimeter, service: str) -> Iterator[Statement]:
    """Foundation model ARNs have no account, so the principal's account is what holds strangers' credentials out."""
    del service
    models = [
        *names.profiles(perimeter),
        *names.profile_models(perimeter),
        *names.direct_models(perimeter),
    ]
    yield _allow(perimeter, "InvokeDeclaredModels", [*INVOKE, "bedrock:CountTokens"], models)
    yield _allow(
        perimeter,
        "GuardrailAndMetadata",
        ["bedrock:ApplyGuardrail", "bedrock:GetGuardrail", "bedrock:GetInferenceProfile"],
        [
            names.arn(perimeter, "bedrock", "guardrail/*"),
            names.arn(perimeter, "bedrock", "guardrail-profile/*", region="*"),
            *names.organization_guardrail(perimeter),
            *names.profiles(perimeter),
        ],
    )
    yield _no_bearer_tokens()


def _agent_runtime(perimeter: Perimeter, service: str) -> Iterator[Statement]:
    del service
    bases, aliases = names.knowledge_bases(perimeter), names.agent_aliases(perimeter)
    if bases:
        yield _allow(perimeter, "RetrieveFromDeclared", "bedrock:Retrieve", bases)
    if aliases:
        yield _allow(perimeter, "InvokeDeclaredAgents", "bedrock:InvokeAgent", aliases)
    yield _no_bearer_tokens()


def _control_plane(perimeter: Perimeter, service: str) -> Iterator[Statement]:
    """Administrators deploy through it too, so it names no actions: the service control policies do."""
    del service
    yield _allow(perimeter, "OwnAccount", "bedrock:*")
    yield _no_bearer_tokens()


def _sts(perimeter: Perimeter, service: str) -> Iterator[Statement]:
    """Roles of this account, and the one of the management account that administrators attach policies through."""
    del service
    roles = [
        f"arn:{perimeter.partition}:iam::{perimeter.account}:role/*",
        perimeter.organization.management_role,
    ]
    yield _allow(
        perimeter, "AssumeKnownRoles", ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"], roles
    )
    yield _allow(perimeter, "WhoAmI", ["sts:GetCallerIdentity", "sts:DecodeAuthorizationMessage"])
    yield allow(
        "FederateIntoThisAccount",
        [
            "sts:AssumeRoleWithWebIdentity",
            "sts:AssumeRoleWithSAML",
            "sts:TagSession",
            "sts:SetSourceIdentity",
        ],
        roles[:1],
        principal="*",
    )


def _other(perimeter: Perimeter, service: str) -> Iterator[Statement]:
    yield _allow(perimeter, "OwnAccount", f"{PREFIXES.get(service, service)}:*")


POLICIES: Mapping[str, Callable[[Perimeter, str], Iterator[Statement]]] = {
    "bedrock": _control_plane,
    "bedrock-agent": _control_plane,
    "bedrock-runtime": _runtime,
    "bedrock-agent-runtime": _agent_runtime,
    "sts": _sts,
}
