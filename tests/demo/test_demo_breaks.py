"""Parts 4 and 5 are live: with one thing switched off in the account, the line that rests on it turns red."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from demo.quickstart_account import deployed, put_right
from ringwall.demo.calls import CASES, answers, refused_by_server
from ringwall.demo.line import Line, Lines
from ringwall.demo.records import (
    auditor_reads_no_prompts,
    logged_to_bucket,
    logged_to_group,
    trail_delivered,
    trail_events,
)
from ringwall.demo.world import World
from ringwall.errors import RingwallError

CASE = {case.slug: case for case in CASES}
MEMBER = "111122223333"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with deployed(tmp_path_factory.mktemp("breaks")) as found:
        yield found


@contextmanager
def detached(world: World, name: str) -> Iterator[None]:
    """A service control policy that is there, and attached to nothing."""
    which = {"PolicyId": world.attributes[f"scp/{name}"]["Id"], "TargetId": MEMBER}
    world.management.call("organizations", "DetachPolicy", **which)
    try:
        yield
    finally:
        world.management.call("organizations", "AttachPolicy", **which)


def seen(lines: Lines) -> dict[str, bool]:
    """Whether each line was observed."""
    return {line.slug: line.ok for line in lines}


def refused(world: World, *slugs: str) -> dict[str, bool]:
    return seen(iter([refused_by_server(world, CASE[slug]) for slug in slugs]))


@pytest.mark.parametrize(
    ("policy", "rests", "does_not"),
    [
        ("network", "outside-endpoint", "wrong-model"),
        ("guardrail", "operator-weak-guardrail", "outside-endpoint"),
        ("models", "global-profile", "no-guardrail"),
        ("regions", "wrong-region", "weak-guardrail"),
    ],
)
def test_without_its_policy_a_refusal_is_not_observed(
    world: World, policy: str, rests: str, does_not: str
) -> None:
    assert refused(world, rests, does_not) == {f"server:{rests}": True, f"server:{does_not}": True}
    with detached(world, policy):
        assert refused(world, rests, does_not) == {f"server:{rests}": False, f"server:{does_not}": True}


def test_without_the_network_policy_the_right_call_from_outside_is_answered(world: World) -> None:
    with detached(world, "network"):
        line = refused_by_server(world, CASE["outside-endpoint"])
    assert line == Line(line.slug, "the server let the right call from outside the endpoint pass", ok=False)


def test_a_refusal_by_the_wrong_layer_does_not_count(world: World) -> None:
    """Without the guardrail policy the application's own role still refuses: the line wants the policy."""
    with detached(world, "guardrail"):
        line = refused_by_server(world, CASE["weak-guardrail"])
    assert not line.ok
    assert "denied by identity invoke, statement DenyWithoutPinnedGuardrail" in line.details[1]
    assert not any("scp" in detail for detail in line.details)


def called(world: World) -> None:
    """The calls whose records part 5 looks for."""
    assert seen(answers(world)) == {"answered": True, "streamed": True, "blocked": True}
    assert refused(world, "weak-guardrail") == {"server:weak-guardrail": True}
    world.sandbox.flush()


def logged(world: World) -> dict[str, bool]:
    return seen(iter([*logged_to_bucket(world), *logged_to_group(world)]))


def test_a_version_without_the_word_is_not_called_with_whatever_it_is_described_as(world: World) -> None:
    """The pinned version is deleted for one without the word that is described as it was: no line is green then."""
    declared, pinned = world.perimeter.guardrail, world.attributes["guardrail-version/baseline"]["Version"]
    bedrock, guardrail = world.administrator("bedrock"), world.attributes["guardrail/baseline"]["Id"]
    description = bedrock.get_guardrail(guardrailIdentifier=guardrail, guardrailVersion=pinned)["description"]
    bedrock.update_guardrail(
        guardrailIdentifier=guardrail,
        name=declared.name,
        blockedInputMessaging=declared.blocked_input,
        blockedOutputsMessaging=declared.blocked_output,
        wordPolicyConfig={"wordsConfig": [{"text": "xyzzy"}]},
        kmsKeyId=world.attributes["key/guardrail"]["Arn"],
    )
    made = bedrock.create_guardrail_version(guardrailIdentifier=guardrail, description=description)
    bedrock.delete_guardrail(guardrailIdentifier=guardrail, guardrailVersion=pinned)
    with pytest.raises(RingwallError, match="no numbered version with the declared content"):
        seen(answers(world))
    bedrock.delete_guardrail(guardrailIdentifier=guardrail, guardrailVersion=made["version"])
    put_right(world)
    assert seen(answers(world)) == {"answered": True, "streamed": True, "blocked": True}


