"""``AWS::IAM::Role``: trust policy, inline and attached policies, permissions boundary."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import (
    ID_TAG,
    Reading,
    allowing,
    from_tags,
    missing_tags,
    ownership,
    remembered,
    tag_list,
)
from ringwall.estate.kinds.documents import document, text
from ringwall.estate.kinds.iam import GONE, NAME, PATH, READ, Holder, attached, boundary, details, inline
from ringwall.estate.kinds.limits import Limit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

MOST = 1000
"""Roles a page, at most."""


def _listed(aws: Aws, role: str) -> Mapping[str, Any]:
    """What the listing of roles tells of one; read once between two writes."""

    def ask() -> dict[str, dict[str, Any]]:
        return {item["RoleName"]: item for item in aws.pages("iam", "ListRoles", "Roles", MaxItems=MOST)}

    return remembered(aws, "iam:ListRoles", ask).get(role, {})


class Role(Holder):
    """Roles of the account. Inline and attached policies are exclusive: what is not declared is drift.

    ``Description`` and ``MaxSessionDuration``, which the account's summary lacks, come from a listing of their own; it is
    asked for only where a role is ours.
    """

    type = "AWS::IAM::Role"
    entity = "Role"
    names = ("RoleName",)
    defaults: Mapping[str, Any] = {
        "Path": "/",
        "Policies": [],
        "ManagedPolicyArns": [],
        "PermissionsBoundary": "",
    }
    read_only = ("Arn", "RoleId")
    create_only = ("Path",)
    documents = ("AssumeRolePolicyDocument",)
    permissions = Permissions(
        (*READ, "iam:ListRoles"),
        (
            "iam:CreateRole",
            "iam:UpdateRole",
            "iam:UpdateAssumeRolePolicy",
            "iam:PutRolePolicy",
            "iam:DeleteRolePolicy",
            "iam:AttachRolePolicy",
            "iam:DetachRolePolicy",
            "iam:PutRolePermissionsBoundary",
            "iam:DeleteRolePermissionsBoundary",
            "iam:TagRole",
            "iam:DeleteRole",
            "iam:ListInstanceProfilesForRole",
            "iam:RemoveRoleFromInstanceProfile",
        ),
    )
    limits = (
        Limit("RoleName", required=True, pattern=NAME, longest=64),
        Limit("Path", pattern=PATH, longest=512),
        Limit("Description", longest=1000),
        Limit("MaxSessionDuration", least=3600, most=43200),
        Limit("AssumeRolePolicyDocument", required=True, size=4096),
        Limit("ManagedPolicyArns", longest=20),
        Limit("Policies[].PolicyName", required=True, pattern=NAME, longest=128),
        Limit("Policies[].PolicyDocument", required=True, size=10_240),
    )

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Every role."""
        found = details(aws)
        shared = aws.evidence()
        for item in found["RoleDetailList"]:
            reading = Reading(aws)
            reading.set(
                RoleName=item["RoleName"],
                Path=item["Path"],
                Arn=item["Arn"],
                RoleId=item["RoleId"],
                AssumeRolePolicyDocument=document(item["AssumeRolePolicyDocument"]),
                Policies=inline(item.get("RolePolicyList")),
                ManagedPolicyArns=attached(item.get("AttachedManagedPolicies")),
                PermissionsBoundary=boundary(item),
                Tags=from_tags(item.get("Tags")),
            )
            if any(tag["Key"] == ID_TAG for tag in reading.properties["Tags"]):
                reading.found(("Description", "MaxSessionDuration"), partial(_listed, aws, item["RoleName"]))
            yield self.seen(aws, item["RoleName"], reading.properties, reading.unknown, shared)

    def create(self, aws: Aws, desired: Resource) -> Resource:
        """Create it with tags and boundary in the first call, then its policies."""
        wanted = desired.properties
        tags = ownership(aws, desired)
        options: dict[str, Any] = {
            name: wanted[name]
            for name in ("Path", "Description", "MaxSessionDuration", "PermissionsBoundary")
            if wanted.get(name)
        }
        made = aws.call(
            "iam",
            "CreateRole",
            RoleName=wanted["RoleName"],
            AssumeRolePolicyDocument=text(wanted["AssumeRolePolicyDocument"]),
            Tags=tag_list(tags),
            **options,
        )["Role"]
        self.write_policies(aws, wanted["RoleName"], {}, wanted)
        return self.written(aws, desired, wanted["RoleName"], tags, Arn=made["Arn"], RoleId=made["RoleId"])

    def update(self, aws: Aws, observed: Resource, desired: Resource) -> Resource:
        """Trust policy first: a narrower trust must not wait for the rest."""
        name, wanted = observed.id, desired.properties
        if self.differs(observed, desired, "AssumeRolePolicyDocument"):
            aws.call(
                "iam",
                "UpdateAssumeRolePolicy",
                RoleName=name,
                PolicyDocument=text(wanted["AssumeRolePolicyDocument"]),
            )
        self.write_boundary(aws, name, observed, desired)
        self.write_policies(aws, name, observed.properties, wanted)
        if self.differs(observed, desired, "Description", "MaxSessionDuration"):
            options = {key: wanted[key] for key in ("Description", "MaxSessionDuration") if wanted.get(key)}
            aws.call("iam", "UpdateRole", RoleName=name, **options)
        tags = missing_tags(aws, observed, desired)
        if tags:
            aws.call("iam", "TagRole", RoleName=name, Tags=tag_list(tags))
        return self.written(
            aws,
            desired,
            name,
            ownership(aws, desired),
            Arn=observed.get("Arn"),
            RoleId=observed.get("RoleId"),
        )

    def delete(self, aws: Aws, observed: Resource) -> None:
        """Remove it with everything that hangs on it."""
        self.drop_policies(aws, observed)
        with allowing(GONE):
            for profile in aws.pages(
                "iam", "ListInstanceProfilesForRole", "InstanceProfiles", RoleName=observed.id
            ):
                aws.call(
                    "iam",
                    "RemoveRoleFromInstanceProfile",
                    RoleName=observed.id,
                    InstanceProfileName=profile["InstanceProfileName"],
                )
            aws.call("iam", "DeleteRole", RoleName=observed.id)
