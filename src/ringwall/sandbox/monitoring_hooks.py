"""What AWS rejects in alarms and topic policies over moto.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.sandbox import documents
from ringwall.sandbox.call import AwsError
from ringwall.sandbox.hooks import Hooks

if TYPE_CHECKING:
    from ringwall.sandbox.turn import Turn

_COMPARISONS = frozenset(
    {
        "GreaterThanOrEqualToThreshold",
        "GreaterThanThreshold",
        "LessThanThreshold",
        "LessThanOrEqualToThreshold",
        "LessThanLowerOrGreaterThanUpperThreshold",
        "LessThanLowerThreshold",
        "GreaterThanUpperThreshold",
    }
)
_SHORT_PERIODS = frozenset({1, 5, 10, 20, 30})
_MISSING_DATA = frozenset({"breaching", "notBreaching", "ignore", "missing"})


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationError", message)


def _alarm(turn: Turn) -> None:
    parameters = turn.parameters
    operator = parameters.get("ComparisonOperator")
    if operator not in _COMPARISONS:
        raise _invalid(
            f"1 validation error detected: Value '{operator}' at 'comparisonOperator' failed to satisfy constraint: "
            f"Member must satisfy enum value set: {sorted(_COMPARISONS)}"
        )
    period = parameters.get("Period")
    if period is not None and period not in _SHORT_PERIODS and (period < 60 or period % 60):
        raise _invalid("Period must be 10, 20, 30 or a multiple of 60")
    if (parameters.get("EvaluationPeriods") or 0) < 1:
        raise _invalid("EvaluationPeriods must be at least 1")
    if not parameters.get("Metrics") and not parameters.get("MetricName"):
        raise AwsError(
            "MissingParameter", "The parameters MetricName and Namespace, or Metrics, are required"
        )
    if parameters.get("TreatMissingData", "missing") not in _MISSING_DATA:
        raise _invalid("TreatMissingData must be breaching, notBreaching, ignore or missing")
    for arn in parameters.get("AlarmActions") or ():
        if not arn.startswith("arn:"):
            raise _invalid(f"Invalid arn syntax: {arn}")


def _topic_policy(turn: Turn) -> None:
    if turn.parameters.get("AttributeName") == "Policy":
        documents.check(turn.parameters.get("AttributeValue"), documents.TOPIC, _invalid_topic)


def _create_topic(turn: Turn) -> None:
    text = (turn.parameters.get("Attributes") or {}).get("Policy")
    if text:
        documents.check(text, documents.TOPIC, _invalid_topic)


def _invalid_topic(message: str) -> AwsError:
    return AwsError("InvalidParameter", f"Invalid parameter: Policy Error: {message}")


MONITORING = Hooks(
    before={
        ("cloudwatch", "PutMetricAlarm"): _alarm,
        ("sns", "SetTopicAttributes"): _topic_policy,
        ("sns", "CreateTopic"): _create_topic,
    }
)
