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
    """How an operation carries a guardrail.

    Attributes:
        places: parameters that hold it; without them there is none.
        read: gives ``(identifier, version)`` of boto3 parameters.
        write: gives parameters that hold them, and all others.
    """

    places: frozenset[str]
    read: Callable[[Mapping[str, Any]], Pair]
    write: Callable[[Mapping[str, Any], str, str], dict[str, Any]]


def _read_body(parameters: Mapping[str, Any]) -> Pair:
    given = parameters.get("guardrailConfig")
    if not isinstance(given, Mapping):
        return None, None
    return given.get("guardrailIdentifier"), given.get("guardrailVersion")


def _write_body(parameters: Mapping[str, Any], identifier: str, version: str) -> dict[str, Any]:
    """The pinned pair stands first in a mapping of our own, and that first in the body: it is seen at a glance there."""
    config: dict[str, Any] = {"guardrailIdentifier": identifier, "guardrailVersion": version}
    found: dict[str, Any] = {"guardrailConfig": config, **parameters}
    given = found["guardrailConfig"]
    if given is config or given is None:
        config["trace"] = "enabled"
    elif isinstance(given, Mapping):
        config |= {name: value for name, value in given.items() if name not in config}
    found["guardrailConfig"] = config
    return found


def _read_header(parameters: Mapping[str, Any]) -> Pair:
    return parameters.get("guardrailIdentifier"), parameters.get("guardrailVersion")


def _write_header(parameters: Mapping[str, Any], identifier: str, version: str) -> dict[str, Any]:
    return {**parameters, "guardrailIdentifier": identifier, "guardrailVersion": version}


BODY = Carrier(frozenset({"guardrailConfig"}), _read_body, _write_body)
HEADER = Carrier(frozenset({"guardrailIdentifier", "guardrailVersion"}), _read_header, _write_header)

CARRIERS: Mapping[str, Carrier] = {
    "Converse": BODY,
    "ConverseStream": BODY,
    "InvokeModel": HEADER,
    "InvokeModelWithResponseStream": HEADER,
    "ApplyGuardrail": HEADER,
}
INVOKING = frozenset({"Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream"})
"""Carriers that run a model."""

HEADER_CARRIERS = frozenset({"InvokeModel", "InvokeModelWithResponseStream"})
"""Carriers whose guardrail stands in signed headers."""

STREAM_MEMBERS: Mapping[str, str] = {"ConverseStream": "stream", "InvokeModelWithResponseStream": "body"}
"""The member of an answer that is an event stream."""

STREAMS = frozenset(STREAM_MEMBERS)
"""Carriers whose answer may be let out before the guardrail has read it."""

MODEL_ONLY = frozenset({"CountTokens"})
"""Name a model, run none."""

KNOWLEDGE = frozenset({"Retrieve"})
"""Ask a knowledge base: the declared one. A guardrail is optional here, but another than the pinned one is refused."""

AGENTS = frozenset({"InvokeAgent"})
"""Run the declared agent, whose guardrail is set on the agent itself."""

FREE: Mapping[str, frozenset[str]] = {
    "bedrock-runtime": frozenset({"InvokeGuardrailChecks", "GetAsyncInvoke", "ListAsyncInvokes"}),
    "bedrock-agent-runtime": frozenset({"GetAgentMemory", "DeleteAgentMemory"}),
}
"""Neither run a model nor return what one said under no guardrail."""

CONTROL_PLANES = frozenset({"bedrock", "bedrock-agent"})
READING = ("Get", "List")
"""Prefixes of what any use may do on a control plane, if IAM lets it."""

GUARDRAIL_WRITES = frozenset(
    {
        "CreateGuardrail",
        "CreateGuardrailVersion",
        "UpdateGuardrail",
        "DeleteGuardrail",
        "PutEnforcedGuardrailConfiguration",
        "DeleteEnforcedGuardrailConfiguration",
        "PutResourcePolicy",
        "DeleteResourcePolicy",
        "TagResource",
        "UntagResource",
    }
)
WRITING = (
    "Associate", "BatchDelete", "Cancel", "Create", "Delete", "Deregister", "Disassociate", "Prepare", "Put",
    "Register", "StartIngestionJob", "Stop", "Tag", "Untag", "Update", "Validate",
)  # fmt: skip
"""Prefixes of an operator's work on a control plane."""

UNGUARDED_JOBS = frozenset(
    {"CreateModelInvocationJob", "CreateEvaluationJob", "CreateAdvancedPromptOptimizationJob"}
)
"""Run models over whole data sets, where a guardrail of the caller does not reach. Nobody's work."""

SERVICES = ("bedrock", "bedrock-runtime", "bedrock-agent", "bedrock-agent-runtime")
