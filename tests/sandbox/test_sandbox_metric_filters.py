"""Filter patterns by themselves, and from a log event through a metric filter to an alarm and its topic."""

import json
import time

import pytest

from ringwall.sandbox import filter_patterns

EVENT = json.dumps(
    {
        "eventName": "DeleteTrail",
        "errorCode": "AccessDenied",
        "userIdentity": {"type": "Root", "invokedBy": None},
        "latency": 5,
        "readOnly": False,
        "tags": ["a"],
    }
)
PATTERNS = {
    "": True,
    "DeleteTrail AccessDenied": True,
    "DeleteTrail -AccessDenied": False,
    "?StopLogging ?DeleteTrail": True,
    '"AccessDenied"': True,
    "%Delete[A-Z]%": True,
    "%Delete[0-9]%": False,
    '{ $.eventName = "DeleteTrail" }': True,
    '{ $.eventName != "DeleteTrail" }': False,
    "{ $.eventName = Delete* }": True,
    "{($.eventName=StopLogging)||($.eventName=DeleteTrail)}": True,
    '{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }': True,
    '{ $.userIdentity.type = "Root" && $.userIdentity.arn NOT EXISTS }': True,
    "{ $.userIdentity.invokedBy IS NULL }": True,
    "{ $.userIdentity.invokedBy NOT EXISTS }": False,
    "{ $.latency > 4 && $.latency <= 5 }": True,
    "{ $.latency < 5 }": False,
    "{ $.readOnly IS FALSE }": True,
    "{ $.readOnly = false }": True,
    "{ $.errorCode = %^Access% }": True,
    '{ $.tags[0] = "a" }': True,
    '{ $.absent = "a" }': False,
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns(pattern):
    assert filter_patterns.read(pattern)(EVENT) is PATTERNS[pattern]


def test_events_that_are_no_json_have_no_properties():
    assert not filter_patterns.read('{ $.eventName = "DeleteTrail" }')("DeleteTrail")


@pytest.mark.parametrize(
    "pattern", ["{ $.a = 1", "{ a = 1 }", "{ $.a = 1 && }", "{ $.a ~ 2 }", "{ $.a < b }", "%[%", '"open']
)
def test_what_is_no_pattern(pattern):
    with pytest.raises(filter_patterns.PatternError):
        filter_patterns.read(pattern)


@pytest.fixture(scope="module")
def group(world):
    logs = world.client("logs")
    logs.create_log_group(logGroupName="/trail")
    logs.create_log_stream(logGroupName="/trail", logStreamName="s")
    return "/trail"


def put_filter(logs, pattern, name="deletions", **more):
    transformation = {"metricName": name, "metricNamespace": "Trail", "metricValue": "1", **more}
    logs.put_metric_filter(
        logGroupName="/trail", filterName=name, filterPattern=pattern, metricTransformations=[transformation]
    )


def write(logs, *messages):
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": message} for message in messages]
    logs.put_log_events(logGroupName="/trail", logStreamName="s", logEvents=events)


def test_from_a_log_event_to_a_topic(world, group):
    logs, cloudwatch = world.client("logs"), world.client("cloudwatch")
    topic = world.client("sns").create_topic(Name="deletions")["TopicArn"]
    put_filter(logs, '{ $.eventName = "DeleteTrail" }')
    cloudwatch.put_metric_alarm(
        AlarmName="deletions", MetricName="deletions", Namespace="Trail", Statistic="Sum", Period=60,
        EvaluationPeriods=3, DatapointsToAlarm=1, Threshold=1, ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching", AlarmActions=[topic],
    )  # fmt: skip
    write(logs, json.dumps({"eventName": "StopLogging"}))
    assert cloudwatch.describe_alarms(AlarmNames=["deletions"])["MetricAlarms"][0]["StateValue"] == "OK"
    write(logs, EVENT)
    assert cloudwatch.describe_alarms(AlarmNames=["deletions"])["MetricAlarms"][0]["StateValue"] == "ALARM"
    world.sandbox.gateway.notices.flush()
    items = cloudwatch.describe_alarm_history(AlarmName="deletions", HistoryItemType="Action")[
        "AlarmHistoryItems"
    ]
    assert any(topic in item["HistorySummary"] for item in items)


def test_values_dimensions_and_defaults(world, group):
    logs = world.client("logs")
    put_filter(
        logs, "{ $.latency > 0 }", "latency", metricValue="$.latency", dimensions={"Event": "$.eventName"}
    )
    put_filter(logs, "{ $.latency > 9 }", "slow", defaultValue=0.0)
    write(logs, EVENT)
    gateway, place = world.sandbox.gateway, ("111122223333", "us-east-1", "Trail")
    (minute, *_), _ = gateway.alarms.recorded((*place, "latency", (("Event", "DeleteTrail"),)))
    assert (minute.count, minute.total) == (1, 5)
    (minute, *_), _ = gateway.alarms.recorded((*place, "slow", ()))
    assert (minute.count, minute.total) == (1, 0)


def test_a_filter_is_replaced(world, group):
    logs = world.client("logs")
    put_filter(logs, "a", "again")
    put_filter(logs, "b", "again")
    found = logs.describe_metric_filters(logGroupName="/trail", filterNamePrefix="again")["metricFilters"]
    assert [one["filterPattern"] for one in found] == ["b"]


@pytest.mark.parametrize(
    ("pattern", "more", "code"),
    [
        ("{ $.a = }", {}, "InvalidParameterException"),
        ("a", {"metricValue": "one"}, "InvalidParameterException"),
        ("a", {"defaultValue": 1.0, "dimensions": {"A": "$.a"}}, "InvalidParameterException"),
        ("[ip, user, code = 4*]", {}, "NotImplementedException"),
    ],
)
def test_what_is_no_filter(world, group, helpers, pattern, more, code):
    assert helpers.code_of(put_filter, world.client("logs"), pattern, "refused", **more) == code


def test_a_filter_on_no_group(world, helpers):
    call = world.client("logs").put_metric_filter
    transformation = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
    given = {"filterName": "f", "filterPattern": "a", "metricTransformations": [transformation]}
    assert helpers.code_of(call, logGroupName="/nobody", **given) == "ResourceNotFoundException"
