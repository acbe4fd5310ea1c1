"""``AWS::Bedrock::Flow``: read only; which guardrail each of its nodes runs a model behind.

What answers callers is the version that an alias leads to, which may be older and looser than the working draft: both are
read.

AWS sources: https://docs.aws.amazon.com/bedrock/latest/userguide/flows-guardrails.html and
https://docs.aws.amazon.com/bedrock/latest/userguide/flows-deploy.html
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import Field, Reading, from_api
from ringwall.estate.kinds.vpc import ReadOnlyKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

FIELDS = (Field("Name", "name"), Field("Arn", "arn"), Field("ExecutionRoleArn", "executionRoleArn"))
DRAFT = "DRAFT"
MODEL_NODES = ("prompt", "knowledgeBase")
"""Nodes that run a model and can carry a guardrail."""


class Flow(ReadOnlyKind):
    """Flows with the nodes that run a model, in the working draft and in each version that an alias leads to."""

    type = "AWS::Bedrock::Flow"
    permissions = Permissions(
        ("bedrock:GetFlow", "bedrock:GetFlowVersion", "bedrock:ListFlowAliases", "bedrock:ListFlows"), ()
    )

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
            reading.found(("Versions",), partial(_routed, aws, identifier))
            yield self.seen(aws, identifier, reading.properties, reading.unknown, shared)


def _flow(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {**from_api(answer, FIELDS), "Nodes": _nodes(answer)}


def _routed(aws: Aws, flow: str) -> dict[str, Any]:
    """Versions that an alias leads to, each with the nodes that run a model."""
    aliases = aws.pages("bedrock-agent", "ListFlowAliases", "flowAliasSummaries", flowIdentifier=flow)
    numbers = {
        str(route.get("flowVersion"))
        for alias in aliases
        for route in alias.get("routingConfiguration") or ()
        if route.get("flowVersion") not in (None, DRAFT)
    }
    return {"Versions": [_version(aws, flow, number) for number in sorted(numbers)]}


def _version(aws: Aws, flow: str, number: str) -> dict[str, Any]:
    told = aws.call("bedrock-agent", "GetFlowVersion", flowIdentifier=flow, flowVersion=number)
    return {"Version": number, "Nodes": _nodes(told)}


def _nodes(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    nodes = (answer.get("definition") or {}).get("nodes") or ()
    return [found for node in nodes for found in _node(node)]


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
