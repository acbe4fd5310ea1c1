"""What audits list and nobody can make here: reasoning policies, routers, prompts, all of AgentCore. The lists are empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.sandbox.call import Output

if TYPE_CHECKING:
    from ringwall.sandbox.bedrock.scope import Operation, Scope
    from ringwall.sandbox.call import Call


def _nothing(member: str) -> Operation:
    def answer(scope: Scope, call: Call) -> Output:  # noqa: ARG001 - as every operation
        return Output({member: []})

    return answer


OPERATIONS: dict[str, Operation] = {
    "ListAutomatedReasoningPolicies": _nothing("automatedReasoningPolicySummaries"),
    "ListMarketplaceModelEndpoints": _nothing("marketplaceModelEndpoints"),
    "ListPromptRouters": _nothing("promptRouterSummaries"),
}
AGENT_OPERATIONS: dict[str, Operation] = {
    "ListPrompts": _nothing("promptSummaries"),
}
AGENTCORE_OPERATIONS: dict[str, Operation] = {
    "ListAgentRuntimes": _nothing("agentRuntimes"),
    "ListGateways": _nothing("items"),
    "ListBrowsers": _nothing("browserSummaries"),
    "ListCodeInterpreters": _nothing("codeInterpreterSummaries"),
    "ListMemories": _nothing("memories"),
}
