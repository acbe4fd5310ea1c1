"""Alarms change their state by the metrics that arrive, and tell topics and EventBridge, whose policies decide."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from ringwall.sandbox import decisions
from ringwall.sandbox.alarms import Minute, judge, statistic
from ringwall.sandbox.backend import condensed
from ringwall.sandbox.decisions import DecisionLog

TOPIC_ARN = "arn:aws:sns:us-east-1:111122223333:{}"


def alarm(periods=1, needed=None, missing=None, comparison="GreaterThanThreshold", threshold=1):
    return SimpleNamespace(
        comparison_operator=comparison,
        threshold=threshold,
        treat_missing_data=missing,
        evaluation_periods=periods,
        datapoints_to_alarm=needed,
    )


@pytest.mark.parametrize(
    ("points", "of", "state"),
    [
        ([2], alarm(), "ALARM"),
        ([1], alarm(), "OK"),
        ([1], alarm(comparison="GreaterThanOrEqualToThreshold"), "ALARM"),
        ([0], alarm(comparison="LessThanThreshold"), "ALARM"),
        ([None], alarm(), "INSUFFICIENT_DATA"),
        ([None], alarm(missing="breaching"), "ALARM"),
        ([None], alarm(missing="notBreaching"), "OK"),
        ([None], alarm(missing="ignore"), None),
        ([2, 0, 2], alarm(3, 2), "ALARM"),
        ([2, 0, 0], alarm(3, 2), "OK"),
        ([2, None, None], alarm(3, 2), "ALARM"),
        ([2, None, None], alarm(3, 2, "notBreaching"), "OK"),
        ([2, None, None], alarm(3, 2, "breaching"), "ALARM"),
        ([2, None, None], alarm(3, 2, "ignore"), None),
        ([0, None, None], alarm(3, 2), "OK"),
    ],
)
def test_states(points, of, state):
    verdict = judge(points, of)
    assert (verdict.state if verdict else None) == state


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Sum", 10),
        ("Average", 2.5),
        ("Minimum", 1),
        ("Maximum", 4),
        ("SampleCount", 4),
        ("p50", 2),
        ("p99", 4),
        ("IQM", None),
    ],
)
def test_statistics(name, value):
    minutes = [Minute(0), Minute(60)]
    for number in (1, 2, 3, 4):
        minutes[number % 2].add(number)
    assert statistic(minutes, name) == value
    assert statistic([Minute(0)], name) is None


@pytest.fixture(autouse=True)
def half_past(request, monkeypatch):
    """No minute ends within a test: a datum would be in the period before the one that is judged."""
    if "world" in request.fixturenames:
        moment = datetime.now(UTC).replace(second=30, microsecond=0)
        gateway = request.getfixturevalue("world").sandbox.gateway
        monkeypatch.setattr(gateway, "_clock", lambda: moment)


@pytest.fixture(scope="module")
def topic(world, helpers):
    sns = world.client("sns")
    arn = sns.create_topic(Name="alarms")["TopicArn"]
    admit(sns, arn, helpers, "cloudwatch.amazonaws.com", "events.amazonaws.com")
    return arn


def admit(sns, arn, helpers, *services):
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": list(services)},
        "Action": "sns:Publish",
        "Resource": arn,
    }
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=helpers.policy(statement))


def messages(world, arn):
    """What arrived at a topic."""
    world.sandbox.flush()
    with world.sandbox.gateway.moto.locked():
        topic = world.sandbox.gateway.moto.store("sns", "111122223333").topics[arn]
        found = [json.loads(sent[1]) for sent in topic.sent_notifications]
        topic.sent_notifications.clear()
    return found


def put(world, value, at=None, name="Errors"):
    data = {"MetricName": name, "Value": value, **({"Timestamp": at} if at else {})}
    world.client("cloudwatch").put_metric_data(Namespace="test", MetricData=[data])


def state(world, name):
    return world.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"]


def watch(world, name, topic, **more):
    world.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanThreshold",
        Threshold=1,
        Namespace="test",
        MetricName="Errors",
        Period=60,
        Statistic="Sum",
        AlarmActions=[topic],
        OKActions=[topic],
        **more,
    )


def test_an_alarm_goes_off_and_comes_back_and_says_so(world, topic, monkeypatch):
    moment = datetime(2030, 1, 1, 12, 0, 30, tzinfo=UTC)
    watch(world, "errors", topic)
    assert state(world, "errors") == "INSUFFICIENT_DATA"
    put(world, 1)
    assert state(world, "errors") == "OK"
    put(world, 2)
    assert state(world, "errors") == "ALARM"
    told = messages(world, topic)
    assert [message["NewStateValue"] for message in told] == ["OK", "ALARM"]
    assert told[1]["Trigger"]["MetricName"] == "Errors"
    assert "greater than the threshold (1)" in told[1]["NewStateReason"]
    with monkeypatch.context() as later:
        later.setattr(world.sandbox.gateway, "_clock", lambda: moment)
        world.sandbox.gateway.alarms.evaluate("111122223333", "us-east-1")
    history = world.client("cloudwatch").describe_alarm_history(AlarmName="errors")["AlarmHistoryItems"]
    assert len(history) >= 3


def test_a_topic_that_does_not_admit_cloudwatch_hears_nothing(world, helpers):
    sns = world.client("sns")
    arn = sns.create_topic(Name="closed")["TopicArn"]
    admit(sns, arn, helpers, "events.amazonaws.com")
    watch(world, "unheard", arn)
    put(world, 5)
    assert state(world, "unheard") == "ALARM"
    assert messages(world, arn) == []
    assert any(arn in problem for problem in world.sandbox.gateway.notices.problems.values())
    admit(sns, arn, helpers, "cloudwatch.amazonaws.com")
    world.client("cloudwatch").delete_alarms(AlarmNames=["unheard"])
    watch(world, "unheard", arn)
    assert [message["NewStateValue"] for message in messages(world, arn)] == ["ALARM"]


def test_rules_hear_of_alarms_and_of_calls(world, topic):
    events = world.client("events")
    patterns = {
        "alarms": {"source": ["aws.cloudwatch"], "detail": {"state": {"value": ["ALARM"]}}},
        "guardrails": {
            "source": ["aws.iam"],
            "detail-type": ["AWS API Call via CloudTrail"],
            "detail": {"eventName": ["CreateUser"]},
        },
    }
    for name, pattern in patterns.items():
        events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=name, Targets=[{"Id": "topic", "Arn": topic}])
    world.client("iam").create_user(UserName="heard")
    world.client("iam").list_users()
    watch(world, "told", topic)
    put(world, 3)
    found = {message.get("detail-type") for message in messages(world, topic)} - {None}
    assert found == {"AWS API Call via CloudTrail", "CloudWatch Alarm State Change"}
    events.disable_rule(Name="guardrails")
    world.client("iam").create_user(UserName="unheard-of")
    assert not any("detail-type" in message for message in messages(world, topic))


def test_bedrocks_own_metrics_set_alarms_off(world, helpers, topic):
    made = world.client("bedrock").create_guardrail(
        name="alarmed",
        blockedInputMessaging="IN",
        blockedOutputsMessaging="OUT",
        wordPolicyConfig={"wordsConfig": [{"text": "nightjar"}]},
    )
    world.client("cloudwatch").put_metric_alarm(
        AlarmName="interventions",
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        Threshold=1,
        Namespace="AWS/Bedrock/Guardrails",
        MetricName="InvocationsIntervened",
        Dimensions=[
            {"Name": "GuardrailArn", "Value": made["guardrailArn"]},
            {"Name": "GuardrailVersion", "Value": "DRAFT"},
        ],
        Period=300,
        Statistic="Sum",
        TreatMissingData="notBreaching",
        AlarmActions=[topic],
    )
    assert state(world, "interventions") == "OK"
    messages(world, topic)
    world.client("bedrock-runtime").apply_guardrail(
        guardrailIdentifier=made["guardrailId"],
        guardrailVersion="DRAFT",
        source="INPUT",
        content=[{"text": {"text": "nightjar"}}],
    )
    world.sandbox.flush()
    assert state(world, "interventions") == "ALARM"
    assert "interventions" in [message.get("AlarmName") for message in messages(world, topic)]


def test_old_data_is_no_news(world, topic):
    put(world, 9, at=datetime.now(UTC) - timedelta(hours=3), name="Old")
    watch(world, "old", topic, TreatMissingData="notBreaching")
    world.client("cloudwatch").put_metric_alarm(
        AlarmName="old",
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanThreshold",
        Threshold=1,
        Namespace="test",
        MetricName="Old",
        Period=60,
        Statistic="Sum",
        TreatMissingData="notBreaching",
    )
    assert state(world, "old") == "OK"


def test_a_percentile_counts_each_value_as_often_as_it_occurred():
    minute = Minute(0)
    for value, count in ((1.0, 98.0), (5.0, 1.0), (9.0, 1.0)):
        minute.add(value, count)
    assert [statistic([minute], name) for name in ("p50", "p98", "p99", "p100")] == [1.0, 1.0, 5.0, 9.0]
    assert statistic([minute], "SampleCount") == 100.0


def test_values_with_counts_are_kept_as_their_statistics():
    datum = {"MetricName": "m", "Values": [1.0, 4.0], "Counts": [3e12, 1.0], "Unit": "Count"}
    statistics = {"SampleCount": 3e12 + 1, "Sum": 3e12 + 4, "Minimum": 1.0, "Maximum": 4.0}
    assert condensed(datum) == {"MetricName": "m", "Unit": "Count", "StatisticValues": statistics}


def test_a_request_is_found_among_decisions_and_old_ones_make_room(monkeypatch):
    monkeypatch.setattr(decisions, "_LIMIT", 3)
    log = DecisionLog()
    for number in range(6):
        log.add(SimpleNamespace(request_id=f"r{number // 2}"))
    assert [len(log.of(name)) for name in ("r0", "r1", "r2")] == [0, 0, 2]


def test_what_was_put_is_read_by_either_operation(world):
    """With a time or without, as values or as statistics."""
    cloudwatch, now = world.client("cloudwatch"), datetime.now(UTC)
    name = {"Namespace": "read", "MetricName": "m"}
    data = (
        {"Value": 1.0, "Unit": "Count"},
        {"Values": [2.0, 9.0], "Counts": [7.0, 2.0], "Timestamp": now, "Unit": "Count"},
    )
    cloudwatch.put_metric_data(Namespace="read", MetricData=[{"MetricName": "m", **datum} for datum in data])
    span = {"StartTime": now - timedelta(hours=1), "EndTime": now + timedelta(hours=1)}
    (point,) = cloudwatch.get_metric_statistics(
        **name, **span, Period=7260, Statistics=["Sum", "SampleCount", "Average", "Minimum", "Maximum"]
    )["Datapoints"]
    found = [point[name] for name in ("Sum", "SampleCount", "Average", "Minimum", "Maximum", "Unit")]
    assert found == [33.0, 10.0, 3.3, 1.0, 9.0, "Count"]
    (point,) = cloudwatch.get_metric_statistics(
        **name, **span, Period=7260, ExtendedStatistics=["p80", "p90"]
    )["Datapoints"]
    assert point["ExtendedStatistics"] == {"p80": 2.0, "p90": 9.0}
    query = {"Id": "q", "MetricStat": {"Metric": name, "Period": 7200, "Stat": "Sum"}}
    (result,) = cloudwatch.get_metric_data(**span, MetricDataQueries=[query])["MetricDataResults"]
    assert result["Values"] == [33.0]


HOUR = {"StartTime": datetime(2026, 1, 1, tzinfo=UTC), "EndTime": datetime(2026, 1, 1, 1, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({**HOUR, "Period": 61, "Statistics": ["Sum"]}, "InvalidParameterValue"),
        ({**HOUR, "Period": 60}, "InvalidParameterCombination"),
        ({**HOUR, "Period": 1, "Statistics": ["Sum"]}, "InvalidParameterCombination"),
        (
            {**HOUR, "EndTime": HOUR["StartTime"], "Period": 60, "Statistics": ["Sum"]},
            "InvalidParameterValue",
        ),
    ],
)
def test_statistics_that_are_refused(world, helpers, given, code):
    call = world.client("cloudwatch").get_metric_statistics
    assert helpers.code_of(call, Namespace="n", MetricName="m", **given) == code
