"""GetMetricStatistics, from the minutes that alarms look at.

Exact for periods of a minute and more, over the last day. A percentile is the value at its rank, without interpolation.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ringwall.sandbox.alarms import MINUTE, statistic
from ringwall.sandbox.call import AwsError, Output
from ringwall.sandbox.hooks import Hooks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.sandbox.turn import Turn

_SHORT = frozenset({1, 5, 10, 20, 30})
_POINTS = 1440


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


STATISTICS = Hooks(instead={("cloudwatch", "GetMetricStatistics"): _statistics})
