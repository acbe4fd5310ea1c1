"""State that outlives the process: the journal under every kind of crash, and a sandbox made again from it."""

import json
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringwall.errors import RingwallError
from ringwall.sandbox import Sandbox, chance, history
from ringwall.sandbox.archive import Archive
from ringwall.sandbox.credentials import random_id
from ringwall.sandbox.history import History, changes_state
from ringwall.sandbox.journal import Journal

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
ENTRIES = [{"number": 1}, {"bytes": b"\x00\xff\n", "time": MOMENT}, {"text": "ä\n{}", "list": [{"a": None}]}]


def written(path, entries):
    journal = Journal(path)
    assert list(journal.entries()) == []
    for entry in entries:
        journal.sync(journal.append(entry))
    journal.close()
    return path.read_bytes()


def read(path):
    journal = Journal(path)
    try:
        return list(journal.entries())
    finally:
        journal.close()


def test_a_journal_reads_back(tmp_path):
    written(tmp_path / "journal", ENTRIES)
    assert read(tmp_path / "journal") == ENTRIES


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_what_a_crash_cut_off_is_the_last_entry_and_nothing_else(tmp_path, data):
    path = tmp_path / "journal"
    path.unlink(missing_ok=True)
    whole = written(path, ENTRIES)
    size = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:size])
    kept = whole[:size].count(b"\n")
    assert read(path) == ENTRIES[:kept]
    journal = Journal(path)
    assert list(journal.entries()) == ENTRIES[:kept]
    journal.append({"after": "the crash"})
    journal.close()
    assert read(path) == [*ENTRIES[:kept], {"after": "the crash"}]


def test_damage_in_the_middle_is_no_crash_and_is_said(tmp_path):
    path = tmp_path / "journal"
    whole = written(path, ENTRIES)
    path.write_bytes(whole.replace(b"number", b"numbed"))
    with pytest.raises(RingwallError, match="line 1"):
        read(path)
    assert path.read_bytes().count(b"\n") == len(ENTRIES)


def test_a_journal_belongs_to_one_process(tmp_path):
    journal = Journal(tmp_path / "journal")
    with pytest.raises(RingwallError, match="another sandbox"):
        Journal(tmp_path / "journal")
    journal.close()


def test_a_rewritten_journal_is_the_journal(tmp_path):
    path = tmp_path / "journal"
    written(path, ENTRIES)
    journal = Journal(path)
    kept = list(journal.entries())[1:]
    journal.rewrite(kept)
    with pytest.raises(RingwallError, match="another sandbox"):
        Journal(path)
    journal.append({"after": "all"})
    journal.close()
    assert read(path) == [*ENTRIES[1:], {"after": "all"}]
    assert path.stat().st_mode & 0o777 == 0o600
    assert [item.name for item in tmp_path.iterdir()] == ["journal"]


def at(hours, service, operation, seed=b"s", **more):
    moment = datetime.now(UTC) - timedelta(hours=hours)
    entry = {"service": service, "operation": operation, "time": moment, "seed": seed, "key": None}
    return {**entry, **more}


def session_key(seed):
    with chance.of_change(seed, MOMENT):
        return random_id("ASIA")


def test_what_time_has_undone_is_not_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr(history, "_WORTH_REWRITING", 1)
    journal, archive = Journal(tmp_path / "journal"), Archive(tmp_path / "archive", lasting=True)
    past = [
        at(30, "cloudwatch", "PutMetricData"),
        at(1, "cloudwatch", "PutMetricData"),
        at(40, "sts", "AssumeRole", b"ended"),
        at(40, "sts", "AssumeRole", b"used"),
        at(1, "sts", "AssumeRole", b"open"),
        at(39, "iam", "CreateUser", key=session_key(b"used")),
        at(400, "iam", "PutRolePolicy"),
    ]
    for entry in ({"version": 1, "seed": b"b", "time": MOMENT}, *past):
        journal.append(entry)
    found = History(journal, archive)
    assert found.past == [past[index] for index in (1, 3, 4, 5, 6)]
    assert len(list(journal.entries())) == 1 + len(found.past)
    found.close()
    archive.close()


