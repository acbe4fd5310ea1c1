"""Sessions of other tools with nothing but the sandbox's printed settings: AWS CLI, Terraform, LangChain, Strands.

Each runs where it is installed. Terraform needs its AWS provider too, in a directory that RINGWALL_TERRAFORM_PLUGINS
names, as tests fetch nothing.
"""

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from importlib.util import find_spec

import pytest

MODEL = "us.amazon.nova-pro-v1:0"
QUESTION = "What is a VPC endpoint?"
PLUGINS = "RINGWALL_TERRAFORM_PLUGINS"


@pytest.fixture
def settings(world, tmp_path):
    """The environment of somebody who has read the printed settings, and has no others."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "PYENV_ROOT") if name in os.environ}
    return {
        **kept,
        **world.sandbox.environment(),
        "HOME": str(tmp_path),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
    }


# -- AWS CLI -----------------------------------------------------------------------------------------------------------


@cache
def command_line():
    """How the AWS CLI is started; ``None`` where it is not installed."""
    if find_spec("awscli"):
        return [sys.executable, "-m", "awscli"]
    found = shutil.which("aws")
    if found and subprocess.run([found, "--version"], capture_output=True, check=False).returncode == 0:
        return [found]
    return None


GUARDRAIL = (
    "--name", "cli", "--blocked-input-messaging", "IN", "--blocked-outputs-messaging", "OUT",
    "--word-policy-config", '{"wordsConfig": [{"text": "nightjar"}]}',
)  # fmt: skip
SAY = ("--messages", json.dumps([{"role": "user", "content": [{"text": "hello"}]}]))
SESSION = (
    # command and arguments ({name}: kept of an earlier answer), what to keep of the answer (name, keys)
    (("sts", "get-caller-identity"), ("account", ("Account",))),
    (("s3api", "create-bucket", "--bucket", "cli-bucket"), None),
    (("s3", "cp", "-", "s3://cli-bucket/a b/é.txt", "--only-show-errors"), None),
    (("s3", "ls", "s3://cli-bucket", "--recursive"), None),
    (("iam", "create-user", "--user-name", "cli"), ("user", ("User", "Arn"))),
    (("kms", "create-key"), ("key", ("KeyMetadata", "Arn"))),
    (("kms", "encrypt", "--key-id", "{key}", "--plaintext", "c2VjcmV0"), ("sealed", ("CiphertextBlob",))),
    (("ec2", "describe-vpcs"), ("vpc", ("Vpcs", 0, "VpcId"))),
    (("logs", "create-log-group", "--log-group-name", "/cli"), None),
    (("cloudwatch", "put-metric-data", "--namespace", "cli", "--metric-name", "m", "--value", "1"), None),
    (("sns", "create-topic", "--name", "cli"), ("topic", ("TopicArn",))),
    (("bedrock", "create-guardrail", *GUARDRAIL), ("guardrail", ("guardrailId",))),
    (
        ("bedrock-runtime", "converse", "--model-id", MODEL, *SAY, "--guardrail-config",
         "guardrailIdentifier={guardrail},guardrailVersion=DRAFT"),
        ("stop", ("stopReason",)),
    ),
    (
        ("bedrock-runtime", "apply-guardrail", "--guardrail-identifier", "{guardrail}", "--guardrail-version",
         "DRAFT", "--source", "INPUT", "--content", '[{"text": {"text": "a nightjar"}}]'),
        ("action", ("action",)),
    ),
    (
        ("cloudtrail", "lookup-events", "--lookup-attributes",
         "AttributeKey=EventName,AttributeValue=CreateGuardrail"),
        ("event", ("Events", 0, "EventName")),
    ),
)  # fmt: skip


def filled(argument, kept):
    """An argument with what earlier answers said."""
    for name, value in kept.items():
        argument = argument.replace(f"{{{name}}}", value)
    return argument


@pytest.mark.skipif(command_line() is None, reason="the AWS CLI is not installed")
def test_a_session_of_the_aws_cli(settings):
    kept = {}
    for arguments, wanted in SESSION:
        command = [filled(item, kept) for item in arguments]
        done = subprocess.run(
            [*command_line(), *command, "--output", "json"],
            env=settings,
            input=b"text of a file",
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, (arguments, done.stderr.decode())
        if wanted:
            name, keys = wanted
            value = json.loads(done.stdout)
            for key in keys:
                value = value[key]
            kept[name] = value
    assert kept["account"] == "111122223333"
    assert (kept["stop"], kept["action"], kept["event"]) == (
        "end_turn",
        "GUARDRAIL_INTERVENED",
        "CreateGuardrail",
    )
    refused = subprocess.run(
        [*command_line(), "kms", "encrypt", "--key-id", kept["key"], "--plaintext", "eA=="],
        env={**settings, "AWS_SECRET_ACCESS_KEY": "not-the-secret"},
        capture_output=True,
        check=False,
    )
    assert refused.returncode != 0
    assert b"InvalidSignatureException" in refused.stderr


# -- Terraform ---------------------------------------------------------------------------------------------------------

MAIN = {
    "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}},
    "provider": {"aws": {"s3_use_path_style": True, "skip_metadata_api_check": True}},
    "resource": {
        "aws_kms_key": {"main": {"description": "tf", "enable_key_rotation": True}},
        "aws_s3_bucket": {"main": {"bucket": "tf-bucket"}},
        "aws_s3_bucket_versioning": {
            "main": {"bucket": "${aws_s3_bucket.main.id}", "versioning_configuration": {"status": "Enabled"}}
        },
        "aws_iam_role": {
            "main": {
                "name": "tf",
                "assume_role_policy": json.dumps(
                    {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Principal": {"Service": "bedrock.amazonaws.com"},
                                "Action": "sts:AssumeRole",
                            }
                        ],
                    }
                ),
            }
        },
        "aws_cloudwatch_log_group": {"main": {"name": "/tf", "retention_in_days": 30}},
        "aws_bedrock_guardrail": {
            "main": {
                "name": "tf",
                "description": "of Terraform",
                "blocked_input_messaging": "IN",
                "blocked_outputs_messaging": "OUT",
                "word_policy_config": {"words_config": [{"text": "nightjar"}]},
            }
        },
        "aws_vpc_endpoint": {
            "main": {
                "vpc_id": "vpc-0a11ce00000000001",
                "service_name": "com.amazonaws.us-east-1.bedrock-runtime",
                "vpc_endpoint_type": "Interface",
                "subnet_ids": ["subnet-0a11ce00000000001"],
                "security_group_ids": ["sg-0a11ce00000000001"],
            }
        },
    },
}


def terraform_lacks():
    """Why Terraform cannot run here; empty if it can."""
    if shutil.which("terraform") is None:
        return "Terraform is not installed"
    return "" if os.environ.get(PLUGINS) else f"{PLUGINS} names no directory with the AWS provider"


@pytest.mark.skipif(bool(terraform_lacks()), reason=terraform_lacks() or "Terraform runs")
def test_a_session_of_terraform(settings, tmp_path, world):
    (tmp_path / "main.tf.json").write_text(json.dumps(MAIN))

    def run(*arguments):
        done = subprocess.run(
            ["terraform", *arguments, "-no-color"],
            cwd=tmp_path,
            env={**settings, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def guardrails():
        return [item["name"] for item in world.client("bedrock").list_guardrails()["guardrails"]]

    before = guardrails()
    for step in (("init", f"-plugin-dir={os.environ[PLUGINS]}"), ("apply", "-auto-approve")):
        code, said = run(*step)
        assert code == 0, said
    assert sorted(guardrails()) == sorted([*before, "tf"])
    code, said = run("plan", "-detailed-exitcode")
    assert code == 0, said  # nothing to change
    code, said = run("destroy", "-auto-approve")
    assert code == 0, said
    assert guardrails() == before


# -- frameworks --------------------------------------------------------------------------------------------------------


@pytest.fixture
def in_place(settings, monkeypatch):
    """The settings in this process, for libraries."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LANGSMITH_TRACING", "false")


