"""``AWS::Bedrock::Agent``: read only; what an agent may do, and behind which guardrail.

What answers callers is the version that an alias leads to, which may be older and looser than the working draft: both are
read. Who may invoke the functions behind action groups stands in those functions' own policies.

AWS sources: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent_AgentActionGroup.html,
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent_AgentVersion.html and
https://docs.aws.amazon.com/bedrock/latest/userguide/agents-permissions.html
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import Field, Reading, from_api, optional
from ringwall.estate.kinds.documents import document
from ringwall.estate.kinds.vpc import ReadOnlyKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

FIELDS = (
    Field("AgentId", "agentId"),
    Field("AgentName", "agentName"),
    Field("Arn", "agentArn"),
    Field("AgentStatus", "agentStatus"),
    Field("AgentResourceRoleArn", "agentResourceRoleArn"),
    Field("FoundationModel", "foundationModel"),
    Field("CustomerEncryptionKeyArn", "customerEncryptionKeyArn"),
    Field("AgentCollaboration", "agentCollaboration"),
)
DRAFT = "DRAFT"
COLLABORATING = ("SUPERVISOR", "SUPERVISOR_ROUTER")
NO_POLICY = "ResourceNotFoundException"
"""What Lambda says of a function that has no policy, and of one that is not there."""


class Agent(ReadOnlyKind):
    """Agents with their guardrail and the action groups of their working draft."""

    type = "AWS::Bedrock::Agent"
    read_only = ("Arn", "AgentId")
    permissions = Permissions(
        (
            "bedrock:ListAgents",
            "bedrock:GetAgent",
            "bedrock:ListAgentActionGroups",
            "bedrock:GetAgentActionGroup",
            "bedrock:GetAgentVersion",
            "bedrock:ListAgentAliases",
            "bedrock:ListAgentCollaborators",
            "lambda:GetFunctionConfiguration",
            "lambda:GetPolicy",
        ),
        (),
    )

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Every agent of the Region."""
        listed = aws.pages("bedrock-agent", "ListAgents", "agentSummaries")
        shared = aws.evidence()
        for item in listed:
            identifier = str(item["agentId"])
            reading = Reading(aws)
            reading.set(AgentId=identifier, AgentName=item.get("agentName"))
            reading.take(
                (*(field.name for field in FIELDS[2:]), "GuardrailConfiguration"),
                ("bedrock-agent", "GetAgent", {"agentId": identifier}),
                _agent,
            )
            _read_groups(reading, identifier)
            reading.found(("Versions",), partial(_routed, aws, identifier))
            if reading.properties.get("AgentCollaboration") in COLLABORATING:
                reading.take_all(
                    "AgentCollaborators",
                    (
                        "bedrock-agent",
                        "ListAgentCollaborators",
                        {"agentId": identifier, "agentVersion": DRAFT},
                    ),
                    "agentCollaboratorSummaries",
                    _collaborators,
                )
            functions = _functions(reading.properties)
            if functions:
                reading.found(("FunctionPolicies",), partial(_function_policies, aws, functions))
                reading.found(("FunctionRoles",), partial(_function_roles, aws, functions))
            yield self.seen(aws, identifier, reading.properties, reading.unknown, shared)


def _agent(answer: Mapping[str, Any]) -> dict[str, Any]:
    agent = answer["agent"]
    guardrail = agent.get("guardrailConfiguration") or {}
    configuration = {
        "GuardrailIdentifier": guardrail.get("guardrailIdentifier"),
        "GuardrailVersion": guardrail.get("guardrailVersion"),
    }
    return {**from_api(agent, FIELDS), "GuardrailConfiguration": configuration if guardrail else None}


def _read_groups(reading: Reading, identifier: str) -> None:
    """The action groups of the working draft."""
    reading.take_all(
        "ActionGroups",
        ("bedrock-agent", "ListAgentActionGroups", {"agentId": identifier, "agentVersion": DRAFT}),
        "actionGroupSummaries",
        partial(_groups, reading.aws, identifier, DRAFT),
    )


def _routed(aws: Aws, agent: str) -> dict[str, Any]:
    """Versions that an alias leads to: guardrail, role and action groups of each."""
    aliases = aws.pages("bedrock-agent", "ListAgentAliases", "agentAliasSummaries", agentId=agent)
    numbers = {
        str(route.get("agentVersion"))
        for alias in aliases
        for route in alias.get("routingConfiguration") or ()
        if route.get("agentVersion") not in (None, DRAFT)
    }
    return {"Versions": [_version(aws, agent, number) for number in sorted(numbers)]}


