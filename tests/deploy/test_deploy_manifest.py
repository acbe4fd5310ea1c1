"""Resources without tags: listed before they are made, found when the declaration drops them, struck when they go."""

from __future__ import annotations

import json

import pytest

from deploy.deploy_fakes import Killed
from deploy.deploy_sweep import Deployment, Faults, one_of_each
from ringwall import catalog
from ringwall.demo.world import environment
from ringwall.deploy.drift import find_drift
from ringwall.deploy.manifest import Entry, dumps, entry, loads, object_key
from ringwall.errors import AwsCallError, RingwallError
from ringwall.estate.kinds import registry
from ringwall.estate.model import Resource
from ringwall.sandbox import Sandbox

FILTER = "AWS::Logs::MetricFilter"
SUBSCRIPTION = "AWS::SNS::Subscription"
VERSION = "AWS::Bedrock::GuardrailVersion"


def with_filter(estate):
    """The Estate with a metric filter, which nothing tags."""
    group = next(item for item in estate if item.type == "AWS::Logs::LogGroup")
    properties = {
        "LogGroupName": group.properties["LogGroupName"],
        "FilterName": "denied",
        "FilterPattern": "{ $.errorCode = AccessDenied }",
        "MetricTransformations": [
            {"MetricName": "Denied", "MetricNamespace": "Ringwall", "MetricValue": "1"}
        ],
    }
    more = Resource(
        FILTER, group.account, group.region, "metric-filter/denied", properties, depends_on=(group.id,)
    )
    return estate.with_resources([*estate, more])


@pytest.fixture(scope="module")
def deployment():
    with Sandbox() as sandbox, environment(sandbox.environment()):
        made = Deployment.connected(lambda estate: with_filter(one_of_each(estate)))
        assert made.apply(made.plan()).complete
        yield made


@pytest.fixture
def declared(deployment):
    """The declaration, put back after the test changed it."""
    before = deployment.desired
    yield deployment
    deployment.desired = before
    assert deployment.apply(deployment.plan()).complete
    assert deployment.plan().empty


def without(estate, *types):
    """The Estate without resources of these types."""
    return estate.with_resources(item for item in estate if item.type not in types)


def listed_types(deployment):
    return sorted(item.type for item in deployment.listed(deployment.observe(["AWS::S3::Bucket"])))


def test_everything_without_tags_is_listed(deployment):
    expected = sorted(
        item.type
        for item in deployment.desired
        if not registry()[item.type].taggable and item.type != "AWS::KMS::Alias"
    )
    assert {FILTER, SUBSCRIPTION, VERSION, "AWS::S3::BucketPolicy"} <= set(expected)
    assert listed_types(deployment) == expected


def test_a_second_apply_writes_nothing(deployment):
    faults = Faults()
    assert deployment.apply(deployment.plan(), faults).complete
    assert faults.writes == []


@pytest.mark.parametrize("kind", [FILTER, SUBSCRIPTION])
def test_what_the_declaration_drops_is_drift_and_goes(declared, kind):
    declared.desired = without(declared.desired, kind)
    plan = declared.plan()
    (change,) = plan.todo
    assert (change.action, change.resource.type) == ("delete", kind)
    assert change.reasons[0].startswith("the declaration no longer has ")
    found = find_drift(
        declared.desired,
        plan.observed,
        registry(),
        catalog.load(),
        perimeter=declared.perimeter.name,
        listed=declared.listed(plan.observed),
    )
    assert [item.resource.type for item in found.leftover] == [kind]
    assert declared.apply(plan).complete
    assert declared.plan().empty
    assert kind not in listed_types(declared)


def test_what_others_made_is_left_alone(declared):
    group = declared.desired.of_type("AWS::Logs::LogGroup")[0].properties["LogGroupName"]
    theirs = {"logGroupName": group, "filterName": "theirs", "filterPattern": ""}
    transformation = {"metricName": "a", "metricNamespace": "b", "metricValue": "1"}
    declared.aws.call("logs", "PutMetricFilter", **theirs, metricTransformations=[transformation])
    declared.desired = without(declared.desired, FILTER)
    (change,) = declared.plan().todo
    assert change.resource.get("FilterName") == "denied"
    declared.aws.call("logs", "DeleteMetricFilter", logGroupName=group, filterName="theirs")


