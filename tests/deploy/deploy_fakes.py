"""An AWS in memory and resource kinds over it, small enough to check by eye."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ringwall.deploy.order import ordered
from ringwall.deploy.plan import bound
from ringwall.deploy.retry import Backoff
from ringwall.errors import AwsCallError
from ringwall.estate.kind import Permissions
from ringwall.estate.model import Account, Estate, Ref, Resource

ACCOUNT = "111122223333"
MANAGEMENT = "999988887777"
REGION = "us-east-1"
PERIMETER = "quickstart"


PERMISSIONS = Permissions(("fake:List",), ("fake:Put", "fake:Remove"))


class Killed(BaseException):
    """The process died here."""


@dataclass
class FakeAws:
    """Items by type and physical id. Knows three calls: Put, Remove and List of a type, taken as the service."""

    account: str = ACCOUNT
    region: str = REGION
    partition: str = "aws"
    caller: str = f"arn:aws:iam::{ACCOUNT}:user/SandboxAdministrator"
    perimeter: str = PERIMETER
    items: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    faults: dict[int, BaseException | str] = field(default_factory=dict)
    """By number of the write (from 1): raised instead of it; ``lost`` = written, then a timeout; ``kill`` = written, then
    the process dies."""
    writes: int = 0
    dead: bool = False
    forgetful: frozenset[str] = frozenset()
    """Types whose writes are accepted and not kept."""
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        with self._lock:
            if self.dead:
                raise Killed
            self.calls.append((service, operation))
            if operation == "ListObjectVersions":
                return {}
            if operation == "List":
                return {"items": copy.deepcopy(self.items.get(service, {}))}
            return self._write(service, operation, parameters)

    def _write(self, service: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self.writes += 1
        fault = self.faults.get(self.writes)
        if isinstance(fault, BaseException):
            raise fault
        result = self._do(service, operation, parameters)
        if fault == "kill":
            self.dead = True
            raise Killed
        if fault == "lost":
            raise AwsCallError(service, operation, "EndpointTimedOut", "no answer")
        return result

    def _do(self, service: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        store = self.items.setdefault(service, {})
        if operation == "Remove":
            if parameters["Id"] not in store:
                raise AwsCallError(service, operation, "ResourceNotFoundException", "gone")
            del store[parameters["Id"]]
            return {}
        physical = parameters.get("Id") or f"p-{sum(map(len, self.items.values())) + self.writes:04d}"
        kept = store.setdefault(physical, {})
        if service not in self.forgetful or not kept:
            kept.update(copy.deepcopy(parameters["Properties"]))
        return {"Id": physical}

    def pages(self, service: str, operation: str, key: str, /, **parameters: Any) -> list[Any]:
        return list(self.call(service, operation, **parameters)[key])

    def evidence(self) -> tuple[str, ...]:
        return ()

    def elsewhere(self, *, region: str | None = None, role: str | None = None) -> FakeAws:
        return self


@dataclass
class FakeKind:
    """A kind whose create takes two calls (make with tags, then settings), as AWS's often do."""

    type: str
    scope: str = "region"
    retention: str = "delete"
    named: str = ""
    """Property that is its name; empty = found by ownership tag."""
    create_only: tuple[str, ...] = ()
    permissions: Permissions = PERMISSIONS
    repeatable: bool = True
    taggable: bool = True

    def read(self, aws: Any) -> Iterator[Resource]:
        for physical, properties in aws.call(self.type, "List")["items"].items():
            yield self._seen(aws, physical, properties)

    def read_again(self, aws: Any, ids: Sequence[str]) -> Iterator[Resource]:
        return (item for item in self.read(aws) if item.id in ids)

    def _seen(self, aws: Any, physical: str, properties: Mapping[str, Any]) -> Resource:
        region = "global" if self.scope != "region" else aws.region
        return Resource(self.type, aws.account, region, physical, dict(properties))

    def match(self, desired: Resource, observed: tuple[Resource, ...]) -> Resource | None:
        for item in observed:
            marks = {tag["Key"]: tag["Value"] for tag in item.properties.get("Tags", ())}
            if self.named and item.get(self.named) == desired.get(self.named):
                return item
            if not self.named and marks.get("ringwall:id") == desired.id:
                return item
        return None

    def identifying(self, resource: Resource) -> Mapping[str, Any]:
        return {self.named: resource.get(self.named)} if self.named else {}

    def normalise(self, properties: Mapping[str, Any]) -> Mapping[str, Any]:
        return dict(properties)

    def validate(self, properties: Mapping[str, Any]) -> tuple[str, ...]:
        return ("Bad is not allowed",) if properties.get("Bad") else ()

    def attributes(self, resource: Resource) -> Mapping[str, str]:
        return {"Id": resource.id, "Arn": f"arn:aws:fake:{REGION}:{ACCOUNT}:{resource.id}"}

    def placeholder(self, resource: Resource) -> Mapping[str, str]:
        return {"Id": f"new-{resource.id}", "Arn": f"arn:aws:fake:{REGION}:{ACCOUNT}:new/{resource.id}"}

    def create(self, aws: Any, desired: Resource) -> Resource:
        marks = [
            {"Key": "ringwall:perimeter", "Value": aws.perimeter},
            {"Key": "ringwall:id", "Value": desired.id},
        ]
        first = {"Tags": marks}
        if self.named:
            first[self.named] = desired.properties[self.named]
        physical = aws.call(self.type, "Put", Properties=first)["Id"]
        aws.call(self.type, "Put", Id=physical, Properties=dict(desired.properties))
        return self._seen(aws, physical, {**desired.properties, "Tags": marks})

    def update(self, aws: Any, observed: Resource, desired: Resource) -> Resource:
        aws.call(self.type, "Put", Id=observed.id, Properties=dict(desired.properties))
        return self._seen(aws, observed.id, {**observed.properties, **desired.properties})

    def removable(self, observed: Resource) -> bool:
        return not str(observed.get("KeyState", "")).startswith("Pending")

    def delete(self, aws: Any, observed: Resource) -> None:
        aws.call(self.type, "Remove", Id=observed.id)


