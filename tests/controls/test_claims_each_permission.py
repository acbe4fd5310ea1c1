"""One role for each permission that weakens a control or runs a model: each is named by the claim that forbids it.

The service control policies are taken away, so nothing but the claims speaks against these roles.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from controls.controls_estates import QUICKSTART
from ringwall.access import Access
from ringwall.access.proving import EstateAnswer, Prover
from ringwall.catalog import load as load_catalog
from ringwall.catalog.bedrock import INFERENCE_PATHS, InferencePath
from ringwall.catalog.operations import actions_of
from ringwall.controls.claims import DeclaredClaim, bind_claims, declared_claims
from ringwall.controls.compile import compile_estate
from ringwall.estate.model import Resource
from ringwall.estate.references import bind, placeholders
from ringwall.iam.evaluate import decide
from ringwall.perimeter import load

CATALOG = load_catalog()
PERIMETER = load(QUICKSTART)
DESIRED = compile_estate(PERIMETER)
ATTRIBUTES = placeholders(DESIRED)


@cache
def claims() -> dict[str, DeclaredClaim]:
    bound = bind_claims(declared_claims(PERIMETER), ATTRIBUTES)
    return {one.name: one for one in bound if one.kind == "never"}


def forbidden(name: str) -> tuple[str, ...]:
    """The actions that a claim forbids, one by one."""
    listed = claims()[name].claim.actions or ()
    return tuple(action for pattern in listed for action in CATALOG.actions_matching(pattern))


def role(action: str) -> Resource:
    """A role of the account that may do this alone."""
    name = "may-" + action.replace(":", "-")
    allow = {"Effect": "Allow", "Action": action, "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [allow]}
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    properties: dict[str, Any] = {
        "RoleName": name,
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
        "Policies": [{"PolicyName": "own", "PolicyDocument": document}],
    }
    return Resource("AWS::IAM::Role", PERIMETER.account, "global", f"role/{name}", properties)


@cache
def prover() -> Prover:
    actions = dict.fromkeys(action for name in claims() for action in forbidden(name))
    kept = [one for one in bind(DESIRED, ATTRIBUTES) if one.type != "AWS::Organizations::Policy"]
    estate = DESIRED.with_resources([*kept, *map(role, actions)])
    return Prover(Access(estate), PERIMETER.account, CATALOG)


@cache
def answer(name: str) -> EstateAnswer:
    return prover().prove(claims()[name].claim)


def named(name: str) -> set[str]:
    """The one-permission roles with which a claim is violated."""
    return {arn.rsplit("/", 1)[1] for arn in answer(name).exposed if "/may-" in arn}


OF_STRANGERS = {"nobody-outside-organization"}
"""Claims that speak of nobody in the account."""


@pytest.mark.parametrize("name", sorted(claims().keys() - OF_STRANGERS))
def test_whoever_has_one_forbidden_permission_is_named(name: str) -> None:
    expected = {"may-" + action.replace(":", "-") for action in forbidden(name)}
    assert expected
    assert named(name) == expected
    for exposure in answer(name).exposures:
        assert exposure.question is not None
        (request,) = exposure.answer.witness
        assert decide(request, exposure.question.policies, CATALOG).allowed


OTHERWISE = {"bedrock:InvokeAgent": "only-declared-agents"}
"""Paths that stay open to what is declared: an agent's guardrail is a property of the agent."""


@pytest.mark.parametrize("path", INFERENCE_PATHS, ids=lambda path: path.action)
def test_every_path_to_a_model_is_forbidden_unless_it_carries_the_guardrail(path: InferencePath) -> None:
    own = "guardrail-always-pinned" if path.carries_guardrail else "unguarded-paths-closed"
    assert path.action in forbidden(OTHERWISE.get(path.action, own))


@pytest.mark.parametrize(
    ("action", "claim"),
    [
        ("bedrock:PutModelInvocationLoggingConfiguration", "protect-settings"),
        ("bedrock:DeleteModelInvocationLoggingConfiguration", "protect-settings"),
        ("logs:DeleteLogGroup", "protect-log-group"),
        ("logs:PutRetentionPolicy", "protect-log-group"),
        ("s3:PutLifecycleConfiguration", "protect-buckets"),
        ("bedrock:UpdateGuardrail", "protect-guardrail"),
        ("bedrock:DeleteEnforcedGuardrailConfiguration", "protect-settings"),
        ("cloudtrail:StopLogging", "protect-trail"),
        ("kms:ScheduleKeyDeletion", "protect-keys"),
        ("kms:Decrypt", "decrypt-records"),
        ("ec2:ModifyVpcEndpoint", "protect-endpoints"),
        ("bedrock:PutAccountDataRetention", "retention-stays-none"),
        ("organizations:LeaveOrganization", "stay-in-organization"),
        ("iam:UpdateAssumeRolePolicy", "protect-roles"),
        ("bedrock:CreateModelInvocationJob", "unguarded-paths-closed"),
        ("bedrock:InvokeInlineAgent", "unguarded-paths-closed"),
        ("bedrock:RetrieveAndGenerate", "unguarded-paths-closed"),
        ("bedrock:InvokeFlow", "unguarded-paths-closed"),
        ("bedrock-mantle:CreateInference", "unguarded-paths-closed"),
        ("bedrock:CallWithBearerToken", "no-api-keys-used"),
        ("bedrock:InvokeModelWithResponseStream", "guardrail-always-pinned"),
    ],
)
def test_what_weakens_a_control_is_spoken_of(action: str, claim: str) -> None:
    """By name, so that a list that loses an action is noticed."""
    assert "may-" + action.replace(":", "-") in named(claim)


@pytest.mark.parametrize(
    "operation",
    ["InvokeModel", "InvokeModelWithResponseStream", "InvokeModelWithBidirectionalStream", "Converse", "ConverseStream",
     "StartAsyncInvoke"],
)  # fmt: skip
def test_every_operation_that_runs_a_model_needs_a_permission_that_is_spoken_of(operation: str) -> None:
    """What has no action of its own (Converse, asynchronous invocation) is authorized as InvokeModel is."""
    needed = set(actions_of("bedrock-runtime", operation))
    assert needed & set(forbidden("guardrail-always-pinned"))
