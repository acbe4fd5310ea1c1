"""Parsing and rendering undo each other, and what a document is written like does not matter."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from iam.documents import documents
from ringwall.iam.parser import parse_policy
from ringwall.iam.render import render_policy

thorough = settings(max_examples=150, deadline=None)


def parts(policy):
    return policy.version, policy.id, policy.statements


@thorough
@given(documents())
def test_rendering_loses_nothing(document):
    policy = parse_policy(document)
    rendered = render_policy(policy)
    assert parts(parse_policy(rendered)) == parts(policy)
    assert parts(parse_policy(json.dumps(rendered))) == parts(policy)
    assert render_policy(parse_policy(rendered)) == rendered


@thorough
@given(documents(), st.sampled_from([None, 1]), st.booleans(), st.booleans())
def test_layout_and_escapes_do_not_matter(document, indent, ascii_only, sort_keys):
    text = json.dumps(document, indent=indent, ensure_ascii=ascii_only)
    assert parts(parse_policy(text)) == parts(parse_policy(document))
    if sort_keys:
        policy = parse_policy(json.dumps(document, sort_keys=True))
        for one, other in zip(policy.statements, parse_policy(document).statements, strict=True):
            assert (one.actions, one.resources, one.principal) == (
                other.actions,
                other.resources,
                other.principal,
            )
            assert set(one.conditions) == set(other.conditions)


@thorough
@given(documents())
def test_the_document_of_a_policy_says_the_same(document):
    policy = parse_policy(json.dumps(document))
    strict = json.dumps(policy.document, allow_nan=False)
    assert parts(parse_policy(strict)) == parts(policy)
    assert json.loads(strict) == document


@given(st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,4})?", fullmatch=True))
def test_numbers_keep_their_spelling(number):
    test = f'{{"NumericEquals": {{"k": {number}}}}}'
    policy = parse_policy(f'{{"Statement": {{"Effect": "Allow", "Action": "*", "Condition": {test}}}}}')
    assert policy.statements[0].conditions[0].values == (number,)
    assert parts(parse_policy(json.dumps(policy.document, allow_nan=False))) == parts(policy)
