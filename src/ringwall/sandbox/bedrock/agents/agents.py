"""Agents and their aliases: enough of them to be found, invoked and tagged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.faults import fault, invalid
from ringwall.sandbox.bedrock.runtime.models import resolve
from ringwall.sandbox.bedrock.scope import page
from ringwall.sandbox.bedrock.state import UPPER, Tagged, new_id
from ringwall.sandbox.call import Call, Output

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.sandbox.bedrock.scope import Operation, Scope

_KEPT = (
    "agentName", "instruction", "foundationModel", "description", "agentResourceRoleArn", "customerEncryptionKeyArn",
    "guardrailConfiguration", "promptOverrideConfiguration", "memoryConfiguration",
)  # fmt: skip
_TEST_ALIAS = "TSTALIASID"
_MIN_INSTRUCTION = 40


def find(scope: Scope, call: Call, agent_id: str) -> Tagged:
    """The agent with this id.

    Raises:
        AwsError: ``ResourceNotFoundException``.
    """
    agent = scope.home(call).agents.get(agent_id)
    if agent is None:
        raise fault(
            call.service,
            "ResourceNotFoundException",
            f"Failed to retrieve resource: agent {agent_id} does not exist.",
        )
    return agent


def find_alias(scope: Scope, call: Call) -> tuple[Tagged, Tagged | None]:
    """Agent and alias of a call; no alias for the built-in test alias, which stands for the working draft.

    Raises:
        AwsError: ``ResourceNotFoundException``.
    """
    agent = find(scope, call, call.parameters["agentId"])
    alias_id = call.parameters["agentAliasId"]
    if alias_id == _TEST_ALIAS:
        return agent, None
    if alias_id not in agent.children:
        raise fault(
            call.service,
            "ResourceNotFoundException",
            f"Failed to retrieve resource: alias {alias_id} of agent {agent.shape['agentId']} does not exist.",
        )
    return agent, agent.children[alias_id]


def _check(scope: Scope, call: Call) -> None:
    given = call.parameters
    if given.get("foundationModel"):
        resolve(scope, call, given["foundationModel"])
    guardrail = given.get("guardrailConfiguration")
    if guardrail:
        identifier = guardrail.get("guardrailIdentifier", "")
        found = scope.state.find_guardrail(identifier, call.account, call.region)
        if found is None or found.version(guardrail.get("guardrailVersion")) is None:
            raise invalid("The guardrail identifier or version provided in the request does not exist.")
    role = given.get("agentResourceRoleArn")
    if role and role.split(":")[4] != call.account:
        raise invalid(
            f"Cross-account pass role is not allowed: {role} is not a role of account {call.account}."
        )


def create(scope: Scope, call: Call) -> Output:
    """CreateAgent: NOT_PREPARED until PrepareAgent."""
    given, home, now = call.parameters, scope.home(call), scope.platform.now()
    _check(scope, call)
    if any(agent.shape["agentName"] == given["agentName"] for agent in home.agents.values()):
        raise fault(
            "bedrock-agent",
            "ConflictException",
            f"An agent with the name {given['agentName']} already exists.",
        )
    agent_id = new_id(10, UPPER)
    arn = home.arn(f"agent/{agent_id}")
    shape = {name: given[name] for name in _KEPT if given.get(name) is not None}
    shape |= {
        "agentId": agent_id,
        "agentArn": arn,
        "agentVersion": "DRAFT",
        "agentStatus": "NOT_PREPARED",
        "idleSessionTTLInSeconds": given.get("idleSessionTTLInSeconds", 600),
        "orchestrationType": given.get("orchestrationType", "DEFAULT"),
        "createdAt": now,
        "updatedAt": now,
    }
    shape.setdefault(
        "agentResourceRoleArn",
        f"arn:aws:iam::{call.account}:role/AmazonBedrockExecutionRoleForAgents_{agent_id}",
    )
    home.agents[agent_id] = Tagged(arn, shape, dict(given.get("tags") or {}))
    scope.platform.changed()
    return Output({"agent": shape})


def update(scope: Scope, call: Call) -> Output:
    """UpdateAgent: replaces the working draft."""
    agent = find(scope, call, call.parameters["agentId"])
    _check(scope, call)
    replaced = (*_KEPT, "idleSessionTTLInSeconds", "orchestrationType")
    kept = {name: call.parameters[name] for name in replaced if call.parameters.get(name) is not None}
    agent.shape = {name: value for name, value in agent.shape.items() if name not in _KEPT} | kept
    agent.shape |= {"agentStatus": "NOT_PREPARED", "updatedAt": scope.platform.now()}
    return Output({"agent": agent.shape})


def get(scope: Scope, call: Call) -> Output:
    """GetAgent."""
    return Output({"agent": find(scope, call, call.parameters["agentId"]).shape})


def list_(scope: Scope, call: Call) -> Output:
    """ListAgents."""
    names = ("agentId", "agentName", "agentStatus", "description", "updatedAt", "guardrailConfiguration")
    summaries = [_picked(agent.shape, names) for agent in scope.home(call).agents.values()]
    shown, token = page(summaries, call.parameters, default=10)
    return Output({"agentSummaries": shown, **token})


def _picked(shape: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: shape[name] for name in names if name in shape}


def prepare(scope: Scope, call: Call) -> Output:
    """PrepareAgent: needs a model and an instruction."""
    agent, now = find(scope, call, call.parameters["agentId"]), scope.platform.now()
    if not agent.shape.get("foundationModel") or len(agent.shape.get("instruction", "")) < _MIN_INSTRUCTION:
        raise invalid("The agent needs a foundation model and an instruction before it can be prepared.")
    agent.shape |= {"agentStatus": "PREPARED", "preparedAt": now}
    return Output(
        {
            "agentId": agent.shape["agentId"],
            "agentStatus": "PREPARED",
            "agentVersion": "DRAFT",
            "preparedAt": now,
        }
    )


def delete(scope: Scope, call: Call) -> Output:
    """DeleteAgent: not while it has aliases, unless told so."""
    agent = find(scope, call, call.parameters["agentId"])
    if agent.children and not call.parameters.get("skipResourceInUseCheck"):
        raise fault("bedrock-agent", "ConflictException", "The agent has aliases. Delete them first.")
    del scope.home(call).agents[agent.shape["agentId"]]
    return Output({"agentId": agent.shape["agentId"], "agentStatus": "DELETING"})


def create_alias(scope: Scope, call: Call) -> Output:
    """CreateAgentAlias."""
    given, now = call.parameters, scope.platform.now()
    agent = find(scope, call, given["agentId"])
    if agent.shape["agentStatus"] != "PREPARED":
        raise invalid(f"Agent {given['agentId']} is not prepared. Prepare it before you create an alias.")
    alias_id = new_id(10, UPPER)
    arn = scope.home(call).arn(f"agent-alias/{given['agentId']}/{alias_id}")
    shape = {
        "agentId": given["agentId"],
        "agentAliasId": alias_id,
        "agentAliasName": given["agentAliasName"],
        "agentAliasArn": arn,
        "routingConfiguration": given.get("routingConfiguration") or [{"agentVersion": "1"}],
        "agentAliasStatus": "PREPARED",
        "aliasInvocationState": "ACCEPT_INVOCATIONS",
        "createdAt": now,
        "updatedAt": now,
        **_picked(given, ("description",)),
    }
    agent.children[alias_id] = Tagged(arn, shape, dict(given.get("tags") or {}))
    scope.platform.changed()
    return Output({"agentAlias": shape})


def _alias(scope: Scope, call: Call) -> Tagged:
    _, alias = find_alias(scope, call)
    if alias is None:
        raise invalid(f"The alias {_TEST_ALIAS} is built in; it can be neither read nor deleted.")
    return alias


def get_alias(scope: Scope, call: Call) -> Output:
    """GetAgentAlias."""
    return Output({"agentAlias": _alias(scope, call).shape})


def list_aliases(scope: Scope, call: Call) -> Output:
    """ListAgentAliases."""
    agent = find(scope, call, call.parameters["agentId"])
    names = (
        "agentAliasId", "agentAliasName", "description", "routingConfiguration", "agentAliasStatus", "createdAt",
        "updatedAt", "aliasInvocationState",
    )  # fmt: skip
    shown, token = page(
        [_picked(alias.shape, names) for alias in agent.children.values()], call.parameters, default=10
    )
    return Output({"agentAliasSummaries": shown, **token})


def delete_alias(scope: Scope, call: Call) -> Output:
    """DeleteAgentAlias."""
    alias = _alias(scope, call)
    del find(scope, call, call.parameters["agentId"]).children[alias.shape["agentAliasId"]]
    return Output({**_picked(alias.shape, ("agentId", "agentAliasId")), "agentAliasStatus": "DELETING"})


def _nothing(member: str) -> Operation:
    """A list of what no agent here has: action groups, knowledge bases, collaborators."""

    def answer(scope: Scope, call: Call) -> Output:
        find(scope, call, call.parameters["agentId"])
        return Output({member: []})

    return answer


def get_version(scope: Scope, call: Call) -> Output:
    """GetAgentVersion: of a version that an alias leads to, the working draft as it is now."""
    agent, number = find(scope, call, call.parameters["agentId"]), call.parameters["agentVersion"]
    routed = {
        route.get("agentVersion")
        for alias in agent.children.values()
        for route in alias.shape["routingConfiguration"]
    }
    if number not in routed:
        raise fault("bedrock-agent", "ResourceNotFoundException", f"Version {number} not found.")
    names = (
        "agentId", "agentName", "agentArn", "instruction", "agentStatus", "foundationModel", "idleSessionTTLInSeconds",
        "agentResourceRoleArn", "guardrailConfiguration", "createdAt", "updatedAt",
    )  # fmt: skip
    return Output({"agentVersion": {**_picked(agent.shape, names), "version": number}})


OPERATIONS: dict[str, Operation] = {
    "CreateAgent": create,
    "UpdateAgent": update,
    "GetAgent": get,
    "ListAgents": list_,
    "PrepareAgent": prepare,
    "DeleteAgent": delete,
    "CreateAgentAlias": create_alias,
    "GetAgentAlias": get_alias,
    "ListAgentAliases": list_aliases,
    "DeleteAgentAlias": delete_alias,
    "GetAgentVersion": get_version,
    "ListAgentActionGroups": _nothing("actionGroupSummaries"),
    "ListAgentCollaborators": _nothing("agentCollaboratorSummaries"),
    "ListAgentKnowledgeBases": _nothing("agentKnowledgeBaseSummaries"),
}
