"""What AWS adds to EC2 over moto: endpoint checks, private DNS, and listeners that follow the endpoints.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcEndpoint.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.sandbox import chance, documents, models, places
from ringwall.sandbox.call import AwsError, Output
from ringwall.sandbox.hooks import Hooks
from ringwall.sandbox.network import DNS_ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringwall.sandbox.backend import Reply
    from ringwall.sandbox.turn import Turn

_FULL_ACCESS = (
    '{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}'
)


def _malformed(message: str) -> AwsError:
    return AwsError("InvalidPolicyDocument", f"The Policy Document is not valid: {message}")


def _store(turn: Turn) -> Any:
    return turn.gateway.moto.store("ec2", turn.account, turn.call.region)


def _create_endpoint(turn: Turn) -> None:
    parameters = turn.parameters
    kind = parameters.setdefault("VpcEndpointType", "Gateway")
    with turn.gateway.moto.locked():
        store = _store(turn)
        vpc = store.vpcs.get(parameters["VpcId"])
        if vpc is None:
            raise AwsError("InvalidVpcId.NotFound", f"The Vpc Id {parameters['VpcId']} does not exist")
        _service_exists(turn, parameters["ServiceName"], kind)
        _groups_exist(store, parameters.get("SecurityGroupIds") or ())
        _subnets_fit(store, parameters)
        if parameters.get("PolicyDocument"):
            documents.check(parameters["PolicyDocument"], documents.ENDPOINT, _malformed)
        if kind == "Interface":
            _interface_defaults(store, vpc, parameters)


def _service_exists(turn: Turn, name: str, kind: str) -> None:
    prefix = f"com.amazonaws.{turn.call.region}."
    if not name.startswith(prefix) or name.removeprefix(prefix) not in _ENDPOINT_NAMES:
        raise AwsError("InvalidServiceName", f"The Vpc Endpoint Service '{name}' does not exist")
    if kind == "Gateway" and not name.endswith((".s3", ".dynamodb")):
        message = f"Endpoint type (Gateway) does not match available service types ([Interface]) for {name}."
        raise AwsError("InvalidParameter", message)


_ENDPOINT_NAMES = frozenset(
    {
        *models.SIGNING_NAMES, "access-analyzer", "aoss", "athena", "autoscaling", "backup", "bedrock-agentcore",
        "bedrock-agentcore-control", "bedrock-agentcore.gateway", "bedrock-fips", "bedrock-mantle", "bedrock-runtime-fips",
        "cloudformation", "codebuild", "comprehend", "config", "dynamodb", "ec2messages", "ecr.api", "ecr.dkr", "ecs",
        "elasticloadbalancing", "execute-api", "glue", "kinesis-streams", "lambda", "monitoring", "rds-data", "rekognition",
        "sagemaker.api", "sagemaker.runtime", "secretsmanager", "sqs", "ssm", "ssmmessages", "states", "textract", "xray",
    }
)  # fmt: skip
"""Services that have VPC endpoints, as names within a Region. moto would import everything it has to tell.
https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html"""
_GATEWAYS = frozenset({"s3", "dynamodb"})
_BOTH = tuple(f".{name}" for name in sorted(_GATEWAYS))
INBOUND_ONLY = "PrivateDnsOnlyForInboundResolverEndpoint"


def _describe_services(turn: Turn) -> Output:
    """The services that endpoints can be made for, all in one page."""
    region = turn.call.region
    names = [f"com.amazonaws.{region}.{name}" for name in sorted(_ENDPOINT_NAMES)]
    wanted = turn.parameters.get("ServiceNames") or names
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise AwsError("InvalidServiceName", f"The Vpc Endpoint Service '{unknown[0]}' does not exist")
    details = [_service(region, name.rsplit(f".{region}.", 1)[1]) for name in names if name in wanted]
    return Output({"ServiceNames": [item["ServiceName"] for item in details], "ServiceDetails": details})


def _service(region: str, name: str) -> dict[str, Any]:
    kinds = ["Gateway", "Interface"] if name in _GATEWAYS else ["Interface"]
    return {
        "ServiceName": f"com.amazonaws.{region}.{name}",
        "ServiceType": [{"ServiceType": kind} for kind in kinds],
        "AvailabilityZones": [f"{region}{zone}" for zone in "abc"],
        "Owner": "amazon",
        "BaseEndpointDnsNames": [f"{name}.{region}.vpce.amazonaws.com"],
        "VpcEndpointPolicySupported": True,
        "AcceptanceRequired": False,
        "ManagesVpcEndpoints": False,
    }


def _groups_exist(store: Any, ids: Iterable[str]) -> None:
    known = {group.id for groups in store.groups.values() for group in groups.values()}
    for group in ids:
        if group not in known:
            raise AwsError("InvalidGroup.NotFound", f"The security group '{group}' does not exist")


def _subnets_fit(store: Any, parameters: dict[str, Any]) -> None:
    zones: dict[str, str] = {}
    for subnet_id in parameters.get("SubnetIds") or ():
        subnet = next((found[subnet_id] for found in store.subnets.values() if subnet_id in found), None)
        if subnet is None:
            raise AwsError("InvalidSubnetId.NotFound", f"The subnet ID '{subnet_id}' does not exist")
        if subnet.vpc_id != parameters["VpcId"]:
            raise AwsError("InvalidParameter", f"Subnet {subnet_id} does not belong to {parameters['VpcId']}")
        zone = subnet.availability_zone
        if zone in zones:
            raise AwsError(
                "DuplicateSubnetsInSameZone",
                f"Found another VPC endpoint subnet in the availability zone of {subnet_id}. VPC endpoint subnets should be in different availability zones supported by the VPC endpoint service.",
            )
        zones[zone] = subnet_id


def _interface_defaults(store: Any, vpc: Any, parameters: dict[str, Any]) -> None:
    if not parameters.get("SecurityGroupIds"):
        groups = store.groups[vpc.id].values()
        parameters["SecurityGroupIds"] = [group.id for group in groups if group.name == "default"]
    if parameters.setdefault("PrivateDnsEnabled", True):
        _private_dns_fits(store, vpc, parameters["ServiceName"])
        if _inbound_only(parameters, service=parameters["ServiceName"], otherwise=True):
            _has_gateway(store, vpc.id, parameters["ServiceName"])


def _inbound_only(parameters: dict[str, Any], *, service: str, otherwise: bool) -> bool:
    """Whether private DNS is for on-premises networks alone: only services with both types of endpoints have that."""
    told = (parameters.get("DnsOptions") or {}).get(INBOUND_ONLY)
    if not service.endswith(_BOTH):
        if told:
            message = f"{INBOUND_ONLY} is not supported for the service {service}."
            raise AwsError("InvalidParameter", message)
        return False
    return otherwise if told is None else bool(told)


def _has_gateway(store: Any, vpc: str, service: str) -> None:
    if not any(
        item.vpc_id == vpc
        and item.service_name == service
        and (item.vpc_endpoint_type or "Gateway").lower() == "gateway"
        and item.state != "deleted"
        for item in store.vpc_end_points.values()
    ):
        message = (
            f"To set {INBOUND_ONLY} to true, the VPC {vpc} must have a Gateway endpoint for the service."
        )
        raise AwsError("InvalidParameter", message)


def _private_dns_fits(store: Any, vpc: Any, service: str) -> None:
    if not all(str(getattr(vpc, name)).lower() == "true" for name in DNS_ATTRIBUTES):
        message = f"Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for {vpc.id}"
        raise AwsError("InvalidParameter", message)
    for endpoint in store.vpc_end_points.values():
        same = endpoint.vpc_id == vpc.id and endpoint.service_name == service and endpoint.state != "deleted"
        if same and places.private_dns(endpoint):
            _, _, region, name = service.split(".", 3)
            message = (
                f"private-dns-enabled cannot be set because there is already a conflicting DNS domain for "
                f"{name}.{region}.amazonaws.com in the VPC {vpc.id}"
            )
            raise AwsError("InvalidParameter", message)


def _created_endpoint(turn: Turn, reply: Reply) -> None:
    """DNS names as EC2 gives them: the Regional one, one per zone, and the service's own with private DNS."""
    shown = reply.parameters["VpcEndpoint"]
    if turn.parameters["VpcEndpointType"] == "Interface":
        with turn.gateway.moto.locked():
            store = _store(turn)
            endpoint = store.vpc_end_points[shown["VpcEndpointId"]]
            endpoint.dns_entries = shown["DnsEntries"] = list(_dns_entries(turn, store, endpoint))
            shown["PrivateDnsEnabled"] = places.private_dns(endpoint)
            endpoint.inbound_only = places.private_dns(endpoint) and _inbound_only(
                turn.parameters, service=endpoint.service_name, otherwise=True
            )
            _show_dns_options(endpoint, shown)
    _endpoints_changed(turn, reply)


