"""Operations of the Bedrock services, by how a guardrail gets into them. From botocore's service models.

An operation that stands in none of these tables is refused: a new one that runs a model must not slip by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Pair = tuple[Any, Any]


@dataclass(frozen=True, slots=True)
class Carrier:
    """How an operation carries a guardrail: reads ``(identifier, version)`` of boto3 parameters, and writes them."""

    read: Callable[[Mapping[str, Any]], Pair]
    write: Callable[[dict[str, Any], str, str], None]


def _read_body(parameters: Mapping[str, Any]) -> Pair:
    given = parameters.get("guardrailConfig")
    if not isinstance(given, Mapping):
        return None, None
    return given.get("guardrailIdentifier"), given.get("guardrailVersion")


def _write_body(parameters: dict[str, Any], identifier: str, version: str) -> None:
    given = parameters.get("guardrailConfig")
    own = dict(given) if isinstance(given, Mapping) else {"trace": "enabled"}
    parameters["guardrailConfig"] = {**own, "guardrailIdentifier": identifier, "guardrailVersion": version}


def _read_header(parameters: Mapping[str, Any]) -> Pair:
    return parameters.get("guardrailIdentifier"), parameters.get("guardrailVersion")


def _write_header(parameters: dict[str, Any], identifier: str, version: str) -> None:
    parameters["guardrailIdentifier"], parameters["guardrailVersion"] = identifier, version


BODY = Carrier(_read_body, _write_body)
HEADER = Carrier(_read_header, _write_header)

CARRIERS: Mapping[str, Carrier] = {
    "Converse": BODY,
    "ConverseStream": BODY,
    "InvokeModel": HEADER,
    "InvokeModelWithResponseStream": HEADER,
    "ApplyGuardrail": HEADER,
}
INVOKING = frozenset({"Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream"})
"""Carriers that run a model."""

MODEL_ONLY = frozenset({"CountTokens"})
"""Name a model, run none."""

KNOWLEDGE = frozenset({"Retrieve"})
AGENTS = frozenset({"InvokeAgent"})

FREE: Mapping[str, frozenset[str]] = {
    "bedrock-runtime": frozenset({"InvokeGuardrailChecks", "GetAsyncInvoke", "ListAsyncInvokes"}),
    "bedrock-agent-runtime": frozenset({"GetAgentMemory", "DeleteAgentMemory"}),
}
"""Neither run a model nor return what one said under no guardrail."""

SERVICES = ("bedrock", "bedrock-runtime", "bedrock-agent", "bedrock-agent-runtime")
