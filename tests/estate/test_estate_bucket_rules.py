"""Lifecycle rules between CloudFormation's spelling and S3's: which objects a rule is for is part of what it says."""

from __future__ import annotations

from typing import Any

import pytest

from ringwall.estate.kinds.lifecycle import rules_from_api, rules_to_api

EXPIRES = {"Id": "old", "Status": "Enabled", "ExpirationInDays": 30}
TEMPORARY, DRAFTS = {"Key": "kind", "Value": "temporary"}, {"Key": "state", "Value": "draft"}


@pytest.mark.parametrize(
    ("conditions", "filtered"),
    [
        ({}, {"Prefix": ""}),
        ({"Prefix": "logs/"}, {"Prefix": "logs/"}),
        ({"TagFilters": [TEMPORARY]}, {"Tag": TEMPORARY}),
        ({"TagFilters": [TEMPORARY, DRAFTS]}, {"And": {"Tags": [TEMPORARY, DRAFTS]}}),
        ({"ObjectSizeGreaterThan": "1024"}, {"ObjectSizeGreaterThan": 1024}),
        ({"ObjectSizeLessThan": "0"}, {"ObjectSizeLessThan": 0}),
        (
            {"Prefix": "logs/", "TagFilters": [TEMPORARY], "ObjectSizeLessThan": "4096"},
            {"And": {"Prefix": "logs/", "Tags": [TEMPORARY], "ObjectSizeLessThan": 4096}},
        ),
    ],
)
def test_a_rule_is_for_the_objects_that_it_names(
    conditions: dict[str, Any], filtered: dict[str, Any]
) -> None:
    rule = {**EXPIRES, **conditions}
    (sent,) = rules_to_api([rule])
    assert sent["Filter"] == filtered
    assert rules_from_api([sent]) == [rule]


def test_the_older_form_of_a_prefix_is_read() -> None:
    assert rules_from_api([{"ID": "old", "Status": "Enabled", "Prefix": "logs/"}]) == [
        {"Id": "old", "Status": "Enabled", "Prefix": "logs/"}
    ]
