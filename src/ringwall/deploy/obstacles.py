"""What AWS will refuse, seen in a plan before anything is written.

An apply that fails in its middle leaves a perimeter half built and says why one resource at a time. What the observed
account shows beforehand is said all at once, with what to do about it, and apply does not begin.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ringwall.deploy.changes import Change, Plan
from ringwall.deploy.plan import UNREAD, bound
from ringwall.errors import RingwallError

ENDPOINT = "AWS::EC2::VPCEndpoint"
POLICY = "AWS::Organizations::Policy"
TRAIL, TRAILS = "AWS::CloudTrail::Trail", 5
SELECTORS = "Ringwall::CloudTrail::EventSelectors"
DNS = {"EnableDnsSupport": "enable-dns-support", "EnableDnsHostnames": "enable-dns-hostnames"}
"""What private DNS needs of a VPC, and what the AWS CLI calls it."""
ON_A_TARGET: Mapping[str, tuple[int, str]] = {
    "SERVICE_CONTROL_POLICY": (10, "service control policies"),
    "RESOURCE_CONTROL_POLICY": (5, "resource control policies"),
}
"""How many of a type one root, organizational unit or account may have attached. Source:
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html"""
IAM_NAMES: Mapping[str, str] = {
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
}
"""Names that no two may have that differ in upper and lower case alone. Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
STANDING: tuple[tuple[str, str, str, str | None], ...] = (
    # what is made, the property that names what was there before, that one's type, its name (None = its id)
    (ENDPOINT, "VpcId", "AWS::EC2::VPC", None),
    (ENDPOINT, "SubnetIds", "AWS::EC2::Subnet", None),
    ("AWS::EC2::SecurityGroup", "VpcId", "AWS::EC2::VPC", None),
    (SELECTORS, "TrailName", TRAIL, "TrailName"),
)
"""What a declaration names and does not make."""
CHECKED: Mapping[str, str] = {
    "AWS::IAM::Role": "AssumeRolePolicyDocument",
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::SNS::TopicPolicy": "PolicyDocument",
}
"""Policies whose principals have to exist, by the type that has them."""
PRINCIPALS: Mapping[str, str] = {"role": "AWS::IAM::Role", "user": "AWS::IAM::User"}
_ARN = re.compile(r"arn:[\w-]+:iam::(?P<account>\d{12}):(?P<kind>role|user)/[^*?]+\Z")


class ObstacleError(RingwallError):
    """AWS would refuse a part of the plan. Nothing was written."""


def require_none(plan: Plan) -> None:
    """Refuse a plan of which AWS would refuse a part.

    Raises:
        ObstacleError: there is such a part; names all of them.
    """
    found = obstacles(plan)
    if found:
        raise ObstacleError(f"Nothing was changed: {found[0]}", details=found[1:])


def obstacles(plan: Plan) -> tuple[str, ...]:
    """What AWS will refuse, and what to do about it; nothing where the account could not be read."""
    made = [change for change in plan.todo if change.action != "delete"]
    if not made:
        return ()
    return (
        *_absent(plan, made),
        *_dns(plan, made),
        *_trails(plan, made),
        *_others_trails(plan, made),
        *_attachments(plan),
        *_names(plan, made),
        *_principals(plan, made),
    )


def attached(plan: Plan, kind: str) -> Counter[str]:
    """Policies of a type on each target that the declaration attaches to, once the plan is applied.

    Empty for a plan that changes none.
    """
    if not any(change.resource.type == POLICY for change in plan.todo):
        return Counter()
    touched = {change.observed.id for change in plan.changes if change.observed is not None}
    declared = [
        change.resource
        for change in plan.changes
        if change.action != "delete" and change.resource.type == POLICY
    ]
    others = [item for item in plan.observed.of_type(POLICY) if item.id not in touched and item.id != UNREAD]
    targets = {str(target) for item in declared for target in item.get("TargetIds") or ()}
    return Counter(
        str(target)
        for item in (*declared, *others)
        if item.get("Type") == kind
        for target in item.get("TargetIds") or ()
        if str(target) in targets
    )


def _absent(plan: Plan, made: list[Change]) -> Iterator[str]:
    """What the declaration takes to be there and what is not, once for all that name it."""
    missing: dict[tuple[str, str, str], list[str]] = {}
    for change in made:
        new = change.resource
        for kind, naming, standing, named in STANDING:
            if new.type != kind or not isinstance(new.get(naming), str | list | tuple):
                continue
            there = [
                item
                for item in plan.observed.of_type(standing)
                if (item.account, item.region) == (new.account, new.region)
            ]
            if any(item.id == UNREAD for item in there) or (named is None and not there):
                continue  # nobody can say
            names = {str(item.get(named)) if named else item.id for item in there}
            wanted = [new.get(naming)] if isinstance(new.get(naming), str) else new.get(naming)
            for name in wanted:
                if isinstance(name, str) and name not in names:
                    missing.setdefault((standing, name, new.region), []).append(new.id)
    for (standing, name, region), users in missing.items():
        what = standing.rsplit("::", 1)[1].lower().replace("vpc", "VPC")
        yield f"{region} has no {what} {name}, which {', '.join(users)} need{'s' if len(users) == 1 else ''}; name one that is there"


