"""``AWS::Bedrock::Agent``: read only; what an agent may do, and behind which guardrail.

AWS source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent_AgentActionGroup.html
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import Field, Reading, from_api
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
            reading.take_all(
                "ActionGroups",
                ("bedrock-agent", "ListAgentActionGroups", {"agentId": identifier, "agentVersion": DRAFT}),
                "actionGroupSummaries",
                partial(_groups, aws, identifier),
            )
            yield self.seen(aws, identifier, reading.properties, reading.unknown, shared)


def _agent(answer: Mapping[str, Any]) -> dict[str, Any]:
    agent = answer["agent"]
    guardrail = agent.get("guardrailConfiguration") or {}
    configuration = {
        "GuardrailIdentifier": guardrail.get("guardrailIdentifier"),
        "GuardrailVersion": guardrail.get("guardrailVersion"),
    }
    return {**from_api(agent, FIELDS), "GuardrailConfiguration": configuration if guardrail else None}


def _groups(aws: Aws, agent: str, summaries: list[Any]) -> list[dict[str, Any]]:
    return [_group(aws, agent, summary) for summary in summaries]


def _group(aws: Aws, agent: str, summary: Mapping[str, Any]) -> dict[str, Any]:
    """An action group: who carries it out, and whether a person is asked before."""
    group = aws.call(
        "bedrock-agent",
        "GetAgentActionGroup",
        agentId=agent,
        agentVersion=DRAFT,
        actionGroupId=summary["actionGroupId"],
    )["agentActionGroup"]
    functions = group.get("functionSchema", {}).get("functions", ())
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
    }
    return {name: value for name, value in found.items() if value is not None}
