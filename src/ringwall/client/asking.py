"""Knowledge bases and agents, asked with the declared guardrail where there is one, and told apart from an intervention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ringwall.client.draft import Draft
from ringwall.client.outcome import Outcome
from ringwall.client.rules import Rules

INTERVENED = "INTERVENED"


def retrieve(client: Any, rules: Rules, text: str, **parameters: Any) -> tuple[Mapping[str, Any], Outcome]:
    """Ask the declared knowledge base, with the pinned guardrail; see ``SecureBedrockClient.retrieve_safely``."""
    pinned = rules.guardrail
    response = client.retrieve(
        knowledgeBaseId=rules.knowledge_base or "none",
        retrievalQuery={"text": text},
        **{
            "guardrailConfiguration": {"guardrailId": pinned.id, "guardrailVersion": pinned.version},
            **parameters,
        },
    )
    draft = _draft("Retrieve", response, rules)
    draft.intervened = response.get("guardrailAction") == INTERVENED
    return response, draft.finish()


def invoke_agent(
    client: Any, rules: Rules, text: str, *, session_id: str, **parameters: Any
) -> tuple[str, Outcome]:
    """Ask the declared agent and read its answer to the end; see ``SecureBedrockClient.invoke_agent_safely``."""
    response = client.invoke_agent(
        agentId=rules.agent or "none",
        agentAliasId=rules.alias or "none",
        sessionId=session_id,
        inputText=text,
        **{"enableTrace": True, **parameters},
    )
    draft, parts = _draft("InvokeAgent", response, rules), list[bytes]()
    for event in response["completion"]:
        parts.append(event.get("chunk", {}).get("bytes", b""))
        trace = event.get("trace", {}).get("trace", {}).get("guardrailTrace")
        if trace:
            draft.intervened |= trace.get("action") == INTERVENED
            draft.traced(trace)
    return b"".join(parts).decode("utf-8", "replace"), draft.finish()


def _draft(operation: str, response: Mapping[str, Any], rules: Rules) -> Draft:
    request_id = str(response.get("ResponseMetadata", {}).get("RequestId", ""))
    return Draft(operation, request_id, rules.guardrail.arn, rules.guardrail.version, None, None)
