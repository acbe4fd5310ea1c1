"""``AWS::Organizations::Policy``: service control, resource control and Bedrock policies with what they attach to.

Read and written through the management account. Follows
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ringwall.errors import AwsCallError
from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import (
    BaseKind,
    Reading,
    allowing,
    fresh,
    from_tags,
    missing_tags,
    ownership,
    side_by_side,
    tag_list,
)
from ringwall.estate.kinds.documents import canonical_policy, document, text
from ringwall.estate.kinds.limits import Limit, problems

if TYPE_CHECKING:
    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

SCP = "SERVICE_CONTROL_POLICY"
RCP = "RESOURCE_CONTROL_POLICY"
BEDROCK = "BEDROCK_POLICY"
TYPES = (SCP, RCP, BEDROCK)
SIZES: Mapping[str, int] = {SCP: 10_240, RCP: 5_120, BEDROCK: 10_000}
NOT_OFFERED = ("InvalidInputException", "UnsupportedAPIEndpointException")
"""Codes by which a partition or endpoint says that it does not know a policy type."""

GONE = "PolicyNotFoundException"


class Policy(BaseKind):
    """Policies of the organization, AWS's own among them (``AwsManaged``). Attachments are exclusive."""

    type = "AWS::Organizations::Policy"
    scope = "organization"
    names = ("Type", "Name")
    create_only = ("Type",)
    defaults: Mapping[str, Any] = {"TargetIds": []}
    read_only = ("Arn", "AwsManaged")
    unordered = ("TargetIds",)
    permissions = Permissions(
        (
            "organizations:DescribeOrganization",
            "organizations:ListParents",
            "organizations:ListPolicies",
            "organizations:DescribePolicy",
            "organizations:ListTargetsForPolicy",
            "organizations:ListTagsForResource",
        ),
        (
            "organizations:CreatePolicy",
            "organizations:UpdatePolicy",
            "organizations:AttachPolicy",
            "organizations:DetachPolicy",
            "organizations:DeletePolicy",
            "organizations:TagResource",
            "organizations:EnablePolicyType",
            "organizations:ListRoots",
        ),
    )
    limits = (
        Limit("Name", required=True, longest=128),
        Limit("Description", longest=512),
        Limit("Type", required=True, choices=TYPES),
        Limit("Content", required=True),
        Limit("TargetIds[]", pattern=r"r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}|\d{12}"),
    )

    def validate(self, properties: Mapping[str, Any]) -> tuple[str, ...]:
        """Limits, and the grammar that each type of policy has."""
        found = list(super().validate(properties))
        policy_type, content = str(properties.get("Type")), properties.get("Content")
        if policy_type in SIZES:
            found += problems(properties, (Limit("Content", size=SIZES[policy_type]),))
        if isinstance(content, Mapping):
            statements = content.get("Statement") or []
            for index, item in enumerate([statements] if isinstance(statements, Mapping) else statements):
                found += [f"Content.Statement[{index}]: {text}" for text in _grammar(policy_type, item)]
        return tuple(found)

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Every policy of the three types."""
        for listed in self._listed(aws):
            yield from side_by_side(aws, partial(self._read_one, aws, aws.evidence()), listed)

    def read_again(self, aws: Aws, ids: Sequence[str]) -> Iterator[Resource]:
        """Those policies. Organizations answers few requests a second, and three are asked of each."""
        for listed in self._listed(aws):
            wanted = [item for item in listed if item["Id"] in ids]
            yield from side_by_side(aws, partial(self._read_one, aws, aws.evidence()), wanted)

    @staticmethod
    def _listed(aws: Aws) -> Iterator[list[Mapping[str, Any]]]:
        """The listing of each type."""
        for policy_type in TYPES:
            try:
                listed = aws.pages("organizations", "ListPolicies", "Policies", Filter=policy_type)
            except AwsCallError as error:
                if policy_type != SCP and error.code in NOT_OFFERED:
                    continue
                raise
            yield listed

    def _read_one(self, aws: Aws, shared: tuple[str, ...], item: Mapping[str, Any]) -> Resource:
        who = {"PolicyId": item["Id"]}
        reading = Reading(aws)
        reading.set(
            Name=item["Name"],
            Description=item.get("Description", ""),
            Type=item["Type"],
            AwsManaged=bool(item.get("AwsManaged")),
            Arn=item.get("Arn"),
        )
        reading.take(
            "Content",
            ("organizations", "DescribePolicy", who),
            lambda answer: document(answer["Policy"]["Content"]),
            (GONE,),
        )
        reading.take_all(
            "TargetIds", ("organizations", "ListTargetsForPolicy", who), "Targets", _ids, (GONE,)
        )
        if not item.get("AwsManaged"):
            reading.take_all(
                "Tags",
                ("organizations", "ListTagsForResource", {"ResourceId": item["Id"]}),
                "Tags",
                from_tags,
                ("TargetNotFoundException",),
            )
        return self.seen(aws, item["Id"], reading.properties, reading.unknown, shared)

    def canonical(self, name: str, value: Any) -> Any:
        """Contents written in the policy language in canonical form."""
        if name == "Content" and isinstance(value, Mapping) and "Statement" in value:
            return canonical_policy(value)
        return super().canonical(name, value)

    def create(self, aws: Aws, desired: Resource) -> Resource:
        """Create it with tags, then attach it."""
        wanted, tags = desired.properties, ownership(aws, desired)
        summary = aws.call(
            "organizations",
            "CreatePolicy",
            Name=wanted["Name"],
            Description=wanted.get("Description", ""),
            Type=wanted["Type"],
            Content=text(wanted["Content"]),
            Tags=tag_list(tags),
        )["Policy"]["PolicySummary"]
        self._attach(aws, summary["Id"], wanted["Type"], set(wanted.get("TargetIds") or ()))
        return self.written(aws, desired, summary["Id"], tags, Arn=summary.get("Arn"))

    def update(self, aws: Aws, observed: Resource, desired: Resource) -> Resource:
        """Change the text, attach where it is missing, and only then detach elsewhere."""
        policy, wanted = observed.id, desired.properties
        if self.differs(observed, desired, "Content", "Description"):
            aws.call(
                "organizations",
                "UpdatePolicy",
                PolicyId=policy,
                Description=wanted.get("Description", ""),
                Content=text(wanted["Content"]),
            )
        before, after = set(observed.get("TargetIds") or ()), set(wanted.get("TargetIds") or ())
        self._attach(aws, policy, wanted["Type"], after - before)
        self._detach(aws, policy, before - after)
        tags = missing_tags(aws, observed, desired)
        if tags:
            aws.call("organizations", "TagResource", ResourceId=policy, Tags=tag_list(tags))
        return self.written(aws, desired, policy, ownership(aws, desired), Arn=observed.get("Arn"))

    def delete(self, aws: Aws, observed: Resource) -> None:
        """Detach it everywhere and remove it."""
        with allowing(GONE):
            self._detach(aws, observed.id, set(observed.get("TargetIds") or ()))
            aws.call("organizations", "DeletePolicy", PolicyId=observed.id)

    @staticmethod
    def _attach(aws: Aws, policy: str, policy_type: str, targets: set[str]) -> None:
        for target in sorted(targets):
            with allowing("DuplicatePolicyAttachmentException"):
                try:
                    aws.call("organizations", "AttachPolicy", PolicyId=policy, TargetId=target)
                except AwsCallError as error:
                    if error.code != "PolicyTypeNotEnabledException":
                        raise
                    _enable(aws, policy_type)
                    aws.call("organizations", "AttachPolicy", PolicyId=policy, TargetId=target)

    @staticmethod
    def _detach(aws: Aws, policy: str, targets: set[str]) -> None:
        for target in sorted(targets):
            with allowing("PolicyNotAttachedException", "TargetNotFoundException"):
                aws.call("organizations", "DetachPolicy", PolicyId=policy, TargetId=target)

    def physical_id(self, desired: Resource) -> str:
        """A made-up policy id of the right shape."""
        return f"p-{fresh(desired, 8, 'abcdefghijklmnopqrstuvwxyz0123456789')}"

    def identity(self, resource: Resource, physical_id: str) -> Mapping[str, str]:
        """Id and name."""
        properties = resource.properties
        return {
            "Id": physical_id,
            "Name": str(properties.get("Name", physical_id)),
            "Arn": str(properties.get("Arn", physical_id)),
        }


def _enable(aws: Aws, policy_type: str) -> None:
    for root in aws.pages("organizations", "ListRoots", "Roots"):
        with allowing("PolicyTypeAlreadyEnabledException"):
            aws.call("organizations", "EnablePolicyType", RootId=root["Id"], PolicyType=policy_type)


def _ids(targets: list[Any]) -> list[str]:
    return sorted(item["TargetId"] for item in targets)


def _grammar(policy_type: str, statement: Mapping[str, Any]) -> Iterator[str]:
    """What service and resource control policies may not say."""
    effect = statement.get("Effect")
    if policy_type == SCP:
        for name in ("Principal", "NotPrincipal"):
            if name in statement:
                yield f"a service control policy has no {name}"
    if policy_type == RCP:
        if effect != "Deny":
            yield "a resource control policy of your own can only Deny"
        if statement.get("Principal") != "*":
            yield 'a resource control policy needs Principal "*"'
