"""Retrieve, RetrieveAndGenerate, its stream, and InvokeAgent."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.agents import agents, knowledge
from ringwall.sandbox.bedrock.evaluation.engine import Grounding
from ringwall.sandbox.bedrock.faults import fault, invalid
from ringwall.sandbox.bedrock.runtime.converse import asynchronously
from ringwall.sandbox.bedrock.runtime.guarding import NOTHING, Applied, Inspection, applied_to, inspect, mask
from ringwall.sandbox.bedrock.runtime.models import Prompt, Reply, pieces, resolve
from ringwall.sandbox.call import AwsError, Call, Output, not_carried_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ringwall.sandbox.bedrock.scope import Operation, Scope
    from ringwall.sandbox.bedrock.state import Tagged

_RESULTS = 5


def _guardrail(config: Mapping[str, Any] | None) -> tuple[str, str] | None:
    if not config:
        return None
    identifier = config.get("guardrailId") or config.get("guardrailIdentifier")
    return (str(identifier), str(config.get("guardrailVersion") or "DRAFT")) if identifier else None


def _inspect(
    applied: Sequence[Applied], source: str, text: str, grounding: Grounding | None = None
) -> Inspection:
    return inspect(applied, source, lambda _: (text,), grounding=grounding)


def retrieve(scope: Scope, call: Call) -> Output:
    """Retrieve. A guardrail looks at the query alone; what is retrieved is not evaluated."""
    given = call.parameters
    base = knowledge.find(scope, call, given["knowledgeBaseId"])
    query = given["retrievalQuery"].get("text")
    if not query:
        raise invalid("The text of the retrievalQuery must not be empty.")
    applied = applied_to(scope, call, _guardrail(given.get("guardrailConfiguration")), None)
    asked = _inspect(applied, "INPUT", query)
    action = {"guardrailAction": "INTERVENED" if asked.intervened else "NONE"} if applied else {}
    if asked.blocked:
        return Output({"retrievalResults": [], **action})
    return Output({"retrievalResults": _search(base, query, given), **action})


def _search(base: Tagged, query: str, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a knowledge base has for a query, under the request's configuration of the search."""
    configuration = given.get("retrievalConfiguration") or {}
    kinds = ("vectorSearchConfiguration", "managedSearchConfiguration")
    settings: Mapping[str, Any] = next((found for kind in kinds if (found := configuration.get(kind))), {})
    limit = settings.get("numberOfResults") or _RESULTS
    return knowledge.search(base, query, limit, settings.get("filter"))


@dataclass(frozen=True, slots=True)
class _Generated:
    """What RetrieveAndGenerate has to say.

    Attributes:
        action: the guardrail's; ``None`` where no guardrail applies.
        citation: the answer with the documents that it goes back to.
    """

    session: str
    text: str
    action: str | None
    citation: dict[str, Any]


def _answer(scope: Scope, call: Call) -> _Generated:
    configuration = call.parameters.get("retrieveAndGenerateConfiguration") or {}
    settings = configuration.get("knowledgeBaseConfiguration")
    if settings is None and configuration.get("externalSourcesConfiguration") is not None:
        raise not_carried_out(call.service, call.operation, "from external sources")
    if settings is None:
        raise invalid("The retrieveAndGenerateConfiguration must have a knowledgeBaseConfiguration.")
    query = call.parameters["input"]["text"]
    base = knowledge.find(scope, call, settings["knowledgeBaseId"])
    target = resolve(scope, call, settings["modelArn"])
    guardrail = (settings.get("generationConfiguration") or {}).get("guardrailConfiguration")
    applied = applied_to(scope, call, _guardrail(guardrail), target.model.id)
    references = _search(base, query, settings)
    sources = "\n".join(reference["content"]["text"] for reference in references)
    asked, reply, answered = _generate(
        scope, target.model.id, query, system=sources, applied=applied, grounding=Grounding(sources, query)
    )
    span = {"start": 0, "end": max(0, len(reply.text) - 1)}
    cited = [{name: ref[name] for name in ("content", "location", "metadata")} for ref in references]
    citation = {
        "generatedResponsePart": {"textResponsePart": {"text": reply.text, "span": span}},
        "retrievedReferences": [] if asked.blocked or answered.blocked else cited,
    }
    action = "INTERVENED" if asked.intervened or answered.intervened else "NONE"
    session = call.parameters.get("sessionId") or str(uuid.uuid4())
    return _Generated(session, reply.text, action if applied else None, citation)