def test_a_change_made_again_draws_the_same():
    def draw():
        return chance.token_bytes(40), chance.identifier(), chance.text("abc", 100), chance.moment()

    with chance.of_change(b"seed", MOMENT):
        first = draw()
        with chance.of_change(b"other", MOMENT):
            assert draw() != first
    with chance.of_change(b"seed", MOMENT):
        assert draw() == first
    assert chance.moment() is None
    assert chance.token_bytes(40) != chance.token_bytes(40)


@pytest.mark.parametrize(
    ("service", "operation", "changes"),
    [
        ("iam", "CreateUser", True),
        ("iam", "GetUser", False),
        ("iam", "GenerateCredentialReport", True),
        ("sts", "GetSessionToken", True),
        ("sts", "GetCallerIdentity", False),
        ("kms", "GenerateDataKey", False),
        ("kms", "CreateGrant", True),
        ("s3", "PutObject", True),
        ("logs", "PutLogEvents", False),
        ("s3", "HeadBucket", False),
        ("cloudwatch", "PutMetricData", True),
        ("bedrock-runtime", "Converse", False),
        ("bedrock", "CreateGuardrail", True),
    ],
)
def test_what_is_a_change(service, operation, changes):
    assert changes_state(service, operation) is changes


def client(environment, service, **keys):
    return boto3.session.Session().client(
        service,
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id=keys.get("AccessKeyId", environment["AWS_ACCESS_KEY_ID"]),
        aws_secret_access_key=keys.get("SecretAccessKey", environment["AWS_SECRET_ACCESS_KEY"]),
        aws_session_token=keys.get("SessionToken"),
        verify=environment["AWS_CA_BUNDLE"],
        config=Config(retries={"max_attempts": 0}, connect_timeout=5, read_timeout=20),
    )


READS = [
    ("iam", "get_account_authorization_details", {}),
    ("iam", "list_access_keys", {"UserName": "user"}),
    ("kms", "list_keys", {}),
    ("kms", "list_aliases", {}),
    ("s3", "list_buckets", {}),
    ("s3", "list_object_versions", {"Bucket": "kept-bucket"}),
    ("ec2", "describe_vpcs", {}),
    ("ec2", "describe_subnets", {}),
    ("ec2", "describe_security_groups", {}),
    ("ec2", "describe_vpc_endpoints", {}),
    ("bedrock", "list_guardrails", {}),
    ("bedrock", "list_inference_profiles", {"typeEquals": "APPLICATION"}),
    ("bedrock", "get_model_invocation_logging_configuration", {}),
    ("bedrock-agent", "list_agents", {}),
    ("logs", "describe_log_groups", {}),
    ("logs", "describe_log_streams", {"logGroupName": "/kept"}),
    ("logs", "filter_log_events", {"logGroupName": "/kept"}),
    (
        "cloudtrail",
        "lookup_events",
        {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "CreateUser"}]},
    ),
    ("cloudtrail", "describe_trails", {}),
    ("sns", "list_topics", {}),
    ("events", "list_rules", {}),
    ("cloudwatch", "describe_alarms", {}),
]
LARGE = bytes(range(256)) * 1000
MODEL = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0"


def seen(environment):
    found = {}
    for service, operation, parameters in READS:
        answer = getattr(client(environment, service), operation)(**parameters)
        del answer["ResponseMetadata"]
        found[service, operation] = json.loads(json.dumps(answer, default=str))
    return found


