"""What AWS would refuse is said before anything is written, all at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ringwall.deploy.changes import Change, Difference, Plan
from ringwall.deploy.obstacles import ObstacleError, obstacles, require_none
from ringwall.estate.model import Account, Estate, Resource

ACCOUNT, REGION = "111122223333", "us-east-1"
TRAIL_TYPE = "AWS::CloudTrail::Trail"
ROLE, KEY, POLICY = "AWS::IAM::Role", "AWS::KMS::Key", "AWS::Organizations::Policy"
SOMEBODY = f"arn:aws:iam::{ACCOUNT}:role/team/Somebody"


def resource(kind, name, **properties):
    return Resource(kind, ACCOUNT, REGION, name, properties)


def plan(*changes, observed=(), attributes=None):
    estate = Estate("observed", (Account(ACCOUNT),), tuple(observed))
    declared = tuple(change.resource for change in changes if change.action != "delete")
    desired = replace(estate, source="desired", resources=declared)
    return Plan("q", desired, estate, changes, attributes or {})


def naming(*principals):
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": list(principals)}}],
    }


@pytest.mark.parametrize(
    ("private", "settings", "names"),
    [
        (True, {"EnableDnsSupport": True, "EnableDnsHostnames": False}, ["EnableDnsHostnames"]),
        (
            True,
            {"EnableDnsSupport": False, "EnableDnsHostnames": False},
            ["EnableDnsSupport", "EnableDnsHostnames"],
        ),
        (True, {"EnableDnsSupport": True, "EnableDnsHostnames": True}, []),
        (True, {}, []),  # unread: nobody can say that it is off
        (False, {"EnableDnsSupport": False, "EnableDnsHostnames": False}, []),
    ],
)
def test_endpoints_that_their_vpc_has_no_dns_for(private, settings, names):
    wanted = resource(
        "AWS::EC2::VPCEndpoint",
        "endpoint/a",
        VpcEndpointType="Interface",
        VpcId="vpc-1",
        PrivateDnsEnabled=private,
    )
    vpcs = [
        resource("AWS::EC2::VPC", "vpc-1", **settings),
        resource("AWS::EC2::VPC", "vpc-2", EnableDnsSupport=False),
    ]
    said = obstacles(plan(Change("create", wanted), observed=vpcs))
    assert len(said) == bool(names)
    for line in said:
        assert " and ".join(names) in line
        assert line.count("aws ec2 modify-vpc-attribute --vpc-id vpc-1 --enable-dns-") == len(names)


@pytest.mark.parametrize(
    ("wanted", "there", "said"),
    [
        ({"VpcId": "vpc-1"}, [("AWS::EC2::VPC", "vpc-2")], "has no VPC vpc-1, which the-new needs"),
        ({"VpcId": "vpc-1"}, [("AWS::EC2::VPC", "vpc-2"), ("AWS::EC2::VPC", "vpc-1")], None),
        ({"VpcId": "vpc-1"}, [("AWS::EC2::VPC", "?")], None),
        ({"VpcId": "vpc-1"}, [], None),  # not read, as far as one can tell
        (
            {"VpcId": "vpc-1", "SubnetIds": ["subnet-1", "subnet-2"]},
            [("AWS::EC2::VPC", "vpc-1"), ("AWS::EC2::Subnet", "subnet-2")],
            "has no subnet subnet-1",
        ),
    ],
)
def test_what_the_declaration_names_and_nobody_has(wanted, there, said):
    endpoint = resource("AWS::EC2::VPCEndpoint", "the-new", **wanted)
    found = obstacles(plan(Change("create", endpoint), observed=[resource(*item) for item in there]))
    assert len(found) == bool(said)
    assert not said or said in found[0]


def test_a_trail_that_is_to_be_there():
    """Ours go on a trail of somebody else's; of another account or home Region it cannot be the one."""
    ours = resource("Ringwall::CloudTrail::EventSelectors", "selectors", TrailName="company")
    company = resource(TRAIL_TYPE, "company", TrailName="company")
    assert obstacles(plan(Change("create", ours), observed=[company])) == ()
    elsewhere = replace(company, region="eu-west-1")
    for observed in ([], [elsewhere], [resource(TRAIL_TYPE, "other", TrailName="other")]):
        (said,) = obstacles(plan(Change("create", ours), observed=observed))
        assert "has no trail company, which selectors needs" in said


@pytest.mark.parametrize(("owner", "refused"), [(ACCOUNT, False), ("999988887777", True)])
def test_a_trail_of_the_organizations_is_not_ours_to_change(owner, refused):
    ours = resource("Ringwall::CloudTrail::EventSelectors", "selectors", TrailName="company")
    arn = f"arn:aws:cloudtrail:{REGION}:{owner}:trail/company"
    said = obstacles(
        plan(Change("create", ours), observed=[resource(TRAIL_TYPE, "company", TrailName="company", Arn=arn)])
    )
    assert len(said) == refused
    assert not refused or f"is a trail of account {owner}" in said[0]


