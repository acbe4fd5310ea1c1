"""Bedrock policies of an organization (``BEDROCK_POLICY``), a policy type that moto does not know.

moto keeps them as a type that it knows and nobody here uses; every answer names the real one. They are kept, attached
and read; nothing is enforced by them (see the fidelity table).

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_bedrock.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ringwall.sandbox import places
from ringwall.sandbox.call import AwsError
from ringwall.sandbox.hooks import Hooks

if TYPE_CHECKING:
    from ringwall.sandbox.backend import Reply
    from ringwall.sandbox.turn import Turn

BEDROCK = "BEDROCK_POLICY"
STAND_IN = "TAG_POLICY"
LONGEST = 10_000


def _store(turn: Turn) -> Any:
    return turn.gateway.moto.store("organizations", places.MANAGEMENT)


def _create(turn: Turn) -> None:
    if turn.parameters.get("Type") == BEDROCK:
        _check(str(turn.parameters.get("Content")))
        turn.parameters = {**turn.parameters, "Type": STAND_IN}


def _check(text: str) -> None:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise AwsError(
            "MalformedPolicyDocumentException", "The provided policy document is not JSON."
        ) from error
    if not isinstance(document, dict) or set(document) != {"bedrock"}:
        raise AwsError(
            "MalformedPolicyDocumentException", 'The policy\'s only top-level key must be "bedrock".'
        )
    if len(text) > LONGEST:
        message = f"You have exceeded the maximum policy size of {LONGEST} characters."
        raise AwsError(
            "ConstraintViolationException", message, 400, {"Reason": "POLICY_CONTENT_LIMIT_EXCEEDED"}
        )


def _created(turn: Turn, reply: Reply) -> None:
    if turn.call.parameters.get("Type") != BEDROCK:
        return
    summary = reply.parameters["Policy"]["PolicySummary"]
    with turn.gateway.moto.locked():
        policy = next(item for item in _store(turn).policies if item.id == summary["Id"])
        policy.type = BEDROCK
        policy._arn_format = policy._arn_format.replace("/tag_policy/", "/bedrock_policy/")  # noqa: SLF001 - moto's own
        summary |= {"Type": BEDROCK, "Arn": policy.arn}


def _list(turn: Turn) -> None:
    if turn.parameters.get("Filter") == BEDROCK:
        turn.parameters = {**turn.parameters, "Filter": STAND_IN}


def _listed(turn: Turn, reply: Reply) -> None:
    """None of the stand-in's type are there, so the answer is all of the real one's."""
    if turn.call.parameters.get("Filter") != BEDROCK:
        return
    target = turn.call.parameters.get("TargetId")
    with turn.gateway.moto.locked():
        reply.parameters["Policies"] = [
            item.describe()["Policy"]["PolicySummary"]
            for item in _store(turn).policies
            if item.type == BEDROCK
            and (target is None or any(found.id == target for found in item.attachments))
        ]


def _enable(turn: Turn) -> None:
    if turn.parameters.get("PolicyType") != BEDROCK:
        return
    with turn.gateway.moto.locked():
        root = next(unit for unit in _store(turn).ou if unit.type == "ROOT")
        if any(item["Type"] == BEDROCK for item in root.policy_types):
            raise AwsError(
                "PolicyTypeAlreadyEnabledException", "The specified policy type is already enabled."
            )
    turn.parameters = {**turn.parameters, "PolicyType": STAND_IN}


def _enabled(turn: Turn, reply: Reply) -> None:
    if turn.call.parameters.get("PolicyType") != BEDROCK:
        return
    with turn.gateway.moto.locked():
        root = next(unit for unit in _store(turn).ou if unit.type == "ROOT")
        for item in root.policy_types:
            if item["Type"] == STAND_IN:
                item["Type"] = BEDROCK
        reply.parameters["Root"] = root.describe()


BEDROCK_POLICIES = Hooks(
    before={
        ("organizations", "CreatePolicy"): _create,
        ("organizations", "ListPolicies"): _list,
        ("organizations", "ListPoliciesForTarget"): _list,
        ("organizations", "EnablePolicyType"): _enable,
    },
    after={
        ("organizations", "CreatePolicy"): _created,
        ("organizations", "ListPolicies"): _listed,
        ("organizations", "ListPoliciesForTarget"): _listed,
        ("organizations", "EnablePolicyType"): _enabled,
    },
)
