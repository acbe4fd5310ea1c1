"""The connection: evidence, errors with their permission, pages, other Regions and roles."""

from __future__ import annotations

import hashlib
import json
import pickle
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from threading import Barrier
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, NoCredentialsError
from botocore.stub import Stubber
from moto import mock_aws

from estate.estate_support import ACCOUNT, INVOKE, REGION, TRUST, without_api_keys
from ringwall.errors import AwsCallError, RingwallError
from ringwall.estate.connection import Connection, _Shared, connect, management
from ringwall.estate.kinds import registry
from ringwall.estate.recording import REDACTED
from ringwall.estate.sessions import base_session

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", REGION)
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "HTTPS_PROXY", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield without_api_keys(connect("quickstart"))


def stubbed(connection: Connection, service: str) -> Stubber:
    return Stubber(connection._client(service))


def test_who_we_are(aws: Connection) -> None:
    assert (aws.account, aws.region, aws.partition, aws.perimeter) == (ACCOUNT, REGION, "aws", "quickstart")
    assert aws.caller.startswith(f"arn:aws:sts::{ACCOUNT}:")


def test_every_response_is_evidence(aws: Connection) -> None:
    aws.evidence()
    aws.call("iam", "CreateRole", RoleName="x", AssumeRolePolicyDocument=json.dumps(TRUST))
    aws.call("iam", "ListRoles")
    answer = aws.call("iam", "GetRole", RoleName="x")
    assert "ResponseMetadata" not in answer
    digests = aws.evidence()
    assert len(digests) == 2, "CreateRole and GetRole answer the same"
    assert aws.evidence() == ()
    last = aws.recording()[-1]
    assert last.digest == digests[0] == "sha256:" + hashlib.sha256(last.body.encode()).hexdigest()
    assert (last.service, last.operation, last.parameters) == ("iam", "GetRole", {"RoleName": "x"})
    assert (last.account, last.region, last.caller) == (ACCOUNT, REGION, aws.caller)
    assert last.request_id
    assert last.time.endswith("+00:00")
    assert json.loads(last.body)["Role"]["RoleName"] == "x"


def test_equal_responses_have_equal_digests(aws: Connection) -> None:
    aws.evidence()
    for _ in range(2):
        aws.call("sts", "GetCallerIdentity")
    assert len(aws.evidence()) == 1


def test_secrets_are_not_recorded(aws: Connection) -> None:
    aws.call("iam", "CreateUser", UserName="x")
    key = aws.call("iam", "CreateAccessKey", UserName="x")["AccessKey"]
    assert key["SecretAccessKey"] != REDACTED
    last = aws.recording()[-1]
    assert key["SecretAccessKey"] not in last.body
    assert json.loads(last.body)["AccessKey"]["SecretAccessKey"] == REDACTED


def test_evidence_is_of_the_thread_that_asked(aws: Connection) -> None:
    aws.evidence()
    seen: list[tuple[str, ...]] = []

    def ask() -> None:
        aws.call("sts", "GetCallerIdentity")
        seen.append(aws.evidence())

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert len(seen[0]) == 1
    assert aws.evidence() == ()


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "permission"),
    [
        ("bedrock", "ListGuardrails", {}, "bedrock:ListGuardrails"),
        ("s3", "ListBuckets", {}, "s3:ListAllMyBuckets"),
        ("s3", "GetBucketEncryption", {"Bucket": "some-bucket"}, "s3:GetEncryptionConfiguration"),
        ("kms", "ListKeys", {}, "kms:ListKeys"),
    ],
)
def test_a_denial_names_the_permission(
    aws: Connection, service: str, operation: str, parameters: dict[str, Any], permission: str
) -> None:
    with stubbed(aws, service) as stub:
        method = {"ListBuckets": "list_buckets", "ListGuardrails": "list_guardrails", "ListKeys": "list_keys"}
        stub.add_client_error(
            method.get(operation, "get_bucket_encryption"), "AccessDeniedException", "not you", 403
        )
        with pytest.raises(AwsCallError) as caught:
            aws.call(service, operation, **parameters)
    assert (caught.value.code, caught.value.permission) == ("AccessDeniedException", permission)
    assert f"needs {permission}" in str(caught.value)


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (
            EndpointConnectionError(endpoint_url="https://bedrock.us-east-1.amazonaws.com"),
            "EndpointUnreachable",
        ),
        (ConnectTimeoutError(endpoint_url="https://bedrock.us-east-1.amazonaws.com"), "EndpointUnreachable"),
        (NoCredentialsError(), "NoCredentials"),
    ],
)
def test_failures_before_aws_answers(
    aws: Connection, monkeypatch: pytest.MonkeyPatch, failure: Exception, code: str
) -> None:
    def fail(**_: Any) -> None:
        raise failure

    monkeypatch.setattr(aws._client("bedrock"), "list_guardrails", fail, raising=False)
    with pytest.raises(AwsCallError) as caught:
        aws.call("bedrock", "ListGuardrails")
    assert caught.value.code == code