def retrieve_and_generate(scope: Scope, call: Call) -> Output:
    """RetrieveAndGenerate, from a knowledge base."""
    found = _answer(scope, call)
    return Output(
        {
            "sessionId": found.session,
            "output": {"text": found.text},
            "citations": [found.citation],
            **({"guardrailAction": found.action} if found.action else {}),
        }
    )


def retrieve_and_generate_stream(scope: Scope, call: Call) -> Output:
    """RetrieveAndGenerateStream: the guardrail has looked at the whole answer before any of it goes out."""
    found = _answer(scope, call)

    def events() -> Iterator[dict[str, Any]]:
        if found.action:
            yield {"guardrail": {"action": found.action}}
        for piece in pieces(found.text):
            yield {"output": {"text": piece}}
        yield {"citation": found.citation}

    return Output({"sessionId": found.session}, events=asynchronously(events()))


def _generate(
    scope: Scope,
    model_id: str,
    text: str,
    *,
    system: str,
    applied: Sequence[Applied],
    grounding: Grounding | None = None,
) -> tuple[Inspection, Reply, Inspection]:
    """One guarded turn with a model: inspection of the input, the answer to give, inspection of the output."""
    asked = _inspect(applied, "INPUT", text)
    if asked.message is not None:
        return asked, Reply(asked.message, 0, 0, "guardrail_intervened"), NOTHING
    said = mask(applied, "INPUT", text) if asked.masked else text
    reply = scope.models.answer(model_id, Prompt((system,) if system else (), (("user", said),)))
    answered = _inspect(applied, "OUTPUT", reply.text, grounding)
    shown = answered.message or (mask(applied, "OUTPUT", reply.text) if answered.masked else reply.text)
    return asked, Reply(shown, reply.input_tokens, reply.output_tokens, reply.stop_reason), answered


def invoke_agent(scope: Scope, call: Call) -> Output:
    """InvokeAgent: the agent's model answers once, behind the agent's guardrail; there are no tools to call.

    The model is called with the agent's role: its policies, and those of the organization on it, decide, and a refusal
    is an exception in the stream. The sandbox's built-in agent has no role; its model answers without one.
    """
    given = call.parameters
    agent, _ = agents.find_alias(scope, call)
    text = given.get("inputText")
    if not text and not given.get("endSession"):
        raise invalid("The inputText must not be empty, unless endSession is true.")

    def events() -> Iterator[dict[str, Any]]:
        answer = agent_answer(scope, call, agent, text) if text else ""
        if answer:
            yield {"chunk": {"bytes": answer.encode()}}

    return Output(
        {"contentType": "application/json", "sessionId": given["sessionId"]}, events=asynchronously(events())
    )


def agent_answer(scope: Scope, call: Call, agent: Tagged, text: str) -> str:
    """What an agent says, with its role's rights.

    Raises:
        AwsError: its role may not run its model.
    """
    instruction = str(agent.shape.get("instruction", ""))
    if agent.built_in:
        target = resolve(scope, call, agent.shape["foundationModel"])
        _, reply, _ = _generate(scope, target.model.id, text, system=instruction, applied=())
        return reply.text
    request: dict[str, Any] = {
        "modelId": agent.shape["foundationModel"],
        "messages": [{"role": "user", "content": [{"text": text}]}],
        "system": [{"text": instruction}],
    }
    guardrail = _guardrail(agent.shape.get("guardrailConfiguration"))
    if guardrail:
        request["guardrailConfig"] = {"guardrailIdentifier": guardrail[0], "guardrailVersion": guardrail[1]}
    try:
        output = scope.platform.call_as(
            agent.shape["agentResourceRoleArn"],
            "bedrock-runtime",
            "Converse",
            request,
            account=call.account,
            region=call.region,
        )
    except AwsError as error:
        if error.code in {"AccessDenied", "AccessDeniedException"}:
            message = f"Access denied when calling Bedrock. Check your request permissions and retry the request. {error.message}"
            raise fault(call.service, "AccessDeniedException", message) from error
        raise
    return str(output["output"]["message"]["content"][0]["text"])


OPERATIONS: dict[str, Operation] = {
    "Retrieve": retrieve,
    "RetrieveAndGenerate": retrieve_and_generate,
    "RetrieveAndGenerateStream": retrieve_and_generate_stream,
    "InvokeAgent": invoke_agent,
}
