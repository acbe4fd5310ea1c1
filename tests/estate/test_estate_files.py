"""Estate files, references, canonical policies and limits."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estate.estate_support import resource
from ringwall.estate import codec
from ringwall.estate.kinds import registry
from ringwall.estate.kinds.documents import canonical_policy, document
from ringwall.estate.kinds.limits import Limit, problems
from ringwall.estate.model import Account, Estate, Ref, Resource, Unknown
from ringwall.estate.references import (
    UnresolvedReferenceError,
    bind,
    bind_resource,
    dependencies,
    placeholders,
)

ENDPOINT = resource(
    "AWS::EC2::VPCEndpoint",
    "endpoint/bedrock-runtime",
    SecurityGroupIds=[Ref("security-group/endpoints", "Id")],
    ServiceName="com.amazonaws.us-east-1.bedrock-runtime",
)
GROUP = resource("AWS::EC2::SecurityGroup", "security-group/endpoints", GroupName="endpoints")
SCP = Resource(
    "AWS::Organizations::Policy",
    "999988887777",
    "global",
    "scp/network",
    {
        "Content": {
            "Statement": [{"Condition": {"StringNotEquals": {"aws:SourceVpce": [Ref(ENDPOINT.id, "Id")]}}}]
        }
    },
    depends_on=("role/app",),
)
DESIRED = Estate("desired", (Account("111122223333", "o-ringwallsb"),), (SCP, ENDPOINT, GROUP))


def test_references_survive_the_file() -> None:
    text = codec.dumps(DESIRED)
    assert {"$ref": "security-group/endpoints", "attribute": "Id"} in json.loads(text)["resources"][1][
        "properties"
    ]["SecurityGroupIds"]
    assert codec.loads(text) == DESIRED
    assert codec.dumps(codec.loads(text)) == text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
WORDS = st.text("abc/:", min_size=1, max_size=6)
VALUES = JSON | st.builds(Ref, WORDS, WORDS)
RESOURCES = st.builds(
    Resource,
    type=WORDS,
    account=WORDS,
    region=WORDS,
    id=WORDS,
    properties=st.dictionaries(WORDS, VALUES, max_size=3),
    unknown=st.lists(st.builds(Unknown, WORDS, WORDS), max_size=2).map(tuple),
    depends_on=st.lists(WORDS, max_size=2).map(tuple),
    evidence=st.lists(WORDS, max_size=2).map(tuple),
)


@given(st.lists(RESOURCES, max_size=3), st.sampled_from(["desired", "observed"]))
def test_every_estate_survives_the_file(resources: list[Resource], source: Any) -> None:
    estate = Estate(
        source, (Account("111122223333", None, levels=("r-1", "ou-1")),), tuple(resources), "2026-11-23"
    )
    again = codec.loads(codec.dumps(estate))
    assert again == estate
    assert [item.evidence for item in again] == [item.evidence for item in estate]


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("{", ["not an Estate file"]),
        ("[]", ["$: expected an object, not a list"]),
        ('{"version": 2, "source": "desired"}', ["$.version: expected 1, not 2"]),
        ('{"version": 1, "source": "imagined"}', ["$.source"]),
        (
            '{"version": 1, "source": "observed", "resources": [{"type": "t", "account": 1, "region": "r"}]}',
            ["$.resources[0].account: expected a text, not a number", "$.resources[0].id: expected a text"],
        ),
        (
            '{"version": 1, "source": "observed", "accounts": [{"id": "1", "levels": ["r", 2]}], "resources": 3}',
            ["$.accounts[0].levels[1]", "$.resources: expected a list"],
        ),
        (
            json.dumps(
                {
                    "version": 1,
                    "source": "observed",
                    "resources": [
                        {
                            "type": "t",
                            "account": "a",
                            "region": "r",
                            "id": "i",
                            "unknown": [{"property": "p"}],
                        }
                    ],
                }
            ),
            ["$.resources[0].unknown[0].reason"],
        ),
    ],
)
def test_mistakes_in_a_file_are_named_by_path(text: str, paths: list[str]) -> None:
    with pytest.raises(codec.EstateFileError) as caught:
        codec.loads(text)
    told = " ".join((str(caught.value), *caught.value.details))
    assert all(path in told for path in paths), told


def test_dependencies() -> None:
    assert dependencies(SCP) == ("endpoint/bedrock-runtime", "role/app")
    assert dependencies(GROUP) == ()


def test_binding_to_placeholders_leaves_no_reference() -> None:
    values = placeholders(DESIRED)
    assert values[ENDPOINT.id]["Id"].startswith("vpce-")
    bound = bind(DESIRED, values)
    assert bound.find(ENDPOINT.id).get("SecurityGroupIds") == [values[GROUP.id]["Id"]]  # type: ignore[union-attr]
    assert "$ref" not in codec.dumps(bound)


def test_missing_values_are_told_all_at_once() -> None:
    with pytest.raises(UnresolvedReferenceError) as caught:
        bind(DESIRED, {GROUP.id: {"Arn": "x"}})
    told = " ".join((str(caught.value), *caught.value.details))
    assert "endpoint/bedrock-runtime, which is not in the Estate" in told
    assert "security-group/endpoints has Arn" in told
    partly = bind(DESIRED, {GROUP.id: {"Id": "sg-1"}}, partial=True)
    assert partly.find(SCP.id) == SCP
    assert bind_resource(ENDPOINT, {GROUP.id: {"Id": "sg-1"}}).get("SecurityGroupIds") == ["sg-1"]


def test_placeholders_are_distinct_and_stable() -> None:
    made = [
        kind.placeholder(resource(name, f"thing/{number}"))["Id"]
        for name, kind in registry().items()
        for number in range(2)
        if name
        in ("AWS::KMS::Key", "AWS::EC2::VPCEndpoint", "AWS::EC2::SecurityGroup", "AWS::Bedrock::Guardrail")
    ]
    assert len(set(made)) == len(made)
    assert (
        made[0]
        == registry()["AWS::EC2::SecurityGroup"].placeholder(resource("AWS::EC2::SecurityGroup", "thing/0"))[
            "Id"
        ]
    )


def statement(**parts: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **parts}]}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (statement(Action="a:B"), statement(Action=["a:B"])),
        (statement(Action=["a:B", "a:C"]), statement(Action=["a:C", "a:B", "a:B"])),
        (statement(Principal="*"), statement(Principal={"AWS": ["*"]})),
        (
            statement(Principal={"AWS": "111122223333"}),
            statement(Principal={"AWS": ["arn:aws:iam::111122223333:root"]}),
        ),
        (
            statement(Condition={"Bool": {"aws:SecureTransport": False}}),
            statement(Condition={"Bool": {"aws:SecureTransport": ["false"]}}),
        ),
        (statement(Condition={}), statement()),
        (statement(Sid=""), statement()),
        (
            {"Version": "2012-10-17", "Statement": {"Effect": "Deny"}},
            {"Version": "2012-10-17", "Id": "x", "Statement": [{"Effect": "Deny"}]},
        ),
        ({"Statement": []}, {"Version": "2008-10-17", "Statement": []}),
    ],
)
def test_spellings_of_one_policy(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert canonical_policy(one) == canonical_policy(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (statement(Action="a:B"), statement(NotAction="a:B")),
        (statement(Principal={"AWS": "*"}), statement(Principal={"Service": "*"})),
        (
            statement(Principal={"AWS": "arn:aws:iam::111122223333:role/A"}),
            statement(Principal={"AWS": "AROAEXAMPLEID"}),
        ),
        (
            statement(Condition={"StringEquals": {"k": "v"}}),
            statement(Condition={"StringEqualsIfExists": {"k": "v"}}),
        ),
        ({"Version": "2008-10-17", "Statement": []}, {"Version": "2012-10-17", "Statement": []}),
    ],
)
def test_different_policies_stay_different(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert canonical_policy(one) != canonical_policy(other)


def test_canonical_form_is_stable_and_keeps_references() -> None:
    policy = statement(Action=["b:C", "a:B"], Resource=[Ref("key/a", "Arn"), "*"])
    once = canonical_policy(policy)
    assert canonical_policy(once) == once
    assert Ref("key/a", "Arn") in once["Statement"][0]["Resource"]


@pytest.mark.parametrize("text", ['{"a": 1}', "%7B%22a%22%3A%201%7D", {"a": 1}])
def test_documents_come_in_three_forms(text: Any) -> None:
    assert document(text) == {"a": 1}


def test_limits() -> None:
    table = (
        Limit("Name", required=True, pattern="[a-z]+", longest=5),
        Limit("Items[].Size", required=True, least=1, most=3),
        Limit("Deep.Mode", choices=("a", "b")),
        Limit("Policy", size=10),
    )
    assert problems({"Name": "abc", "Items": [{"Size": 2}], "Policy": {}}, table) == ()
    assert problems({"Name": Ref("x", "Name")}, table) == ()
    told = problems(
        {
            "Name": "Abcdef",
            "Items": [{"Size": 0}, {}, {"Size": 9}],
            "Deep": {"Mode": "c"},
            "Policy": {"a": "b" * 20},
        },
        table,
    )
    assert told == (
        "Name: has 6 characters; AWS takes 5",
        "Name: 'Abcdef' does not match [a-z]+",
        "Items[0].Size: must be at least 1, not 0",
        "Items[1].Size: is required",
        "Items[2].Size: must be at most 3, not 9",
        "Deep.Mode: must be one of a, b, not c",
        "Policy: is 28 characters long; AWS takes 10",
    )


REJECTED: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("AWS::Logs::LogGroup", {"LogGroupName": "a", "KmsKeyId": "1234-key-id"}, "does not match"),
    ("AWS::Logs::LogGroup", {"LogGroupName": "a", "RetentionInDays": 100}, "must be one of"),
    ("AWS::KMS::Key", {"KeyPolicy": {}, "RotationPeriodInDays": 30}, "at least 90"),
    ("AWS::KMS::Alias", {"AliasName": "alias/aws/bedrock", "TargetKeyId": "x"}, "does not match"),
    (
        "AWS::CloudTrail::Trail",
        {
            "TrailName": "main",
            "S3BucketName": "b",
            "EventSelectors": [{"DataResources": [{"Type": "AWS::Bedrock::Guardrail"}]}],
        },
        "must be one of AWS::S3::Object",
    ),
    (
        "AWS::CloudTrail::Trail",
        {
            "TrailName": "main",
            "S3BucketName": "b",
            "AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}],
        },
        "exactly one type",
    ),
    (
        "AWS::Organizations::Policy",
        {
            "Name": "x",
            "Type": "SERVICE_CONTROL_POLICY",
            "Content": statement(Principal="*", Action="*", Resource="*"),
        },
        "has no Principal",
    ),
    (
        "AWS::Organizations::Policy",
        {"Name": "x", "Type": "SERVICE_CONTROL_POLICY", "Content": statement(Action=["a:" + "b" * 11_000])},
        "AWS takes 10240",
    ),
    (
        "AWS::CloudWatch::Alarm",
        {
            "AlarmName": "a",
            "ComparisonOperator": "GreaterThan",
            "EvaluationPeriods": 1,
            "MetricName": "m",
            "Statistic": "Sum",
            "Threshold": 1,
            "Period": 45,
        },
        "multiple of 60",
    ),
    (
        "AWS::EC2::SecurityGroup",
        {
            "GroupName": "g",
            "GroupDescription": "d",
            "VpcId": "vpc-1",
            "SecurityGroupIngress": [{"IpProtocol": "tcp", "CidrIp": "10.0.0.0/99"}],
        },
        "not a CIDR block",
    ),
    (
        "AWS::S3::BucketPolicy",
        {
            "Bucket": "mine",
            "PolicyDocument": statement(Principal="*", Action="s3:*", Resource="arn:aws:s3:::yours/*"),
        },
        "not part of the bucket",
    ),
    (
        "AWS::S3::Bucket",
        {
            "BucketName": "some-bucket",
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "rot13"}}
                ]
            },
        },
        "must be one of AES256",
    ),
    ("AWS::S3::Bucket", {"BucketName": "Upper_Case"}, "does not match"),
    (
        "AWS::SNS::Subscription",
        {"TopicArn": "arn:aws:sns:us-east-1:111122223333:t", "Protocol": "email", "Endpoint": "nobody"},
        "not an email address",
    ),
    ("AWS::Events::Rule", {"Name": "r"}, "EventPattern or ScheduleExpression"),
    ("AWS::IAM::Role", {"RoleName": "a b", "AssumeRolePolicyDocument": {}}, "does not match"),
    (
        "Ringwall::Bedrock::InvocationLogging",
        {"LoggingConfig": {"TextDataDeliveryEnabled": True}},
        "needs CloudWatchConfig",
    ),
    ("Ringwall::Bedrock::DataRetention", {"Mode": "forever"}, "must be one of"),
    (
        "AWS::EC2::VPCEndpoint",
        {"ServiceName": "com.amazonaws.us-east-1.s3", "VpcId": "vpc-1", "SecurityGroupIds": ["sg-1"]},
        "only interface endpoints",
    ),
)


@pytest.mark.parametrize(("resource_type", "properties", "message"), REJECTED)
def test_what_aws_rejects(resource_type: str, properties: dict[str, Any], message: str) -> None:
    assert message in " ".join(registry()[resource_type].validate(properties))
