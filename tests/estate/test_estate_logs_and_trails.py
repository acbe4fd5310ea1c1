"""Log groups with protection and masks, and our selectors on a trail that was there before."""

from __future__ import annotations

from typing import Any

import pytest

from estate.estate_support import REGION, FakeAws
from ringwall.errors import AwsCallError
from ringwall.estate.kinds import registry
from ringwall.estate.kinds.trail_selectors import own_name, spelled_out
from ringwall.estate.model import Resource

ACCOUNT = "111122223333"
TRAIL = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/company"
MASK = {"Name": "m", "Version": "2021-06-01", "Statement": [{"Sid": "audit"}, {"Sid": "mask"}]}


def selector(name: str, *fields: tuple[str, str, list[str]]) -> dict[str, Any]:
    return {
        "Name": name,
        "FieldSelectors": [{"Field": field, operator: values} for field, operator, values in fields],
    }


THEIRS = selector("Theirs", ("eventCategory", "Equals", ["Management"]))
OURS = selector(
    own_name("quickstart", "Guardrail"),
    ("eventCategory", "Equals", ["Data"]),
    ("resources.type", "Equals", ["AWS::Bedrock::Guardrail"]),
)
OLD = selector(
    own_name("quickstart", "Old"),
    ("eventCategory", "Equals", ["Data"]),
    ("resources.type", "Equals", ["AWS::Bedrock::Model"]),
)


def desired(**properties: Any) -> Resource:
    return Resource(
        "Ringwall::CloudTrail::EventSelectors", ACCOUNT, REGION, "trail-selectors/main", properties
    )


def trail(**selectors: Any) -> FakeAws:
    return FakeAws(
        {
            "DescribeTrails": {"trailList": [{"Name": "company", "TrailARN": TRAIL}]},
            "GetEventSelectors": {"TrailARN": TRAIL, **selectors},
            "PutEventSelectors": {},
        }
    )


def written(aws: FakeAws) -> list[str]:
    return [
        item["Name"]
        for name, parameters in aws.calls
        if name == "PutEventSelectors"
        for item in parameters["AdvancedEventSelectors"]
    ]


KIND = registry()["Ringwall::CloudTrail::EventSelectors"]
WANTED = desired(TrailName="company", AdvancedEventSelectors=[OURS])


def test_ours_are_merged_and_theirs_stay() -> None:
    aws = trail(AdvancedEventSelectors=[THEIRS, OLD])
    KIND.create(aws, WANTED)
    assert written(aws) == ["Theirs", own_name("quickstart", "Guardrail")]


def test_another_perimeters_selectors_on_the_same_trail_stay() -> None:
    neighbour = selector(own_name("other", "Guardrail"), ("eventCategory", "Equals", ["Management"]))
    aws = trail(AdvancedEventSelectors=[neighbour, OLD])
    KIND.create(aws, WANTED)
    assert written(aws) == [own_name("other", "Guardrail"), own_name("quickstart", "Guardrail")]
    assert list(KIND.read(trail(AdvancedEventSelectors=[neighbour]))) == []


def test_what_basic_selectors_selected_is_kept() -> None:
    basic = {
        "ReadWriteType": "WriteOnly",
        "IncludeManagementEvents": True,
        "ExcludeManagementEventSources": ["kms.amazonaws.com"],
        "DataResources": [
            {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::data/"]},
            {"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda"]},
        ],
    }
    aws = trail(EventSelectors=[basic])
    KIND.create(aws, WANTED)
    assert len(written(aws)) == 4
    management, objects, functions = (
        {item["Field"]: item for item in found["FieldSelectors"]} for found in spelled_out(basic)
    )
    assert management["readOnly"]["Equals"] == ["false"]
    assert management["eventSource"]["NotEquals"] == ["kms.amazonaws.com"]
    assert objects["resources.ARN"]["StartsWith"] == ["arn:aws:s3:::data/"]
    assert "resources.ARN" not in functions


