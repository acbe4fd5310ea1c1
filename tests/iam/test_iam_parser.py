"""The parser: what it accepts, what it refuses and where it says the mistake stands."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.iam.parser import PolicySyntaxError, parse_policy
from ringwall.iam.policy import ConditionTest, Effect, PrincipalElement

ALLOW = {"Effect": "Allow", "Action": "svc:Read", "Resource": "*"}


def statement(**changes):
    return {"Version": "2012-10-17", "Statement": [{**ALLOW, **changes}]}


ACCEPTED = [
    {"Statement": ALLOW},
    {"Statement": []},
    {"Version": "2008-10-17", "Id": "x", "Statement": [ALLOW]},
    statement(Action="*"),
    statement(Action="*:*"),
    statement(Action=[]),
    statement(Resource=[]),
    statement(Resource="execute-api:/stage/*"),
    statement(Condition={}),
    statement(Condition={"StringEquals": {}}),
    statement(Condition={"StringEquals": {"aws:x": []}}),
    statement(Condition={"NumericLessThan": {"aws:MultiFactorAuthAge": 3600}}),
    statement(Condition={"Bool": {"aws:SecureTransport": False}}),
    statement(Condition={"forAnyValue:stringLikeIfExists": {"aws:TagKeys": ["a", "b"]}}),
    statement(Principal="*"),
    statement(Principal={}),
    statement(Principal={"AWS": "*", "Service": ["a.amazonaws.com"], "Federated": "f", "CanonicalUser": "c"}),
    statement(Sid="with spaces and ünïcode"),
    statement(Sid=""),
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Deny", "NotPrincipal": {"AWS": "1"}, "NotAction": "a:b", "NotResource": "*"}
        ],
    },
]


@pytest.mark.parametrize("document", ACCEPTED, ids=json.dumps)
def test_accepted_as_value_and_as_text(document):
    parsed = parse_policy(document)
    again = parse_policy(json.dumps(document))
    assert parsed.statements == again.statements
    assert again.document == json.loads(json.dumps(document))


def test_every_element_is_read():
    policy = parse_policy(
        {
            "Version": "2012-10-17",
            "Id": "id",
            "Statement": [
                {
                    "Sid": "s",
                    "Effect": "Deny",
                    "Principal": {"AWS": ["a", "b"], "Service": "c"},
                    "NotAction": "svc:Read",
                    "NotResource": ["r1", "r2"],
                    "Condition": {
                        "ForAllValues:numericLessThanIfExists": {"svc:K": [1, 2.5, "3"]},
                        "Null": {"k": True},
                    },
                }
            ],
        },
        name="mine",
    )
    (found,) = policy.statements
    assert (policy.name, policy.version, policy.id) == ("mine", "2012-10-17", "id")
    assert (found.label, found.effect, found.index) == ("s", Effect.DENY, 0)
    assert found.principal == PrincipalElement(aws=("a", "b"), service=("c",))
    assert (found.actions, found.not_actions) == (None, ("svc:Read",))
    assert (found.resources, found.not_resources) == (None, ("r1", "r2"))
    assert found.conditions == (
        ConditionTest("NumericLessThan", "ForAllValues", True, "svc:K", ("1", "2.5", "3")),
        ConditionTest("Null", None, False, "k", ("true",)),
    )


def test_numbers_keep_their_spelling_in_text():
    policy = parse_policy(
        '{"Statement": {"Effect": "Allow", "Action": "*", "Condition": {"NumericEquals": {"k": 1.50}}}}'
    )
    assert policy.statements[0].conditions[0].values == ("1.50",)
    assert policy.document["Statement"]["Condition"]["NumericEquals"]["k"] == "1.50"


TEXTS = [
    ("", "not valid JSON", 1, 1),
    ("{", "not valid JSON", 1, 2),
    ('{"Statement": [}', "not valid JSON", 1, 16),
    ("[]", "must be an object, not a list", 1, 1),
    ("7", "must be an object, not a number", 1, 1),
    ("{}", "no Statement", 1, 1),
    ('{\n  "Statement": "x"\n}', "must be an object or a list", 2, 3),
    ('{"Statement": [7]}', "a statement must be an object", 1, 16),
    ('{"Statement": [\n  {"Effect": "Allow", "Action": "*"},\n  {"Effect": "allow", "Action": "*"}]}', "Effect must be", 3, 4),
    ('{"Statement": [{"Action": "*"}]}', "no Effect", 1, 16),
    ('{"Statement": [{"Effect": "Allow"}]}', "neither Action nor NotAction", 1, 16),
    ('{"Version": "2020-01-01", "Statement": []}', "Version must be", 1, 2),
    ('{"Version": 2012, "Statement": []}', "Version must be", 1, 2),
    ('{"Statemnt": []}', "did you mean Statement", 1, 2),
    ('{"Statement": {"Effect": "Allow", "Actions": "*"}}', "did you mean Action", 1, 35),
    ('{"Statement": {"Effect": "Allow", "Action": "*", "NotAction": "a:b"}}', "both Action and NotAction", 1, 50),
    ('{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "NotResource": "*"}}', "both Resource", 1, 67),
    ('{"Statement": {"Effect": "Allow", "Action": "*", "Principal": "*", "NotPrincipal": "*"}}', "both Principal", 1, 68),
    ('{"Statement": {"Effect": "Allow", "Action": ["a:b", 7]}}', "must be a string, not a number", 1, 53),
    ('{"Statement": {"Effect": "Allow", "Action": ["a:b", "GetObject"]}}', "must be service:Name", 1, 53),
    ('{"Statement": {"Effect": "Allow", "Action": "s3:"}}', "must be service:Name", 1, 35),
    ('{"Statement": {"Effect": "Allow", "Action": ""}}', "must be service:Name", 1, 35),
    ('{"Statement": {"Effect": "Allow", "Action": "s*:Get"}}', "cannot hold wildcards", 1, 35),
    ('{"Statement": {"Effect": "Allow", "Action": "*:Get"}}', "cannot hold wildcards", 1, 35),
    ('{"Statement": {"Effect": "Allow", "Action": "*", "Resource": null}}', "must be a string, not null", 1, 50),
    ('{"Statement": {"Effect": "Allow", "Action": "*", "Sid": true}}', "must be a string, not a boolean", 1, 50),
    ('{"Statement": {"Effect": "Allow", "Action": "*", "Principal": "me"}}', 'must be "*" or an object', 1, 50),
    ('{"Statement": {"Effect": "Allow", "Action": "*", "Principal": {"Aws": "x"}}}', "did you mean AWS", 1, 64),
    ('{"Statement": {"Effect": "Allow", "Action": "*", "Condition": {"StringEqual": {}}}}', "mean StringEquals", 1, 64),
    ('{"Statement": {"Effect": "Allow", "Action": "*", "Condition": {"NullIfExists": {}}}}', "cannot take IfExists", 1, 64),
    ('{"Statement": {"Effect": "Allow", "Action": "*", "Condition": {"ForSomeValues:Bool": {}}}}', "no condition operator", 1, 64),
    ('{"Statement": {"Effect": "Allow", "Action": "*", "Condition": []}}', "must be an object, not a list", 1, 50),
    ('{"Statement": {"Effect": "Allow", "Action": "*", "Condition": {"Bool": "k"}}}', "must be an object", 1, 64),
    ('{"Statement": {"Effect": "Allow", "Action": "*", "Condition": {"Bool": {"k": null}}}}', "not null", 1, 73),
    ('{"Statement": {"Effect": "Allow", "Action": "*", "Condition": {"Bool": {"k": [{}]}}}}', "not an object", 1, 79),
    ('{"Statement": {"Effect": "Allow", "Action": "*", "Condition": {"Bool": {"k": "1"}, "bool": {"k": "2"}}}}', "tests 'k' twice", 1, 93),
    ('{"Statement": [],\n "Statement": []}', "stands twice", 2, 2),
    ('{"Statement": {"Effect": "Allow", "Effect": "Deny", "Action": "*"}}', "'Effect' stands twice", 1, 35),
    ('{"Statement": {"Effect": "Allow", "Action": "*", "Condition": {"NumericEquals": {"k": NaN}}}}', "not a JSON value", 1, 87),
    ('{"Statement": {"Effect": "Allow", "Action": "*", "Sid": "\\ud800"}}', "surrogate", 1, 50),
    ('{"Statement": {"Effect": "Allow", "Action": "*", "Condition": {"Bool": {"\\udc00": "1"}}}}', "surrogate", 1, 64),
    ('{"Statement": {"Effect": "Allow", "Action": "*"}} x', "not valid JSON", 1, 51),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message", "line", "column"), TEXTS, ids=[row[0] for row in TEXTS])
def test_refused_with_position(text, message, line, column):
    with pytest.raises(PolicySyntaxError, match=message.replace("*", r"\*")) as caught:
        parse_policy(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert str(caught.value).startswith(f"line {line}, column {column}: ")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "must be an object"),
        ({1: 2}, "not a string"),
        ({"Statement": [ALLOW, {**ALLOW, "Effect": "x"}]}, r"Statement\[1\].Effect: Effect must be"),
        (statement(Condition={"NumericEquals": {"k": float("nan")}}), "must be a string, not a number"),
        (statement(Condition={"NumericEquals": {"k": float("inf")}}), "must be a string, not a number"),
        (statement(Condition={"NumericEquals": {"k": 10**5000}}), "too many digits"),
        (statement(Resource="\ud800"), "surrogate"),
        (statement(Resource={"Ref": "x"}), "must be a string, not an object"),
        (statement(Action=object()), "must be a string, not object"),
    ],
)
def test_values_are_refused_with_their_path(document, message):
    with pytest.raises(PolicySyntaxError, match=message) as caught:
        parse_policy(document)
    assert caught.value.line is None


def test_long_numbers_are_kept():
    text = '{"Statement": {"Effect": "Allow", "Action": "*", "Condition": {"NumericEquals": {"k": %s}}}}' % (
        "9" * 10_000
    )
    assert parse_policy(text).statements[0].conditions[0].values == ("9" * 10_000,)


scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8))
words = st.sampled_from(
    [
        "Version",
        "Statement",
        "Effect",
        "Action",
        "Resource",
        "Principal",
        "Condition",
        "AWS",
        "StringEquals",
        "Allow",
        "*",
        "a:b",
    ]
)
values = st.recursive(
    st.one_of(scalars, words),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=4)),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        values,
        values.map(lambda value: {"Statement": {"Effect": "Allow", "Action": "*", "Condition": value}}),
    )
)
def test_any_value_parses_or_is_refused_alike_as_text(value):
    def attempt(document):
        try:
            return parse_policy(document).statements
        except PolicySyntaxError:
            return None

    as_text = attempt(json.dumps(value))
    if "Infinity" not in json.dumps(value) and "NaN" not in json.dumps(value):
        assert (as_text is None) == (attempt(value) is None)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_text_is_refused_or_parsed_never_anything_else(data):
    text = json.dumps(
        statement(Condition={"StringEquals": {"aws:x": ["a", 1]}}, Principal={"AWS": "*"}), indent=1
    )
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + data.draw(st.text(max_size=2)) + text[at + data.draw(st.integers(0, 3)) :]
    try:
        parse_policy(text)
        problem = None
    except PolicySyntaxError as error:
        problem = error
    assert problem is None or (1 <= problem.line <= text.count("\n") + 1 and problem.column >= 1)
