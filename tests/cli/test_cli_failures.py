"""What goes wrong on the way to AWS: one line says which call, and what it needs; nothing is half-reported as done."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import botocore.httpsession
import botocore.retries.standard
import pytest
from botocore.awsrequest import AWSResponse

from cli.command_line import QUICKSTART, Done, ringwall
from ringwall.demo.world import environment
from ringwall.sandbox import Sandbox

ADMINISTRATOR = "SandboxAdministrator"
MANAGEMENT = "arn:aws:iam::999988887777:role/RingwallManagement"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@pytest.fixture(scope="module")
def settings() -> Iterator[dict[str, str]]:
    """Variables that lead to a sandbox; nothing is deployed in it."""
    with Sandbox() as sandbox:
        yield {**sandbox.environment(), "AWS_EC2_METADATA_DISABLED": "true"}


def client(settings: Mapping[str, str], service: str) -> Any:
    with environment(settings):
        return boto3.Session(region_name="us-east-1").client(service)


def run(settings: Mapping[str, str], *arguments: str) -> Done:
    """A command with these variables, over the quickstart."""
    with environment(settings):
        for name in set(KEYS) - settings.keys():
            os.environ.pop(name, None)
        return ringwall(*arguments, "--file", str(QUICKSTART))


def failed(done: Done, *words: str) -> str:
    """It ended with 1, wrote nothing to standard output, and says why in its first line; that line."""
    assert (done.code, done.out) == (1, "")
    first, *_ = done.err.splitlines()
    assert all(line.startswith("ringwall: ") for line in done.err.splitlines())
    assert "Traceback" not in done.err
    for word in words:
        assert word in first
    return first


def alone(done: Done, *words: str) -> None:
    """It says so in one line."""
    assert failed(done, *words) == done.err.strip()


@contextmanager
def denied(settings: Mapping[str, str], *actions: str) -> Iterator[None]:
    """The administrator may do all but these."""
    iam = client(settings, "iam")
    statement = {"Effect": "Deny", "Action": list(actions), "Resource": "*"}
    iam.put_user_policy(UserName=ADMINISTRATOR, PolicyName="less", PolicyDocument=document(statement))
    try:
        yield
    finally:
        iam.delete_user_policy(UserName=ADMINISTRATOR, PolicyName="less")


def document(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture(scope="module")
def user(settings: dict[str, str]) -> Any:
    """Makes a user with these statements; the variables with its keys."""

    def make(name: str, *statements: Mapping[str, Any]) -> dict[str, str]:
        iam = client(settings, "iam")
        iam.create_user(UserName=name)
        if statements:
            iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return {**settings, KEYS[0]: made["AccessKeyId"], KEYS[1]: made["SecretAccessKey"]}

    return make


# -- no way in ---------------------------------------------------------------------------------------------------------

LIVE = pytest.mark.parametrize(
    "command", [("plan",), ("apply", "--yes"), ("drift",), ("destroy", "--yes"), ("prove", "--live"), ("snapshot",), ("audit",)],
    ids=lambda command: command[0],
)  # fmt: skip


@LIVE
def test_without_credentials(settings: dict[str, str], command: tuple[str, ...]) -> None:
    nobody = {name: value for name, value in settings.items() if name not in KEYS}
    alone(
        run(nobody, *command), "sts:GetCallerIdentity failed with NoCredentials", "aws sso login", "--profile"
    )


def test_with_a_wrong_secret(settings: dict[str, str]) -> None:
    wrong = {**settings, KEYS[1]: "x" * 40}
    alone(
        run(wrong, "plan"),
        "sts:GetCallerIdentity failed with SignatureDoesNotMatch",
        "choose other credentials",
    )


def test_with_a_key_that_does_not_exist(settings: dict[str, str]) -> None:
    wrong = {**settings, KEYS[0]: "AKIAIOSFODNN7EXAMPLE"}
    alone(
        run(wrong, "plan"),
        "sts:GetCallerIdentity failed with InvalidClientTokenId",
        "choose other credentials",
    )


def test_with_an_unknown_profile(settings: dict[str, str]) -> None:
    alone(
        run(settings, "plan", "--profile", "nope"),
        "There is no AWS profile nope; see `aws configure list-profiles`",
    )


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is taken and answers nobody: bound, not listening."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_with_an_endpoint_that_cannot_be_reached(
    settings: dict[str, str], closed_port: int, impatient: None
) -> None:
    away = {**settings, "AWS_ENDPOINT_URL": f"https://127.0.0.1:{closed_port}"}
    alone(run(away, "plan"), "sts:GetCallerIdentity failed with EndpointUnreachable", "AWS_ENDPOINT_URL")


def test_with_a_certificate_that_is_not_trusted(
    settings: dict[str, str], tmp_path: Path, impatient: None
) -> None:
    import trustme

    authority = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(authority)
    done = run({**settings, "AWS_CA_BUNDLE": str(authority)}, "plan")
    alone(done, "sts:GetCallerIdentity failed with TlsFailed", "AWS_CA_BUNDLE")


def test_with_credentials_of_another_account(settings: dict[str, str]) -> None:
    made = client(settings, "sts").assume_role(RoleArn=MANAGEMENT, RoleSessionName="other")["Credentials"]
    other = {
        **settings,
        KEYS[0]: made["AccessKeyId"],
        KEYS[1]: made["SecretAccessKey"],
        "AWS_SESSION_TOKEN": made["SessionToken"],
    }
    alone(run(other, "plan"), "are account 999988887777's, the declaration is for 111122223333", "--profile")


@pytest.mark.parametrize(
    "command", [("plan",), ("apply", "--yes"), ("drift",), ("destroy", "--yes")], ids=lambda item: item[0]
)
def test_with_a_management_role_that_does_not_trust_the_caller(
    settings: dict[str, str], user: Any, command: tuple[str, ...]
) -> None:
    stranger = user(f"stranger-{command[0]}", EVERYTHING)
    alone(
        run(stranger, *command), "sts:AssumeRole failed with AccessDenied (needs sts:AssumeRole)", MANAGEMENT
    )


def test_with_debug_there_is_a_traceback(settings: dict[str, str]) -> None:
    nobody = {name: value for name, value in settings.items() if name not in KEYS}
    with environment(nobody):
        for name in KEYS:
            os.environ.pop(name, None)
        command = [sys.executable, "-m", "ringwall", "--debug", "plan", "--file", str(QUICKSTART)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Traceback (most recent call last):")
    assert "sts:GetCallerIdentity failed with NoCredentials" in done.stderr.splitlines()[-1]


# -- permissions that lack ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command", [("plan",), ("drift",), ("destroy", "--yes"), ("apply", "--yes")], ids=lambda item: item[0]
)
def test_what_a_plan_rests_on_cannot_be_read(settings: dict[str, str], command: tuple[str, ...]) -> None:
    with denied(settings, "ec2:DescribeVpcEndpoints", "kms:ListKeys"):
        done = run(settings, *command)
    failed(done, "No plan is made", "AWS::EC2::VPCEndpoint", "needs ec2:DescribeVpcEndpoints")
    details = done.err.splitlines()[1:]
    assert [line for line in details if "needs kms:ListKeys" in line] == details


@pytest.fixture(scope="module")
def half_done(settings: dict[str, str]) -> dict[str, Done]:
    """An apply that may do all but make keys, on which nearly all else rests; the plans before and after."""
    before = run(settings, "plan", "--json")
    with denied(settings, "kms:CreateKey"):
        applied = run(settings, "apply", "--yes", "--json")
    return {"before": before, "apply": applied, "after": run(settings, "plan", "--json")}


def test_a_permission_that_lacks_during_apply_is_named(half_done: dict[str, Done]) -> None:
    done = half_done["apply"]
    assert done.code == 1
    reasons = [line for line in done.err.splitlines() if line.startswith("ringwall: ") and " failed " in line]
    assert len(reasons) == 5
    assert all(
        "kms:CreateKey failed with AccessDeniedException (needs kms:CreateKey)" in line for line in reasons
    )
    assert "Traceback" not in done.err
    assert re.fullmatch(
        r"\d+ done, 5 failed, \d+ not attempted; run it again to go on", done.err.splitlines()[-1]
    )


def test_what_rests_on_what_failed_is_not_attempted(half_done: dict[str, Done]) -> None:
    told = half_done["apply"].valid("apply")
    assert told["complete"] is False
    assert {item["permission"] for item in told["failed"]} == {"kms:CreateKey"}
    assert {item["id"] for item in told["failed"]} == {
        f"key/{name}"
        for name in ("guardrail", "trail", "alarms", "invocation-log-bucket", "invocation-log-group")
    }
    left = {item["id"] for item in told["not_attempted"]}
    assert {"guardrail/baseline", "bucket/trail", "scp/guardrail", "scp/network"} <= left


def test_what_was_reported_as_done_is_there_and_the_rest_is_not(half_done: dict[str, Done]) -> None:
    told = half_done["apply"].json
    todo, still = (
        {change["id"] for change in half_done[moment].json["changes"] if change["action"] != "no-op"}
        for moment in ("before", "after")
    )
    assert todo - still == {item["id"] for item in told["done"]} != set()
    assert still == {item["id"] for item in (*told["failed"], *told["not_attempted"])}


def test_what_an_audit_cannot_read_is_unknown_and_names_the_permission(
    settings: dict[str, str], tmp_path: Path
) -> None:
    with denied(settings, "cloudtrail:DescribeTrails"):
        done = run(
            settings, "audit", "--json", "--out", str(tmp_path / "out"), "--report", str(tmp_path / "r.html")
        )
    assert done.code == 2
    document = done.valid("audit")
    assert document["summary"]["controls"]["trail-records-inference"] == "UNKNOWN"
    summaries = [
        item["summary"] for item in document["findings"] if item["control"] == "trail-records-inference"
    ]
    assert all("needs cloudtrail:DescribeTrails" in text for text in summaries)


def test_an_audit_without_organization_policies_passes_nothing_that_rests_on_them(
    settings: dict[str, str], tmp_path: Path
) -> None:
    with denied(settings, "sts:AssumeRole"):
        done = run(
            settings, "audit", "--json", "--out", str(tmp_path / "out"), "--report", str(tmp_path / "r.html")
        )
    assert done.code == 2
    assert "sts:AssumeRole failed with AccessDenied (needs sts:AssumeRole)" in done.err.splitlines()[0]
    verdicts = done.valid("audit")["summary"]["controls"]
    for slug in (
        "guardrail-cannot-be-bypassed", "models-restricted", "regions-restricted", "vpc-endpoint-cannot-be-skipped",
        "controls-protected", "api-keys-prevented",
    ):  # fmt: skip
        assert verdicts[slug] != "PASS", slug


def test_an_audit_by_somebody_who_may_read_nothing_passes_nothing(
    settings: dict[str, str], user: Any, tmp_path: Path
) -> None:
    done = run(
        user("blind"), "audit", "--json", "--out", str(tmp_path / "out"), "--report", str(tmp_path / "r.html")
    )
    assert done.code == 2
    document = done.valid("audit")
    assert "PASS" not in document["summary"]["controls"].values()
    assert document["summary"]["statuses"]["PASS"] == 0


def test_a_snapshot_says_what_it_lacks(settings: dict[str, str], tmp_path: Path) -> None:
    target = tmp_path / "snapshot.json"
    with denied(settings, "cloudtrail:DescribeTrails"):
        done = run(settings, "snapshot", "--out", str(target))
    assert done.code == 2
    assert "unknown: AWS::CloudTrail::Trail: AccessDenied: needs cloudtrail:DescribeTrails" in done.err
    resources = json.loads(target.read_text())["resources"]
    assert [
        item["unknown"][0]["property"] for item in resources if item["type"] == "AWS::CloudTrail::Trail"
    ] == ["*"]


# -- throttling --------------------------------------------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore tries again without waiting."""
    monkeypatch.setattr(botocore.retries.standard.ExponentialBackoff, "delay_amount", lambda *_: 0)


