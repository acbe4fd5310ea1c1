"""Knowledge bases and agents, asked with the declared guardrail where there is one, and told apart from an intervention."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ringwall.client.draft import Draft
from ringwall.client.outcome import Outcome
from ringwall.client.rules import Rules

INTERVENED = "INTERVENED"
BLOCKED = "BLOCKED"


def retrieve(
    agents: Any, runtime: Any, rules: Rules, text: str, **parameters: Any
) -> tuple[Mapping[str, Any], Outcome]:
    """Ask the declared knowledge base; see ``SecureBedrockClient.retrieve_safely``.

    The guardrail is applied by ApplyGuardrail, over the runtime's endpoint, and not by Retrieve's own parameter: a
    perimeter lets guardrails be applied through that endpoint alone, and Retrieve does not read what it finds.
    """
    base = rules.knowledge_base or "none"
    rules.check_operation("bedrock-agent-runtime", "Retrieve", {"knowledgeBaseId": base})
    draft = _draft("Retrieve", {}, rules)
    asked = _let_through(runtime, rules, text, draft)
    if asked is None:
        return {"retrievalResults": []}, draft.finish()
    response = agents.retrieve(knowledgeBaseId=base, retrievalQuery={"text": asked}, **parameters)
    draft.request_id = str(response.get("ResponseMetadata", {}).get("RequestId", ""))
    results = []
    for result in response.get("retrievalResults", []):
        given = result.get("content", {}).get("text")
        found = _let_through(runtime, rules, given, draft) if given else None
        if found is not None:
            results.append({**result, "content": {**result["content"], "text": found}})
    return {**response, "retrievalResults": results}, draft.finish()


def _let_through(runtime: Any, rules: Rules, text: str, draft: Draft) -> str | None:
    """The text as the guardrail lets it through, masked where it masks; ``None`` where it blocks."""
    answer = runtime.apply_guardrail(
        guardrailIdentifier=rules.guardrail.arn,
        guardrailVersion=rules.guardrail.version,
        source="INPUT",
        content=[{"text": {"text": text}}],
    )
    if answer.get("action") != "GUARDRAIL_INTERVENED":
        return text
    draft.intervened = True
    assessments = answer.get("assessments")
    draft.traced({"assessments": assessments})
    outputs = answer.get("outputs") or []
    masked = bool(outputs) and not _blocks(assessments)
    return str(outputs[0].get("text", "")) if masked else None


def _blocks(value: Any) -> bool:
    """Whether anything in an assessment was blocked, or it is not said what was done."""
    actions = list(_actions(value))
    return not actions or BLOCKED in actions


def _actions(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            if name == "action" and item != "NONE":
                yield str(item)
            else:
                yield from _actions(item)
    elif isinstance(value, list):
        for item in value:
            yield from _actions(item)


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
