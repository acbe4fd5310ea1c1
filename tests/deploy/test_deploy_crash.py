"""Dying, waiting and being refused at every single write to AWS: the next run goes on, nothing is made twice.

The sandbox keeps the account, the kinds are the real ones, and the Estate has every type of resource that the quickstart
has. A run that dies after its first write leaves the same account behind as one that dies after its tenth, so a chain of
runs that each live for one write goes through every state that a death can leave.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

import pytest

from deploy.deploy_fakes import Killed
from deploy.deploy_sweep import (
    Deployment,
    Faults,
    counts,
    lost,
    one_of_each,
    throttled_then_denied,
    timed_out,
)
from ringwall.demo.world import environment
from ringwall.estate.kinds import registry
from ringwall.sandbox import Sandbox

MANY = 200
"""More runs than any of the chains needs."""


@pytest.fixture
def deployment():
    with Sandbox() as sandbox, environment(sandbox.environment()):
        yield Deployment.connected(one_of_each)


def wanted(deployment, before):
    """What there should be once everything is applied, by type. Singletons of Bedrock's are there from the start."""
    made = Counter(item.type for item in deployment.desired)
    there = {name for name in made if getattr(registry()[name], "slug", "") and before[name]}
    return before + Counter({name: number for name, number in made.items() if name not in there})


def test_the_estate_has_every_type(deployment):
    assert {item.type for item in deployment.desired} >= {
        name for name, kind in registry().items() if kind.permissions.write
    } - NOT_IN_THE_QUICKSTART


NOT_IN_THE_QUICKSTART = {
    "AWS::IAM::User",
    "AWS::IAM::Group",
    "AWS::IAM::ManagedPolicy",
    "AWS::Logs::MetricFilter",
    "AWS::Bedrock::ResourcePolicy",
    "AWS::Bedrock::EnforcedGuardrailConfiguration",
    "Ringwall::CloudTrail::EventSelectors",
}


def test_killed_after_every_write_there_and_back(deployment):
    observed = deployment.observe()
    before = counts(observed)
    deaths = 0
    while not (plan := deployment.plan(observed)).empty:
        faults = Faults(kill_after=1)
        with pytest.raises(Killed):
            deployment.apply(plan, faults, workers=1)
        observed = deployment.refreshed(observed, faults.writes)
        deaths += 1
        assert deaths < MANY
    assert deaths > 2 * len(deployment.desired.resources) * 0.7
    observed = deployment.observe()
    assert deployment.plan(observed).empty
    assert counts(observed) == wanted(deployment, before)
    before_last, life = None, 1
    while (destruction := deployment.destruction(observed)).removals:
        faults = Faults(kill_after=life)
        with suppress(Killed):
            deployment.destroy(destruction, faults)
        deaths += 1
        # A policy that cannot be removed is reset in each run; only a longer life gets past it.
        life = life + 1 if faults.writes == before_last else 1
        before_last = faults.writes
        observed = deployment.refreshed(observed, faults.writes)
        assert deaths < MANY
    assert deployment.destruction().removals == ()


@pytest.mark.parametrize(
    "fault", [lost, timed_out, throttled_then_denied], ids=["lost", "timed out", "throttled, then denied"]
)
def test_every_write_meets_the_fault_once(deployment, fault):
    observed = deployment.observe()
    before, faults, runs = counts(observed), Faults(fault=fault), 0
    while not (plan := deployment.plan(observed)).empty:
        already = len(faults.writes)
        applied = deployment.apply(plan, faults)
        done = faults.writes[already:]
        assert done or not applied.complete
        observed = deployment.refreshed(observed, done)
        runs += 1
        assert runs < MANY
    assert counts(observed) == wanted(deployment, before)
    assert (runs == 1) == (fault is lost)
