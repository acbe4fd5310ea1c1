"""Metric math and composite alarms: expressions by themselves, and alarms that look at them."""

from datetime import UTC, datetime, timedelta

import pytest

from ringwall.sandbox import alarm_rules, metric_math

KNOWN = {"a": (10.0, None, 4.0), "b": (100.0, 5.0, 0.0), "e": (1.0, 2.0, 3.0)}
EXPRESSIONS = {
    "100*a/b": (10.0, None, None),
    "a+b": (110.0, None, 4.0),
    "-a + 1": (-9.0, None, -3.0),
    "2^3^2": (512.0, 512.0, 512.0),
    "1-2-3": (-4.0, -4.0, -4.0),
    "(a+b)*-1": (-110.0, None, -4.0),
    "FILL(a, 0)+b": (110.0, 5.0, 4.0),
    "FILL(a, REPEAT)": (10.0, 10.0, 4.0),
    "SUM(METRICS())": (111.0, 7.0, 7.0),
    "MAX([a, b])": (100.0, 5.0, 4.0),
    "a - AVG(a)": (3.0, None, -3.0),
    "IF(a > 5, 1, 0)": (1.0, None, 0.0),
    "IF(a > 5 AND b < 200, b)": (100.0, None, None),
    "e > 1 || e == 1": (1.0, 1.0, 1.0),
    "DIFF(e)": (None, 1.0, 1.0),
    "RATE(e)": (None, 1 / 60, 1 / 60),
    "RUNNING_SUM(e)": (1.0, 3.0, 6.0),
    "PERIOD(e)": (60.0, 60.0, 60.0),
    "METRIC_COUNT(METRICS())": (3.0, 3.0, 3.0),
    "1 + 1": (2.0, 2.0, 2.0),
    "LOG(b)": (pytest.approx(4.605, abs=1e-3), pytest.approx(1.609, abs=1e-3), None),
}


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_expressions(text):
    assert metric_math.read(text).series(KNOWN, ["a", "b", "e"], 60, 3) == EXPRESSIONS[text]


@pytest.mark.parametrize("text", ["a+", "a b", "(a", "a;b", "*a", "[a, b", ""])
def test_what_is_no_expression(text):
    with pytest.raises(metric_math.ExpressionError):
        metric_math.read(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("SEARCH('{N} errors', 'Sum', 300)", "SEARCH"),
        ("ANOMALY_DETECTION_BAND(a, 2)", "ANOMALY_DETECTION_BAND"),
        ("SELECT AVG(x) FROM N", "SELECT"),
    ],
)
def test_what_is_not_carried_out_is_named(text, name):
    with pytest.raises(metric_math.LackingError, match=name):
        metric_math.read(text)


STATES = {"errors": "ALARM", "calls": "OK", "new one": "INSUFFICIENT_DATA"}
RULES = {
    "ALARM(errors)": True,
    'ALARM("errors") AND OK(calls)': True,
    'NOT ALARM("errors")': False,
    'ALARM(calls) OR INSUFFICIENT_DATA("new one")': True,
    "ALARM(calls) OR ALARM(errors) AND ALARM(calls)": False,
    "(ALARM(calls) OR ALARM(errors)) AND NOT (ALARM(calls))": True,
    "TRUE AND NOT FALSE": True,
}


@pytest.mark.parametrize("text", RULES)
def test_rules(text):
    assert alarm_rules.read(text).holds(STATES) is RULES[text]


@pytest.mark.parametrize(
    "text", ["", "ALARM()", "ALARM(a) ALARM(b)", "ALARM(a) AND", "(ALARM(a)", "BROKEN(a)"]
)
def test_what_is_no_rule(text):
    with pytest.raises(alarm_rules.RuleError):
        alarm_rules.read(text)


def metric(id_, name, *, returned=False):
    stat = {"Metric": {"Namespace": "Math", "MetricName": name}, "Period": 60, "Stat": "Sum"}
    return {"Id": id_, "MetricStat": stat, "ReturnData": returned}


RATE = [
    metric("e", "errors"), metric("c", "calls"), {"Id": "r", "Expression": "100*e/c", "Label": "rate", "ReturnData": True}
]  # fmt: skip


def put_rate(cloudwatch, name="rate", metrics=RATE):
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Metrics=metrics,
        EvaluationPeriods=3,
        DatapointsToAlarm=1,
        Threshold=5,
        ComparisonOperator="GreaterThanThreshold",
    )


