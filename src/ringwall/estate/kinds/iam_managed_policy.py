"""``AWS::IAM::ManagedPolicy``: customer-managed policies, and the AWS-managed ones that are in use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import (
    BaseKind,
    Reading,
    allowing,
    from_tags,
    missing_tags,
    ownership,
    tag_list,
)
from ringwall.estate.kinds.documents import document, text
from ringwall.estate.kinds.iam import GONE, NAME, PATH, READ, attached_arns, details
from ringwall.estate.kinds.limits import Limit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

MOST_VERSIONS = 5


class ManagedPolicy(BaseKind):
    """Managed policies, known by ARN. Of AWS's own only those that are attached to somebody."""

    type = "AWS::IAM::ManagedPolicy"
    scope = "account"
    names = ("ManagedPolicyName",)
    defaults: Mapping[str, Any] = {"Path": "/"}
    read_only = ("Arn", "PolicyArn", "DefaultVersionId")
    create_only = ("Path", "Description")
    documents = ("PolicyDocument",)
    permissions = Permissions(
        (*READ, "iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyTags"),
        (
            "iam:CreatePolicy",
            "iam:CreatePolicyVersion",
            "iam:ListPolicyVersions",
            "iam:DeletePolicyVersion",
            "iam:TagPolicy",
            "iam:ListEntitiesForPolicy",
            "iam:DetachRolePolicy",
            "iam:DetachUserPolicy",
            "iam:DetachGroupPolicy",
            "iam:DeletePolicy",
        ),
    )
    limits = (
        Limit("ManagedPolicyName", required=True, pattern=NAME, longest=128),
        Limit("Path", pattern=PATH, longest=512),
        Limit("Description", longest=1000),
        Limit("PolicyDocument", required=True, size=6144),
    )

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Customer-managed policies, then the AWS-managed ones in use."""
        found = details(aws)
        shared = aws.evidence()
        used = attached_arns(found)
        told = {item["Arn"]: item for item in found["Policies"]}
        for arn, item in told.items():
            if arn.split(":")[4] != "aws" or arn in used:
                yield self._from_details(aws, item, shared)
        for arn in sorted(used - told.keys()):
            yield self._from_calls(aws, arn)

    def _from_details(self, aws: Aws, item: Mapping[str, Any], shared: tuple[str, ...]) -> Resource:
        default = next(
            (version for version in item.get("PolicyVersionList") or () if version.get("IsDefaultVersion")),
            None,
        )
        if default is None:
            return self._from_calls(aws, item["Arn"])
        reading = Reading(aws)
        reading.set(
            ManagedPolicyName=item["Arn"].rsplit("/", 1)[1],
            Path=item["Path"],
            Arn=item["Arn"],
            PolicyArn=item["Arn"],
            Description=item.get("Description"),
            PolicyDocument=document(default["Document"]),
            DefaultVersionId=default["VersionId"],
        )
        if item.get("Tags"):
            reading.set(Tags=from_tags(item["Tags"]))
        elif item["Arn"].split(":")[4] != "aws":
            # The account's summary leaves out the tags of policies.
            reading.take(
                "Tags",
                ("iam", "ListPolicyTags", {"PolicyArn": item["Arn"]}),
                lambda a: from_tags(a["Tags"]),
                (GONE,),
            )
        return self.seen(aws, item["Arn"], reading.properties, reading.unknown, shared)

    def _from_calls(self, aws: Aws, arn: str) -> Resource:
        """A policy that the summary names without telling its text."""
        reading = Reading(aws)
        name = arn.rsplit("/", 1)[1]
        reading.set(ManagedPolicyName=name, Arn=arn, PolicyArn=arn)
        reading.take(
            ("Path", "Description", "DefaultVersionId"),
            ("iam", "GetPolicy", {"PolicyArn": arn}),
            lambda answer: {
                key: answer["Policy"].get(key) for key in ("Path", "Description", "DefaultVersionId")
            },
        )
        version = reading.properties.get("DefaultVersionId", "v1")
        reading.take(
            "PolicyDocument",
            ("iam", "GetPolicyVersion", {"PolicyArn": arn, "VersionId": version}),
            lambda answer: document(answer["PolicyVersion"]["Document"]),
        )
        return self.seen(aws, arn, reading.properties, reading.unknown)

    def _same_place(self, desired: Resource, observed: Resource) -> bool:
        return super()._same_place(desired, observed) and observed.id.split(":")[4] != "aws"

    def create(self, aws: Aws, desired: Resource) -> Resource:
        """Create it with tags."""
        wanted, tags = desired.properties, ownership(aws, desired)
        options = {key: wanted[key] for key in ("Path", "Description") if wanted.get(key)}
        arn = aws.call(
            "iam",
            "CreatePolicy",
            PolicyName=wanted["ManagedPolicyName"],
            PolicyDocument=text(wanted["PolicyDocument"]),
            Tags=tag_list(tags),
            **options,
        )["Policy"]["Arn"]
        return self.written(aws, desired, arn, tags, Arn=arn, PolicyArn=arn)

    def update(self, aws: Aws, observed: Resource, desired: Resource) -> Resource:
        """Make a new default version; the oldest makes room where all five places are taken."""
        if self.differs(observed, desired, "PolicyDocument"):
            self._make_room(aws, observed.id)
            aws.call(
                "iam",
                "CreatePolicyVersion",
                PolicyArn=observed.id,
                PolicyDocument=text(desired.properties["PolicyDocument"]),
                SetAsDefault=True,
            )
        tags = missing_tags(aws, observed, desired)
        if tags:
            aws.call("iam", "TagPolicy", PolicyArn=observed.id, Tags=tag_list(tags))
        return self.written(
            aws, desired, observed.id, ownership(aws, desired), Arn=observed.id, PolicyArn=observed.id
        )

    def _make_room(self, aws: Aws, arn: str) -> None:
        versions = aws.pages("iam", "ListPolicyVersions", "Versions", PolicyArn=arn)
        old = sorted(
            (item for item in versions if not item["IsDefaultVersion"]),
            key=lambda item: int(item["VersionId"][1:]),
        )
        if len(versions) >= MOST_VERSIONS and old:
            aws.call("iam", "DeletePolicyVersion", PolicyArn=arn, VersionId=old[0]["VersionId"])

    def delete(self, aws: Aws, observed: Resource) -> None:
        """Detach it everywhere, remove its versions, remove it."""
        arn = observed.id
        with allowing(GONE):
            for entity in ("Role", "User", "Group"):
                for item in aws.pages(
                    "iam", "ListEntitiesForPolicy", f"Policy{entity}s", PolicyArn=arn, EntityFilter=entity
                ):
                    who = {f"{entity}Name": item[f"{entity}Name"]}
                    aws.call("iam", f"Detach{entity}Policy", PolicyArn=arn, **who)
            for version in aws.pages("iam", "ListPolicyVersions", "Versions", PolicyArn=arn):
                if not version["IsDefaultVersion"]:
                    aws.call("iam", "DeletePolicyVersion", PolicyArn=arn, VersionId=version["VersionId"])
            aws.call("iam", "DeletePolicy", PolicyArn=arn)

    def physical_id(self, desired: Resource) -> str:
        """Its ARN, which the name determines."""
        path = desired.properties.get("Path") or "/"
        return f"arn:aws:iam::{desired.account}:policy{path}{desired.properties.get('ManagedPolicyName')}"

    def identity(self, resource: Resource, physical_id: str) -> Mapping[str, str]:  # noqa: ARG002 - the ARN says all
        """ARN and name."""
        name = physical_id.rsplit("/", 1)[1]
        return {"Id": physical_id, "Arn": physical_id, "PolicyArn": physical_id, "Name": name}
