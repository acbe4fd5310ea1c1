"""The nodes of a flow that do something: each with the rights of the flow's execution role.

A prompt node runs its model, behind its guardrail; a knowledge base node retrieves, or answers from what it retrieved,
behind its guardrail; an agent node asks an agent; storage and retrieval nodes use S3. Names of inputs and outputs are
AWS's. That a knowledge base node with a model needs ``bedrock:RetrieveAndGenerate`` is taken from the calls that it
makes; the service role page names it with knowledge bases as its resource, which the action does not have.

https://docs.aws.amazon.com/bedrock/latest/userguide/flows-nodes.html
https://docs.aws.amazon.com/bedrock/latest/userguide/flows-permissions.html
https://docs.aws.amazon.com/bedrock/latest/userguide/flows-guardrails.html
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.agents import agents
from ringwall.sandbox.bedrock.agents.runtime import agent_answer
from ringwall.sandbox.bedrock.faults import invalid
from ringwall.sandbox.call import not_carried_out

if TYPE_CHECKING:
    from ringwall.sandbox.bedrock.scope import Scope
    from ringwall.sandbox.bedrock.service_role import ServiceRole
    from ringwall.sandbox.call import Call

_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")

Values = Mapping[str, Any]
Worker = Callable[["Scope", "Call", "ServiceRole", Values, Values], dict[str, Any]]
"""What a node does with the plane, the call, the role, its configuration and its inputs; its outputs by name."""


def text_of(value: Any) -> str:
    """A value as a prompt, a query or an object's body has it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _filled(template: str, inputs: Values) -> str:
    """A template with its ``{{variables}}`` replaced by inputs."""

    def value(found: re.Match[str]) -> str:
        return text_of(inputs[found[1]]) if found[1] in inputs else found[0]

    return _VARIABLE.sub(value, template)


def _prompt(scope: Scope, call: Call, role: ServiceRole, settings: Values, inputs: Values) -> dict[str, Any]:
    del scope
    inline = settings["sourceConfiguration"].get("inline")
    if inline is None:
        raise not_carried_out(call.service, call.operation, "with prompts from Prompt management")
    request: dict[str, Any] = {"modelId": inline["modelId"], **_messages(inline, inputs)}
    inference = (inline.get("inferenceConfiguration") or {}).get("text")
    if inference:
        request["inferenceConfig"] = inference
    if inline.get("additionalModelRequestFields"):
        request["additionalModelRequestFields"] = inline["additionalModelRequestFields"]
    guardrail = settings.get("guardrailConfiguration")
    if guardrail:
        request["guardrailConfig"] = guardrail
    answer = role.do("bedrock-runtime", "Converse", request)
    return {"modelCompletion": answer["output"]["message"]["content"][0]["text"]}


def _messages(inline: Values, inputs: Values) -> dict[str, Any]:
    """System prompts and messages of a prompt's template."""
    template = inline["templateConfiguration"]
    if "text" in template:
        text = _filled(template["text"]["text"], inputs)
        return {"messages": [{"role": "user", "content": [{"text": text}]}]}
    chat = template.get("chat")
    if chat is None:
        raise invalid("The prompt has neither a text nor a chat template.")
    messages = [
        {"role": one["role"], "content": [{"text": _filled(part["text"], inputs)} for part in one["content"]]}
        for one in chat["messages"]
    ]
    system = [{"text": _filled(part["text"], inputs)} for part in chat.get("system") or ()]
    return {"messages": messages, **({"system": system} if system else {})}


def _knowledge_base(
    scope: Scope, call: Call, role: ServiceRole, settings: Values, inputs: Values
) -> dict[str, Any]:
    del scope, call
    query, guardrail = text_of(inputs["retrievalQuery"]), _guardrail(settings)
    base: dict[str, Any] = {"knowledgeBaseId": settings["knowledgeBaseId"]}
    if settings.get("numberOfResults"):
        search = {"numberOfResults": settings["numberOfResults"]}
        base["retrievalConfiguration"] = {"vectorSearchConfiguration": search}
    if not settings.get("modelId"):
        asked = {**base, "retrievalQuery": {"text": query}, **guardrail}
        found = role.do("bedrock-agent-runtime", "Retrieve", asked)
        return {"retrievalResults": found["retrievalResults"]}
    base["modelArn"] = settings["modelId"]
    if guardrail:
        base["generationConfiguration"] = guardrail
    configuration = {"type": "KNOWLEDGE_BASE", "knowledgeBaseConfiguration": base}
    asked = {"input": {"text": query}, "retrieveAndGenerateConfiguration": configuration}
    generated = role.do("bedrock-agent-runtime", "RetrieveAndGenerate", asked)
    return {"outputText": generated["output"]["text"]}


def _guardrail(settings: Values) -> dict[str, Any]:
    """A node's guardrail in the spelling of retrieval."""
    given = settings.get("guardrailConfiguration")
    if not given:
        return {}
    named = {"guardrailIdentifier": "guardrailId", "guardrailVersion": "guardrailVersion"}
    return {"guardrailConfiguration": {named[name]: value for name, value in given.items()}}


def _agent(scope: Scope, call: Call, role: ServiceRole, settings: Values, inputs: Values) -> dict[str, Any]:
    agent_id, alias_id = settings["agentAliasArn"].rsplit("/", 2)[1:]
    text = text_of(inputs["agentInputText"])
    asked = {
        "agentId": agent_id,
        "agentAliasId": alias_id,
        "sessionId": str(uuid.uuid4()),
        "inputText": text,
    }
    role.do("bedrock-agent-runtime", "InvokeAgent", asked)  # which lets it in, and whose stream nobody reads
    return {"agentResponse": agent_answer(scope, call, agents.find(scope, call, agent_id), text)}


def _storage(scope: Scope, call: Call, role: ServiceRole, settings: Values, inputs: Values) -> dict[str, Any]:
    del scope, call
    bucket, key = settings["serviceConfiguration"]["s3"]["bucketName"], text_of(inputs["objectKey"])
    role.write(bucket, key, text_of(inputs["content"]).encode())
    return {"s3Uri": f"s3://{bucket}/{key}"}


def _retrieval(
    scope: Scope, call: Call, role: ServiceRole, settings: Values, inputs: Values
) -> dict[str, Any]:
    del scope, call
    bucket, key = settings["serviceConfiguration"]["s3"]["bucketName"], text_of(inputs["objectKey"])
    return {"s3Content": role.read(bucket, key).decode("utf-8", "replace")}


WORKERS: Mapping[str, tuple[str, Worker]] = {
    "Prompt": ("prompt", _prompt),
    "KnowledgeBase": ("knowledgeBase", _knowledge_base),
    "Agent": ("agent", _agent),
    "Storage": ("storage", _storage),
    "Retrieval": ("retrieval", _retrieval),
}
"""Member of the configuration, and what does the node's work, by its type."""
