"""Which policies bear on whom."""

from __future__ import annotations

import pytest

from ringwall.access import Access, actors, routes
from ringwall.access.proving import ApiCall, Prover
from ringwall.catalog import load
from ringwall.estate.model import Account, Estate, Resource, Unknown
from ringwall.iam.evaluate import decide
from ringwall.iam.request import Request
from ringwall.proof.claims import claim_from_json

ACCOUNT, ORG = "111122223333", "o-ringwallsb"
APP = f"arn:aws:iam::{ACCOUNT}:role/app"
MODEL = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0"


def document(*statements: dict) -> dict:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action, resource="*", **more):
    return {**allow(action, resource, **more), "Effect": "Deny"}


def resource(kind: str, identifier: str, *, account=ACCOUNT, region="global", **properties) -> Resource:
    return Resource(kind, account, region, identifier, properties)


def role(name="app", trust=None, *policies, **more) -> Resource:
    trust = trust or {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "sts:AssumeRole",
    }
    inline = [{"PolicyName": f"p{i}", "PolicyDocument": document(s)} for i, s in enumerate(policies)]
    return resource(
        "AWS::IAM::Role",
        name,
        RoleName=name,
        Path="/",
        AssumeRolePolicyDocument=document(trust),
        Policies=inline,
        **more,
    )


def scp(name: str, target: str, *statements: dict) -> Resource:
    return resource(
        "AWS::Organizations::Policy", name, account="999988887777",
        Name=name, Type="SERVICE_CONTROL_POLICY", Content=document(*statements), TargetIds=[target],
    )  # fmt: skip


def estate(*resources: Resource, source="observed") -> Estate:
    levels = ("r-1", "ou-1", ACCOUNT)
    full = [scp(f"p-Full-{level}", level, allow("*")) for level in levels] if source == "observed" else []
    accounts = (Account(ACCOUNT, ORG, levels=levels), Account("999988887777", ORG, management=True))
    return Estate(source, accounts, (*full, *resources))


def outcome(access: Access, principal: str, action: str, target: str, **context: str) -> str:
    policies = access.policies(principal, resource=target, action=action)
    request = Request(principal, action, target, context={key: (value,) for key, value in context.items()})
    return decide(request, policies, load()).outcome


def test_inline_managed_and_group_policies_bear_on_their_principals():
    arn = f"arn:aws:iam::{ACCOUNT}:policy/m"
    access = Access(
        estate(
            resource("AWS::IAM::ManagedPolicy", arn, PolicyDocument=document(allow("s3:GetObject"))),
            resource("AWS::IAM::Group", "g", GroupName="g", Policies=[{"PolicyName": "x", "PolicyDocument": document(allow("kms:Decrypt"))}]),
            resource("AWS::IAM::User", "u", UserName="u", Groups=["g"], ManagedPolicyArns=[arn]),
            role("app", None, allow("bedrock:*")),
        )
    )  # fmt: skip
    user = f"arn:aws:iam::{ACCOUNT}:user/u"
    assert [p.name for p in access.policies(user).identity] == [arn, "x"]
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/s"
    assert [p.name for p in access.policies(session).identity] == ["p0"]
    assert access.principal(session).arn == APP
    assert access.gaps == ()


def test_every_level_of_scps_binds_members_and_none_binds_the_management_account():
    access = Access(estate(role("app", None, allow("*")), scp("no-s3", "ou-1", deny("s3:*"))))
    levels = access.policies(APP).scp
    assert [level.target for level in levels] == ["r-1", "ou-1", ACCOUNT]
    assert [policy.name for policy in levels[1].policies] == ["p-Full-ou-1", "no-s3"]
    assert access.policies("arn:aws:iam::999988887777:role/x").scp is None
    assert outcome(access, APP, "s3:GetObject", "arn:aws:s3:::b/k") == "explicit_deny"
    assert outcome(access, APP, "bedrock:InvokeModel", MODEL) == "allow"


