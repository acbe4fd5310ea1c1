"""Models, profiles, the tables of Bedrock, and the crosswalk to compliance frameworks."""

from __future__ import annotations

import json
import re
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from ringwall.catalog import bedrock, frameworks, load, models, profiles
from ringwall.catalog.operations.names import services

SONNET = "anthropic.claude-sonnet-4-5-20250929-v1:0"
SLUGS = {
    "least-privilege-invoke", "guardrail-cannot-be-bypassed", "models-restricted", "regions-restricted",
    "vpc-endpoint-effective", "vpc-endpoint-cannot-be-skipped", "keys-effective", "trail-records-inference",
    "invocation-logging-delivers", "guardrail-filters-content", "guardrail-pinned", "alarms-reach-someone",
    "controls-protected", "api-keys-prevented", "data-retention-none", "buckets-private", "knowledge-base-sources",
    "guardrail-enforced", "resources-stay-in-organization", "nothing-shared-outside", "agents-bounded",
    "agentcore-enclosed", "calls-stayed-inside", "vector-store-closed",
}  # fmt: skip


# ---- profiles and models --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [SONNET, "amazon.nova-pro-v1:0"])
def test_quickstart_profiles_go_to_three_regions(model):
    assert profiles.destinations(f"us.{model}", "us-east-1") == ("us-east-1", "us-east-2", "us-west-2")
    assert models.tables().profiles[f"us.{model}"].verified


@pytest.mark.parametrize(
    ("identifier", "profile", "world"),
    [
        (f"us.{SONNET}", True, False),
        (f"global.{SONNET}", True, True),
        (f"us-gov.{SONNET}", True, False),
        (SONNET, False, False),
        ("amazon.nova-pro-v1:0", False, False),
        (f"arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.{SONNET}", True, False),
        ("arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/us.x.y", False, False),
        (f"arn:aws:bedrock:us-east-1::foundation-model/{SONNET}", False, False),
        ("us", False, False),
        ("", False, False),
    ],
)
def test_what_is_a_profile(identifier, profile, world):
    assert profiles.is_profile(identifier) is profile
    assert (profile and profiles.is_global(identifier)) is world


def test_foundation_model_of_a_profile():
    assert profiles.foundation_model(f"us.{SONNET}") == SONNET
    assert profiles.foundation_model(f"arn:aws:bedrock:eu-west-1:1:inference-profile/eu.{SONNET}") == SONNET
    with pytest.raises(ValueError, match="geography"):
        profiles.foundation_model(SONNET)


def test_source_region_comes_first_and_others_follow():
    assert profiles.destinations(f"us.{SONNET}", "us-west-2")[0] == "us-west-2"


@pytest.mark.parametrize(
    ("profile", "source", "regions"),
    [
        # https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html, December 2025
        (f"us.{SONNET}", "us-west-1", "us-west-1 us-east-1 us-east-2 us-west-2"),
        (f"us.{SONNET}", "ca-central-1", "ca-central-1 us-east-1 us-east-2 us-west-2"),
        ("us.anthropic.claude-3-5-sonnet-20240620-v1:0", "us-east-2", "us-east-1 us-west-2"),
        ("us.anthropic.claude-3-haiku-20240307-v1:0", "us-west-2", "us-west-2 us-east-1"),
        ("us.meta.llama3-2-11b-instruct-v1:0", "us-east-2", "us-east-2 us-east-1 us-west-2"),
        (f"us-gov.{SONNET}", "us-gov-east-1", "us-gov-west-1"),
        ("eu.amazon.nova-lite-v1:0", "eu-south-2", "eu-south-2 eu-central-1 eu-north-1 eu-west-1 eu-west-3"),
        (
            f"eu.{SONNET}",
            "eu-west-2",
            "eu-west-2 eu-central-1 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-3",
        ),
        (
            "apac.anthropic.claude-3-5-sonnet-20240620-v1:0",
            "ap-south-1",
            "ap-south-1 ap-northeast-1 ap-northeast-2 ap-southeast-1 ap-southeast-2",
        ),
        (f"jp.{SONNET}", "ap-northeast-3", "ap-northeast-3 ap-northeast-1"),
        (f"au.{SONNET}", "ap-southeast-4", "ap-southeast-4 ap-southeast-2"),
    ],
)
def test_destinations_are_those_of_the_page(profile, source, regions):
    assert profiles.destinations(profile, source) == tuple(regions.split())
    assert profiles.is_listed(profile)
    assert models.tables().profiles[profile].verified


@pytest.mark.parametrize(
    ("profile", "source"),
    [
        ("us.amazon.nova-micro-v1:0", "us-west-1"),
        ("us.meta.llama3-1-405b-instruct-v1:0", "us-east-1"),
        ("apac.amazon.nova-micro-v1:0", "ap-southeast-4"),
    ],
)
def test_a_listed_profile_is_not_called_where_its_geography_is(profile, source):
    assert source in models.tables().geographies[profiles.geography(profile)].sources
    with pytest.raises(ValueError, match=f"cannot be called in {source}, only in"):
        profiles.destinations(profile, source)


