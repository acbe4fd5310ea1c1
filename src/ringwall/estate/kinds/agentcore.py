"""``AWS::BedrockAgentCore::*``: read only; who gets in, where what runs there may go, and what it keeps secrets with.

One table says how each type is listed and read. The values of a runtime's environment variables are not read: their names
tell whether a secret is among them, and evidence holds neither.

AWS sources: https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/security.html and
https://docs.aws.amazon.com/bedrock-agentcore-control/latest/APIReference/Welcome.html. AgentCore's endpoints are in the
installed SDK's data for no Region, so the Regions stand here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ringwall.errors import AwsCallError
from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import Field, Reading, from_api
from ringwall.estate.kinds.documents import document
from ringwall.estate.kinds.guardrail_fields import upper
from ringwall.estate.kinds.vpc import ReadOnlyKind

if TYPE_CHECKING:
    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

SERVICE = "bedrock-agentcore-control"
REGIONS = frozenset(
    {
        "ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-5",
        "ap-southeast-7", "ca-central-1", "eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2",
        "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-gov-west-1", "us-west-1", "us-west-2",
    }
)  # fmt: skip
"""Regions with AgentCore Runtime, https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/agentcore-regions.html as
of 2026-11-27. Elsewhere an endpoint that cannot be reached means that there is none."""
UNREACHABLE = "EndpointUnreachable"
NO_POLICY = "ResourceNotFoundException"


@dataclass(frozen=True, slots=True)
class Table:
    """How one type is listed and read.

    Attributes:
        type: CloudFormation's.
        listing: operation, key of its items, parameters.
        reading: operation, parameter that names the item; the item's member that holds its id.
        fields: what is kept of the answer.
        inside: member of the answer that holds the item; empty = the answer itself.
        arn: member that holds the ARN.
        more: further properties of an answer.
        policy: whether it may have a resource policy of its own.
    """

    type: str
    listing: tuple[str, str, Mapping[str, Any]]
    reading: tuple[str, str, str]
    fields: tuple[Field, ...]
    inside: str = ""
    arn: str = ""
    more: Callable[[Mapping[str, Any]], Mapping[str, Any]] = field(default=lambda _: {})
    policy: bool = False


def _variables(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"EnvironmentVariableNames": sorted(answer.get("environmentVariables") or ())}


TABLES = (
    Table(
        "AWS::BedrockAgentCore::Runtime",
        ("ListAgentRuntimes", "agentRuntimes", {}),
        ("GetAgentRuntime", "agentRuntimeId", "agentRuntimeId"),
        (
            Field("AgentRuntimeName", "agentRuntimeName"),
            Field("RoleArn", "roleArn"),
            Field("NetworkConfiguration", "networkConfiguration"),
            Field("AuthorizerConfiguration", "authorizerConfiguration"),
            Field("MetadataConfiguration", "metadataConfiguration"),
        ),
        arn="agentRuntimeArn",
        more=_variables,
        policy=True,
    ),
    Table(
        "AWS::BedrockAgentCore::Gateway",
        ("ListGateways", "items", {}),
        ("GetGateway", "gatewayIdentifier", "gatewayId"),
        (
            Field("Name", "name"),
            Field("RoleArn", "roleArn"),
            Field("AuthorizerType", "authorizerType"),
            Field("AuthorizerConfiguration", "authorizerConfiguration"),
            Field("KmsKeyArn", "kmsKeyArn"),
            Field("PolicyEngineConfiguration", "policyEngineConfiguration"),
            Field("ExceptionLevel", "exceptionLevel"),
            Field("WebAclArn", "webAclArn"),
            Field("WafConfiguration", "wafConfiguration"),
        ),
        arn="gatewayArn",
        policy=True,
    ),
    Table(
        "AWS::BedrockAgentCore::BrowserCustom",
        ("ListBrowsers", "browserSummaries", {"type": "CUSTOM"}),
        ("GetBrowser", "browserId", "browserId"),
        (
            Field("Name", "name"),
            Field("ExecutionRoleArn", "executionRoleArn"),
            Field("NetworkConfiguration", "networkConfiguration"),
            Field("RecordingConfig", "recording"),
        ),
        arn="browserArn",
    ),
    Table(
        "AWS::BedrockAgentCore::CodeInterpreterCustom",
        ("ListCodeInterpreters", "codeInterpreterSummaries", {"type": "CUSTOM"}),
        ("GetCodeInterpreter", "codeInterpreterId", "codeInterpreterId"),
        (
            Field("Name", "name"),
            Field("ExecutionRoleArn", "executionRoleArn"),
            Field("NetworkConfiguration", "networkConfiguration"),
        ),
        arn="codeInterpreterArn",
    ),
    Table(
        "AWS::BedrockAgentCore::Memory",
        ("ListMemories", "memories", {}),
        ("GetMemory", "memoryId", "id"),
        (
            Field("Name", "name"),
            Field("EncryptionKeyArn", "encryptionKeyArn"),
            Field("EventExpiryDuration", "eventExpiryDuration"),
        ),
        inside="memory",
        arn="arn",
    ),
)


class AgentCoreKind(ReadOnlyKind):
    """One type of the table."""

    read_only = ("Arn",)

    def __init__(self, table: Table) -> None:
        super().__init__()
        self.table = table
        self.type = table.type
        operations = [table.listing[0], table.reading[0]]
        operations += ["GetResourcePolicy"] if table.policy else []
        self.permissions = Permissions(tuple(f"bedrock-agentcore:{name}" for name in operations), ())

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Every one of the Region; none where AgentCore is not offered."""
        operation, key, parameters = self.table.listing
        try:
            listed = aws.pages(SERVICE, operation, key, **parameters)
        except AwsCallError as error:
            if error.code == UNREACHABLE and aws.region not in REGIONS:
                return
            raise
        shared = aws.evidence()
        for item in listed:
            yield self._one(aws, str(item[self.table.reading[2]]), shared)

    def _one(self, aws: Aws, identifier: str, shared: tuple[str, ...]) -> Resource:
        operation, parameter, _ = self.table.reading
        reading = Reading(aws)
        names = ("Arn", *(item.name for item in self.table.fields))
        reading.take(names, (SERVICE, operation, {parameter: identifier}), self._properties)
        arn = reading.properties.get("Arn")
        if self.table.policy and arn:
            reading.take(
                "ResourcePolicy",
                (SERVICE, "GetResourcePolicy", {"resourceArn": arn}),
                lambda answer: document(answer["policy"]) if answer.get("policy") else None,
                (NO_POLICY,),
            )
        return self.seen(aws, identifier, reading.properties, reading.unknown, shared)

    def _properties(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        found = answer[self.table.inside] if self.table.inside else answer
        kept = {name: upper(value) for name, value in from_api(found, self.table.fields).items()}
        return {"Arn": found.get(self.table.arn), **kept, **self.table.more(found)}


def kinds() -> tuple[AgentCoreKind, ...]:
    """One kind for each type of the table."""
    return tuple(AgentCoreKind(table) for table in TABLES)
