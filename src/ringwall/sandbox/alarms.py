"""Metric alarms: the state that data points give them, judged as data arrives and whenever alarms are looked at.

An alarm looks at its latest evaluation periods, the present one included, and alarms when as many of them as
``DatapointsToAlarm`` says breach. What a period without data counts as is the alarm's ``TreatMissingData``.

Exact for alarms on one metric, or on metric math (:mod:`ringwall.sandbox.metric_math`), of up to a day. Composite alarms
follow the states of others. CloudWatch looks back further than the evaluation range for data points in place of missing
ones; here the range alone counts.

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

from ringwall.sandbox import alarm_rules, metric_math
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


@dataclass(frozen=True, slots=True)
class Stat:
    """A statistic of a metric."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str


@dataclass(frozen=True, slots=True)
class Query:
    """A metric or an expression, as alarms and GetMetricData have them.

    Attributes:
        stat: the metric; ``None`` = an expression.
        returned: whether the query is what the whole is about (``ReturnData``).
        period: seconds; 0 = that of what it names.
    """

    id: str
    stat: Stat | None
    expression: str
    returned: bool
    period: int


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
            account,
            region,
            lambda alarm: any(space == namespace and name in touched for space, name in _metrics(alarm)),
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
            if wanted(alarm) and _judged(alarm):
                verdict = judge(self._points(alarm, account, region), alarm)
                if verdict is not None and verdict.state != alarm.state_value:
                    self._change(alarm, verdict, account, region)
        self._follow([alarm for alarm in found if alarm.rule], found, account, region)

    def _follow(self, composites: Sequence[Any], alarms: Sequence[Any], account: str, region: str) -> None:
        """Let composite alarms follow the states of others, which may be composite too."""
        for _ in composites:
            states = {name: alarm.state_value for alarm in alarms for name in (alarm.name, alarm.alarm_arn)}
            for alarm in composites:
                rule = alarm_rules.read(alarm.rule)
                state = ALARM if rule.holds(states) else OK
                if state != alarm.state_value:
                    named = ", ".join(sorted(rule.names))
                    reason = f"{alarm.alarm_arn} transitioned to {state}: the states of {named} decide {alarm.rule}"
                    self._change(alarm, Verdict(state, reason), account, region)
                    break
            else:
                return

    def _points(self, alarm: Any, account: str, region: str) -> list[float | None]:
        """What an alarm looks at, period by period, the latest first."""
        periods = int(alarm.evaluation_periods)
        if not alarm.metric_data_queries:
            asked = Stat(
                alarm.namespace,
                alarm.metric_name,
                _dimensions((pair.name, pair.value) for pair in alarm.dimensions),
                alarm.extended_statistic or alarm.statistic,
            )
            period = max(int(alarm.period), MINUTE)
            return list(
                reversed(self.series(asked, (account, region), self._present(period, periods), period))
            )
        queries = [_query(query) for query in alarm.metric_data_queries]
        period = max((query.period for query in queries if query.period), default=MINUTE)
        found = self.answer(queries, (account, region), self._present(period, periods), period)
        shown = next((query for query in queries if query.returned), queries[-1])
        return list(reversed(found[shown.id]))

    def _present(self, period: int, periods: int) -> list[int]:
        """Starts of the latest periods, the oldest first."""
        present = int(self._now().timestamp()) // period * period
        return [present - period * index for index in reversed(range(periods))]

    def series(
        self, asked: Stat, place: tuple[str, str], starts: Sequence[int], period: int
    ) -> metric_math.Series:
        """A statistic of a metric, for each period that starts at one of some moments."""
        with self._lock:
            minutes = list(self._metrics.get((*place, asked.namespace, asked.name, asked.dimensions), ()))
        return tuple(
            statistic(
                [minute for minute in minutes if start <= minute.start < start + period], asked.statistic
            )
            for start in starts
        )

    def answer(
        self, queries: Sequence[Query], place: tuple[str, str], starts: Sequence[int], period: int
    ) -> dict[str, metric_math.Series]:
        """The time series of each query, by id.

        Raises:
            metric_math.ExpressionError: an expression names no query, or gives no single time series.
        """
        metrics = [query.id for query in queries if query.stat]
        found: dict[str, metric_math.Series] = {
            query.id: self.series(query.stat, place, starts, period) for query in queries if query.stat
        }
        waiting = [query for query in queries if not query.stat]
        while waiting:
            known = {query.id for query in waiting}
            ready = [query for query in waiting if not metric_math.read(query.expression).names & known]
            if not ready:
                raise metric_math.ExpressionError("the expressions name each other")
            for query in ready:
                found[query.id] = metric_math.read(query.expression).series(
                    found, metrics, period, len(starts)
                )
                waiting.remove(query)
        return found

    def _change(self, alarm: Any, verdict: Verdict, account: str, region: str) -> None:
        before, now = alarm.state_value, self._now()
        data = {"version": "1.0", "queryDate": now.isoformat(), "threshold": alarm.threshold}
        with self._moto.locked():
            alarm.update_state(verdict.reason, json.dumps(data), verdict.state)
        remember(alarm, "StateUpdate", f"Alarm updated from {before} to {verdict.state}", now)
        self._notices.alarm(alarm, before, (account, region), now)


def _judged(alarm: Any) -> bool:
    """Whether an alarm looks at metrics, against a threshold."""
    return bool(
        not alarm.rule
        and alarm.comparison_operator in _COMPARE
        and (alarm.metric_data_queries or (alarm.metric_name and alarm.period))
    )


def _metrics(alarm: Any) -> Iterator[tuple[str, str]]:
    """Namespace and name of each metric that an alarm looks at."""
    if alarm.metric_name:
        yield alarm.namespace, alarm.metric_name
    for query in alarm.metric_data_queries:
        if query.metric_stat:
            yield query.metric_stat.metric.namespace, query.metric_stat.metric.metric_name


def _query(query: Any) -> Query:
    """One of moto's queries."""
    returned = str(query.return_data).lower() != "false"
    stat = query.metric_stat
    if stat is None:
        return Query(query.id, None, str(query.expression), returned, int(query.period or 0))
    dimensions = _dimensions((pair.name, pair.value) for pair in stat.metric.dimensions)
    asked = Stat(stat.metric.namespace, stat.metric.metric_name, dimensions, stat.stat)
    return Query(query.id, asked, "", returned, int(stat.period))


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
