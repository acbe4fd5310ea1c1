"""The quickstart with something taken away: each claim that is violated has a witness that replays and a fix that holds.

A fix is applied as its reader would apply it: from its JSON, to the Estate, where the claim is proved once more.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from ringwall.access import Access
from ringwall.access.proving import EstateAnswer, Prover
from ringwall.access.words import change_to_json
from ringwall.catalog import load
from ringwall.controls.claims import DeclaredClaim, bind_claims, declared_claims
from ringwall.controls.compile import compile_estate
from ringwall.estate.model import Estate, Resource
from ringwall.estate.references import bind, placeholders
from ringwall.iam.evaluate import decide
from ringwall.iam.request import Reason
from ringwall.perimeter import load as load_perimeter
from why.conftest import QUICKSTART

CATALOG = load()
PERIMETER = load_perimeter(QUICKSTART)
DESIRED = compile_estate(PERIMETER)
ATTRIBUTES = placeholders(DESIRED)
INTACT = bind(DESIRED, ATTRIBUTES)
POLICY = "AWS::Organizations::Policy"
Json = dict[str, Any]


@cache
def claims() -> dict[str, DeclaredClaim]:
    return {one.name: one for one in bind_claims(declared_claims(PERIMETER), ATTRIBUTES)}


def prover(estate: Estate) -> Prover:
    return Prover(Access(estate), PERIMETER.account, CATALOG)


@cache
def proofs() -> dict[str, EstateAnswer]:
    over = prover(INTACT)
    return {name: over.prove(one.claim, one.call(PERIMETER.regions.source)) for name, one in claims().items()}


def without(reason: Reason) -> Estate:
    """The Estate without one statement of a service control policy."""

    def less(resource: Resource) -> Resource:
        if resource.type != POLICY or resource.get("Name") != reason.policy:
            return resource
        content = resource.get("Content")
        kept = [one for one in content["Statement"] if one["Sid"] != reason.statement]
        assert len(kept) < len(content["Statement"])
        return replace(
            resource, properties={**resource.properties, "Content": {**content, "Statement": kept}}
        )

    return INTACT.with_resources(map(less, INTACT))


def repaired(estate: Estate, change: Json) -> Estate:
    """The Estate after a change of a service control policy, read from its JSON."""
    assert change["policy_type"] == "scp"
    added = change["statement"]
    if change["policy"] is None:
        content = {"Version": "2012-10-17", "Statement": [added]}
        properties = {
            "Name": "repair",
            "Type": "SERVICE_CONTROL_POLICY",
            "Content": content,
            "TargetIds": [change["target"]],
        }
        return estate.with_resources(
            [*estate, Resource(POLICY, "999988887777", "global", "repair", properties)]
        )

    def mended(resource: Resource) -> Resource:
        if resource.type != POLICY or resource.get("Name") != change["policy"]:
            return resource
        content = resource.get("Content")
        kept = [one for one in content["Statement"] if one["Sid"] != change["replaces"]]
        held = {**content, "Statement": [*kept, added]}
        return replace(resource, properties={**resource.properties, "Content": held})

    return estate.with_resources(map(mended, estate))


def check(estate: Estate, declared: DeclaredClaim) -> bool:
    """Whether the claim is violated; if so, that what is told of it is true."""
    over = prover(estate)
    answer = over.prove(declared.claim)
    if answer.verdict == "holds":
        return False
    assert answer.verdict == "violated"
    assert answer.exposures
    for exposure in answer.exposures:
        assert exposure.question is not None
        (request,) = exposure.answer.witness
        assert decide(request, exposure.question.policies, CATALOG).allowed
    changes = over.remedy(answer)
    assert changes, "no fix"
    for change in changes:
        estate = repaired(estate, change_to_json(change))
    assert prover(estate).prove(declared.claim).verdict == "holds"
    return True


NEVER = [name for name, one in claims().items() if one.kind == "never"]
OF_STRANGERS = "nobody-outside-organization"
"""Strangers are kept out by what policies of resources do not grant, so this rests on no statement."""
RESTING = [name for name in NEVER if name != OF_STRANGERS]


@pytest.mark.parametrize("name", NEVER)
def test_without_any_service_control_policy(name: str) -> None:
    open_ = INTACT.with_resources(one for one in INTACT if one.type != POLICY)
    assert check(open_, claims()[name]) == (name != OF_STRANGERS)


@cache
def needed(name: str) -> tuple[bool, ...]:
    """Of each statement that the proof rests on, whether somebody gets through without it."""
    reasons = [one for one in proofs()[name].answer.because if one.policy_type == "scp"]
    return tuple(check(without(reason), claims()[name]) for reason in reasons)


@pytest.mark.parametrize("name", RESTING)
def test_without_each_statement_that_a_proof_rests_on(name: str) -> None:
    """Either somebody gets through, or other statements hold the claim as well, for others rest on less."""
    assert proofs()[name].verdict == "holds"
    assert needed(name)


def test_most_statements_are_needed_by_themselves() -> None:
    """A claim that several layers hold goes on holding without one of them; with most, somebody gets through at once."""
    found = [one for name in RESTING for one in needed(name)]
    assert sum(found) > len(found) * 2 / 3
    assert all(needed("guardrail-always-pinned"))
    assert all(needed("protect-trail"))