def test_listed_before_it_is_made(declared):
    """Killed right after the resource was made and before anything else: it is listed."""
    declared.desired = without(declared.desired, FILTER)
    assert declared.apply(declared.plan()).complete
    declared.desired = with_filter(declared.desired)
    faults = Faults(kill_after=2)
    with pytest.raises(Killed):
        declared.apply(declared.plan(), faults, workers=1)
    assert faults.writes == [("s3", "PutObject"), ("logs", "PutMetricFilter")]
    declared.desired = without(declared.desired, FILTER)
    assert [change.action for change in declared.plan().todo] == ["delete"]


def test_what_cannot_be_listed_is_not_made(declared):
    declared.desired = without(declared.desired, FILTER)
    assert declared.apply(declared.plan()).complete
    declared.desired = with_filter(declared.desired)

    def no_manifest(carry_out, call, tries):
        if call == ("s3", "PutObject"):
            raise AwsCallError(*call, "AccessDenied", "no", permission="s3:PutObject")
        return carry_out()

    faults = Faults(fault=no_manifest)
    applied = declared.apply(declared.plan(), faults)
    assert [item.permission for item in applied.failed] == ["s3:PutObject"]
    assert faults.writes == []


def test_of_superseded_versions_the_newest_stays(declared):
    guardrail = declared.desired.of_type("AWS::Bedrock::Guardrail")[0]

    def change(words):
        """Another content, as the compiler would declare it: the version's description follows it."""
        properties = {**guardrail.properties, "BlockedInputMessaging": words}
        declared.desired = declared.desired.with_resources(
            Resource(item.type, item.account, item.region, item.id, properties)
            if item.id == guardrail.id
            else Resource(
                item.type,
                item.account,
                item.region,
                item.id,
                {**item.properties, "Description": f"test {words}", "BlockedInputMessaging": words},
                depends_on=item.depends_on,
            )
            if item.type == VERSION
            else item
            for item in declared.desired
        )
        plan = declared.plan()
        assert declared.apply(plan).complete
        return [item.resource.get("Version") for item in plan.todo if item.action == "delete"]

    assert change("one") == []
    assert change("two") == ["1"]
    assert declared.plan().empty
    assert sorted(item.get("Version") for item in declared.observe([VERSION])) == ["2", "3"]


def versions(deployment, bucket):
    answer = deployment.aws.call("s3", "ListObjectVersions", Bucket=bucket)
    return [(item["Key"], item["VersionId"]) for item in answer["Versions"]]


def test_the_text_holds_what_it_says():
    kind = registry()[FILTER]
    resource = Resource(
        FILTER, "1" * 12, "us-east-1", "metric-filter/a", {"LogGroupName": "g", "FilterName": "f"}
    )
    item = entry(kind, resource)
    assert item == Entry(
        FILTER, "1" * 12, "us-east-1", "metric-filter/a", {"FilterName": "f", "LogGroupName": "g"}
    )
    assert loads(dumps("p", [item]), "p") == (item,)
    assert object_key("p") == "ringwall/p/manifest.json"


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "{", '{"version": 1, "perimeter": "p", "resources": [{}]}', json.dumps({"version": 2})],
)
def test_a_broken_manifest_is_an_error_not_an_empty_one(text):
    with pytest.raises(RingwallError):
        loads(text, "p")


def test_another_perimeters_manifest_is_refused():
    with pytest.raises(RingwallError):
        loads(dumps("q", []), "p")


def test_destroy_takes_the_manifest_with_its_bucket_and_strikes_what_is_gone(deployment):
    """Runs last: it takes down what the others share."""
    made = deployment
    name = next(item for item in made.desired if item.id == "bucket/invocation-logs").properties["BucketName"]
    made.aws.call("s3", "PutObject", Bucket=name, Key="invocation-logs/a", Body=b"{}")
    destruction = made.destruction(purge=False)
    assert {item.resource.type for item in destruction.kept} >= {
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::KMS::Key",
    }
    assert name in [item.resource.id for item in destruction.kept]
    assert made.destroy(destruction).complete
    kept = {item.resource.id for item in destruction.kept if item.resource.type == "AWS::S3::Bucket"}
    assert listed_types(made) == ["AWS::S3::BucketPolicy"] * len(kept)
    for key, version in versions(made, name):
        if key != object_key("quickstart"):
            made.aws.call("s3", "DeleteObject", Bucket=name, Key=key, VersionId=version)
    again = made.destruction(purge=False)
    assert name not in [item.resource.id for item in again.kept]
    assert made.destroy(again).complete
    left = {item.id for item in made.observe(["AWS::S3::Bucket"])}
    assert left == kept - {name}, "the trail's bucket holds CloudTrail's log files"
