"""AWS that answers from a table, 60 ms late: for measuring how an audit scales, not what it finds.

It stands behind botocore: requests are made and signed, answers are bytes in each service's protocol and are parsed. The
TLS connection alone is left out, about 0.3 ms a call. The account is told by the access key, as each assumed role has one
of its own.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

from botocore.awsrequest import AWSResponse

from ringwall.estate import connection
from ringwall.sandbox import models
from ringwall.sandbox.resolve import Resolution
from ringwall.sandbox.serialize import serialize

LATENCY = 0.06
HOME = "us-east-1"
MANAGEMENT = "999988887777"
REGIONS = (
    "ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1", "eu-central-1",
    "eu-north-1", "eu-south-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1",
    "us-west-2",
)  # fmt: skip
ROLES = 30
NUMBERS = tuple(f"{100_000_000_000 + index}" for index in range(1000))
"""The organization's accounts, to each of which its policy is attached."""
_CREDENTIAL = re.compile(r"Credential=AKIA(\d{12})[A-Z0-9]*/\d+/([a-z0-9-]+)/")
CALLS = [0]
NAMES = {"cloudwatch-logs": "logs", "eventbridge": "events"}
"""Services whose id in botocore's events is not the name of their model."""


def install(latency: float = LATENCY) -> None:
    """Let every session that is made from here on in this process, and in its children, speak to the stub."""
    genuine = connection.base_session

    def stubbed(profile: str | None = None) -> Any:
        session = genuine(profile)
        session.register("before-send", _answer)
        return session

    def _answer(request: Any, event_name: str = "", **_: Any) -> AWSResponse:
        time.sleep(latency)
        CALLS[0] += 1
        _, identifier, operation = event_name.split(".")
        service = NAMES.get(identifier, identifier)
        header = request.headers["Authorization"]
        account, region = _CREDENTIAL.search(header if isinstance(header, str) else header.decode()).groups()
        return _wire(service, operation, request.url, answer(operation, account, region, request.body))

    connection.base_session = stubbed


def answer(operation: str, account: str, region: str, body: Any) -> Mapping[str, Any]:
    """What an operation answers, in boto3's spelling. What no row names is empty: nothing is there."""
    if operation in ("GetCallerIdentity", "AssumeRole"):
        return _identity(operation, account, body)
    if operation in _EVERYWHERE:
        return _EVERYWHERE[operation]
    if operation == "GetAccountAuthorizationDetails":
        return {"RoleDetailList": [_role(account, index) for index in range(ROLES)], "IsTruncated": False}
    if operation == "ListGuardrails" and region == HOME:
        return {"guardrails": [_guardrail(account)]}
    if operation == "GetGuardrail":
        return {**_guardrail(account), "guardrailId": "abc123", "guardrailArn": _guardrail(account)["arn"]}
    return {}


def _identity(operation: str, account: str, body: Any) -> Mapping[str, Any]:
    if operation == "GetCallerIdentity":
        return {"Account": account, "Arn": f"arn:aws:sts::{account}:assumed-role/Audit/x", "UserId": "x"}
    text = body.decode() if isinstance(body, bytes) else str(body)
    other = re.search(r"(\d{12})%3Arole", text) or re.search(r"iam::(\d{12})", text)
    key = f"AKIA{other.group(1) if other else account}ROLE"
    credentials = {
        "AccessKeyId": key,
        "SecretAccessKey": "x",
        "SessionToken": "x",
        "Expiration": datetime.now(UTC) + timedelta(hours=1),
    }
    return {"Credentials": credentials}


def _role(account: str, index: int) -> dict[str, Any]:
    name = f"role-{index}"
    statement = {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "bedrock:InvokeModel"] if index < 3 else "s3:*",
        "Resource": "*",
    }
    trust = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
    return {
        "RoleName": name,
        "Arn": f"arn:aws:iam::{account}:role/{name}",
        "Path": "/",
        "RoleId": f"AROA{account}{index:04d}",
        "AssumeRolePolicyDocument": json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        "RolePolicyList": [
            {
                "PolicyName": "own",
                "PolicyDocument": json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
            }
        ],
        "CreateDate": datetime(2026, 1, 1, tzinfo=UTC),
    }


def _guardrail(account: str) -> dict[str, Any]:
    day = datetime(2026, 1, 1, tzinfo=UTC)
    arn = f"arn:aws:bedrock:{HOME}:{account}:guardrail/abc123"
    return {
        "id": "abc123",
        "arn": arn,
        "status": "READY",
        "name": "g",
        "version": "DRAFT",
        "createdAt": day,
        "updatedAt": day,
    }


def _target(identifier: str, kind: str) -> dict[str, str]:
    return {"TargetId": identifier, "Arn": "x", "Name": identifier, "Type": kind}


_DENY = {
    "Effect": "Deny", "Action": "bedrock:*", "Resource": "*",
    "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1", "us-west-2"]}},
}  # fmt: skip
_ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}
_POLICY = {
    "Id": "p-regions1",
    "Arn": "arn:aws:organizations::1:policy/p",
    "Name": "regions",
    "Type": "SERVICE_CONTROL_POLICY",
    "AwsManaged": False,
}
_EVERYWHERE: dict[str, Mapping[str, Any]] = {
    "DescribeOrganization": {"Organization": {"Id": "o-stub", "MasterAccountId": MANAGEMENT}},
    "ListParents": {"Parents": [{"Id": "r-root", "Type": "ROOT"}]},
    "ListPolicies": {"Policies": [_POLICY]},
    "DescribePolicy": {
        "Policy": {
            "PolicySummary": _POLICY,
            "Content": json.dumps({"Version": "2012-10-17", "Statement": [_ALLOW, _DENY]}),
        }
    },
    "ListTargetsForPolicy": {
        "Targets": [_target("r-root", "ROOT"), *(_target(number, "ACCOUNT") for number in NUMBERS)]
    },
    "GetAccountDataRetention": {"mode": "none"},
}


def _wire(service: str, operation: str, url: str, result: Mapping[str, Any]) -> AWSResponse:
    protocol = models.operation_model(service, operation).service_model.resolved_protocol
    made = serialize(Resolution(service, operation, protocol), result, "00000000-0000-0000-0000-000000000000")
    return AWSResponse(url, made.status, made.headers, _Raw(made.body))


class _Raw(BytesIO):
    """A body as urllib3 gives it."""

    def stream(self, **_: Any) -> Any:
        """Everything at once."""
        yield self.read()