def test_an_answer_that_nobody_can_read_is_a_failed_call(aws: Connection) -> None:
    """A proxy's page in place of XML: botocore's error for it is none of its own family."""

    def page(request: Any, **_: Any) -> AWSResponse:
        raw = BytesIO(b"<html>please log in")
        raw.stream = lambda **__: iter((b"<html>please log in",))  # type: ignore[attr-defined]
        return AWSResponse(request.url, 200, {}, raw)

    aws._client("rds").meta.events.register_first("before-send", page)
    with pytest.raises(AwsCallError) as failure:
        aws.call("rds", "DescribeDBClusters")
    assert failure.value.code == "UnreadableAnswer"
    assert "log in" not in str(failure.value)
    assert aws.recording()[-1].failed


def test_wrong_parameters_are_told_as_such(aws: Connection) -> None:
    with pytest.raises(AwsCallError) as caught:
        aws.call("bedrock", "GetGuardrail", nonsense=1)
    assert caught.value.code == "InvalidParameters"


def test_an_operation_that_this_boto3_lacks(aws: Connection) -> None:
    with pytest.raises(AwsCallError) as caught:
        aws.call("bedrock", "ListUnicorns")
    assert caught.value.code == "UnknownOperation"


@pytest.mark.parametrize(
    ("service", "operation", "method", "key", "pages"),
    [
        (
            "bedrock",
            "ListTagsForResource",
            "list_tags_for_resource",
            "tags",
            [({"resourceARN": "arn:aws:bedrock:us-east-1:123456789012:guardrail/a"}, {"tags": []})],
        ),
        (
            "kms",
            "ListAliases",
            "list_aliases",
            "Aliases",
            [
                ({}, {"Aliases": [{"AliasName": "alias/a"}], "Truncated": True, "NextMarker": "more"}),
                ({"Marker": "more"}, {"Aliases": [{"AliasName": "alias/b"}], "Truncated": False}),
            ],
        ),
        (
            "logs",
            "DescribeLogGroups",
            "describe_log_groups",
            "logGroups",
            [
                ({}, {"logGroups": [{"logGroupName": "a"}], "nextToken": "more"}),
                ({"nextToken": "more"}, {"logGroups": [{"logGroupName": "b"}]}),
            ],
        ),
        (
            "ec2",
            "DescribeVpcs",
            "describe_vpcs",
            "Vpcs",
            [
                ({}, {"Vpcs": [{"VpcId": "a"}], "NextToken": "more"}),
                ({"NextToken": "more"}, {"Vpcs": [{"VpcId": "b"}]}),
            ],
        ),
        (
            "iam",
            "GetAccountAuthorizationDetails",
            "get_account_authorization_details",
            "RoleDetailList",
            [({}, {"RoleDetailList": [], "IsTruncated": False})],
        ),
    ],
)
def test_all_pages_are_read(
    aws: Connection, service: str, operation: str, method: str, key: str, pages: list[Any]
) -> None:
    with stubbed(aws, service) as stub:
        for sent, answer in pages:
            stub.add_response(method, answer, sent)
        items = aws.pages(service, operation, key, **pages[0][0])
        stub.assert_no_pending_responses()
    assert len(items) == sum(len(answer[key]) for _, answer in pages)


def test_a_listing_that_repeats_itself_ends(aws: Connection) -> None:
    with stubbed(aws, "ec2") as stub:
        for _ in range(3):
            stub.add_response("describe_vpcs", {"Vpcs": [], "NextToken": "same"})
        with pytest.raises(AwsCallError, match="same page twice"):
            aws.pages("ec2", "DescribeVpcs", "Vpcs")


def test_another_region_shares_the_recording(aws: Connection) -> None:
    west = aws.elsewhere(region="us-west-2")
    assert (west.region, west.account, west.perimeter) == ("us-west-2", ACCOUNT, "quickstart")
    west.call("kms", "ListKeys")
    assert aws.recording()[-1].region == "us-west-2"
    assert len(west.evidence()) == 1


def test_a_role_is_assumed_with_a_session_of_this_run(aws: Connection) -> None:
    other = "999988887777"
    role = f"arn:aws:iam::{other}:role/RingwallManagement"
    door = management(aws, role)
    assert door.account == other
    assert door.caller.startswith(f"arn:aws:sts::{other}:assumed-role/RingwallManagement/ringwall-")
    assumed = next(item for item in aws.recording() if item.operation == "AssumeRole")
    assert json.loads(assumed.body)["Credentials"]["SessionToken"] == REDACTED


