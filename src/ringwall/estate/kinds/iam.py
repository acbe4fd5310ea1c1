"""What the IAM kinds share: one reading of the whole account, and inline and attached policies.

``iam:GetAccountAuthorizationDetails`` tells users, groups, roles and policies in a few pages; asking for each role by
itself would be hundreds of calls. The reading is kept for as long as nothing is written through the connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ringwall.estate.kinds.base import BaseKind, allowing, remembered
from ringwall.estate.kinds.documents import canonical_policy, document, text, unique
from ringwall.estate.model import Ref, Resource

if TYPE_CHECKING:
    from ringwall.estate.aws import Aws

Details = Mapping[str, list[dict[str, Any]]]

LISTS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
FILTER = ("User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy")
NAME = r"[\w+=,.@-]+"
PATH = r"/|/[!-~]+/"
READ = ("iam:GetAccountAuthorizationDetails",)
GONE = "NoSuchEntity"


def details(aws: Aws) -> Details:
    """Users, groups, roles and managed policies of the account, read once between two writes."""
    return remembered(aws, "iam:GetAccountAuthorizationDetails", lambda: _details(aws))


def _details(aws: Aws) -> Details:
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in LISTS}
    sent: dict[str, Any] = {"Filter": list(FILTER)}
    while True:
        page = aws.call("iam", "GetAccountAuthorizationDetails", **sent)
        for name in LISTS:
            found[name].extend(page.get(name) or ())
        if not page.get("IsTruncated") or not page.get("Marker"):
            return found
        sent["Marker"] = page["Marker"]


def attached_arns(found: Details) -> frozenset[str]:
    """ARNs of the managed policies that are attached to anything or bound it."""
    holders = [item for name in LISTS[:3] for item in found[name]]
    arns = {
        policy["PolicyArn"] for item in holders for policy in item.get("AttachedManagedPolicies") or ()
    } | {arn for item in holders if (arn := boundary(item))}
    return frozenset(arns)


def boundary(item: Mapping[str, Any]) -> str | None:
    """ARN of the permissions boundary of a user's or role's details."""
    arn = (item.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")
    return str(arn) if arn else None


def inline(policies: Iterable[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    """Inline policies in CloudFormation's form, by name."""
    items = sorted(policies or (), key=lambda item: str(item["PolicyName"]))
    return [
        {"PolicyName": item["PolicyName"], "PolicyDocument": document(item["PolicyDocument"])}
        for item in items
    ]


def attached(policies: Iterable[Mapping[str, Any]] | None) -> list[str]:
    """ARNs of attached managed policies, sorted."""
    return sorted(item["PolicyArn"] for item in policies or ())


class Holder(BaseKind):
    """A kind that holds inline and attached policies: role, user or group.

    Both are exclusive: a policy that the declaration does not name is a difference, and goes away on update.
    """

    entity: str = ""
    scope = "account"
    unordered = ("ManagedPolicyArns", "Groups")

    def canonical(self, name: str, value: Any) -> Any:
        """Inline policies as a set, their documents in canonical form."""
        if name == "Policies" and not isinstance(value, Ref):
            return unique(
                {**item, "PolicyDocument": canonical_policy(item.get("PolicyDocument"))} for item in value
            )
        return super().canonical(name, value)

    def write_policies(
        self, aws: Aws, name: str, observed: Mapping[str, Any], desired: Mapping[str, Any]
    ) -> None:
        """Make inline and attached policies exactly those that are declared; grants last."""
        who = {f"{self.entity}Name": name}
        there = {item["PolicyName"]: item["PolicyDocument"] for item in observed.get("Policies") or ()}
        wanted = {item["PolicyName"]: item["PolicyDocument"] for item in desired.get("Policies") or ()}
        before = set(observed.get("ManagedPolicyArns") or ())
        after = set(desired.get("ManagedPolicyArns") or ())
        for policy in sorted(there.keys() - wanted.keys()):
            with allowing(GONE):
                aws.call("iam", f"Delete{self.entity}Policy", **who, PolicyName=policy)
        for arn in sorted(before - after):
            with allowing(GONE):
                aws.call("iam", f"Detach{self.entity}Policy", **who, PolicyArn=arn)
        for policy, body in sorted(wanted.items()):
            if policy not in there or canonical_policy(there[policy]) != canonical_policy(body):
                aws.call(
                    "iam", f"Put{self.entity}Policy", **who, PolicyName=policy, PolicyDocument=text(body)
                )
        for arn in sorted(after - before):
            aws.call("iam", f"Attach{self.entity}Policy", **who, PolicyArn=arn)

    def write_boundary(self, aws: Aws, name: str, observed: Resource, desired: Resource) -> None:
        """Set or remove the permissions boundary."""
        if not self.differs(observed, desired, "PermissionsBoundary"):
            return
        who = {f"{self.entity}Name": name}
        arn = desired.properties.get("PermissionsBoundary")
        if arn:
            aws.call("iam", f"Put{self.entity}PermissionsBoundary", **who, PermissionsBoundary=arn)
        else:
            aws.call("iam", f"Delete{self.entity}PermissionsBoundary", **who)

    def drop_policies(self, aws: Aws, observed: Resource) -> None:
        """Remove every inline and attached policy, which IAM wants before deletion."""
        self.write_policies(aws, observed.id, observed.properties, {})

    def identity(self, resource: Resource, physical_id: str) -> Mapping[str, str]:
        """Name and ARN, both known before the resource exists."""
        path = str(resource.properties.get("Path") or "/")
        partition = str(resource.properties.get("Arn") or "arn:aws:").split(":")[1]
        arn = f"arn:{partition}:iam::{resource.account}:{self.entity.lower()}{path}{physical_id}"
        return {"Id": physical_id, "Name": physical_id, f"{self.entity}Name": physical_id, "Arn": arn}
