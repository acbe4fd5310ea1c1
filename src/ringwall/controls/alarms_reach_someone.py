"""Every alarm reaches somebody.

## What it does

Creates alarms on failing log delivery, a failing or very busy guardrail, bursts of refused and throttled calls and use
of `bedrock-mantle`, a rule that reports every call that changes a control, an encrypted topic and a subscription. The
check follows each alarm to a person: action, topic, topic policy, key policy, confirmed subscription.

## Why

An alarm that notifies a topic which CloudWatch may not publish to, or whose key CloudWatch may not use, is silent, and
nothing anywhere says so.

## How it fails

- The alarm has no action, or `ActionsEnabled` is off.
- The topic was deleted, or its policy does not name `cloudwatch.amazonaws.com`.
- The topic is encrypted with the AWS-managed key, which CloudWatch and EventBridge may not use, or with a key whose
  policy forgets them.
- The subscription waits for a confirmation that went to a mailbox nobody reads.
- The rule exists and is disabled, or has no target.

## AWS sources

- https://docs.aws.amazon.com/bedrock/latest/userguide/monitoring-runtime-metrics.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/monitoring-guardrails-cw-metrics.html
- https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.controls import alarms
from ringwall.controls.ask import ask, unusable, words
from ringwall.controls.control import Control
from ringwall.controls.verdicts import fail, not_applicable, ok, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.controls.context import CheckContext
    from ringwall.controls.findings import Finding
    from ringwall.estate.model import Resource
    from ringwall.perimeter.model import Perimeter

SLUG = "alarms-reach-someone"
ALARM, RULE, TOPIC = "AWS::CloudWatch::Alarm", "AWS::Events::Rule", "AWS::SNS::Topic"
SUBSCRIPTION = "AWS::SNS::Subscription"
CLOUDWATCH, EVENTBRIDGE = "cloudwatch.amazonaws.com", "events.amazonaws.com"
MANAGED_KEY = "alias/aws/sns"
WATCHED = {
    ALARM: (
        "Namespace", "MetricName", "Dimensions", "Statistic", "Period", "EvaluationPeriods", "Threshold",
        "ComparisonOperator", "TreatMissingData",
    ),
    RULE: ("EventPattern",),
}  # fmt: skip
"""What says when an alarm or a rule reacts."""


def compile_(perimeter: Perimeter) -> Iterator[Resource]:
    """Topic, alarms and rule."""
    yield from alarms.topic(perimeter)
    yield from alarms.alarms(perimeter)
    yield alarms.tampering_rule(perimeter)


def check(context: CheckContext) -> Iterator[Finding]:
    """Follow every alarm and rule; one pass if all of them reach somebody."""
    walk = _Walk(context)
    judged = list(_senders(context, walk))
    if walk.problems:
        for about, problems in walk.problems.items():
            yield fail(
                context,
                CONTROL,
                walk.resources.get(about),
                f"{about}: " + "; ".join(dict.fromkeys(problems)),
                "apply the declaration (ringwall apply), and confirm the subscription in the mailbox",
                name=None if about in walk.resources else about,
            )
    elif walk.unread:
        yield unknown(context, CONTROL, None, "; ".join(dict.fromkeys(walk.unread)))
    elif judged:
        summary = f"{len(judged)} alarms and rules reach {', '.join(sorted(walk.reached))}"
        yield ok(context, CONTROL, judged[0], summary, *judged, *walk.evidence)
    else:
        yield _none(context)


def _senders(context: CheckContext, walk: _Walk) -> Iterator[Resource]:
    if context.perimeter is None:
        for alarm in context.observed.of_type(ALARM, account=context.account):
            if "Bedrock" in str(alarm.get("Namespace")):
                yield alarm
                walk.alarm(alarm)
        return
    for resource_type, follow in ((ALARM, walk.alarm), (RULE, walk.rule)):
        reason = context.unread(resource_type)
        for desired in context.desired.of_type(resource_type):
            actual = context.actual(desired.id)
            if actual is not None:
                yield actual
                follow(actual)
                walk.watches(desired, actual)
            elif reason is not None:
                walk.unread.append(f"{desired.id} could not be looked for: {reason}")
            else:
                walk.problem(desired.id, "it does not exist")


def _none(context: CheckContext) -> Finding:
    reason = context.unread(ALARM)
    if reason is not None:
        return unknown(context, CONTROL, None, f"alarms could not be read: {reason}")
    if any(context.uses_bedrock(region) for region in context.regions):
        return fail(
            context, CONTROL, None, "no alarm watches Bedrock", "declare alarms and apply: ringwall apply"
        )
    if all(context.unused(region) for region in context.regions):
        return not_applicable(
            context, CONTROL, "nothing in the account uses Bedrock, and no alarm watches it"
        )
    return unknown(
        context, CONTROL, None, "no alarm watches Bedrock, and whether anything uses it was not read"
    )


def _name(sender: Resource) -> str:
    if sender.type == ALARM:
        return f"alarm {sender.get('AlarmName', sender.id)}"
    return f"rule {sender.get('Name', sender.id)}"


class _Walk:
    """The way of a notification. Problems are kept by what has to be put right, so that a topic's is told once."""

    def __init__(self, context: CheckContext) -> None:
        self.context = context
        self.problems: dict[str, list[str]] = {}
        self.resources: dict[str, Resource] = {}
        self.unread: list[str] = []
        self.reached: set[str] = set()
        self.evidence: list[Resource] = []

    def problem(self, about: str, what: str, resource: Resource | None = None) -> None:
        self.problems.setdefault(about, []).append(what)
        if resource is not None:
            self.resources[about] = resource

    def watches(self, desired: Resource, actual: Resource) -> None:
        """Whether it still is about what was declared: one that watches something else is there, and never rings."""
        other = self.context.differing(desired, actual, *WATCHED[actual.type])
        if other:
            words = "it does not watch what was declared: " + ", ".join(other)
            self.problem(_name(actual), words, actual)

    def alarm(self, alarm: Resource) -> None:
        """Action, then topic."""
        name = _name(alarm)
        actions = [item for item in alarm.get("AlarmActions", ()) if ":sns:" in str(item)]
        if alarm.get("ActionsEnabled", True) is False:
            self.problem(name, "its actions are switched off", alarm)
        elif not actions:
            self.problem(name, "it notifies nobody", alarm)
        else:
            source = self.context.identity(alarm, "Arn")
            for arn in actions:
                self.topic(str(arn), CLOUDWATCH, source)

    def rule(self, rule: Resource) -> None:
        """State, target, then topic."""
        name = _name(rule)
        targets = [
            str(item.get("Arn")) for item in rule.get("Targets", ()) if ":sns:" in str(item.get("Arn"))
        ]
        if rule.get("State", "ENABLED") == "DISABLED":
            self.problem(name, "it is disabled", rule)
        elif not targets:
            self.problem(name, "it notifies nobody", rule)
        for arn in targets:
            self.topic(arn, EVENTBRIDGE, self.context.identity(rule, "Arn"))

    def topic(self, arn: str, service: str, source: str) -> None:
        """Topic, its policy, its key, its subscriptions."""
        name = f"topic {arn.rsplit(':', 1)[-1]}"
        topic = next(
            (item for item in self.context.observed.of_type(TOPIC) if self._is(item, arn)),
            None,
        )
        if topic is None:
            reason = self.context.unread(TOPIC)
            if reason is None:
                self.problem(name, "it does not exist")
            else:
                self.unread.append(f"{name} could not be looked for: {reason}")
            return
        self.evidence.append(topic)
        keys = {
            "aws:SourceArn": source,
            "aws:SourceAccount": self.context.account,
            "aws:SecureTransport": "true",
        }
        self._may_publish(topic, arn, service, keys)
        self._may_encrypt(topic, service, keys)
        self._heard(topic, arn)

    def _is(self, topic: Resource, arn: str) -> bool:
        return topic.id == arn or self.context.identity(topic, "Arn") == arn

    def _may_publish(self, topic: Resource, arn: str, service: str, keys: dict[str, str]) -> None:
        name = f"topic {arn.rsplit(':', 1)[-1]}"
        reason = self.context.unread("AWS::SNS::TopicPolicy")
        if reason is not None:
            self.unread.append(f"policies of topics could not be read: {reason}")
            return
        decision = ask(self.context, service, "sns:Publish", arn, keys)
        if not decision.allowed:
            self.problem(name, f"{service} cannot publish to it: {words(decision)}", topic)

    def _may_encrypt(self, topic: Resource, service: str, keys: dict[str, str]) -> None:
        name = f"topic {topic.get('TopicName', topic.id)}"
        key = topic.get("KmsMasterKeyId")
        if not key:
            return
        if str(key).endswith(MANAGED_KEY):
            self.problem(name, f"{service} cannot use the AWS-managed key that it is encrypted with", topic)
            return
        found = self.context.key(str(key))
        if found is None or found.unknown_reason("KeyPolicy") is not None:
            self.unread.append(f"the key of {name} could not be read")
            return
        self.evidence.append(found)
        for action in ("kms:GenerateDataKey", "kms:Decrypt"):
            why = unusable(self.context, found, service, action, keys)
            if why is not None:
                self.problem(name, f"{service} cannot {action} with its key: {why}", topic)

    def _heard(self, topic: Resource, arn: str) -> None:
        name = f"topic {arn.rsplit(':', 1)[-1]}"
        reason = self.context.unread(SUBSCRIPTION)
        subscriptions = [
            item
            for item in self.context.observed.of_type(SUBSCRIPTION)
            if item.id != "?" and item.get("TopicArn") == arn
        ]
        confirmed = [item for item in subscriptions if not item.get("PendingConfirmation")]
        self.evidence += subscriptions
        self.reached |= {str(item.get("Endpoint")) for item in confirmed}
        if confirmed:
            return
        if reason is not None:
            self.unread.append(f"subscriptions of {name} could not be read: {reason}")
        elif subscriptions:
            waiting = ", ".join(str(item.get("Endpoint")) for item in subscriptions)
            self.problem(name, f"its subscription waits for confirmation by {waiting}", topic)
        else:
            self.problem(name, "nobody has subscribed to it", topic)


CONTROL = Control(
    slug=SLUG,
    title="Every alarm reaches somebody",
    category="Monitoring",
    severity="medium",
    page=__doc__ or "",
    check=check,
    compile=compile_,
    types=(ALARM, RULE, TOPIC, "AWS::SNS::TopicPolicy", SUBSCRIPTION, "AWS::KMS::Key", "AWS::KMS::Alias"),
)
