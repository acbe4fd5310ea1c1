"""The command line: what it lists, what it costs to start, how it fails."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from ringwall.cli import COMMANDS, cli

HEAVY = ("boto3", "botocore", "pydantic", "jinja2", "rich", "moto", "pysat", "ruamel.yaml")


def run(*arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ringwall", *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "code",
    ["import ringwall", "from ringwall.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass"],
)
def test_starting_loads_nothing_heavy(code):
    probe = f"import sys\n{code}\nprint([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_help_lists_every_command_and_each_has_an_example():
    import click

    listed = run("--help").stdout
    context = click.Context(cli, info_name="ringwall")
    for name, (_, line) in COMMANDS.items():
        assert name in listed
        command = cli.get_command(context, name)
        text = command.get_help(click.Context(command, info_name=name, parent=context))
        assert "Example:" in text, name
        assert line.rstrip(".") in " ".join(text.split()), name


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["plann"], "Did you mean plan?"),
        (["plan", "--fil", "x"], "No such option"),
        (["schema", "nothing"], "'nothing' is not one of"),
        (["compile", "--file", "absent.yaml"], "absent.yaml does not exist: write one with `ringwall init`"),
        (["sandbox", "--port", "99999"], "99999"),
    ],
)
def test_mistyped_commands_and_options_exit_with_1(arguments, words):
    done = run(*arguments)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_init_writes_a_valid_file_and_will_not_replace_one(tmp_path):
    target = tmp_path / "ringwall.yaml"
    assert run("init", "--file", str(target)).returncode == 0
    assert run("compile", "--file", str(target), "--out", str(tmp_path / "e.json")).returncode == 0
    again = run("init", "--file", str(target))
    assert (again.returncode, "--yes" in again.stderr) == (3, True)


def question(**request):
    base = {"principal": "arn:aws:iam::111122223333:role/App", "action": "bedrock:InvokeModel",
            "resource": "arn:aws:bedrock:us-east-1::foundation-model/m"}  # fmt: skip
    allow = {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "A", "Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
    return {
        "id": "q",
        "request": base | request,
        "policies": {"identity": [{"name": "app", "document": allow}]},
    }


def test_decide_answers_each_line_in_order_and_goes_on_after_a_broken_one():
    lines = [json.dumps(question()), "{broken", json.dumps(question() | {"id": "r", "policies": {}})]
    done = run("decide", "-", "--json", text="\n".join(lines))
    first, second, third = map(json.loads, done.stdout.splitlines())
    assert first == {
        "id": "q",
        "decision": "allow",
        "because": [{"policy_type": "identity", "policy": "app", "statement": "A", "effect": "Allow"}],
        "missing": [],
    }
    assert second["id"] is None
    assert "line 2, column 2" in second["error"]
    assert (third["decision"], third["missing"]) == ("implicit_deny", ["identity"])
    assert done.returncode == 1


@pytest.mark.parametrize(("policies", "code"), [({}, 2), (None, 0)])
def test_decide_exits_with_2_when_something_was_denied(policies, code):
    document = question() if policies is None else question() | {"policies": policies}
    assert run("decide", "--json", text=json.dumps(document, indent=1)).returncode == code


def test_an_operation_is_the_least_of_its_authorizations():
    document = question()
    document["request"] = {
        "principal": "arn:aws:iam::111122223333:role/App",
        "operation": "Converse",
        "parameters": {
            "modelId": "us.amazon.nova-pro-v1:0",
            "messages": [],
            "guardrailConfig": {"guardrailIdentifier": "abcd1234efgh", "guardrailVersion": "1"},
        },
        "context": {"aws:RequestedRegion": "us-east-1"},
    }
    document["policies"]["identity"][0]["document"]["Statement"].append(
        {"Sid": "NotThere", "Effect": "Deny", "Action": "bedrock:InvokeModel",
         "Resource": "arn:aws:bedrock:us-west-2::foundation-model/*"}
    )  # fmt: skip
    answer = json.loads(run("decide", "--json", text=json.dumps(document)).stdout)
    assert answer["decision"] == "explicit_deny"
    assert answer["because"][0]["statement"] == "NotThere"
    assert [(a["action"], a["resource"].rsplit(":", 1)[0]) for a in answer["authorizations"]][:1] == [
        (
            "bedrock:InvokeModel",
            "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.amazon.nova-pro-v1",
        )
    ]
    assert {a["action"] for a in answer["authorizations"]} >= {
        "bedrock:InvokeModel",
        "bedrock:ApplyGuardrail",
    }
