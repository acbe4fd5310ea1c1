"""Policies inside of other files: found wherever they stand, with their type by the place; and the command line."""

from __future__ import annotations

import json
import subprocess
import sys

import jsonschema
import pytest

from ringwall.lint import lint_text
from ringwall.lint.discover import documents
from ringwall.lint.sarif import to_sarif

BAD = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObjekt", "Resource": "arn:aws:s3:::a/*"}],
}
TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "bedrock.amazonaws.com"}, "Action": "sts:AssumeRole"}]}  # fmt: skip
TEMPLATE = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Resources": {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": TRUST,
                "Policies": [{"PolicyName": "p", "PolicyDocument": BAD}],
            },
        },
        "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": BAD}},
        "Bucket": {"Type": "AWS::S3::BucketPolicy", "Properties": {"PolicyDocument": BAD}},
        "Endpoint": {"Type": "AWS::EC2::VPCEndpoint", "Properties": {"PolicyDocument": BAD}},
        "Scp": {
            "Type": "AWS::Organizations::Policy",
            "Properties": {"Type": "SERVICE_CONTROL_POLICY", "Content": BAD},
        },
        "Rcp": {
            "Type": "AWS::Organizations::Policy",
            "Properties": {"Content": BAD, "Type": "RESOURCE_CONTROL_POLICY"},
        },
        "Topic": {"Type": "AWS::SNS::TopicPolicy", "Properties": {"PolicyDocument": BAD}},
    },
}
TERRAFORM = {
    "resource": {
        "aws_iam_role": {"r": {"name": "r", "assume_role_policy": json.dumps(TRUST), "inline_policy": [{"policy": json.dumps(BAD)}]}},
        "aws_kms_key": {"k": {"policy": f"${{jsonencode({json.dumps(BAD)})}}"}},
        "aws_organizations_policy": {"o": {"content": json.dumps(BAD), "type": "SERVICE_CONTROL_POLICY"}},
        "aws_s3_bucket_policy": {"b": {"policy": BAD}},
    }
}  # fmt: skip
PLAN = {"terraform_version": "1.9", "planned_values": {"root_module": {"resources": [
    {"address": "aws_vpc_endpoint.e", "type": "aws_vpc_endpoint", "values": {"policy": json.dumps(BAD)}}]}},
    "resource_changes": [{"type": "aws_vpc_endpoint", "change": {"before": {"policy": json.dumps({"Statement": {"Effect": "?"}})}}}]}  # fmt: skip
QUESTION = {"id": "q", "policies": {
    "identity": [{"name": "a", "document": BAD}], "scp": [{"target": "r", "policies": [{"name": "s", "document": BAD}]}],
    "vpc_endpoint": [{"name": "e", "document": BAD}], "resource": {"name": "t", "document": BAD}}}  # fmt: skip


@pytest.mark.parametrize(
    ("value", "types"),
    [
        (TEMPLATE, ["trust", "identity", "kms-key", "s3-bucket", "vpc-endpoint", "scp", "rcp", "resource"]),
        (TERRAFORM, ["trust", "identity", "kms-key", "scp", "s3-bucket"]),
        (PLAN, ["vpc-endpoint"]),
        (QUESTION, ["identity", "scp", "vpc-endpoint", "resource"]),
        ({"PolicyVersion": {"Document": BAD, "VersionId": "v1"}}, ["identity"]),
        ([BAD, BAD], [None, None]),
        (BAD, [None]),
    ],
    ids=["cloudformation", "terraform", "plan", "decide", "iam answer", "list", "bare"],
)
def test_documents_are_found_with_the_type_of_their_place(value, types):
    assert [found.type for found in documents(value)] == types


@pytest.mark.parametrize(
    "value", [TEMPLATE, TERRAFORM, PLAN, QUESTION], ids=["cloudformation", "terraform", "plan", "decide"]
)
def test_every_copy_of_the_mistake_is_reported_where_it_stands(value):
    text = json.dumps(value, indent=1)
    lines = [number for number, line in enumerate(text.splitlines(), 1) if "s3:GetObjekt" in line]
    assert [item.line for item in lint_text(text) if item.rule == "unknown-action"] == lines


def inline(statement):
    return {"Resources": {"P": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": {
        "Version": "2012-10-17", "Statement": [statement]}}}}}  # fmt: skip


GUARDRAIL = {"Fn::GetAtt": ["Guardrail", "GuardrailArn"]}


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Allow", "Action": "bedrock:ApplyGuardrail", "Resource": GUARDRAIL},
        {"Effect": "Allow", "Action": "bedrock:ApplyGuardrail", "Resource": [{"Fn::If": ["X", GUARDRAIL, GUARDRAIL]}]},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": {"Fn::Sub": "arn:${AWS::Partition}:s3:::${Bucket}/*"}},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": {"Fn::Join": ["", [{"Fn::GetAtt": ["B", "Arn"]}, "/*"]]}},
        {"Effect": "Allow", "Action": {"Ref": "Actions"}, "Resource": "*"},
        {"Effect": {"Fn::If": ["X", "Allow", "Deny"]}, "Action": "*", "Resource": "*"},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*", "Condition": {"Fn::If": ["X", {}, {}]}},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*",
         "Condition": {"StringEquals": {"aws:SourceVpce": {"Ref": "Endpoint"}}}},
        {"Effect": "Deny", "Action": ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"], "Resource": "*",
         "Condition": {"ArnNotLike": {"bedrock:GuardrailIdentifier": {"Fn::Sub": "${Guardrail.GuardrailArn}:*"}},
                       "ArnNotLikeIfExists": {"aws:PrincipalArn": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:role/x"}}}},
        {"Fn::If": ["X", {"Effect": "Allow"}, {"Ref": "AWS::NoValue"}]},
    ],
)  # fmt: skip
def test_what_a_template_fills_in_is_not_a_mistake(statement):
    serious = [
        item for item in lint_text(json.dumps(inline(statement))) if item.severity in {"error", "warning"}
    ]
    assert [item for item in serious if item.rule != "unguarded-inference-path"] == []


def test_what_a_template_says_is_read_all_the_same():
    statement = {"Effect": "Allow", "Action": "bedrock:RetrieveAndGenerate",
                 "Resource": {"Fn::Sub": "arn:aws:bedrock:${AWS::Region}:${AWS::AccountId}:knowledge-base/${Kb}"}}  # fmt: skip
    (finding,) = lint_text(json.dumps(inline(statement)))
    assert finding.rule == "resource-type-not-on-action"


def test_terraform_expressions_are_told_from_policy_variables():
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": [
        "${aws_s3_bucket.b.arn}/*", "arn:aws:s3:::home/$${aws:username}/*", "not-an-arn"]}]}  # fmt: skip
    text = json.dumps({"resource": {"aws_iam_policy": {"p": {"policy": document}}}})
    assert [(item.rule, item.message) for item in lint_text(text)] == [
        ("malformed-arn", "'not-an-arn' is no ARN")
    ]


def test_a_string_that_is_no_json_is_reported_at_the_string():
    text = json.dumps({"PolicyDocument": '{"Statement": [}'}, indent=1)
    (finding,) = lint_text(text)
    assert (finding.rule, finding.line, finding.column) == ("syntax-error", 2, 38)


def test_declarations_are_checked_with_positions_and_nearest_names():
    found = lint_text('version: 1\nnam: x\naccount: "1"\n', file="ringwall.yaml")
    assert {item.rule for item in found} == {"declaration-mistake"}
    unknown = next(item for item in found if item.message.startswith("nam:"))
    assert (unknown.line, unknown.column, unknown.suggestion) == (2, 1, "did you mean name?")


def test_sarif_has_a_result_for_each_finding_and_all_rules():
    found = lint_text(json.dumps(TEMPLATE, indent=1), file="dir/a b.json")
    log = to_sarif(found)
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    assert len(run["results"]) == len(found)
    for result, finding in zip(run["results"], found, strict=True):
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == finding.rule
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "dir/a%20b.json"
        assert place["region"] == {"startLine": finding.line, "startColumn": finding.column}
        assert result["level"] in {"error", "warning", "note"}


def an_object(required=(), **properties):
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": properties,
    }


def some(item):
    return {"type": "array", "items": item}


TEXT = {"type": "string", "minLength": 1}
COUNT = {"type": "integer", "minimum": 0}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
# The part of SARIF 2.1.0's schema that a log of ours uses, closed as it is there.
SARIF = an_object(
    ("version", "runs"),
    **{"$schema": {"type": "string", "format": "uri"}},
    version={"const": "2.1.0"},
    runs=some(an_object(
        ("tool",),
        columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        tool=an_object(("driver",), driver=an_object(
            ("name",), name=TEXT, version=TEXT, informationUri={"type": "string", "format": "uri"},
            rules=some(an_object(
                ("id",), id=TEXT, shortDescription=an_object(("text",), text=TEXT),
                help=an_object(("text",), text=TEXT, markdown=TEXT), defaultConfiguration=an_object(level=LEVEL))))),
        results=some(an_object(
            ("message",), ruleId=TEXT, ruleIndex=COUNT, level=LEVEL, message=an_object(("text",), text=TEXT),
            locations=some(an_object(physicalLocation=an_object(
                artifactLocation=an_object(uri={"type": "string", "format": "uri-reference"}),
                region=an_object(startLine={"type": "integer", "minimum": 1}, startColumn={"type": "integer", "minimum": 1})))),
        )),
    )),
)  # fmt: skip


@pytest.mark.parametrize("file", ["dir/a b.json", "/abs/é.json", "-", "c:odd.json"])
def test_sarif_has_the_form_of_its_schema(file):
    jsonschema.validate(to_sarif(lint_text(json.dumps(TEMPLATE), file=file)), SARIF)
    jsonschema.validate(to_sarif(()), SARIF)


def run(*arguments):
    code = "import sys; from ringwall.cli.lint import lint; sys.exit(lint.main(sys.argv[1:], standalone_mode=False))"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_the_command_prints_the_contract_and_exits_by_it(tmp_path):
    bad, good = tmp_path / "bad.json", tmp_path / "good.json"
    bad.write_text(json.dumps(BAD, indent=2))
    good.write_text(json.dumps(BAD).replace("GetObjekt", "GetObject"))
    done = run(str(bad), "--json")
    assert (done.returncode, done.stderr) == (2, "")
    assert json.loads(done.stdout) == [{
        "rule": "unknown-action", "severity": "error", "file": str(bad), "line": 6, "column": 17,
        "message": "there is no action s3:GetObjekt; it grants nothing", "suggestion": "did you mean s3:GetObject?",
    }]  # fmt: skip
    assert (run(str(good), "--json").stdout, run(str(good)).returncode) == ("[]\n", 0)
    assert run(str(good), str(bad), "--format", "sarif").returncode == 2
    missing = run(str(good), str(tmp_path / "absent.json"), "--json")
    assert (missing.returncode, missing.stdout, "absent.json cannot be read" in missing.stderr) == (
        1,
        "[]\n",
        True,
    )


def test_information_alone_exits_with_0(tmp_path):
    file = tmp_path / "list.json"
    file.write_text(json.dumps(BAD).replace("GetObjekt", "ListBucket*").replace("arn:aws:s3:::a/*", "*"))
    done = run(str(file), "--json")
    assert done.returncode == 0
    assert [item["severity"] for item in json.loads(done.stdout)] == ["info"]


def test_half_a_surrogate_pair_can_be_printed(tmp_path):
    file = tmp_path / "half.json"
    file.write_text('{"Version": "2012-10-17", "Statement": [{"Sid": "\\ud800"}]}')
    assert json.loads(run(str(file), "--json").stdout)[0]["rule"] == "syntax-error"
