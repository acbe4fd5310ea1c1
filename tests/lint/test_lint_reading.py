"""Files as people have them: YAML, Terraform's data sources, strings in strings, JSON Lines, folders, standard input."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from ringwall.errors import RingwallError
from ringwall.lint import lint_bytes, lint_text
from ringwall.lint.files import files_within

YAML = """\
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  App:
    Type: AWS::IAM::Policy
    Properties:
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Action: [s3:GetObjekt, !Ref More]
            Resource: !Join ["", [!GetAtt Bucket.Arn, "/*"]]
            Condition: {Bool: {aws:SecureTransport: true}, StringEquals: {aws:Sourcevpcee: x}}
          - Effect: Allow
            Action:
              - bedrock:Converse   # é
            Resource: !Sub "arn:${AWS::Partition}:bedrock:${AWS::Region}::foundation-model/amazon.nova-pro-v1:0"
          - !If [Prod, {Effect: Allow}, !Ref AWS::NoValue]
  Organization:
    Type: AWS::Organizations::Policy
    Properties:
      Type: SERVICE_CONTROL_POLICY
      Content: |
        {"Version": "2012-10-17",
         "Statement": [{"Effect": "Deny",
            "Action": "bedrock:Converze",
            "Resource": "*"}]}
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Fn::Sub: '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}, "Action": "kms:Foo", "Resource": "*"}]}'
"""


def at(text, finding):
    """The line's rest from where a finding points."""
    return text.split("\n")[finding.line - 1][finding.column - 1 :]


def pointed(text, **more):
    return [(item.rule, at(text, item)) for item in lint_text(text, **more) if item.severity != "info"]


def test_templates_in_yaml_are_read_with_short_forms_dates_and_blocks():
    found = pointed(YAML, file="template.yaml")
    expected = [
        ("unknown-action", "s3:GetObjekt,"),
        ("statement-never-applies", "aws:Sourcevpcee"),
        ("unknown-condition-key", "aws:Sourcevpcee"),
        ("unknown-action", "bedrock:Converse "),
        ("unknown-action", '"bedrock:Converze"'),
        ("unknown-action", '"kms:Foo"'),
    ]
    assert [rule for rule, _ in found] == [rule for rule, _ in expected]
    for (_, text), (_, start) in zip(found, expected, strict=True):
        assert text.startswith(start)


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("Resources:\n  A: [1", 2, 8, "not valid YAML"),
        ("Resources:\n  A: 1\n  A: 2\n", 3, 3, "stands in this object already"),
        ("Resources: &a\n  A: *a\n", 1, 1, "too deep"),
        ("Resources:\n  ? [a]\n  : 1\n", 2, 5, "a key that is no text"),
        ("Resources: " + "[" * 5000, 1, 1, "deep"),
        (("a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\n"
         "d: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nResources: [*e,*e,*e,*e,*e,*e,*e,*e]\n"),
         1, 4, "too large"),
    ],
    ids=["cut off", "twice", "itself", "list as key", "nested", "laughs"],
)  # fmt: skip
def test_yaml_that_cannot_be_read_is_a_finding(text, line, column, message):
    finding = lint_text(text, file="template.yml")[0]
    assert finding.severity == "error"
    assert message in finding.message
    assert (finding.line, finding.column) == (line, column) or message in {"deep", "too large", "too deep"}


TERRAFORM = """\
{"data": {"aws_iam_policy_document": {"p": [{"statement": [
  {"sid": "A", "actions": ["bedrock:Converse"],
   "resources": ["arn:aws:bedrock:${var.region}::foundation-model/amazon.nova-pro-v1:0", "arn:aws:s3:::home/&{aws:username}/*"],
   "condition": [{"test": "StringEquals", "variable": "aws:SourceVpc", "values": ["vpc-1"]},
                 {"test": "StringEquals", "variable": "aws:Sourcevpcee", "values": ["x"]}]},
  {"effect": "Deny", "actions": ["bedrock:InvokeModel", "${var.more}"], "resources": ["*"],
   "condition": {"test": "StringNotLike", "variable": "bedrock:GuardrailIdentifier", "values": ["arn:aws:bedrock:*:*:guardrail/*"]}}]}],
  "q": {"statement": {"actions": ["s3:GetObject"], "resources": ["a"], "principals": {"type": "*", "identifiers": ["*"]}}},
  "r": {"source_policy_documents": ["${data.x.json}"]}}}}
"""


def test_policy_documents_of_terraform_are_read_and_pointed_into():
    rules = dict.fromkeys(pointed(TERRAFORM, file="policy.tf.json"))
    starts = {rule: [text for name, text in rules if name == rule] for rule, _ in rules}
    assert starts["unknown-action"][0].startswith('"bedrock:Converse"')
    assert starts["unknown-condition-key"][0].startswith('"aws:Sourcevpcee"')
    assert starts["guardrail-not-pinned"][0].startswith('"arn:aws:bedrock:*:*:guardrail/*"')
    assert starts["malformed-arn"][0].startswith('"a"')


