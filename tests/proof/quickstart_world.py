"""The quickstart's claims as questions about one role that its own policies allow everything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from ringwall.access import Access
from ringwall.access.actors import actors
from ringwall.access.anybody import anybody
from ringwall.controls.claims import bind_claims, declared_claims
from ringwall.controls.compile import compile_estate
from ringwall.estate.references import bind, placeholders
from ringwall.iam.patterns import glob_matches
from ringwall.perimeter import load
from ringwall.proof.claims import Claim
from ringwall.proof.question import Question

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart" / "ringwall.yaml"

OF_OTHERS = ("nobody-outside-organization",)
"""Claims that do not speak of roles of the account."""


@cache
def questions() -> dict[str, Question]:
    """Of each claim that something can never be done, the question, by the claim's name."""
    return dict(_questions())


def _questions() -> Iterator[tuple[str, Question]]:
    perimeter = load(QUICKSTART)
    desired = compile_estate(perimeter)
    attributes = placeholders(desired)
    access = Access(bind(desired, attributes))
    policies = anybody(actors(access, perimeter.account)).policies
    account = access.estate.account(perimeter.account)
    assert account is not None
    for declared in bind_claims(declared_claims(perimeter), attributes):
        if declared.kind == "never" and declared.name not in OF_OTHERS:
            claim = replace(declared.claim, principals=None, not_principals=None)
            who = f"arn:aws:iam::{perimeter.account}:role/Anyone"
            question = Question(
                declared.name, who, policies, claim, fixed={"aws:principalorgid": account.organization}
            )
            own = [
                (arn, policy)
                for arn, policy in access.policies_of_resources()
                if arn.split(":")[2] == "kms" and _speaks_of(claim, arn)
            ]
            # Keys that have policies are asked about one by one, for without its policy nobody uses a key.
            for arn, policy in own:
                narrowed = replace(claim, resources=(arn,), not_resources=None)
                with_policy = replace(policies, resource=policy)
                yield f"{declared.name} {arn[-8:]}", replace(question, claim=narrowed, policies=with_policy)
            if not own:
                yield declared.name, question


def _speaks_of(claim: Claim, arn: str) -> bool:
    if not all(action.startswith("kms:") for action in claim.actions or ("*",)):
        return False
    return claim.resources is None or any(glob_matches(pattern, arn) for pattern in claim.resources)
