"""``Ringwall::Bedrock::Usage``: whether Bedrock is used in a Region, and by which paths; CloudFormation has no type.

Seen from three sides, none of which is enough: what is configured (agents, flows, knowledge bases, guardrails, logging),
what has been run (asynchronous invocations), and what has been metered. CloudWatch lists a metric for two weeks after its last datapoint,
so that even an account that only ever calls ``InvokeModel`` and configured nothing shows up.

AWS sources: https://docs.aws.amazon.com/bedrock/latest/userguide/monitoring.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import Reading
from ringwall.estate.kinds.singleton import Singleton
from ringwall.estate.kinds.vpc import ReadOnlyKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

LISTINGS = (
    # property, service, operation, key of the listing, IAM action
    ("Agents", "bedrock-agent", "ListAgents", "agentSummaries", "bedrock:ListAgents"),
    ("Flows", "bedrock-agent", "ListFlows", "flowSummaries", "bedrock:ListFlows"),
    (
        "KnowledgeBases",
        "bedrock-agent",
        "ListKnowledgeBases",
        "knowledgeBaseSummaries",
        "bedrock:ListKnowledgeBases",
    ),
    (
        "AsyncInvocations",
        "bedrock-runtime",
        "ListAsyncInvokes",
        "asyncInvokeSummaries",
        "bedrock:ListAsyncInvokes",
    ),
)
METERED = (
    # property, CloudWatch namespace, dimension whose values are kept
    ("Models", "AWS/Bedrock", "ModelId"),
    ("AgentOperations", "AWS/Bedrock/Agents", "Operation"),
    ("MantleMetrics", "AWS/BedrockMantle", None),
    ("AgentCoreMetrics", "AWS/Bedrock-AgentCore", None),
)


class Usage(Singleton, ReadOnlyKind):
    """How much of each there is; ``Models`` and ``AgentOperations`` are names that CloudWatch has metered lately."""

    type = "Ringwall::Bedrock::Usage"
    slug = "usage"
    permissions = Permissions(
        (
            *(row[-1] for row in LISTINGS),
            "bedrock:ListGuardrails",
            "bedrock:GetModelInvocationLoggingConfiguration",
            "cloudwatch:ListMetrics",
        ),
        (),
    )

    def read(self, aws: Aws) -> Iterator[Resource]:
        """One resource for the Region; what could not be listed is unknown."""
        reading = Reading(aws)
        for name, service, operation, key, _ in LISTINGS:
            reading.take_all(name, (service, operation, {}), key, len)
        reading.take_all("Guardrails", ("bedrock", "ListGuardrails", {}), "guardrails", len)
        reading.take(
            "InvocationLogging",
            ("bedrock", "GetModelInvocationLoggingConfiguration", {}),
            lambda answer: bool(answer.get("loggingConfig")),
        )
        for name, namespace, dimension in METERED:
            call = ("cloudwatch", "ListMetrics", {"Namespace": namespace})
            reading.take_all(name, call, "Metrics", len if dimension is None else _values(dimension))
        yield self.seen(aws, self.slug, reading.properties, reading.unknown)


def _values(dimension: str) -> Any:
    def convert(metrics: list[Any]) -> list[str]:
        found = {
            str(item["Value"])
            for metric in metrics
            for item in metric.get("Dimensions", ())
            if item["Name"] == dimension
        }
        return sorted(found)

    return convert
