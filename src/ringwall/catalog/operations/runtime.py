"""Authorizations of the calls that make a model run: ``bedrock-runtime`` and ``bedrock-agent-runtime``.

Follows https://docs.aws.amazon.com/bedrock/latest/userguide/inference-prereq.html,
https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-permissions-id.html and the pages on knowledge bases,
agents and flows. Each resolver takes a :class:`Call` and yields its authorizations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ringwall.catalog.operations.authorization import (
    Authorization,
    Call,
    UnresolvedModelError,
    account_of,
    is_arn,
)
from ringwall.catalog.operations.models import (
    INVOKE,
    INVOKE_STREAM,
    apply_guardrail,
    guardrail_value,
    invocations,
    model_arn,
    of_action,
    resource_type,
    via_bedrock,
)

Resolver = Callable[[Call], Iterator[Authorization]]

_NAMING_A_KEY = {"KeyId", "CiphertextBlob"}
_SYNCHRONOUS = frozenset({"InvokeModel", "InvokeModelWithResponseStream", "Converse", "ConverseStream"})
_INVOKE_ACTIONS = {
    "InvokeModel": INVOKE,
    "Converse": INVOKE,
    "InvokeModelWithBidirectionalStream": INVOKE,
    "StartAsyncInvoke": INVOKE,
    "InvokeModelWithResponseStream": INVOKE_STREAM,
    "ConverseStream": INVOKE_STREAM,
}


def deciding(service: str, operation: str, parameters: Mapping[str, object]) -> tuple[str, ...] | None:
    """What of the parameters alone decides the authorizations of an inference call, or of a decryption that it makes.

    Prompts differ from call to call, and what is asked for them does not. ``None`` for every other call.
    """
    if (service, operation) == ("kms", "Decrypt") and parameters.keys() == _NAMING_A_KEY:
        return (str(parameters["KeyId"]),)
    if service != "bedrock-runtime" or operation not in _SYNCHRONOUS:
        return None
    call = Call(service, operation, "bedrock", parameters, "", "")
    return (*_guardrail(call), _tier(call), call.text("modelId"))


def _on(call: Call, action: str, resource: str, **context: str | None) -> Authorization:
    """One authorization in the call's Region; ``context`` by key with ``__`` for the colon."""
    keys = {name.replace("__", ":"): value for name, value in context.items()}
    keyed = of_action(action, {"aws:requestedregion": call.region, **keys})
    return Authorization(action, resource, keyed, account_of(resource))


def _guardrail(call: Call) -> tuple[str, str]:
    """Guardrail identifier and version of an inference call; empty where it carries none."""
    where = ("guardrailConfig",) if call.operation.startswith("Converse") else ()
    return call.text(*where, "guardrailIdentifier"), call.text(*where, "guardrailVersion")


def _tier(call: Call) -> str:
    return call.text("serviceTier") or call.text("serviceTier", "type")


def _model(call: Call) -> str:
    """The model that a call names.

    Raises:
        UnresolvedModelError: it names none.
    """
    found = call.text("modelId")
    if not found:
        raise UnresolvedModelError(f"{call.operation} needs the parameter modelId")
    return found


def _invoke(call: Call) -> Iterator[Authorization]:
    """InvokeModel, Converse and their streaming forms."""
    identifier, version = _guardrail(call)
    value = guardrail_value(call, identifier, version) if identifier else None
    action = _INVOKE_ACTIONS[call.operation]
    yield from invocations(call, action, _model(call), guardrail=value, tier=_tier(call))
    if identifier:
        yield from apply_guardrail(call, identifier)


def _start_async(call: Call) -> Iterator[Authorization]:
    """StartAsyncInvoke runs the model and writes to S3 with the caller's permissions."""
    yield from invocations(call, INVOKE, _model(call))
    uri = call.text("outputDataConfig", "s3OutputDataConfig", "s3Uri")
    if uri.startswith("s3://"):
        path = uri.removeprefix("s3://").rstrip("/")
        yield Authorization("s3:PutObject", f"arn:{call.partition}:s3:::{path}/*", via_bedrock(call))


def _apply_guardrail(call: Call) -> Iterator[Authorization]:
    yield from apply_guardrail(call, call.text("guardrailIdentifier"))


def _count_tokens(call: Call) -> Iterator[Authorization]:
    yield _on(call, "bedrock:CountTokens", model_arn(call, _model(call)))


def _knowledge_base(call: Call, identifier: str) -> str:
    return identifier if is_arn(identifier) else call.arn(f"knowledge-base/{identifier}")


