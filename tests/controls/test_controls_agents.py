"""Agents from end to end: what Bedrock and Lambda answer, held against botocore's models, is read by the kind and judged."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from controls.controls_estates import bare
from controls.test_controls_observed import (
    AGENT_ARN,
    FULL_ACCESS,
    ITS_ROLE,
    LOGS,
    OF_LAMBDA,
    OTHER,
    OWN,
    ROLE,
    SCHEMA,
    SCHEMAS,
    policy,
    role,
    schemas,
)
from estate.estate_stubs import ACCOUNT, NOW, REGION, Refused, by, read_all
from ringwall.controls.findings import Finding, Status
from ringwall.controls.judging import judge
from ringwall.estate.model import Resource

AGENT = "AWS::Bedrock::Agent"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:book-trip"
LIVE = f"{FUNCTION}:live"
Told = dict[str, Any]
Edit = Callable[[Told], None]
STAMPS = {"createdAt": NOW, "updatedAt": NOW}
DETAILS = {
    "agentId": "AGENT00001", "agentName": "travel", "agentArn": AGENT_ARN, "agentVersion": "DRAFT", "agentStatus": "PREPARED",
    "idleSessionTTLInSeconds": 600, "agentResourceRoleArn": ROLE, "foundationModel": "amazon.nova-pro-v1:0", **STAMPS,
}  # fmt: skip
GROUP = {
    "agentId": "AGENT00001", "agentVersion": "DRAFT", "actionGroupId": "GROUP00001", "actionGroupName": "trips", **STAMPS,
    "actionGroupState": "ENABLED", "actionGroupExecutor": {"lambda": LIVE}, "apiSchema": {"payload": SCHEMA},
}  # fmt: skip
IN_S3 = {"s3": {"s3BucketName": "schemas", "s3ObjectKey": "trips.yaml"}}


def admitting(*statements: dict[str, Any], resource: str = LIVE) -> Told:
    own = {
        "Effect": "Allow", "Principal": {"Service": "bedrock.amazonaws.com"}, "Action": "lambda:InvokeFunction",
        "Resource": resource, "Condition": {"ArnLike": {"aws:SourceArn": AGENT_ARN}},
    }  # fmt: skip
    return {"Policy": json.dumps(policy(own, *statements))}


def region() -> Told:
    """One agent whose only tool is an alias of a function, and which asks before each operation."""
    summary = {"agentId": "AGENT00001", "agentName": "travel", "agentStatus": "PREPARED", "updatedAt": NOW}
    group = {
        "actionGroupId": "GROUP00001",
        "actionGroupName": "trips",
        "actionGroupState": "ENABLED",
        "updatedAt": NOW,
    }
    return {
        "bedrock-agent:ListAgents": {"agentSummaries": [summary]},
        "bedrock-agent:GetAgent": {"agent": DETAILS},
        "bedrock-agent:ListAgentActionGroups": {"actionGroupSummaries": [group]},
        "bedrock-agent:GetAgentActionGroup": {"agentActionGroup": GROUP},
        "bedrock-agent:ListAgentAliases": {"agentAliasSummaries": []},
        "lambda:GetPolicy": by("FunctionName", {LIVE: admitting(), FUNCTION: Refused("ResourceNotFoundException")}),
        "lambda:GetFunctionConfiguration": {"FunctionName": "book-trip", "Role": f"arn:aws:iam::{ACCOUNT}:role/hand"},
    }  # fmt: skip


def found(told: Told, *besides: Resource, slug: str = "agents-bounded") -> list[Finding]:
    resources, _ = read_all(told, AGENT, gaps=True)
    hand = role(OF_LAMBDA, LOGS, name="hand")
    context = bare(FULL_ACCESS, ITS_ROLE, hand, SCHEMAS, *besides, *resources, account=OWN)
    return list(judge(context, frozenset({slug})))


def test_an_agent_that_is_bounded_passes_with_its_evidence() -> None:
    (finding,) = found(region())
    assert finding.status is Status.PASS, finding.summary
    assert len(finding.evidence) >= 7
    assert {item.status for item in found(region(), slug="nothing-shared-outside")} == {Status.PASS}


def of_group(**changes: Any) -> Edit:
    return lambda told: told.update(
        {"bedrock-agent:GetAgentActionGroup": {"agentActionGroup": {**GROUP, **changes}}}
    )


def of_functions(alias: Told, function: Any) -> Edit:
    return lambda told: told.update(
        {"lambda:GetPolicy": by("FunctionName", {LIVE: alias, FUNCTION: function})}
    )


ANOTHER = {
    "Effect": "Allow",
    "Principal": {"AWS": OTHER},
    "Action": "lambda:UpdateFunctionCode",
    "Resource": FUNCTION,
}
ANY_AGENT = {
    "Effect": "Allow", "Principal": {"Service": "bedrock.amazonaws.com"}, "Action": "lambda:InvokeFunction", "Resource": LIVE,
    "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("edit", "slug", "words"),
    [
        (of_group(apiSchema={"payload": SCHEMA.replace("ENABLED}", "DISABLED}", 1)}), "agents-bounded", "carries out listTrips"),
        (of_functions(admitting(ANY_AGENT), admitting()), "agents-bounded", "any agent of the account can invoke book-trip:live"),
        # The alias admits its own agent alone; whoever the function itself admits writes what the alias runs.
        (of_functions(admitting(), admitting(ANOTHER, resource=FUNCTION)), "nothing-shared-outside", f"account {OTHER} can lambda:UpdateFunctionCode"),
    ],
)  # fmt: skip
def test_an_agent_that_was_loosened_fails(edit: Edit, slug: str, words: str) -> None:
    told = deepcopy(region())
    edit(told)
    failed = [item.summary for item in found(told, slug=slug) if item.status is Status.FAIL]
    assert any(words in summary for summary in failed), failed


def test_a_schema_in_s3_is_judged_by_who_writes_it() -> None:
    told = region()
    of_group(apiSchema=IN_S3)(told)
    (finding,) = found(told)
    assert finding.status is Status.UNKNOWN
    opened = schemas({"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": "*"})
    (finding,) = found(told, opened)
    assert finding.status is Status.FAIL
    assert "the API schema of action group trips: anybody can s3:PutObject" in finding.summary


@pytest.mark.parametrize("name", region())
def test_what_may_not_be_asked_is_unknown_with_its_permission(name: str) -> None:
    (finding,) = found(region() | {name: Refused()})
    assert finding.status is Status.UNKNOWN, finding.summary
    service, _, operation = name.partition(":")
    assert f"needs {service.removesuffix('-agent')}:{operation}" in finding.summary
