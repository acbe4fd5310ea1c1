"""What counts as alike in the access comparison, and what never does."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.deploy.alike import Distinctions
from ringwall.deploy.classes import touches
from ringwall.iam.parser import parse_policy
from ringwall.iam.policy import Effect, Statement

KEY = "bedrock:guardrailidentifier"
MODEL = "arn:aws:bedrock:us-east-1::foundation-model/"


def looking_at(*statements: dict[str, Any], action: str = "bedrock:InvokeModel") -> Distinctions:
    whole = [{"Effect": "Deny", "Action": "*", "Resource": "*", **item} for item in statements]
    document = {"Version": "2012-10-17", "Statement": whole}
    return Distinctions(action, parse_policy(document, name="policy").statements)


def test_resources_that_every_pattern_treats_alike_are_one_group() -> None:
    arns = [f"{MODEL}{name}" for name in ("nova", "nova-lite", "claude", "titan")]
    assert looking_at({"Resource": f"{MODEL}nova*"}).resources(arns) == [tuple(arns[:2]), tuple(arns[2:])]


def test_each_pattern_of_a_list_counts() -> None:
    arns = [f"{MODEL}{name}" for name in ("nova", "claude", "titan", "other")]
    groups = looking_at({"Resource": arns[:2]}, {"Resource": arns[1]}).resources(arns)
    assert groups == [(arns[0],), (arns[1],), (arns[2], arns[3])]


def test_an_incomplete_arn_tells_resources_apart() -> None:
    arns = ["arn:aws:s3:::logs", "arn:aws:s3:::other"]
    assert looking_at({"Resource": "arn:aws:s3"}).resources(arns) == [tuple(arns)]
    arns = ["arn:aws:s3:::logs", "arn:aws:sqs:us-east-1:111122223333:queue"]
    assert looking_at({"Resource": "arn:aws:s3"}).resources(arns) == [(arns[0],), (arns[1],)]


def test_resources_are_apart_by_policies_of_their_own_and_by_a_variable() -> None:
    arns = [f"{MODEL}nova", f"{MODEL}claude"]
    assert looking_at().resources(arns, apart=lambda arn: arn) == [(arns[0],), (arns[1],)]
    assert looking_at({"Resource": "arn:aws:s3:::${aws:username}"}).resources(arns) == [
        (arns[0],),
        (arns[1],),
    ]


def test_keys_and_roles_are_apart_where_their_own_policies_must_allow() -> None:
    arns = ["arn:aws:kms:us-east-1:111122223333:key/1", "arn:aws:kms:us-east-1:111122223333:alias/1"]
    assert looking_at(action="kms:Decrypt").resources(arns) == [(arns[0],), (arns[1],)]
    assert looking_at(action="bedrock:InvokeModel").resources(arns) == [tuple(arns)]


def test_values_that_pass_the_same_tests_are_one_group() -> None:
    pinned = looking_at({"Condition": {"StringNotEquals": {KEY: "arn:pinned"}}})
    values = [(), ("arn:pinned",), ("arn:weak",), ("arn:other",)]
    assert pinned.values(KEY, values) == [((), ("arn:weak",), ("arn:other",)), (("arn:pinned",),)]
    present = looking_at(
        {"Condition": {"StringNotEquals": {KEY: "arn:pinned"}}}, {"Condition": {"Null": {KEY: "true"}}}
    )
    assert present.values(KEY, values) == [((),), (("arn:pinned",),), (("arn:weak",), ("arn:other",))]


def test_values_are_apart_where_a_policy_variable_looks_at_them() -> None:
    values = [("one",), ("two",)]
    assert looking_at({"Condition": {"StringEquals": {KEY: "${aws:username}"}}}).values(KEY, values) == [
        (("one",),),
        (("two",),),
    ]
    borrowed = looking_at({"Resource": "arn:aws:s3:::${aws:PrincipalTag/team}"})
    assert borrowed.values("aws:principaltag/team", values) == [(("one",),), (("two",),)]


def test_a_key_that_nothing_tests_tells_nothing_apart() -> None:
    assert looking_at().values(KEY, [(), ("one",)]) == [((), ("one",))]


@settings(derandomize=True, database=None, deadline=None, max_examples=300)
@given(st.text("aB:*?", max_size=8), st.text("Ab:", max_size=8))
def test_actions_are_covered_as_a_regular_expression_says(pattern: str, action: str) -> None:
    expression = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern)
    covered = re.fullmatch(expression, action, re.IGNORECASE | re.DOTALL) is not None
    assert touches(Statement(0, None, Effect.DENY, actions=(pattern,)), action) == covered
    assert touches(Statement(0, None, Effect.DENY, not_actions=(pattern,)), action) != covered
