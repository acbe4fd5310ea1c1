"""The configuration of a guardrail under its three sets of names, in one table.

CloudFormation has ``ContentPolicyConfig.FiltersConfig``, CreateGuardrail ``contentPolicyConfig.filtersConfig``,
GetGuardrail ``contentPolicy.filters``. Members of the lists differ in their first letter alone
(https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateGuardrail.html, API_GetGuardrail.html).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ringwall.estate.kinds.documents import unique
from ringwall.estate.model import Ref

BLOCK_BOTH: Mapping[str, Any] = {
    "InputAction": "BLOCK",
    "OutputAction": "BLOCK",
    "InputEnabled": True,
    "OutputEnabled": True,
}
ENABLED_BOTH: Mapping[str, Any] = {"InputEnabled": True, "OutputEnabled": True}


@dataclass(frozen=True, slots=True)
class Items:
    """A list within a policy: its names in CloudFormation, in requests and in responses, and what AWS fills in."""

    name: str
    request: str
    response: str
    defaults: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Block:
    """A policy of a guardrail: its names, its lists, and its tier's name in CloudFormation."""

    name: str
    request: str
    response: str
    items: tuple[Items, ...]
    tier: str | None = None


BLOCKS = (
    Block(
        "ContentPolicyConfig",
        "contentPolicyConfig",
        "contentPolicy",
        (
            Items(
                "FiltersConfig",
                "filtersConfig",
                "filters",
                {**BLOCK_BOTH, "InputModalities": ["TEXT"], "OutputModalities": ["TEXT"]},
            ),
        ),
        "ContentFiltersTierConfig",
    ),
    Block(
        "TopicPolicyConfig",
        "topicPolicyConfig",
        "topicPolicy",
        (Items("TopicsConfig", "topicsConfig", "topics", {**BLOCK_BOTH, "Type": "DENY", "Examples": []}),),
        "TopicsTierConfig",
    ),
    Block(
        "WordPolicyConfig",
        "wordPolicyConfig",
        "wordPolicy",
        (
            Items("WordsConfig", "wordsConfig", "words", BLOCK_BOTH),
            Items("ManagedWordListsConfig", "managedWordListsConfig", "managedWordLists", BLOCK_BOTH),
        ),
    ),
    Block(
        "SensitiveInformationPolicyConfig",
        "sensitiveInformationPolicyConfig",
        "sensitiveInformationPolicy",
        (
            Items("PiiEntitiesConfig", "piiEntitiesConfig", "piiEntities", ENABLED_BOTH),
            Items("RegexesConfig", "regexesConfig", "regexes", ENABLED_BOTH),
        ),
    ),
    Block(
        "ContextualGroundingPolicyConfig",
        "contextualGroundingPolicyConfig",
        "contextualGroundingPolicy",
        (Items("FiltersConfig", "filtersConfig", "filters", {"Action": "BLOCK", "Enabled": True}),),
        "ContextualGroundingTierConfig",
    ),
)
TEXTS = (
    # CloudFormation, API
    ("Name", "name"),
    ("Description", "description"),
    ("BlockedInputMessaging", "blockedInputMessaging"),
    ("BlockedOutputsMessaging", "blockedOutputsMessaging"),
)
CONTENT = ("BlockedInputMessaging", "BlockedOutputsMessaging", *(block.name for block in BLOCKS))
"""Properties that a version fixes and that a declaration describes."""
REASONING = ("AutomatedReasoningPolicyConfig", "automatedReasoningPolicyConfig", "automatedReasoningPolicy")


def lower(value: Any) -> Any:
    """API spelling of CloudFormation's names: first letters small, all the way down."""
    return _respell(value, str.lower)


def upper(value: Any) -> Any:
    """CloudFormation's spelling of the API's names."""
    return _respell(value, str.upper)


def _respell(value: Any, letter: Any) -> Any:
    if isinstance(value, Mapping):
        return {letter(key[:1]) + key[1:]: _respell(item, letter) for key, item in value.items()}
    return [_respell(item, letter) for item in value] if isinstance(value, list | tuple) else value


def to_request(properties: Mapping[str, Any]) -> dict[str, Any]:
    """CloudFormation's properties as parameters of CreateGuardrail and UpdateGuardrail, tags left out."""
    request = {api: properties[name] for name, api in TEXTS if properties.get(name)}
    for block in BLOCKS:
        if properties.get(block.name):
            request[block.request] = _block_to_request(block, properties[block.name])
    if properties.get(REASONING[0]):
        request[REASONING[1]] = lower(properties[REASONING[0]])
    profile = (properties.get("CrossRegionConfig") or {}).get("GuardrailProfileArn")
    if profile:
        request["crossRegionConfig"] = {"guardrailProfileIdentifier": profile}
    if properties.get("KmsKeyArn"):
        request["kmsKeyId"] = properties["KmsKeyArn"]
    return request


def _block_to_request(block: Block, value: Mapping[str, Any]) -> dict[str, Any]:
    found = {items.request: lower(value[items.name]) for items in block.items if value.get(items.name)}
    if block.tier and value.get(block.tier):
        found["tierConfig"] = lower(value[block.tier])
    return found


def from_response(response: Mapping[str, Any]) -> dict[str, Any]:
    """A response of GetGuardrail as CloudFormation's properties."""
    found = {name: response[api] for name, api in TEXTS if response.get(api)}
    for block in BLOCKS:
        if response.get(block.response):
            value = _block_from_response(block, response[block.response])
            if value:
                found[block.name] = value
    if response.get(REASONING[2]):
        found[REASONING[0]] = upper(response[REASONING[2]])
    profile = (response.get("crossRegionDetails") or {}).get("guardrailProfileArn")
    if profile:
        found["CrossRegionConfig"] = {"GuardrailProfileArn": profile}
    if response.get("kmsKeyArn"):
        found["KmsKeyArn"] = response["kmsKeyArn"]
    return found


def _block_from_response(block: Block, value: Mapping[str, Any]) -> dict[str, Any]:
    found = {items.name: upper(value[items.response]) for items in block.items if value.get(items.response)}
    if block.tier and value.get("tier"):
        found[block.tier] = upper(value["tier"])
    return found


def canonical_block(name: str, value: Any) -> Any:
    """One policy with what AWS fills in, its lists as sets, those that are not there as empty ones."""
    block = next((item for item in BLOCKS if item.name == name), None)
    if block is None or not isinstance(value, Mapping):
        return value
    found: dict[str, Any] = {}
    for items in block.items:
        listed = value.get(items.name) or ()
        if not isinstance(listed, Ref):
            found[items.name] = unique(_canonical_item(items, item) for item in listed)
    if block.tier:
        found[block.tier] = value.get(block.tier) or {"TierName": "CLASSIC"}
    return found


def _canonical_item(items: Items, item: Any) -> Any:
    if not isinstance(item, Mapping):
        return item
    merged = {**items.defaults, **{key: part for key, part in item.items() if part is not None}}
    if items.defaults is ENABLED_BOTH:
        merged.setdefault("InputAction", merged.get("Action"))
        merged.setdefault("OutputAction", merged.get("Action"))
    for name in ("InputModalities", "OutputModalities"):
        if name in merged:
            merged[name] = sorted(merged[name])
    return merged
