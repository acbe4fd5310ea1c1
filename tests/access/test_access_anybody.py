"""One question for all users and roles: when it may be asked, and that it answers as theirs would."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ringwall.access import Access, actors
from ringwall.access.anybody import anybody, stands_for
from ringwall.access.proving import EstateAnswer, Prover
from ringwall.catalog import load
from ringwall.estate.model import Account, Estate, Resource
from ringwall.proof.claims import Claim, claim_from_json

ACCOUNT, ORG = "111122223333", "o-ringwallsb"
NEVER: dict[str, Any] = {"Action": "bedrock:InvokeModel"}
DENIES = {"Effect": "Deny", "Action": "bedrock:InvokeModel", "Resource": "*"}


def arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def role(name: str, action: str, path: str = "/") -> Resource:
    allow = {"Effect": "Allow", "Action": action, "Resource": "*"}
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "sts:AssumeRole",
    }
    properties = {
        "RoleName": name,
        "Path": path,
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": trust},
        "Policies": [{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": allow}}],
    }
    return Resource("AWS::IAM::Role", ACCOUNT, "global", name, properties)


def policy(name: str, target: str, statement: dict[str, Any]) -> Resource:
    properties = {
        "Name": name,
        "Type": "SERVICE_CONTROL_POLICY",
        "Content": {"Version": "2012-10-17", "Statement": statement},
        "TargetIds": [target],
    }
    return Resource("AWS::Organizations::Policy", "999988887777", "global", name, properties)


def access(*denies: dict[str, Any]) -> Access:
    levels = ("r-1", ACCOUNT)
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    full = [policy(f"full-{level}", level, everything) for level in levels]
    limits = [policy(f"deny-{index}", ACCOUNT, item) for index, item in enumerate(denies)]
    people = [role("one", "bedrock:*"), role("two", "s3:*"), role("three", "*")]
    accounts = (Account(ACCOUNT, ORG, levels=levels), Account("999988887777", ORG, management=True))
    return Access(Estate("observed", accounts, (*full, *limits, *people)))


def never(**parts: Any) -> Claim:
    return claim_from_json({"never": {**NEVER, **parts}, "name": "claim", "title": "claim"})


def proved(over: Access, claim: Claim, **options: Any) -> EstateAnswer:
    return Prover(over, ACCOUNT, load(), **options).prove(claim)


def one_by_one(over: Access, claim: Claim, **options: Any) -> EstateAnswer:
    """Each actor by itself: nobody stands for anybody."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Prover, "is_stood_for", lambda *_: False)
        return proved(over, claim, **options)


CASES = [
    ((DENIES,), {}, "holds"),
    ((), {}, "violated"),
    ((), {"Principal": {"AWS": arn("two")}}, "holds"),
    (({**DENIES, "Condition": {"ArnNotLike": {"aws:PrincipalArn": arn("one")}}},), {}, "violated"),
    (
        ({**DENIES, "Condition": {"ArnNotLike": {"aws:PrincipalArn": arn("one")}}},),
        {"NotPrincipal": {"AWS": arn("one")}},
        "holds",
    ),
]


@pytest.mark.parametrize(("denies", "parts", "verdict"), CASES)
def test_the_common_question_changes_no_answer(denies, parts, verdict) -> None:
    over, claim = access(*denies), never(**parts)
    together, apart = proved(over, claim), one_by_one(over, claim)
    assert (together.verdict, apart.verdict) == (verdict, verdict)
    assert together.exposed == apart.exposed
    assert set(together.answer.because) <= set(apart.answer.because) or verdict == "violated"


def test_what_holds_of_everybody_is_asked_once() -> None:
    over, claim = access(DENIES), never()
    assert proved(over, claim).asked == one_by_one(over, claim).asked - 2


def test_anybody_is_no_root_no_service_linked_role_and_bound_by_the_same_policies() -> None:
    everybody = actors(access(DENIES), ACCOUNT)
    anyone, claim = anybody(everybody), never()
    stood_for = {actor.label for actor in everybody if stands_for(anyone, actor, claim)}
    assert stood_for == {"role/one", "role/two", "role/three"}
    one = everybody[0]
    linked = replace(one, principal=arn("aws-service-role/bedrock.amazonaws.com/linked"))
    assert not stands_for(anyone, linked, claim)
    unbound = replace(one, policies=replace(one.policies, scp=None))
    assert not stands_for(anyone, unbound, claim)
    elsewhere = replace(one, account="444455556666")
    assert not stands_for(anyone, elsewhere, claim)


def test_principals_that_read_differently_as_conditions_are_asked_by_themselves() -> None:
    everybody = actors(access(DENIES), ACCOUNT)
    anyone, one = anybody(everybody), everybody[0]
    assert stands_for(anyone, one, replace(never(), principals=(arn("*"),)))
    assert not stands_for(anyone, one, replace(never(), principals=("*role/one",)))
    assert not stands_for(anyone, one, replace(never(), not_principals=("arn:aws:iam::${aws:x}:role/x",)))
