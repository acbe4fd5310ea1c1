"""Which observed resource is the declared one, where tags alone do not tell."""

from __future__ import annotations

import pytest

from ringwall.deploy.diff import differences
from ringwall.errors import AwsCallError
from ringwall.estate.kinds import registry
from ringwall.estate.kinds.base import ID_TAG, PERIMETER_TAG, reason
from ringwall.estate.model import Resource

ACCOUNT, REGION = "111122223333", "us-east-1"
OURS, NAMED = {"Key": PERIMETER_TAG, "Value": "quickstart"}, {"Key": ID_TAG, "Value": "key/trail"}
KEY, ALIAS, ENDPOINT, TRAIL = (
    f"AWS::{name}" for name in ("KMS::Key", "KMS::Alias", "EC2::VPCEndpoint", "CloudTrail::Trail")
)
SERVICE = {"ServiceName": "com.amazonaws.us-east-1.bedrock-runtime", "VpcEndpointType": "Interface"}


def thing(kind, name, **properties):
    return Resource(kind, ACCOUNT, REGION, name, properties)


@pytest.mark.parametrize(
    ("tags", "description", "found"),
    [
        ([OURS, NAMED], "anything", True),
        ([OURS], "the trail", True),
        ([OURS], "something else", False),
        ([OURS, {"Key": ID_TAG, "Value": "key/other"}], "the trail", False),
        ([{"Key": PERIMETER_TAG, "Value": "another"}], "the trail", False),
        ([NAMED], "the trail", False),
        ([], "the trail", False),
    ],
)
def test_a_key_that_lost_its_declared_id_is_known_by_its_purpose(tags, description, found):
    desired = thing(KEY, "key/trail", Description="the trail", Tags=[OURS, NAMED])
    there = thing(KEY, "1234", Description=description, Tags=tags)
    assert (registry()[KEY].match(desired, (there,)) is there) is found


def test_a_key_that_waits_for_its_end_differs_and_says_so():
    kind = registry()[KEY]
    states = {
        state: kind.normalise({"KeyState": state})["KeyState"]
        for state in ("Enabled", "Disabled", "PendingImport", "PendingDeletion")
    }
    assert (
        kind.normalise({})["KeyState"] == states["Enabled"] == states["Disabled"] == states["PendingImport"]
    )
    assert states["PendingDeletion"] == "PendingDeletion"


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ({"PrivateDnsEnabled": True, "VpcId": "vpc-1"}, True),
        ({"PrivateDnsEnabled": False, "VpcId": "vpc-1"}, False),
        ({"PrivateDnsEnabled": True, "VpcId": "vpc-2"}, False),
        (
            {"PrivateDnsEnabled": True, "VpcId": "vpc-1", "ServiceName": "com.amazonaws.us-east-1.bedrock"},
            False,
        ),
    ],
)
def test_the_endpoint_that_has_the_private_name_is_the_declared_one(properties, found):
    desired = thing(ENDPOINT, "endpoint/a", **SERVICE, VpcId="vpc-1", PrivateDnsEnabled=True, Tags=[OURS])
    there = thing(ENDPOINT, "vpce-1", **{**SERVICE, "Tags": [], **properties})
    assert (registry()[ENDPOINT].match(desired, (there,)) is there) is found
    tagged = thing(
        ENDPOINT, "vpce-2", **SERVICE, VpcId="vpc-1", Tags=[OURS, {"Key": ID_TAG, "Value": "endpoint/a"}]
    )
    assert registry()[ENDPOINT].match(desired, (there, tagged)) is tagged, "its tags come first"


def test_an_alias_names_a_key_by_its_id_and_leaves_what_is_not_known_yet():
    kind, unknown = registry()[ALIAS], "(known after apply: key/trail.KeyId)"
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234"
    assert [kind.normalise({"TargetKeyId": value})["TargetKeyId"] for value in (arn, "1234", unknown)] == [
        "1234",
        "1234",
        unknown,
    ]


def test_basic_selectors_that_advanced_ones_replace_are_a_difference():
    kind = registry()[TRAIL]
    basic = [
        {"ReadWriteType": "All", "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]}
    ]
    advanced = [{"Name": "all", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}]
    declared = kind.normalise({"TrailName": "t", "AdvancedEventSelectors": advanced})

    def paths(**there):
        return [item.path for item in differences(declared, kind.normalise({"TrailName": "t", **there}))]

    assert paths(AdvancedEventSelectors=advanced) == []
    assert sorted(paths(EventSelectors=basic)) == ["AdvancedEventSelectors", "EventSelectors"]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("no identity-based policy allows it", ""),
        (
            "User: arn:aws:iam::1:user/a is not authorized to perform: x with an explicit deny in a service control policy",
            ", with an explicit deny in a service control policy",
        ),
        (
            "x with an explicit deny in an identity-based policy",
            ", with an explicit deny in an identity-based policy",
        ),
    ],
)
def test_a_denial_that_no_permission_helps_against_says_where_it_is(message, expected):
    error = AwsCallError("kms", "ListKeys", "AccessDeniedException", message, permission="kms:ListKeys")
    assert reason(error) == f"AccessDenied: needs kms:ListKeys{expected}"
