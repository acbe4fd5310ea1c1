"""What AWS rejects in alarms and topic policies over moto.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.sandbox import documents
from ringwall.sandbox.alarms import INSUFFICIENT
from ringwall.sandbox.backend import condensed
from ringwall.sandbox.call import AwsError, Output
from ringwall.sandbox.hooks import Hooks
from ringwall.sandbox.metric_statistics import check_expressions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ringwall.sandbox.backend import Reply
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
_UNCHECKED = "Unchecked: Initial alarm creation"
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
    if parameters.get("Metrics"):
        _check_metrics(parameters["Metrics"])
    for arn in parameters.get("AlarmActions") or ():
        if not arn.startswith("arn:"):
            raise _invalid(f"Invalid arn syntax: {arn}")


def _check_metrics(queries: Sequence[Mapping[str, Any]]) -> None:
    """The metrics and expressions of an alarm: one of them is what it looks at."""
    ids = [query["Id"] for query in queries]
    if len(set(ids)) != len(ids):
        raise _invalid("Metrics list must have unique ids")
    check_expressions("PutMetricAlarm", queries, _invalid)
    returned = [query for query in queries if query.get("ReturnData", True)]
    if len(returned) != 1:
        raise _invalid("Exactly one element of the metrics list should return data.")


def _topic_policy(turn: Turn) -> None:
    if turn.parameters.get("AttributeName") == "Policy":
        documents.check(turn.parameters.get("AttributeValue"), documents.TOPIC, _invalid_topic)


def _create_topic(turn: Turn) -> None:
    text = (turn.parameters.get("Attributes") or {}).get("Policy")
    if text:
        documents.check(text, documents.TOPIC, _invalid_topic)


def _invalid_topic(message: str) -> AwsError:
    return AwsError("InvalidParameter", f"Invalid parameter: Policy Error: {message}")


def _new_alarm(turn: Turn, reply: Reply) -> None:
    """An alarm that nobody has judged yet knows nothing; one that is changed keeps its state until it is judged."""
    del reply
    gateway, region = turn.gateway, turn.call.region
    with gateway.moto.locked():
        alarm = gateway.moto.store("cloudwatch", turn.account, region).alarms[turn.parameters["AlarmName"]]
        if alarm.state_reason == _UNCHECKED:
            alarm.state_value = INSUFFICIENT
    gateway.alarms.evaluate(turn.account, region, lambda one: one is alarm)


def _data(turn: Turn) -> None:
    for datum in turn.parameters.get("MetricData") or ():
        values, counts = datum.get("Values"), datum.get("Counts")
        if values and counts is not None and len(values) != len(counts):
            raise AwsError(
                "InvalidParameterValue",
                "The parameters MetricData.member.N.Values and Counts must be of equal size.",
            )
    turn.parameters["MetricData"] = [
        {"Timestamp": turn.call.time, **condensed(datum)} for datum in turn.parameters.get("MetricData") or ()
    ]


def _observe(turn: Turn, reply: Reply) -> None:
    del reply
    turn.gateway.alarms.observe(turn.call.parameters, turn.account, turn.call.region)


def _look_again(turn: Turn) -> None:
    """Time passes without data, too."""
    if turn.account in turn.gateway.moto.accounts("cloudwatch"):
        turn.gateway.alarms.evaluate(turn.account, turn.call.region)


def _history(turn: Turn) -> Output:
    """DescribeAlarmHistory: state changes and actions, the newest first."""
    wanted, kind = turn.parameters.get("AlarmName"), turn.parameters.get("HistoryItemType")
    with turn.gateway.moto.locked():
        alarms = list(turn.gateway.moto.store("cloudwatch", turn.account, turn.call.region).alarms.values())
    items = [
        {
            "AlarmName": alarm.name,
            "AlarmType": "CompositeAlarm" if alarm.rule else "MetricAlarm",
            "Timestamp": time,
            "HistoryItemType": item,
            "HistorySummary": summary,
        }
        for alarm in alarms
        if wanted in {None, alarm.name}
        for time, item, summary in getattr(alarm, "ringwall_history", ())
        if kind in {None, item}
    ]
    oldest_first = turn.parameters.get("ScanBy") == "TimestampAscending"
    items.sort(key=lambda item: item["Timestamp"], reverse=not oldest_first)
    return Output({"AlarmHistoryItems": items[: turn.parameters.get("MaxRecords") or 100]})


MONITORING = Hooks(
    before={
        ("cloudwatch", "DescribeAlarms"): _look_again,
        ("cloudwatch", "DescribeAlarmsForMetric"): _look_again,
        ("cloudwatch", "PutMetricAlarm"): _alarm,
        ("cloudwatch", "PutMetricData"): _data,
        ("sns", "SetTopicAttributes"): _topic_policy,
        ("sns", "CreateTopic"): _create_topic,
    },
    after={("cloudwatch", "PutMetricAlarm"): _new_alarm, ("cloudwatch", "PutMetricData"): _observe},
    instead={("cloudwatch", "DescribeAlarmHistory"): _history},
)
