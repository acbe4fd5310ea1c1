"""The operator table, row by row.

Sentences in the comments are from
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html (operators) and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
(set operators).
"""

# ruff: noqa: ERA001 - quotations from the documentation look like code

from __future__ import annotations

import pytest

from iam import reference
from ringwall.iam.conditions import OPERATORS, compile_test
from ringwall.iam.parser import parse_policy

KEY = "svc:Key"
ROLE = "arn:aws:iam::111122223333:role/App"
TOPIC = "arn:aws:sns:us-east-1:111122223333:topic"

ABSENT = ()

# (operator, listed values, the request's values, expected); a listed or request value may be a single string.
ROWS = [
    # "StringEquals: Exact matching, case sensitive"
    ("StringEquals", "a", "a", True),
    ("StringEquals", "a", "A", False),
    ("StringEquals", "a", "ab", False),
    ("StringEquals", ["a", "b"], "b", True),
    ("StringEquals", ["a", "b"], "c", False),
    ("StringEquals", "a*", "ab", False),
    ("StringEquals", "a*", "a*", True),
    ("StringEquals", "", "", True),
    ("StringEquals", [], "a", False),
    ("StringEquals", "ä", "ä", True),
    ("StringEquals", True, "true", True),
    ("StringEquals", 10, "10", True),
    # "StringNotEquals: Negated matching"
    ("StringNotEquals", "a", "a", False),
    ("StringNotEquals", "a", "A", True),
    ("StringNotEquals", ["a", "b"], "b", False),
    ("StringNotEquals", ["a", "b"], "c", True),
    ("StringNotEquals", [], "a", True),
    # "StringEqualsIgnoreCase: Exact matching, ignoring case"
    ("StringEqualsIgnoreCase", "Ann", "aNN", True),
    ("StringEqualsIgnoreCase", "Ann", "Anna", False),
    ("StringEqualsIgnoreCase", "A*", "ab", False),
    ("StringEqualsIgnoreCase", ["x", "Ann"], "ANN", True),
    ("StringNotEqualsIgnoreCase", "Ann", "aNN", False),
    ("StringNotEqualsIgnoreCase", "Ann", "Bob", True),
    ("StringNotEqualsIgnoreCase", ["Ann", "Bob"], "BOB", False),
    # "StringLike: Case-sensitive matching. The values can include multi-character match wildcards (*) and
    # single-character match wildcards (?) anywhere in the string."
    ("StringLike", "a*", "abc", True),
    ("StringLike", "a*", "a", True),
    ("StringLike", "a*", "A", False),
    ("StringLike", "*c", "abc", True),
    ("StringLike", "*c", "abcd", False),
    ("StringLike", "a?c", "abc", True),
    ("StringLike", "a?c", "ac", False),
    ("StringLike", "a?c", "abbc", False),
    ("StringLike", "*", "", True),
    ("StringLike", "*", "a:b/c", True),
    ("StringLike", "?*", "", False),
    ("StringLike", "?*", "x", True),
    ("StringLike", "a*b*c", "a1b2c", True),
    ("StringLike", "a*b*c", "acb", False),
    ("StringLike", "*ab*ab", "abab", True),
    ("StringLike", "*ab*ab", "ab", False),
    ("StringLike", "a.c", "abc", False),
    ("StringLike", "a+[b]", "a+[b]", True),
    ("StringLike", "a\nb*", "a\nbc", True),
    ("StringLike", "*b", "a\nb", True),
    ("StringLike", ["x*", "y*"], "yz", True),
    ("StringLike", ["x*", "y*"], "z", False),
    ("StringLike", "arn:aws:bedrock:*:guardrail/g", "arn:aws:bedrock:us-east-1:111122223333:guardrail/g", True),
    ("StringNotLike", "a*", "abc", False),
    ("StringNotLike", "a*", "bc", True),
    ("StringNotLike", ["a*", "b*"], "bc", False),
    ("StringNotLike", ["a*", "b*"], "c", True),
    # Numeric operators
    ("NumericEquals", "5", "5", True),
    ("NumericEquals", "5", "5.0", True),
    ("NumericEquals", "5", "05", True),
    ("NumericEquals", "5", "6", False),
    ("NumericEquals", "0.1", "0.10", True),
    ("NumericEquals", "9007199254740993", "9007199254740992", False),
    ("NumericEquals", "1e2", "100", True),
    ("NumericEquals", "-3", "-3", True),
    ("NumericEquals", ["1", "2"], "2", True),
    ("NumericEquals", "five", "five", False),
    ("NumericEquals", "nan", "nan", False),
    ("NumericEquals", "1_0", "10", False),
    ("NumericEquals", 5, "5", True),
    ("NumericNotEquals", "5", "5.0", False),
    ("NumericNotEquals", "5", "6", True),
    ("NumericNotEquals", ["5", "6"], "6", False),
    ("NumericNotEquals", "5", "five", True),
    ("NumericLessThan", "5", "4.99", True),
    ("NumericLessThan", "5", "5", False),
    ("NumericLessThan", "10", "9", True),
    ("NumericLessThan", "5", "abc", False),
    ("NumericLessThan", ["1", "10"], "5", True),
    ("NumericLessThanEquals", "5", "5", True),
    ("NumericLessThanEquals", "5", "5.01", False),
    ("NumericLessThanEquals", "-5", "-6", True),
    ("NumericGreaterThan", "5", "6", True),
    ("NumericGreaterThan", "5", "5", False),
    ("NumericGreaterThan", "9", "10", True),
    ("NumericGreaterThanEquals", "5", "5", True),
    ("NumericGreaterThanEquals", "5", "4", False),
    ("NumericGreaterThanEquals", "3600", "3600.5", True),
    # "Date: ... You must specify date/time values with one of the W3C implementations of the ISO 8601 date formats
    # or in epoch (UNIX) time."
    ("DateEquals", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z", True),
    ("DateEquals", "2024-01-01T00:00:00Z", "1704067200", True),
    ("DateEquals", "1704067200", "2024-01-01T00:00:00Z", True),
    ("DateEquals", "2024-01-01", "2024-01-01T00:00:00Z", True),
    ("DateEquals", "2024-01", "2024-01-01", True),
    ("DateEquals", "2024", "2024-01-01", True),
    ("DateEquals", "2024-01-01T02:00:00+02:00", "2024-01-01T00:00:00Z", True),
    ("DateEquals", "2023-12-31T19:00:00-05:00", "2024-01-01T00:00:00Z", True),
    ("DateEquals", "2024-01-01T00:00Z", "2024-01-01T00:00:00Z", True),
    ("DateEquals", "2024-01-01T00:00:00.500Z", "2024-01-01T00:00:00.5Z", True),
    ("DateEquals", "2024-01-01T00:00:00.5Z", "2024-01-01T00:00:00Z", False),
    ("DateEquals", "2024-13-01", "2024-13-01", False),
    ("DateEquals", "2024-02-30", "2024-02-30", False),
    ("DateEquals", "yesterday", "yesterday", False),
    ("DateEquals", "2024-01-01T00:00:00+99:00", "2024-01-01", False),
    ("DateEquals", ["2023-01-01", "2024-01-01"], "2024-01-01", True),
    ("DateNotEquals", "2024-01-01", "2024-01-01", False),
    ("DateNotEquals", "2024-01-01", "2024-01-02", True),
    ("DateNotEquals", "2024-01-01", "nonsense", True),
    ("DateLessThan", "2024-01-01", "2023-12-31", True),
    ("DateLessThan", "2024-01-01", "2024-01-01", False),
    ("DateLessThan", "2024-01-01", "1704067199", True),
    ("DateLessThan", "2024-01-01", "1704067200", False),
    ("DateLessThanEquals", "2024-01-01", "2024-01-01", True),
    ("DateLessThanEquals", "2024-01-01", "2024-01-01T00:00:01Z", False),
    ("DateGreaterThan", "2024-01-01", "2024-01-01T00:00:01Z", True),
    ("DateGreaterThan", "2024-01-01", "2024-01-01", False),
    ("DateGreaterThan", "0001-01-01", "2024-01-01", True),
    ("DateGreaterThanEquals", "2024-01-01", "2024-01-01", True),
    ("DateGreaterThanEquals", "2024-01-01", "2023-12-31", False),
    ("DateGreaterThanEquals", "2024-01-01", "soon", False),
    # "Bool"
    ("Bool", "true", "true", True),
    ("Bool", "true", "false", False),
    ("Bool", "false", "false", True),
    ("Bool", "True", "TRUE", True),
    ("Bool", True, "true", True),
    ("Bool", "true", "yes", False),
    ("Bool", "yes", "yes", False),
    ("Bool", ["true", "false"], "false", True),
    # "BinaryEquals: ... compares the value of the specified key byte for byte against a base-64 encoded
    # representation of the binary value in the policy"
    ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", True),
    ("BinaryEquals", "QmluYXJ5", "QmluYXJ6", False),
    ("BinaryEquals", "YQ==", "YR==", True),
    ("BinaryEquals", "not base64!", "not base64!", False),
    ("BinaryEquals", ["AA==", "QmluYXJ5"], "QmluYXJ5", True),
    # "IpAddress: The specified IP address or range"; "the value must be in the standard CIDR format"
    ("IpAddress", "203.0.113.0/24", "203.0.113.7", True),
    ("IpAddress", "203.0.113.0/24", "203.0.114.7", False),
    ("IpAddress", "203.0.113.7", "203.0.113.7", True),
    ("IpAddress", "203.0.113.7", "203.0.113.8", False),
    ("IpAddress", "203.0.113.9/24", "203.0.113.7", True),
    ("IpAddress", "0.0.0.0/0", "8.8.8.8", True),
    ("IpAddress", "0.0.0.0/0", "2001:db8::1", False),
    ("IpAddress", "::/0", "8.8.8.8", False),
    ("IpAddress", "2001:db8::/32", "2001:0DB8:0000:0000:0000:0000:0000:0001", True),
    ("IpAddress", "2001:0db8:0:0::/32", "2001:db8::1", True),
    ("IpAddress", "2001:db8::/32", "2001:db9::1", False),
    ("IpAddress", "2001:db8::1", "2001:DB8:0:0:0:0:0:1", True),
    ("IpAddress", "10.0.0.0/8", "::ffff:10.1.2.3", True),
    ("IpAddress", "10.0.0.0/8", "::ffff:0a01:0203", True),
    ("IpAddress", "::ffff:10.0.0.0/104", "10.1.2.3", True),
    ("IpAddress", "::ffff:10.0.0.0/104", "11.1.2.3", False),
    ("IpAddress", "10.0.0.0/33", "10.0.0.1", False),
    ("IpAddress", "10.0.0.0/8", "not an address", False),
    ("IpAddress", ["10.0.0.0/8", "2001:db8::/32"], "2001:db8::5", True),
    ("IpAddress", "10.0.0.0/255.0.0.0", "10.9.9.9", True),
    # "NotIpAddress: All IP addresses except the specified IP address or range"
    ("NotIpAddress", "203.0.113.0/24", "203.0.113.7", False),
    ("NotIpAddress", "203.0.113.0/24", "203.0.114.7", True),
    ("NotIpAddress", "203.0.113.0/24", "2001:db8::1", True),
    ("NotIpAddress", ["10.0.0.0/8", "203.0.113.0/24"], "203.0.113.7", False),
    ("NotIpAddress", "10.0.0.0/8", "::ffff:10.1.2.3", False),
    ("NotIpAddress", "10.0.0.0/8", "not an address", True),
    # "ArnEquals, ArnLike: Case-sensitive matching of the ARN. Each of the six colon-delimited components of the ARN
    # is checked separately and each can include multi-character or single-character match wildcards. The ArnEquals
    # and ArnLike condition operators behave identically."
    ("ArnEquals", ROLE, ROLE, True),
    ("ArnEquals", "arn:aws:iam::111122223333:role/*", ROLE, True),
    ("ArnEquals", "arn:aws:iam::111122223333:role/app", ROLE, False),
    ("ArnLike", ROLE, ROLE, True),
    ("ArnLike", "arn:aws:iam::*:role/App", ROLE, True),
    ("ArnLike", "arn:aws:iam::1111????3333:role/App", ROLE, True),
    ("ArnLike", "arn:aws:iam::111122223333:role/A?p", ROLE, True),
    ("ArnLike", "arn:aws:*:topic", TOPIC, False),
    ("ArnLike", "arn:*", TOPIC, False),
    ("ArnLike", "arn:aws:sns", TOPIC, False),
    ("ArnLike", "arn:aws:sns:*:*:*", TOPIC, True),
    ("ArnLike", "arn:aws:s?s:us-*-1:*:to*c", TOPIC, True),
    ("ArnLike", "arn:aws:sns:*:topic", TOPIC, False),
    ("ArnLike", "arn:*:*:*:*:*", TOPIC, True),
    ("ArnLike", "*", TOPIC, True),
    ("ArnLike", "*", "no arn", False),
    ("ArnLike", "*:*:*:*:*:*", TOPIC, True),
    ("ArnLike", "arn:aws:logs:*:*:log-group:*", "arn:aws:logs:us-east-1:111122223333:log-group:a:b:c", True),
    ("ArnLike", "arn:aws:logs:*:*:*:c", "arn:aws:logs:us-east-1:111122223333:log-group:a:b:c", True),
    ("ArnLike", "arn:aws:sns:us-east-1:111122223333:topic", "arn:aws:sns:us-east-1:111122223333:TOPIC", False),
    ("ArnLike", ["arn:aws:sqs:*:*:*", "arn:aws:sns:*:*:*"], TOPIC, True),
    ("ArnNotEquals", ROLE, ROLE, False),
    ("ArnNotEquals", ROLE, TOPIC, True),
    ("ArnNotLike", "arn:aws:iam::*:role/*", ROLE, False),
    ("ArnNotLike", "arn:aws:iam::*:role/*", TOPIC, True),
    ("ArnNotLike", "arn:aws:iam::*:role/*", "no arn", True),
    ("ArnNotLike", ["arn:aws:iam::*:user/*", "arn:aws:iam::*:role/*"], ROLE, False),
    # "Null: ... true (the key doesn't exist — it is null) or false (the key exists and its value is not null)"
    ("Null", "true", ABSENT, True),
    ("Null", "true", "x", False),
    ("Null", "false", ABSENT, False),
    ("Null", "false", "x", True),
    ("Null", "false", "", True),
    ("Null", True, ABSENT, True),
    ("Null", "TRUE", ABSENT, True),
    ("Null", "false", ["a", "b"], True),
    ("Null", "true", ["a", "b"], False),
    ("Null", ["true", "false"], ABSENT, True),
    ("Null", ["true", "false"], "x", True),
    ("Null", "maybe", "x", False),
    # "If the condition key is present in the context of the request, process the key as specified in the policy. If
    # the key is not present, evaluate the condition element as true."
    ("StringEqualsIfExists", "a", "a", True),
    ("StringEqualsIfExists", "a", "b", False),
    ("StringNotEqualsIfExists", "a", "a", False),
    ("StringLikeIfExists", "a*", "b", False),
    ("NumericLessThanIfExists", "5", "6", False),
    ("DateGreaterThanIfExists", "2024-01-01", "2023-01-01", False),
    ("BoolIfExists", "true", "false", False),
    ("BoolIfExists", "true", "true", True),
    ("IpAddressIfExists", "10.0.0.0/8", "11.0.0.1", False),
    ("ArnLikeIfExists", "arn:aws:iam::*:role/*", TOPIC, False),
    # "ForAllValues: tests whether the value of every member of the request context matches the condition operator
    # that follows it"
    ("ForAllValues:StringEquals", ["a", "b"], ["a", "b"], True),
    ("ForAllValues:StringEquals", ["a", "b"], ["a"], True),
    ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
    ("ForAllValues:StringEquals", [], ["a"], False),
    ("ForAllValues:StringEquals", [], ABSENT, True),
    ("ForAllValues:StringLike", "k*", ["k1", "k2"], True),
    ("ForAllValues:StringLike", "k*", ["k1", "x"], False),
    ("ForAllValues:StringNotEquals", ["a", "b"], ["c", "d"], True),
    ("ForAllValues:StringNotEquals", ["a", "b"], ["c", "a"], False),
    ("ForAllValues:StringNotLike", "a*", ["b", "c"], True),
    ("ForAllValues:StringNotLike", "a*", ["b", "ab"], False),
    ("ForAllValues:NumericLessThan", "5", ["1", "4"], True),
    ("ForAllValues:NumericLessThan", "5", ["1", "6"], False),
    ("ForAllValues:IpAddress", "10.0.0.0/8", ["10.0.0.1", "10.2.0.1"], True),
    ("ForAllValues:IpAddress", "10.0.0.0/8", ["10.0.0.1", "11.2.0.1"], False),
    ("ForAllValues:ArnLike", "arn:aws:iam::*:role/*", [ROLE], True),
    ("ForAllValues:ArnLike", "arn:aws:iam::*:role/*", [ROLE, TOPIC], False),
    ("ForAllValues:Bool", "true", ["true", "true"], True),
    ("ForAllValues:StringEqualsIfExists", "a", ["a", "b"], False),
    ("ForAllValues:Null", "false", ["a"], True),
    ("ForAllValues:Null", "true", ["a"], False),
    ("ForAllValues:Null", "false", ABSENT, True),
    # "ForAnyValue: tests whether at least one member of the set of request context key values matches at least one
    # member of the set of context key values in your policy condition"
    ("ForAnyValue:StringEquals", ["a", "b"], ["c", "b"], True),
    ("ForAnyValue:StringEquals", ["a", "b"], ["c", "d"], False),
    ("ForAnyValue:StringEquals", ["a", "b"], ["a"], True),
    ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "c"], True),
    ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "b"], False),
    ("ForAnyValue:StringLike", "o-abc/r-1/ou-1/*", ["o-abc/r-1/ou-1/x", "y"], True),
    ("ForAnyValue:StringNotLike", "a*", ["ab", "ac"], False),
    ("ForAnyValue:NumericGreaterThan", "5", ["1", "6"], True),
    ("ForAnyValue:DateLessThan", "2024-01-01", ["2025-01-01", "2023-01-01"], True),
    ("ForAnyValue:NotIpAddress", "10.0.0.0/8", ["10.0.0.1", "11.0.0.1"], True),
    ("ForAnyValue:ArnNotLike", "arn:aws:iam::*:role/*", [ROLE], False),
    ("ForAnyValue:StringEqualsIfExists", "a", ["b", "a"], True),
    ("ForAnyValue:Null", "false", ["a"], True),
    ("ForAnyValue:Null", "true", ABSENT, False),
    # A single-valued operator on several values does not match, whatever its sense.
    ("StringEquals", "a", ["a", "b"], False),
    ("StringEquals", "a", ["a", "a"], False),
    ("StringNotEquals", "x", ["a", "b"], False),
    ("StringNotLike", "x*", ["a", "b"], False),
    ("StringEqualsIfExists", "a", ["a", "b"], False),
    ("NotIpAddress", "10.0.0.0/8", ["11.0.0.1", "12.0.0.1"], False),
    ("Bool", "true", ["true", "true"], False),
    ("ArnNotLike", "arn:aws:iam::*:role/*", [TOPIC, TOPIC], False),
    # Names of operators are accepted in any case.
    ("stringequals", "a", "a", True),
    ("STRINGNOTLIKE", "a*", "ab", False),
    ("forallvalues:stringlikeifexists", "a*", ["ab"], True),
]  # fmt: skip


