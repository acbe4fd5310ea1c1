"""Whatever the file holds: an answer, with positions, in bounded time."""

from __future__ import annotations

import json
import time

import pytest

from ringwall.errors import RingwallError
from ringwall.lint import lint_file, lint_text

POLICY = '{\n  "Version": "2012-10-17",\n  "Statement": [%s]\n}'
STATEMENT = (
    '{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::docs/*", "Condition": %s}'
)
LONG_STRING = '{"Version": "2012-10-17", "Statement": [' + '"\\"' * 400_000

BROKEN = {
    "empty": ("", 1, 1),
    "white space": (" \n ", 1, 1),
    "truncated": ('{\n  "Version": "2012-10-17",\n  "Statement": [', 3, 17),
    "trailing comma": (POLICY % '{"Effect": "Allow",}', 3, "}"),
    "not a number": (POLICY % (STATEMENT % '{"NumericLessThan": {"s3:max-keys": NaN}}'), 3, "NaN"),
    "infinity": (POLICY % (STATEMENT % '{"NumericLessThan": {"s3:max-keys": -Infinity}}'), 3, "-Infinity"),
    "half a surrogate pair": (POLICY % (STATEMENT % '{"StringLike": {"aws:userid": "\\ud800"}}'), 3, '"\\ud800'),
    "the other half in a key": ('{\n "\\udc00": 1}', 2, 2),
    "10,000 levels": ("[" * 10_000, 1, 101),
    "10,000 closed levels": ("[" * 10_000 + "]" * 10_000, 1, 101),
    "objects in objects": ('{"a":' * 10_000 + "1" + "}" * 10_000, 1, 501),
    "an unterminated string of quotes": (LONG_STRING, 1, None),
    "quotes and brackets": ("[" * 90 + '"' + '\\"' * 500_000, 1, 91),
    "a number": ("42", 1, 1),
    "nothing": ("null", 1, 1),
    "an empty object": ("{}", 1, 1),
    "an empty list": ("[]", 1, 1),
    "no JSON at all": ("Effect: Allow", 1, 1),
    "a number without end": (POLICY % (STATEMENT % ('{"NumericLessThan": {"s3:max-keys": %s}}' % ("9" * 100_000))), 3, "999"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_policy_is_a_syntax_error_at_its_place(name):
    text, line, place = BROKEN[name]
    column = text.split("\n")[line - 1].index(place) + 1 if isinstance(place, str) else place
    started = time.process_time()
    found = [item for item in lint_text(text) if item.rule == "syntax-error"]
    assert time.process_time() - started < 5
    assert found[0].severity == "error"
    assert found[0].line == line
    assert column is None or found[0].column == column
    json.dumps([item.to_json() for item in found]).encode()


def test_fifty_megabytes_are_refused_quickly(tmp_path):
    big = tmp_path / "big.json"
    big.write_text('{"Version": "2012-10-17", "Statement": "' + "é" * 25_000_000 + '"}', encoding="utf-8")
    started = time.process_time()
    (finding,) = lint_file(big)
    assert time.process_time() - started < 5
    assert (finding.rule, finding.line, finding.column) == ("syntax-error", 1, 1)


def test_bytes_that_are_no_text(tmp_path):
    file = tmp_path / "latin.json"
    file.write_bytes(b'{\n "Id": "\xe9"}')
    (finding,) = lint_file(file)
    assert (finding.rule, finding.line, finding.column) == ("syntax-error", 2, 9)


def test_a_byte_order_mark_is_no_mistake(tmp_path):
    file = tmp_path / "bom.json"
    file.write_text(POLICY % (STATEMENT % "{}"), encoding="utf-8-sig")
    assert lint_file(file) == ()


@pytest.mark.parametrize("name", ["absent.json", "."])
def test_what_cannot_be_read_is_an_error_of_its_own(tmp_path, name):
    with pytest.raises(RingwallError, match="cannot be read"):
        lint_file(tmp_path / name)


def test_a_huge_policy_is_too_large_and_takes_no_time():
    actions = [f"bedrock:Unknown{number}" for number in range(60_000)]
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}],
    }
    started = time.process_time()
    found = lint_text(json.dumps(document, indent=1))
    assert time.process_time() - started < 5
    assert [(item.rule, item.severity) for item in found] == [("policy-too-large", "error")]


def test_the_largest_policy_that_is_read_is_read_in_bounded_time():
    resources = [f"arn:aws:*:*:*:?*a{number}*b*" for number in range(1_500)]
    actions = [f"bedrock:Unknwon{number}" for number in range(800)]
    statement = {"Effect": "Allow", "Action": [*actions, "bedrock:InvokeModel"], "Resource": resources}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    assert len(text) < 128 * 1024
    started = time.process_time()
    assert {"unknown-action", "policy-too-large"} <= {item.rule for item in lint_text(text)}
    assert time.process_time() - started < 30


def test_duplicate_keys_are_all_reported():
    text = '{"Version": "2012-10-17",\n"Version": "2012-10-17", "Statement": [],\n"Statement": []}'
    found = [item for item in lint_text(text) if item.rule == "duplicate-key"]
    assert [(item.line, item.column) for item in found] == [(2, 1), (3, 1)]


def test_one_broken_statement_hides_nothing_in_the_others():
    text = POLICY % ('{"Effect": "Maybe", "Action": "s3:GetObject", "Resource": "*"},\n'
                     '{"Effect": "Deny", "Action": "s3:GetObjekt", "Resource": "*"}')  # fmt: skip
    assert [(item.rule, item.line) for item in lint_text(text)] == [
        ("syntax-error", 3),
        ("unknown-action", 4),
    ]
