"""Declared models that the account may not call yet, read through botocore's own model and judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from controls.controls_estates import ACCOUNT, context, declaration, desired, quickstart
from estate.estate_stubs import REGION, Refused, told_by
from ringwall.controls.findings import Finding, Status
from ringwall.controls.least_privilege_invoke import CONTROL
from ringwall.controls.model_access import MODEL_ACCESS, declared_models, entitled
from ringwall.estate.kinds import surveyed
from ringwall.estate.kinds.model_access import ModelAccess
from ringwall.estate.model import Estate

MODEL = "anthropic.claude-sonnet-4-5-20250929-v1:0"
CALL = "bedrock:GetFoundationModelAvailability"
ENTITLED = {
    "modelId": MODEL,
    "agreementAvailability": {"status": "AVAILABLE"},
    "authorizationStatus": "AUTHORIZED",
    "entitlementAvailability": "AVAILABLE",
    "regionAvailability": "AVAILABLE",
}
SUBSCRIBES = {"Effect": "Allow", "Action": "aws-marketplace:*", "Resource": "*"}


def found(answer: Any, *, subscribing: bool = False) -> Finding:
    aws, asked = told_by({CALL: answer})
    access = list(ModelAccess((MODEL,), REGION).read(aws))
    assert asked == [CALL]
    resources = list(desired())
    if subscribing:
        resources = [item for item in resources if item.id != "scp/protect"]
        role = next(item for item in resources if item.id == "role/app")
        more = [
            *role.get("Policies"),
            {"PolicyName": "m", "PolicyDocument": {"Version": "2012-10-17", "Statement": [SUBSCRIBES]}},
        ]
        resources = [
            replace(item, properties={**item.properties, "Policies": more}) if item is role else item
            for item in resources
        ]
    estate = Estate("desired", desired().accounts, (*resources, *access))
    (finding,) = entitled(context(estate), CONTROL)
    return finding


def without_agreement(**more: Any) -> dict[str, Any]:
    return {**ENTITLED, "agreementAvailability": {"status": "NOT_AVAILABLE", **more}}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (without_agreement(), "it has no agreement, and no role that calls models may subscribe"),
        (without_agreement(errorMessage="use case is missing"), "it has no agreement (use case is missing)"),
        ({**ENTITLED, "agreementAvailability": {"status": "PENDING"}}, "its agreement is pending"),
        ({**ENTITLED, "authorizationStatus": "NOT_AUTHORIZED"}, "not authorized for it"),
        # The agreement is there and entitles to nothing.
        ({**ENTITLED, "entitlementAvailability": "NOT_AVAILABLE"}, "not entitled to it"),
        (Refused("ResourceNotFoundException"), f"{REGION} offers no such model"),
    ],
)
def test_a_declared_model_that_cannot_be_called_is_told_lightly(answer: Any, words: str) -> None:
    finding = found(answer)
    assert finding.status is Status.FAIL
    assert finding.severity == "low"
    assert words in finding.summary
    assert finding.evidence
    assert finding.remediation is not None
    assert MODEL in finding.remediation.commands[0]


def test_a_declared_model_that_is_entitled_passes() -> None:
    finding = found(ENTITLED)
    assert finding.status is Status.PASS
    assert "has its agreement" in finding.summary


def test_what_the_first_call_subscribes_is_no_failure() -> None:
    """AWS subscribes the account by itself where the caller may, which a perimeter's roles may not."""
    finding = found(without_agreement(), subscribing=True)
    assert finding.status is Status.PASS, finding.summary
    assert "gets its agreement with the first call" in finding.summary


def test_what_may_not_be_asked_is_unknown_with_its_permission() -> None:
    finding = found(Refused())
    assert finding.status is Status.UNKNOWN
    assert f"needs {CALL}" in finding.summary


def test_nothing_is_asked_but_about_declared_models_in_the_one_region() -> None:
    aws, asked = told_by({})
    assert list(surveyed()[MODEL_ACCESS].read(aws)) == []
    assert list(ModelAccess((MODEL,), "eu-west-1").read(aws)) == []
    assert asked == []
    assert declared_models(quickstart()) == (MODEL, "amazon.nova-pro-v1:0")
    own = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:imported-model/abcdefghij12"
    assert declared_models(declaration(models={"own": own})) == ()