def test_a_desired_estate_keeps_full_access_where_it_declares_nothing():
    access = Access(estate(role("app", None, allow("*")), scp("x", ACCOUNT, deny("s3:*")), source="desired"))
    assert outcome(access, APP, "bedrock:InvokeModel", MODEL) == "allow"
    assert outcome(access, APP, "s3:GetObject", "arn:aws:s3:::b/k") == "explicit_deny"


def test_a_level_without_policies_allows_nothing():
    bare = Estate(
        "observed", (Account(ACCOUNT, ORG, levels=("r-1", ACCOUNT)),), (role("app", None, allow("*")),)
    )
    assert outcome(Access(bare), APP, "bedrock:InvokeModel", MODEL) == "implicit_deny"


@pytest.mark.parametrize(
    ("principal", "service_only"),
    [
        ({"Service": "bedrock.amazonaws.com"}, True),
        ({"Service": ["bedrock.amazonaws.com", "lambda.amazonaws.com"]}, False),
        ({"Service": "ec2.amazonaws.com"}, False),
        ({"Service": "bedrock.amazonaws.com", "AWS": f"arn:aws:iam::{ACCOUNT}:root"}, False),
        ({"AWS": "*"}, False),
        ("*", False),
        ({"Federated": "cognito-identity.amazonaws.com"}, False),
    ],
)
def test_only_a_trust_policy_makes_a_service_role(principal, service_only):
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    access = Access(estate(role("aws-service-role-lookalike", trust)))
    assert access.principals()[0].service_only is service_only


def test_what_was_not_read_is_a_gap():
    hidden = Resource(
        "AWS::Organizations::Policy", "?", "global", "?", unknown=(Unknown("*", "AccessDenied"),)
    )
    access = Access(
        estate(role("app", None, allow("*"), ManagedPolicyArns=["arn:aws:iam::aws:policy/Gone"]), hidden)
    )
    assert access.gaps == (
        "AWS::Organizations::Policy ? *: AccessDenied",
        "managed policy arn:aws:iam::aws:policy/Gone of app was not read",
    )


def test_trust_policies_decide_assume_role_and_bucket_policies_decide_objects():
    bucket = resource(
        "AWS::S3::BucketPolicy", "b", Bucket="b",
        PolicyDocument=document(deny("s3:*", ["arn:aws:s3:::b", "arn:aws:s3:::b/*"], Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}})),
    )  # fmt: skip
    access = Access(estate(role("app", None, allow("*")), bucket))
    assert (
        outcome(access, APP, "s3:GetObject", "arn:aws:s3:::b/k", **{"aws:securetransport": "false"})
        == "explicit_deny"
    )
    assert (
        outcome(access, APP, "s3:GetObject", "arn:aws:s3:::b/k", **{"aws:securetransport": "true"}) == "allow"
    )
    assert access.resource_policy(APP, "sts:AssumeRole") is access.principal(APP).trust


# -- everybody, by every way -------------------------------------------------------------------------------------------

NEVER_UNGUARDED = claim_from_json(
    {
        "name": "guardrail",
        "never": {
            "Action": ["bedrock:InvokeModel"],
            "Resource": "*",
            "Condition": {"StringNotLike": {"bedrock:GuardrailIdentifier": f"arn:aws:bedrock:us-east-1:{ACCOUNT}:guardrail/good12345678:*"}},
        },
    }
)  # fmt: skip
PINNED = deny(
    "bedrock:InvokeModel",
    Sid="Pinned",
    Condition={
        "ArnNotLike": {
            "bedrock:GuardrailIdentifier": f"arn:aws:bedrock:us-east-1:{ACCOUNT}:guardrail/good12345678:*"
        }
    },
)
PRESENT = deny(
    "bedrock:InvokeModel", Sid="Present", Condition={"Null": {"bedrock:GuardrailIdentifier": "true"}}
)


def prover(*resources: Resource, source="observed") -> Prover:
    return Prover(Access(estate(*resources, source=source)), ACCOUNT, load())


def test_a_pinned_scp_holds_everybody_even_the_root_user_and_the_unlisted():
    answer = prover(role("op", None, allow("bedrock:*")), scp("g", ACCOUNT, PINNED), source="desired").prove(
        NEVER_UNGUARDED
    )
    assert answer.verdict == "holds"
    assert {reason.statement for reason in answer.answer.because} == {"Pinned"}