def state(cloudwatch, name, kind="MetricAlarm"):
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=[kind])[f"{kind}s"]
    return alarm["StateValue"]


def put(cloudwatch, errors, calls):
    data = [{"MetricName": "errors", "Value": errors}, {"MetricName": "calls", "Value": calls}]
    cloudwatch.put_metric_data(Namespace="Math", MetricData=data)


def test_alarms_on_metric_math_change_and_composite_ones_follow(world, helpers):
    cloudwatch, sns = world.client("cloudwatch"), world.client("sns")
    topic = sns.create_topic(Name="composite")["TopicArn"]
    put_rate(cloudwatch)
    cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule='ALARM("rate") AND TRUE', AlarmActions=[topic])
    assert (state(cloudwatch, "rate"), state(cloudwatch, "both", "CompositeAlarm")) == (
        "INSUFFICIENT_DATA",
        "OK",
    )
    put(cloudwatch, 1, 100)
    assert (state(cloudwatch, "rate"), state(cloudwatch, "both", "CompositeAlarm")) == ("OK", "OK")
    put(cloudwatch, 50, 100)
    assert (state(cloudwatch, "rate"), state(cloudwatch, "both", "CompositeAlarm")) == ("ALARM", "ALARM")
    world.sandbox.gateway.notices.flush()
    (item,) = cloudwatch.describe_alarm_history(AlarmName="both", HistoryItemType="Action")[
        "AlarmHistoryItems"
    ]
    assert (item["AlarmType"], topic in item["HistorySummary"]) == ("CompositeAlarm", True)
    assert [one["AlarmName"] for one in cloudwatch.describe_alarms()["CompositeAlarms"]] == []
    assert helpers.code_of(cloudwatch.delete_alarms, AlarmNames=["rate"]) == "ValidationError"
    cloudwatch.delete_alarms(AlarmNames=["both", "rate"])


def test_metric_data_of_expressions(world):
    cloudwatch = world.client("cloudwatch")
    moment = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=5)
    data = [
        {"MetricName": "errors", "Value": value, "Timestamp": moment + timedelta(minutes=index)}
        for index, value in enumerate((1, 2))
    ]
    cloudwatch.put_metric_data(Namespace="Data", MetricData=data)
    stat = {"Metric": {"Namespace": "Data", "MetricName": "errors"}, "Period": 60, "Stat": "Sum"}
    queries = [
        {"Id": "e", "MetricStat": stat, "ReturnData": False},
        {"Id": "twice", "Expression": "e * 2", "Label": "two of each"},
    ]
    (found,) = cloudwatch.get_metric_data(
        MetricDataQueries=queries, StartTime=moment, EndTime=moment + timedelta(minutes=5)
    )["MetricDataResults"]
    assert (found["Label"], found["Values"]) == ("two of each", [4.0, 2.0])
    assert found["Timestamps"] == [moment + timedelta(minutes=1), moment]


REFUSED = {
    "an unknown id": ([metric("e", "errors"), {"Id": "r", "Expression": "e/c"}], "ValidationError"),
    "no expression": ([metric("e", "errors"), {"Id": "r", "Expression": "e/"}], "ValidationError"),
    "two that return": ([metric("e", "errors", returned=True), {"Id": "r", "Expression": "e"}], "ValidationError"),
    "an id twice": ([metric("e", "errors"), metric("e", "calls", returned=True)], "ValidationError"),
    "a band": ([metric("e", "errors", returned=True), {"Id": "r", "Expression": "ANOMALY_DETECTION_BAND(e, 2)"}], "NotImplementedException"),
}  # fmt: skip


@pytest.mark.parametrize(("metrics", "code"), REFUSED.values(), ids=REFUSED)
def test_what_no_alarm_can_look_at(world, helpers, metrics, code):
    cloudwatch = world.client("cloudwatch")
    assert helpers.code_of(put_rate, cloudwatch, "refused", metrics) == code
    assert cloudwatch.describe_alarms(AlarmNames=["refused"])["MetricAlarms"] == []


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"AlarmRule": "ALARM(nobody)"}, "ValidationError"),
        ({"AlarmRule": "ALARM("}, "ValidationError"),
        ({"AlarmRule": "TRUE", "ActionsSuppressor": "x"}, "NotImplementedException"),
    ],
)
def test_what_is_no_composite_alarm(world, helpers, parameters, code):
    cloudwatch = world.client("cloudwatch")
    assert helpers.code_of(cloudwatch.put_composite_alarm, AlarmName="refused", **parameters) == code