def as_list(value):
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def condition_of(operator, listed, version="2012-10-17", key=KEY):
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {operator: {key: listed}}}
    policy = parse_policy({"Version": version, "Statement": statement})
    (test,) = policy.statements[0].conditions
    return test


def evaluate(operator, listed, context, version="2012-10-17"):
    test = condition_of(operator, listed, version)
    variables = version == "2012-10-17"
    answer = compile_test(test, variables=variables)(context)
    assert answer == reference.condition(test, context, variables), "the reference evaluator disagrees"
    return answer


@pytest.mark.parametrize(("operator", "listed", "actual", "expected"), ROWS)
def test_row(operator, listed, actual, expected):
    assert evaluate(operator, listed, {"svc:key": as_list(actual)}) is expected


# E. "Absent key: positive false, negated true, IfExists true, ForAllValues true, ForAnyValue false."
ABSENCE = [
    (f"{prefix}{name}{suffix}", expected(operator.negated))
    for name, operator in OPERATORS.items()
    if name != "Null"
    for prefix, suffix, expected in (
        ("", "", lambda negated: negated),
        ("", "IfExists", lambda _: True),
        ("ForAllValues:", "", lambda _: True),
        ("ForAllValues:", "IfExists", lambda _: True),
        ("ForAnyValue:", "", lambda _: False),
        ("ForAnyValue:", "IfExists", lambda _: False),
    )
]