KINDS: dict[str, FakeKind] = {
    kind.type: kind
    for kind in (
        FakeKind("AWS::KMS::Key", retention="key"),
        FakeKind("AWS::S3::Bucket", retention="retain", named="BucketName"),
        FakeKind("AWS::Logs::LogGroup", retention="retain", named="LogGroupName"),
        FakeKind("AWS::IAM::Role", scope="account", named="RoleName", create_only=("RoleName", "Path")),
        FakeKind("AWS::CloudTrail::Trail", named="TrailName"),
        FakeKind("AWS::Bedrock::Guardrail", named="Name"),
        FakeKind("AWS::EC2::SecurityGroup", create_only=("VpcId",)),
        FakeKind("AWS::EC2::VPCEndpoint", create_only=("ServiceName", "VpcId")),
        FakeKind("AWS::Organizations::Policy", scope="organization", named="Name"),
    )
}


def policy(*statements: Mapping[str, Any]) -> dict[str, Any]:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def desired_estate() -> Estate:
    """A small perimeter with references across phases."""

    def make(
        kind: str, name: str, region: str = REGION, account: str = ACCOUNT, **properties: Any
    ) -> Resource:
        return Resource(kind, account, region, name, properties)

    deny = {
        "Sid": "RequireGuardrail",
        "Effect": "Deny",
        "Action": "bedrock:InvokeModel",
        "Resource": "*",
        "Condition": {"StringNotEquals": {"bedrock:GuardrailIdentifier": Ref("guardrail/baseline", "Arn")}},
    }
    allow = {"Sid": "Invoke", "Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "*"}
    return Estate(
        "desired",
        (Account(ACCOUNT, "o-ringwallsb", levels=(ACCOUNT,)),),
        (
            make(
                "AWS::Organizations::Policy",
                "scp/guardrail",
                region="global",
                account=MANAGEMENT,
                Name="quickstart-guardrail",
                Type="SERVICE_CONTROL_POLICY",
                Content=policy(deny),
                TargetIds=[ACCOUNT],
            ),
            make("AWS::KMS::Key", "key/logs", EnableKeyRotation=True),
            make("AWS::S3::Bucket", "bucket/logs", BucketName="logs", KmsKey=Ref("key/logs", "Arn")),
            make(
                "AWS::Logs::LogGroup",
                "log-group/invocations",
                LogGroupName="/q",
                KmsKeyId=Ref("key/logs", "Arn"),
            ),
            make(
                "AWS::IAM::Role",
                "role/app",
                region="global",
                RoleName="quickstart-app",
                Policies=[{"PolicyName": "app", "PolicyDocument": policy(allow)}],
            ),
            make("AWS::Bedrock::Guardrail", "guardrail/baseline", Name="baseline", Strength="HIGH"),
            make("AWS::EC2::SecurityGroup", "security-group/endpoints", VpcId="vpc-1"),
            make(
                "AWS::EC2::VPCEndpoint",
                "endpoint/bedrock-runtime",
                ServiceName="com.amazonaws.us-east-1.bedrock-runtime",
                VpcId="vpc-1",
                PrivateDnsEnabled=True,
                SecurityGroupIds=[Ref("security-group/endpoints", "Id")],
                PolicyDocument=policy({**allow, "Principal": "*"}),
            ),
            make(
                "AWS::CloudTrail::Trail",
                "trail/main",
                TrailName="main",
                S3BucketName=Ref("bucket/logs", "Id"),
            ),
        ),
    )


def observe(aws: FakeAws) -> Estate:
    """Everything that is there."""
    found: list[Resource] = []
    for kind in KINDS.values():
        found += kind.read(aws)
    return Estate("observed", (Account(ACCOUNT, "o-ringwallsb", levels=(ACCOUNT,)),), tuple(found))


def patient() -> tuple[Backoff, list[float]]:
    """A backoff that waits in no time, and the list of what it would have waited."""
    waited: list[float] = []
    return Backoff(attempts=5, sleep=waited.append), waited


def deployed() -> FakeAws:
    """An account in which the whole perimeter stands."""
    aws = FakeAws()
    attributes: dict[str, Mapping[str, str]] = {}
    for resource in ordered(desired_estate()):
        kind = KINDS[resource.type]
        attributes[resource.id] = kind.attributes(kind.create(aws, bound(resource, attributes)))
    aws.writes = 0
    return aws
