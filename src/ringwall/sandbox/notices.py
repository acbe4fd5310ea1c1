"""What services tell of their own accord: alarms to topics and to EventBridge, and EventBridge's rules to targets.

Notices are real calls, made as the service, so the topic's policy decides whether they arrive; one that does not leaves
its reason in the alarm's history or among :attr:`Notices.problems`. They wait for :meth:`Notices.flush`, which the
trail's thread calls every few seconds: whoever causes one does not wait for it.

Targets that receive: SNS topics and log groups. Rules see the default event bus.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
"""

from __future__ import annotations

import json
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from ringwall.sandbox import chance, moments
from ringwall.sandbox.call import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ringwall.sandbox.gateway import Gateway

CLOUDWATCH, EVENTS = "cloudwatch.amazonaws.com", "events.amazonaws.com"

_WAITING = 10_000
Place = tuple[str, str]


class Notices:
    """The notices that wait, and their delivery."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._lock = threading.Lock()
        self._actions: deque[tuple[Any, str, Mapping[str, Any], Place]] = deque(maxlen=_WAITING)
        self._events: deque[tuple[Mapping[str, Any], Place]] = deque(maxlen=_WAITING)
        self.problems: dict[str, str] = {}

    def alarm(self, alarm: Any, before: str, place: Place, now: datetime) -> None:
        """An alarm's state changed."""
        actions = {
            "ALARM": alarm.alarm_actions,
            "OK": alarm.ok_actions,
            "INSUFFICIENT_DATA": alarm.insufficient_data_actions,
        }[alarm.state_value]
        if alarm.actions_enabled:
            message = _message(alarm, before, place, now)
            self._actions.extend((alarm, action, message, place) for action in actions or ())
        self.event(_state_change(alarm, before, place, now), place)

    def event(self, event: Mapping[str, Any], place: Place) -> None:
        """Something happened that EventBridge's rules may be waiting for."""
        self._events.append((event, place))

    def wanted(self, account: str, region: str) -> bool:
        """Whether any rule waits for events of an account and Region."""
        moto = self._gateway.moto
        with moto.locked():
            return account in moto.accounts("events") and region in moto.regions("events", account)

    def flush(self) -> None:
        """Deliver what waits."""
        with self._lock:
            while self._actions:
                self._act(*self._actions.popleft())
            while self._events:
                self._dispatch(*self._events.popleft())

    def _act(self, alarm: Any, action: str, message: Mapping[str, Any], place: Place) -> None:
        now = self._gateway.now()
        if ":sns:" not in action:
            remember(alarm, "Action", f"The sandbox does not carry out the action {action}", now)
            return
        subject = f'{message["NewStateValue"]}: "{alarm.name}" in {place[1]}'[:100]
        parameters = {"TopicArn": action, "Subject": subject, "Message": json.dumps(message)}
        self._publish(CLOUDWATCH, parameters, alarm.alarm_arn, place)
        done = "Failed to execute" if alarm.alarm_arn in self.problems else "Successfully executed"
        remember(alarm, "Action", f"{done} action {action}", now)

    def _publish(self, principal: str, parameters: Mapping[str, Any], source: str, place: Place) -> None:
        context = {"aws:sourcearn": (source,), "aws:sourceaccount": (place[0],)}
        topic = str(parameters["TopicArn"]).split(":")
        try:
            self._gateway.call_as(
                principal, "sns", "Publish", parameters, account=topic[4], region=topic[3], context=context
            )
            self.problems.pop(source, None)
        except AwsError as error:
            self.problems[source] = f"{parameters['TopicArn']}: {error.code}: {error.message}"

    def _dispatch(self, event: Mapping[str, Any], place: Place) -> None:
        account, region = place
        if not self.wanted(account, region):
            return
        moto = self._gateway.moto
        with moto.locked():
            rules = [
                (rule, list(rule.targets))
                for bus in moto.store("events", account, region).event_buses.values()
                if bus.name == "default"
                for rule in bus.rules.values()
                if rule.state != "DISABLED"
                and not rule.scheduled_expression
                and rule.event_pattern.matches_event(event)
            ]
        for rule, targets in rules:
            for target in targets:
                self._hand_over(rule, target, event, place)

    def _hand_over(
        self, rule: Any, target: Mapping[str, Any], event: Mapping[str, Any], place: Place
    ) -> None:
        arn, text = str(target["Arn"]), str(target.get("Input") or json.dumps(event))
        if ":sns:" in arn:
            self._publish(EVENTS, {"TopicArn": arn, "Message": text}, rule.arn, place)
        elif ":log-group:" in arn:
            self._log(rule, arn, text, place)
        else:
            self.problems[rule.arn] = f"The sandbox delivers no events to {arn}"

    def _log(self, rule: Any, arn: str, text: str, place: Place) -> None:
        account, region = place
        group = arn.split(":log-group:")[1].removesuffix(":*")
        stream = {"logGroupName": group, "logStreamName": chance.identifier()}
        moment = int(self._gateway.now().timestamp() * 1000)
        events = [{"timestamp": moment, "message": text}]
        context = {"aws:sourcearn": (rule.arn,), "aws:sourceaccount": (account,)}
        where: dict[str, Any] = {"account": account, "region": region, "context": context}
        try:
            self._gateway.call_as(EVENTS, "logs", "CreateLogStream", stream, **where)
            self._gateway.call_as(EVENTS, "logs", "PutLogEvents", {**stream, "logEvents": events}, **where)
            self.problems.pop(rule.arn, None)
        except AwsError as error:
            self.problems[rule.arn] = f"{arn}: {error.code}: {error.message}"


