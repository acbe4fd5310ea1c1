"""Policy documents in a JSON value, wherever they stand, each with its type by its place.

Reads a bare policy document, CloudFormation templates, Terraform's JSON (configuration, plan and state), Estate files,
``ringwall decide`` requests and answers of the AWS APIs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from ringwall.iam.locate import Path
from ringwall.lint.rule import PolicyType
from ringwall.lint.source import decode

_TERRAFORM_ROOTS = frozenset(
    {
        "resource",
        "data",
        "provider",
        "terraform",
        "module",
        "planned_values",
        "terraform_version",
        "resource_changes",
    }
)
_BY_KEY: Mapping[str, PolicyType] = {
    "assumerolepolicydocument": "trust",
    "assume_role_policy": "trust",
    "keypolicy": "kms-key",
    "identity": "identity",
    "permissions_boundary": "identity",
    "session": "identity",
    "resource": "resource",
    "scp": "scp",
    "rcp": "rcp",
    "vpc_endpoint": "vpc-endpoint",
    "policyversion": "identity",
    "inline_policy": "identity",
}
_BY_RESOURCE: Mapping[str, PolicyType] = {
    "AWS::KMS::Key": "kms-key",
    "AWS::KMS::ReplicaKey": "kms-key",
    "AWS::S3::BucketPolicy": "s3-bucket",
    "AWS::EC2::VPCEndpoint": "vpc-endpoint",
    "AWS::IAM::Role": "identity",
    "AWS::IAM::RolePolicy": "identity",
    "AWS::IAM::User": "identity",
    "AWS::IAM::UserPolicy": "identity",
    "AWS::IAM::Group": "identity",
    "AWS::IAM::GroupPolicy": "identity",
    "AWS::IAM::Policy": "identity",
    "AWS::IAM::ManagedPolicy": "identity",
    "AWS::SSO::PermissionSet": "identity",
    "aws_kms_key": "kms-key",
    "aws_kms_key_policy": "kms-key",
    "aws_s3_bucket_policy": "s3-bucket",
    "aws_vpc_endpoint": "vpc-endpoint",
    "aws_vpc_endpoint_policy": "vpc-endpoint",
    "aws_iam_policy": "identity",
    "aws_iam_role": "identity",
    "aws_iam_role_policy": "identity",
    "aws_iam_user_policy": "identity",
    "aws_iam_group_policy": "identity",
    "aws_ssoadmin_permission_set_inline_policy": "identity",
}
_ORGANIZATION_RESOURCES = ("AWS::Organizations::Policy", "aws_organizations_policy")
_ORGANIZATION_TYPES: Mapping[str, PolicyType] = {
    "SERVICE_CONTROL_POLICY": "scp",
    "RESOURCE_CONTROL_POLICY": "rcp",
}
_LIKE_POLICY = frozenset({"version", "statement", "effect", "action", "principal"})
_STATEMENT_MEMBERS = frozenset({"Effect", "Action", "NotAction", "Resource", "NotResource"})


@dataclass(frozen=True, slots=True)
class Found:
    """A policy document in a file.

    Attributes:
        path: where it stands in the file's JSON.
        value: the decoded document.
        type: its type by its place, or ``None`` where the place does not tell.
        place: type of the resource that holds it (``AWS::IAM::Role``), empty where unknown.
        nested: whether it stands inside of something else.
        text: the document's own text where it stands as a string in the file.
        terraform: whether Terraform's expressions may stand in it.
        problem: why the text is no JSON, if it is none.
    """

    path: Path
    value: Any
    type: PolicyType | None = None
    place: str = ""
    nested: bool = False
    text: str | None = None
    terraform: bool = False
    problem: str = ""


_DATA_PROTECTION = "2021-06-01"
"""Version of data protection policies of CloudWatch Logs and SNS, which have statements in another language."""


def documents(value: Any) -> Iterator[Found]:
    """Every policy document of a file's value, or the value itself where it was meant to be one."""
    if is_policy(value):
        yield Found((), value)
        return
    terraform = isinstance(value, Mapping) and not _TERRAFORM_ROOTS.isdisjoint(value)
    start = Found((), value, nested=True, terraform=terraform)
    nested = list(_walk(start, value))
    yield from nested
    if not nested and _is_meant_as_policy(value):
        yield Found((), value)


