"""What a plan costs, and which quotas it comes near."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ringwall.deploy.changes import Change, Plan
from ringwall.deploy.notes import notes
from ringwall.estate.model import Account, Estate, Resource

ACCOUNT, REGION = "111122223333", "us-east-1"


def resource(kind, name, **properties):
    return Resource(kind, ACCOUNT, REGION, name, properties)


def plan(*changes, observed=()):
    estate = Estate("observed", (Account(ACCOUNT),), tuple(observed))
    return Plan("q", replace(estate, source="desired"), estate, changes)


KEY = resource("AWS::KMS::Key", "key/a")
ENDPOINT = resource(
    "AWS::EC2::VPCEndpoint", "endpoint/a", VpcEndpointType="Interface", SubnetIds=["a", "b"], VpcId="vpc-1"
)
GATEWAY = resource("AWS::EC2::VPCEndpoint", "endpoint/b", VpcEndpointType="Gateway", VpcId="vpc-1")
TRAIL = resource("AWS::CloudTrail::Trail", "trail/a")


def test_an_empty_plan_has_none():
    assert notes(plan(Change("no-op", KEY, KEY))) == ()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            [Change("create", KEY)],
            "cost: about +1.00 USD a month by us-east-1 list prices of November 2026 (1 Key)",
        ),
        (
            [Change("create", ENDPOINT)],
            "cost: about +14.60 USD a month by us-east-1 list prices of November 2026 (1 VPCEndpoint)",
        ),
        (
            [Change("delete", KEY, KEY)],
            "cost: about -1.00 USD a month by us-east-1 list prices of November 2026",
        ),
        ([Change("create", TRAIL)], "charged by use: data events"),
    ],
)
def test_cost(changes, expected):
    assert notes(plan(*changes))[0] == expected


def test_a_gateway_endpoint_costs_nothing_standing():
    assert notes(plan(Change("create", GATEWAY))) == ("charged by use: data through the endpoints",)


@pytest.mark.parametrize(("there", "said"), [(38, False), (39, True)])
def test_a_quota_is_mentioned_when_it_comes_near(there, said):
    others = [replace(GATEWAY, id=f"vpce-{number}") for number in range(there)]
    elsewhere = [replace(GATEWAY, id=f"vpce-x{n}", properties={"VpcId": "vpc-2"}) for n in range(60)]
    found = notes(plan(Change("create", GATEWAY), observed=[*others, *elsewhere]))
    assert (f"quota: {there + 1} of 50 endpoints in a VPC vpc-1" in found) == said


def test_policies_on_a_target_count_others_too():
    def scp(name, *targets):
        return resource(
            "AWS::Organizations::Policy", name, Type="SERVICE_CONTROL_POLICY", TargetIds=list(targets)
        )

    others = [scp(f"p-{number}", "ou-1") for number in range(7)]
    change = Change("create", scp("scp/a", "ou-1"))
    assert notes(plan(change, observed=others)) == ("quota: 8 of 10 service control policies on ou-1",)
    assert notes(plan(change, observed=others[1:])) == ()