def test_unlisted_profile_takes_its_geography():
    assert not profiles.is_listed("us.example.new-model-v1:0")
    assert profiles.destinations("us.example.new-model-v1:0", "us-east-1") == (
        "us-east-1",
        "us-east-2",
        "us-west-2",
    )


def test_profile_of_another_geography_is_refused():
    with pytest.raises(ValueError, match="cannot be called in us-east-1"):
        profiles.destinations(f"eu.{SONNET}", "us-east-1")


def test_global_profile_has_a_model_without_region():
    assert profiles.models(f"global.{SONNET}", "eu-west-1") == (
        f"arn:aws:bedrock:eu-west-1::foundation-model/{SONNET}",
        f"arn:aws:bedrock:::foundation-model/{SONNET}",
    )


def test_profiles_and_models_fit_together():
    tables = models.tables()
    for name, profile in tables.profiles.items():
        assert profiles.foundation_model(name) in tables.models
        assert profile.source.startswith("https://")
        for source, regions in profile.destinations.items():
            place = tables.geographies[profiles.geography(name)]
            assert source in place.sources
            assert set(regions) <= {*place.regions, *place.sources}
    rows = (*tables.models.values(), *tables.profiles.values(), *tables.geographies.values())
    assert all(row.source.startswith("https://docs.aws.amazon.com/") for row in rows)
    assert all(re.fullmatch(r"20\d\d-\d\d", row.read) and row.read <= f"{tables.as_of:%Y-%m}" for row in rows)
    unread = [p.id for p in tables.profiles.values() if p.verified and not p.destinations]
    assert all(profiles.is_global(name) for name in unread)


@pytest.mark.parametrize(
    ("model", "on", "status"),
    [
        ("anthropic.claude-3-haiku-20240307-v1:0", date(2026, 9, 9), "ACTIVE"),
        ("anthropic.claude-3-haiku-20240307-v1:0", date(2026, 9, 10), "EOL"),
        ("anthropic.claude-opus-4-1-20250805-v1:0", date(2027, 1, 8), "EOL"),
        (SONNET, date(2026, 11, 23), "ACTIVE"),
    ],
)
def test_lifecycle(model, on, status):
    assert models.find(model).status(on) == status


def test_find_takes_arns_and_says_what_it_lacks():
    assert models.find(f"arn:aws:bedrock:us-east-1::foundation-model/{SONNET}").id == SONNET
    assert models.find("example.unknown") is None


def test_embeddings_take_no_guardrail():
    assert not models.find("amazon.titan-embed-text-v2:0").takes_guardrail
    assert models.find(SONNET).takes_guardrail


# ---- tables of Bedrock ----------------------------------------------------------------------------------------------


def test_tables_name_real_actions():
    named = (*bedrock.INFERENCE_ACTIONS, *bedrock.WEAKENING_ACTIONS, *bedrock.BEARER_ACTIONS)
    assert [action for action in named if not load().is_action(action)] == []
    assert len(set(bedrock.INFERENCE_ACTIONS)) == len(bedrock.INFERENCE_ACTIONS)


def test_inference_paths_agree_with_the_reference():
    for path in bedrock.INFERENCE_PATHS:
        assert load().carries(path.action, bedrock.GUARDRAIL_KEY) is path.carries_guardrail, path.action
    assert bedrock.GUARDED_ACTIONS == ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")
    assert {"bedrock-mantle:CreateInference", "bedrock:CreateModelInvocationJob"} <= set(
        bedrock.UNGUARDED_ACTIONS
    )


def test_weakening_actions_name_controls():
    assert set(bedrock.WEAKENING_ACTIONS.values()) <= SLUGS


def test_operations_of_the_tables_exist():
    places = (*bedrock.GUARDRAIL_PLACES, *bedrock.DATA_EVENTS)
    assert [one for one in places if one[1] not in services()[one[0]].operations.values()] == []
    assert set(bedrock.DATA_EVENTS.values()) <= set(bedrock.TRAIL_RESOURCE_TYPES)
    assert set(bedrock.TRAIL_TYPES_OF_INFERENCE) <= set(bedrock.TRAIL_RESOURCE_TYPES)
    assert not set(bedrock.BASIC_SELECTOR_TYPES) & set(bedrock.TRAIL_RESOURCE_TYPES)


