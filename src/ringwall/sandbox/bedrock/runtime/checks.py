"""InvokeGuardrailChecks: checks without a guardrail, which give scores and never act."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.evaluation import content, pii
from ringwall.sandbox.bedrock.evaluation.engine import text_units
from ringwall.sandbox.bedrock.evaluation.text import Folded, fold
from ringwall.sandbox.bedrock.faults import invalid
from ringwall.sandbox.call import Call, Output

if TYPE_CHECKING:
    from ringwall.sandbox.bedrock.scope import Operation, Scope

_SCORES = {"NONE": 0.0, "LOW": 0.35, "MEDIUM": 0.65, "HIGH": 0.95}


def _highest(category: str, texts: list[Folded]) -> float:
    return max(_SCORES[content.confidence_of(category, text)] for text in texts)


def invoke_checks(_: Scope, call: Call) -> Output:
    """InvokeGuardrailChecks. Prompt attacks are not told apart here: each category gets the score of any."""
    given = call.parameters["checks"]
    blocks = [
        (m, c, fold(block["text"]))
        for m, message in enumerate(call.parameters["messages"])
        for c, block in enumerate(message["content"])
        if block.get("text")
    ]
    if not blocks or not given:
        raise invalid("InvokeGuardrailChecks needs at least one text and at least one check.")
    texts = [text for _, _, text in blocks]
    results: dict[str, Any] = {}
    if "contentFilter" in given:
        names = [one["category"] for one in given["contentFilter"]["categories"]]
        results["contentFilter"] = {
            "results": [{"category": name, "severityScore": _highest(name, texts)} for name in names]
        }
    if "promptAttack" in given:
        score = _highest("PROMPT_ATTACK", texts)
        names = [one["category"] for one in given["promptAttack"]["categories"]]
        results["promptAttack"] = {"results": [{"category": name, "severityScore": score} for name in names]}
    if "sensitiveInformation" in given:
        types = frozenset(one["type"] for one in given["sensitiveInformation"]["entities"])
        results["sensitiveInformation"] = {"results": _entities(blocks, types), "truncated": False}
    units = {"textUnits": text_units([text.original for text in texts])}
    return Output({"results": results, "usage": dict.fromkeys(results, units)})


def _entities(blocks: list[tuple[int, int, Folded]], types: frozenset[str]) -> list[dict[str, Any]]:
    return [
        {
            "type": match.type,
            "confidenceScore": 1.0,
            "beginOffset": match.start,
            "endOffset": match.end,
            "messageIndex": message,
            "contentIndex": position,
        }
        for message, position, text in blocks
        for match in pii.find(text, types)
    ]


OPERATIONS: dict[str, Operation] = {"InvokeGuardrailChecks": invoke_checks}
