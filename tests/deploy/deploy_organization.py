"""An organization of a management account and three members in a sandbox, and a declaration of all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from deploy.deploy_sweep import QUICKSTART
from ringwall.estate.members import own_id
from ringwall.estate.model import Estate
from ringwall.sandbox import Sandbox, places

EXTERNAL_ID = "perimeter-of-the-organization"
ROLE = "RingwallDeployer"
CANARY = "canary"
OTHERS = ("payments", "research")


class Organization:
    """The sandbox's organization with two accounts more, and a role in each that the administrator may assume.

    The sandbox's own member is ``canary``; it stands in a unit of its own, as the sandbox makes it.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.moto = sandbox.gateway.moto
        sandbox._wait_for_ec2()
        self.numbers = {CANARY: places.MEMBER}
        self.unit = self._organizations("CreateOrganizationalUnit", ParentId=places.ROOT, Name="Rest")[
            "OrganizationalUnit"
        ]["Id"]
        for name in OTHERS:
            self.numbers[name] = self._account(name)
        self.networks = {name: self._network(number) for name, number in self.numbers.items()}
        for number in self.numbers.values():
            self._role(number)

    def declaration(self, folder: Path, **changes: Any) -> Path:
        """The quickstart's declaration for the three, written into a folder.

        Args:
            folder: where to.
            changes: top-level sections that are different.
        """
        data = YAML(typ="safe").load(QUICKSTART.read_text(encoding="utf-8"))
        for name in ("account", "administrators", "network"):
            del data[name]
        data["uses"] = {name: data["uses"][name] for name in ("app", "auditor")}
        data["models"] = {"claude": data["models"]["claude"]}
        data["uses"]["app"]["models"] = ["claude"]
        del data["other_guardrails"]
        data["accounts"] = {name: self._section(name) for name in self.numbers}
        data |= changes
        file = folder / "ringwall.yaml"
        with file.open("w", encoding="utf-8") as stream:
            YAML(typ="safe").dump(data, stream)
        return file

    def _section(self, name: str) -> dict[str, Any]:
        number = self.numbers[name]
        role = f"arn:aws:iam::{number}:role/{ROLE}"
        return {
            "account": number,
            "administrators": [role],
            "deployer": {"role": role, "external_id": EXTERNAL_ID},
            "network": self.networks[name],
        }

    def _organizations(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self._run(places.MANAGEMENT, "organizations", operation, **parameters)

    def _run(self, account: str, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.moto.execute(service, operation, parameters, account, places.REGION).parameters

    def _account(self, name: str) -> str:
        made = self._organizations("CreateAccount", AccountName=name, Email=f"{name}@example.com")
        number = str(made["CreateAccountStatus"]["AccountId"])
        self._organizations(
            "MoveAccount", AccountId=number, SourceParentId=places.ROOT, DestinationParentId=self.unit
        )
        return number

    def _network(self, number: str) -> dict[str, Any]:
        if number == places.MEMBER:
            return {
                "vpc": places.VPC,
                "subnets": list(places.SUBNETS),
                "application_security_group": places.APPLICATION_GROUP,
                "endpoints": ["bedrock-runtime"],
            }
        vpc = self._run(number, "ec2", "CreateVpc", CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
        for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
            self._run(number, "ec2", "ModifyVpcAttribute", VpcId=vpc, **{attribute: {"Value": True}})
        subnet = self._run(number, "ec2", "CreateSubnet", VpcId=vpc, CidrBlock="10.1.1.0/24")["Subnet"]
        group = self._run(
            number, "ec2", "CreateSecurityGroup", VpcId=vpc, GroupName="application", Description="workloads"
        )
        return {
            "vpc": vpc,
            "subnets": [subnet["SubnetId"]],
            "application_security_group": group["GroupId"],
            "endpoints": ["bedrock-runtime"],
        }

    def _role(self, number: str) -> None:
        administrator = f"arn:aws:iam::{places.MEMBER}:user/{places.ADMINISTRATOR}"
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": administrator},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
        }
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._run(number, "iam", "CreateRole", RoleName=ROLE, AssumeRolePolicyDocument=trust)
        access = "arn:aws:iam::aws:policy/AdministratorAccess"
        self._run(number, "iam", "AttachRolePolicy", RoleName=ROLE, PolicyArn=access)


def narrowed(estate: Estate) -> Estate:
    """An Estate of several accounts without what is there more than once of a kind: half as much to make."""
    spare = {"alarm", "subscription", "rule"}
    return estate.with_resources(item for item in estate if own_id(item.id).partition("/")[0] not in spare)
