"""AWS's own managed policies, as moto ships them: all of them parse, render, and decide as before."""

from __future__ import annotations

import itertools
import json

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

from iam import reference
from ringwall.iam.codec import make_request
from ringwall.iam.evaluate import decide
from ringwall.iam.parser import parse_policy
from ringwall.iam.policy import PolicySet
from ringwall.iam.render import render_policy

ACCOUNT = "111122223333"
USER = f"arn:aws:iam::{ACCOUNT}:user/ann"
DOCUMENTS = {name: item["Document"] for name, item in json.loads(aws_managed_policies_data).items()}


@pytest.fixture(scope="module")
def policies():
    """Every policy as parsed, and as parsed again from its rendering."""
    parsed = {name: parse_policy(document, name=name) for name, document in DOCUMENTS.items()}
    return {
        name: (policy, parse_policy(json.dumps(render_policy(policy)), name=name))
        for name, policy in parsed.items()
    }


def concrete(pattern):
    """Some text that the pattern matches."""
    return pattern.replace("*", "a").replace("?", "b")


def context_of(statement):
    """Keys as the statement's tests list them, whatever their operators make of it."""
    return {test.key.lower(): (concrete(test.values[0]),) for test in statement.conditions if test.values}


def requests_of(policy):
    """For some statements: a request that may match, without and with keys, and one that misses the action."""
    spread = max(1, len(policy.statements) // 3)
    for statement in itertools.islice(policy.statements, 0, None, spread):
        action = concrete((statement.actions or statement.not_actions)[0])
        if ":" not in action:
            action = "svc:Read"
        resource = (statement.resources or statement.not_resources or ("*",))[0]
        name = "*" if resource == "*" else concrete(resource)
        for asked, context in ((action, {}), (action, context_of(statement)), (action + "X", {})):
            yield make_request(USER, asked, name, None, context)


def test_there_are_many():
    assert len(DOCUMENTS) > 1000


def test_each_round_trips_statement_for_statement(policies):
    for name, (policy, again) in policies.items():
        assert (again.version, again.id, again.statements) == (
            policy.version,
            policy.id,
            policy.statements,
        ), name


def test_text_and_value_parse_alike(policies):
    for name, (policy, _) in policies.items():
        text = parse_policy(json.dumps(DOCUMENTS[name]), name=name)
        assert text.statements == policy.statements, name
        assert json.loads(json.dumps(text.document)) == DOCUMENTS[name], name


def test_each_decides_as_before(policies):
    outcomes = {"allow": 0, "explicit_deny": 0, "implicit_deny": 0}
    for name, (policy, again) in policies.items():
        before, after = PolicySet(identity=(policy,)), PolicySet(identity=(again,))
        for request in requests_of(policy):
            decision = decide(request, before)
            assert decide(request, after) == decision, (name, request)
            outcomes[decision.outcome] += 1
    assert outcomes["allow"] > 3000
    assert outcomes["implicit_deny"] > 1000
    assert outcomes["explicit_deny"] > 10


def test_some_decide_as_the_reference_does(policies):
    for name, (policy, _) in itertools.islice(policies.items(), 0, None, 12):
        policy_set = PolicySet(identity=(policy,))
        for request in requests_of(policy):
            assert decide(request, policy_set).outcome == reference.decide(request, policy_set), (
                name,
                request,
            )
