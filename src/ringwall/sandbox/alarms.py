"""Metric alarms: the state that data points give them, judged as data arrives and whenever alarms are looked at.

An alarm looks at its latest evaluation periods, the present one included, and alarms when as many of them as
``DatapointsToAlarm`` says breach. What a period without data counts as is the alarm's ``TreatMissingData``.

Exact for alarms on one metric of up to a day. Not evaluated, so that they keep the state INSUFFICIENT_DATA: metric math,
anomaly detection, and composite alarms. CloudWatch looks back further than the evaluation range for data points in place
of missing ones; here the range alone counts.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

from __future__ import annotations

import json
import math
import operator
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ringwall.sandbox.notices import remember

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from ringwall.sandbox.backend import Moto
    from ringwall.sandbox.notices import Notices

OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"

MINUTE = 60
_MINUTES_KEPT = 24 * 60
_VALUES_KEPT = 1000
_DATA_KEPT = 20_000
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_WORDS = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}

Key = tuple[str, str, str, str, tuple[tuple[str, str], ...]]
"""Account, Region, namespace, name and dimensions of a metric."""


@dataclass
class Minute:
    """Data of one metric in one minute.

    Attributes:
        values: how often each value occurred, for percentiles; of the first thousand different ones.
    """

    start: int
    count: float = 0.0
    total: float = 0.0
    lowest: float = math.inf
    highest: float = -math.inf
    values: dict[float, float] = field(default_factory=dict)

    def add(self, value: float, count: float = 1.0) -> None:
        """Add a value that occurred some times."""
        self.merge(count, value * count, value, value)
        if value in self.values or len(self.values) < _VALUES_KEPT:
            self.values[value] = self.values.get(value, 0.0) + count

    def merge(self, count: float, total: float, lowest: float, highest: float) -> None:
        """Add a set of statistics."""
        self.count += count
        self.total += total
        self.lowest, self.highest = min(self.lowest, lowest), max(self.highest, highest)


def statistic(minutes: Sequence[Minute], name: str) -> float | None:
    """A statistic (``Sum``, ``p99``) over some minutes; ``None`` without data, or for one that is not known."""
    count = sum(minute.count for minute in minutes)
    if not count:
        return None
    total = sum(minute.total for minute in minutes)
    if name.startswith("p") and name[1:].replace(".", "", 1).isdigit():
        return _percentile(minutes, float(name[1:]) / 100)
    known = {
        "Sum": total,
        "SampleCount": count,
        "Average": total / count,
        "Minimum": min(minute.lowest for minute in minutes),
        "Maximum": max(minute.highest for minute in minutes),
    }
    return known.get(name)


def _percentile(minutes: Sequence[Minute], part: float) -> float | None:
    counted: dict[float, float] = {}
    for minute in minutes:
        for value, count in minute.values.items():
            counted[value] = counted.get(value, 0.0) + count
    rank, passed = max(part * sum(counted.values()), 1.0), 0.0
    for value in sorted(counted):
        passed += counted[value]
        if passed >= rank:
            return value
    return None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state that an alarm should have, and why."""

    state: str
    reason: str


def judge(points: Sequence[float | None], alarm: Any) -> Verdict | None:
    """The state that data points give an alarm.

    Args:
        points: the statistic of each evaluation period, the latest first; ``None`` = no data.
        alarm: one of moto's.

    Returns:
        ``None`` where the alarm keeps the state that it has.
    """
    compare = _COMPARE[alarm.comparison_operator]
    threshold, missing = float(alarm.threshold), alarm.treat_missing_data or "missing"
    needed = int(alarm.datapoints_to_alarm or alarm.evaluation_periods)
    real = [point for point in points if point is not None]
    breaching = sum(compare(point, threshold) for point in real)
    absent = len(points) - len(real)
    if not real and missing in {"missing", "ignore"}:
        if missing == "ignore":
            return None
        return Verdict(INSUFFICIENT, f"Insufficient Data: {absent} datapoints were unknown.")
    counted = breaching + (absent if missing == "breaching" else 0)
    if missing in {"missing", "ignore"} and len(real) < needed:
        if missing == "ignore" and counted < needed:
            return None
        needed = len(real)
    crossed = counted >= needed
    shown = ", ".join(f"{point:g}" for point in real) or "no datapoint"
    number = (
        f"{counted if crossed else len(points) - counted} out of the last {len(points)} datapoints [{shown}]"
    )
    relation = (
        f"{'was' if crossed else 'was not'} {_WORDS[alarm.comparison_operator]} the threshold ({threshold:g})"
    )
    return Verdict(ALARM if crossed else OK, f"Threshold Crossed: {number} {relation}.")


