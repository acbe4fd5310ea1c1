"""Whom "nobody" means: each sort of actor is found where a policy lets it in, and named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from access.test_access_anybody import ACCOUNT, access, arn, proved, role
from ringwall.access import Access
from ringwall.access.proving import Prover
from ringwall.access.strangers import is_granted_nothing
from ringwall.catalog import load
from ringwall.estate.model import Resource
from ringwall.proof.claims import claim_from_json

BUCKET = "arn:aws:s3:::records"
NEVER = {"never": {"Action": "s3:GetObject", "Resource": f"{BUCKET}/*"}, "name": "read"}
Json = dict[str, Any]


def document(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def granted(principal: Any, **condition: Any) -> Resource:
    """The bucket's policy, which lets somebody read."""
    grant = {"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": f"{BUCKET}/*"}
    full = {**grant, "Condition": condition} if condition else grant
    return Resource(
        "AWS::S3::BucketPolicy", ACCOUNT, "us-east-1", "records", {"Bucket": "records", "PolicyDocument": document(full)}
    )  # fmt: skip


def user(name: str, *groups: str) -> Resource:
    return Resource("AWS::IAM::User", ACCOUNT, "global", name, {"UserName": name, "Groups": list(groups)})


def group(name: str) -> Resource:
    allow = {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}
    policies = [{"PolicyName": "read", "PolicyDocument": document(allow)}]
    return Resource("AWS::IAM::Group", ACCOUNT, "global", name, {"GroupName": name, "Policies": policies})


def over(*resources: Resource, source: str = "observed", denies: tuple[Json, ...] = ()) -> Access:
    """An Estate of these resources, where none of the account's own principals is in the way."""
    base = access(*denies).estate
    kept = [one for one in base if one.type == "AWS::Organizations::Policy"]
    return Access(replace(base, resources=(*kept, *resources), source=source))


NOT_ROOT = {"Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:root"}}}  # fmt: skip
NOBODY_HERE = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}

TABLE: dict[str, tuple[Access, set[str]]] = {
    # sort of actor: an Estate that lets it in and nobody else, and who is named
    "nobody": (over(role("one", "ec2:*"), denies=(NOBODY_HERE,)), set()),
    "a role": (over(role("one", "s3:*"), role("two", "ec2:*"), denies=(NOT_ROOT,)), {arn("one")}),
    "a user by a group": (
        over(user("ann", "readers"), user("bob"), group("readers"), denies=(NOT_ROOT,)),
        {f"arn:aws:iam::{ACCOUNT}:user/ann"},
    ),
    "the root user": (over(role("one", "ec2:*")), {f"arn:aws:iam::{ACCOUNT}:root"}),
    "any principal that is not listed": (
        over(role("one", "ec2:*"), source="desired", denies=(NOT_ROOT,)),
        {"any other principal of the account"},
    ),
    "everybody, anonymous callers and services among them": (
        over(granted("*"), denies=(NOBODY_HERE,)),
        {"*", "bedrock.amazonaws.com", "arn:aws:iam::000000000000:role/Outside"},
    ),
    "outside accounts alone": (
        over(granted({"AWS": "*"}, Null={"aws:PrincipalArn": "false"}), denies=(NOBODY_HERE,)),
        {"arn:aws:iam::000000000000:role/Outside"},
    ),
    "an account of another organization": (
        over(granted("*", StringNotEquals={"aws:PrincipalOrgID": "o-ringwallsb"}, Null={"aws:PrincipalArn": "false"}),
             denies=(NOBODY_HERE,)),
        {"arn:aws:iam::000000000000:role/Outside"},
    ),
    "Bedrock": (
        over(granted({"Service": "bedrock.amazonaws.com"}), denies=(NOBODY_HERE,)),
        {"bedrock.amazonaws.com"},
    ),
    "another service": (
        over(granted({"Service": ["logs.us-east-1.amazonaws.com", "events.amazonaws.com"]}), denies=(NOBODY_HERE,)),
        {"logs.us-east-1.amazonaws.com", "events.amazonaws.com"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("sort", TABLE)
def test_each_sort_of_actor_is_found_and_named(sort: str) -> None:
    estate, named = TABLE[sort]
    answer = proved(estate, claim_from_json(NEVER))
    assert answer.verdict == ("violated" if named else "holds")
    assert set(answer.exposed) == named
    for exposure in answer.exposures:
        (request,) = exposure.answer.witness
        assert request.action == "s3:GetObject"
        assert exposure.actor.principal in (None, request.principal)


GRANTS: list[Any] = [
    "*", {"AWS": "*"}, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, {"AWS": "arn:aws:iam::000000000000:root"},
    {"AWS": arn("one")}, {"Service": "bedrock.amazonaws.com"}, {"Service": "ec2.amazonaws.com"},
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(GRANTS)))
@pytest.mark.parametrize("element", ["Principal", "NotPrincipal"])
def test_who_is_granted_nothing_at_a_glance_is_proved_to_be(number: int, element: str) -> None:
    grant = {"Effect": "Allow", element: GRANTS[number], "Action": "s3:*", "Resource": f"{BUCKET}/*"}
    policy = {"Bucket": "records", "PolicyDocument": document(grant)}
    estate = over(Resource("AWS::S3::BucketPolicy", ACCOUNT, "us-east-1", "records", policy))
    prover, claim = Prover(estate, ACCOUNT, load()), claim_from_json(NEVER)
    seen = 0
    for case in prover.cases(claim):
        for actor in prover.everybody:
            question = prover.pose(case.claim, actor, replace(actor.policies, resource=case.policy), {})
            if is_granted_nothing(actor, case.claim, case.policy):
                seen += 1
                assert prover.asked_of(question).verdict == "holds", actor.label
            elif actor.kind in ("anonymous", "service", "outside"):
                assert case.policy is not None
    assert seen


def test_what_everybody_may_is_not_settled_at_a_glance() -> None:
    claim = claim_from_json({"never": {"Action": "sts:Get*"}})
    strangers = [one for one in Prover(over(), ACCOUNT, load()).everybody if one.kind == "outside"]
    assert not any(is_granted_nothing(one, claim, None) for one in strangers)
    assert strangers
