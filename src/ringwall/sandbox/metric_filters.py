"""Metric filters: what log events of a group count for in CloudWatch, and so for alarms.

A match counts with the filter's value, a number or a property of the event; minutes in which events came and none
matched count with the default value, where the filter has one.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ringwall.sandbox import filter_patterns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ringwall.sandbox.turn import Turn

_MINUTE = 60_000


def count(turn: Turn, group: str, events: Sequence[Mapping[str, Any]]) -> None:
    """Give CloudWatch what the metric filters of a group make of log events."""
    moto = turn.gateway.moto
    with moto.locked():
        filters = moto.store("logs", turn.account, turn.call.region).filters.get_matching_filters(
            log_group_name=group
        )
    for one in filters:
        matches = filter_patterns.read(one["filterPattern"])
        matched = [event for event in events if matches(event["message"])]
        for transformation in one["metricTransformations"]:
            data = [*_data(transformation, matched), *_defaults(transformation, events, matched)]
            if data:
                parameters = {"Namespace": transformation["metricNamespace"], "MetricData": data}
                turn.gateway.peek("cloudwatch", "PutMetricData", parameters, turn.account, turn.call.region)


def _data(transformation: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for event in events:
        value = _value(str(transformation["metricValue"]), event["message"])
        dimensions = _dimensions(transformation.get("dimensions") or {}, event["message"])
        if value is not None and dimensions is not None:
            yield {**_datum(transformation, value, event["timestamp"]), "Dimensions": dimensions}


def _value(text: str, message: str) -> float | None:
    return filter_patterns.number_at(message, text) if text.startswith("$") else float(text)


def _dimensions(wanted: Mapping[str, str], message: str) -> list[dict[str, str]] | None:
    """Dimensions with what stands at their properties; ``None`` where one of them is absent: then nothing counts."""
    found = {name: filter_patterns.text_at(message, selector) for name, selector in wanted.items()}
    if any(value is None for value in found.values()):
        return None
    return [{"Name": name, "Value": str(value)} for name, value in found.items()]


def _defaults(
    transformation: Mapping[str, Any],
    events: Sequence[Mapping[str, Any]],
    matched: Sequence[Mapping[str, Any]],
) -> Iterator[dict[str, Any]]:
    value = transformation.get("defaultValue")
    if value is None:
        return
    counted = {event["timestamp"] // _MINUTE for event in matched}
    for minute in sorted({event["timestamp"] // _MINUTE for event in events} - counted):
        yield _datum(transformation, float(value), minute * _MINUTE)


def _datum(transformation: Mapping[str, Any], value: float, moment: int) -> dict[str, Any]:
    return {
        "MetricName": transformation["metricName"],
        "Value": value,
        "Timestamp": datetime.fromtimestamp(moment / 1000, UTC),
        "Unit": transformation.get("unit") or "None",
    }
