"""``AWS::Bedrock::Flow``: read only; which guardrail each of its nodes runs a model behind.

The working draft is read, not the versions that aliases lead to.

AWS source: https://docs.aws.amazon.com/bedrock/latest/userguide/flows-guardrails.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import Field, Reading, from_api
from ringwall.estate.kinds.vpc import ReadOnlyKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

FIELDS = (Field("Name", "name"), Field("Arn", "arn"), Field("ExecutionRoleArn", "executionRoleArn"))
MODEL_NODES = ("prompt", "knowledgeBase")
"""Nodes that run a model and can carry a guardrail."""


class Flow(ReadOnlyKind):
    """Flows with the nodes that run a model."""

    type = "AWS::Bedrock::Flow"
    permissions = Permissions(("bedrock:GetFlow", "bedrock:ListFlows"), ())

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Every flow of the Region."""
        listed = aws.pages("bedrock-agent", "ListFlows", "flowSummaries")
        shared = aws.evidence()
        for item in listed:
            identifier = str(item["id"])
            reading = Reading(aws)
            reading.set(Name=item.get("name"))
            names = (*(field.name for field in FIELDS), "Nodes")
            reading.take(names, ("bedrock-agent", "GetFlow", {"flowIdentifier": identifier}), _flow)
            yield self.seen(aws, identifier, reading.properties, reading.unknown, shared)


def _flow(answer: Mapping[str, Any]) -> dict[str, Any]:
    nodes = (answer.get("definition") or {}).get("nodes") or ()
    return {**from_api(answer, FIELDS), "Nodes": [found for node in nodes for found in _node(node)]}


def _node(node: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    configuration = node.get("configuration") or {}
    for kind in MODEL_NODES:
        if kind in configuration:
            guardrail = configuration[kind].get("guardrailConfiguration") or {}
            found = {
                "GuardrailIdentifier": guardrail.get("guardrailIdentifier"),
                "GuardrailVersion": guardrail.get("guardrailVersion"),
            }
            yield {
                "Name": node.get("name"),
                "Type": kind,
                "GuardrailConfiguration": found if guardrail else None,
            }
