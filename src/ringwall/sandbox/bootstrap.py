"""The organization, accounts, administrator and network that a sandbox starts with."""

from __future__ import annotations

import importlib
import itertools
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ringwall.sandbox import places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ringwall.sandbox.backend import Moto

_ADMINISTRATOR_ACCESS = "arn:aws:iam::aws:policy/AdministratorAccess"
_MANAGEMENT_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "Organization", "Effect": "Allow", "Action": "organizations:*", "Resource": "*"},
        {
            # An organization's guardrail belongs to its management account.
            "Sid": "OrganizationsGuardrail",
            "Effect": "Allow",
            "Action": [
                "bedrock:*Guardrail*",
                "bedrock:*ResourcePolicy",
                "bedrock:ListTagsForResource",
                "bedrock:TagResource",
                "bedrock:UntagResource",
            ],
            "Resource": "*",
        },
    ],
}


@contextmanager
def _fixed(module: str, **values: Callable[..., str]) -> Iterator[None]:
    """Let moto's id functions give these ids for a while."""
    target = importlib.import_module(module)
    before = {name: getattr(target, name) for name in values}
    for name, value in values.items():
        setattr(target, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(target, name, value)


def _always(text: str) -> Callable[..., str]:
    return lambda *_: text


def _in_turn(*texts: str) -> Callable[..., str]:
    remaining = iter(texts)
    return lambda *_: next(remaining)


def make_organization(moto: Moto) -> None:
    """The management account's organization with the member account in a unit, FullAWSAccess at each level."""

    def run(operation: str, **parameters: Any) -> dict[str, Any]:
        return moto.execute(
            "organizations", operation, parameters, places.MANAGEMENT, places.REGION
        ).parameters

    with _fixed(
        "moto.organizations.utils",
        make_random_org_id=_always(places.ORGANIZATION),
        make_random_root_id=_always(places.ROOT),
        make_random_ou_id=_always(places.UNIT),
        make_random_account_id=_always(places.MANAGEMENT),
    ):
        run("CreateOrganization", FeatureSet="ALL")
        run("EnablePolicyType", RootId=places.ROOT, PolicyType="SERVICE_CONTROL_POLICY")
        run("CreateOrganizationalUnit", ParentId=places.ROOT, Name="Workloads")
    with _fixed("moto.organizations.utils", make_random_account_id=_always(places.MEMBER)):
        run("CreateAccount", AccountName="workload", Email="workload@example.com")
    # The management account never has this role, and the member is one that was invited.
    for account in (places.MANAGEMENT, places.MEMBER):
        role = {"RoleName": "OrganizationAccountAccessRole"}
        moto.execute("iam", "DeleteRole", role, account, places.REGION)
    run("MoveAccount", AccountId=places.MEMBER, SourceParentId=places.ROOT, DestinationParentId=places.UNIT)


def make_administrator(moto: Moto) -> tuple[str, str]:
    """The member account's administrator and the role of the management account that trusts it.

    Returns:
        Access key id and secret of the administrator.
    """

    def run(account: str, operation: str, **parameters: Any) -> dict[str, Any]:
        return moto.execute("iam", operation, parameters, account, places.REGION).parameters

    run(places.MEMBER, "CreateUser", UserName=places.ADMINISTRATOR)
    run(places.MEMBER, "AttachUserPolicy", UserName=places.ADMINISTRATOR, PolicyArn=_ADMINISTRATOR_ACCESS)
    key = run(places.MEMBER, "CreateAccessKey", UserName=places.ADMINISTRATOR)["AccessKey"]
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{places.MEMBER}:user/{places.ADMINISTRATOR}"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    name = places.MANAGEMENT_ROLE
    run(places.MANAGEMENT, "CreateRole", RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    document = json.dumps(_MANAGEMENT_POLICY)
    run(
        places.MANAGEMENT, "PutRolePolicy", RoleName=name, PolicyName="organizations", PolicyDocument=document
    )
    return key["AccessKeyId"], key["SecretAccessKey"]


def make_network(moto: Moto) -> None:
    """A VPC with DNS, two subnets and the application's security group."""

    def run(operation: str, **parameters: Any) -> dict[str, Any]:
        return moto.execute("ec2", operation, parameters, places.MEMBER, places.REGION).parameters

    moto.load("ec2.models")
    with _fixed("moto.ec2.models.vpcs", random_vpc_id=_always(places.VPC)):
        run("CreateVpc", CidrBlock=places.VPC_CIDR)
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
        run("ModifyVpcAttribute", VpcId=places.VPC, **{attribute: {"Value": True}})
    with _fixed("moto.ec2.models.subnets", random_subnet_id=_in_turn(*places.SUBNETS)):
        for zone, cidr in places.SUBNETS.values():
            run("CreateSubnet", VpcId=places.VPC, CidrBlock=cidr, AvailabilityZone=zone)
    ids = itertools.chain([places.APPLICATION_GROUP])
    with _fixed("moto.ec2.models.security_groups", random_security_group_id=lambda: next(ids)):
        run(
            "CreateSecurityGroup",
            VpcId=places.VPC,
            GroupName="application",
            Description="The application's workloads",
        )