def test_reading_shows_ours_alone_and_comparing_finds_what_is_missing() -> None:
    assert list(KIND.read(trail(AdvancedEventSelectors=[THEIRS]))) == []
    (found,) = KIND.read(trail(AdvancedEventSelectors=[THEIRS, OURS]))
    assert found.properties["AdvancedEventSelectors"] == [OURS]
    assert KIND.match(WANTED, (found,)) == found
    assert KIND.normalise(found.properties) == KIND.normalise(WANTED.properties)
    (old,) = KIND.read(trail(AdvancedEventSelectors=[THEIRS, OLD]))
    assert KIND.normalise(old.properties) != KIND.normalise(WANTED.properties)


def test_deleting_takes_ours_away_and_leaves_something_to_record() -> None:
    (found,) = KIND.read(trail(AdvancedEventSelectors=[THEIRS, OURS]))
    aws = trail(AdvancedEventSelectors=[THEIRS, OURS])
    KIND.delete(aws, found)
    assert written(aws) == ["Theirs"]
    alone = trail(AdvancedEventSelectors=[OURS])
    KIND.delete(alone, found)
    assert written(alone) == ["Management events"]


def test_a_trail_that_has_no_room_is_left_as_it_is() -> None:
    crowd = selector(
        "Theirs",
        ("eventCategory", "Equals", ["Management"]),
        ("eventSource", "NotEquals", [f"s{i}" for i in range(499)]),
    )
    aws = trail(AdvancedEventSelectors=[crowd])
    with pytest.raises(AwsCallError, match="a trail takes 500"):
        KIND.create(aws, WANTED)
    assert written(aws) == []


def test_selectors_without_our_name_are_refused() -> None:
    problems = KIND.validate({"TrailName": "company", "AdvancedEventSelectors": [THEIRS]})
    assert any("must begin with" in item for item in problems)


GROUP = registry()["AWS::Logs::LogGroup"]


def group(**properties: Any) -> Resource:
    return Resource(
        "AWS::Logs::LogGroup", ACCOUNT, REGION, "log-group/x", {"LogGroupName": "/bedrock", **properties}
    )


def test_a_log_group_is_made_with_protection_and_mask() -> None:
    aws = FakeAws({"CreateLogGroup": {}, "PutRetentionPolicy": {}, "PutDataProtectionPolicy": {}})
    GROUP.create(aws, group(RetentionInDays=365, DeletionProtectionEnabled=True, DataProtectionPolicy=MASK))
    calls = dict(aws.calls)
    assert calls["CreateLogGroup"]["deletionProtectionEnabled"] is True
    assert calls["PutDataProtectionPolicy"]["logGroupIdentifier"] == "/bedrock"


def test_a_mask_and_a_protection_that_went_are_seen_and_come_back() -> None:
    wanted = group(DeletionProtectionEnabled=True, DataProtectionPolicy=MASK)
    told = {
        "DescribeLogGroups": {"logGroups": [{"logGroupName": "/bedrock", "arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/bedrock:*"}]},
        "ListTagsForResource": {"tags": {}},
        "GetDataProtectionPolicy": {"logGroupIdentifier": "/bedrock"},
        "PutDataProtectionPolicy": {},
        "PutLogGroupDeletionProtection": {},
        "TagResource": {},
    }  # fmt: skip
    aws = FakeAws(told)
    (found,) = GROUP.read(aws)
    assert GROUP.normalise(found.properties)["DeletionProtectionEnabled"] is False
    GROUP.update(aws, found, wanted)
    assert {"PutDataProtectionPolicy", "PutLogGroupDeletionProtection"} <= {name for name, _ in aws.calls}


def test_deleting_turns_the_protection_off_first() -> None:
    aws = FakeAws({"PutLogGroupDeletionProtection": {}, "DeleteLogGroup": {}})
    there = Resource("AWS::Logs::LogGroup", ACCOUNT, REGION, "/bedrock", {"DeletionProtectionEnabled": True})
    GROUP.delete(aws, there)
    assert [name for name, _ in aws.calls] == ["PutLogGroupDeletionProtection", "DeleteLogGroup"]
