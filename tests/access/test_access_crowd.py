"""What is settled of many at once is what each by itself would be answered."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from access.test_access_anybody import ACCOUNT, access, arn, one_by_one, proved
from ringwall.access import Access
from ringwall.catalog import load
from ringwall.estate.model import Resource
from ringwall.iam.evaluate import decide
from ringwall.proof.axioms import (
    ENDPOINT_POLICY_MEANS_ENDPOINT,
    KEYS_PER_ACTION,
    PRINCIPAL_DETERMINES_KEYS,
    RESOURCE_SHAPES,
    SERVICE_LINKED_ROLES_APART,
)
from ringwall.proof.claims import Claim, claim_from_json

CATALOG = load()
Json = dict[str, Any]
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1"


def statement(effect: str, actions: Any, resources: Any = "*", **condition: Any) -> Json:
    found = {"Effect": effect, "Action": actions, "Resource": resources}
    return {**found, "Condition": condition} if condition else found


MODEL = "arn:aws:bedrock:*::foundation-model/"
ALLOWS = [
    statement("Allow", "bedrock:*"),
    statement("Allow", "bedrock:Invoke*", f"{MODEL}a*"),
    statement("Allow", "bedrock:InvokeModel", f"{MODEL}b*"),
    statement("Allow", "s3:*"),
    statement("Allow", "kms:*", KEY),
    statement("Allow", "kms:Decrypt", f"{KEY}0"),
    statement("Allow", "bedrock:*", StringEquals={"aws:PrincipalTag/team": "red"}),
    statement("Allow", "bedrock:*", ArnLike={"aws:PrincipalArn": arn("r1*")}),
    statement("Allow", "bedrock:InvokeModel", "arn:aws:bedrock:*:${aws:PrincipalAccount}:*"),
    {"Effect": "Allow", "NotAction": ["bedrock:*", "iam:*"], "Resource": "*"},
    {"Effect": "Allow", "NotAction": "s3:*", "NotResource": f"{MODEL}a*"},
]
DENIES = [
    statement("Deny", "bedrock:InvokeModel", StringNotEquals={"aws:PrincipalTag/team": "red"}),
    statement("Deny", "bedrock:*", f"{MODEL}b*"),
    statement("Deny", "kms:*"),
]
LIMITS = [
    statement("Deny", "bedrock:InvokeModel", ArnNotLike={"aws:PrincipalArn": [arn("r1"), arn("r2")]}),
    statement("Deny", "bedrock:*", StringNotEquals={"aws:SourceVpce": "vpce-1"}),
    statement("Deny", "bedrock:InvokeModelWithResponseStream"),
    statement("Deny", "kms:*", StringEquals={"aws:PrincipalArn": arn("r3")}),
    statement("Deny", "*", ArnLike={"aws:PrincipalArn": arn("r0")}),
]
CLAIMS = [
    {"Action": "bedrock:InvokeModel"},
    {"Action": "bedrock:Invoke*", "NotPrincipal": [arn("r1"), arn("r4")]},
    {"Action": ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"], "Resource": f"{MODEL}b*"},
    {"Action": ["kms:*crypt", "bedrock:In*"], "Resource": [KEY, f"{MODEL}a*"]},
    {"Action": "kms:Decrypt", "Resource": KEY},
    {"Action": "bedrock:*", "Principal": arn("r*"), "Condition": {"Null": {"aws:SourceVpce": "true"}}},
]
FULL = [statement("Allow", "*")]


def document(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def made(chance: random.Random) -> Access:
    """A few roles with some of the statements, two boundaries, a key with a policy, an endpoint with one."""
    managed = [
        Resource("AWS::IAM::ManagedPolicy", ACCOUNT, "global", f"arn:aws:iam::{ACCOUNT}:policy/{name}",
                 {"ManagedPolicyName": name, "PolicyDocument": document(*listed)})
        for name, listed in (("b0", [ALLOWS[9]]), ("b1", [*FULL, DENIES[1]]))
    ]  # fmt: skip
    roles = []
    for number in range(7):
        listed = chance.sample(ALLOWS, chance.randint(0, 2)) + chance.sample(DENIES, chance.randint(0, 1))
        properties: Json = {"RoleName": f"r{number}", "Path": "/"}
        if listed:
            properties["Policies"] = [{"PolicyName": "own", "PolicyDocument": document(*listed)}]
        if chance.random() < 0.4:
            properties["PermissionsBoundary"] = chance.choice(managed).id
        roles.append(Resource("AWS::IAM::Role", ACCOUNT, "global", f"r{number}", properties))
    named = {"AWS": [f"arn:aws:iam::{ACCOUNT}:root", arn("r2")][: chance.randint(1, 2)]}
    key = Resource(
        "AWS::KMS::Key", ACCOUNT, "us-east-1", KEY,
        {"Arn": KEY, "KeyPolicy": document({"Effect": "Allow", "Principal": named, "Action": "kms:*", "Resource": "*"})},
    )  # fmt: skip
    through = {
        **statement("Allow", "bedrock:*", ArnLike={"aws:PrincipalArn": arn("r[12]*")}),
        "Principal": "*",
    }
    endpoint = Resource(
        "AWS::EC2::VPCEndpoint", ACCOUNT, "us-east-1", "vpce-1",
        {"ServiceName": "com.amazonaws.us-east-1.bedrock-runtime", "VpcId": "vpc-1", "PolicyDocument": document(through)},
    )  # fmt: skip
    over = access(*chance.sample(LIMITS, chance.randint(0, 2)))
    kept = [one for one in over.estate if one.type != "AWS::IAM::Role"]
    return Access(replace(over.estate, resources=(*kept, *managed, *roles, key, endpoint)))


def claim(number: int) -> Claim:
    return claim_from_json({"never": CLAIMS[number], "name": "claim"})


WITHOUT: tuple[frozenset[str], ...] = (
    frozenset(),
    frozenset({PRINCIPAL_DETERMINES_KEYS}),
    frozenset({KEYS_PER_ACTION, RESOURCE_SHAPES, SERVICE_LINKED_ROLES_APART}),
    frozenset({PRINCIPAL_DETERMINES_KEYS, ENDPOINT_POLICY_MEANS_ENDPOINT}),
)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("number", range(len(CLAIMS)))
def test_each_is_answered_as_if_it_were_asked_alone(seed: int, number: int) -> None:
    over = made(random.Random(seed))
    disabled = WITHOUT[(seed + number) % len(WITHOUT)]
    together = proved(over, claim(number), disabled_axioms=disabled)
    apart = one_by_one(over, claim(number), disabled_axioms=disabled)
    assert together.verdict == apart.verdict
    assert together.exposed == apart.exposed
    assert together.verdict != "unknown"
    for exposure in together.exposures:
        assert exposure.question is not None
        for request in exposure.answer.witness:
            assert decide(request, exposure.question.policies, CATALOG).allowed
            assert request.principal == (exposure.actor.principal or request.principal)


def test_the_cases_are_of_every_kind() -> None:
    """The comparison says something only where claims hold for some and are violated with others."""
    found = [
        proved(made(random.Random(seed)), claim(number)) for seed in range(3) for number in range(len(CLAIMS))
    ]
    assert {answer.verdict for answer in found} == {"holds", "violated"}
    assert len({len(answer.exposures) for answer in found}) > 5


def test_what_holds_of_no_request_is_said_to() -> None:
    """Converse is no action of IAM: a claim about it warns, and one that says something does not."""
    over = access()
    assert proved(over, claim_from_json({"never": {"Action": "bedrock:Converse"}})).answer.vacuous
    limited = access(statement("Deny", "bedrock:InvokeModel"))
    answer = proved(limited, claim_from_json({"never": {"Action": "bedrock:InvokeModel"}})).answer
    assert (answer.verdict, answer.vacuous) == ("holds", False)
