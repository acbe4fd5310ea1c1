"""What CloudTrail shows of a runtime call: which resources it names, never what was said.

User guide: "Monitor Amazon Bedrock API calls using CloudTrail".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ringwall.sandbox.call import Call

_HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
_INFERENCE = ("modelId", "guardrailIdentifier", "guardrailVersion", "guardrailConfig")
_GENERATE = (("sessionId",), ("input", "retrieveAndGenerateConfiguration"))
# By operation: the members that are shown, and those whose presence alone is.
_MEMBERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "InvokeModel": (_INFERENCE, ()),
    "InvokeModelWithResponseStream": (_INFERENCE, ()),
    "Converse": (_INFERENCE, ()),
    "ConverseStream": (_INFERENCE, ()),
    "CountTokens": (("modelId",), ()),
    "ApplyGuardrail": (("guardrailIdentifier", "guardrailVersion", "source", "outputScope"), ("content",)),
    "InvokeGuardrailChecks": ((), ("messages",)),
    "Retrieve": (
        ("knowledgeBaseId", "guardrailConfiguration", "retrievalConfiguration"),
        ("retrievalQuery",),
    ),
    "RetrieveAndGenerate": _GENERATE,
    "RetrieveAndGenerateStream": _GENERATE,
    "StartAsyncInvoke": (("modelId", "outputDataConfig", "clientRequestToken"), ("modelInput",)),
    "InvokeFlow": (("flowIdentifier", "flowAliasIdentifier", "enableTrace", "executionId"), ("inputs",)),
    "InvokeAgent": (("agentId", "agentAliasId", "sessionId", "enableTrace", "endSession"), ("inputText",)),
}


def trail_of(call: Call) -> dict[str, Any]:
    """Replacements for members of a call's CloudTrail event; empty where the defaults are right."""
    members = _MEMBERS.get(call.operation)
    if members is None or not call.service.endswith("runtime"):
        return {}
    shown, hidden = members
    given = call.parameters
    parameters = {name: given[name] for name in shown if given.get(name) is not None}
    parameters |= {name: _HIDDEN for name in hidden if given.get(name) is not None}
    trail: dict[str, Any] = {"requestParameters": parameters, "responseElements": None}
    if call.service == "bedrock-runtime" and "modelId" in parameters:
        trail["additionalEventData"] = {"inferenceRegion": call.region}
    resource = _resource(call)
    if resource is not None:
        trail["resources"] = [resource]
    return trail


def _resource(call: Call) -> dict[str, str] | None:
    """The resource of a data event."""
    given, owner = call.parameters, f"arn:aws:bedrock:{call.region}:{call.account}"
    if call.operation == "ApplyGuardrail":
        kind, name = "AWS::Bedrock::Guardrail", f"guardrail/{given.get('guardrailIdentifier')}"
    elif call.operation == "Retrieve":
        kind, name = "AWS::Bedrock::KnowledgeBase", f"knowledge-base/{given.get('knowledgeBaseId')}"
    elif call.operation == "InvokeAgent":
        kind, name = (
            "AWS::Bedrock::AgentAlias",
            f"agent-alias/{given.get('agentId')}/{given.get('agentAliasId')}",
        )
    elif call.operation == "InvokeFlow":
        flow, alias = (
            str(given.get(part)).rpartition("/")[2] for part in ("flowIdentifier", "flowAliasIdentifier")
        )
        kind, name = "AWS::Bedrock::FlowAlias", f"flow/{flow}/alias/{alias}"
        return {"accountId": call.account, "type": kind, "ARN": f"{owner}:{name}"}
    else:
        return None
    named = name.split("/", 1)[1]
    arn = named if named.startswith("arn:") else f"{owner}:{name}"
    return {"accountId": arn.split(":")[4], "type": kind, "ARN": arn}
