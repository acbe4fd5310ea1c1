"""Questions that are easy to get wrong, each with requests that could be sent, all of which are decided too.

Of each case the prover's verdict has to be what is written here, and what deciding every combination of the listed values
says: a claim is violated if one of them is allowed, and holds if none is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from ringwall.catalog import load
from ringwall.iam.codec import make_request
from ringwall.iam.evaluate import decide
from ringwall.iam.parser import parse_policy
from ringwall.iam.policy import PolicySet
from ringwall.proof.claims import claim_from_json
from ringwall.proof.prove import prove
from ringwall.proof.question import Question
from ringwall.proof.witness import speaks_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.iam.request import Request

CATALOG = load()
ROLE = "arn:aws:iam::111122223333:role/App"
OBJECT = "arn:aws:s3:::b/k"
TAG = "aws:PrincipalTag/t"
GUARDRAIL = "bedrock:GuardrailIdentifier"


@dataclass(frozen=True)
class Case:
    """Statements of the role's one policy, a claim that never holds of them or does, and values to try."""

    name: str
    verdict: str
    statements: tuple[dict[str, Any], ...]
    claim: dict[str, Any] = field(default_factory=dict)
    values: dict[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    actions: tuple[str, ...] = ("s3:GetObject",)
    resources: tuple[str, ...] = (OBJECT,)
    version: str = "2012-10-17"


def allow(condition: Any = None, action: Any = "s3:GetObject", **elements: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*", **elements}
    return {**statement, "Condition": condition} if condition else statement


def deny(condition: Any = None, action: Any = "s3:GetObject", **elements: Any) -> dict[str, Any]:
    return {**allow(condition, action, **elements), "Effect": "Deny"}


def one_of(*values: str) -> tuple[tuple[str, ...], ...]:
    """Absent, or one of the values."""
    return ((), *((value,) for value in values))


NAMED = {"Action": "s3:GetObject"}
TEXTS = {TAG: one_of("", "a", "A", "ä", "Ä", "ß", "İ", "i", "ab", "a*", "a?b", "axb", "a\nb", "${*}")}
DATES = {
    "aws:CurrentTime": one_of("2024-12-31T23:59:59Z", "2025-01-01T00:00:00Z", "2025-01-01T00:00:01Z"),
}
ADDRESSES = {
    "aws:SourceIp": one_of(
        "9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0", "2001:db8::1", "::ffff:10.0.0.1"
    ),
}
NUMBERS = {"s3:max-keys": one_of("9.99", "10", "10.0", "10.01", "-1")}
GUARDED = {GUARDRAIL: one_of("arn:aws:bedrock:us-east-1:111122223333:guardrail/a:1", "x")}
TAGS = {"aws:TagKeys": ((), ("a",), ("b",), ("a", "b"), ("A",), ("",))}

CASES = [
    # Letters.
    Case("equals is about case", "violated", (allow(), deny({"StringEquals": {TAG: "a"}})), {"Condition": {"StringEqualsIgnoreCase": {TAG: "a"}}}, TEXTS),
    Case("case is ignored beyond ASCII", "holds", (allow({"StringEqualsIgnoreCase": {TAG: "ä"}}), deny({"StringEquals": {TAG: ["ä", "Ä"]}})), {}, TEXTS),
    Case("a star in the middle", "violated", (allow({"StringLike": {TAG: "a*b"}}), deny({"StringEquals": {TAG: "ab"}})), {}, TEXTS),
    Case("a question mark is one character", "holds", (allow({"StringLike": {TAG: "a?b"}}), deny({"StringEquals": {TAG: "ab"}}), deny({"StringLike": {TAG: "a?b"}})), {}, TEXTS),
    Case("a question mark is not none", "holds", (allow({"StringLike": {TAG: "a?b"}}),), {"Condition": {"StringEquals": {TAG: "ab"}}}, TEXTS),
    Case("a line break is a character", "violated", (allow({"StringLike": {TAG: "a?b"}}), deny({"StringEquals": {TAG: "axb"}}), deny({"StringEquals": {TAG: "a?b"}})), {}, TEXTS),
    Case("under equals a star is a star", "violated", (allow({"StringEquals": {TAG: "a*"}}),), {"Condition": {"StringLike": {TAG: "a${*}"}}}, TEXTS),
    Case("an escaped star is a star", "holds", (allow({"StringLike": {TAG: "a${*}"}}), deny({"StringEquals": {TAG: "a*"}})), {}, TEXTS),
    Case("the empty text is a value", "violated", (allow({"StringEquals": {TAG: ""}}),), {}, TEXTS),
    Case("the empty text is like a star", "holds", (allow({"StringEquals": {TAG: ""}}), deny({"StringLike": {TAG: "*"}})), {}, TEXTS),
    Case("2008 knows no variables", "violated", (allow({"StringLike": {TAG: "${*}"}}),), {"Condition": {"StringLike": {TAG: "?{*}"}}}, TEXTS, version="2008-10-17"),
    Case("2008 has no escapes", "violated", (allow(Resource="arn:aws:s3:::b/${*}"),), {}, {}, resources=("arn:aws:s3:::b/${x}", "arn:aws:s3:::b/*"), version="2008-10-17"),
    # Absence.
    Case("a negated test passes without the key", "violated", (allow(), deny({"StringEquals": {TAG: "a"}})), {"Condition": {"Null": {TAG: "true"}}}, TEXTS),
    Case("a negated deny strikes without the key", "holds", (allow(), deny({"StringNotEquals": {TAG: "a"}})), {"Condition": {"Null": {TAG: "true"}}}, TEXTS),
    Case("IfExists spares who has no key", "violated", (allow(), deny({"StringNotEqualsIfExists": {TAG: "a"}, "Null": {TAG: "false"}})), {"Condition": {"StringNotEquals": {TAG: "a"}}}, TEXTS),
    Case("contradictory conditions", "holds", (allow({"StringEquals": {TAG: "a"}, "StringNotEquals": {TAG: "a"}}),), {}, TEXTS),
    Case("contradictory in case only", "violated", (allow({"StringEquals": {TAG: "a"}, "StringNotEquals": {TAG: "A"}}),), {}, TEXTS),
    # Sets.
    Case("of no values all are as one likes", "violated", (allow({"ForAllValues:StringEquals": {"aws:TagKeys": "a"}}, "s3:PutObject"),), {"Action": "s3:PutObject", "Condition": {"Null": {"aws:TagKeys": "true"}}}, TAGS, ("s3:PutObject",)),
    Case("all values and one at least", "holds", (allow({"ForAllValues:StringEquals": {"aws:TagKeys": "a"}, "Null": {"aws:TagKeys": "false"}}, "ec2:CreateTags"),), {"Action": "ec2:CreateTags", "Condition": {"ForAnyValue:StringNotEquals": {"aws:TagKeys": "a"}}}, TAGS, ("ec2:CreateTags",), ("arn:aws:ec2:us-east-1:111122223333:instance/i",)),
    Case("any value of several", "violated", (allow({"ForAnyValue:StringEquals": {"aws:TagKeys": "a"}}, "ec2:CreateTags"),), {"Action": "ec2:CreateTags", "Condition": {"ForAnyValue:StringEquals": {"aws:TagKeys": "b"}}}, TAGS, ("ec2:CreateTags",), ("arn:aws:ec2:us-east-1:111122223333:instance/i",)),
    Case("without a set operator several values match nothing", "holds", (allow({"StringEquals": {"aws:TagKeys": ["a", "b"]}}, "ec2:CreateTags"),), {"Action": "ec2:CreateTags", "Condition": {"ForAnyValue:StringEquals": {"aws:TagKeys": "a"}, "ForAnyValue:StringNotEquals": {"aws:TagKeys": "a"}}}, TAGS, ("ec2:CreateTags",), ("arn:aws:ec2:us-east-1:111122223333:instance/i",)),
    Case("a Deny without a set operator forgets several values", "violated", (allow(action="ec2:CreateTags"), deny({"StringEquals": {"aws:TagKeys": ["a", "b"]}}, "ec2:CreateTags")), {"Action": "ec2:CreateTags", "Condition": {"ForAnyValue:StringEquals": {"aws:TagKeys": "a"}}}, TAGS, ("ec2:CreateTags",), ("arn:aws:ec2:us-east-1:111122223333:instance/i",)),
    Case("no value is such a one", "holds", (allow({"ForAllValues:StringNotEquals": {"aws:TagKeys": "a"}}, "ec2:CreateTags"),), {"Action": "ec2:CreateTags", "Condition": {"ForAnyValue:StringEquals": {"aws:TagKeys": "a"}}}, TAGS, ("ec2:CreateTags",), ("arn:aws:ec2:us-east-1:111122223333:instance/i",)),
    # Numbers, dates, addresses, truth, bytes.
    Case("the end of a range belongs to it", "violated", (allow({"NumericLessThanEquals": {"s3:max-keys": "10"}}, "s3:ListBucket"), deny({"NumericLessThan": {"s3:max-keys": "10"}}, "s3:ListBucket")), {"Action": "s3:ListBucket"}, NUMBERS, ("s3:ListBucket",), ("arn:aws:s3:::b",)),
    Case("ten is ten however it is written", "holds", (allow({"NumericEquals": {"s3:max-keys": "10.0"}}, "s3:ListBucket"), deny({"NumericEquals": {"s3:max-keys": "10"}}, "s3:ListBucket")), {"Action": "s3:ListBucket"}, NUMBERS, ("s3:ListBucket",), ("arn:aws:s3:::b",)),
    Case("between two numbers there is one", "violated", (allow({"NumericGreaterThan": {"s3:max-keys": "9.98"}, "NumericLessThan": {"s3:max-keys": "10"}}, "s3:ListBucket"),), {"Action": "s3:ListBucket"}, NUMBERS, ("s3:ListBucket",), ("arn:aws:s3:::b",)),
    Case("an instant is neither before nor after itself", "holds", (allow({"DateGreaterThan": {"aws:CurrentTime": "2025-01-01T00:00:00Z"}}),), {"Condition": {"DateLessThanEquals": {"aws:CurrentTime": "2025-01-01"}}}, DATES),
    Case("seconds since 1970 are dates", "violated", (allow({"DateEquals": {"aws:CurrentTime": "1735689600"}}),), {"Condition": {"DateEquals": {"aws:CurrentTime": "2025-01-01T00:00:00Z"}}}, DATES),
    Case("the last address of a block", "violated", (allow({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}), deny({"IpAddress": {"aws:SourceIp": "10.0.0.0/9"}})), {}, ADDRESSES),
    Case("a block is the sum of its halves", "holds", (allow({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}), deny({"IpAddress": {"aws:SourceIp": ["10.0.0.0/9", "10.128.0.0/9"]}})), {}, ADDRESSES),
    Case("IPv6 is outside of every IPv4 block", "violated", (allow({"NotIpAddress": {"aws:SourceIp": "0.0.0.0/0"}, "Null": {"aws:SourceIp": "false"}}),), {}, ADDRESSES),
    Case("truth in any spelling", "holds", (allow({"Bool": {"aws:SecureTransport": "TRUE"}}),), {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}, {"aws:SecureTransport": (("true",), ("false",))}),
    Case("bytes are not letters", "holds", (allow({"BinaryEquals": {TAG: "QQ=="}}), deny({"BinaryEquals": {TAG: "QQ=="}})), {}, {TAG: one_of("QQ==", "qq==", "A")}),
    # Elements.
    Case("all actions but one", "holds", ({"Effect": "Allow", "NotAction": "s3:Get*", "Resource": "*"},), {"Action": "s3:getobject"}, {}),
    Case("all actions but one, to a deny", "holds", (allow(action="*"), {"Effect": "Deny", "NotAction": "s3:Put*", "Resource": "*"}), NAMED, {}),
    Case("NotAction and NotResource together", "violated", (allow(action="*"), {"Effect": "Deny", "NotAction": "s3:Put*", "NotResource": "arn:aws:s3:::b/*"}), NAMED, {}),
    Case("a star within the bucket's name", "violated", (allow(Resource="arn:aws:s3:::b*k"),), {}, {}, resources=(OBJECT, "arn:aws:s3:::bk")),
    Case("a star across colons", "violated", (allow(None, "sns:Publish", Resource="arn:aws:sns:*"),), {"Action": "sns:Publish"}, {}, ("sns:Publish",), ("arn:aws:sns:us-east-1:111122223333:t",)),
    Case("a star within the Region", "holds", (allow(None, "sns:Publish", Resource="arn:aws:sns:us-*-1:111122223333:t"),), {"Action": "sns:Publish", "Resource": "arn:aws:sns:us-east-2:*:*"}, {}, ("sns:Publish",), ("arn:aws:sns:us-east-1:111122223333:t", "arn:aws:sns:us-east-2:111122223333:t")),
    Case("resources are about case", "holds", (allow(Resource="arn:aws:s3:::B/*"),), {"Resource": "arn:aws:s3:::b/*"}, {}, resources=(OBJECT, "arn:aws:s3:::B/k")),
    Case("the guardrail that ForAllValues forgets", "violated", (allow(action="bedrock:*"), deny({"ForAnyValue:StringNotLike": {GUARDRAIL: "arn:*"}}, "bedrock:*")), {"Action": "bedrock:InvokeModel", "Condition": {"Null": {GUARDRAIL: "true"}}}, GUARDED, ("bedrock:InvokeModel",), ("arn:aws:bedrock:us-east-1::foundation-model/m",)),
    Case("a guardrail of any version but the draft", "holds", (allow(action="bedrock:*"), deny({"StringNotLike": {GUARDRAIL: "arn:*:guardrail/a:*"}}, "bedrock:*")), {"Action": "bedrock:InvokeModel", "Condition": {"StringNotLike": {GUARDRAIL: "*/a:*"}}}, GUARDED, ("bedrock:InvokeModel",), ("arn:aws:bedrock:us-east-1::foundation-model/m",)),
]  # fmt: skip


def sent(case: Case) -> Iterator[Request]:
    """Every combination of the case's values."""
    for action, resource, values in product(case.actions, case.resources, product(*case.values.values())):
        context = {key.lower(): value for key, value in zip(case.values, values, strict=True) if value}
        yield make_request(ROLE, action, resource, None, context)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_by_hand(case: Case) -> None:
    document = {"Version": case.version, "Statement": list(case.statements)}
    policies = PolicySet(identity=(parse_policy(document, name="p"),))
    claim = claim_from_json({"never": {**NAMED, **case.claim}})
    answer = prove(Question("q", ROLE, policies, claim), CATALOG)
    assert answer.verdict == case.verdict, answer.reason
    allowed = [
        request
        for request in sent(case)
        if speaks_of(claim, request) and decide(request, policies, CATALOG).allowed
    ]
    assert bool(allowed) == (case.verdict == "violated"), allowed[:1]
    for request in answer.witness:
        assert speaks_of(claim, request)
        assert decide(request, policies, CATALOG).allowed