def _dns(plan: Plan, made: list[Change]) -> Iterator[str]:
    """Endpoints with private DNS where a DNS setting of their VPC is off.

    Source: https://docs.aws.amazon.com/vpc/latest/privatelink/manage-dns-names.html
    """
    new = [change.resource for change in made if change.action != "update"]
    wanted = {item.get("VpcId") for item in new if item.type == ENDPOINT and item.get("PrivateDnsEnabled")}
    for vpc in plan.observed.of_type("AWS::EC2::VPC"):
        off = [name for name in DNS if vpc.get(name) is False]
        if vpc.id in wanted and off:
            turn_on = " && ".join(
                f"aws ec2 modify-vpc-attribute --vpc-id {vpc.id} --{DNS[name]}" for name in off
            )
            yield f"AWS will refuse the endpoints in {vpc.id}, whose {' and '.join(off)} is off; turn it on with: {turn_on}"


def _trails(plan: Plan, made: list[Change]) -> Iterator[str]:
    """A trail where there are as many as a Region takes. One of all Regions counts in each; others' are left out.

    Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html
    """
    for change in made:
        new = change.resource
        if new.type == TRAIL and change.action == "create":
            there = [
                str(item.get("TrailName"))
                for item in plan.observed.of_type(TRAIL)
                if item.account == new.account
                and f":{new.account}:" in str(item.get("Arn"))
                and (item.region == new.region or item.get("IsMultiRegionTrail"))
            ]
            if len(there) >= TRAILS:
                yield (
                    f"AWS will refuse {new.id}: {new.region} takes {TRAILS} trails, and there are {', '.join(sorted(there))}; "
                    "delete one of them"
                )


def _others_trails(plan: Plan, made: list[Change]) -> Iterator[str]:
    """Selectors for a trail that records this account and is another's, as an organization's is.

    Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/creating-trail-organization.html
    """
    for change in made:
        new = change.resource
        for item in plan.observed.of_type(TRAIL) if new.type == SELECTORS else ():
            owner = str(item.get("Arn", "")).split(":")[4:5]
            if item.get("TrailName") == new.get("TrailName") and owner not in ([], [new.account]):
                yield (
                    f"AWS will refuse {new.id}: {new.get('TrailName')} is a trail of account {owner[0]}, which alone sets what it "
                    f"records; name a trail of {new.account}'s own, or let one be made"
                )


def _attachments(plan: Plan) -> Iterator[str]:
    ours = Counter(
        (str(item.get("Type")), str(target))
        for item in plan.desired.of_type(POLICY)
        for target in item.get("TargetIds") or ()
    )
    for kind, (most, words) in ON_A_TARGET.items():
        for target, number in sorted(attached(plan, kind).items()):
            if number > most:
                free = most - (number - ours[kind, target])
                pack = (
                    f"set organization.attachments to {free}" if kind.startswith("SERVICE") and free else ""
                )
                yield (
                    f"AWS will refuse {number} {words} on {target}, it takes {most}: "
                    f"{pack}{', or ' if pack else ''}detach others"
                )


def _names(plan: Plan, made: list[Change]) -> Iterator[str]:
    there = {
        (item.type, item.account, str(item.get(IAM_NAMES[item.type])).lower()): item
        for item in plan.observed
        if item.type in IAM_NAMES
    }
    for change in made:
        wanted = change.resource
        if change.action == "create" and wanted.type in IAM_NAMES:
            name = str(wanted.get(IAM_NAMES[wanted.type]))
            taken = there.get((wanted.type, wanted.account, name.lower()))
            if taken is not None:
                yield (
                    f"AWS will refuse {wanted.id}: {taken.id} is there, and names that differ from {name} in upper and "
                    "lower case alone count as the same; rename one of them"
                )


def _principals(plan: Plan, made: list[Change]) -> Iterator[str]:
    """Policies that name a user or role of a declared account that neither exists nor is declared."""
    known = _arns(plan)
    for change in made:
        wanted = change.resource
        name = CHECKED.get(wanted.type)
        if name is None or (change.action == "update" and not _touches(change, name)):
            continue
        absent = sorted(
            arn
            for arn in _named(bound(wanted, plan.attributes).get(name))
            if (match := _ARN.match(arn)) and arn not in known.get((match["account"], match["kind"]), {arn})
        )
        if absent:
            yield (
                f"AWS will refuse {wanted.id}, whose policy names {', '.join(absent)}: make it first, or take it out of "
                "the declaration"
            )


def _touches(change: Change, name: str) -> bool:
    return any(item.path == name or item.path.startswith(f"{name}.") for item in change.differences)


def _arns(plan: Plan) -> dict[tuple[str, str], set[str]]:
    """ARNs of users and of roles that are there or declared, by account; accounts that were not read are left out."""
    found: dict[tuple[str, str], set[str]] = {}
    for kind, resource_type in PRINCIPALS.items():
        there = plan.observed.of_type(resource_type)
        unread = {item.account for item in there if item.id == UNREAD}
        for account in {item.account for item in plan.desired} - unread:
            found[account, kind] = {str(item.get("Arn")) for item in there if item.account == account}
    for item in plan.desired:
        kind = next((name for name, resource_type in PRINCIPALS.items() if resource_type == item.type), "")
        if (item.account, kind) in found:
            found[item.account, kind].add(plan.attributes.get(item.id, {}).get("Arn", ""))
    return found


def _named(document: Any) -> set[str]:
    """ARNs that the statements of a policy name as principals."""
    raw = document.get("Statement") if isinstance(document, Mapping) else None
    statements = [raw] if isinstance(raw, Mapping) else raw or ()
    return {arn for item in statements for arn in _accounts(item.get("Principal"))}


def _accounts(principal: Any) -> tuple[str, ...]:
    names = principal.get("AWS") if isinstance(principal, Mapping) else None
    return (names,) if isinstance(names, str) else tuple(map(str, names or ()))
