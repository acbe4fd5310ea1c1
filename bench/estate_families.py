"""Published families of Estates, each growing with the number of principals. They are made from a seed."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

from proof_families import ACCOUNT, MODELS, QUICKSTART, document

from ringwall.controls.compile import compile_estate
from ringwall.estate.model import Estate, Resource
from ringwall.estate.references import bind, placeholders
from ringwall.perimeter import Perimeter, load

Json = dict[str, Any]
Attributes = Mapping[str, Mapping[str, str]]
Limits = Literal["all", "half", "none"]
"""Which of the declaration's service control policies are left: a claim holds by them, or is violated."""

_JOBS = ("data", "web", "batch", "search", "mail", "pay", "ship", "plan", "risk", "ops")


def organization(
    principals: int, *, limits: Limits = "all", seed: int = 1
) -> tuple[Perimeter, Estate, Attributes]:
    """The quickstart's Estate with so many further principals as a grown account has them.

    Of ten principals, two are permission sets (five kinds), one is a user in two of six groups, and seven are roles of
    applications: one of sixty kinds each, a quarter of them within one of three boundaries, a tenth with a Deny of their
    own, all with statements about resources of their own name.

    Args:
        principals: how many.
        limits: the service control policies that are left.
        seed: of all choices.
    """
    perimeter = load(QUICKSTART)
    desired = compile_estate(perimeter)
    attributes = placeholders(desired)
    bound = bind(desired, attributes)
    chance = random.Random(seed)  # noqa: S311 - published, not secret
    kinds = [_kind(number, chance) for number in range(60)]
    made = [_principal(number, kinds, chance) for number in range(principals)]
    scps = [one for one in bound.resources if one.type == "AWS::Organizations::Policy"]
    gone = {"all": set(), "half": {one.id for one in scps[::2]}, "none": {one.id for one in scps}}[limits]
    kept = [one for one in bound.resources if one.id not in gone]
    return perimeter, replace(bound, resources=(*kept, *_shared(), *made)), attributes


def allow(actions: Any, resources: Any = "*", **condition: Any) -> Json:
    """An Allow statement."""
    found = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return {**found, "Condition": condition} if condition else found


