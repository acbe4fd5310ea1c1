"""``AWS::EC2::SecurityGroup``: exactly the declared rules, in and out.

CloudFormation writes one rule for each source or destination, EC2 groups them by protocol and ports; here they stand
one by one.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import (
    BaseKind,
    allowing,
    fresh,
    from_tags,
    missing_tags,
    ownership,
    partition_of,
    tag_list,
)
from ringwall.estate.kinds.documents import unique
from ringwall.estate.kinds.limits import Limit
from ringwall.estate.model import Ref, Resource

if TYPE_CHECKING:
    from ringwall.estate.aws import Aws

Rule = Mapping[str, Any]
PROTOCOLS: Mapping[str, str] = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1"}
EVERYTHING_OUT: Rule = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}
SIDES = (
    # CloudFormation property, EC2 member, operation suffix, prefix of peers' names
    ("SecurityGroupIngress", "IpPermissions", "Ingress", "Source"),
    ("SecurityGroupEgress", "IpPermissionsEgress", "Egress", "Destination"),
)


class SecurityGroup(BaseKind):
    """Security groups. A group without declared egress has none: AWS's allow-all default is taken away."""

    type = "AWS::EC2::SecurityGroup"
    names = ("GroupName", "VpcId")
    defaults: Mapping[str, Any] = {"SecurityGroupIngress": [], "SecurityGroupEgress": []}
    read_only = ("Arn", "GroupId", "OwnerId")
    create_only = ("GroupName", "GroupDescription", "VpcId")
    permissions = Permissions(
        ("ec2:DescribeSecurityGroups",),
        (
            "ec2:CreateSecurityGroup",
            "ec2:CreateTags",
            "ec2:AuthorizeSecurityGroupIngress",
            "ec2:AuthorizeSecurityGroupEgress",
            "ec2:RevokeSecurityGroupIngress",
            "ec2:RevokeSecurityGroupEgress",
            "ec2:DeleteSecurityGroup",
        ),
    )
    limits = (
        Limit(
            "GroupName", required=True, pattern=r"(?!sg-)[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]+", longest=255
        ),
        Limit(
            "GroupDescription", required=True, pattern=r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]+", longest=255
        ),
        Limit("VpcId", required=True),
        Limit("SecurityGroupIngress", longest=60),
        Limit("SecurityGroupEgress", longest=60),
    )

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Every security group."""
        listed = aws.pages("ec2", "DescribeSecurityGroups", "SecurityGroups")
        shared = aws.evidence()
        for item in listed:
            properties: dict[str, Any] = {
                "GroupId": item["GroupId"],
                "GroupName": item["GroupName"],
                "GroupDescription": item.get("Description", ""),
                "VpcId": item.get("VpcId"),
                "Tags": from_tags(item.get("Tags")),
            }
            for name, member, _, peer in SIDES:
                properties[name] = _rules(item.get(member) or (), peer, aws.account)
            yield self.seen(aws, item["GroupId"], properties, evidence=shared)

    def canonical(self, name: str, value: Any) -> Any:
        """Rules as a set, protocols by name, networks as EC2 writes them."""
        if name in ("SecurityGroupIngress", "SecurityGroupEgress") and not isinstance(value, Ref):
            return unique(map(_canonical_rule, value))
        return super().canonical(name, value)

    def validate(self, properties: Mapping[str, Any]) -> tuple[str, ...]:
        """Limits, and rules that EC2 refuses."""
        found = list(super().validate(properties))
        for name, _, _, _ in SIDES:
            for index, rule in enumerate(properties.get(name) or ()):
                found += [f"{name}[{index}]: {problem}" for problem in _problems(rule)]
        return tuple(found)

    def create(self, aws: Aws, desired: Resource) -> Resource:
        """Create it, take the default egress away, add the declared rules."""
        wanted, tags = desired.properties, ownership(aws, desired)
        group = aws.call(
            "ec2",
            "CreateSecurityGroup",
            GroupName=wanted["GroupName"],
            Description=wanted["GroupDescription"],
            VpcId=wanted["VpcId"],
            TagSpecifications=[{"ResourceType": "security-group", "Tags": tag_list(tags)}],
        )["GroupId"]
        self._write_rules(aws, group, {"SecurityGroupEgress": [EVERYTHING_OUT]}, wanted)
        return self.written(aws, desired, group, tags, GroupId=group)

    def update(self, aws: Aws, observed: Resource, desired: Resource) -> Resource:
        """Revoke what is not declared, then add what is missing."""
        self._write_rules(aws, observed.id, observed.properties, desired.properties)
        tags = missing_tags(aws, observed, desired)
        if tags:
            aws.call("ec2", "CreateTags", Resources=[observed.id], Tags=tag_list(tags))
        return self.written(aws, desired, observed.id, ownership(aws, desired), GroupId=observed.id)

    def delete(self, aws: Aws, observed: Resource) -> None:
        """Remove it; EC2 refuses while something uses it."""
        with allowing("InvalidGroup.NotFound"):
            aws.call("ec2", "DeleteSecurityGroup", GroupId=observed.id)

    def _write_rules(self, aws: Aws, group: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        there, wanted = self.normalise(before), self.normalise(after)
        for name, _, side, peer in SIDES:
            extra = [rule for rule in there[name] if rule not in wanted[name]]
            absent = [rule for rule in wanted[name] if rule not in there[name]]
            if extra:
                with allowing("InvalidPermission.NotFound"):
                    aws.call(
                        "ec2",
                        f"RevokeSecurityGroup{side}",
                        GroupId=group,
                        IpPermissions=[_permission(rule, peer) for rule in extra],
                    )
            for rule in absent:
                with allowing("InvalidPermission.Duplicate"):
                    aws.call(
                        "ec2",
                        f"AuthorizeSecurityGroup{side}",
                        GroupId=group,
                        IpPermissions=[_permission(rule, peer)],
                    )

    def physical_id(self, desired: Resource) -> str:
        """A made-up id of the right shape."""
        return f"sg-{fresh(desired, 17)}"

    def identity(self, resource: Resource, physical_id: str) -> Mapping[str, str]:
        """Id and ARN."""
        where = f"{resource.region}:{resource.account}"
        arn = f"arn:{partition_of(resource.region)}:ec2:{where}:security-group/{physical_id}"
        return {"Id": physical_id, "GroupId": physical_id, "Arn": arn}


def _rules(permissions: Any, peer: str, account: str) -> list[dict[str, Any]]:
    """EC2's grouped permissions as single rules."""
    found = []
    for permission in permissions:
        base = {"IpProtocol": permission["IpProtocol"]}
        if permission["IpProtocol"] != "-1":
            base |= {
                key: permission[key] for key in ("FromPort", "ToPort") if permission.get(key) is not None
            }
        found += [_rule(base, item, {"CidrIp": item["CidrIp"]}) for item in permission.get("IpRanges") or ()]
        found += [
            _rule(base, item, {"CidrIpv6": item["CidrIpv6"]}) for item in permission.get("Ipv6Ranges") or ()
        ]
        found += [
            _rule(base, item, {f"{peer}PrefixListId": item["PrefixListId"]})
            for item in permission.get("PrefixListIds") or ()
        ]
        for item in permission.get("UserIdGroupPairs") or ():
            who = {f"{peer}SecurityGroupId": item["GroupId"]}
            if item.get("UserId", account) != account:
                who[f"{peer}SecurityGroupOwnerId"] = item["UserId"]
            found.append(_rule(base, item, who))
    return found


