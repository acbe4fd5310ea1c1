"""docs/errata.md: all 67 are there, and every test that it names is."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from ringwall.controls import registry
from ringwall.controls.findings import Status
from ringwall.estate.model import Resource
from ringwall.lint import registry as rules

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "errata.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (E\d\d) \| (.+?) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)


@cache
def defined_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
    return frozenset(
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def test_each_is_there_once_and_in_order() -> None:
    assert [row[0] for row in ROWS] == [f"E{number:02}" for number in range(1, 68)]


def test_each_names_tests_that_exist() -> None:
    missing = []
    for number, _, _, shown in ROWS:
        named = re.findall(r"`([\w/.]+)::(\w+)`", shown)
        assert named, number
        missing += [(number, path, name) for path, name in named if name not in defined_in(path)]
    assert missing == []


def test_controls_and_rules_that_are_named_exist() -> None:
    slugs = {control.slug for control in registry()} | {rule.slug for rule in rules()}
    for _, _, met, _ in ROWS:
        for kind, named in re.findall(r"(control|lint) ((?:`[\w-]+`(?:, )?)+)", met):
            assert set(re.findall(r"`([\w-]+)`", named)) <= slugs, (kind, named)


def test_the_client_waits_as_long_as_an_answer_may_take() -> None:
    from inspect import signature

    from ringwall import session

    assert signature(session).parameters["read_timeout"].default == 3600


def test_what_the_page_on_the_declaration_says_of_defaults_is_so() -> None:
    from controls.controls_estates import declaration
    from ringwall.controls.policies import UNGUARDED_PATHS

    page = (ROOT / "docs" / "declaration.md").read_text(encoding="utf-8")
    perimeter = declaration()
    assert not perimeter.enforcement.account
    assert perimeter.siblings == {}
    assert perimeter.data_retention == "none"
    assert not perimeter.organization.resource_control
    closed = {action.removeprefix("bedrock:") for action in UNGUARDED_PATHS}
    for name in re.findall(r"^\| (`[\w`, ]+`) \|", page, re.MULTILINE):
        named = set(re.findall(r"\w+", name))
        assert named <= closed | {
            "enforcement",
            "siblings",
            "encryption",
            "logging",
            "data_retention",
            "bedrock",
        }, named


def test_the_application_alone_reaches_the_endpoints_and_they_reach_nothing() -> None:
    from controls.controls_estates import compiled, complete, quickstart

    for perimeter in (quickstart(), complete()):
        estate = compiled(perimeter)
        (group,) = estate.of_type("AWS::EC2::SecurityGroup")
        (rule,) = group.get("SecurityGroupIngress")
        source = rule["SourceSecurityGroupId"]
        assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 443, 443)
        assert source == perimeter.network.application_security_group
        assert not any(name.startswith("Cidr") or name.endswith("PrefixListId") for name in rule)
        assert group.get("SecurityGroupEgress") == []
        endpoints = estate.of_type("AWS::EC2::VPCEndpoint")
        assert len(endpoints) == len(perimeter.network.endpoints)
        assert len({tuple(item.get("SecurityGroupIds")) for item in endpoints}) == 1
        assert all(len(item.get("SecurityGroupIds")) == 1 for item in endpoints)


@pytest.mark.parametrize("attribute", ["EnableDnsSupport", "EnableDnsHostnames"])
@pytest.mark.parametrize("value", [True, False])
def test_private_dns_needs_two_settings_of_the_vpc(attribute: str, value: bool) -> None:
    from controls.controls_estates import ACCOUNT, desired, quickstart, verdicts

    attributes = {"EnableDnsSupport": True, "EnableDnsHostnames": True, attribute: value}
    vpc = Resource("AWS::EC2::VPC", ACCOUNT, "us-east-1", quickstart().network.vpc, attributes)
    found = verdicts(desired().with_resources([*desired(), vpc]), "vpc-endpoint-effective")
    said = f"has {attribute} off, so private DNS does not resolve"
    assert any(item.status is Status.FAIL and said in item.summary for item in found) is not value


@pytest.mark.parametrize("attribute", ["EnableDnsSupport", "EnableDnsHostnames"])
def test_private_dns_is_unknown_where_the_settings_were_not_read(attribute: str) -> None:
    from controls.controls_estates import ACCOUNT, desired, quickstart, unreadable, verdicts

    both = {"EnableDnsSupport": True, "EnableDnsHostnames": True}
    vpc = Resource("AWS::EC2::VPC", ACCOUNT, "us-east-1", quickstart().network.vpc, both)
    read = desired().with_resources([*desired(), unreadable(attribute)(vpc)])
    found = [item for item in verdicts(read, "vpc-endpoint-effective") if item.status is Status.UNKNOWN]
    assert len(found) == len(quickstart().network.endpoints)
    said = f"{attribute} of {vpc.id} could not be read: AccessDenied: needs some:Permission"
    assert all(said in item.summary for item in found)


@pytest.mark.parametrize("modality", ["Text", "Image", "Embedding", "Video", "Audio"])
@pytest.mark.parametrize("off", ["false", "unsaid"])
def test_every_modality_is_on_and_one_that_is_not_is_said(modality: str, off: str) -> None:
    from controls.controls_estates import changed, desired, setting, verdicts

    resource, name = "invocation-logging/main", f"{modality}DataDeliveryEnabled"
    there = desired().find(resource)
    assert there is not None
    config = there.get("LoggingConfig")
    assert config[name] is True
    left = {key: value for key, value in config.items() if key != name}
    broken = setting(LoggingConfig=left if off == "unsaid" else {**config, name: False})
    (finding,) = verdicts(changed(resource, broken), "invocation-logging-delivers")
    assert finding.status is Status.FAIL
    assert f"off: {modality.lower()}" in finding.summary


def test_the_trail_records_management_events_and_each_data_type_of_bedrock() -> None:
    from controls.controls_estates import desired

    trail = desired().find("trail/main")
    assert trail is not None
    fields = [
        {field["Field"]: field["Equals"] for field in selector["FieldSelectors"]}
        for selector in trail.get("AdvancedEventSelectors")
    ]
    assert {"eventCategory": ["Management"]} in fields, "all of them: reads and writes"
    types = {item["resources.type"][0] for item in fields if "resources.type" in item}
    bedrock = {"Guardrail", "AgentAlias", "InlineAgent", "KnowledgeBase", "FlowAlias", "Model", "AsyncInvoke", "PromptVersion"}  # fmt: skip
    assert {f"AWS::Bedrock::{name}" for name in bedrock} | {"AWS::BedrockMantle::Project"} <= types
    assert all(len(item["resources.type"]) == 1 for item in fields if "resources.type" in item)
