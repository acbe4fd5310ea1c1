"""The sandbox around a command, and how it starts."""

import gc
import json
import socket
import stat
import sys

import boto3
import pytest
from botocore.exceptions import ClientError

from ringwall.errors import RingwallError
from ringwall.sandbox import Sandbox
from ringwall.sandbox.run import assignments, run_foreground

SCRIPT = """
import os, boto3
assert "AWS_PROFILE" not in os.environ and "https_proxy" not in os.environ
direct = boto3.client("sts").get_caller_identity()["Arn"]
os.environ.pop("AWS_ENDPOINT_URL")
proxied = boto3.client("sts").get_caller_identity()["Arn"]
assert direct == proxied == "arn:aws:iam::111122223333:user/SandboxAdministrator"
raise SystemExit(7)
"""


def test_a_command_sees_the_sandbox_both_ways_and_its_exit_code_is_ours(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "nonsense")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    settings = tmp_path / "sandbox.env"
    assert run_foreground(env_file=settings, command=[sys.executable, "-c", SCRIPT]) == 7
    lines = dict(line.split("=", 1) for line in settings.read_text().splitlines())
    assert {
        "AWS_ENDPOINT_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_CA_BUNDLE",
        "HTTPS_PROXY",
        "NO_PROXY",
        "AWS_REGION",
    } <= set(lines)
    assert stat.S_IMODE(settings.stat().st_mode) == 0o600


def test_a_killed_command_counts_as_in_a_shell():
    assert run_foreground(command=[sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]) == 137


def test_a_command_that_is_not_there():
    with pytest.raises(RingwallError, match="cannot be run"):
        run_foreground(command=["/nonexistent/program"])


def test_assignments_can_be_read_by_a_shell():
    assert assignments({"A": "b c", "D": "e+/="}) == "A='b c'\nD=e+/=\n"


def test_one_at_a_time_and_a_taken_port_frees_it():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(RingwallError, match="choose another"), Sandbox(taken.getsockname()[1]):
            pass
    with Sandbox() as first:
        with pytest.raises(RingwallError, match="another sandbox"):
            Sandbox().start()
        assert first.endpoint_url.startswith("https://127.0.0.1:")


@pytest.mark.parametrize("collecting", [True, False])
def test_the_collector_goes_on_as_it_was(collecting):
    (gc.enable if collecting else gc.disable)()
    try:
        with Sandbox():
            assert gc.isenabled() is collecting
        with pytest.raises(RingwallError), Sandbox(), Sandbox():
            pass
        assert gc.isenabled() is collecting
    finally:
        gc.enable()


def test_plain_http_is_asked_for_by_name():
    with Sandbox(insecure_http=True) as sandbox:
        assert sandbox.endpoint_url.startswith("http://127.0.0.1:")


def test_a_bucket_for_tls_alone_is_closed_over_plain_http(monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    objects = ["arn:aws:s3:::tls-only", "arn:aws:s3:::tls-only/*"]
    plain = {"Condition": {"Bool": {"aws:SecureTransport": "false"}}, "Principal": "*", "Resource": objects}
    with Sandbox(insecure_http=True) as sandbox:
        settings = sandbox.environment()
        s3 = boto3.client(
            "s3",
            endpoint_url=settings["AWS_ENDPOINT_URL"],
            aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
            region_name="us-east-1",
        )
        s3.create_bucket(Bucket="tls-only")
        s3.put_object(Bucket="tls-only", Key="k", Body=b"x")
        assert s3.get_object(Bucket="tls-only", Key="k")["Body"].read() == b"x"
        statement = {"Effect": "Deny", "Action": "s3:GetObject", **plain}
        s3.put_bucket_policy(
            Bucket="tls-only", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        )
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.get_object(Bucket="tls-only", Key="k")
