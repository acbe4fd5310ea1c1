"""``AWS::IAM::User``: policies, groups and permissions boundary. Ringwall declares none; it reads and repairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import Reading, allowing, from_tags, missing_tags, ownership, tag_list
from ringwall.estate.kinds.iam import GONE, NAME, PATH, READ, Holder, attached, boundary, details, inline
from ringwall.estate.kinds.limits import Limit
from ringwall.estate.model import Unknown
from ringwall.estate.recording import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource


KEY_FIELDS = ("ServiceSpecificCredentialId", "ServiceName", "Status", "CreateDate", "ExpirationDate")


def _keys(aws: Aws) -> Reading:
    """Service-specific credentials by user, as ``ByUser``; the listing holds no secrets.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListServiceSpecificCredentials.html
    """
    reading = Reading(aws)
    call = ("iam", "ListServiceSpecificCredentials", {"AllUsers": True})
    reading.take_all("ByUser", call, "ServiceSpecificCredentials", _by_user)
    return reading


def _by_user(keys: list[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for key in keys:
        told = {name: plain(key[name]) for name in KEY_FIELDS if key.get(name) is not None}
        found.setdefault(str(key["UserName"]), []).append(told)
    return found


class User(Holder):
    """Users of the account."""

    type = "AWS::IAM::User"
    entity = "User"
    names = ("UserName",)
    defaults: Mapping[str, Any] = {
        "Path": "/",
        "Policies": [],
        "ManagedPolicyArns": [],
        "Groups": [],
        "PermissionsBoundary": "",
    }
    read_only = ("Arn", "UserId", "ServiceSpecificCredentials")
    create_only = ("Path",)
    permissions = Permissions(
        (*READ, "iam:ListServiceSpecificCredentials"),
        (
            "iam:CreateUser",
            "iam:PutUserPolicy",
            "iam:DeleteUserPolicy",
            "iam:AttachUserPolicy",
            "iam:DetachUserPolicy",
            "iam:PutUserPermissionsBoundary",
            "iam:DeleteUserPermissionsBoundary",
            "iam:AddUserToGroup",
            "iam:RemoveUserFromGroup",
            "iam:TagUser",
            "iam:DeleteUser",
        ),
    )
    limits = (
        Limit("UserName", required=True, pattern=NAME, longest=64),
        Limit("Path", pattern=PATH, longest=512),
        Limit("Groups", longest=10),
        Limit("ManagedPolicyArns", longest=20),
        Limit("Policies[].PolicyName", required=True, pattern=NAME, longest=128),
        Limit("Policies[].PolicyDocument", required=True, size=2048),
    )

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Every user, with the API keys that services such as Bedrock gave it: asked for all users at once."""
        found = details(aws)
        shared = aws.evidence()
        keys = _keys(aws) if found["UserDetailList"] else Reading(aws)
        shared += aws.evidence()
        by_user = keys.properties.get("ByUser", {})
        for item in found["UserDetailList"]:
            properties: dict[str, Any] = {
                "UserName": item["UserName"],
                "Path": item["Path"],
                "Arn": item["Arn"],
                "UserId": item["UserId"],
                "Policies": inline(item.get("UserPolicyList")),
                "ManagedPolicyArns": attached(item.get("AttachedManagedPolicies")),
                "Groups": sorted(item.get("GroupList") or ()),
                "Tags": from_tags(item.get("Tags")),
            }
            bound = boundary(item)
            if bound:
                properties["PermissionsBoundary"] = bound
            if item["UserName"] in by_user:
                properties["ServiceSpecificCredentials"] = by_user[item["UserName"]]
            gaps = [Unknown("ServiceSpecificCredentials", gap.reason) for gap in keys.unknown]
            yield self.seen(aws, item["UserName"], properties, gaps, shared)

    def create(self, aws: Aws, desired: Resource) -> Resource:
        """Create it with tags and boundary in the first call."""
        wanted = desired.properties
        name, tags = wanted["UserName"], ownership(aws, desired)
        options = {key: wanted[key] for key in ("Path", "PermissionsBoundary") if wanted.get(key)}
        made = aws.call("iam", "CreateUser", UserName=name, Tags=tag_list(tags), **options)["User"]
        self.write_policies(aws, name, {}, wanted)
        self._write_groups(aws, name, set(), set(wanted.get("Groups") or ()))
        return self.written(aws, desired, name, tags, Arn=made["Arn"], UserId=made["UserId"])

    def update(self, aws: Aws, observed: Resource, desired: Resource) -> Resource:
        """Boundary first, then policies and groups."""
        name, wanted = observed.id, desired.properties
        self.write_boundary(aws, name, observed, desired)
        self.write_policies(aws, name, observed.properties, wanted)
        self._write_groups(aws, name, set(observed.get("Groups") or ()), set(wanted.get("Groups") or ()))
        tags = missing_tags(aws, observed, desired)
        if tags:
            aws.call("iam", "TagUser", UserName=name, Tags=tag_list(tags))
        return self.written(aws, desired, name, ownership(aws, desired), Arn=observed.get("Arn"))

    def delete(self, aws: Aws, observed: Resource) -> None:
        """Remove it; a user with access keys or a password is refused by IAM."""
        self.drop_policies(aws, observed)
        self._write_groups(aws, observed.id, set(observed.get("Groups") or ()), set())
        with allowing(GONE):
            aws.call("iam", "DeleteUser", UserName=observed.id)

    @staticmethod
    def _write_groups(aws: Aws, name: str, before: set[str], after: set[str]) -> None:
        for group in sorted(before - after):
            with allowing(GONE):
                aws.call("iam", "RemoveUserFromGroup", UserName=name, GroupName=group)
        for group in sorted(after - before):
            aws.call("iam", "AddUserToGroup", UserName=name, GroupName=group)
