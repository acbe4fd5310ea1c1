"""Times of answers: the same as botocore reads, and in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from botocore.utils import parse_timestamp
from hypothesis import given
from hypothesis import strategies as st

from ringwall.estate.times import moment

SECONDS = st.one_of(st.integers(0, 4_000_000_000), st.floats(0, 4e9))
MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1))  # noqa: DTZ001 - hypothesis wants them without zone


@given(SECONDS)
def test_seconds_are_the_moment_that_botocore_reads(value):
    assert moment(value) == parse_timestamp(value)
    assert moment(str(value)) == parse_timestamp(str(value))


@given(MOMENTS, st.sampled_from(["", "Z", "+00:00", "+0530", "-08:00"]))
def test_texts_are_the_moment_that_botocore_reads(value, zone):
    text = value.isoformat() + zone
    assert moment(text) == parse_timestamp(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-27T10:00:00Z",
        "2026-11-27T10:00:00.5Z",
        "2026-11-27T10:00:00.123456789Z",
        "20261127T100000Z",
        "20261127",
        "2026-11-27",
        "Fri, 27 Nov 2026 10:00:00 GMT",
        "9999-12-31T23:59:59Z",
    ],
)
def test_every_form_that_aws_uses(text):
    assert moment(text) == parse_timestamp(text)


def test_the_text_of_evidence_does_not_depend_on_the_machines_zone(monkeypatch):
    import time

    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        assert moment(1_764_000_000).isoformat() == "2025-11-24T16:00:00+00:00"
        assert moment("1764000000").utcoffset() == datetime.now(UTC).utcoffset()
    finally:
        monkeypatch.undo()
        time.tzset()


def test_what_is_no_time_is_refused():
    with pytest.raises(ValueError, match="Invalid timestamp"):
        moment("T is not a time, Z")
