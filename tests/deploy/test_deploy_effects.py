"""What plans newly allow and deny, and what drift nobody declared."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from deploy.deploy_fakes import ACCOUNT, MANAGEMENT, REGION, policy
from ringwall import catalog
from ringwall.access import Access
from ringwall.deploy.access_change import require_gate
from ringwall.deploy.effects import access_changes
from ringwall.deploy.narrowing import narrows
from ringwall.errors import GateRefusedError
from ringwall.estate.model import Account, Estate, Resource, Unknown
from ringwall.iam.evaluate import decide

GUARDRAIL = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:guardrail/abc123def456"
CLAUDE = f"arn:aws:bedrock:{REGION}::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = f"arn:aws:bedrock:{REGION}::foundation-model/amazon.nova-pro-v1:0"
FULL = policy({"Effect": "Allow", "Action": "*", "Resource": "*"})
TRUST = policy(
    {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
)
APP = f"arn:aws:iam::{ACCOUNT}:role/App"


def invoke(*models, effect="Allow", sid="Invoke", **conditions):
    statement = {"Sid": sid, "Effect": effect, "Action": "bedrock:InvokeModel", "Resource": list(models)}
    return {**statement, "Condition": conditions} if conditions else statement


REQUIRE = invoke(
    "*",
    effect="Deny",
    sid="RequireGuardrail",
    StringNotLike={"bedrock:GuardrailIdentifier": f"{GUARDRAIL}:*"},
)


def role(name, *statements, trust=TRUST, **more):
    properties = {
        "RoleName": name,
        "Path": "/",
        "AssumeRolePolicyDocument": trust,
        "Policies": [{"PolicyName": "own", "PolicyDocument": policy(*statements)}] if statements else [],
        **more,
    }
    return Resource("AWS::IAM::Role", ACCOUNT, "global", name, properties)


def scp(name, *statements):
    return Resource(
        "AWS::Organizations::Policy",
        MANAGEMENT,
        "global",
        f"p-{name}",
        {
            "Name": name,
            "Type": "SERVICE_CONTROL_POLICY",
            "Content": policy(*statements),
            "TargetIds": [ACCOUNT],
        },
    )


FULL_ACCESS = Resource(
    "AWS::Organizations::Policy",
    MANAGEMENT,
    "global",
    "p-FullAWSAccess",
    {"Name": "FullAWSAccess", "Type": "SERVICE_CONTROL_POLICY", "Content": FULL, "TargetIds": [ACCOUNT]},
)


def endpoint(physical, document, service="bedrock-runtime"):
    return Resource(
        "AWS::EC2::VPCEndpoint",
        ACCOUNT,
        REGION,
        physical,
        {
            "ServiceName": f"com.amazonaws.{REGION}.{service}",
            "VpcId": "vpc-0a11ce00000000001",
            **({"PolicyDocument": document} if document else {}),
        },
    )


def estate(*resources):
    return Estate(
        "observed", (Account(ACCOUNT, "o-ringwallsb", levels=(ACCOUNT,)),), (FULL_ACCESS, *resources)
    )


def compare(before, after, **more):
    return access_changes(before, after, catalog.load(), **more)


def names(changes):
    return {(item.label, item.actions[0], item.without_guardrail) for item in changes}


def test_same_estates_change_nothing():
    same = estate(role("App", invoke(CLAUDE)), scp("guardrail", REQUIRE), endpoint("vpce-1", FULL))
    changes = compare(same, same)
    assert (changes.newly_allows, changes.newly_denies, changes.unknown) == ((), (), ())


def test_removed_deny_widens_for_those_it_held():
    before = estate(role("App", invoke(CLAUDE)), role("Other"), scp("guardrail", REQUIRE))
    after = estate(role("App", invoke(CLAUDE)), role("Other"))
    changes = compare(before, after)
    assert ("role/App", "bedrock:InvokeModel", True) in names(changes.widening)
    assert not any(item.label == "role/Other" for item in changes.newly_allows)
    found = next(item for item in changes.widening if item.principal == APP and item.without_guardrail)
    assert [reason.statement for reason in found.before.because] == ["RequireGuardrail"]
    assert found.resources[0] == CLAUDE


def test_witness_replays():
    before = estate(role("App", invoke(CLAUDE)), scp("guardrail", REQUIRE))
    after = estate(role("App", invoke(CLAUDE)))
    for item in compare(before, after).newly_allows:
        for side, expected in ((before, False), (after, True)):
            policies = Access(side).policies(
                item.principal, resource=item.witness.resource, action=item.witness.action
            )
            if item.principal == APP:
                assert decide(item.witness, policies, catalog.load()).allowed is expected


def test_added_deny_newly_denies():
    before = estate(role("App", invoke(CLAUDE)))
    after = estate(role("App", invoke(CLAUDE)), scp("guardrail", REQUIRE))
    changes = compare(before, after)
    assert changes.newly_allows == ()
    assert ("role/App", "bedrock:InvokeModel", True) in names(changes.newly_denies)
    denied = next(item for item in changes.newly_denies if item.principal == APP)
    assert denied.after.outcome == "explicit_deny"


def test_another_model_for_an_existing_role_widens():
    changes = compare(estate(role("App", invoke(CLAUDE))), estate(role("App", invoke(CLAUDE, NOVA))))
    (found,) = changes.widening
    assert (found.principal, found.resources) == (APP, (NOVA,))
    with pytest.raises(
        GateRefusedError, match=r"newly allows role/App bedrock:InvokeModel.*--allow-widening"
    ):
        require_gate(changes, allow_widening=False)
    require_gate(changes, allow_widening=True)


def test_new_role_is_shown_but_is_no_widening():
    changes = compare(estate(), estate(role("App", invoke(CLAUDE))))
    assert any(item.principal == APP for item in changes.newly_allows)
    assert changes.widening == ()
    require_gate(changes, allow_widening=False)


def test_first_deployment_needs_no_gate():
    administrator = Resource(
        "AWS::IAM::User",
        ACCOUNT,
        "global",
        "Admin",
        {"UserName": "Admin", "Path": "/", "Policies": [{"PolicyName": "all", "PolicyDocument": FULL}]},
    )
    document = policy({**invoke(CLAUDE), "Principal": "*"})
    after = estate(
        administrator,
        role("App", invoke(CLAUDE)),
        scp("guardrail", REQUIRE),
        scp(
            "endpoint",
            invoke("*", effect="Deny", sid="Endpoint", StringNotEquals={"aws:SourceVpce": "vpce-new"}),
        ),
        endpoint("vpce-new", document),
    )
    changes = compare(estate(administrator), after, new={"vpce-new": "endpoint/new"})
    assert changes.widening == ()
    assert changes.unknown == ()
    assert any(item.label == "user/Admin" for item in changes.newly_denies)


def test_removed_boundary_widens():
    bound = Resource(
        "AWS::IAM::ManagedPolicy",
        ACCOUNT,
        "global",
        f"arn:aws:iam::{ACCOUNT}:policy/Bound",
        {"ManagedPolicyName": "Bound", "PolicyDocument": policy(invoke(NOVA))},
    )
    before = estate(bound, role("App", invoke(CLAUDE, NOVA), PermissionsBoundary=bound.id))
    after = estate(bound, role("App", invoke(CLAUDE, NOVA)))
    assert {item.resources for item in compare(before, after).widening} == {(CLAUDE,)}


@pytest.mark.parametrize("gone", [True, False])
def test_endpoint_policy_that_goes_or_opens_widens_through_it(gone):
    narrow = endpoint("vpce-1", policy({**invoke(NOVA), "Principal": "*"}))
    only = scp(
        "endpoint", invoke("*", effect="Deny", sid="Endpoint", StringNotEquals={"aws:SourceVpce": "vpce-1"})
    )
    before = estate(role("App", invoke(CLAUDE, NOVA)), only, narrow)
    after = estate(role("App", invoke(CLAUDE, NOVA)), only, *(() if gone else (endpoint("vpce-1", FULL),)))
    changes = compare(before, after)
    if gone:  # without the endpoint nobody comes through it any more, and the policy demands it
        assert changes.widening == ()
        assert any(item.resources == (NOVA,) for item in changes.newly_denies)
    else:
        found = next(item for item in changes.widening if item.principal == APP)
        assert found.resources == (CLAUDE,)
        assert "vpce-1" in found.routes[0]


def test_wider_trust_of_an_existing_role_widens():
    anybody = policy({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})
    changes = compare(estate(role("App")), estate(role("App", trust=anybody)))
    assert "any other account" in {item.label for item in changes.widening}
    assert all(item.actions == ("sts:AssumeRole",) for item in changes.widening)


def test_wider_key_policy_widens():
    def key(*statements):
        return Resource("AWS::KMS::Key", ACCOUNT, REGION, "k-1", {"KeyPolicy": policy(*statements)})

    mine = {
        "Sid": "Mine",
        "Effect": "Allow",
        "Principal": {"AWS": APP},
        "Action": "kms:Decrypt",
        "Resource": "*",
    }
    theirs = {**mine, "Sid": "Theirs", "Principal": {"AWS": "arn:aws:iam::000000000000:role/Outside"}}
    changes = compare(estate(role("App"), key(mine)), estate(role("App"), key(mine, theirs)))
    assert [(item.label, item.actions) for item in changes.widening] == [
        ("any other account", ("kms:Decrypt",))
    ]


def test_what_could_not_be_read_closes_the_gate():
    blind = replace(
        role("App", invoke(CLAUDE)), unknown=(Unknown("Policies", "iam:GetRolePolicy: AccessDenied"),)
    )
    changes = compare(estate(blind), estate(role("App", invoke(CLAUDE))))
    assert changes.unknown
    with pytest.raises(GateRefusedError, match="may widen access"):
        require_gate(changes, allow_widening=False)


def test_unread_policies_of_others_are_taken_to_allow_everything():
    own = role("Dark", invoke(CLAUDE), ManagedPolicyArns=["arn:aws:iam::aws:policy/NotRead"])
    first = compare(estate(own), estate(own, scp("guardrail", REQUIRE), role("New", invoke(CLAUDE))))
    assert (first.widening, first.unknown) == ((), ())
    loosened = compare(estate(own, scp("guardrail", REQUIRE)), estate(own))
    assert "role/Dark" in {item.label for item in loosened.widening}


@pytest.mark.parametrize(
    ("pattern", "action"), [("dynamodb:Scan", "dynamodb:Scan"), ("lambda:Invoke*", "lambda:InvokeAsync")]
)
def test_what_nobody_watches_widens_too(pattern, action):
    other = {"Sid": "O", "Effect": "Allow", "Action": pattern, "Resource": "*"}
    (found,) = compare(estate(role("App")), estate(role("App", other)), prove_for=0).widening
    assert found.principal == APP
    assert action in found.actions


def test_prover_finds_what_no_statement_names():
    before = {"Sid": "O", "Effect": "Deny", "NotAction": ["bedrock:*", "s3:*"], "Resource": "*"}
    everything = {"Sid": "A", "Effect": "Allow", "Action": ["dynamodb:Scan", "bedrock:Get*"], "Resource": "*"}
    changes = compare(
        estate(role("App", everything, before)), estate(role("App", everything)), watched=(), prove_for=120
    )
    assert [item.actions for item in changes.widening] == [("dynamodb:Scan",)]


@pytest.mark.parametrize(("seconds", "reason"), [(0, "no time was left"), (120, "nor ruled out in time")])
def test_what_is_not_proved_closes_the_gate(monkeypatch, seconds, reason):
    monkeypatch.setattr("ringwall.proof.compare.newly_allowed", lambda *_, **__: "unknown")
    before = estate(role("App", invoke(CLAUDE), invoke(NOVA, sid="More")))
    changes = compare(before, estate(role("App", invoke(CLAUDE, NOVA))), prove_for=seconds)
    assert changes.proved == ()
    (text,) = changes.unknown
    assert "role/App" in text
    assert reason in text
    with pytest.raises(GateRefusedError, match="may widen"):
        require_gate(changes, allow_widening=False)


def test_nothing_else_is_proved():
    before = estate(role("App", invoke(CLAUDE), invoke(NOVA, sid="More")), role("Same", invoke(CLAUDE)))
    swapped = estate(role("App", invoke(CLAUDE, NOVA)), role("Same", invoke(CLAUDE)))
    changes = compare(before, swapped, prove_for=120)
    assert (changes.newly_allows, changes.newly_denies) == ((), ())
    assert changes.proved == ("role/App",)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((invoke(CLAUDE),), (invoke(CLAUDE), REQUIRE), True),
        ((invoke(CLAUDE), invoke(NOVA, sid="B")), (invoke(CLAUDE),), True),
        ((invoke(CLAUDE),), (invoke(CLAUDE), invoke(NOVA, sid="B")), False),
        ((invoke(CLAUDE), REQUIRE), (invoke(CLAUDE),), False),
        ((invoke(CLAUDE),), (invoke(NOVA),), False),
    ],
)
def test_narrowing_is_seen_from_statements(before, after, expected):
    def policies(own):
        return Access(estate(role("App", *own))).policies(APP)

    assert narrows(policies(before), policies(after)) is expected
    unbound = replace(policies(before), scp=None)
    assert narrows(unbound, policies(before))
    assert not narrows(policies(before), unbound)


def test_comparison_is_quick():
    roles = [role(f"R{number}", invoke(CLAUDE), invoke(NOVA, sid="More")) for number in range(20)]
    started = time.perf_counter()
    compare(
        estate(*roles, scp("guardrail", REQUIRE), endpoint("vpce-1", FULL)),
        estate(*roles, endpoint("vpce-1", FULL)),
    )
    assert time.perf_counter() - started < 5
