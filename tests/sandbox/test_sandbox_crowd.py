"""A hundred callers at once: each is answered, and every call is in the log, in the trail and in the metrics."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

CALLERS, CALLS = 100, 400
MODEL = "amazon.nova-pro-v1:0"
GROUP, ROLE = "/crowd", "crowd-logging"


@pytest.fixture(scope="module")
def recorded(world, helpers):
    """Invocation logging to a log group, as the declared role."""
    iam, trust = world.client("iam"), {"Effect": "Allow", "Action": "sts:AssumeRole"}
    world.client("logs").create_log_group(logGroupName=GROUP)
    trusted = helpers.policy({**trust, "Principal": {"Service": "bedrock.amazonaws.com"}})
    arn = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=trusted)["Role"]["Arn"]
    writes = {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}
    iam.put_role_policy(RoleName=ROLE, PolicyName="write", PolicyDocument=helpers.policy(writes))
    world.client("bedrock").put_model_invocation_logging_configuration(
        loggingConfig={
            "cloudWatchConfig": {"logGroupName": GROUP, "roleArn": arn},
            "textDataDeliveryEnabled": True,
        }
    )


def test_a_crowd_loses_nothing(world, helpers, recorded):
    began = datetime.now(UTC)
    client = world.client("bedrock-runtime", max_pool_connections=CALLERS)

    def call(number):
        answer = client.converse(
            modelId=MODEL, messages=helpers.MESSAGES, requestMetadata={"number": str(number)}
        )
        assert answer["stopReason"] == "end_turn"
        return answer["ResponseMetadata"]["RequestId"]

    with ThreadPoolExecutor(CALLERS) as pool:
        answered = set(pool.map(call, range(CALLS)))
    assert len(answered) == CALLS
    world.sandbox.flush()
    logs = world.client("logs").get_paginator("filter_log_events").paginate(logGroupName=GROUP)
    lines = [event["message"] for page in logs for event in page["events"]]
    records = [json.loads(line) for line in lines if line.startswith("{")]
    assert Counter(record["requestId"] for record in records) == Counter(answered)
    assert {record["requestMetadata"]["number"] for record in records} == set(map(str, range(CALLS)))
    wanted = [{"AttributeKey": "EventName", "AttributeValue": "Converse"}]
    trail = world.client("cloudtrail").get_paginator("lookup_events").paginate(LookupAttributes=wanted)
    events = [json.loads(event["CloudTrailEvent"]) for page in trail for event in page["Events"]]
    assert Counter(event["requestID"] for event in events) == Counter(answered)
    (total,) = world.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Bedrock",
        MetricName="Invocations",
        Dimensions=[{"Name": "ModelId", "Value": MODEL}],
        StartTime=began - timedelta(minutes=1),
        EndTime=began + timedelta(hours=1),
        Period=7200,
        Statistics=["Sum"],
    )["Datapoints"]
    assert total["Sum"] == CALLS
    metric = {
        "Namespace": "AWS/Bedrock",
        "MetricName": "Invocations",
        "Dimensions": [{"Name": "ModelId", "Value": MODEL}],
    }
    (data,) = world.client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "q", "MetricStat": {"Metric": metric, "Period": 7200, "Stat": "Sum"}}],
        StartTime=began - timedelta(minutes=1),
        EndTime=began + timedelta(hours=1),
    )["MetricDataResults"]
    assert sum(data["Values"]) == CALLS


def test_a_bucket_of_metrics_is_answered_at_once(world):
    """A datum that says how often a value occurred is kept as one, however often that is."""
    world.client("cloudwatch").put_metric_data(
        Namespace="crowd", MetricData=[{"MetricName": "m", "Values": [1.0, 3.0], "Counts": [1e12, 1e12]}]
    )
    (total,) = world.client("cloudwatch").get_metric_statistics(
        Namespace="crowd",
        MetricName="m",
        StartTime=datetime.now(UTC) - timedelta(hours=1),
        EndTime=datetime.now(UTC) + timedelta(hours=1),
        Period=7200,
        Statistics=["Average", "SampleCount"],
    )["Datapoints"]
    assert (total["Average"], total["SampleCount"]) == (2.0, 2e12)