def _dns_entries(turn: Turn, store: Any, endpoint: Any) -> Iterator[dict[str, str]]:
    region = turn.call.region
    service = endpoint.service_name.removeprefix(f"com.amazonaws.{region}.")
    name = f"{endpoint.id}-{chance.token_hex(4)}"
    zones = [
        found[subnet].availability_zone
        for subnet in endpoint.subnet_ids or ()
        for found in store.subnets.values()
        if subnet in found
    ]
    for label in (name, *(f"{name}-{zone}" for zone in zones)):
        yield {"DnsName": f"{label}.{service}.{region}.vpce.amazonaws.com", "HostedZoneId": "Z7HUB22UULQXV"}
    if places.private_dns(endpoint):
        yield {"DnsName": f"{service}.{region}.amazonaws.com", "HostedZoneId": "Z0123456789RINGWALL0"}


def _endpoints_changed(turn: Turn, reply: Reply) -> None:
    del reply
    turn.gateway.network_changed()


def _modify_endpoint(turn: Turn) -> None:
    parameters = turn.parameters
    with turn.gateway.moto.locked():
        store = _store(turn)
        endpoint = store.vpc_end_points.get(parameters["VpcEndpointId"])
        if endpoint is None or endpoint.state == "deleted":
            message = f"The Vpc Endpoint Id '{parameters['VpcEndpointId']}' does not exist"
            raise AwsError("InvalidVpcEndpointId.NotFound", message)
        if parameters.get("PolicyDocument"):
            documents.check(parameters["PolicyDocument"], documents.ENDPOINT, _malformed)
        if parameters.get("ResetPolicy"):
            parameters["PolicyDocument"] = _FULL_ACCESS
        _groups_exist(store, parameters.get("AddSecurityGroupIds") or ())
        wanted = parameters.get("PrivateDnsEnabled")
        if wanted and not places.private_dns(endpoint):
            _private_dns_fits(store, store.vpcs[endpoint.vpc_id], endpoint.service_name)
        if wanted is not None:
            endpoint.private_dns_enabled = wanted
        endpoint.inbound_only = places.private_dns(endpoint) and _inbound_only(
            parameters, service=endpoint.service_name, otherwise=places.inbound_only(endpoint)
        )
        if endpoint.inbound_only:
            _has_gateway(store, endpoint.vpc_id, endpoint.service_name)


