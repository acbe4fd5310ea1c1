"""Which Regions are read: surveyed first, read where something is, or where that cannot be told."""

from __future__ import annotations

from typing import Any

import pytest

from estate.estate_support import FakeAws, denied
from ringwall.estate.collect import collect
from ringwall.estate.throttle import TokenBucket

EMPTY: dict[str, Any] = {
    "ListAgents": {}, "ListFlows": {}, "ListKnowledgeBases": {}, "ListAsyncInvokes": {}, "ListGuardrails": {},
    "GetModelInvocationLoggingConfiguration": {}, "ListMetrics": {}, "GetAccountDataRetention": {"mode": "none"},
    "LookupEvents": {}, "ListCustomModels": {}, "ListAgentRuntimes": {}, "ListGateways": {}, "ListBrowsers": {},
    "ListCodeInterpreters": {}, "ListMemories": {},
    "DescribeOrganization": denied("DescribeOrganization", "organizations:DescribeOrganization"),
}  # fmt: skip
USAGE, RETENTION = "Ringwall::Bedrock::Usage", "Ringwall::Bedrock::DataRetention"


class Regions(FakeAws):
    """An account whose answers differ by Region."""

    def __init__(self, answers: dict[str, Any], region: str, others: dict[str, dict[str, Any]]) -> None:
        super().__init__(answers)
        self.region = region
        self.others = others

    def elsewhere(self, *, region: str | None = None, role: str | None = None) -> Regions:
        assert role is None
        return Regions({**EMPTY, **self.others.get(str(region), {})}, str(region), self.others)


@pytest.mark.parametrize(
    ("answers", "read"),
    [
        ({}, False),
        ({"ListGuardrails": {"guardrails": [{"id": "g"}]}}, True),
        ({"ListMetrics": {"Metrics": [{"Dimensions": [{"Name": "ModelId", "Value": "m"}]}]}}, True),
        ({"GetModelInvocationLoggingConfiguration": {"loggingConfig": {"s3Config": {}}}}, True),
        ({"ListAgents": denied("ListAgents", "bedrock:ListAgents")}, True),
    ],
)
def test_a_region_is_read_unless_it_is_certainly_empty(answers: dict[str, Any], read: bool) -> None:
    aws = Regions(EMPTY, "us-east-1", {"eu-west-1": answers})
    estate = collect(aws, types=[RETENTION], candidates=["us-east-1", "eu-west-1", "eu-west-2"])
    assert {item.region for item in estate.of_type(RETENTION)} == {"us-east-1"} | (
        {"eu-west-1"} if read else set()
    )
    assert [item.region for item in estate.of_type(USAGE)] == ["eu-west-1", "eu-west-2", "us-east-1"]


def test_what_a_survey_cannot_read_names_the_permission() -> None:
    refused = {"ListMetrics": denied("ListMetrics", "cloudwatch:ListMetrics")}
    estate = collect(
        Regions(EMPTY, "us-east-1", {"eu-west-1": refused}), types=[RETENTION], candidates=["eu-west-1"]
    )
    (survey,) = estate.of_type(USAGE, region="eu-west-1")
    assert {item.reason for item in survey.unknown} == {"AccessDenied: needs cloudwatch:ListMetrics"}


def test_a_bucket_lets_a_burst_pass_and_then_keeps_the_rate() -> None:
    now, waits = [0.0], []
    bucket = TokenBucket(10.0, 3, monotonic=lambda: now[0], sleep=waits.append)
    for _ in range(5):
        bucket.take()
    assert waits == pytest.approx([0.1, 0.2])
    now[0] = 100.0
    for _ in range(4):
        bucket.take()
    assert waits == pytest.approx([0.1, 0.2, 0.1])
