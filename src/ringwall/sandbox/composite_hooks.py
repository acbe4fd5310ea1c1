"""Composite alarms, which moto lacks: kept among its alarms, judged by :class:`ringwall.sandbox.alarms.Alarms`.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from ringwall.sandbox import alarm_rules
from ringwall.sandbox.alarms import INSUFFICIENT
from ringwall.sandbox.call import AwsError, Output, not_carried_out
from ringwall.sandbox.hooks import Hooks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.sandbox.backend import Reply
    from ringwall.sandbox.turn import Turn

_SUPPRESSION = ("ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")


def _alarms(turn: Turn) -> dict[str, Any]:
    found: dict[str, Any] = turn.gateway.moto.store("cloudwatch", turn.account, turn.call.region).alarms
    return found


def _put(turn: Turn) -> Output:
    """PutCompositeAlarm."""
    given = turn.parameters
    if any(given.get(name) is not None for name in _SUPPRESSION):
        raise not_carried_out("cloudwatch", "PutCompositeAlarm", "with a suppressor of actions")
    _check_rule(turn, given["AlarmRule"])
    moto, name = turn.gateway.moto, given["AlarmName"]
    with moto.locked():
        before = _alarms(turn).get(name)
        alarm = moto.store("cloudwatch", turn.account, turn.call.region).put_metric_alarm(
            name,
            **dict.fromkeys(
                (
                    "namespace",
                    "metric_name",
                    "comparison_operator",
                    "evaluation_periods",
                    "period",
                    "threshold",
                    "statistic",
                )
            ),
            description=given.get("AlarmDescription"),
            dimensions=[],
            alarm_actions=list(given.get("AlarmActions") or ()),
            ok_actions=list(given.get("OKActions") or ()),
            insufficient_data_actions=list(given.get("InsufficientDataActions") or ()),
            actions_enabled=given.get("ActionsEnabled", True),
            rule=given["AlarmRule"],
            tags=given.get("Tags"),
        )
        alarm.state_value = before.state_value if before is not None else INSUFFICIENT
    turn.gateway.alarms.evaluate(turn.account, turn.call.region, lambda _: False)
    return Output({})


def _check_rule(turn: Turn, text: str) -> None:
    try:
        named = alarm_rules.read(text).names
    except alarm_rules.RuleError as error:
        raise AwsError("ValidationError", f"Invalid AlarmRule, {error}") from error
    with turn.gateway.moto.locked():
        known = {name for alarm in _alarms(turn).values() for name in (alarm.name, alarm.alarm_arn)}
    missing = sorted(named - known)
    if missing:
        raise AwsError(
            "ValidationError",
            f"Could not save the composite alarm as alarms [{', '.join(missing)}] in the alarm rule do not exist",
        )


def _delete(turn: Turn) -> None:
    """An alarm stays as long as the rule of another names it, unless both go."""
    going = set(turn.parameters["AlarmNames"])
    with turn.gateway.moto.locked():
        alarms = list(_alarms(turn).values())
    arns = {alarm.alarm_arn: alarm.name for alarm in alarms}
    for alarm in alarms:
        if alarm.rule and alarm.name not in going:
            named = {arns.get(name, name) for name in alarm_rules.read(alarm.rule).names}
            if named & going:
                raise AwsError(
                    "ValidationError",
                    f"Cannot delete {', '.join(sorted(named & going))} as there are composite alarm(s) depending on it: "
                    f"{alarm.name}",
                )


def _describe(turn: Turn, reply: Reply) -> None:
    """DescribeAlarms shows metric alarms alone unless composite ones are asked for."""
    types = turn.parameters.get("AlarmTypes") or ["MetricAlarm"]
    if "MetricAlarm" not in types:
        reply.parameters["MetricAlarms"] = []
    shown = [alarm["AlarmName"] for alarm in reply.parameters.get("CompositeAlarms") or ()]
    with turn.gateway.moto.locked():
        alarms = [_alarms(turn)[name] for name in shown if "CompositeAlarm" in types]
    reply.parameters["CompositeAlarms"] = [_shown(alarm) for alarm in alarms]


def _shown(alarm: Any) -> Mapping[str, Any]:
    return {
        "AlarmName": alarm.name,
        "AlarmArn": alarm.alarm_arn,
        **({"AlarmDescription": alarm.description} if alarm.description else {}),
        "AlarmRule": alarm.rule,
        "ActionsEnabled": alarm.actions_enabled,
        "OKActions": alarm.ok_actions,
        "AlarmActions": alarm.alarm_actions,
        "InsufficientDataActions": alarm.insufficient_data_actions,
        "StateValue": alarm.state_value,
        "StateReason": alarm.state_reason,
        "StateUpdatedTimestamp": alarm.state_updated_timestamp.replace(tzinfo=UTC),
        "AlarmConfigurationUpdatedTimestamp": alarm.configuration_updated_timestamp.replace(tzinfo=UTC),
    }


COMPOSITE = Hooks(
    before={("cloudwatch", "DeleteAlarms"): _delete},
    after={("cloudwatch", "DescribeAlarms"): _describe},
    instead={("cloudwatch", "PutCompositeAlarm"): _put},
)