class Alarms:
    """The metrics of all accounts, minute by minute, and the alarms that look at them."""

    def __init__(self, moto: Moto, notices: Notices, now: Callable[[], datetime]) -> None:
        self._moto = moto
        self._notices = notices
        self._now = now
        self._lock = threading.Lock()
        self._metrics: dict[Key, deque[Minute]] = {}
        self._units: dict[Key, str] = {}

    def observe(self, parameters: Mapping[str, Any], account: str, region: str) -> None:
        """Take in what PutMetricData put, and judge the alarms that look at it."""
        namespace, now = str(parameters["Namespace"]), self._now()
        touched: set[str] = set()
        with self._lock:
            for datum in parameters.get("MetricData", ()):
                dimensions = _dimensions(
                    (pair["Name"], pair["Value"]) for pair in datum.get("Dimensions", ())
                )
                key = (account, region, namespace, str(datum["MetricName"]), dimensions)
                moment = datum.get("Timestamp") or now
                self._units[key] = str(datum.get("Unit") or "None")
                _add(self._minute(key, int(moment.timestamp()) // MINUTE * MINUTE), datum)
                touched.add(str(datum["MetricName"]))
        self._forget(account, region)
        self.evaluate(
            account, region, lambda alarm: alarm.namespace == namespace and alarm.metric_name in touched
        )

    def recorded(self, key: Key) -> tuple[list[Minute], str]:
        """The minutes of a metric, and the unit of its latest datum."""
        with self._lock:
            return list(self._metrics.get(key, ())), self._units.get(key, "None")

    def _minute(self, key: Key, start: int) -> Minute:
        minutes = self._metrics.setdefault(key, deque(maxlen=_MINUTES_KEPT))
        for minute in reversed(minutes):
            if minute.start == start:
                return minute
            if minute.start < start:
                break
        minutes.append(Minute(start))
        return minutes[-1]

    def _forget(self, account: str, region: str) -> None:
        """Metrics of long ago make room; moto would keep them all."""
        with self._moto.locked():
            data = self._moto.store("cloudwatch", account, region).metric_data
            if len(data) > 2 * _DATA_KEPT:
                del data[:-_DATA_KEPT]

    def evaluate(self, account: str, region: str, wanted: Callable[[Any], bool] = lambda _: True) -> None:
        """Judge alarms of an account and Region by what is known now."""
        with self._moto.locked():
            found = list(self._moto.store("cloudwatch", account, region).alarms.values())
        for alarm in found:
            if wanted(alarm) and _simple(alarm):
                verdict = judge(self._points(alarm, account, region), alarm)
                if verdict is not None and verdict.state != alarm.state_value:
                    self._change(alarm, verdict, account, region)

    def _points(self, alarm: Any, account: str, region: str) -> list[float | None]:
        dimensions = _dimensions((pair.name, pair.value) for pair in alarm.dimensions)
        period = max(int(alarm.period), MINUTE)
        name = alarm.extended_statistic or alarm.statistic
        present = int(self._now().timestamp()) // period * period
        with self._lock:
            key = (account, region, alarm.namespace, alarm.metric_name, dimensions)
            minutes = list(self._metrics.get(key, ()))
        starts = [present - period * index for index in range(int(alarm.evaluation_periods))]
        return [
            statistic([minute for minute in minutes if start <= minute.start < start + period], name)
            for start in starts
        ]

    def _change(self, alarm: Any, verdict: Verdict, account: str, region: str) -> None:
        before, now = alarm.state_value, self._now()
        data = {"version": "1.0", "queryDate": now.isoformat(), "threshold": alarm.threshold}
        with self._moto.locked():
            alarm.update_state(verdict.reason, json.dumps(data), verdict.state)
        remember(alarm, "StateUpdate", f"Alarm updated from {before} to {verdict.state}", now)
        self._notices.alarm(alarm, before, (account, region), now)


def _simple(alarm: Any) -> bool:
    """Whether an alarm looks at one metric, against a threshold."""
    return bool(
        alarm.metric_name
        and not alarm.rule
        and not alarm.metric_data_queries
        and alarm.comparison_operator in _COMPARE
        and alarm.period
    )


def _dimensions(pairs: Iterator[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(pairs))


def _add(minute: Minute, datum: Mapping[str, Any]) -> None:
    values, statistics = datum.get("Values"), datum.get("StatisticValues")
    if values:
        for value, count in zip(values, datum.get("Counts") or [1.0] * len(values), strict=False):
            minute.add(float(value), float(count))
    elif statistics:
        names = ("SampleCount", "Sum", "Minimum", "Maximum")
        minute.merge(*(float(statistics[name]) for name in names))
    else:
        minute.add(float(datum.get("Value", 0)))
