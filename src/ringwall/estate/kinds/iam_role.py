"""``AWS::IAM::Role``: trust policy, inline and attached policies, permissions boundary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.errors import AwsCallError
from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import (
    ID_TAG,
    Reading,
    allowing,
    from_tags,
    missing_tags,
    ownership,
    reason,
    tag_list,
)
from ringwall.estate.kinds.documents import document, text
from ringwall.estate.kinds.iam import GONE, NAME, PATH, READ, Holder, attached, boundary, details, inline
from ringwall.estate.kinds.limits import Limit
from ringwall.estate.model import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

MOST = 1000
"""Roles a page, at most."""
BEYOND = ("Description", "MaxSessionDuration")
"""What the account's summary lacks."""


def _beyond(aws: Aws) -> tuple[Mapping[str, Mapping[str, Any]], tuple[Unknown, ...]]:
    """What the listing of roles tells beyond the summary, by role; and why that is unknown, if it is."""
    try:
        listed = aws.pages("iam", "ListRoles", "Roles", MaxItems=MOST)
    except AwsCallError as error:
        return {}, tuple(Unknown(name, reason(error)) for name in BEYOND)
    return {item["RoleName"]: {name: item.get(name) or None for name in BEYOND} for item in listed}, ()


def _is_ours(role: Mapping[str, Any]) -> bool:
    return any(tag["Key"] == ID_TAG for tag in role.get("Tags") or ())


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
        roles = details(aws)["RoleDetailList"]
        shared = aws.evidence()
        beyond, unknown = _beyond(aws) if any(map(_is_ours, roles)) else ({}, ())
        of_ours = (*shared, *aws.evidence())
        for item in roles:
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
            if _is_ours(item):
                reading.set(**beyond.get(item["RoleName"], {}))
                yield self.seen(aws, item["RoleName"], reading.properties, unknown, of_ours)
            else:
                yield self.seen(aws, item["RoleName"], reading.properties, evidence=shared)

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