PAIRS = (
    {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"},
    {"KeySpec": "ECC_NIST_P384", "KeyUsage": "SIGN_VERIFY"},
    {"KeySpec": "RSA_3072", "KeyUsage": "ENCRYPT_DECRYPT"},
)


def public_key(environment, key):
    return key, client(environment, "kms").get_public_key(KeyId=key)["PublicKey"]


def make_everything(environment):
    """One of each kind of thing."""

    def of(service):
        return client(environment, service)

    of("iam").create_user(UserName="user")
    of("iam").create_access_key(UserName="user")
    of("s3").create_bucket(Bucket="kept-bucket")
    of("s3").put_bucket_versioning(Bucket="kept-bucket", VersioningConfiguration={"Status": "Enabled"})
    of("s3").put_object(Bucket="kept-bucket", Key="key", Body=b"\x00body")
    key = of("kms").create_key()["KeyMetadata"]["Arn"]
    of("kms").create_alias(AliasName="alias/kept", TargetKeyId=key)
    of("ec2").create_vpc(CidrBlock="10.9.0.0/16")
    of("ec2").create_vpc_endpoint(
        VpcId="vpc-0a11ce00000000001",
        ServiceName="com.amazonaws.us-east-1.bedrock-runtime",
        VpcEndpointType="Interface",
        SubnetIds=["subnet-0a11ce00000000001"],
    )
    made = of("bedrock").create_guardrail(
        name="kept",
        blockedInputMessaging="IN",
        blockedOutputsMessaging="OUT",
        wordPolicyConfig={"wordsConfig": [{"text": "nightjar"}]},
        kmsKeyId=key,
    )
    of("bedrock").create_guardrail_version(guardrailIdentifier=made["guardrailId"])
    of("bedrock").create_inference_profile(inferenceProfileName="kept", modelSource={"copyFrom": MODEL})
    logging = {"s3Config": {"bucketName": "kept-bucket"}}
    with pytest.raises(ClientError):  # the bucket does not admit Bedrock
        of("bedrock").put_model_invocation_logging_configuration(loggingConfig=logging)
    of("s3").put_object(Bucket="kept-bucket", Key="large", Body=LARGE)
    of("logs").create_log_group(logGroupName="/kept")
    stream = {"logGroupName": "/kept", "logStreamName": "s"}
    for message in ("of the deleted stream", "of the stream that is there"):
        of("logs").create_log_stream(**stream)
        event = {"timestamp": int(datetime.now(UTC).timestamp() * 1000), "message": message}
        of("logs").put_log_events(**stream, logEvents=[event])
        if "deleted" in message:
            of("logs").delete_log_stream(**stream)
    of("sns").create_topic(Name="kept")
    of("events").put_rule(Name="kept", EventPattern='{"source": ["aws.bedrock"]}')
    of("cloudwatch").put_metric_alarm(
        AlarmName="kept",
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanThreshold",
        Threshold=1,
        Namespace="n",
        MetricName="m",
        Period=60,
        Statistic="Sum",
    )
    return {
        "pairs": [
            public_key(environment, of("kms").create_key(**kind)["KeyMetadata"]["Arn"]) for kind in PAIRS
        ],
        "login": of("ec2").create_key_pair(KeyName="kept", KeyType="ed25519")["KeyFingerprint"],
        "session": of("sts").get_session_token()["Credentials"],
        "sealed": of("kms").encrypt(KeyId="alias/kept", Plaintext=b"secret")["CiphertextBlob"],
        "guardrail": made["guardrailId"],
    }


def test_everything_is_there_again_under_the_same_names(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with Sandbox(state=tmp_path) as first:
        made, before = make_everything(first.environment()), seen(first.environment())
        key, bundle = first.environment()["AWS_ACCESS_KEY_ID"], first.ca_bundle
    with Sandbox(state=tmp_path) as second:
        environment = second.environment()
        assert (environment["AWS_ACCESS_KEY_ID"], second.ca_bundle) == (key, bundle)
        assert seen(environment) == before
        assert client(environment, "kms").decrypt(CiphertextBlob=made["sealed"])["Plaintext"] == b"secret"
        assert [public_key(environment, key) for key, _ in made["pairs"]] == made["pairs"]
        (login,) = client(environment, "ec2").describe_key_pairs(KeyNames=["kept"])["KeyPairs"]
        assert login["KeyFingerprint"] == made["login"]
        assert client(environment, "sts", **made["session"]).get_caller_identity()
        stored = client(environment, "s3").get_object(Bucket="kept-bucket", Key="key")
        assert stored["Body"].read() == b"\x00body"
        large = client(environment, "s3").get_object(Bucket="kept-bucket", Key="large")
        assert large["Body"].read() == LARGE
        assert (tmp_path / "journal").stat().st_size < len(LARGE)
        verdict = client(environment, "bedrock-runtime").apply_guardrail(
            guardrailIdentifier=made["guardrail"],
            guardrailVersion="1",
            source="INPUT",
            content=[{"text": {"text": "a nightjar"}}],
        )
        assert verdict["action"] == "GUARDRAIL_INTERVENED"
        client(environment, "iam").create_user(UserName="later")
    with Sandbox(state=tmp_path, reset=True) as third:
        assert third.environment()["AWS_ACCESS_KEY_ID"] != key
        users = client(third.environment(), "iam").list_users()["Users"]
        assert [user["UserName"] for user in users] == ["SandboxAdministrator"]


TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
POWER = "arn:aws:iam::aws:policy/PowerUserAccess"


def ids(environment):
    iam = client(environment, "iam")
    role = iam.get_role(RoleName="bounded")["Role"]["RoleId"]
    return role, iam.get_policy(PolicyArn=POWER)["Policy"]["PolicyId"]


def test_a_policy_of_aws_that_a_read_made_then_is_made_by_a_change_now(tmp_path, monkeypatch):
    """The journal repeats changes, not reads: what a policy takes to be made must not tell in what changes draw."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with Sandbox(state=tmp_path) as first:
        iam = client(first.environment(), "iam")
        iam.get_policy(PolicyArn=POWER)
        iam.create_role(
            RoleName="bounded", AssumeRolePolicyDocument=json.dumps(TRUST), PermissionsBoundary=POWER
        )
        before = ids(first.environment())
    with Sandbox(state=tmp_path) as second:
        assert ids(second.environment()) == before


def test_reset_needs_a_directory():
    with pytest.raises(RingwallError, match="state directory"):
        Sandbox(reset=True)


def start(directory, env_file):
    """``ringwall sandbox --state`` in a process of its own; its environment once it is ready."""
    env_file.unlink(missing_ok=True)
    arguments = ["--state", str(directory), "--env-file", str(env_file)]
    process = subprocess.Popen(
        [sys.executable, "-m", "ringwall", "sandbox", *arguments],
        stdout=subprocess.PIPE,
        env={**os.environ, "AWS_EC2_METADATA_DISABLED": "true"},
        text=True,
    )
    lines = [process.stdout.readline() for _ in range(8)]  # printed once it is ready
    values = dict(line.rstrip("\n").split("=", 1) for line in lines)
    return process, {name: value.strip("'") for name, value in values.items()}


def test_a_kill_in_a_burst_of_writes_loses_nothing_that_was_answered(tmp_path):
    process, environment = start(tmp_path / "state", tmp_path / "env")
    answered, enough = {}, threading.Event()

    def write(number):
        iam = client(environment, "iam")
        for index in range(10_000):
            name = f"user-{number}-{index}"
            try:
                answered[name] = iam.create_user(UserName=name)["User"]["UserId"]
            except (BotoCoreError, ClientError):
                return
            if len(answered) >= 60:
                enough.set()

    writers = [threading.Thread(target=write, args=(number,), daemon=True) for number in range(4)]
    for writer in writers:
        writer.start()
    assert enough.wait(60)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    for writer in writers:
        writer.join(30)
    process, environment = start(tmp_path / "state", tmp_path / "env")
    try:
        pages = client(environment, "iam").get_paginator("list_users").paginate()
        users = {user["UserName"]: user["UserId"] for page in pages for user in page["Users"]}
        assert answered.items() <= users.items()
        # At most the one change of each writer that was under way when the process died is there besides.
        assert len(users) <= len(answered) + len(writers) + 1
    finally:
        process.terminate()
        process.communicate()
