"""ApplyGuardrail and CountTokens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.evaluation.engine import Grounding
from ringwall.sandbox.bedrock.faults import invalid
from ringwall.sandbox.bedrock.runtime import conversation
from ringwall.sandbox.bedrock.runtime.guarding import REQUEST, Applied, find_version, inspect, mask
from ringwall.sandbox.bedrock.runtime.models import count_tokens, resolve
from ringwall.sandbox.call import Call, Output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ringwall.sandbox.bedrock.scope import Operation, Scope

_MARKS = frozenset({"grounding_source", "query"})


def apply_guardrail(scope: Scope, call: Call) -> Output:
    """ApplyGuardrail: evaluate texts without a model."""
    given = call.parameters
    if not given["content"]:
        raise invalid("The content field must have at least one content block.")
    guardrail, version = find_version(scope, call, given["guardrailIdentifier"], given["guardrailVersion"])
    own = guardrail.id in scope.home(call).guardrails
    applied = (Applied(guardrail, version, (REQUEST,), all_messages=True, all_system=True, own=own),)
    blocks = [block["text"] for block in given["content"] if "text" in block]
    guarded = [block["text"] for block in blocks if _is_guarded(block)]
    inspection = inspect(
        applied,
        given["source"],
        lambda _: tuple(guarded),
        grounding=_grounding(blocks),
        full=given.get("outputScope") == "FULL",
        total=sum(len(block["text"]) for block in blocks),
    )
    outputs: list[dict[str, str]] = []
    if inspection.message is not None:
        outputs = [{"text": inspection.message}]
    elif inspection.masked:
        outputs = [{"text": mask(applied, given["source"], text)} for text in guarded]
    scope.telemetry.guarded(call, ((given["source"], inspection),))
    ((_, evaluation),) = inspection.results
    return Output(
        {
            "usage": evaluation.usage,
            "action": "GUARDRAIL_INTERVENED" if inspection.intervened else "NONE",
            "actionReason": inspection.reason(),
            "outputs": outputs,
            "assessments": list(inspection.assessments().values()),
            "guardrailCoverage": evaluation.assessment["invocationMetrics"]["guardrailCoverage"],
        }
    )


def _is_guarded(block: Mapping[str, Any]) -> bool:
    qualifiers = set(block.get("qualifiers") or ())
    return not qualifiers & _MARKS or "guard_content" in qualifiers


def _grounding(blocks: Sequence[Mapping[str, Any]]) -> Grounding | None:
    marked = {
        mark: "\n".join(block["text"] for block in blocks if mark in (block.get("qualifiers") or ()))
        for mark in _MARKS
    }
    if not all(marked.values()):
        return None
    return Grounding(marked["grounding_source"], marked["query"])


def count(scope: Scope, call: Call) -> Output:
    """CountTokens, by the estimate of four characters a token that the stand-in uses."""
    resolve(scope, call, call.parameters["modelId"], invokes=False)
    given = call.parameters["input"]
    if "converse" in given:
        conversation.check_conversation(given["converse"])
        return Output({"inputTokens": conversation.prompt_of(given["converse"]).tokens})
    try:
        body = json.loads(given["invokeModel"]["body"])
    except ValueError as error:
        raise invalid("Malformed input request, please reformat your input and try again.") from error
    return Output({"inputTokens": count_tokens(json.dumps(body))})


OPERATIONS: dict[str, Operation] = {
    "ApplyGuardrail": apply_guardrail,
    "CountTokens": count,
}