def _retrieve(call: Call) -> Iterator[Authorization]:
    yield _on(call, "bedrock:Retrieve", _knowledge_base(call, call.text("knowledgeBaseId")))
    identifier = call.text("guardrailConfiguration", "guardrailId")
    if identifier:
        yield from apply_guardrail(call, identifier)


def _retrieve_and_generate(call: Call) -> Iterator[Authorization]:
    """Both forms of the configuration: a knowledge base, or documents given with the request."""
    yield _on(call, "bedrock:RetrieveAndGenerate", "*")
    for kind in ("knowledgeBaseConfiguration", "externalSourcesConfiguration"):
        where = ("retrieveAndGenerateConfiguration", kind)
        if call.value(*where) is None:
            continue
        knowledge_base = call.text(*where, "knowledgeBaseId")
        if knowledge_base:
            yield _on(call, "bedrock:Retrieve", _knowledge_base(call, knowledge_base))
        yield from _generate(call, where)


def _generate(call: Call, where: tuple[str, ...]) -> Iterator[Authorization]:
    guardrail = (*where, "generationConfiguration", "guardrailConfiguration")
    identifier, version = call.text(*guardrail, "guardrailId"), call.text(*guardrail, "guardrailVersion")
    model = call.text(*where, "modelArn")
    if model:
        arn = model_arn(call, model)
        if resource_type(arn) in {"inference-profile", "application-inference-profile"}:
            yield _on(call, "bedrock:GetInferenceProfile", arn)
        value = guardrail_value(call, identifier, version) if identifier else None
        yield from invocations(call, INVOKE, model, guardrail=value)
        if value and call.value(*where, "orchestrationConfiguration"):
            # Rewriting the question is an invocation of its own, and it has no guardrail.
            yield from invocations(call, INVOKE, model)
    if identifier:
        yield from apply_guardrail(call, identifier)


def _rerank(call: Call) -> Iterator[Authorization]:
    yield _on(call, "bedrock:Rerank", "*")
    where = ("rerankingConfiguration", "bedrockRerankingConfiguration", "modelConfiguration", "modelArn")
    model = call.text(*where)
    if model:
        yield from invocations(call, INVOKE, model)


def _invoke_agent(call: Call) -> Iterator[Authorization]:
    """The caller needs the alias alone: the agent's own role runs models, knowledge bases and the guardrail."""
    alias = call.arn(f"agent-alias/{call.text('agentId')}/{call.text('agentAliasId')}")
    yield _on(call, "bedrock:InvokeAgent", alias)


def _invoke_inline_agent(call: Call) -> Iterator[Authorization]:
    """An inline agent has no role: model, guardrail and knowledge bases are used with the caller's permissions.

    Its model calls carry no ``bedrock:GuardrailIdentifier``, also where the agent has a guardrail.
    """
    name = call.text("agentName")
    yield _on(call, "bedrock:InvokeInlineAgent", "*", bedrock__inlineagentname=name)
    if call.text("foundationModel"):
        yield from invocations(call, INVOKE, call.text("foundationModel"))
    for base in call.value("knowledgeBases") or ():
        if isinstance(base, Mapping) and isinstance(base.get("knowledgeBaseId"), str):
            yield _on(call, "bedrock:Retrieve", _knowledge_base(call, base["knowledgeBaseId"]))
    identifier = call.text("guardrailConfiguration", "guardrailIdentifier")
    if identifier:
        yield from apply_guardrail(call, identifier)


RESOLVERS: Mapping[tuple[str, str], Resolver] = {
    ("bedrock-runtime", "InvokeModel"): _invoke,
    ("bedrock-runtime", "InvokeModelWithResponseStream"): _invoke,
    ("bedrock-runtime", "InvokeModelWithBidirectionalStream"): _invoke,
    ("bedrock-runtime", "Converse"): _invoke,
    ("bedrock-runtime", "ConverseStream"): _invoke,
    ("bedrock-runtime", "StartAsyncInvoke"): _start_async,
    ("bedrock-runtime", "ApplyGuardrail"): _apply_guardrail,
    ("bedrock-runtime", "CountTokens"): _count_tokens,
    ("bedrock-agent-runtime", "Retrieve"): _retrieve,
    ("bedrock-agent-runtime", "RetrieveAndGenerate"): _retrieve_and_generate,
    ("bedrock-agent-runtime", "RetrieveAndGenerateStream"): _retrieve_and_generate,
    ("bedrock-agent-runtime", "Rerank"): _rerank,
    ("bedrock-agent-runtime", "InvokeAgent"): _invoke_agent,
    ("bedrock-agent-runtime", "InvokeInlineAgent"): _invoke_inline_agent,
}
