"""``AWS::IAM::Group``: the policies that its users share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import allowing
from ringwall.estate.kinds.iam import GONE, NAME, PATH, READ, Holder, attached, details, inline
from ringwall.estate.kinds.limits import Limit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource


class Group(Holder):
    """Groups of the account. IAM groups carry no tags: the name is all."""

    type = "AWS::IAM::Group"
    entity = "Group"
    taggable = False
    names = ("GroupName",)
    defaults: Mapping[str, Any] = {"Path": "/", "Policies": [], "ManagedPolicyArns": []}
    read_only = ("Arn", "GroupId")
    create_only = ("Path",)
    permissions = Permissions(
        READ,
        (
            "iam:CreateGroup",
            "iam:PutGroupPolicy",
            "iam:DeleteGroupPolicy",
            "iam:AttachGroupPolicy",
            "iam:DetachGroupPolicy",
            "iam:DeleteGroup",
        ),
    )
    limits = (
        Limit("GroupName", required=True, pattern=NAME, longest=128),
        Limit("Path", pattern=PATH, longest=512),
        Limit("ManagedPolicyArns", longest=10),
        Limit("Policies[].PolicyName", required=True, pattern=NAME, longest=128),
        Limit("Policies[].PolicyDocument", required=True, size=5120),
    )

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Every group."""
        found = details(aws)
        shared = aws.evidence()
        for item in found["GroupDetailList"]:
            properties = {
                "GroupName": item["GroupName"],
                "Path": item["Path"],
                "Arn": item["Arn"],
                "GroupId": item["GroupId"],
                "Policies": inline(item.get("GroupPolicyList")),
                "ManagedPolicyArns": attached(item.get("AttachedManagedPolicies")),
            }
            yield self.seen(aws, item["GroupName"], properties, evidence=shared)

    def create(self, aws: Aws, desired: Resource) -> Resource:
        """Create it, then its policies."""
        wanted = desired.properties
        name = wanted["GroupName"]
        made = aws.call("iam", "CreateGroup", GroupName=name, Path=wanted.get("Path", "/"))["Group"]
        self.write_policies(aws, name, {}, wanted)
        return self.written(aws, desired, name, Arn=made["Arn"], GroupId=made["GroupId"])

    def update(self, aws: Aws, observed: Resource, desired: Resource) -> Resource:
        """Bring its policies to what is declared."""
        self.write_policies(aws, observed.id, observed.properties, desired.properties)
        return self.written(aws, desired, observed.id, Arn=observed.get("Arn"))

    def delete(self, aws: Aws, observed: Resource) -> None:
        """Remove it; IAM refuses while it has members."""
        self.drop_policies(aws, observed)
        with allowing(GONE):
            aws.call("iam", "DeleteGroup", GroupName=observed.id)