def test_what_is_remembered_lasts_until_a_write(aws: Connection) -> None:
    roles, users = registry()["AWS::IAM::Role"], registry()["AWS::IAM::User"]
    aws.call("iam", "CreateRole", RoleName="x", AssumeRolePolicyDocument=json.dumps(TRUST))
    (role,) = roles.read(aws)
    assert list(users.read(aws)) == []
    asked = [item for item in aws.recording() if item.operation == "GetAccountAuthorizationDetails"]
    assert len(asked) == 1
    assert asked[0].digest in role.evidence
    aws.call("iam", "CreateUser", UserName="y")
    (user,) = users.read(aws)
    assert user.evidence
    aws.call("iam", "PutUserPolicy", UserName="y", PolicyName="p", PolicyDocument=json.dumps(INVOKE))
    (user,) = users.read(aws)
    assert [item["PolicyName"] for item in user.get("Policies")] == ["p"]


def test_streams_are_read_and_recorded(aws: Connection) -> None:
    boto3.client("s3", region_name=REGION).create_bucket(Bucket="some-bucket")
    aws.call("s3", "PutObject", Bucket="some-bucket", Key="a", Body=b"hello")
    assert aws.call("s3", "GetObject", Bucket="some-bucket", Key="a")["Body"] == b"hello"


def test_no_region_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(RingwallError, match="AWS_REGION"):
        connect()


def test_an_unknown_profile_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    with pytest.raises(RingwallError, match="no AWS profile nobody"):
        connect(region=REGION, profile="nobody")


def test_clients_are_made_once_and_sign_as_whoever_speaks() -> None:
    """Two accounts share a client; each call is signed with the keys of its own role, in whichever thread."""
    seen: list[str] = []
    started = Barrier(2)

    def answer(request: Any, **_: Any) -> AWSResponse:
        text = request.headers["Authorization"]
        key = (text if isinstance(text, str) else text.decode()).split("Credential=")[1].split("/")[0]
        operation = (request.body or b"").decode() if isinstance(request.body, bytes) else str(request.body)
        if "GetCallerIdentity" in operation:
            number = key[-12:] if key.startswith("ASIA") else "999988887777"
            return reply(
                f"<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::{number}:assumed-role/A/s</Arn>"
                f"<UserId>x</UserId><Account>{number}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
            )
        if "AssumeRole" in operation:
            number = re.search(r"iam%3A%3A(\d{12})", operation)
            assert number is not None
            return reply(
                f"<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA{number[1]}</AccessKeyId>"
                "<SecretAccessKey>x</SecretAccessKey><SessionToken>t</SessionToken>"
                "<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
            )
        started.wait(timeout=30)
        seen.append(key)
        return reply(f'{{"guardrails": [{{"id": "{key}"}}]}}', "application/json")

    session = base_session(
        keys={"AccessKeyId": "AKIAOWN", "SecretAccessKey": "x", "SessionToken": "x"},
    )
    session.register("before-send", answer)
    own = Connection(session, REGION, _Shared("", None, "run")).identify()
    roles = [
        own.elsewhere(role=f"arn:aws:iam::{number}:role/A") for number in ("111111111111", "222222222222")
    ]
    with ThreadPoolExecutor(2) as pool:
        listed = list(pool.map(lambda aws: aws.call("bedrock", "ListGuardrails"), roles))
    assert [item["guardrails"][0]["id"] for item in listed] == ["ASIA111111111111", "ASIA222222222222"]
    assert sorted(seen) == ["ASIA111111111111", "ASIA222222222222"]
    assert own._client("bedrock") is roles[0]._client("bedrock") is roles[1]._client("bedrock")  # type: ignore[attr-defined]


def test_services_behind_one_endpoint_share_its_connections() -> None:
    keys = {"AccessKeyId": "AKIAOWN", "SecretAccessKey": "x", "SessionToken": "x"}

    def wires(endpoint: str | None) -> list[int]:
        own = Connection(base_session(keys=keys), REGION, _Shared("", endpoint, "run"))
        return [id(own._client(name)._endpoint.http_session) for name in ("sts", "bedrock", "kms")]

    assert len(set(wires("https://127.0.0.1:1"))) == 1
    assert len(set(wires(None))) == 3


def reply(text: str, kind: str = "text/xml") -> AWSResponse:
    body = text.encode()
    raw = BytesIO(body)
    raw.stream = lambda **__: iter((body,))  # type: ignore[attr-defined]
    return AWSResponse("https://x", 200, {"content-type": kind}, raw)


def test_answers_that_are_not_kept_still_have_digests() -> None:
    session = base_session(
        keys={"AccessKeyId": "AKIAOWN", "SecretAccessKey": "x", "SessionToken": "x"},
    )
    session.register("before-send", lambda **_: reply('{"guardrails": []}', "application/json"))
    aws = Connection(session, REGION, _Shared("", None, "run", keeping=False))
    aws.call("bedrock", "ListGuardrails")
    assert aws.recording() == ()
    assert [item[:7] for item in aws.evidence()] == ["sha256:"]


def test_a_failed_call_survives_the_trip_between_processes() -> None:
    failed = AwsCallError("iam", "ListUsers", "AccessDenied", "no", permission="iam:ListUsers")
    again = pickle.loads(pickle.dumps(failed))
    assert (str(again), vars(again)) == (str(failed), vars(failed))
