"""What accumulates lies in a file: CloudTrail's history, log events and bodies, and outlives the process."""

import gc
import json
import sqlite3
import stat
from types import SimpleNamespace

import pytest

from ringwall.errors import RingwallError
from ringwall.sandbox import moto_spill
from ringwall.sandbox.archive import Archive, Span
from ringwall.sandbox.call import AwsError
from ringwall.sandbox.log_events import BATCH_BYTES, EVENT_OVERHEAD, batches, put_lines


def record(name, category="Management", region="us-east-1", read=True):
    return {
        "recipientAccountId": "111122223333",
        "awsRegion": region,
        "eventCategory": category,
        "eventName": name,
        "eventSource": "iam.amazonaws.com",
        "eventTime": "2026-01-02T03:04:05Z",
        "readOnly": read,
    }


def names(archive, **wanted):
    return [item["eventName"] for _, item in archive.history("111122223333", "us-east-1", **wanted)]


@pytest.fixture
def archive(tmp_path):
    made = Archive(tmp_path / "archive")
    yield made
    made.close()


def test_a_write_that_fails_leaves_nothing_and_keeps_nobody_waiting(archive):
    whole, half = (1, 2, "first"), (1, 2)
    with pytest.raises(sqlite3.ProgrammingError):
        archive.add_lines("s", [whole, half])
    assert list(archive.lines(("s",), (0, 9))) == []
    archive.add_lines("s", [whole])
    assert [line.message for line in archive.lines(("s",), (0, 9))] == ["first"]


def test_history_is_by_place_and_category_the_newest_first(archive):
    for name in ("A", "B", "C"):
        archive.add_event(record(name))
    archive.add_event(record("D", category="Data"))
    archive.add_event(record("E", region="eu-west-1"))
    assert names(archive) == ["C", "B", "A"]
    assert names(archive, name="B") == ["B"]
    assert names(archive, source="s3.amazonaws.com") == []
    numbers = [number for number, _ in archive.history("111122223333", "us-east-1")]
    assert [item["eventName"] for _, item in archive.history("111122223333", "us-east-1", numbers[1])] == [
        "A"
    ]


def test_history_is_read_in_parts_without_gaps(archive):
    for number in range(1234):
        archive.add_event(record(str(number)))
    assert names(archive) == [str(number) for number in reversed(range(1234))]


def test_what_was_not_delivered_waits_for_the_next_process(tmp_path):
    path = tmp_path / "archive"
    first = Archive(path, lasting=True)
    delivered = [first.add_event(record(name, category="Data")) for name in ("A", "B")]
    first.delivered(delivered[0].id)
    first.close()
    second = Archive(path, lasting=True)
    assert [json.loads(event.text)["eventName"] for event in second.undelivered()] == ["B"]
    last = second.add_event(record("C", category="Data")).id
    assert last > delivered[1].id
    second.delivered(last)
    second.close()
    third = Archive(path, lasting=True)  # nothing is left, and numbers go on
    assert third.add_event(record("D")).id > last
    third.flush()
    assert [json.loads(event.text)["eventName"] for event in third.undelivered()] == ["D"]
    third.close()