def test_with_the_trail_stopped_nothing_is_delivered(world: World) -> None:
    trail = world.administrator("cloudtrail")
    trail.stop_logging(Name="quickstart-bedrock")
    called(world)
    assert not trail_delivered(world).ok
    trail.start_logging(Name="quickstart-bedrock")
    called(world)
    assert trail_delivered(world).ok


def test_a_trail_that_drops_reads_does_not_deliver_the_calls(world: World) -> None:
    trail = world.administrator("cloudtrail")
    fields = [
        {"Field": "eventCategory", "Equals": ["Management"]},
        {"Field": "readOnly", "Equals": ["false"]},
    ]
    trail.put_event_selectors(
        TrailName="quickstart-bedrock", AdvancedEventSelectors=[{"Name": "Writes", "FieldSelectors": fields}]
    )
    called(world)
    assert not trail_delivered(world).ok
    put_right(world)
    called(world)
    assert trail_delivered(world).ok


def test_events_of_calls_that_went_another_way_do_not_count(world: World) -> None:
    """The line says through which endpoint a call came; a call over the public network is recorded without one."""
    called(world)
    assert seen(trail_events(world)) == {
        "trail:answered": True,
        "trail:blocked": True,
        "trail:refused:weak-guardrail": True,
    }
    refused(world, "outside-endpoint")
    world.seen["refused:weak-guardrail"] = world.seen["refused:outside-endpoint"]
    assert seen(trail_events(world)) == {
        "trail:answered": True,
        "trail:blocked": True,
        "trail:refused:weak-guardrail": False,
    }


def test_without_the_logging_configuration_nothing_is_logged(world: World) -> None:
    called(world)
    assert logged(world) == {"log:bucket": True, "log:group": True}
    world.administrator("bedrock").delete_model_invocation_logging_configuration()
    called(world)
    assert logged(world) == {"log:bucket": False, "log:group": False}
    put_right(world)


def test_a_logging_role_without_permission_leaves_the_log_group_without_entries(world: World) -> None:
    iam = world.administrator("iam")
    iam.delete_role_policy(RoleName="quickstart-invocation-logging", PolicyName="write-invocation-logs")
    called(world)
    assert logged(world) == {"log:bucket": True, "log:group": False}
    put_right(world)


def test_a_bucket_key_that_forgets_bedrock_leaves_the_bucket_without_entries(world: World) -> None:
    kms, key = world.administrator("kms"), world.attributes["key/invocation-log-bucket"]["Arn"]
    policy = json.loads(kms.get_key_policy(KeyId=key)["Policy"])
    policy["Statement"] = [item for item in policy["Statement"] if "Service" not in item["Principal"]]
    kms.put_key_policy(KeyId=key, Policy=json.dumps(policy))
    called(world)
    assert logged(world) == {"log:bucket": False, "log:group": True}
    put_right(world)


def test_an_auditor_who_may_read_the_bucket_and_its_key_turns_the_line_red(world: World) -> None:
    called(world)
    assert auditor_reads_no_prompts(world).ok
    iam = world.administrator("iam")
    everything = {"Effect": "Allow", "Action": ["s3:*", "kms:*"], "Resource": "*"}
    for name in iam.list_role_policies(RoleName="quickstart-auditor")["PolicyNames"]:
        iam.put_role_policy(
            RoleName="quickstart-auditor",
            PolicyName=name,
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [everything]}),
        )
    assert auditor_reads_no_prompts(world).ok, (
        "the organization keeps the key from everybody but administrators"
    )
    with detached(world, "protect"):
        assert not auditor_reads_no_prompts(world).ok
    put_right(world)
    assert auditor_reads_no_prompts(world).ok
