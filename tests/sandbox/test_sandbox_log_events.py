"""CloudWatch Logs keeps events in its streams, and refuses what AWS refuses."""

import time
from functools import partial

import pytest

DAY = 24 * 3600 * 1000
GROUP = {"logGroupName": "/events"}
STREAM = {**GROUP, "logStreamName": "s"}


@pytest.fixture(scope="module")
def logs(world):
    client = world.client("logs")
    client.create_log_group(**GROUP)
    client.create_log_stream(**STREAM)
    client.create_log_stream(**{**STREAM, "logStreamName": "t"})
    return client


@pytest.fixture(scope="module")
def written(logs):
    """Twenty events of one stream and five of another, a millisecond apart."""
    start = int(time.time() * 1000) - 60_000
    logs.put_log_events(
        **STREAM, logEvents=[{"timestamp": start + n, "message": f"event {n:02}"} for n in range(20)]
    )
    other = {**STREAM, "logStreamName": "t"}
    logs.put_log_events(
        **other, logEvents=[{"timestamp": start + n, "message": f"other {n:02}"} for n in range(5)]
    )
    return start


def messages(page):
    return [event["message"] for event in page["events"]]


def test_a_stream_is_read_from_its_end_and_back(logs, written):
    page = logs.get_log_events(**STREAM, limit=5)
    assert messages(page) == [f"event {n:02}" for n in range(15, 20)]
    older = logs.get_log_events(**STREAM, limit=5, nextToken=page["nextBackwardToken"])
    assert messages(older) == [f"event {n:02}" for n in range(10, 15)]
    newer = logs.get_log_events(**STREAM, nextToken=page["nextForwardToken"])
    assert messages(newer) == []
    assert newer["nextForwardToken"] == page["nextForwardToken"]


def test_a_stream_is_read_from_its_beginning(logs, written):
    page = logs.get_log_events(**STREAM, limit=15, startFromHead=True)
    rest = logs.get_log_events(**STREAM, limit=15, startFromHead=True, nextToken=page["nextForwardToken"])
    assert messages(page) + messages(rest) == [f"event {n:02}" for n in range(20)]
    # The end time is not included.
    part = logs.get_log_events(**STREAM, startTime=written + 3, endTime=written + 5)
    assert messages(part) == ["event 03", "event 04"]


def test_streams_are_filtered_together_by_time(logs, written):
    pages = list(logs.get_paginator("filter_log_events").paginate(**GROUP, PaginationConfig={"PageSize": 7}))
    found = [event["message"] for page in pages for event in page["events"]]
    assert len(pages) == 4
    assert sorted(found) == sorted([f"event {n:02}" for n in range(20)] + [f"other {n:02}" for n in range(5)])
    stamps = [event["timestamp"] for page in pages for event in page["events"]]
    assert stamps == sorted(stamps)
    assert len({event["eventId"] for page in pages for event in page["events"]}) == 25


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"filterPattern": "other 03"}, ["other 03"]),
        ({"filterPattern": '"event 07"'}, ["event 07"]),
        ({"logStreamNames": ["t"], "filterPattern": "event"}, []),
        ({"logStreamNamePrefix": "t", "filterPattern": "04"}, ["other 04"]),
    ],
)
def test_a_pattern_is_terms_that_all_occur(logs, written, parameters, found):
    assert messages(logs.filter_log_events(**GROUP, **parameters)) == found


def test_a_stream_tells_its_span(logs, written):
    (stream,) = logs.describe_log_streams(**GROUP, logStreamNamePrefix="s")["logStreams"]
    assert (stream["firstEventTimestamp"], stream["lastEventTimestamp"]) == (written, written + 19)
    assert stream["lastIngestionTime"] >= written


def now(offset=0):
    return int(time.time() * 1000) + offset


def put(*stamps, message="m"):
    return {**STREAM, "logEvents": [{"timestamp": stamp, "message": message} for stamp in stamps]}


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        ("put_log_events", lambda: put(now(), now(-1000)), "InvalidParameterException"),
        ("put_log_events", lambda: put(now(-2 * DAY), now()), "InvalidParameterException"),
        ("put_log_events", lambda: put(now(), message="x" * 1_048_576), "InvalidParameterException"),
        ("put_log_events", lambda: {**put(now()), "logStreamName": "none"}, "ResourceNotFoundException"),
        ("put_log_events", lambda: {**put(now()), "logGroupName": "/none"}, "ResourceNotFoundException"),
        ("get_log_events", lambda: {**STREAM, "nextToken": "f/1"}, "InvalidParameterException"),
        ("filter_log_events", lambda: {**GROUP, "logStreamNames": ["none"]}, "ResourceNotFoundException"),
        (
            "filter_log_events",
            lambda: {**GROUP, "logStreamNames": ["s"], "logStreamNamePrefix": "s"},
            "InvalidParameterException",
        ),
        ("filter_log_events", lambda: {**GROUP, "filterPattern": "[ip, user]"}, "NotImplementedException"),
    ],
)
def test_what_is_refused(logs, helpers, operation, parameters, code):
    assert helpers.code_of(partial(getattr(logs, operation), **parameters())) == code


def test_events_of_another_time_are_left_out_and_said(logs):
    name = {**GROUP, "logStreamName": "late"}
    logs.create_log_stream(**name)
    answer = logs.put_log_events(**{**put(now(-15 * DAY)), **name})
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    answer = logs.put_log_events(**{**put(now(), now(3 * 3600 * 1000)), **name})
    assert answer["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 1}
    assert len(logs.get_log_events(**name)["events"]) == 1


def test_a_new_stream_of_an_old_name_is_empty(logs):
    name = {**GROUP, "logStreamName": "again"}
    for _ in range(2):
        logs.create_log_stream(**name)
        assert logs.get_log_events(**name)["events"] == []
        logs.put_log_events(**{**put(now()), **name})
        logs.delete_log_stream(**name)
