"""Policy documents in a JSON value, wherever they stand, each with its type by its place.

Reads a bare policy document, CloudFormation templates, Terraform's JSON (configuration with ``aws_iam_policy_document``,
plan and state), Estate files, ``ringwall decide`` requests and answers of the AWS APIs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from ringwall.iam.locate import Path
from ringwall.lint import terraform
from ringwall.lint.rule import PolicyType, Spot
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
    "AWS::SNS::TopicPolicy": "resource",
    "AWS::SQS::QueuePolicy": "resource",
    "AWS::SecretsManager::ResourcePolicy": "resource",
    "AWS::Logs::ResourcePolicy": "resource",
    "AWS::ECR::Repository": "resource",
    "AWS::Events::EventBusPolicy": "resource",
    "aws_sns_topic_policy": "resource",
    "aws_sqs_queue_policy": "resource",
    "aws_secretsmanager_secret_policy": "resource",
    "aws_cloudwatch_log_resource_policy": "resource",
    "aws_ecr_repository_policy": "resource",
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
# What a plan says a second time, or of what was before it.
_PLANNED_ELSEWHERE = frozenset({"resource_changes", "resource_drift", "prior_state", "output_changes"})
_POLICY_DOCUMENT = "aws_iam_policy_document"
_JSON_ENCODE = re.compile(r"\s*\$\{\s*jsonencode\(\s*(?=\{)")
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
        shift: characters of that string before the text.
        terraform: whether Terraform's expressions may stand in it.
        substituted: whether it is the argument of ``Fn::Sub``, so that ``${...}`` is a template's and no policy variable.
        ways: where each path of the document stands, from ``path``, if the file has another form.
        problem: why the text is no JSON, if it is none, and where in it.
    """

    path: Path
    value: Any
    type: PolicyType | None = None
    place: str = ""
    nested: bool = False
    text: str | None = None
    shift: int = 0
    terraform: bool = False
    substituted: bool = False
    ways: Mapping[Path, Path] = field(default_factory=dict)
    problem: Spot | None = None

    def way(self, path: Path) -> Path:
        """Path in the file of a path of the document; of its nearest parent where the file has no such place."""
        if not self.ways:
            return (*self.path, *path)
        for length in range(len(path), -1, -1):
            if path[:length] in self.ways:
                return (*self.path, *self.ways[path[:length]], *path[length:])
        return self.path


_DATA_PROTECTION = "2021-06-01"
"""Version of data protection policies of CloudWatch Logs and SNS, which have statements in another language."""


def documents(value: Any) -> Iterator[Found]:
    """Every policy document of a file's value, or the value itself where it was meant to be one."""
    if is_policy(value):
        yield Found((), value)
        return
    terraform = isinstance(value, Mapping) and not _TERRAFORM_ROOTS.isdisjoint(value)
    if terraform and "planned_values" in value:
        value = {key: item for key, item in value.items() if key not in _PLANNED_ELSEWHERE}
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
            inside = _member(around, key)
            if around.terraform and key == _POLICY_DOCUMENT:
                yield from _data_sources(inside, item)
            else:
                yield from _walk(inside, item)


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
    return replace(here, path=path, type=told or here.type, substituted=key == "Fn::Sub")


def _data_sources(here: Found, value: Any) -> Iterator[Found]:
    """Terraform's policy documents, which are no JSON of IAM's: by name, each an object or a list of one."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _data_sources(replace(here, path=(*here.path, index)), item)
    elif isinstance(value, Mapping) and "statement" in value:
        document, ways = terraform.policy(value)
        yield replace(here, value=document, ways=ways)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _data_sources(replace(here, path=(*here.path, name)), item)


def _text(here: Found, text: str) -> Iterator[Found]:
    """A policy document that stands as JSON text in a string."""
    encoded = _JSON_ENCODE.match(text) if here.terraform else None
    start = encoded.end() if encoded else len(text) - len(text.lstrip())
    stripped = text[start:].rstrip()
    if encoded:
        stripped = stripped.removesuffix("}").rstrip().removesuffix(")").rstrip()
    if not stripped.startswith("{") or '"Statement"' not in stripped:
        return
    decoded = decode(stripped)
    here = replace(here, text=stripped, shift=start)
    if decoded.problem is not None:
        if not encoded:  # Terraform's own syntax may stand in it, which is not JSON's
            problem = replace(decoded.problem, message=f"in this string: {decoded.problem.message}")
            yield replace(here, value=None, problem=problem)
    elif is_policy(decoded.value):
        yield replace(here, value=decoded.value)


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