def _rule(base: Mapping[str, Any], item: Mapping[str, Any], peer: Mapping[str, Any]) -> dict[str, Any]:
    note = {"Description": item["Description"]} if item.get("Description") else {}
    return {**base, **peer, **note}


def _canonical_rule(rule: Any) -> Any:
    if not isinstance(rule, Mapping):
        return rule
    protocol = str(rule.get("IpProtocol", "-1")).lower()
    protocol = PROTOCOLS.get(protocol, protocol)
    result = {key: item for key, item in rule.items() if item is not None and item != ""}
    result["IpProtocol"] = protocol
    if protocol == "-1":
        result.pop("FromPort", None)
        result.pop("ToPort", None)
    for name in ("CidrIp", "CidrIpv6"):
        if isinstance(result.get(name), str) and _network(result[name]) is not None:
            result[name] = str(_network(result[name]))
    return result


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _permission(rule: Rule, peer: str) -> dict[str, Any]:
    """A rule as EC2 takes it."""
    result: dict[str, Any] = {key: rule[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in rule}
    note = {"Description": rule["Description"]} if rule.get("Description") else {}
    if "CidrIp" in rule:
        result["IpRanges"] = [{"CidrIp": rule["CidrIp"], **note}]
    if "CidrIpv6" in rule:
        result["Ipv6Ranges"] = [{"CidrIpv6": rule["CidrIpv6"], **note}]
    if f"{peer}PrefixListId" in rule:
        result["PrefixListIds"] = [{"PrefixListId": rule[f"{peer}PrefixListId"], **note}]
    if f"{peer}SecurityGroupId" in rule:
        pair = {"GroupId": rule[f"{peer}SecurityGroupId"], **note}
        if f"{peer}SecurityGroupOwnerId" in rule:
            pair["UserId"] = rule[f"{peer}SecurityGroupOwnerId"]
        result["UserIdGroupPairs"] = [pair]
    return result


def _problems(rule: Rule) -> Iterator[str]:
    for name in ("CidrIp", "CidrIpv6"):
        value = rule.get(name)
        if isinstance(value, str) and _network(value) is None:
            yield f"{value} is not a CIDR block"
    first, last = rule.get("FromPort"), rule.get("ToPort")
    if isinstance(first, int) and isinstance(last, int) and first > last:
        yield f"ports {first} to {last} are the wrong way round"
    peers = [key for key in rule if key.startswith(("Cidr", "Source", "Destination")) and "Owner" not in key]
    if len(peers) != 1:
        yield "exactly one source or destination is needed"
