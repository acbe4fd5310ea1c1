"""``AWS::BedrockAgentCore::*``: read only; who gets in, where what runs there may go, and what it keeps secrets with.

One table says how each type is listed and read. The values of a runtime's environment variables are not read: their names
tell whether a secret is among them, and evidence holds neither. Nor are memories decrypted, whose strategies hold prompts.

A runtime's endpoint named ``DEFAULT`` leads to the newest version, others to the one that they were given: each version that
an endpoint leads to is read (https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/agent-runtime-versioning.html).

AWS sources: https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/security.html and
https://docs.aws.amazon.com/bedrock-agentcore-control/latest/APIReference/Welcome.html. AgentCore's endpoints are in the
installed SDK's data for no Region, so the Regions stand here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from ringwall.errors import AwsCallError
from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import Field, Reading, from_api, remembered
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
NEWEST = "DEFAULT"
"""The endpoint that every runtime has."""


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
        asked: further parameters of the reading.
        versions: whether endpoints lead to versions of it.
    """

    type: str
    listing: tuple[str, str, Mapping[str, Any]]
    reading: tuple[str, str, str]
    fields: tuple[Field, ...]
    inside: str = ""
    arn: str = ""
    more: Callable[[Mapping[str, Any]], Mapping[str, Any]] = field(default=lambda _: {})
    policy: bool = False
    asked: Mapping[str, Any] = field(default_factory=dict)
    versions: bool = False


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
        versions=True,
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
            Field("MemoryExecutionRoleArn", "memoryExecutionRoleArn"),
            Field("StreamDeliveryResources", "streamDeliveryResources"),
        ),
        inside="memory",
        arn="arn",
        asked={"view": "without_decryption"},
    ),
)


def listing(aws: Aws, table: Table) -> list[dict[str, Any]]:
    """What there is of a type in the Region; nothing where AgentCore is not offered. What others look at too is asked once."""
    operation, key, parameters = table.listing

    def ask() -> list[dict[str, Any]]:
        try:
            return aws.pages(SERVICE, operation, key, **parameters)
        except AwsCallError as error:
            if error.code == UNREACHABLE and aws.region not in REGIONS:
                return []
            raise

    found: list[dict[str, Any]] = remembered(aws, f"agentcore:{operation}", ask) if table.policy else ask()
    return found


class TokenVault(ReadOnlyKind):
    """What AgentCore Identity keeps other services' credentials in, where runtimes or gateways may use them.

    ``CredentialProviders`` are the names of what is kept. Read are the names and the key; credentials never.
    """

    type = "Ringwall::BedrockAgentCore::TokenVault"
    permissions = Permissions(
        (
            "bedrock-agentcore:GetTokenVault",
            "bedrock-agentcore:ListAgentRuntimes",
            "bedrock-agentcore:ListApiKeyCredentialProviders",
            "bedrock-agentcore:ListGateways",
            "bedrock-agentcore:ListOauth2CredentialProviders",
        ),
        (),
    )

    def read(self, aws: Aws) -> Iterator[Resource]:
        """The Region's only vault, if anything runs there that could use it."""
        if not any(listing(aws, table) for table in TABLES if table.policy):
            return
        shared = aws.evidence()
        reading = Reading(aws)
        reading.found(("CredentialProviders",), partial(_providers, aws))
        reading.take(
            ("KeyType", "KmsKeyArn"),
            (SERVICE, "GetTokenVault", {}),
            lambda answer: {
                "KeyType": answer["kmsConfiguration"]["keyType"],
                "KmsKeyArn": answer["kmsConfiguration"].get("kmsKeyArn"),
            },
        )
        yield self.seen(aws, "default", reading.properties, reading.unknown, shared)


def _providers(aws: Aws) -> dict[str, Any]:
    names = [
        str(item["name"])
        for operation in ("ListOauth2CredentialProviders", "ListApiKeyCredentialProviders")
        for item in aws.pages(SERVICE, operation, "credentialProviders")
    ]
    return {"CredentialProviders": sorted(names)}


class AgentCoreKind(ReadOnlyKind):
    """One type of the table."""

    read_only = ("Arn",)

    def __init__(self, table: Table) -> None:
        super().__init__()
        self.table = table
        self.type = table.type
        operations = [table.listing[0], table.reading[0]]
        operations += ["GetResourcePolicy"] if table.policy else []
        operations += ["ListAgentRuntimeEndpoints"] if table.versions else []
        self.permissions = Permissions(tuple(f"bedrock-agentcore:{name}" for name in operations), ())

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Every one of the Region; none where AgentCore is not offered."""
        listed = listing(aws, self.table)
        shared = aws.evidence()
        for item in listed:
            yield self._one(aws, str(item[self.table.reading[2]]), shared)

    def _one(self, aws: Aws, identifier: str, shared: tuple[str, ...]) -> Resource:
        operation, parameter, _ = self.table.reading
        reading = Reading(aws)
        names = ("Arn", *(item.name for item in self.table.fields))
        asked = {parameter: identifier, **self.table.asked}
        reading.take(names, (SERVICE, operation, asked), self._properties)
        if self.table.versions:
            reading.found(("Versions",), partial(self._versions, aws, identifier))
        arn = reading.properties.get("Arn")
        if self.table.policy and arn:
            reading.take(
                "ResourcePolicy",
                (SERVICE, "GetResourcePolicy", {"resourceArn": arn}),
                lambda answer: document(answer["policy"]) if answer.get("policy") else None,
                (NO_POLICY,),
            )
        return self.seen(aws, identifier, reading.properties, reading.unknown, shared)

    def _versions(self, aws: Aws, identifier: str) -> dict[str, Any]:
        """Versions that endpoints lead to, now or next, but for the newest, which is the runtime itself."""
        endpoints = aws.pages(
            SERVICE, "ListAgentRuntimeEndpoints", "runtimeEndpoints", agentRuntimeId=identifier
        )
        led = {
            str(item[name])
            for item in endpoints
            if item.get("name") != NEWEST
            for name in ("liveVersion", "targetVersion")
            if item.get(name)
        }
        operation, parameter, _ = self.table.reading
        answers = {
            number: aws.call(SERVICE, operation, **{parameter: identifier, "agentRuntimeVersion": number})
            for number in sorted(led)
        }
        found = [{"Version": number, **self._properties(answer)} for number, answer in answers.items()]
        return {"Versions": found}

    def _properties(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        found = answer[self.table.inside] if self.table.inside else answer
        kept = {name: upper(value) for name, value in from_api(found, self.table.fields).items()}
        return {"Arn": found.get(self.table.arn), **kept, **self.table.more(found)}


def kinds() -> tuple[ReadOnlyKind, ...]:
    """One kind for each type of the table, and the vault."""
    return (*(AgentCoreKind(table) for table in TABLES), TokenVault())
