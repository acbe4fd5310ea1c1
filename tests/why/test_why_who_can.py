"""Who can: everybody who may, each with a request that the evaluator allows."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest

from ringwall.access import Access
from ringwall.access.actors import actors
from ringwall.access.where import WhereError, parse_where
from ringwall.access.who_can import Asker, wanted, who_can
from ringwall.catalog import load
from ringwall.iam.evaluate import decide
from ringwall.iam.policy import ConditionTest

CATALOG = load()
ACCOUNT = "111122223333"
NOVA = "us.amazon.nova-pro-v1:0"


def names(access, operation, resource, *where):
    tests = [parse_where(text, CATALOG) for text in where]
    what = wanted(operation, resource, CATALOG)
    found = list(who_can(access, ACCOUNT, what, CATALOG, where=tests))
    for able in found:
        assert able.answer.verdict == "holds"
        for request in able.answer.witness:
            endpoint = able.route.endpoint
            if able.actor.principal:
                policies = access.policies(
                    able.actor.principal, resource=request.resource, action=request.action, endpoint=endpoint
                )
                if able.actor.kind in ("user", "role"):
                    assert decide(request, policies, CATALOG).allowed
    return {(able.actor.principal or able.actor.label).rsplit("/", 1)[-1] for able in found}


def test_converse_is_for_the_uses_that_have_models(quickstart):
    found = names(quickstart, "Converse", NOVA)
    assert {"quickstart-app", "quickstart-search", "quickstart-operator"} <= found
    assert "quickstart-auditor" not in found
    assert "Outside" not in found


@pytest.mark.parametrize(
    ("operation", "resource", "where"),
    [
        ("bedrock:InvokeModel", "*", "bedrock:GuardrailIdentifier absent"),
        ("Converse", NOVA, "bedrock:GuardrailIdentifier absent"),
        ("Converse", NOVA, "aws:SourceVpce absent"),
        ("Converse", "us.meta.llama3-3-70b-instruct-v1:0", None),
        ("bedrock:CallWithBearerToken", "*", None),
    ],
)
def test_nobody(quickstart, operation, resource, where):
    assert names(quickstart, operation, resource, *([where] if where else [])) == set()


LENT = (
    {"Effect": "Allow", "Action": "bedrock:InvokeModel*", "Resource": "*"},
    {"Effect": "Allow", "Action": "bedrock:*", "Resource": "arn:aws:bedrock:*::foundation-model/amazon.nova-pro*"},
    {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*",
     "Condition": {"StringEquals": {"aws:PrincipalTag/team": "red"}}},
    {"Effect": "Allow", "Action": "bedrock:ApplyGuardrail", "Resource": "*"},
    {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
    {"Effect": "Deny", "Action": "bedrock:*", "Resource": "*",
     "Condition": {"StringNotEquals": {"aws:PrincipalTag/team": ["red", "blue"]}}},
)  # fmt: skip


@pytest.mark.parametrize(
    ("operation", "resource"), [("bedrock:InvokeModel", "*"), ("Converse", NOVA), ("s3:GetObject", "*")]
)
def test_what_is_learned_from_others_changes_nothing(quickstart, operation, resource):
    """Roles with every pair of some statements: each is answered as if it were asked about alone."""
    template = next(iter(quickstart.estate.of_type("AWS::IAM::Role")))
    roles = []
    for number, pair in enumerate(combinations(LENT, 2)):
        document = {"Version": "2012-10-17", "Statement": list(pair)}
        properties = {
            **template.properties,
            "RoleName": f"lent{number}",
            "Arn": f"arn:aws:iam::{ACCOUNT}:role/lent{number}",
            "Policies": [{"PolicyName": "lent", "PolicyDocument": document}],
        }
        roles.append(replace(template, id=f"role/lent{number}", properties=properties))
    estate = quickstart.estate
    access = Access(replace(estate, resources=(*estate.resources, *roles)))
    what = wanted(operation, resource, CATALOG)
    together = {able.actor.principal: able.answer.verdict for able in who_can(access, ACCOUNT, what, CATALOG)}
    assert "unknown" not in together.values()
    for role in roles:
        alone = Access(replace(estate, resources=(*estate.resources, role)))
        asker = Asker(alone, ACCOUNT, what, CATALOG, (), "us-east-1", 10.0, None)
        (actor,) = (one for one in actors(alone, ACCOUNT) if one.label == role.id)
        expected = asker.about(actor)
        assert (expected is not None) == (actor.principal in together), role.id
        if expected is not None:
            assert expected.answer.verdict == "holds"


def test_with_the_guardrail_it_needs_apply_guardrail_too(quickstart, guardrail):
    tests = [parse_where(f"bedrock:GuardrailIdentifier={guardrail}:1", CATALOG)]
    found = [
        able
        for able in who_can(quickstart, ACCOUNT, wanted("Converse", NOVA, CATALOG), CATALOG, where=tests)
        if able.actor.principal and able.actor.principal.endswith("quickstart-app")
    ]
    (app,) = found
    assert "bedrock:ApplyGuardrail" in {request.action for request in app.answer.witness}


def test_guardrails_are_for_their_administrators(quickstart, guardrail):
    found = names(quickstart, "UpdateGuardrail", guardrail)
    assert "quickstart-guardrail-admin" in found
    assert not found & {"quickstart-app", "quickstart-operator", "quickstart-auditor"}


WHERE = [
    (
        "bedrock:GuardrailIdentifier=arn:x",
        ConditionTest("ArnEquals", None, False, "bedrock:GuardrailIdentifier", ("arn:x",)),
    ),
    (
        "bedrock:GuardrailIdentifier!=arn:x",
        ConditionTest("ArnNotEquals", None, False, "bedrock:GuardrailIdentifier", ("arn:x",)),
    ),
    ("aws:SourceVpce ~ vpce-*", ConditionTest("StringLike", None, False, "aws:SourceVpce", ("vpce-*",))),
    ("aws:SourceVpce!~vpce-*", ConditionTest("StringNotLike", None, False, "aws:SourceVpce", ("vpce-*",))),
    (
        "aws:PrincipalArn~arn:aws:iam::*:role/A",
        ConditionTest("ArnLike", None, False, "aws:PrincipalArn", ("arn:aws:iam::*:role/A",)),
    ),
    ("aws:SourceIp=10.0.0.0/8", ConditionTest("IpAddress", None, False, "aws:SourceIp", ("10.0.0.0/8",))),
    ("aws:SecureTransport!=true", ConditionTest("Bool", None, False, "aws:SecureTransport", ("false",))),
    ("aws:TagKeys=team", ConditionTest("StringEquals", "ForAnyValue", False, "aws:TagKeys", ("team",))),
    ("aws:TagKeys!=team", ConditionTest("StringNotEquals", "ForAllValues", False, "aws:TagKeys", ("team",))),
    (
        "aws:PrincipalTag/team=red",
        ConditionTest("StringEquals", None, False, "aws:PrincipalTag/team", ("red",)),
    ),
    ("aws:SourceVpce absent", ConditionTest("Null", None, False, "aws:SourceVpce", ("true",))),
    ("aws:SourceVpce present", ConditionTest("Null", None, False, "aws:SourceVpce", ("false",))),
]


@pytest.mark.parametrize(("text", "meaning"), WHERE, ids=[text for text, _ in WHERE])
def test_where(text, meaning):
    assert parse_where(text, CATALOG) == meaning


@pytest.mark.parametrize(
    "text", ["", "x", "aws:SourceVpce", "aws:SourceVpce=", "aws:Nonsense=1", "aws:SecureTransport=maybe"]
)
def test_where_that_means_nothing(text):
    with pytest.raises(WhereError):
        parse_where(text, CATALOG)
