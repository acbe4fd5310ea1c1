"""The declaration's limits against botocore's service models, which know them and do not check them."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import botocore.session
import pytest

from ringwall.estate.kinds.log_group import RETENTION_DAYS
from ringwall.perimeter import Perimeter
from ringwall.perimeter.model import CONTENT_FILTERS, PII_TYPES
from ringwall.perimeter.rules import REGION_STEMS
from ringwall.perimeter.schema import declaration_schema


@cache
def session() -> Any:
    return botocore.session.get_session()


@cache
def shape(service: str, name: str) -> Any:
    return session().get_service_model(service).shape_for(name)


def field(path: str) -> dict[str, Any]:
    """The schema of a field of the declaration; ``[]`` is the items of a list, ``{}`` the values of a mapping."""
    schema = declaration_schema()
    here: Any = schema
    for step in path.split("."):
        for name in re.findall(r"\[\]|\{\}|[^\[\]{}]+", step):
            here = _inside(schema, here)
            if name == "[]":
                here = here["items"]
            elif name == "{}":
                here = here.get("additionalProperties") or next(iter(here["patternProperties"].values()))
            else:
                here = here["properties"][name]
    return _inside(schema, here)


def _inside(schema: dict[str, Any], value: Any) -> Any:
    if "$ref" in value:
        return _inside(schema, schema["definitions"][value["$ref"].rsplit("/", 1)[-1]])
    if "oneOf" in value:
        plain = (_inside(schema, item) for item in value["oneOf"])
        return next(item for item in plain if item.get("type") != "object")
    if "anyOf" in value:
        return _inside(schema, next(item for item in value["anyOf"] if item.get("type") != "null"))
    return value


LENGTHS = [
    # field, service, shape; lengths of texts and lists alike
    ("guardrail.description", "bedrock", "GuardrailDescription"),
    ("guardrail.blocked_input", "bedrock", "GuardrailBlockedMessaging"),
    ("guardrail.blocked_output", "bedrock", "GuardrailBlockedMessaging"),
    ("guardrail.topics", "bedrock", "GuardrailTopicsConfig"),
    ("guardrail.topics[].examples", "bedrock", "GuardrailTopicExamples"),
    ("guardrail.topics[].examples[]", "bedrock", "GuardrailTopicExample"),
    ("guardrail.words", "bedrock", "GuardrailWordsConfig"),
    ("guardrail.words[]", "bedrock", "GuardrailWordConfigTextString"),
    ("guardrail.regexes", "bedrock", "GuardrailRegexesConfig"),
    ("guardrail.regexes[].name", "bedrock", "GuardrailRegexConfigNameString"),
    ("guardrail.regexes[].pattern", "bedrock", "GuardrailRegexConfigPatternString"),
    ("guardrail.regexes[].description", "bedrock", "GuardrailRegexConfigDescriptionString"),
    ("guardrail.reasoning.policies", "bedrock", "GuardrailAutomatedReasoningPolicyConfigPoliciesList"),
    ("guardrail.profile", "bedrock", "GuardrailCrossRegionGuardrailProfileIdentifier"),
    ("uses{}.external_id", "sts", "externalIdType"),
]


@pytest.mark.parametrize(("path", "service", "name"), LENGTHS)
def test_lengths(path: str, service: str, name: str) -> None:
    told, limits = field(path), shape(service, name).metadata
    most, least = ("maxItems", "minItems") if told["type"] == "array" else ("maxLength", "minLength")
    assert told.get(most) == limits["max"]
    # a list that may be left out may be empty; what is sent then leaves the member out
    assert told.get(least) == limits.get("min") or told["type"] == "array"


VALUES = [
    # field, service, shape, values that AWS takes, values that it does not
    ("guardrail.name", "bedrock", "GuardrailName", ["a", "A-1_b"], ["a b", "", "a.b"]),
    ("guardrail.topics[].name", "bedrock", "GuardrailTopicName", ["What? No!", "a.b"], ["a/b", "ä"]),
    ("guardrail.profile", "bedrock", "GuardrailCrossRegionGuardrailProfileIdentifier", ["us.guardrail.v1:0"], ["us-guardrail-v1", "us.guard.v1:0"]),
    ("guardrail.reasoning.policies[]", "bedrock", "AutomatedReasoningPolicyArn", ["arn:aws:bedrock:us-east-1:111122223333:automated-reasoning-policy/abcdefghij12:1"], ["abcdefghij12"]),
    ("enforcement.organization.key", "bedrock", "KmsKeyArn", ["arn:aws:kms:us-east-1:999988887777:key/1234abcd-12ab-34cd-56ef-1234567890ab"], ["alias/guardrail", "1234abcd-12ab-34cd-56ef-1234567890ab"]),
    ("enforcement.organization.version", "bedrock", "GuardrailNumericalVersion", ["1", "12345678"], ["0", "DRAFT", "123456789"]),
    ("enforcement.excluded_models[]", "bedrock", "ExcludedModelId", ["amazon.titan-embed-text-v2:0"], ["us.amazon.nova-pro-v1:0", "titan"]),
    ("enforcement.included_models[]", "bedrock", "IncludedModelId", ["ALL", "amazon.nova-pro-v1:0"], ["all"]),
    ("models{}", "bedrock-runtime", "InvokeModelIdentifier", ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", "amazon.nova-pro-v1:0", "arn:aws:bedrock:us-east-1:111122223333:custom-model-deployment/abcdefghij12"], ["arn:aws:iam::1:x"]),
    ("uses{}.knowledge_base", "bedrock-agent-runtime", "KnowledgeBaseId", ["KBQUICKST1"], ["short", "KB-QUICKST"]),
    ("knowledge_bases{}.secret", "bedrock-agent", "SecretArn", ["arn:aws:secretsmanager:us-east-1:111122223333:secret:a-b"], ["a-b"]),
    ("organization.id", "organizations", "OrganizationId", ["o-ringwallsb"], ["o-short", "ringwallsb"]),
]  # fmt: skip


@pytest.mark.parametrize(("path", "service", "name", "good", "bad"), VALUES, ids=[row[0] for row in VALUES])
def test_patterns(path: str, service: str, name: str, good: list[str], bad: list[str]) -> None:
    """Ours may be narrower (we take no ARN where an id will do), never wider."""
    ours, theirs = field(path)["pattern"], shape(service, name).metadata["pattern"]
    for value in good:
        assert re.search(ours, value), value
        assert re.fullmatch(theirs, value) or re.search(theirs, value), value
    for value in bad:
        assert not re.search(ours, value), value


def enum(service: str, name: str) -> set[str]:
    return set(shape(service, name).enum)


def test_choices() -> None:
    assert set(CONTENT_FILTERS) == enum("bedrock", "GuardrailContentFilterType")
    assert set(PII_TYPES) == enum("bedrock", "GuardrailPiiEntityType")
    assert {item.upper() for item in field("guardrail.strength")["enum"]} == enum(
        "bedrock", "GuardrailFilterStrength"
    )
    assert {item.upper() for item in field("guardrail.tier")["enum"]} == enum(
        "bedrock", "GuardrailContentFiltersTierName"
    )
    assert {item.upper() for item in field("enforcement.system")["enum"]} == enum(
        "bedrock", "SelectiveGuardingMode"
    )
    assert set(field("data_retention")["enum"]) <= enum("bedrock", "DataRetentionMode")


def test_numbers() -> None:
    rotation = shape("kms", "RotationPeriodInDaysType").metadata
    assert (field("encryption.rotation_days")["minimum"], field("encryption.rotation_days")["maximum"]) == (
        rotation["min"],
        rotation["max"],
    )
    confidence = shape("bedrock", "AutomatedReasoningConfidenceFilterThreshold").metadata
    assert field("guardrail.reasoning.confidence")["maximum"] == confidence["max"]
    metadata = session().get_service_model("bedrock-runtime").operation_model("Converse").input_shape
    assert field("client.metadata")["maxProperties"] == metadata.members["requestMetadata"].metadata["max"]


def test_retention_days_are_those_of_the_documentation() -> None:
    assert set(
        re.findall(
            r"\d+", shape("logs", "PutRetentionPolicyRequest").members["retentionInDays"].documentation
        )
    ) >= {str(days) for days in RETENTION_DAYS}


def test_names_of_regions_are_botocores() -> None:
    found: set[str] = set()
    for partition in session().get_available_partitions():
        for service in ("bedrock", "s3"):
            found |= set(session().get_available_regions(service, partition_name=partition))
    assert set(REGION_STEMS) == {region.rsplit("-", 1)[0] for region in found}


def test_every_field_of_the_declaration_is_in_the_schema_and_the_template() -> None:
    from importlib.resources import files

    template = files("ringwall.perimeter").joinpath("template.yaml").read_text()
    for name in Perimeter.model_fields:
        assert re.search(rf"^#? ?{name}:", template, re.MULTILINE), name
    assert set(declaration_schema()["properties"]) == set(Perimeter.model_fields)