def _version(aws: Aws, agent: str, number: str) -> dict[str, Any]:
    told = aws.call("bedrock-agent", "GetAgentVersion", agentId=agent, agentVersion=number)["agentVersion"]
    summaries = aws.pages(
        "bedrock-agent", "ListAgentActionGroups", "actionGroupSummaries", agentId=agent, agentVersion=number
    )
    kept = _agent({"agent": told})
    found = {
        "Version": number,
        "AgentResourceRoleArn": kept.get("AgentResourceRoleArn"),
        "GuardrailConfiguration": kept.get("GuardrailConfiguration"),
        "ActionGroups": _groups(aws, agent, number, summaries),
    }
    return {name: value for name, value in found.items() if value is not None}


def _collaborators(summaries: list[Any]) -> list[dict[str, Any]]:
    return [
        {
            "CollaboratorName": item.get("collaboratorName"),
            "AliasArn": (item.get("agentDescriptor") or {}).get("aliasArn"),
            "RelayConversationHistory": item.get("relayConversationHistory"),
        }
        for item in summaries
    ]


def _functions(properties: Mapping[str, Any]) -> list[str]:
    """ARNs of the Lambda functions behind the draft's and the versions' action groups."""
    groups = [*properties.get("ActionGroups", ())]
    groups += [group for version in properties.get("Versions", ()) for group in version["ActionGroups"]]
    found = {str((group.get("ActionGroupExecutor") or {}).get("lambda", "")) for group in groups}
    return sorted(found - {""})


def _function_policies(aws: Aws, functions: list[str]) -> dict[str, Any]:
    """Each function's policy; ``None`` = it has none, so that nobody but its owner invokes it.

    A version and an alias have policies of their own; that of the function itself says who may change its code.
    """
    found: dict[str, Any] = {}
    for arn in sorted({*functions, *map(_unqualified, functions)}):
        answer = optional(aws, "lambda", "GetPolicy", (NO_POLICY,), FunctionName=arn)
        found[arn] = document(answer["Policy"]) if answer else None
    return {"FunctionPolicies": found}


def _unqualified(function: str) -> str:
    """A function's ARN without version or alias."""
    return ":".join(function.split(":")[:7])


def _function_roles(aws: Aws, functions: list[str]) -> dict[str, Any]:
    """The role that each function acts with; ``None`` = there is no such function. Its variables are not kept."""
    found: dict[str, Any] = {}
    for arn in functions:
        answer = optional(aws, "lambda", "GetFunctionConfiguration", (NO_POLICY,), FunctionName=arn)
        found[arn] = answer.get("Role") if answer else None
    return {"FunctionRoles": found}


def _groups(aws: Aws, agent: str, version: str, summaries: list[Any]) -> list[dict[str, Any]]:
    return [_group(aws, agent, version, summary) for summary in summaries]


def _group(aws: Aws, agent: str, version: str, summary: Mapping[str, Any]) -> dict[str, Any]:
    """An action group: who carries it out, and whether a person is asked before."""
    group = aws.call(
        "bedrock-agent",
        "GetAgentActionGroup",
        agentId=agent,
        agentVersion=version,
        actionGroupId=summary["actionGroupId"],
    )["agentActionGroup"]
    functions = group.get("functionSchema", {}).get("functions", ())
    schema = group.get("apiSchema", {})
    place = schema.get("s3", {})
    found = {
        "ActionGroupName": group.get("actionGroupName"),
        "ActionGroupState": group.get("actionGroupState"),
        "ParentActionGroupSignature": group.get("parentActionSignature"),
        "ActionGroupExecutor": group.get("actionGroupExecutor"),
        "Functions": [
            {"Name": item.get("name"), "RequireConfirmation": item.get("requireConfirmation", "DISABLED")}
            for item in functions
        ],
        "HasApiSchema": "apiSchema" in group,
        "ApiSchema": schema.get("payload"),
        "ApiSchemaBucket": place.get("s3BucketName"),
        "ApiSchemaKey": place.get("s3ObjectKey"),
    }
    return {name: value for name, value in found.items() if value is not None}
