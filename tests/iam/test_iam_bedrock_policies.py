"""Policies for Bedrock with verdicts derived by hand (``bedrock_verdicts``)."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from iam import reference
from iam.bedrock_verdicts import VERDICTS
from ringwall.iam.codec import policies_from_json, request_from_json
from ringwall.iam.evaluate import decide, explain
from ringwall.iam.parser import PolicySyntaxError, parse_policy
from ringwall.iam.render import render_policy

DATA = json.loads((Path(__file__).parent / "data" / "bedrock_policies.json").read_text())
POLICIES = DATA["policies"]
ROWS = [(name, policy_type, *row) for name, (policy_type, rows) in VERDICTS.items() for row in rows]

EVERYTHING = {
    "name": "everything",
    "document": {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}},
}


def policy_set(policy_type, document, *, bare):
    item = {"name": "under test", "document": document}
    identity = [] if bare else [EVERYTHING]
    match policy_type:
        case "identity":
            return {"identity": [item]}
        case "scp":
            levels = [
                {"target": "r-root", "policies": [EVERYTHING]},
                {"target": "account", "policies": [EVERYTHING, item]},
            ]
            return {"identity": identity, "scp": levels}
        case "vpc_endpoint":
            return {"identity": identity, "vpc_endpoint": [item]}
        case _:
            return {"identity": identity, "resource": item}


def asked(name, policy_type, who, action, resource, context):
    request = request_from_json(
        {
            "principal": who.removeprefix("bare "),
            "action": action,
            "resource": resource,
            "context": context,
        }
    )
    return request, policies_from_json(policy_set(policy_type, POLICIES[name], bare=who.startswith("bare ")))


@pytest.mark.parametrize(
    ("name", "policy_type", "who", "action", "resource", "context", "verdict", "why"),
    ROWS,
    ids=[f"{row[0]}: {row[-1]}" for row in ROWS],
)
def test_verdict(name, policy_type, who, action, resource, context, verdict, why):
    request, policies = asked(name, policy_type, who, action, resource, context)
    assert decide(request, policies).outcome == verdict, str(explain(request, policies))
    assert reference.decide(request, policies) == verdict


def test_every_policy_has_verdicts_of_more_than_one_kind():
    assert set(VERDICTS) == set(POLICIES)
    for rows in (rows for _type, rows in VERDICTS.values()):
        verdicts = Counter(row[4] for row in rows)
        assert len(rows) >= 5
        assert len(verdicts) >= 2
        assert len({(*row[:3], json.dumps(row[3])) for row in rows}) == len(rows)


@pytest.mark.parametrize("name", POLICIES)
def test_round_trip(name):
    policy = parse_policy(json.dumps(POLICIES[name], indent=1))
    assert parse_policy(render_policy(policy)).statements == policy.statements


@pytest.mark.parametrize("name", DATA["other_documents"])
def test_other_documents_are_no_policies(name):
    with pytest.raises(PolicySyntaxError):
        parse_policy(json.dumps(DATA["other_documents"][name], indent=1))
