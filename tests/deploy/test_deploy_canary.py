"""A canary first: policies reach it alone, the rest follows if the account can still be read, else it is taken off."""

from __future__ import annotations

import pytest

from cli.command_line import ringwall
from deploy.deploy_fakes import KINDS
from deploy.deploy_sweep import QUICKSTART, Deployment, one_of_each
from ringwall.demo.world import environment
from ringwall.deploy.canary import changed_in_place, denials, first_wave, retreat, stands_in
from ringwall.deploy.changes import Change, Difference, Plan
from ringwall.estate.kinds import registry
from ringwall.estate.model import Account, Estate, Resource, Unknown
from ringwall.sandbox import Sandbox

ACCOUNT = "111122223333"
POLICY = "AWS::Organizations::Policy"


@pytest.fixture
def deployment():
    with Sandbox() as sandbox, environment(sandbox.environment()):
        yield Deployment.connected(one_of_each)


def unit(deployment):
    """The organizational unit that the account is in."""
    return deployment.observe([POLICY]).account(ACCOUNT).levels[-2]


def attached(deployment):
    """Where our policies are attached."""
    ours = {item.properties["Name"] for item in deployment.desired.of_type(POLICY)}
    found = deployment.observe([POLICY]).of_type(POLICY)
    return {tuple(item.get("TargetIds")) for item in found if item.get("Name") in ours}


def test_policies_go_to_the_canary_and_are_taken_off_again(deployment):
    target, whole = unit(deployment), deployment.desired
    plan = deployment.plan()
    assert stands_in(plan.observed, ACCOUNT, target)
    assert not stands_in(plan.observed, ACCOUNT, "ou-else-12345678")
    wave = first_wave(plan, target, registry())
    applied = deployment.apply(wave)
    assert applied.complete
    assert attached(deployment) == {(target,)}
    gone = list(retreat(deployment.management, wave, applied.made.values()))
    assert gone == [item.properties["Name"] for item in whole.of_type(POLICY)]
    assert attached(deployment) == {()}
    assert list(retreat(deployment.management, wave, applied.made.values())) == gone, "safe to repeat"


def test_apply_with_a_canary_ends_where_the_declaration_says(deployment):
    target = unit(deployment)
    done = ringwall("apply", "--file", str(QUICKSTART), "--yes", "--allow-widening", "--canary", target)
    assert done.code == 0, done.err
    assert f"canary {target}: what is there can still be read" in done.err
    assert attached(deployment) == {(ACCOUNT,)}
    assert ringwall("plan", "--file", str(QUICKSTART)).code == 0


def test_new_denials_count_and_old_gaps_do_not():
    def estate(*gaps):
        return Estate(
            "observed",
            (Account(ACCOUNT),),
            tuple(
                Resource(kind, ACCOUNT, "us-east-1", "?", unknown=(Unknown("*", reason),))
                for kind, reason in gaps
            ),
        )

    old = ("AWS::KMS::Key", "AccessDenied: needs kms:ListKeys")
    new = ("AWS::IAM::Role", "AccessDenied: needs iam:GetAccountAuthorizationDetails")
    other = ("AWS::SNS::Topic", "Throttling: sns:ListTopics: slow down")
    assert denials(estate(old), estate(old, other)) == ()
    assert denials(estate(old), estate(old, new)) == (f"{new[0]}: {new[1]}",)


def test_a_changed_text_cannot_be_held_back():
    policy = Resource(POLICY, ACCOUNT, "global", "scp/a", {"Name": "a", "TargetIds": [ACCOUNT]})
    there = Resource(POLICY, ACCOUNT, "global", "p-1", {"Name": "a", "TargetIds": [ACCOUNT]})
    estate = Estate("observed", (), (there,))

    def plan(path):
        change = Change("update", policy, there, (Difference(path, 1, 2),))
        return Plan("q", Estate("desired", (), (policy,)), estate, (change,))

    assert changed_in_place(plan("Content.Statement[A]")) == ("scp/a",)
    assert changed_in_place(plan("TargetIds")) == ()
    tried = first_wave(plan("TargetIds"), "ou-1", {POLICY: KINDS[POLICY]}).desired.find("scp/a")
    assert tried.properties["TargetIds"] == [ACCOUNT, "ou-1"], "what is attached stays attached"