class _Body:
    """A response's body, as urllib3 hands it to botocore."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._data


@pytest.fixture
def throttled(monkeypatch: pytest.MonkeyPatch, impatient: None) -> Any:
    """Answers operations of JSON services with a ThrottlingException, some times or always; the list of attempts."""
    send = botocore.httpsession.URLLib3Session.send
    attempts: list[str] = []
    limits: dict[str, int | None] = {}

    def answer(self: Any, request: Any) -> Any:
        target = request.headers.get("X-Amz-Target", b"")
        name = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
        if name in limits:
            attempts.append(name)
            most = limits[name]
            if most is None or attempts.count(name) <= most:
                body = json.dumps({"__type": "ThrottlingException", "message": "Rate exceeded"}).encode()
                return AWSResponse(
                    request.url, 400, {"Content-Type": "application/x-amz-json-1.1"}, _Body(body)
                )
        return send(self, request)

    monkeypatch.setattr(botocore.httpsession.URLLib3Session, "send", answer)

    def throttle(operation: str, times: int | None = None) -> list[str]:
        limits[operation] = times
        return attempts

    return throttle


def test_a_listing_that_is_throttled_for_good_makes_no_plan(settings: dict[str, str], throttled: Any) -> None:
    attempts = throttled("DescribeTrails")
    failed(run(settings, "plan"), "No plan is made", "AWS::CloudTrail::Trail", "ThrottlingException")
    assert attempts.count("DescribeTrails") == 2 * 5  # for trails, and for our selectors on others' trails


def test_a_listing_that_is_throttled_for_a_while_is_tried_again(
    settings: dict[str, str], throttled: Any
) -> None:
    attempts = throttled("DescribeTrails", times=3)
    assert run(settings, "plan").code == 2
    assert attempts.count("DescribeTrails") == 4


def test_an_audit_that_is_throttled_is_unknown(
    settings: dict[str, str], throttled: Any, tmp_path: Path
) -> None:
    throttled("DescribeTrails")
    done = run(
        settings, "audit", "--json", "--out", str(tmp_path / "out"), "--report", str(tmp_path / "r.html")
    )
    assert done.code == 2
    assert done.json["summary"]["controls"]["trail-records-inference"] == "UNKNOWN"
    assert "ThrottlingException" in next(
        item["summary"] for item in done.json["findings"] if item["control"] == "trail-records-inference"
    )
