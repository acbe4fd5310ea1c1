"""The commands: exit codes, JSON, errors."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from ringwall.cli.catalog import catalog
from ringwall.cli.compare import compare
from ringwall.cli.schemas import schema_of
from ringwall.cli.who_can import who_can
from ringwall.cli.why import why
from ringwall.errors import RingwallError

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart" / "ringwall.yaml"
APP = "arn:aws:sts::111122223333:assumed-role/quickstart-app/s"
MODEL = "arn:aws:bedrock:us-east-2::foundation-model/amazon.nova-pro-v1:0"


def run(command, *arguments, text=None):
    done = CliRunner().invoke(command, list(arguments), input=text, standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done.return_value, done.stdout


def denied(action, resource="*"):
    return f"User: {APP} is not authorized to perform: {action} on resource: {resource}"


def test_why_exits_with_what_it_found(estate_file):
    code, text = run(why, "--message", denied("bedrock:CreateGuardrail"), "--estate", estate_file, "--json")
    answer = json.loads(text)
    assert code == 2
    assert answer["outcome"] == "denied"
    assert answer["message"]["action"] == "bedrock:CreateGuardrail"
    assert answer["authorizations"][0]["cases"][0]["missing"] == ["identity"]


def test_why_reads_standard_input(estate_file):
    request = {
        "principal": APP,
        "action": "bedrock:ListGuardrails",
        "resource": "*",
        "context": {"aws:RequestedRegion": "us-east-1"},
    }
    code, text = run(why, "--request", "-", "--estate", estate_file, text=json.dumps(request))
    assert code == 0
    assert "would be allowed now" in text


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--message", "nothing to see"], None),
        (["--event", "-"], "{"),
        (["--event", "-"], "[]"),
        (["--event", "-"], "{}"),
        (["--request", "-"], '{"request": {"action": 1}, "policies": {}}'),
        (["--request", "-"], '{"request": [], "policies": {}}'),
        (["--request", "-"], '{"request": {"principal": "me", "action": "a:B"}, "policies": {}}'),
    ],
)
def test_why_refuses_what_it_cannot_read(estate_file, arguments, text):
    with pytest.raises(RingwallError):
        run(why, *arguments, "--estate", estate_file, text=text)


def test_without_an_estate_the_message_alone_is_told(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ringwall.cli.why.choose", no_account)
    arn = "arn:aws:organizations::999988887777:policy/o-x/service_control_policy/p-12345678"
    text = f"{denied('bedrock:InvokeModel')} with an explicit deny in a service control policy: {arn}"
    code, told = run(why, "--message", text)
    assert code == 2
    assert f"an explicit deny decided, in a service control policy: {arn}" in told
    assert "the organization's management account" in told
    assert "the live account cannot be asked (no credentials)" in told
    code, answer = run(why, "--message", text, "--json")
    assert json.loads(answer)["told"][0].startswith("AWS says")
    with pytest.raises(RingwallError, match="no credentials"):
        run(why, "--message", text, "--declared")
    with pytest.raises(RingwallError, match="no credentials"):
        run(why, "--request", "-", text=json.dumps({"principal": APP, "action": "bedrock:InvokeModel"}))


def no_account(*_arguments, **_options):
    raise RingwallError("no credentials")


@pytest.mark.parametrize(
    ("rest", "lines"),
    [
        ("because no service control policy allows the bedrock:InvokeModel action", ["at every level, from the root"]),
        ("because no permissions boundary allows the bedrock:InvokeModel action", ["no permissions boundary allows it"]),
        ("with an explicit deny", ["an explicit deny decided, but not in which policy", "no further Allow helps"]),
        ("", ["does not say which policy decided"]),
    ],
)  # fmt: skip
def test_what_a_message_alone_tells(monkeypatch, tmp_path, rest, lines):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ringwall.cli.why.choose", no_account)
    code, told = run(why, "--message", f"{denied('bedrock:InvokeModel', MODEL)} {rest}")
    assert code == 2
    assert all(line in told for line in lines)


def test_why_explains_each_denied_event_of_a_log_file(estate_file):
    names = ("CreateGuardrail", "ListGuardrails")
    identity = {"type": "AssumedRole", "arn": APP, "accountId": "111122223333"}
    records = [
        {
            "eventSource": "bedrock.amazonaws.com",
            "eventName": name,
            "awsRegion": "us-east-1",
            "userIdentity": identity,
        }
        for name in (*names, "GetGuardrail")
    ]
    for record in records[:2]:
        record["errorCode"] = "AccessDenied"
    log = json.dumps({"Records": records})
    code, text = run(why, "--event", "-", "--estate", estate_file, text=log)
    assert code == 2
    assert [line.split()[2] for line in text.splitlines() if line.startswith("event ")] == list(names)
    code, text = run(why, "--event", "-", "--estate", estate_file, "--json", text=log)
    answers = json.loads(text)["events"]
    assert [answer["operation"] for answer in answers] == list(names)
    assert [answer["outcome"] for answer in answers] == ["denied", "allowed"]


def test_json_fits_the_published_schema(estate_file):
    schema = Draft202012Validator(schema_of("why"))
    rest = "with an explicit deny in a service control policy"
    for text in (
        denied("bedrock:InvokeModel", MODEL),
        f"{denied('bedrock:InvokeModel', MODEL)} {rest}",
        denied("a:B"),
    ):
        _, answer = run(why, "--message", text, "--estate", estate_file, "--json")
        schema.validate(json.loads(answer))
    log = json.dumps(
        [
            {
                "eventSource": "bedrock.amazonaws.com", "eventName": name, "errorCode": "AccessDenied",
                "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::555566667777:user/z"},
            }
            for name in ("ListGuardrails", "CreateGuardrail")
        ]
    )  # fmt: skip
    _, answer = run(why, "--event", "-", "--estate", estate_file, "--json", text=log)
    schema.validate(json.loads(answer))
    assert not schema.is_valid({"events": [{}]})


def test_many_cases_are_told_once(estate_file):
    rest = "with an explicit deny in a service control policy"
    _, text = run(why, "--message", f"{denied('bedrock:InvokeModel', MODEL)} {rest}", "--estate", estate_file)
    named = [line for line in text.splitlines() if "statement RuntimeOnlyThroughEndpoint" in line]
    assert len(named) == 1
    assert text.count("it would be allowed") == 1
    assert "bedrock:GuardrailIdentifier arn:aws:bedrock" in text


def test_who_can_lists_and_counts(estate_file):
    code, text = run(who_can, "Converse", "us.amazon.nova-pro-v1:0", "--estate", estate_file, "--json")
    found = json.loads(text)
    assert code == 0
    assert all(item["verdict"] == "can" and item["witness"] and item["because"] for item in found)


def statement(*actions):
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}],
    }


def written(folder, name, value):
    path = folder / name
    path.write_text(json.dumps(value), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("before", "after", "code", "allows", "denies"),
    [
        (statement("bedrock:Get*"), statement("bedrock:Get*"), 0, False, False),
        (statement("bedrock:Get*"), statement("bedrock:*"), 2, True, False),
        (statement("bedrock:*"), statement("bedrock:Get*"), 2, False, True),
        ({"identity": []}, {"identity": [{"name": "p", "document": statement("bedrock:*")}]}, 2, True, False),
    ],
)
def test_compare_policies(tmp_path, before, after, code, allows, denies):
    files = written(tmp_path, "a.json", before), written(tmp_path, "b.json", after)
    found, text = run(compare, *files, "--json")
    answer = json.loads(text)
    assert found == code
    assert (bool(answer["newly_allows"]), bool(answer["newly_denies"])) == (allows, denies)


def test_compare_lines():
    lines = [
        {"id": "1", "before": statement("s3:Get*"), "after": statement("s3:*")},
        {"id": "2", "before": statement("s3:*"), "after": statement("s3:*")},
    ]
    code, text = run(compare, text="\n".join(map(json.dumps, lines)))
    first, second = map(json.loads, text.splitlines())
    assert code == 2
    assert (first["id"], first["newly_denies"]) == ("1", None)
    assert first["newly_allows"]["action"].startswith("s3:")
    assert second == {"id": "2", "newly_allows": None, "newly_denies": None}
    assert run(compare, text="{}\n")[0] == 1


def test_compare_declarations_by_principal(tmp_path):
    same = str(shutil.copy(QUICKSTART, tmp_path / "same.yaml"))
    assert run(compare, str(QUICKSTART), same)[0] == 0
    wider = tmp_path / "wider.yaml"
    wider.write_text(QUICKSTART.read_text().replace("kind: auditor", "kind: operator"))
    code, text = run(compare, str(QUICKSTART), str(wider), "--json")
    answer = json.loads(text)
    assert code == 2
    assert {item["label"] for item in answer["newly_allows"]} == {"role/quickstart-auditor"}
    assert all(item["witness"] for item in answer["newly_allows"] + answer["newly_denies"])


def test_compare_needs_two_of_a_kind(tmp_path):
    with pytest.raises(RingwallError, match="two of a kind"):
        run(compare, written(tmp_path, "a.json", statement("s3:*")), str(QUICKSTART))


@pytest.mark.parametrize(
    ("query", "kind", "words"),
    [
        ("bedrock:InvokeModel", "action", {"access_level": "Read"}),
        ("Converse", "operation", {"name": "bedrock-runtime:Converse"}),
        ("amazon.nova-pro-v1:0", "model", {"provider": "Amazon"}),
        (
            "us.amazon.nova-pro-v1:0",
            "inference profile",
            {"destinations": ["us-east-1", "us-east-2", "us-west-2"]},
        ),
        ("bedrock:GuardrailIdentifier", "condition key", {"type": "ARN"}),
        ("bedrock", "service", {"name": "bedrock"}),
    ],
)
def test_catalog(query, kind, words):
    code, text = run(catalog, query, "--json")
    first = json.loads(text)[0]
    assert code == 0
    assert first["kind"] == kind
    assert words.items() <= first.items()


def test_catalog_suggests_the_nearest_name():
    with pytest.raises(RingwallError, match="did you mean bedrock:InvokeModel"):
        run(catalog, "bedrock:InvokModel")
