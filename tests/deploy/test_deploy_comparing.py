"""The comparison decides once what nothing tells apart; deciding everything one by one has to find the same."""

from __future__ import annotations

from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.deploy_fakes import ACCOUNT, REGION, policy
from deploy.test_deploy_effects import APP, CLAUDE, NOVA, compare, endpoint, estate, role, scp
from ringwall.deploy.comparing import Comparison
from ringwall.deploy.passing import Passing
from ringwall.estate.model import Resource

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
WATCHED = (
    "bedrock:InvokeModel",
    "bedrock:InvokeModelWithResponseStream",
    "bedrock:ApplyGuardrail",
    "bedrock:PutAccountDataRetention",
    "kms:Decrypt",
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "s3:GetObject",
    "s3:PutObject",
    "sts:AssumeRole",
    "iam:PassRole",
)
ACTIONS = (*WATCHED, "*", "bedrock:*", "bedrock:Invoke*", "kms:*", "s3:*Object", "sts:GetCallerIdentity")
RESOURCES = (
    "*",
    CLAUDE,
    NOVA,
    f"arn:aws:bedrock:{REGION}::foundation-model/*",
    KEY,
    "arn:aws:s3:::logs/*",
    "arn:aws:s3:::${aws:username}/*",
    APP,
)
CONDITIONS = (
    None,
    {"StringNotLike": {"bedrock:GuardrailIdentifier": "arn:*:guardrail/abc:*"}},
    {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}},
    {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}},
    {"Null": {"bedrock:GuardrailIdentifier": "true"}},
    {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/App"}},
)
PRINCIPALS = (
    {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    {"AWS": APP},
    {"AWS": "*"},
    {"Service": "bedrock.amazonaws.com"},
    {"Service": ["events.amazonaws.com", "bedrock.amazonaws.com"]},
    {"Service": "events.amazonaws.com"},
)


@st.composite
def statements(draw, *, resources=RESOURCES, principals=(None,)):
    principal, condition = draw(st.sampled_from(principals)), draw(st.sampled_from(CONDITIONS))
    elements = {
        "Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"])),
        draw(st.sampled_from(["Action", "Action", "NotAction"])): draw(
            st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=3, unique=True)
        ),
        "Resource": draw(st.lists(st.sampled_from(resources), min_size=1, max_size=2, unique=True)),
    }
    return (
        elements
        | ({"Principal": principal} if principal else {})
        | ({"Condition": condition} if condition else {})
    )


def some(draw, most, **more):
    return draw(st.lists(statements(**more), min_size=1, max_size=most))


@st.composite
def parts(draw):
    """What may be in an account, by name: two roles, a user, a service control policy, an endpoint, a key, a bucket."""
    own = [{"PolicyName": "own", "PolicyDocument": policy(*some(draw, 2))}]
    of_key = policy(*some(draw, 2, resources=("*",), principals=PRINCIPALS))
    of_bucket = policy(*some(draw, 2, resources=("arn:aws:s3:::logs/*",), principals=PRINCIPALS))
    there = {
        "App": role("App", *some(draw, 2), trust=trusting(draw(statements(principals=PRINCIPALS)))),
        "Other": role("Other", *some(draw, 2)),
        "ann": thing("IAM::User", "ann", UserName="ann", Path="/", Policies=own),
        "scp": scp("one", *({**item, "Effect": "Deny"} for item in some(draw, 2))),
        "endpoint": endpoint("vpce-1", policy(*some(draw, 1, principals=({"AWS": "*"},)))),
        "key": thing("KMS::Key", KEY.rsplit("/", 1)[1], Arn=KEY, KeyPolicy=of_key),
        "bucket": thing("S3::BucketPolicy", "logs", Bucket="logs", PolicyDocument=of_bucket),
    }
    return {name: item for name, item in there.items() if draw(st.booleans())}


def thing(kind, name, **properties):
    where = "global" if kind.startswith("IAM") else REGION
    return Resource(f"AWS::{kind}", ACCOUNT, where, name, properties)


@st.composite
def changes(draw):
    """An account before and after: a part of it is kept, goes, comes or becomes another."""
    before, other = draw(parts()), draw(parts())
    kept = {name for name in before if draw(st.booleans())}
    after = {**other, **{name: item for name, item in before.items() if name in kept}}
    return estate(*before.values()), estate(*after.values())


def trusting(statement):
    """A trust policy of such a statement, which names no resource and no other action."""
    kept = {key: statement[key] for key in ("Effect", "Principal", "Condition") if key in statement}
    return policy({**kept, "Action": "sts:AssumeRole"})


def plainly(before, after):
    """Every action of everybody by itself, whether or not anything could allow it."""
    with (
        patch.object(Comparison, "_kind", lambda _self, action: action),
        patch.object(Passing, "could", lambda *_: True),
        patch.object(Comparison, "_granted", lambda *_: True),
    ):
        return compare(before, after, watched=WATCHED, prove_for=0)


@settings(max_examples=40, deadline=None)
@given(changes())
def test_deciding_alike_requests_once_finds_what_deciding_all_of_them_does(accounts):
    assert compare(*accounts, watched=WATCHED, prove_for=0) == plainly(*accounts)


def test_actions_that_a_resources_own_policy_tells_apart_are_not_alike():
    trusted = {
        "Sid": "Key",
        "Effect": "Allow",
        "Principal": {"AWS": APP},
        "Action": "kms:Decrypt",
        "Resource": "*",
    }
    key = thing("KMS::Key", KEY.rsplit("/", 1)[1], Arn=KEY, KeyPolicy=policy(trusted))
    app = role("App", {"Effect": "Allow", "Action": "kms:*", "Resource": KEY})
    gone = scp("gone", {"Effect": "Deny", "Action": "kms:*", "Resource": "*"})
    denied = compare(estate(app, key), estate(app, key, gone)).newly_denies
    assert [item.actions for item in denied if item.principal == APP] == [("kms:Decrypt",)]