def test_a_change_is_written_at_once_and_the_file_is_its_owners(tmp_path):
    path = tmp_path / "archive"
    first = Archive(path, lasting=True)
    first.add_event(record("GetUser"))
    first.add_event(record("CreateUser", read=False))
    other = Archive(path, lasting=True)  # as another process would see it now
    assert names(other) == ["CreateUser", "GetUser"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    other.close()
    first.close()


def test_a_damaged_file_is_said(tmp_path):
    (tmp_path / "archive").write_bytes(b"no database" * 500)
    with pytest.raises(RingwallError, match="--reset"):
        Archive(tmp_path / "archive")


def test_log_events_are_read_from_either_end(archive):
    archive.add_lines("one", [(time, 0, f"one {time}") for time in range(0, 2400, 2)])
    archive.add_lines("two", [(time, 0, f"two {time}") for time in range(1, 2400, 2)])
    times = [line.timestamp for line in archive.lines(("one", "two"), (0, 5000))]
    assert times == list(range(2400))
    back = [line.timestamp for line in archive.lines(("one", "two"), (10, 1990), backward=True)]
    assert back == list(reversed(range(10, 1991)))
    first = next(archive.lines(("one",), (0, 5000)))
    assert next(archive.lines(("one",), (0, 5000), (first.timestamp, first.event_id))).timestamp == 2
    size = sum(len(f"two {time}") for time in range(1, 2400, 2))
    assert archive.span("two") == Span(1, 2399, 0, 2400, size)
    archive.forget_streams(["two"])
    assert archive.span("one") is None
    assert archive.span("two") is not None


def test_a_body_stays_as_long_as_somebody_keeps_it(archive):
    digest = archive.keep_body(b"x" * 5000)
    assert archive.keep_body(b"x" * 5000) == digest
    archive.drop_body(digest)
    assert archive.body(digest) == b"x" * 5000
    archive.drop_body(digest)
    with pytest.raises(RingwallError, match="lost"):
        archive.body(digest)


def test_a_body_that_the_journal_names_stays(tmp_path):
    kept = Archive(tmp_path / "archive", lasting=True)
    named, other = kept.keep_body(b"x" * 5000), kept.keep_body(b"y" * 5000)
    kept.drop_body(named)
    assert kept.body(named)
    kept.prune_bodies([named])
    with pytest.raises(RingwallError, match="lost"):
        kept.body(other)
    kept.close()


@pytest.mark.parametrize("size", [10, 100_000])
def test_an_objects_buffer_behaves_as_a_file(archive, size):
    body = moto_spill.Body(archive)
    data = bytes(range(250)) * (size // 250 + 1)
    assert body.write(data) == len(data)
    body.seek(0)
    assert body.read(7) + body.read() == data
    body.seek(3)
    body.write(b"--")
    body.seek(0)
    assert body.read(6) == data[:3] + b"--" + data[5:6]
    body.seek(4)
    assert body.truncate() == 4
    body.seek(0)
    assert body.read() == data[:3] + b"-"
    body.close()
    assert body.read() == b""


def test_bodies_leave_no_memory_behind(archive):
    bodies = [moto_spill.Body(archive) for _ in range(50)]
    for number, body in enumerate(bodies):
        body.write(bytes([number]) * 100_000)
    gc.collect()
    held = sum(len(value) for body in bodies for value in vars(body).values() if isinstance(value, bytes))
    assert held == 0
    bodies[7].seek(0)
    assert bodies[7].read() == b"\x07" * 100_000


DAY = 24 * 3600 * 1000


@pytest.mark.parametrize(
    ("lines", "sizes"),
    [
        ([(0, "a"), (DAY, "b"), (DAY + 1, "c")], [2, 1]),
        ([(number % 7, "x") for number in range(10_001)], [10_000, 1]),
        ([(0, "x" * (BATCH_BYTES - EVENT_OVERHEAD)), (0, "x")], [1, 1]),
        ([], []),
    ],
)
def test_lines_go_in_batches_that_aws_takes(lines, sizes):
    found = list(batches(lines))
    assert [len(batch) for batch in found] == sizes
    assert all(batch == sorted(batch, key=lambda line: line[0]) for batch in found)


def test_a_stream_that_is_there_is_no_failure_and_another_refusal_is():
    made = []

    def call(operation, **more):
        made.append(operation)
        if operation == refused[0]:
            raise AwsError(refused[1], "m")

    refused = ("CreateLogStream", "ResourceAlreadyExistsException")
    put_lines(call, [(1, "a")])
    assert made == ["CreateLogStream", "PutLogEvents"]
    refused = ("CreateLogStream", "AccessDeniedException")
    with pytest.raises(AwsError):
        put_lines(call, [(1, "a")])
    assert SimpleNamespace(calls=made).calls[2:] == ["CreateLogStream"]