@pytest.fixture
def rail(world):
    """A guardrail that blocks a word."""
    bedrock = world.client("bedrock")
    made = bedrock.create_guardrail(
        name="framework",
        blockedInputMessaging="not that",
        blockedOutputsMessaging="OUT",
        wordPolicyConfig={"wordsConfig": [{"text": "nightjar"}]},
    )["guardrailId"]
    yield made
    bedrock.delete_guardrail(guardrailIdentifier=made)


def test_langchain(in_place, rail):
    langchain = pytest.importorskip("langchain_aws", reason="langchain-aws is not installed")
    config = {"guardrailIdentifier": rail, "guardrailVersion": "DRAFT"}
    model = langchain.ChatBedrockConverse(model=MODEL, region_name="us-east-1", guardrail_config=config)
    assert model.invoke(QUESTION).text
    assert "".join(str(piece.text) for piece in model.stream(QUESTION))
    assert "not that" in str(model.invoke("a nightjar").text)


def test_strands(in_place, rail):
    strands = pytest.importorskip("strands", reason="strands-agents is not installed")
    from strands.models import BedrockModel

    model = BedrockModel(
        model_id=MODEL, region_name="us-east-1", guardrail_id=rail, guardrail_version="DRAFT"
    )
    agent = strands.Agent(model=model, callback_handler=None)
    assert str(agent(QUESTION)).strip()
    assert agent("a nightjar").stop_reason == "guardrail_intervened"