def test_a_presence_test_is_violated_by_whoever_its_own_policies_let():
    shut = [allow("bedrock:*"), PINNED]
    answer = prover(
        role("op", None, allow("bedrock:*")), role("app", None, *shut), scp("g", ACCOUNT, PRESENT)
    ).prove(NEVER_UNGUARDED)
    assert answer.verdict == "violated"
    assert answer.exposed == (f"arn:aws:iam::{ACCOUNT}:role/op", f"arn:aws:iam::{ACCOUNT}:root")
    assert answer.answer.witness[0].context["bedrock:guardrailidentifier"]


def test_a_role_that_services_alone_assume_is_reported_apart():
    trust = {"Effect": "Allow", "Principal": {"Service": "bedrock.amazonaws.com"}, "Action": "sts:AssumeRole"}
    except_agent = deny("bedrock:InvokeModel", Sid="Pinned", Condition={"ArnNotLike": {
        "bedrock:GuardrailIdentifier": f"arn:aws:bedrock:us-east-1:{ACCOUNT}:guardrail/good12345678:*",
        "aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/agent"}})  # fmt: skip
    answer = prover(role("agent", trust, allow("bedrock:*")), scp("g", ACCOUNT, except_agent)).prove(
        NEVER_UNGUARDED
    )
    assert (answer.verdict, [item.actor.principal for item in answer.exempt]) == (
        "holds",
        [f"arn:aws:iam::{ACCOUNT}:role/agent"],
    )


def test_the_way_through_is_named():
    endpoint = resource(
        "AWS::EC2::VPCEndpoint", "vpce-1", region="us-east-1", ServiceName="com.amazonaws.us-east-1.bedrock-runtime",
        VpcId="vpc-1", PolicyDocument=document(allow("*", Principal="*")),
    )  # fmt: skip
    only_endpoint = deny(
        "bedrock:InvokeModel", Sid="Net", Condition={"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}
    )
    answer = prover(role("op", None, allow("bedrock:*")), endpoint, scp("n", ACCOUNT, only_endpoint)).prove(
        NEVER_UNGUARDED
    )
    assert answer.exposures[0].route.endpoint == "vpce-1"
    assert [route.endpoint for route in routes(Access(estate(endpoint)))] == [
        None,
        "vpce-1",
        "vpce-00000000000000000",
    ]


def test_gaps_make_every_verdict_unknown():
    hidden = Resource(
        "AWS::IAM::Role", ACCOUNT, "global", "?", unknown=(Unknown("*", "AccessDenied: needs iam:ListRoles"),)
    )
    answer = prover(role("op", None, allow("bedrock:*")), hidden, scp("g", ACCOUNT, PINNED)).prove(
        NEVER_UNGUARDED
    )
    assert (answer.verdict, answer.answer.reason) == (
        "unknown",
        "could not be read: AWS::IAM::Role ? *: AccessDenied: needs iam:ListRoles",
    )


@pytest.mark.parametrize(
    ("extra", "verdict"),
    [((), "holds"), ((deny("bedrock:InvokeModel", MODEL.replace("us-east-1", "us-west-2")),), "violated")],
)
def test_a_can_claim_needs_every_authorization_of_its_call(extra, verdict):
    claim = claim_from_json(
        {"name": "can", "can": {"Principal": APP, "Operation": "bedrock-runtime:Converse"}}
    )
    call = ApiCall("bedrock-runtime", "Converse", {"modelId": "us.amazon.nova-pro-v1:0"}, {}, "us-east-1")
    assert (
        prover(role("app", None, allow("bedrock:*")), scp("s", ACCOUNT, *extra) if extra else role("x"))
        .prove(claim, call)
        .verdict
        == verdict
    )


def test_somebody_is_everybody():
    kinds = [actor.kind for actor in actors(Access(estate(role(), source="desired")), ACCOUNT)]
    assert kinds == ["role", "root", "unlisted", "anonymous", "service", "outside"]