def _show_dns_options(endpoint: Any, shown: dict[str, Any]) -> None:
    if endpoint.service_name.endswith(_BOTH):
        shown["DnsOptions"] = {"DnsRecordIpType": "ipv4", INBOUND_ONLY: places.inbound_only(endpoint)}


def _described_endpoints(turn: Turn, reply: Reply) -> None:
    with turn.gateway.moto.locked():
        store = _store(turn)
        for shown in reply.parameters.get("VpcEndpoints") or ():
            endpoint = store.vpc_end_points.get(shown["VpcEndpointId"])
            if endpoint is not None and shown.get("VpcEndpointType") == "Interface":
                _show_dns_options(endpoint, shown)


def _vpc_exists(turn: Turn) -> None:
    vpc = turn.parameters.get("VpcId")
    with turn.gateway.moto.locked():
        if vpc is not None and vpc not in _store(turn).vpcs:
            raise AwsError("InvalidVpcID.NotFound", f"The vpc ID '{vpc}' does not exist")


EC2 = Hooks(
    before={
        ("ec2", "CreateVpcEndpoint"): _create_endpoint,
        ("ec2", "ModifyVpcEndpoint"): _modify_endpoint,
        ("ec2", "CreateSecurityGroup"): _vpc_exists,
    },
    after={
        ("ec2", "CreateVpcEndpoint"): _created_endpoint,
        ("ec2", "ModifyVpcEndpoint"): _endpoints_changed,
        ("ec2", "DescribeVpcEndpoints"): _described_endpoints,
        ("ec2", "DeleteVpcEndpoints"): _endpoints_changed,
    },
    instead={("ec2", "DescribeVpcEndpointServices"): _describe_services},
)