def is_policy(value: Any) -> bool:
    """Whether an object reads like a policy document."""
    if not isinstance(value, Mapping) or "Statement" not in value or value.get("Version") == _DATA_PROTECTION:
        return False
    listed = value["Statement"]
    rows = listed if isinstance(listed, list) else [listed]
    return "Version" in value or any(
        isinstance(row, Mapping) and not _STATEMENT_MEMBERS.isdisjoint(row) for row in rows
    )


def _is_meant_as_policy(value: Any) -> bool:
    """Whether somebody meant the value to be a policy document: it has a name of one, misspelled perhaps, or nothing."""
    if not value or not isinstance(value, Mapping | list):
        return True
    names = [str(name).lower() for name in value] if isinstance(value, Mapping) else []
    return any(
        name in _LIKE_POLICY or get_close_matches(name, ("statement",), cutoff=0.8) for name in names[:20]
    )


def _walk(here: Found, value: Any) -> Iterator[Found]:
    if isinstance(value, str):
        yield from _text(here, value)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk(replace(here, path=(*here.path, index)), item)
    elif isinstance(value, Mapping):
        if is_policy(value):
            yield replace(here, value=value)
            return
        around = _entered(here, value)
        for key, item in value.items():
            yield from _walk(_member(around, key), item)


def _entered(here: Found, value: Mapping[str, Any]) -> Found:
    """What an object says about the documents inside of it: a resource its type, an organization policy its kind."""
    kind = value.get("Type", value.get("type"))
    if not isinstance(kind, str):
        return here
    if kind in _ORGANIZATION_TYPES:
        return replace(here, type=_ORGANIZATION_TYPES[kind])
    if "::" in kind or kind.startswith("aws_"):
        return replace(here, place=kind, type=_BY_RESOURCE.get(kind))
    return here


def _member(here: Found, key: str) -> Found:
    path = (*here.path, key)
    if here.terraform and key.startswith("aws_"):
        return replace(here, path=path, place=key, type=_BY_RESOURCE.get(key))
    told = None if here.terraform and key == "resource" else _BY_KEY.get(key.lower())
    return replace(here, path=path, type=told or here.type)


def _text(here: Found, text: str) -> Iterator[Found]:
    """A policy document that stands as JSON text in a string."""
    stripped = text.strip()
    if here.terraform and stripped.startswith("${jsonencode(") and stripped.endswith(")}"):
        stripped = stripped.removeprefix("${jsonencode(").removesuffix(")}").strip()
    if not stripped.startswith("{") or '"Statement"' not in stripped:
        return
    decoded = decode(stripped)
    if decoded.problem is not None:
        yield replace(here, value=None, text=stripped, problem=f"in this string: {decoded.problem.message}")
    elif is_policy(decoded.value):
        yield replace(here, value=decoded.value, text=stripped)


def guess(value: Any) -> PolicyType:
    """The type of a document of which only the content is known."""
    listed = value.get("Statement") if isinstance(value, Mapping) else None
    rows = [row for row in (listed if isinstance(listed, list) else [listed]) if isinstance(row, Mapping)]
    if not any("Principal" in row or "NotPrincipal" in row for row in rows):
        return "identity"
    actions = [action for row in rows for action in _strings(row.get("Action", row.get("NotAction")))]
    services = {action.partition(":")[0].lower() for action in actions}
    if services == {"sts"} and not any("Resource" in row for row in rows):
        return "trust"
    if services == {"kms"}:
        return "kms-key"
    if services == {"s3"}:
        return "s3-bucket"
    called = {"bedrock:invokemodel", "bedrock:invokemodelwithresponsestream", "*"}
    return "vpc-endpoint" if called & {action.lower() for action in actions} else "resource"


def _strings(value: Any) -> list[str]:
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)]
