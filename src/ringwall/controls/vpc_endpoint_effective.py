"""The VPC endpoints work, and for this account's application alone.

## What it does

Creates an interface endpoint for each declared service in the declared subnets, with private DNS, a policy that admits
this account's principals to what was declared, and a security group of its own that admits port 443 from the
application's security group. The check asks whether each endpoint can do its work, and for strangers does none.

## Why

The endpoint is the private way to Bedrock. Without private DNS an SDK walks past it to the public address; with the
default policy it carries anybody's credentials to anybody's resources; with an open security group the whole VPC, or
whatever is peered with it, may use it.

## How it fails

- `PrivateDnsEnabled` is off or for on-premises networks alone, or the VPC has DNS support or DNS host names off.
- No policy was given at creation: AWS's default allows everything to everybody.
- The policy says `Principal: "*"` and `Action: "*"` without a condition on account or organization.
- The security group admits `0.0.0.0/0`, the VPC's whole range, or other ports.
- There is an endpoint for `bedrock-runtime` alone: agents, knowledge bases and the control plane go out publicly.

## AWS sources

- https://docs.aws.amazon.com/bedrock/latest/userguide/vpc-interface-endpoints.html
- https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

from ringwall.controls.control import Control
from ringwall.controls.endpoints import endpoints, security_group
from ringwall.controls.outsiders import ANYBODY, EVERYTHING, named_in, outsiders
from ringwall.controls.verdicts import fail, not_applicable, ok, unknown
from ringwall.estate.kinds.vpc_endpoint import INBOUND_ONLY
from ringwall.iam.codec import request_from_json
from ringwall.iam.evaluate import decide
from ringwall.iam.parser import parse_policy
from ringwall.iam.policy import PolicySet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.controls.context import CheckContext
    from ringwall.controls.findings import Finding
    from ringwall.estate.model import Resource
    from ringwall.iam.policy import Policy
    from ringwall.perimeter.model import Perimeter

SLUG = "vpc-endpoint-effective"
TYPE = "AWS::EC2::VPCEndpoint"
VPC = "AWS::EC2::VPC"
DNS = ("EnableDnsSupport", "EnableDnsHostnames")
"""Attributes of a VPC without which private DNS does not resolve."""
SECURITY_GROUP = "security group"
"""What ``details`` call the part that a finding is about, where it is not an endpoint."""
EVERYBODY = ("0.0.0.0/0", "::/0")
PROBES = {
    # What a stranger's credentials try through the endpoint, by end of the service name.
    "bedrock-runtime": (
        "bedrock:InvokeModel",
        "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-x",
    ),
    "bedrock-agent-runtime": (
        "bedrock:Retrieve",
        "arn:aws:bedrock:us-east-1:000000000000:knowledge-base/STRANGE001",
    ),
    "bedrock": ("bedrock:CreateGuardrail", "*"),
    "bedrock-agent": ("bedrock:CreateAgent", "*"),
    "bedrock-mantle": (
        "bedrock-mantle:CreateInference",
        "arn:aws:bedrock-mantle:us-east-1:000000000000:project/x",
    ),
}


def compile_(perimeter: Perimeter) -> Iterator[Resource]:
    """The security group and the endpoints."""
    yield security_group(perimeter)
    yield from endpoints(perimeter)


def check(context: CheckContext) -> Iterator[Finding]:
    """Judge every declared endpoint; without a declaration, every endpoint for Bedrock."""
    if context.perimeter is not None:
        there = []
        for desired in context.desired.of_type(TYPE):
            endpoint = _there(context, desired)
            yield _declared(context, desired) if endpoint is None else _verdict(context, endpoint, desired)
            there += [endpoint] if endpoint is not None else []
        yield from _security_groups(context, there)
        return
    found = [
        item for item in context.observed.of_type(TYPE, account=context.account) if _service(item) in PROBES
    ]
    if not found:
        yield _none(context)
    for endpoint in found:
        yield _verdict(context, endpoint, None)
    yield from _security_groups(context, found)


def _none(context: CheckContext) -> Finding:
    reason = context.unread(TYPE)
    if reason is not None:
        return unknown(context, CONTROL, None, f"endpoints could not be read: {reason}")
    if all(context.unused(region) for region in context.regions):
        return not_applicable(context, CONTROL, "nothing uses Bedrock, and it has no VPC endpoint")
    return fail(
        context,
        CONTROL,
        None,
        "there is no VPC endpoint for Bedrock: every call goes over the public network",
        "declare network.endpoints and apply",
    )


def _service(endpoint: Resource) -> str:
    return str(endpoint.get("ServiceName", "")).rsplit(".", 1)[-1]


def _there(context: CheckContext, desired: Resource) -> Resource | None:
    """The declared endpoint, or another one of its VPC for the same service."""
    name = desired.get("ServiceName")
    candidates = [
        item
        for item in context.observed.of_type(TYPE, account=desired.account, region=desired.region)
        if item.get("ServiceName") == name and item.get("VpcId") == desired.get("VpcId")
    ]
    return context.actual(desired.id) or (candidates[0] if candidates else None)


def _declared(context: CheckContext, desired: Resource) -> Finding:
    """An endpoint that is not there."""
    reason = context.unread(TYPE)
    if reason is not None:
        return unknown(context, CONTROL, None, f"endpoints could not be read: {reason}", name=desired.id)
    return fail(
        context,
        CONTROL,
        None,
        f"{desired.get('VpcId')} has no endpoint for {desired.get('ServiceName')}",
        "apply the declaration: ringwall apply",
        name=desired.id,
    )


def _verdict(context: CheckContext, endpoint: Resource, desired: Resource | None) -> Finding:
    if endpoint.unknown:
        first = endpoint.unknown[0]
        return unknown(context, CONTROL, endpoint, f"{first.property} could not be read: {first.reason}")
    problems = [*_reachable(context, endpoint, desired), *_policy(context, endpoint)]
    unread = next(_unread(context, endpoint), None)
    if unread is not None and not problems:
        return unknown(context, CONTROL, endpoint, unread)
    if problems:
        return fail(
            context,
            CONTROL,
            endpoint,
            f"{_service(endpoint)}: " + "; ".join(problems),
            "apply the declaration: ringwall apply",
            details={"problems": problems},
        )
    return ok(
        context, CONTROL, endpoint, f"{_service(endpoint)} is reached privately, for this account alone"
    )


def _security_groups(context: CheckContext, endpoints: list[Resource]) -> Iterator[Finding]:
    """Each security group of the endpoints once: a part of the way to the models that is judged by itself."""
    groups = {group.id: group for endpoint in endpoints for group in _groups(context, endpoint)}
    for group in groups.values():
        details = {"part": SECURITY_GROUP}
        problems = list(_group(context, group))
        if group.unknown:
            first = group.unknown[0]
            words = f"{first.property} of {group.id} could not be read: {first.reason}"
            yield replace(unknown(context, CONTROL, group, words), details=details)
        elif problems:
            yield fail(
                context,
                CONTROL,
                group,
                "; ".join(problems),
                "apply the declaration: ringwall apply",
                commands=tuple(_revocations(context, group)),
                details={**details, "problems": problems},
            )
        else:
            who = "the application alone" if context.perimeter is not None else "port 443 alone"
            summary = f"{group.id} of the endpoints admits {who}"
            yield replace(ok(context, CONTROL, group, summary), details=details)


def _revocations(context: CheckContext, group: Resource) -> Iterator[str]:
    """Commands that take away what lets everybody in."""
    for rule in group.get("SecurityGroupIngress", ()):
        source = rule.get("CidrIp") or rule.get("CidrIpv6")
        if source not in EVERYBODY:
            continue
        ranges = (
            {"IpRanges": [{"CidrIp": source}]}
            if rule.get("CidrIp")
            else {"Ipv6Ranges": [{"CidrIpv6": source}]}
        )
        ports = {name: rule[name] for name in ("FromPort", "ToPort") if rule.get(name) is not None}
        permission = json.dumps([{"IpProtocol": rule.get("IpProtocol"), **ports, **ranges}])
        identifier = context.identity(group)
        yield (
            f"aws ec2 revoke-security-group-ingress --region {group.region} --group-id {identifier} "
            f"--ip-permissions '{permission}'"
        )


def _reachable(context: CheckContext, endpoint: Resource, desired: Resource | None) -> Iterator[str]:
    state = str(endpoint.get("State", "available")).lower()
    if state != "available":
        yield f"it is {state}, not available"
    if not endpoint.get("PrivateDnsEnabled"):
        yield "private DNS is off, so SDKs use the public address"
    elif endpoint.get("DnsOptions", {}).get(INBOUND_ONLY) == "OnlyInboundResolver":
        yield "its private name is told on-premises networks alone, so the VPC does not use it"
    for vpc in _vpc(context, endpoint):
        for attribute in DNS:
            if vpc.get(attribute) is False:
                yield f"{vpc.id} has {attribute} off, so private DNS does not resolve"
    if desired is not None:
        lacking = sorted(set(desired.get("SubnetIds", ())) - set(endpoint.get("SubnetIds", ())))
        if lacking:
            yield f"it is not in {', '.join(lacking)}"


def _unread(context: CheckContext, endpoint: Resource) -> Iterator[str]:
    """What else a verdict rests on and was not read."""
    known = {context.identity(group) for group in _groups(context, endpoint)}
    for group in sorted(set(endpoint.get("SecurityGroupIds", ())) - known):
        yield f"security group {group} was not read"
    reason = context.unread(VPC)
    if reason is not None:
        yield f"{endpoint.get('VpcId')} could not be read: {reason}"
    for vpc in _vpc(context, endpoint):
        reasons = {item.property: item.reason for item in vpc.unknown}
        for name in DNS:
            if vpc.get(name) is None:
                yield f"{name} of {vpc.id} could not be read: {reasons.get(name, 'it was not told')}"


def _vpc(context: CheckContext, endpoint: Resource) -> Iterator[Resource]:
    """The endpoint's VPC, where it was read."""
    return (vpc for vpc in context.observed.of_type(VPC) if vpc.id == endpoint.get("VpcId"))


