"""Destroying: order, what is kept, honesty about failures, saved plans."""

from __future__ import annotations

import json

import pytest

from deploy.deploy_fakes import KINDS, PERIMETER, deployed, desired_estate, observe, patient
from ringwall.deploy.apply import apply
from ringwall.deploy.destroy import destroy, plan_destroy, removing
from ringwall.deploy.effects import AccessChanges
from ringwall.deploy.plan import make_plan
from ringwall.deploy.saved import StalePlanError, load_plan, require_fresh, save_plan
from ringwall.errors import AwsCallError, RingwallError
from ringwall.estate.model import Resource


def planned(aws, desired=None):
    return make_plan(desired or desired_estate(), observe(aws), KINDS, perimeter=PERIMETER)


def run(aws, destruction):
    return destroy(destruction, aws, KINDS, management=aws, backoff=patient()[0])


def test_policies_go_first_and_data_stays_with_its_key():
    aws = deployed()
    destruction = plan_destroy(planned(aws), KINDS)
    removals = [change.id for change in destruction.removals]
    assert removals[0] == "scp/guardrail"
    assert removals.index("endpoint/bedrock-runtime") < removals.index("security-group/endpoints")
    kept = {item.resource.type: item.reason for item in destruction.kept}
    assert kept == {
        "AWS::S3::Bucket": "it may hold data",
        "AWS::Logs::LogGroup": "it may hold data",
        "AWS::KMS::Key": "bucket/logs, log-group/invocations cannot be read without it",
    }
    applied = run(aws, destruction)
    assert applied.complete
    assert {kind for kind, items in aws.items.items() if items} == set(kept)


def test_kept_resources_are_taken_up_again():
    aws = deployed()
    run(aws, plan_destroy(planned(aws), KINDS))
    assert planned(aws).summary == {"create": 6, "update": 0, "replace": 0, "delete": 0, "no-op": 3}
    assert apply(planned(aws), aws, KINDS, management=aws, backoff=patient()[0]).complete
    assert planned(aws).empty


def test_empty_stores_go_with_their_key():
    aws = deployed()
    destruction = plan_destroy(planned(aws), KINDS, holds_data=lambda _: False)
    assert destruction.kept == ()
    order = [change.id for change in destruction.removals]
    assert order.index("trail/main") < order.index("bucket/logs") < order.index("key/logs")
    run(aws, destruction)
    assert not any(aws.items.values())


def test_purge_removes_everything():
    aws = deployed()
    destruction = plan_destroy(planned(aws), KINDS, holds_data=lambda _: True, purge=True)
    assert len(destruction.removals) == 9
    run(aws, destruction)
    assert not any(aws.items.values())


@pytest.mark.parametrize("number", range(1, 7))
def test_killed_destroy_is_finished_by_the_next(number):
    aws = deployed()
    aws.faults = {number: "lost"}
    assert run(aws, plan_destroy(planned(aws), KINDS)).complete
    assert sum(map(len, aws.items.values())) == 3


def test_failure_keeps_what_is_still_used():
    aws = deployed()
    destruction = plan_destroy(planned(aws), KINDS)
    position = [change.id for change in destruction.removals].index("endpoint/bedrock-runtime")
    aws.faults = {position + 1: AwsCallError("ec2", "DeleteVpcEndpoints", "UnauthorizedOperation", "no")}
    applied = run(aws, destruction)
    assert [item.change.id for item in applied.failed] == ["endpoint/bedrock-runtime"]
    assert {item.change.id: item.reason for item in applied.not_attempted} == {
        "security-group/endpoints": "endpoint/bedrock-runtime still uses it"
    }


def test_nothing_there_is_nothing_to_destroy():
    aws = deployed()
    for items in aws.items.values():
        items.clear()
    destruction = plan_destroy(planned(aws), KINDS)
    assert (destruction.removals, destruction.kept) == ((), ())


def test_saved_plan_is_fresh_until_something_moves(tmp_path):
    aws = deployed()
    next(iter(aws.items["AWS::KMS::Key"].values()))["EnableKeyRotation"] = False
    path = tmp_path / "plan.json"
    save_plan(path, planned(aws), AccessChanges())
    saved = load_plan(path)
    require_fresh(saved, planned(aws))
    next(iter(aws.items["AWS::Bedrock::Guardrail"].values()))["Strength"] = "LOW"
    with pytest.raises(StalePlanError, match="The account changed"):
        require_fresh(saved, planned(aws))


def test_saved_plan_does_not_fit_an_edited_declaration(tmp_path):
    aws = deployed()
    path = tmp_path / "plan.json"
    save_plan(path, planned(aws), AccessChanges())
    desired = desired_estate()
    fewer = desired.with_resources(item for item in desired if item.id != "scp/guardrail")
    with pytest.raises(StalePlanError, match="The declaration changed"):
        require_fresh(load_plan(path), planned(aws, fewer))


def test_a_saved_plan_shows_what_it_does(tmp_path):
    aws = deployed()
    next(iter(aws.items["AWS::KMS::Key"].values()))["EnableKeyRotation"] = False
    path = tmp_path / "plan.json"
    save_plan(path, planned(aws), AccessChanges())
    whole = json.loads(path.read_text(encoding="utf-8"))
    for name, value in {"changes": whole["changes"][1:], "empty": True, "summary": {}}.items():
        path.write_text(json.dumps({**whole, name: value}), encoding="utf-8")
        with pytest.raises(StalePlanError, match="edited"):
            require_fresh(load_plan(path), planned(aws))
    path.write_text(json.dumps({**whole, "made_by": "ringwall 0.0.1"}), encoding="utf-8")
    with pytest.raises(RingwallError, match="was saved by ringwall 0.0.1, this is ringwall"):
        load_plan(path)


def test_a_plan_that_cannot_be_saved_says_why(tmp_path):
    with pytest.raises(RingwallError, match="cannot be written: No such file or directory"):
        save_plan(tmp_path / "nowhere" / "plan.json", planned(deployed()), AccessChanges())


@pytest.mark.parametrize(
    ("kind", "properties", "expected"),
    [
        ("AWS::S3::Bucket", {}, "aws s3 rb s3://name --force --region us-east-1"),
        ("AWS::S3::Bucket", {"VersioningConfiguration": {"Status": "Suspended"}}, "ringwall destroy --purge"),
        ("AWS::Logs::LogGroup", {}, "aws logs delete-log-group --log-group-name name --region us-east-1"),
        (
            "AWS::Logs::LogGroup",
            {"DeletionProtectionEnabled": True},
            (
                "aws logs put-log-group-deletion-protection --log-group-identifier name --no-deletion-protection-enabled "
                "--region us-east-1 && aws logs delete-log-group --log-group-name name --region us-east-1"
            ),
        ),
        ("AWS::S3::BucketPolicy", {}, "ringwall destroy --purge"),
    ],
)
def test_what_is_kept_comes_with_a_command_that_works(kind, properties, expected):
    assert removing(Resource(kind, "111122223333", "us-east-1", "name", properties)) == expected


@pytest.mark.parametrize("text", ["", "[]", json.dumps({"format": 99}), "not json"])
def test_what_is_no_saved_plan_is_refused(tmp_path, text):
    path = tmp_path / "plan.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RingwallError, match="plan"):
        load_plan(path)
