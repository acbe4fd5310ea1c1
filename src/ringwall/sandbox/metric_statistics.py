"""GetMetricStatistics and GetMetricData, from the minutes that alarms look at.

Exact for periods of a minute and more, over the last day. A percentile is the value at its rank, without interpolation.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ringwall.sandbox import metric_math
from ringwall.sandbox.alarms import MINUTE, Query, Stat, statistic
from ringwall.sandbox.call import AwsError, Output, not_carried_out
from ringwall.sandbox.hooks import Hooks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ringwall.sandbox.turn import Turn

_SHORT = frozenset({1, 5, 10, 20, 30})
_POINTS = 1440
_KEPT = 2 * 24 * 60 * MINUTE


def _check(given: Mapping[str, Any]) -> None:
    if given["StartTime"] >= given["EndTime"]:
        raise AwsError(
            "InvalidParameterValue",
            "The parameter StartTime must be less than the parameter EndTime.",
        )
    period = int(given["Period"])
    if period not in _SHORT and (period < MINUTE or period % MINUTE):
        raise AwsError(
            "InvalidParameterValue",
            "The parameter Period must be a multiple of 60, or 1, 5, 10, 20 or 30.",
        )
    if bool(given.get("Statistics")) == bool(given.get("ExtendedStatistics")):
        raise AwsError(
            "InvalidParameterCombination",
            "Exactly one of Statistics and ExtendedStatistics must be given.",
        )
    points = (given["EndTime"] - given["StartTime"]).total_seconds() / period
    if points > _POINTS:
        raise AwsError(
            "InvalidParameterCombination",
            f"You have requested up to {points:.0f} datapoints, which exceeds the limit of {_POINTS}.",
        )


def _statistics(turn: Turn) -> Output:
    given = turn.parameters
    _check(given)
    dimensions = tuple(sorted((pair["Name"], pair["Value"]) for pair in given.get("Dimensions") or ()))
    place = (turn.account, turn.call.region)
    minutes, unit = turn.gateway.alarms.recorded(
        (*place, str(given["Namespace"]), str(given["MetricName"]), dimensions)
    )
    start = int(given["StartTime"].timestamp()) // MINUTE * MINUTE
    end, period = given["EndTime"].timestamp(), max(int(given["Period"]), MINUTE)
    points: list[dict[str, Any]] = []
    if given.get("Unit") in {None, unit}:
        for moment in range(start, int(end) + (end > int(end)), period):
            inside = [one for one in minutes if moment <= one.start < moment + period and one.start < end]
            if inside:
                points.append(
                    {
                        "Timestamp": datetime.fromtimestamp(moment, UTC),
                        **_figures(given, inside),
                        "Unit": unit,
                    }
                )
    return Output({"Label": given["MetricName"], "Datapoints": points})


def _figures(given: Mapping[str, Any], minutes: list[Any]) -> dict[str, Any]:
    plain = {name: statistic(minutes, name) for name in given.get("Statistics") or ()}
    further = {name: statistic(minutes, name) for name in given.get("ExtendedStatistics") or ()}
    known = {name: value for name, value in further.items() if value is not None}
    return plain | ({"ExtendedStatistics": known} if known else {})


def check_expressions(
    operation: str, queries: Sequence[Mapping[str, Any]], refuse: Callable[[str], AwsError]
) -> None:
    """Check the metrics and expressions of an alarm or of GetMetricData.

    Raises:
        AwsError: an expression is none, or names no other query; 501 where it needs what is not carried out.
    """
    ids = {query["Id"] for query in queries}
    for query in queries:
        if bool(query.get("Expression")) == bool(query.get("MetricStat")):
            raise refuse(f"The metric {query['Id']} must have either an Expression or a MetricStat")
        if not query.get("Expression"):
            continue
        try:
            names = metric_math.read(query["Expression"]).names
        except metric_math.LackingError as lacking:
            raise not_carried_out("cloudwatch", operation, f"with {lacking}") from lacking
        except metric_math.ExpressionError as error:
            raise refuse(f"Invalid metrics list: Error in expression '{query['Id']}': {error}") from error
        if names - ids:
            missing = ", ".join(sorted(names - ids))
            raise refuse(f"Invalid metrics list: Unknown metric id(s) {missing} in '{query['Id']}'")


def _query(given: Mapping[str, Any]) -> Query:
    returned, stat = bool(given.get("ReturnData", True)), given.get("MetricStat")
    if stat is None:
        return Query(given["Id"], None, given["Expression"], returned, int(given.get("Period") or 0))
    metric = stat["Metric"]
    dimensions = tuple(sorted((pair["Name"], pair["Value"]) for pair in metric.get("Dimensions") or ()))
    asked = Stat(str(metric["Namespace"]), str(metric["MetricName"]), dimensions, stat["Stat"])
    return Query(given["Id"], asked, "", returned, int(stat["Period"]))


def _label(given: Mapping[str, Any]) -> str:
    stat = given.get("MetricStat")
    return str(given.get("Label") or (stat["Metric"]["MetricName"] if stat else given["Id"]))


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationError", message)


def _data(turn: Turn) -> Output:
    """GetMetricData: every query over the same periods, the longest that one of them has."""
    given = turn.parameters
    if given["StartTime"] >= given["EndTime"]:
        raise _invalid("The parameter StartTime must be less than the parameter EndTime.")
    check_expressions("GetMetricData", given["MetricDataQueries"], _invalid)
    queries = [_query(query) for query in given["MetricDataQueries"]]
    period = max([MINUTE, *(query.period for query in queries)])
    first, last = int(given["StartTime"].timestamp()) // period * period, given["EndTime"].timestamp()
    # Nothing older than a day is kept.
    starts = list(
        range(max(first, int(last) - _KEPT) // period * period, int(last) + (last > int(last)), period)
    )
    try:
        found = turn.gateway.alarms.answer(queries, (turn.account, turn.call.region), starts, period)
    except metric_math.ExpressionError as error:
        raise _invalid(f"Invalid metrics list: {error}") from error
    results = []
    for query, asked in zip(queries, given["MetricDataQueries"], strict=True):
        points = [pair for pair in zip(starts, found[query.id], strict=True) if pair[1] is not None]
        if given.get("ScanBy") != "TimestampAscending":
            points.reverse()
        if query.returned:
            results.append(
                {
                    "Id": query.id,
                    "Label": _label(asked),
                    "Timestamps": [datetime.fromtimestamp(start, UTC) for start, _ in points],
                    "Values": [value for _, value in points],
                    "StatusCode": "Complete",
                }
            )
    return Output({"MetricDataResults": results, "Messages": []})


STATISTICS = Hooks(
    instead={("cloudwatch", "GetMetricStatistics"): _statistics, ("cloudwatch", "GetMetricData"): _data}
)