@pytest.mark.parametrize(("operator", "expected"), ABSENCE)
@pytest.mark.parametrize(
    "context", [{}, {"svc:key": ()}, {"svc:other": ("1",)}], ids=["absent", "empty", "other"]
)
def test_absent_key(operator, expected, context):
    assert evaluate(operator, "1", context) is expected


def test_the_table_is_complete():
    assert sorted(OPERATORS) == sorted(
        [
            "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike",
            "StringNotLike", "NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals",
            "NumericGreaterThan", "NumericGreaterThanEquals", "DateEquals", "DateNotEquals", "DateLessThan",
            "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals", "Bool", "BinaryEquals", "IpAddress",
            "NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "Null",
        ]
    )  # fmt: skip
    assert {row[0].split(":")[-1].removesuffix("IfExists") for row in ROWS} >= set(OPERATORS)
    assert len(ROWS) >= 200


CONTEXT = {
    "aws:username": ("ann",),
    "aws:principaltag/team": ("red*",),
    "aws:tagkeys": ("a", "b"),
    "aws:arn": (ROLE,),
}

# (operator, listed, the request's value, expected); https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
VARIABLES = [
    ("StringEquals", "${aws:username}", "ann", True),
    ("StringEquals", "${AWS:UserName}", "ann", True),
    ("StringEquals", "${aws:username}", "${aws:username}", False),
    ("StringEquals", "home/${aws:username}/x", "home/ann/x", True),
    ("StringEqualsIgnoreCase", "${aws:username}", "ANN", True),
    ("StringLike", "${aws:username}/*", "ann/x", True),
    ("StringLike", "${aws:username}/*", "bob/x", False),
    ("StringNotLike", "${aws:username}/*", "bob/x", True),
    ("StringNotEquals", "${aws:username}", "ann", False),
    # What a variable brings in is never a wildcard.
    ("StringLike", "${aws:PrincipalTag/team}", "red*", True),
    ("StringLike", "${aws:PrincipalTag/team}", "redder", False),
    ("StringLike", "${aws:PrincipalTag/team}-*", "red*-x", True),
    # No value: the positive operator fails, the negated one holds.
    ("StringEquals", "${aws:absent}", "ann", False),
    ("StringNotEquals", "${aws:absent}", "ann", True),
    ("StringEquals", ["${aws:absent}", "ann"], "ann", True),
    ("StringEquals", "${aws:absent}", "${aws:absent}", False),
    # "You can use any single-valued context key as a policy variable. You cannot use a multivalued one."
    ("StringEquals", "${aws:TagKeys}", "a", False),
    ("StringEquals", "${aws:TagKeys, 'a'}", "a", False),
    # Defaults
    ("StringEquals", "${aws:absent, 'none'}", "none", True),
    ("StringEquals", "${aws:username, 'none'}", "none", False),
    ("StringEquals", "${aws:username, 'none'}", "ann", True),
    ("StringEquals", "${aws:absent,'a b'}", "a b", True),
    ("StringEquals", "${aws:absent, ''}", "", True),
    ("StringLike", "${aws:absent, 'n*'}", "none", False),
    ("StringLike", "${aws:absent, 'n*'}", "n*", True),
    # "${*}, ${?}, ${$}: use where you need the character"
    ("StringLike", "a${*}b", "a*b", True),
    ("StringLike", "a${*}b", "axb", False),
    ("StringLike", "a${?}", "a?", True),
    ("StringLike", "a${?}", "ab", False),
    ("StringEquals", "${$}{x}", "${x}", True),
    ("StringEquals", "a${*}", "a*", True),
    # ARN operators take variables too, whole or in part.
    ("ArnLike", "${aws:arn}", ROLE, True),
    ("ArnEquals", "arn:aws:iam::111122223333:user/${aws:username}", "arn:aws:iam::111122223333:user/ann", True),
    ("ArnNotLike", "${aws:arn}", ROLE, False),
    ("ArnLike", "arn:aws:iam::*:role/${aws:PrincipalTag/team}", "arn:aws:iam::1:role/redder", False),
    # The others do not.
    ("NumericEquals", "${aws:num}", "5", False),
    ("Bool", "${aws:flag}", "true", False),
    ("IpAddress", "${aws:ip}", "10.0.0.1", False),
    ("DateEquals", "${aws:when}", "2024-01-01", False),
    # What only looks like a variable is text.
    ("StringEquals", "${}", "${}", True),
    ("StringEquals", "${a", "${a", True),
    ("StringEquals", "$a", "$a", True),
    ("ForAnyValue:StringEquals", "${aws:username}", "ann", True),
    ("ForAllValues:StringLike", "${aws:username}*", "anna", True),
]  # fmt: skip