@pytest.mark.parametrize(
    ("name", "service_name", "host"),
    [
        (
            "bedrock-runtime",
            "com.amazonaws.eu-west-1.bedrock-runtime",
            "bedrock-runtime.eu-west-1.amazonaws.com",
        ),
        ("bedrock-mantle", "com.amazonaws.eu-west-1.bedrock-mantle", "bedrock-mantle.eu-west-1.api.aws"),
        ("bedrock-agent", "com.amazonaws.eu-west-1.bedrock-agent", "bedrock-agent.eu-west-1.amazonaws.com"),
        (
            "bedrock-agentcore.gateway",
            "com.amazonaws.eu-west-1.bedrock-agentcore.gateway",
            "*.gateway.bedrock-agentcore.eu-west-1.amazonaws.com",
        ),
        ("sts", "com.amazonaws.eu-west-1.sts", "sts.eu-west-1.amazonaws.com"),
    ],
)
def test_endpoint_services(name, service_name, host):
    endpoint = bedrock.ENDPOINT_SERVICES[name]
    assert bedrock.in_region(endpoint.service_name, "eu-west-1") == service_name
    assert host in [bedrock.in_region(one, "eu-west-1") for one in endpoint.private_dns]
    assert set(endpoint.prefixes) <= set(load().prefixes) | {"cloudwatch"}


def test_every_sibling_prefix_is_a_service():
    assert all(load().service(prefix) for prefix in bedrock.PREFIXES)


# ---- frameworks -----------------------------------------------------------------------------------------------------


def test_every_control_supports_every_framework():
    assert set(frameworks.slugs()) == SLUGS
    for slug in SLUGS:
        assert set(frameworks.ids(slug)) == set(frameworks.frameworks()), slug


def test_requirements_are_known_and_argued():
    for slug in frameworks.slugs():
        for requirement in frameworks.requirements(slug):
            known = frameworks.frameworks()[requirement.framework].requirements
            assert known[requirement.id] == requirement.title
            assert requirement.rationale.endswith(".")
    assert frameworks.requirements("no-such-control") == ()
    assert frameworks.ids("guardrail-pinned")["NIST 800-53r5"] == ["CM-2", "CM-3"]


def test_every_requirement_is_one_of_the_framework():
    """Against each edition's own numbering, kept apart from the crosswalk."""
    document = json.loads((Path(__file__).parent / "framework_ids.json").read_text(encoding="utf-8"))
    vendored = {item["framework"]: item for item in document["lists"]}
    assert set(vendored) == set(frameworks.frameworks())
    for name, framework in frameworks.frameworks().items():
        assert vendored[name]["edition"] == framework.edition
        assert vendored[name]["source"] == framework.source
        assert len(vendored[name]["ids"]) == len(set(vendored[name]["ids"]))
        assert set(framework.requirements) <= set(vendored[name]["ids"]), name


def test_federal_ids_are_those_of_their_own_catalogs():
    """Taken from the OSCAL profiles that NIST and FedRAMP publish, whole: a baseline holds nothing that NIST lacks."""
    document = json.loads((Path(__file__).parent / "framework_ids.json").read_text(encoding="utf-8"))
    lists = {item["framework"]: item for item in document["lists"] if "authority" in item}
    assert set(lists) == {"NIST 800-53r5", "FedRAMP Moderate"}
    baseline = set(lists["FedRAMP Moderate"]["ids"])
    assert len(baseline) == 323  # FedRAMP's own count
    assert baseline <= set(lists["NIST 800-53r5"]["ids"])
    assert all(item["read"] >= "2026-11-27" for item in lists.values())


def test_the_risk_management_framework_and_the_top_ten_are_whole():
    document = json.loads((Path(__file__).parent / "framework_ids.json").read_text(encoding="utf-8"))
    counts = {item["framework"]: len(item["ids"]) for item in document["lists"]}
    assert counts["NIST AI RMF"] == 72
    assert counts["OWASP LLM 2025"] == 10
    assert counts["ISO 42001"] == 38  # of Annex A, by the standard's own count


def test_what_aws_answers_for_is_kept_apart():
    for framework in frameworks.frameworks().values():
        assert framework.inherited.endswith(".")
        assert framework.customer.endswith(".")


def test_no_word_of_the_tables_says_that_anybody_complies():
    text = (files("ringwall.catalog") / "data" / "frameworks.json").read_text(encoding="utf-8")
    assert "complian" not in text.replace("aws.amazon.com/compliance", "").lower()


def test_no_requirement_is_listed_for_nothing():
    used = {(one.framework, one.id) for slug in SLUGS for one in frameworks.requirements(slug)}
    listed = {(name, one) for name, item in frameworks.frameworks().items() for one in item.requirements}
    assert listed == used


def test_programs_are_dated_and_never_claimed_as_verified():
    assert all(program.as_of <= models.tables().as_of for program in frameworks.programs())
    assert not any(program.verified for program in frameworks.programs())
    assert {program.program for program in frameworks.programs()} >= {"HIPAA", "PCI DSS", "GDPR"}
