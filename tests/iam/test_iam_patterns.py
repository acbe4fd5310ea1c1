"""Wildcards: three readings, linear time, and variables as tokens."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iam import reference
from ringwall.iam.arn import Arn, owner_of
from ringwall.iam.patterns import Reading, Variable, Wildcard, expand, glob_matches, tokenize
from ringwall.iam.principal import PrincipalKind, parse_principal

ARN = "arn:aws:svc:us-east-1:111122223333:thing/a:b"


@pytest.mark.parametrize(
    ("pattern", "text", "as_text", "as_arn", "as_resource"),
    [
        ("*", ARN, True, True, True),
        ("*", "x", True, False, True),
        (ARN, ARN, True, True, True),
        ("arn:*", ARN, True, False, True),
        ("arn:aws:svc:*:b", ARN, True, False, True),
        ("arn:aws:svc:*:*:thing/*", ARN, True, True, True),
        ("arn:aws:s*c:us-east-1:111122223333:thing/a:b", ARN, True, True, True),
        ("arn:aws:s*1:111122223333:thing/a:b", ARN, True, False, False),
        ("arn:aws:svc?us-east-1:111122223333:thing/a:b", ARN, True, False, False),
        ("arn:aws:svc:us-east-1:111122223333:thing/*?b", ARN, True, True, True),
        ("arn:aws:svc:us-*-?:1*3:thing/??b", ARN, True, True, True),
        ("arn:aws:svc:*-2:*:*", ARN, False, False, False),
        ("", "", True, False, True),
        ("", "x", False, False, False),
        ("arn:*:*:*:*:thing/a*", ARN, True, True, True),
        ("arn:*:svc:*s*-*t-1:*:*", ARN, True, True, True),
    ],
)
def test_readings(pattern, text, as_text, as_arn, as_resource):
    found = tuple(
        glob_matches(pattern, text, reading) for reading in (Reading.TEXT, Reading.ARN, Reading.RESOURCE)
    )
    assert found == (as_text, as_arn, as_resource)


pieces = st.lists(st.sampled_from(["a", "b", "ab", ":", "*", "?", "::", "b:a"]), max_size=12).map("".join)
texts = st.lists(st.sampled_from(["a", "b", ":", "ab:"]), max_size=14).map("".join)


@settings(max_examples=1500, deadline=None)
@given(st.one_of(pieces, pieces.map(lambda rest: "a*:" + rest)), texts)
def test_readings_agree_with_dynamic_programming(pattern, text):
    row = [(char, char in "*?") for char in pattern]
    assert glob_matches(pattern, text) == reference.glob([(char, wild, True) for char, wild in row], text)
    stars = bool(row) and set(pattern) == {"*"}
    resource = stars or reference.glob(reference.in_fields(row, star_may_end_field=True), text)
    assert glob_matches(pattern, text, Reading.RESOURCE) == resource
    if pattern.count(":") >= 5:
        assert glob_matches(pattern, text, Reading.ARN) == reference.glob(
            reference.in_fields(row, star_may_end_field=False), text
        )


# Each would keep a matcher that backtracks busy for longer than anybody waits, also one that is merely quadratic.
PATHOLOGICAL = [
    "*a*a*a*a*b", "a*?*?*?b", "*a" * 30 + "b", "a*" * 30 + "b", "*a?" * 20 + "b", "?*" * 25 + "b", "*" * 200 + "b",
    "*aa*aa*aa*aab", "*" + "?" * 30 + "b", "**a**a**b",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATHOLOGICAL)
@pytest.mark.parametrize("reading", list(Reading))
def test_no_pattern_backtracks(pattern, reading):
    text = "a" * 100_000
    for before, after in (("", ""), ("arn:a:a:a:a:", ""), ("arn:a:", ":a:a:a"), ("arn:a:", ":a:a:a:a:a")):
        assert not glob_matches(before + pattern + after, before + text + after, reading)
    for before, after in (("arn:a:a:a:a:", ""), ("arn:a:", ":a:a:a")):
        assert glob_matches(before + pattern + after, before + text + "b" + after, reading)


def test_no_crossing_star_backtracks():
    fields = ":a" * 50_000
    for pattern in ("arn:*:a*b:*:c", "arn:*:a*a:*:b*c:d", "*:a*:a*:a*b"):
        assert not glob_matches(pattern, "arn" + fields, Reading.RESOURCE)
        assert not glob_matches(pattern, "arn" + fields, Reading.ARN)


@given(st.text(max_size=20))
def test_a_text_without_wildcards_matches_itself_alone(text):
    plain = re.sub(r"[*?]", "", text)
    assert glob_matches(plain, plain)
    assert not glob_matches(plain, plain + "x")


@pytest.mark.parametrize(
    ("text", "variables", "tokens"),
    [
        ("a*b?", True, ("a", Wildcard.ANY, "b", Wildcard.ONE)),
        ("${aws:UserName}", True, (Variable("aws:username"),)),
        ("${aws:UserName}", False, ("${aws:UserName}",)),
        ("${ aws:x , 'it''s' }", True, (Variable("aws:x", "it's"),)),
        ("x${*}${?}${$}y", True, ("x*?$y",)),
        ("x${*}", False, ("x${", Wildcard.ANY, "}")),
        ("${aws:PrincipalTag/my tag}", True, (Variable("aws:principaltag/my tag"),)),
        ("${}", True, ("${}",)),
        ("${a*}", True, ("${a", Wildcard.ANY, "}")),
        ("${unclosed", True, ("${unclosed",)),
        ("", True, ()),
    ],
)
def test_tokens(text, variables, tokens):
    assert tokenize(text, variables=variables) == tokens


def test_expansion():
    tokens = tokenize("${a}-${b, 'd*'}", variables=True)
    assert expand(tokens, {"a": ("x*",)}) == ("x*", "-", "d*")
    assert expand(tokens, {"a": ("1", "2")}) is None
    assert expand(tokens, {"a": ("1",), "b": ("2", "3")}) is None
    assert expand(tokens, {}) is None


def test_arn():
    arn = Arn.parse(ARN)
    assert (arn.service, arn.region, arn.account, arn.resource) == (
        "svc",
        "us-east-1",
        "111122223333",
        "thing/a:b",
    )
    assert (arn.resource_type, arn.resource_id, arn.owner) == ("thing", "a:b", "111122223333")
    assert str(arn) == ARN
    assert Arn.parse("arn:aws:s3:::bucket").resource_type == ""
    assert Arn.parse("arn:aws:s3:::bucket").resource_id == "bucket"
    assert owner_of("arn:aws:iam::aws:policy/ReadOnlyAccess") is None
    assert owner_of("*") is None
    with pytest.raises(ValueError, match="not an ARN"):
        Arn.parse("arn:aws:s3")


@pytest.mark.parametrize(
    ("text", "kind", "account", "name", "path", "session"),
    [
        ("arn:aws:iam::111122223333:user/a/b/ann", "user", "111122223333", "ann", "/a/b/", None),
        ("arn:aws-cn:iam::111122223333:role/App", "role", "111122223333", "App", "/", None),
        ("arn:aws:sts::111122223333:assumed-role/App/s", "assumed_role", "111122223333", "App", "/", "s"),
        ("arn:aws:sts::111122223333:federated-user/bob", "federated_user", "111122223333", "bob", "/", None),
        ("arn:aws:iam::111122223333:root", "root", "111122223333", "root", "/", None),
        ("111122223333", "root", "111122223333", "root", "/", None),
        ("bedrock.amazonaws.com", "service", None, "bedrock.amazonaws.com", "/", None),
        ("ec2.amazonaws.com.cn", "service", None, "ec2.amazonaws.com.cn", "/", None),
        ("cognito-identity.amazonaws.com", "federated", None, "cognito-identity.amazonaws.com", "/", None),
        ("arn:aws:iam::111122223333:oidc-provider/a.io/b", "federated", "111122223333", "a.io/b", "/", None),
        ("*", "anonymous", None, "", "/", None),
    ],
)
def test_principals(text, kind, account, name, path, session):
    found = parse_principal(text)
    assert (found.kind, found.account, found.name, found.path, found.session) == (
        kind,
        account,
        name,
        path,
        session,
    )
    assert found.kind in PrincipalKind


@pytest.mark.parametrize(
    "text",
    [
        "ann", "arn:aws:iam::111122223333:group/g", "arn:aws:iam::1:user/x", "arn:aws:s3:::b", "arn:aws:iam",
        "arn:aws:sts::111122223333:assumed-role/App", "arn:aws:iam::111122223333:role/", "arn:aws:iam::*:role/x",
    ],
)  # fmt: skip
def test_no_principals(text):
    with pytest.raises(ValueError, match="not a"):
        parse_principal(text)
