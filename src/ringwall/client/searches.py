"""Models that a search of a knowledge base runs beside the one that answers, by its caller's configuration.

Retrieve, and InvokeAgent for each of the agent's knowledge bases, take a ``retrievalConfiguration``. It may name a model
that writes the search's filter from the question, which no guardrail reads, and one that puts the results in order
(https://docs.aws.amazon.com/bedrock/latest/userguide/kb-test-config.html).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

FILTER = "implicitFilterConfiguration"
RERANKING = "rerankingConfiguration"
MANAGED = "MANAGED"
"""A reranking model of AWS's own choice."""


def configurations(parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The search configurations of a call, by boto3's names, which are the API's too."""
    found: list[Any] = [parameters]
    state = parameters.get("sessionState")
    bases = state.get("knowledgeBaseConfigurations") if isinstance(state, Mapping) else None
    found += bases if isinstance(bases, list | tuple) else []
    for item in found:
        retrieval = item.get("retrievalConfiguration") if isinstance(item, Mapping) else None
        if isinstance(retrieval, Mapping):
            yield from (kind for kind in retrieval.values() if isinstance(kind, Mapping))


def writes_filter(configuration: Mapping[str, Any]) -> bool:
    """Whether a model writes the filter."""
    return configuration.get(FILTER) is not None


def reranking_models(configuration: Mapping[str, Any]) -> Iterator[Any]:
    """What puts the results in order: identifiers, or :data:`MANAGED`; ``None`` where it cannot be told."""
    if configuration.get("rerankingModelType") == MANAGED:
        yield MANAGED
    reranking = configuration.get(RERANKING)
    if reranking is not None:
        yield _deeper(reranking, "bedrockRerankingConfiguration", "modelConfiguration", "modelArn")


def _deeper(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
