"""What the estate tests share: desired resources in a toy perimeter, a fake AWS and a clock that does not wait."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from botocore.awsrequest import AWSResponse

from ringwall.errors import AwsCallError
from ringwall.estate.connection import Connection
from ringwall.estate.model import Resource

REGION = "us-east-1"
ACCOUNT = "123456789012"  # moto's own
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "bedrock.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
INVOKE = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "Invoke", "Effect": "Allow", "Action": ["bedrock:InvokeModel"], "Resource": "*"}],
}
KEY_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Administration",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ],
}


def without_api_keys(aws: Connection) -> Connection:
    """Let IAM list no API keys on a connection; moto has no such call."""
    nothing = {"ServiceSpecificCredentials": [], "IsTruncated": False, "ResponseMetadata": {}}

    def answer(**_: Any) -> Any:
        return AWSResponse("https://iam.amazonaws.com", 200, {}, None), nothing

    aws._session.register("before-call.iam.ListServiceSpecificCredentials", answer)
    return aws


@dataclass
class FakeClock:
    """Time that passes only when somebody waits."""

    now: float = 0.0
    pauses: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@dataclass
class FakeAws:
    """AWS by table: answers by operation, a list being used up one by one; every call is kept."""

    answers: dict[str, Any]
    account: str = "111122223333"
    region: str = REGION
    partition: str = "aws"
    caller: str = "arn:aws:iam::111122223333:user/Tester"
    perimeter: str = "quickstart"
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        self.calls.append((operation, parameters))
        answer = self.answers[operation]
        if callable(answer):
            answer = answer(**parameters)
        elif isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, AwsCallError):
            raise answer
        return dict(answer)

    def pages(self, service: str, operation: str, key: str, /, **parameters: Any) -> list[Any]:
        return list(self.call(service, operation, **parameters).get(key) or ())

    def evidence(self) -> tuple[str, ...]:
        return ()

    def elsewhere(self, *, region: str | None = None, role: str | None = None) -> FakeAws:
        return self

    def operations(self) -> list[str]:
        return [operation for operation, _ in self.calls]

    def sent(self, operation: str) -> list[dict[str, Any]]:
        return [parameters for name, parameters in self.calls if name == operation]


def denied(operation: str, permission: str) -> AwsCallError:
    """An AccessDenied as the connection raises it."""
    service = permission.partition(":")[0]
    return AwsCallError(service, operation, "AccessDeniedException", "no", permission=permission)


def resource(resource_type: str, resource_id: str, account: str = ACCOUNT, **properties: Any) -> Resource:
    """A desired resource of the test Region."""
    region = "global" if resource_type.split("::")[1] in ("IAM", "Organizations") else REGION
    return Resource(resource_type, account, region, resource_id, properties)
