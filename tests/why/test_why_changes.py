"""Every change that is offered allows the request when it is made."""

from __future__ import annotations

import pytest

from ringwall.access.possibilities import Possibility
from ringwall.access.scenario import explain_document
from ringwall.catalog import load
from ringwall.iam.codec import policies_from_json, policies_to_json, request_from_json
from ringwall.iam.evaluate import decide
from ringwall.iam.render import render_policy

CATALOG = load()
ROLE = "arn:aws:iam::111122223333:role/App"
MODEL = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0"
KEY = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555"
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def policy(*statements):
    return {"name": "p", "document": {"Version": "2012-10-17", "Statement": list(statements)}}


def scp(*statements):
    full = {"name": "FullAWSAccess", "document": {"Version": "2012-10-17", "Statement": [ALL]}}
    return [{"target": "r-root", "policies": [full, policy(*statements)] if statements else []}]


CASES = {
    "identity lacks": {"identity": [policy({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})]},
    "no identity policy": {},
    "boundary lacks": {"identity": [policy(ALL)], "permissions_boundary": [policy()]},
    "boundary and session lack": {"permissions_boundary": [policy()], "session": [policy()]},
    "level without policies": {"identity": [policy(ALL)], "scp": scp()},
    "endpoint lacks": {"identity": [policy(ALL)], "vpc_endpoint": [policy()]},
    "denied by list": {
        "identity": [
            policy(ALL, {"Effect": "Deny", "Action": ["bedrock:InvokeModel", "s3:*"], "Resource": "*"})
        ]
    },
    "denied by NotResource": {
        "identity": [policy(ALL)],
        "scp": scp(
            {"Effect": "Deny", "Action": "bedrock:*", "NotResource": ["arn:aws:bedrock:*:*:guardrail/*"]}
        ),
    },
    "denied by Region": {
        "identity": [policy(ALL)],
        "scp": scp(
            {
                "Effect": "Deny",
                "Action": "*",
                "Resource": "*",
                "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}},
            }
        ),
    },
    "denied by principal": {
        "identity": [policy(ALL)],
        "scp": scp(
            {
                "Effect": "Deny",
                "Action": "*",
                "Resource": "*",
                "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Admin"}},
            }
        ),
    },
    "denied, and lacking besides": {
        "scp": scp({"Effect": "Deny", "Action": "bedrock:InvokeModel", "Resource": "*"}),
    },
    "denied twice": {
        "identity": [policy(ALL, {"Effect": "Deny", "Action": "bedrock:*", "Resource": "*"})],
        "permissions_boundary": [policy(ALL, {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"})],
    },
}


def made(policies, changes):
    """The policies with the changes made to them, by hand and in JSON."""
    value = policies_to_json(policies)
    for change in changes:
        for document in documents(value, change):
            statements = document["Statement"]
            if change.replaces is None:
                statements.append(dict(change.statement))
                continue
            (old,) = [
                index
                for index, statement in enumerate(statements)
                if statement.get("Sid", str(index)) == change.replaces
            ]
            statements[old : old + 1] = [dict(change.statement)] if change.statement else []
    return policies_from_json(value)


def documents(value, change):
    kind = change.policy_type
    if kind in ("scp", "rcp"):
        (level,) = [item for item in value[kind] if item["target"] == change.target]
        holders = level["policies"]
    elif kind == "resource":
        holders = [value["resource"]] if "resource" in value else []
    else:
        holders = value[kind]
    named = [item for item in holders if item["name"] == change.policy]
    if not named:
        named = [{"name": "new", "document": {"Version": "2012-10-17", "Statement": []}}]
        holders += named
    document = named[0]["document"]
    if not isinstance(document["Statement"], list):
        document["Statement"] = [document["Statement"]]
    return [document]


@pytest.mark.parametrize("name", CASES)
def test_policy_changes_allow(name):
    request = {
        "principal": ROLE,
        "action": "bedrock:InvokeModel",
        "resource": MODEL,
        "context": {"aws:RequestedRegion": "us-east-1"},
    }
    policies = policies_from_json(CASES[name])
    parsed = request_from_json(request)
    assert not decide(parsed, policies, CATALOG).allowed
    (found,) = explain_document({"request": request, "policies": CASES[name]}, CATALOG)
    (case,) = found.cases
    assert case.changes
    assert decide(parsed, made(policies, case.changes), CATALOG).allowed


def test_exempting_the_caller_is_narrower_than_allowing_everybody():
    policies = {
        "identity": [policy(ALL)],
        "scp": scp({"Effect": "Deny", "Action": ["bedrock:InvokeModel", "s3:*"], "Resource": "*"}),
    }
    request = {"principal": ROLE, "action": "bedrock:InvokeModel", "resource": MODEL}
    (found,) = explain_document({"request": request, "policies": policies}, CATALOG)
    (change,) = found.cases[0].changes
    assert change.statement["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": ROLE}}
    assert change.statement["Action"] == ["bedrock:InvokeModel", "s3:*"]


def test_key_policy_gets_the_principal():
    request = {"principal": ROLE, "action": "kms:Decrypt", "resource": KEY}
    own = {"identity": [policy(ALL)], "resource": policy()}
    (found,) = explain_document({"request": request, "policies": own}, CATALOG)
    (change,) = found.cases[0].changes
    assert change.policy_type == "resource"
    assert change.statement["Principal"] == {"AWS": ROLE}
    assert decide(request_from_json(request), made(policies_from_json(own), [change]), CATALOG).allowed


def test_conditions_of_the_nearest_statement_are_kept():
    nearest = {
        "Effect": "Allow",
        "Action": "bedrock:InvokeModel",
        "Resource": "arn:aws:bedrock:*::foundation-model/other",
        "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}},
    }
    request = {
        "principal": ROLE,
        "action": "bedrock:InvokeModel",
        "resource": MODEL,
        "context": {"aws:RequestedRegion": "us-east-1"},
    }
    (found,) = explain_document({"request": request, "policies": {"identity": [policy(nearest)]}}, CATALOG)
    assert found.cases[0].changes[0].statement["Condition"] == nearest["Condition"]


def test_request_changes_allow(quickstart):
    """The possibility behind each offered change is one that the evaluator allows."""
    from ringwall.access.asked import Asked
    from ringwall.access.possibilities import Option, possibilities

    deny = {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {
            "NumericGreaterThan": {"s3:signatureAge": "600000"},
            "Bool": {"aws:SecureTransport": "true"},
        },
    }
    policies = policies_from_json({"identity": [policy(ALL, deny)]})
    asked = Asked(ROLE, "s3:GetObject", "arn:aws:s3:::bucket/key", {"aws:securetransport": ("true",)})
    found, partial = possibilities(asked, lambda _: policies, (Option("public"),), CATALOG)
    assert not partial
    assert {item.decision.allowed for item in found} == {True, False}
    for item in found:
        assert isinstance(item, Possibility)
        assert decide(item.request, item.policies, CATALOG) == item.decision
    assert render_policy(policies.identity[0])["Statement"][1]["Effect"] == "Deny"
