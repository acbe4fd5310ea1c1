"""The network: what a workload reaches under an AWS host name, by endpoints, DNS and security groups."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringwall.sandbox import models, places, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ringwall.sandbox.backend import Moto
    from ringwall.sandbox.places import Workload

_HTTPS = 443
_SOMEWHERE = "52.94.0.1"
"""An address of AWS on the internet."""
_ENDPOINT_NAMES = {"monitoring": "cloudwatch"}
DNS_ATTRIBUTES = ("enable_dns_support", "enable_dns_hostnames")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A VPC endpoint as the network sees it.

    Attributes:
        service: botocore service behind it; ``None`` for services that the sandbox lacks.
        addresses: of its network interfaces (none for gateway endpoints).
    """

    id: str
    account: str
    region: str
    vpc: str
    service: str | None
    gateway: bool
    private_dns: bool
    addresses: tuple[str, ...]
    security_groups: tuple[str, ...]
    route_tables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """Where a connection goes: to an endpoint, to the public listener, or nowhere.

    Attributes:
        endpoint: ``vpce-`` id, or ``None`` for the internet.
        refused: why there is no way.
    """

    endpoint: str | None = None
    refused: str | None = None


class Network:
    """Reads EC2's state; decides ways."""

    def __init__(self, moto: Moto, wait: Callable[[], None]) -> None:
        self._moto = moto
        self._wait = wait

    def endpoints(self) -> dict[str, Endpoint]:
        """All endpoints that exist, by id."""
        with self._moto.locked():
            return {endpoint.id: endpoint for endpoint in self._endpoints()}

    def _endpoints(self) -> Iterator[Endpoint]:
        for account in self._moto.accounts("ec2"):
            for region in self._moto.regions("ec2", account):
                store = self._moto.store("ec2", account, region)
                for item in store.vpc_end_points.values():
                    if item.state != "deleted":
                        yield _endpoint(account, region, store, item)

    def way(self, workload: Workload, host: str) -> Way:
        """The way of a workload's connection to port 443 of a host name. Waits until EC2's state has been made."""
        self._wait()
        name = resolve.parse_host(host)
        if name is None:
            return Way(refused=f"{host} is not an AWS host name of the sandbox")
        with self._moto.locked():
            store = self._moto.store("ec2", workload.account, workload.region)
            endpoint = self._resolved(workload, store, host, name)
            if isinstance(endpoint, Way):
                return endpoint
            return _connected(workload, store, endpoint)

    def _resolved(
        self, workload: Workload, store: Any, host: str, name: resolve.HostName
    ) -> Endpoint | Way | None:
        """The endpoint that DNS or routing leads to; ``None`` for the internet."""
        own = [endpoint for endpoint in self._endpoints() if endpoint.vpc == workload.vpc]
        if ".vpce.amazonaws.com" in host:
            found = next((endpoint for endpoint in own if endpoint.id in host), None)
            return found or Way(refused=f"{host} does not resolve in {workload.vpc}")
        for endpoint in own:
            serves = endpoint.service == name.service and name.region in {endpoint.region, None}
            if serves and endpoint.gateway and _routed(store, workload.subnet, endpoint):
                return endpoint
            if serves and endpoint.private_dns and name.region and _dns_on(store, workload.vpc):
                return endpoint
        return None


def _endpoint(account: str, region: str, store: Any, item: Any) -> Endpoint:
    suffix = item.service_name.split(".", 3)[-1]
    name = _ENDPOINT_NAMES.get(suffix, suffix)
    gateway = (item.vpc_endpoint_type or "Gateway").lower() == "gateway"
    interfaces = [store.enis[eni] for eni in item.network_interface_ids if eni in store.enis]
    return Endpoint(
        item.id,
        account,
        region,
        item.vpc_id,
        name if name in models.SIGNING_NAMES else None,
        gateway,
        not gateway and places.private_dns(item) and not places.inbound_only(item),
        tuple(str(eni.private_ip_address) for eni in interfaces),
        tuple(item.security_group_ids) or _default_group(store, item.vpc_id),
        tuple(item.route_table_ids or ()),
    )


def _default_group(store: Any, vpc: str) -> tuple[str, ...]:
    return tuple(group.id for group in store.groups[vpc].values() if group.name == "default")


def _dns_on(store: Any, vpc: str) -> bool:
    found = store.vpcs.get(vpc)
    return found is not None and all(str(getattr(found, name)).lower() == "true" for name in DNS_ATTRIBUTES)


def _routed(store: Any, subnet: str, endpoint: Endpoint) -> bool:
    """Whether the subnet's route table, its own or else the VPC's main one, has a route to a gateway endpoint."""
    tables = [table for table in store.route_tables.values() if table.vpc_id == endpoint.vpc]
    own = [table.id for table in tables if subnet in _subnets(table)]
    main = [table.id for table in tables if table.main_association_id is not None]
    return any(table in endpoint.route_tables for table in own or main)


def _subnets(table: Any) -> frozenset[str]:
    return frozenset(item["SubnetId"] for item in table.associations if "SubnetId" in item)


def _connected(workload: Workload, store: Any, endpoint: Endpoint | None) -> Way:
    groups = _groups(store, workload.security_groups)
    if endpoint is None or endpoint.gateway:
        outward = _rules(groups, "egress_rules")
        to_list = endpoint is not None and any(rule.prefix_list_id for rule in outward)
        if not to_list and not _allows(outward, (_SOMEWHERE,), ()):
            return Way(
                refused=f"egress of {_names(workload.security_groups)} admits no connection to port 443"
            )
        return Way(endpoint.id if endpoint else None)
    if not endpoint.addresses:
        return Way(refused=f"{endpoint.id} has no network interface; give it subnets")
    if not _allows(_rules(groups, "egress_rules"), endpoint.addresses, endpoint.security_groups):
        return Way(
            refused=f"egress of {_names(workload.security_groups)} does not admit port 443 of {endpoint.id}"
        )
    inward = _rules(_groups(store, endpoint.security_groups), "ingress_rules")
    if not _allows(inward, (workload.address,), workload.security_groups):
        return Way(
            refused=f"ingress of {_names(endpoint.security_groups)} does not admit {workload.address} to port 443"
        )
    return Way(endpoint.id)


def _names(groups: Iterable[str]) -> str:
    return ", ".join(groups) or "no security group"


def _groups(store: Any, ids: Iterable[str]) -> list[Any]:
    wanted = set(ids)
    return [group for groups in store.groups.values() for group in groups.values() if group.id in wanted]


def _rules(groups: Iterable[Any], name: str) -> list[Any]:
    return [rule for group in groups for rule in getattr(group, name)]


def _allows(rules: Iterable[Any], addresses: tuple[str, ...], groups: tuple[str, ...]) -> bool:
    """Whether a rule admits TCP 443 with one of the peer's addresses or groups."""
    return any(_covers_port(rule) and _covers_peer(rule, addresses, groups) for rule in rules)


def _covers_port(rule: Any) -> bool:
    if str(rule.ip_protocol) == "-1":
        return True
    if str(rule.ip_protocol) not in {"tcp", "6"}:
        return False
    low, high = rule.from_port, rule.to_port
    return low is None or int(low) == -1 or int(low) <= _HTTPS <= int(high if high is not None else low)


def _covers_peer(rule: Any, addresses: tuple[str, ...], groups: tuple[str, ...]) -> bool:
    cidr = rule.ip_range.get("CidrIp")
    if cidr and any(
        ipaddress.ip_address(item) in ipaddress.ip_network(cidr, strict=False) for item in addresses
    ):
        return True
    return rule.source_group.get("GroupId") in groups