def _policy(context: CheckContext, endpoint: Resource) -> Iterator[str]:
    """Whether the policy alone would let a stranger's fully privileged credentials through."""
    document = endpoint.get("PolicyDocument")
    if document is None:
        yield "it has AWS's default policy, which allows everything to everybody"
        return
    probe = PROBES.get(_service(endpoint))
    if probe is None:
        return
    policy = parse_policy(document, name=endpoint.id)
    through = PolicySet(identity=(EVERYTHING,), vpc_endpoint=(policy,))
    yield from _lets_through(context, policy, through, probe)
    narrow = context.perimeter is not None and _service(endpoint) not in ("bedrock", "bedrock-agent")
    if narrow and decide(_own(context, "bedrock:DeleteKnowledgeBase"), through).allowed:
        yield "its policy allows everything to this account's principals"


def _lets_through(
    context: CheckContext, policy: Policy, through: PolicySet, probe: tuple[str, str]
) -> Iterator[str]:
    """Outsiders whose credentials get through, each with one thing that they can do.

    Tried is what the service is for, and what the policy itself names: an open Allow may name nothing but declared models.
    """
    actions = dict.fromkeys((probe[0], *_actions(policy)))
    places = dict.fromkeys((probe[1], *named_in(policy, "arn:")))
    for who in outsiders(context, policy):
        for action, resource in product(actions, places):
            request = request_from_json(
                {
                    "principal": who.principal,
                    "action": action,
                    "resource": resource,
                    "context": dict(who.keys),
                }
            )
            if decide(request, through).allowed:
                whose = "any account" if who.words == ANYBODY else who.words
                yield f"its policy lets the credentials of {whose} {action}"
                break