@pytest.mark.parametrize(
    ("kind", "most", "advice"),
    [
        ("SERVICE_CONTROL_POLICY", 10, "set organization.attachments to 1, or detach others"),
        ("RESOURCE_CONTROL_POLICY", 5, "detach others"),
    ],
)
def test_more_policies_than_a_target_takes(kind, most, advice):
    def policy(name, target="ou-1"):
        return resource(POLICY, name, Type=kind, TargetIds=[target])

    others = [policy(f"p-{number}") for number in range(most - 1)] + [policy("p-x", "ou-2")]
    one, two = (Change("create", policy(f"scp/{name}")) for name in "ab")
    assert obstacles(plan(one, observed=others)) == ()
    (said,) = obstacles(plan(one, two, observed=others))
    assert said.startswith(f"AWS will refuse {most + 1} ")
    assert said.endswith(f"on ou-1, it takes {most}: {advice}")
    assert obstacles(plan(replace(one, action="no-op", observed=one.resource), observed=others)) == ()


def test_a_sixth_trail_of_a_region():
    def trail(name, region=REGION, *, everywhere=False, account=ACCOUNT):
        arn = f"arn:aws:cloudtrail:{region}:{account}:trail/{name}"
        properties = {"TrailName": name, "Arn": arn, "IsMultiRegionTrail": everywhere}
        return Resource("AWS::CloudTrail::Trail", ACCOUNT, region, name, properties)

    new = Change("create", trail("trail/main"))
    there = [trail(f"t{number}") for number in range(4)]
    elsewhere = [trail("west", "us-west-2"), trail("organization", everywhere=True, account="999988887777")]
    assert obstacles(plan(new, observed=[*there, *elsewhere])) == ()
    (said,) = obstacles(plan(new, observed=[*there, *elsewhere, trail("all", "us-west-2", everywhere=True)]))
    assert "takes 5 trails, and there are all, t0, t1, t2, t3;" in said


@pytest.mark.parametrize(("name", "refused"), [("APP", True), ("app-2", False)])
def test_iam_names_that_differ_in_case_alone(name, refused):
    wanted = Change("create", resource(ROLE, "role/app", RoleName="app"))
    found = obstacles(plan(wanted, observed=[resource(ROLE, name, RoleName=name)]))
    assert bool(found) is refused
    assert all("role/app" in item and name in item for item in found)


@pytest.mark.parametrize(
    ("principal", "refused"),
    [
        (SOMEBODY, False),
        (SOMEBODY.replace("/team/", "/"), True),
        (f"arn:aws:iam::{ACCOUNT}:user/somebody", True),
        (f"arn:aws:iam::{ACCOUNT}:role/declared", False),
        (f"arn:aws:iam::{ACCOUNT}:root", False),
        ("arn:aws:iam::999988887777:role/Elsewhere", False),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/Somebody/session", False),
        ("AIDAEXAMPLE", False),
        ("*", False),
    ],
)
def test_policies_that_name_nobody(principal, refused):
    declared = Change("create", resource(ROLE, "role/declared", RoleName="declared"))
    key = Change("create", resource(KEY, "key/a", KeyPolicy=naming(principal)))
    found = obstacles(
        plan(
            declared,
            key,
            observed=[resource(ROLE, "Somebody", RoleName="Somebody", Arn=SOMEBODY)],
            attributes={"role/declared": {"Arn": f"arn:aws:iam::{ACCOUNT}:role/declared"}},
        )
    )
    assert bool(found) is refused
    assert all(principal in item and "key/a" in item for item in found)


def test_who_cannot_be_seen_may_be_there():
    key = Change("create", resource(KEY, "key/a", KeyPolicy=naming(SOMEBODY)))
    assert obstacles(plan(key))
    assert obstacles(plan(key, observed=[resource(ROLE, "?")])) == ()


def test_a_policy_that_stays_as_it_is_may_name_whom_it_likes():
    there = resource(KEY, "1234")
    key = resource(KEY, "key/a", KeyPolicy=naming(SOMEBODY))
    other = Change("update", key, there, (Difference("EnableKeyRotation", False, True),))
    same = Change("update", key, there, (Difference("KeyPolicy.Statement[0]", None, {}),))
    assert obstacles(plan(other)) == ()
    assert obstacles(plan(same))


def test_all_of_them_are_told_and_nothing_begins():
    key = Change("create", resource(KEY, "key/a", KeyPolicy=naming(SOMEBODY)))
    role = Change("create", resource(ROLE, "role/app", RoleName="app"))
    there = resource(ROLE, "APP", RoleName="APP")
    with pytest.raises(ObstacleError, match="Nothing was changed: AWS will refuse role/app") as caught:
        require_none(plan(key, role, observed=[there]))
    assert [SOMEBODY in item for item in caught.value.details] == [True]
    require_none(plan())
