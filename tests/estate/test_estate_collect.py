"""Collecting: everything that is there, and what could not be read as unknown."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from estate.estate_support import ACCOUNT, INVOKE, REGION, TRUST, FakeAws, denied
from ringwall.errors import RingwallError
from ringwall.estate.collect import collect
from ringwall.estate.connection import Connection, connect
from ringwall.estate.kinds import registry
from ringwall.estate.model import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

BEDROCK = tuple(name for name in registry() if "::Bedrock::" in name)
OTHERS = tuple(name for name in registry() if "::Bedrock::" not in name)


def noon() -> datetime:
    return datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", REGION)
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "HTTPS_PROXY", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield connect("quickstart")


def test_an_account_in_an_organization(aws: Connection) -> None:
    organizations = boto3.client("organizations", region_name=REGION)
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    iam = boto3.client("iam", region_name=REGION)
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName="app", PolicyName="invoke", PolicyDocument=json.dumps(INVOKE))
    estate = collect(aws, types=OTHERS, management=aws, clock=noon)
    assert estate.taken_at == "2026-11-23T12:00:00+00:00"
    (account,) = estate.accounts
    assert account.organization is not None
    assert (account.management, account.levels) == (True, (root, ACCOUNT))
    (role,) = estate.of_type("AWS::IAM::Role")
    assert role.get("Policies") == [{"PolicyName": "invoke", "PolicyDocument": INVOKE}]
    names = {policy.get("Name") for policy in estate.of_type("AWS::Organizations::Policy")}
    assert "FullAWSAccess" in names
    assert all(item.evidence for item in estate)
    assert [item for item in estate if item.unknown] == []
    recorded = {item.digest for item in aws.recording()}
    assert all(set(item.evidence) <= recorded for item in estate)


def test_several_regions_without_repeats(aws: Connection) -> None:
    boto3.client("s3", region_name=REGION).create_bucket(Bucket="trail-bucket")
    boto3.client("cloudtrail", region_name=REGION).create_trail(
        Name="main", S3BucketName="trail-bucket", IsMultiRegionTrail=True
    )
    boto3.client("kms", region_name="us-west-2").create_key()
    estate = collect(
        aws,
        types=["AWS::CloudTrail::Trail", "AWS::KMS::Key", "AWS::S3::Bucket"],
        regions=[REGION, "us-west-2"],
    )
    assert [(item.type, item.region) for item in estate] == [
        ("AWS::CloudTrail::Trail", REGION),
        ("AWS::KMS::Key", "us-west-2"),
        ("AWS::S3::Bucket", REGION),
    ]


def test_a_listing_that_is_denied_is_unknown() -> None:
    refused = denied("ListGuardrails", "bedrock:ListGuardrails")
    logging_refused = denied(
        "GetModelInvocationLoggingConfiguration", "bedrock:GetModelInvocationLoggingConfiguration"
    )
    aws = FakeAws(
        {
            "ListGuardrails": refused,
            "ListEnforcedGuardrailsConfiguration": {"guardrailsConfig": []},
            "GetModelInvocationLoggingConfiguration": logging_refused,
            "GetAccountDataRetention": {"mode": "none"},
            "DescribeOrganization": denied("DescribeOrganization", "organizations:DescribeOrganization"),
        }
    )
    estate = collect(aws, types=BEDROCK)
    unread = {item.type: item.unknown for item in estate if item.id == "?"}
    reason = (Unknown("*", "AccessDenied: needs bedrock:ListGuardrails"),)
    assert unread["AWS::Bedrock::Guardrail"] == reason
    assert unread["AWS::Bedrock::GuardrailVersion"] == reason
    assert unread["AWS::Bedrock::ResourcePolicy"] == reason
    assert unread["Ringwall::Bedrock::InvocationLogging"][0].reason.endswith(
        "bedrock:GetModelInvocationLoggingConfiguration"
    )
    assert unread["AWS::Organizations::Policy"] == (
        Unknown("Organization", "AccessDenied: needs organizations:DescribeOrganization"),
    )
    assert [item.get("Mode") for item in estate.of_type("Ringwall::Bedrock::DataRetention")] == ["none"]


def test_without_the_management_account_its_policies_are_unknown() -> None:
    outside: dict[str, Any] = {
        "DescribeOrganization": {"Organization": {"Id": "o-ringwallsb", "MasterAccountId": "999988887777"}},
        "ListParents": denied("ListParents", "organizations:ListParents"),
    }
    estate = collect(FakeAws(outside), types=["AWS::Organizations::Policy"])
    reasons = [part for item in estate for part in item.unknown]
    assert {part.property for part in reasons} == {"*", "TargetLevels"}
    assert any("organization.management_role" in part.reason for part in reasons)
    assert estate.accounts[0].organization == "o-ringwallsb"
    assert not estate.accounts[0].management


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(RingwallError, match="AWS::Moon::Base"):
        collect(FakeAws({}), types=["AWS::Moon::Base"])