def _actions(policy: Policy) -> Iterator[str]:
    for statement in policy.statements:
        yield from (name for name in statement.actions or () if "*" not in name and "?" not in name)


def _own(context: CheckContext, action: str) -> Any:
    return request_from_json(
        {
            "principal": f"arn:{context.partition}:iam::{context.account}:role/Own",
            "action": action,
            "resource": f"arn:{context.partition}:bedrock:us-east-1:{context.account}:knowledge-base/UNDECLARED",
        }
    )


def _groups(context: CheckContext, endpoint: Resource) -> tuple[Resource, ...]:
    wanted = endpoint.get("SecurityGroupIds", ())
    groups = context.observed.of_type("AWS::EC2::SecurityGroup")
    return tuple(group for group in groups if group.id != "?" and context.identity(group) in wanted)


def _group(context: CheckContext, group: Resource) -> Iterator[str]:
    application = context.perimeter.network.application_security_group if context.perimeter else None
    rules = group.get("SecurityGroupIngress", ())
    for rule in rules:
        source = rule.get("CidrIp") or rule.get("CidrIpv6") or rule.get("SourcePrefixListId")
        if source in EVERYBODY:
            yield f"{group.id} admits everybody ({source})"
        elif application is not None and (source or rule.get("SourceSecurityGroupId") != application):
            yield f"{group.id} admits {source or rule.get('SourceSecurityGroupId')}, not the application alone"
        elif not _is_https(rule):
            yield f"{group.id} admits other ports than 443"
    if application is not None and not any(
        rule.get("SourceSecurityGroupId") == application and _covers_https(rule) for rule in rules
    ):
        yield f"{group.id} does not admit {application} on port 443, so the application cannot use it"


def _is_https(rule: Any) -> bool:
    return (
        str(rule.get("IpProtocol")) in ("tcp", "6")
        and rule.get("FromPort") == 443
        and rule.get("ToPort") == 443
    )


def _covers_https(rule: Any) -> bool:
    if str(rule.get("IpProtocol")) == "-1":
        return True
    first, last = rule.get("FromPort"), rule.get("ToPort")
    return (
        str(rule.get("IpProtocol")) in ("tcp", "6") and first is not None and first <= 443 <= (last or first)
    )


CONTROL = Control(
    slug=SLUG,
    title="The VPC endpoints work, and for this account's application alone",
    category="Network",
    severity="high",
    page=__doc__ or "",
    check=check,
    compile=compile_,
    types=(TYPE, "AWS::EC2::SecurityGroup", "AWS::EC2::VPC"),
)