def remember(alarm: Any, kind: str, summary: str, now: datetime) -> None:
    """Add to an alarm's history; the latest hundred items are kept."""
    kept = getattr(alarm, "ringwall_history", None)
    if kept is None:
        kept = alarm.ringwall_history = deque(maxlen=100)
    kept.append((now, kind, summary))


def api_call(record: Mapping[str, Any]) -> dict[str, Any]:
    """The EventBridge event of a CloudTrail record."""
    source = str(record["eventSource"]).split(".", 1)[0]
    return {
        "version": "0",
        "id": chance.identifier(),
        "detail-type": "AWS API Call via CloudTrail",
        "source": f"aws.{source}",
        "account": record["recipientAccountId"],
        "time": record["eventTime"],
        "region": record["awsRegion"],
        "resources": [],
        "detail": dict(record),
    }


def _state_change(alarm: Any, before: str, place: Place, now: datetime) -> dict[str, Any]:
    account, region = place
    return {
        "version": "0",
        "id": chance.identifier(),
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": account,
        "time": moments.stamp(now),
        "region": region,
        "resources": [alarm.alarm_arn],
        "detail": {
            "alarmName": alarm.name,
            "state": {
                "value": alarm.state_value,
                "reason": alarm.state_reason,
                "reasonData": alarm.state_reason_data,
                "timestamp": now.isoformat(timespec="milliseconds"),
            },
            "previousState": {"value": before},
            "configuration": {"description": alarm.description},
        },
    }


def _message(alarm: Any, before: str, place: Place, now: datetime) -> dict[str, Any]:
    account, region = place
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account,
        "NewStateValue": alarm.state_value,
        "NewStateReason": alarm.state_reason,
        "StateChangeTime": now.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        "Region": region,
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": before,
        **({"AlarmRule": alarm.rule} if alarm.rule else {"Trigger": _trigger(alarm)}),
    }


def _trigger(alarm: Any) -> dict[str, Any]:
    looked_at: dict[str, Any] = {
        "MetricName": alarm.metric_name,
        "Namespace": alarm.namespace,
        "Statistic": (alarm.statistic or "").upper(),
        "Dimensions": [{"name": pair.name, "value": pair.value} for pair in alarm.dimensions],
        "Period": alarm.period,
    }
    if alarm.metric_data_queries:
        looked_at = {
            "Metrics": [
                {
                    "Id": query.id,
                    **({"Expression": query.expression} if query.expression else {}),
                    "Label": query.label,
                }
                for query in alarm.metric_data_queries
            ]
        }
    return {
        **looked_at,
        "EvaluationPeriods": alarm.evaluation_periods,
        "ComparisonOperator": alarm.comparison_operator,
        "Threshold": alarm.threshold,
        "TreatMissingData": alarm.treat_missing_data or "missing",
    }