@pytest.mark.parametrize(("operator", "listed", "actual", "expected"), VARIABLES)
def test_variables(operator, listed, actual, expected):
    numbers = {"aws:num": ("5",), "aws:flag": ("true",), "aws:ip": ("10.0.0.1",), "aws:when": ("2024-01-01",)}
    assert evaluate(operator, listed, {**CONTEXT, **numbers, "svc:key": (actual,)}) is expected


@pytest.mark.parametrize(
    ("operator", "listed", "actual", "expected"),
    [
        # 5. Version 2008-10-17 knows no variables: they are text.
        ("StringEquals", "${aws:username}", "ann", False),
        ("StringEquals", "${aws:username}", "${aws:username}", True),
        ("StringLike", "${*}", "${anything}", True),
        ("StringLike", "a${*}", "a*", False),
        ("StringNotEquals", "${aws:username}", "ann", True),
        ("ArnLike", "${aws:arn}", ROLE, False),
        ("StringEquals", "${aws:absent, 'x'}", "x", False),
    ],
)
def test_old_version_has_no_variables(operator, listed, actual, expected):
    assert evaluate(operator, listed, {**CONTEXT, "svc:key": (actual,)}, version="2008-10-17") is expected


def test_keys_ignore_case():
    assert compile_test(condition_of("StringEquals", "a", key="SVC:kEY"), variables=True)({"svc:key": ("a",)})
