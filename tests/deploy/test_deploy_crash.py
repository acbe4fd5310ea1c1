"""Dying, waiting and being refused at every single write to AWS: the next run goes on, nothing is made twice.

The sandbox keeps the account, the kinds are the real ones, and the Estate has every type of resource that the quickstart
has. A run that dies after its first write leaves the same account behind as one that dies after its tenth, so a chain of
runs that each live for one write goes through every state that a death can leave.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress

import boto3
import pytest

from deploy.deploy_fakes import Killed
from deploy.deploy_sweep import (
    COMPLETE,
    QUICKSTART,
    Deployment,
    Faults,
    counts,
    lost,
    one_of_each,
    throttled_then_denied,
    timed_out,
)
from ringwall.controls.compile import compile_estate
from ringwall.demo.world import environment
from ringwall.estate.kinds import registry
from ringwall.perimeter import load, loads
from ringwall.sandbox import Sandbox

MANY = 200
"""More runs than any of the chains needs."""


RARE = {
    # types of which the quickstart has none, by the declaration that has one
    "AWS::Bedrock::ResourcePolicy",
    "AWS::Bedrock::EnforcedGuardrailConfiguration",
    "Ringwall::CloudTrail::EventSelectors",
}
TRAIL = "company-trail"


@pytest.fixture(params=["quickstart", "complete"])
def deployment(request):
    """The quickstart's every type; and what only the example that declares everything has, on a trail of somebody's."""
    with Sandbox() as sandbox, environment(sandbox.environment()):
        if request.param == "quickstart":
            yield Deployment.connected(one_of_each)
            return
        existing_trail()
        text = COMPLETE.read_text(encoding="utf-8") + f"  rare:\n    logging: {{trail: {TRAIL}}}\n"
        yield Deployment.connected(lambda estate: one_of_each(estate, RARE), loads(text, environment="rare"))


def existing_trail():
    """A trail that records management events of its own, before anything is deployed."""
    session = boto3.Session()
    s3, cloudtrail = session.client("s3"), session.client("cloudtrail")
    s3.create_bucket(Bucket=f"{TRAIL}-bucket")
    resources = [f"arn:aws:s3:::{TRAIL}-bucket", f"arn:aws:s3:::{TRAIL}-bucket/*"]
    service = {"Service": "cloudtrail.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": service, "Action": ["s3:GetBucketAcl", "s3:PutObject"], "Resource": resources}  # fmt: skip
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3.put_bucket_policy(Bucket=f"{TRAIL}-bucket", Policy=document)
    cloudtrail.create_trail(Name=TRAIL, S3BucketName=f"{TRAIL}-bucket", IsMultiRegionTrail=True)
    cloudtrail.put_event_selectors(TrailName=TRAIL, AdvancedEventSelectors=[THEIRS])


THEIRS = {"Name": "Theirs", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}


def selectors():
    """What the existing trail records, where there is one."""
    cloudtrail = boto3.Session().client("cloudtrail")
    if not any(item["Name"] == TRAIL for item in cloudtrail.list_trails()["Trails"]):
        return None
    return cloudtrail.get_event_selectors(TrailName=TRAIL)["AdvancedEventSelectors"]


def wanted(deployment, before):
    """What there should be once everything is applied, by type. Singletons of Bedrock's are there from the start."""
    made = Counter(item.type for item in deployment.desired)
    there = {name for name in made if getattr(registry()[name], "slug", "") and before[name]}
    return before + Counter({name: number for name, number in made.items() if name not in there})


def test_every_type_that_is_written_is_killed_somewhere():
    quickstart = {item.type for item in compile_estate(load(QUICKSTART))}
    written = {name for name, kind in registry().items() if kind.permissions.write}
    assert quickstart | RARE == written - NEVER_DECLARED


NEVER_DECLARED = {
    # read, drift and destroy know them; no declaration compiles to one
    "AWS::IAM::User",
    "AWS::IAM::Group",
    "AWS::IAM::ManagedPolicy",
    "AWS::Logs::MetricFilter",
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
    assert THEIRS in (selectors() or [THEIRS])
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
    assert selectors() in (None, [THEIRS])


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


def test_a_key_has_its_policy_and_its_tags_from_its_first_moment():
    """Whoever dies right after CreateKey leaves no key behind that the account's every policy could open."""
    with Sandbox() as sandbox, environment(sandbox.environment()):
        alone = Deployment.connected(
            lambda estate: estate.with_resources(item for item in estate if item.id == "key/guardrail")
        )
        faults = Faults(kill_after=1)
        with pytest.raises(Killed):
            alone.apply(alone.plan(), faults, workers=1)
        assert faults.writes == [("kms", "CreateKey")]
        kms = boto3.Session().client("kms")
        told = {key: kms.list_resource_tags(KeyId=key)["Tags"] for key in customer_keys(kms)}
        (key,) = (
            name
            for name, tags in told.items()
            if {"TagKey": "ringwall:id", "TagValue": "key/guardrail"} in tags
        )
        (declared,) = alone.desired
        assert json.loads(kms.get_key_policy(KeyId=key)["Policy"]) == declared.get("KeyPolicy")


def customer_keys(kms):
    listed = [item["KeyId"] for item in kms.list_keys()["Keys"]]
    return [key for key in listed if kms.describe_key(KeyId=key)["KeyMetadata"]["KeyManager"] == "CUSTOMER"]