_PERMISSION_SETS: dict[str, list[Json]] = {
    "AdministratorAccess": [allow("*")],
    "PowerUserAccess": [
        {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"},
        allow(["iam:CreateServiceLinkedRole", "iam:ListRoles", "organizations:DescribeOrganization"]),
    ],
    "ReadOnlyAccess": [allow(["bedrock:Get*", "bedrock:List*", "s3:Get*", "s3:List*", "ec2:Describe*", "kms:List*"])],
    "BedrockFullAccess": [allow("bedrock:*"), allow(["iam:ListRoles", "kms:DescribeKey", "ec2:DescribeVpcs"])],
    "SecurityAudit": [allow(["cloudtrail:*", "logs:Get*", "iam:Get*", "iam:List*", "config:*"])],
}  # fmt: skip

_GROUPS: dict[str, list[Json]] = {
    "developers": [allow("bedrock:InvokeModel*", Bool={"aws:MultiFactorAuthPresent": "true"})],
    "analysts": [allow(["athena:*", "s3:Get*"]), allow("bedrock:Converse*")],
    "operators": [allow(["logs:*", "cloudwatch:*", "cloudtrail:StopLogging"])],
    "billing": [allow(["ce:*", "budgets:*"])],
    "keys": [allow("kms:*", "arn:aws:kms:*:*:key/*")],
    "mfa": [{"Effect": "Deny", "NotAction": ["iam:*MFA*", "sts:*"], "Resource": "*",
             "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}],
}  # fmt: skip

_BOUNDARIES: dict[str, list[Json]] = {
    "edge-no-bedrock": [{"Effect": "Allow", "NotAction": ["bedrock:*", "iam:*", "kms:*"], "Resource": "*"}],
    "edge-regional": [allow("*", StringEquals={"aws:RequestedRegion": ["us-east-1", "eu-west-1"]})],
    "edge-team": [allow("*", StringEquals={"aws:PrincipalTag/team": list(_JOBS[:4])}),
                  {"Effect": "Deny", "Action": ["iam:*", "organizations:*"], "Resource": "*"}],
}  # fmt: skip


def _shared() -> Iterator[Resource]:
    """Managed policies and groups that many have."""
    for name, statements in {**_PERMISSION_SETS, **_BOUNDARIES}.items():
        properties = {"ManagedPolicyName": name, "PolicyDocument": document(*statements)}
        yield Resource("AWS::IAM::ManagedPolicy", ACCOUNT, "global", _managed(name), properties)
    for name, statements in _GROUPS.items():
        policies = [{"PolicyName": name, "PolicyDocument": document(*statements)}]
        yield Resource("AWS::IAM::Group", ACCOUNT, "global", name, {"GroupName": name, "Policies": policies})


def _managed(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:policy/{name}"


def _kind(number: int, chance: random.Random) -> list[Json]:
    """What every application of a kind may do; NAME stands for its name."""
    listed = (
        allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::NAME-*/*"),
        allow("dynamodb:*", f"arn:aws:dynamodb:*:{ACCOUNT}:table/NAME*"),
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], f"arn:aws:logs:*:{ACCOUNT}:log-group:/NAME:*"),
        allow("bedrock:InvokeModel*", f"arn:aws:bedrock:*::foundation-model/{chance.choice(MODELS)}*"),
        allow(
            ["bedrock:InvokeModel", "bedrock:GetInferenceProfile"],
            f"arn:aws:bedrock:us-east-1:{ACCOUNT}:application-inference-profile/NAME*",
        ),
        allow(["kms:Decrypt", "kms:GenerateDataKey"], "*", StringLike={"kms:ViaService": f"s3.us-{chance.choice(['east', 'west'])}-*"}),
        allow(["logs:*", "cloudtrail:*"]),
        allow("bedrock:*", StringEquals={"aws:PrincipalTag/team": chance.choice(_JOBS)}),
        allow(["ec2:Describe*", "ec2:*VpcEndpoint*"]),
        allow(["bedrock:Retrieve", "bedrock:RetrieveAndGenerate"], f"arn:aws:bedrock:*:{ACCOUNT}:knowledge-base/*"),
    )  # fmt: skip
    chosen = [listed[number % len(listed)], *chance.sample(listed, 3)]
    return [one for at, one in enumerate(chosen) if one not in chosen[:at]]


def _principal(number: int, kinds: list[list[Json]], chance: random.Random) -> Resource:
    draw = chance.random()
    if draw < 0.2:
        name = chance.choice(list(_PERMISSION_SETS))
        return _role(
            f"AWSReservedSSO_{name}_{number:016x}",
            path="/aws-reserved/sso.amazonaws.com/",
            ManagedPolicyArns=[_managed(name)],
        )
    if draw < 0.3:
        name = f"user{number}"
        groups = chance.sample(list(_GROUPS), 2)
        return Resource("AWS::IAM::User", ACCOUNT, "global", name, {"UserName": name, "Groups": groups})
    name = f"{chance.choice(_JOBS)}-{number}"
    statements: list[Json] = json.loads(json.dumps(kinds[number % len(kinds)]).replace("NAME", name))
    if chance.random() < 0.1:
        statements.append(
            {
                "Effect": "Deny",
                "Action": ["bedrock:Delete*", "s3:Delete*"],
                "Resource": "*",
                "Condition": {"StringNotEquals": {"aws:PrincipalTag/owner": name}},
            }
        )
    bounds = (
        {"PermissionsBoundary": _managed(chance.choice(list(_BOUNDARIES)))} if chance.random() < 0.25 else {}
    )
    return _role(name, Policies=[{"PolicyName": "own", "PolicyDocument": document(*statements)}], **bounds)


def _role(name: str, *, path: str = "/", **properties: Any) -> Resource:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    held = {
        "RoleName": name,
        "Path": path,
        "Arn": f"arn:aws:iam::{ACCOUNT}:role{path}{name}",
        "AssumeRolePolicyDocument": document(trust),
        **properties,
    }
    return Resource("AWS::IAM::Role", ACCOUNT, "global", f"role/{name}", held)