@pytest.mark.parametrize("before", ["", "\t ", "é\u4e2d\U0001f512", '\\"\\\\\\/'])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_strings_in_strings_are_pointed_into(before, newline):
    policy = json.dumps(
        {"Version": "2012-10-17", "Id": before, "Statement": {"Effect": "Allow", "Action": "s3:GetObjekt", "Resource": "arn:aws:s3:::a/*"}},
        ensure_ascii=len(before) > 2, indent=1,
    )  # fmt: skip
    text = json.dumps(
        {"resource": {"aws_iam_policy": {"p": {"name": before, "policy": f" {policy}"}}}}, indent=2
    )
    (finding,) = lint_text(text.replace("\n", newline))
    assert at(text, finding).startswith('\\"s3:GetObjekt')


def test_a_key_that_stands_twice_in_a_string_is_reported_there():
    text = json.dumps(
        {"PolicyDocument": '{"Statement": [],\n "Version": "2012-10-17", "Version": "2012-10-17"}'}
    )
    (finding,) = lint_text(text)
    assert (finding.rule, at(text, finding)[:11]) == ("duplicate-key", '\\"Version\\"')


def test_columns_count_characters_and_lines_end_as_on_windows():
    text = '\ufeff{\r\n\t"Version": "2012-10-17",\r\n\t"Statement": [{"Sid": "\u4e2d\U0001f512", "Effect": "Allow",\t"Action":\r\n\t\t"s3:GetObjekt" , "Resource" :"arn:aws:s3:::a/*"}]}'
    found = [item for item in lint_bytes(text.encode(), file="p.json") if item.rule == "unknown-action"]
    assert [(item.line, item.column) for item in found] == [(4, 3)]


LINE = json.dumps(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObjekt", "Resource": "arn:aws:s3:::a/*"}}
)  # fmt: skip
FINE = LINE.replace("Objekt", "Object")


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (f"{LINE}\n{FINE}\n\n{LINE}\n", [(1, "unknown-action"), (4, "unknown-action")]),
        (f"{FINE} {LINE}", [(1, "unknown-action")]),
        (f"{FINE}\n{LINE}\n{{", [(2, "unknown-action"), (3, "syntax-error")]),
        (f"{FINE}}}", [(1, "syntax-error")]),
        (f"{FINE}\nrubbish", [(2, "syntax-error")]),
        (f"[{FINE},\n{LINE}]", [(2, "unknown-action")]),
    ],
)
def test_several_documents_in_one_file(text, places):
    found = lint_text(text, file="policies.jsonl")
    assert [(item.line, item.rule) for item in found] == places
    if ("unknown-action", 1) in [(rule, line) for line, rule in places]:
        assert at(text, found[0]).startswith('"s3:GetObjekt"')


def test_terraforms_own_language_is_refused_with_the_way_to_its_json():
    (finding,) = lint_text('resource "aws_iam_policy" "p" {}', file="main.tf")
    assert finding.rule == "syntax-error"
    assert "terraform show -json" in (finding.suggestion or "")


def run(*arguments, stdin=b""):
    code = "import sys; from ringwall.cli.lint import lint; sys.exit(lint.main(sys.argv[1:], standalone_mode=False))"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], input=stdin, capture_output=True, timeout=60, check=False
    )


def test_standard_input_folders_and_the_list_of_rules(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / ".terraform").mkdir()
    (tmp_path / "a" / "p.json").write_text(LINE)
    (tmp_path / "a" / "package.json").write_text('{"version": "1"}')
    (tmp_path / "t.yaml").write_text(YAML, encoding="utf-8")
    (tmp_path / ".terraform" / "p.json").write_text(LINE)
    assert [path.name for path in files_within(tmp_path)] == ["t.yaml", "p.json"]
    done = run("--json", "-", str(tmp_path), stdin=LINE.encode())
    found = json.loads(done.stdout)
    assert done.returncode == 2
    assert {item["file"].rpartition("/")[2] for item in found} == {"-", "t.yaml", "p.json"}
    listed = run("--rules").stdout.decode().splitlines()
    assert any(line.split()[:2] == ["guardrail-not-pinned", "warning"] for line in listed)
    assert "## Bad" in run("--rule", "unknown-action").stdout.decode()
    declaration = run("-", "--json", stdin=b"version: 1\nnam: x\n")
    assert {item["rule"] for item in json.loads(declaration.stdout)} == {"declaration-mistake"}


def test_a_folder_that_is_not_there():
    with pytest.raises(RingwallError, match="check the path"):
        list(files_within("/nowhere/at/all"))
