"""The actions of a claim: which statements speak of them, and what tells them apart."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof.proof_world import documents
from proof.test_proof_differential import fixed
from ringwall.catalog import load
from ringwall.iam.compile import compile_policy
from ringwall.iam.parser import parse_policy
from ringwall.proof.digest import digest_of
from ringwall.proof.setting import carries
from ringwall.proof.universe import classes_of, only, universe_of

CATALOG = load()
LISTED = ("bedrock:*", "bedrock:Invoke*", "bedrock:?nvokeModel", "bedrock:*Guardrail*", "kms:*", "s3:GetObject", "*",
          "BEDROCK:INVOKEMODEL", "iam:*", "bedrock-mantle:*")  # fmt: skip
patterns = st.lists(st.sampled_from(LISTED), min_size=1, max_size=3, unique=True)


def policy(element: str, listed: list[str]):
    """A policy of one statement."""
    return parse_policy(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", element: listed, "Resource": "*"}]},
        name="p",
    )


@fixed(120)
@given(st.sampled_from(["Action", "NotAction"]), patterns, patterns.filter(lambda listed: "*" not in listed))
def test_a_statement_speaks_of_actions_that_the_evaluator_matches(element, listed, claimed):
    """Differential: a statement is left out only if the evaluator lets it match none of the actions."""
    universe = universe_of(CATALOG, tuple(claimed), None)
    asked = policy(element, listed)
    (compiled,) = compile_policy(asked, "scp").statements
    matching = [name for name in universe.lowered if compiled.action is None or compiled.action(name)]
    assert bool(digest_of(asked).speaking_of(universe)) == bool(matching)
    if element == "Action":
        assert set(matching) == set().union(*map(universe.members, listed))


@fixed(60)
@given(
    patterns, st.sets(st.sampled_from(["kms:viaservice", "bedrock:guardrailidentifier", "aws:requesttag/a"]))
)
def test_actions_of_a_class_are_alike_in_everything_that_tells(listed, keys):
    """Property: no pattern, no key and no form of resource tells an action from the one that stands for its class."""
    universe = universe_of(CATALOG, ("bedrock:*", "kms:*"), ("kms:List*",))
    telling = universe.divided([*map(universe.members, listed), *map(universe.carrying, keys)])
    classes = classes_of(universe, telling, shapes=True, rcp=True)
    marks = {
        name: (
            tuple(name in universe.members(pattern) for pattern in listed),
            tuple(carries(CATALOG, name, key) for key in sorted(keys)),
            universe.known[name].shapes,
            universe.known[name].rules,
            universe.known[name].rcp,
        )
        for name in universe.names
    }
    standing = [marks[name] for name in classes.bits]
    assert len(set(standing)) == len(standing)
    assert set(standing) == set(marks.values())
    for pattern, name in product(listed, classes.bits):
        assert bool(classes.mask(pattern.lower()) & classes.bits[name]) == (name in universe.members(pattern))
    for key in keys:
        assert classes.carrying(key) == tuple(name for name in classes.bits if carries(CATALOG, name, key))


def test_a_pattern_that_did_not_divide_the_classes_is_no_question_for_them():
    universe = universe_of(CATALOG, ("bedrock:GetGuardrail", "bedrock:DeleteGuardrail"), None)
    classes = classes_of(universe, frozenset(), shapes=False, rcp=False)
    assert list(classes.bits) == ["bedrock:getguardrail"]
    with pytest.raises(AssertionError):
        classes.mask("bedrock:get*")


def test_an_action_that_no_vocabulary_knows_is_matched_as_it_is_written():
    universe = only(CATALOG, "nobody:DoesThis")
    assert universe.members("nobody:*") == universe.members("*") == {"nobody:doesthis"}
    assert universe.members("nobody:Do?sThis") == {"nobody:doesthis"}
    assert not universe.members("somebody:*")


def test_a_digest_has_the_keys_of_every_statement():
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"Null": {"aws:SourceVpce": "true"}}},
            {"Effect": "Allow", "Action": "kms:*", "Resource": "*",
             "Condition": {"ForAnyValue:StringEquals": {"aws:TagKeys": ["a"]}}},
        ],
    }  # fmt: skip
    asked = digest_of(parse_policy(document, name="p"))
    assert asked.keys == {"aws:sourcevpce", "aws:tagkeys"}
    assert asked.qualified == {"aws:tagkeys"}


@fixed(60)
@given(documents())
def test_a_digest_is_made_once(document):
    parsed = parse_policy(document, name="p")
    assert digest_of(parsed) is digest_of(parsed)
