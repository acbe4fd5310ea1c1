"""Values that AWS takes and the Terraform AWS provider refuses: left out, or shortened, and told.

The provider counts bytes where AWS counts characters, and knows one length of topics' definitions for both tiers
(https://github.com/hashicorp/terraform-provider-aws/issues/44343).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

Fitted: TypeAlias = "tuple[Mapping[str, Any], list[str]]"
"""Properties that the provider takes, and what they lack."""

MESSAGES = {"Description": 200, "BlockedInputMessaging": 500, "BlockedOutputsMessaging": 500}
"""Texts of a guardrail that only people read, and the bytes that each may have: the rest is cut off."""
DEFINITION, EXAMPLE, REGEX_NAME, REGEX_DESCRIPTION = 200, 100, 100, 1_000
"""Bytes of a topic's definition and examples, and of a pattern's name and description."""


def guardrail_that_fits(properties: Mapping[str, Any]) -> Fitted:
    """A guardrail without the topics and patterns that the provider refuses, its messages as long as it takes them."""
    fitting, missing = dict(properties), []
    for name, most in MESSAGES.items():
        if name in properties and _bytes(properties[name]) > most:
            fitting[name] = _cut(properties[name], most)
            missing.append(f"{name} beyond {most} bytes")
    for policy, listed, fits in (
        ("TopicPolicyConfig", "TopicsConfig", _topic_fits),
        ("SensitiveInformationPolicyConfig", "RegexesConfig", _regex_fits),
    ):
        there = (properties.get(policy) or {}).get(listed) or ()
        refused = [item for item in there if not fits(item)]
        if refused:
            left = [item for item in there if item not in refused]
            rest = {key: value for key, value in properties[policy].items() if key != listed}
            fitting[policy] = {**rest, listed: left} if left else rest
            missing += [f"{policy}.{listed}[{item['Name']}]" for item in refused]
    return {name: value for name, value in fitting.items() if value != {}}, missing


def _topic_fits(topic: Mapping[str, Any]) -> bool:
    examples = topic.get("Examples") or ()
    return _bytes(topic["Definition"]) <= DEFINITION and all(_bytes(item) <= EXAMPLE for item in examples)


def _regex_fits(regex: Mapping[str, Any]) -> bool:
    return _bytes(regex["Name"]) <= REGEX_NAME and _bytes(regex.get("Description") or "") <= REGEX_DESCRIPTION


def _bytes(text: str) -> int:
    return len(text.encode())


def _cut(text: str, most: int) -> str:
    """The first bytes of a text, no character in halves."""
    return text.encode()[:most].decode(errors="ignore")


SELECTOR_FIELDS = frozenset(
    {
        "eventCategory",
        "eventName",
        "eventSource",
        "readOnly",
        "resources.ARN",
        "resources.type",
        "userIdentity.arn",
    }
)
"""Fields that the provider lets an advanced event selector name; CloudTrail knows more (``errorCode``)."""


def selectors_that_fit(properties: Mapping[str, Any]) -> Fitted:
    """A trail without the selectors that the provider refuses, and what they are called."""
    selectors = properties.get("AdvancedEventSelectors") or ()
    refused = [
        item
        for item in selectors
        if any(field["Field"] not in SELECTOR_FIELDS for field in item["FieldSelectors"])
    ]
    if not refused:
        return properties, []
    fitting = [item for item in selectors if item not in refused]
    names = [f"AdvancedEventSelectors[{item.get('Name', '')}]" for item in refused]
    return {**properties, "AdvancedEventSelectors": fitting}, names
