"""AWS's managed policies: made when somebody asks, and as if all of them had always been there."""

import pytest

from ringwall.sandbox import moto_policies

AWS = "arn:aws:iam::aws:policy"
READS = f"{AWS}/IAMReadOnlyAccess"
DEEP = f"{AWS}/job-function/ViewOnlyAccess"
POWER = f"{AWS}/PowerUserAccess"


def everything():
    """ARNs and versions of AWS's policies as moto has them."""
    known = moto_policies._everything()
    return [(f"{AWS}{data['Path']}{name}", data["DefaultVersionId"]) for name, data in known.items()]


def listed(iam, **wanted):
    pages = iam.get_paginator("list_policies").paginate(**wanted)
    return [policy for page in pages for policy in page["Policies"]]


@pytest.fixture
def trust(helpers):
    service = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return helpers.policy(service)


def test_each_is_found_by_its_arn_and_at_no_other_path(world, helpers):
    iam = world.client("iam")
    policy = iam.get_policy(PolicyArn=DEEP)["Policy"]
    assert (policy["Arn"], policy["Path"], policy["AttachmentCount"]) == (DEEP, "/job-function/", 0)
    version = {"PolicyArn": DEEP, "VersionId": policy["DefaultVersionId"]}
    document = iam.get_policy_version(**version)["PolicyVersion"]["Document"]
    assert document == moto_policies._everything()["ViewOnlyAccess"]["Document"]
    for arn in (
        f"{AWS}/ViewOnlyAccess",
        f"{AWS}/job-function/Nothing",
        f"{AWS}/Document",
        f"{AWS}/Statement",
    ):
        assert helpers.code_of(iam.get_policy, PolicyArn=arn) == "NoSuchEntity"
        assert (
            helpers.code_of(iam.attach_user_policy, UserName="SandboxAdministrator", PolicyArn=arn)
            == "NoSuchEntity"
        )


def test_the_text_has_each_in_its_place():
    for name, data in moto_policies._everything().items():
        assert moto_policies._data(name) == data
    assert moto_policies._data("Document") is None


def test_listing_has_all_of_them_once_and_the_accounts_own(world, helpers, trust):
    iam = world.client("iam")
    statement = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}
    own = iam.create_policy(PolicyName="Own", PolicyDocument=helpers.policy(statement))["Policy"]["Arn"]
    iam.create_role(RoleName="Lists", AssumeRolePolicyDocument=trust, PermissionsBoundary=POWER)
    iam.attach_role_policy(RoleName="Lists", PolicyArn=READS)
    asked = iam.get_policy(PolicyArn=READS)["Policy"]
    assert asked["AttachmentCount"] == 1
    assert [policy["Arn"] for policy in listed(iam, Scope="Local")] == [own]
    whole = listed(iam)
    found = [(policy["Arn"], policy["DefaultVersionId"]) for policy in whole]
    assert sorted(found) == sorted([*everything(), (own, "v1")])
    assert listed(iam) == whole
    assert next(policy for policy in whole if policy["Arn"] == READS) == {
        name: value for name, value in asked.items() if name != "Tags"
    }
    assert READS in [policy["Arn"] for policy in listed(iam, Scope="AWS", OnlyAttached=True)]
    found = iam.get_account_authorization_details(Filter=["AWSManagedPolicy"])["Policies"]
    assert {READS, POWER} <= {policy["Arn"] for policy in found}
    assert DEEP not in {policy["Arn"] for policy in found}
    iam.detach_role_policy(RoleName="Lists", PolicyArn=READS)
    assert iam.get_policy(PolicyArn=READS)["Policy"]["AttachmentCount"] == 0
    assert helpers.code_of(iam.detach_role_policy, RoleName="Lists", PolicyArn=READS) == "NoSuchEntity"
