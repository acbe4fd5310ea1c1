"""Whether a guardrail's content is at least as strong as another's, and in which points it is not.

Defaults follow ``CreateGuardrail``: a filter without ``InputAction`` blocks, one without ``InputEnabled`` is on
(https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GuardrailContentFilterConfig.html).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Config = Mapping[str, Any]
STRENGTHS = ("NONE", "LOW", "MEDIUM", "HIGH")
ACTIONS = ("NONE", "ANONYMIZE", "BLOCK")
TIERS = (
    # policy, member that holds its tier
    ("ContentPolicyConfig", "ContentFiltersTierConfig"),
    ("TopicPolicyConfig", "TopicsTierConfig"),
    ("ContextualGroundingPolicyConfig", "ContextualGroundingTierConfig"),
)


def weaknesses(wanted: Config, actual: Config) -> tuple[str, ...]:
    """Points in which ``actual`` is weaker than ``wanted``, in words; both in CloudFormation's names."""
    return tuple(
        problem
        for check in (_filters, _tiers, _topics, _words, _entities, _regexes, _grounding)
        for problem in check(wanted, actual)
    )


def _items(config: Config, policy: str, member: str) -> Sequence[Config]:
    found = (config.get(policy) or {}).get(member) or ()
    return tuple(found)


def _by(items: Sequence[Config], name: str) -> dict[Any, Config]:
    return {item.get(name): item for item in items}


def _on(item: Config, side: str) -> bool:
    return item.get(f"{side}Enabled", True) is not False


def _filters(wanted: Config, actual: Config) -> Iterator[str]:
    there = _by(_items(actual, "ContentPolicyConfig", "FiltersConfig"), "Type")
    for item in _items(wanted, "ContentPolicyConfig", "FiltersConfig"):
        found = there.get(item["Type"], {})
        for side in ("Input", "Output"):
            needed = str(item.get(f"{side}Strength", "NONE"))
            given = effective_strength(found, side)
            if STRENGTHS.index(given) < STRENGTHS.index(needed):
                yield f"{item['Type']} on {side.lower()} is {given}, not {needed}"
            unseen = set(item.get(f"{side}Modalities", ("TEXT",))) - set(
                found.get(f"{side}Modalities", ("TEXT",))
            )
            if found and unseen and needed != "NONE":
                yield f"{item['Type']} on {side.lower()} does not look at {', '.join(sorted(unseen)).lower()}"


def _tiers(wanted: Config, actual: Config) -> Iterator[str]:
    """Where nothing is said, Bedrock takes CLASSIC: fewer languages, no prompt leakage."""
    for policy, member in TIERS:
        needed = ((wanted.get(policy) or {}).get(member) or {}).get("TierName", "CLASSIC")
        given = ((actual.get(policy) or {}).get(member) or {}).get("TierName", "CLASSIC")
        if needed == "STANDARD" and given != "STANDARD":
            yield f"{policy.removesuffix('PolicyConfig').lower()} is of the {given} tier, not STANDARD"


def effective_strength(item: Config, side: str) -> str:
    """Strength of a content filter on one side; NONE if it is off, or only reports."""
    if not item or not _on(item, side) or item.get(f"{side}Action", "BLOCK") == "NONE":
        return "NONE"
    strength = str(item.get(f"{side}Strength", "NONE"))
    return strength if strength in STRENGTHS else "NONE"


def _topics(wanted: Config, actual: Config) -> Iterator[str]:
    there = _by(_items(actual, "TopicPolicyConfig", "TopicsConfig"), "Name")
    for item in _items(wanted, "TopicPolicyConfig", "TopicsConfig"):
        found = there.get(item["Name"])
        if found is None:
            yield f"topic {item['Name']} is missing"
        elif found.get("Definition") != item.get("Definition"):
            yield f"topic {item['Name']} is defined otherwise"
        elif not _blocks(found):
            yield f"topic {item['Name']} is not blocked"


def _blocks(item: Config) -> bool:
    return all(
        _on(item, side) and item.get(f"{side}Action", "BLOCK") == "BLOCK" for side in ("Input", "Output")
    )


def _words(wanted: Config, actual: Config) -> Iterator[str]:
    blocked = {
        item.get("Text") for item in _items(actual, "WordPolicyConfig", "WordsConfig") if _blocks(item)
    }
    missing = [
        item["Text"]
        for item in _items(wanted, "WordPolicyConfig", "WordsConfig")
        if item["Text"] not in blocked
    ]
    if missing:
        yield f"{len(missing)} word(s) are not blocked, such as {missing[0]}"
    lists = {
        item.get("Type")
        for item in _items(actual, "WordPolicyConfig", "ManagedWordListsConfig")
        if _blocks(item)
    }
    for item in _items(wanted, "WordPolicyConfig", "ManagedWordListsConfig"):
        if item["Type"] not in lists:
            yield f"{item['Type']} is not blocked"


def _entities(wanted: Config, actual: Config) -> Iterator[str]:
    there = _by(_items(actual, "SensitiveInformationPolicyConfig", "PiiEntitiesConfig"), "Type")
    for item in _items(wanted, "SensitiveInformationPolicyConfig", "PiiEntitiesConfig"):
        yield from _sensitive(str(item["Type"]), item, there.get(item["Type"]))


def _regexes(wanted: Config, actual: Config) -> Iterator[str]:
    there = _by(_items(actual, "SensitiveInformationPolicyConfig", "RegexesConfig"), "Name")
    for item in _items(wanted, "SensitiveInformationPolicyConfig", "RegexesConfig"):
        found = there.get(item["Name"])
        if found is not None and found.get("Pattern") != item.get("Pattern"):
            yield f"pattern {item['Name']} is another"
        else:
            yield from _sensitive(f"pattern {item['Name']}", item, found)


def _sensitive(name: str, wanted: Config, found: Config | None) -> Iterator[str]:
    if found is None:
        yield f"{name} is missing"
        return
    for side in ("Input", "Output"):
        needed, given = _action(wanted, side), _action(found, side)
        if ACTIONS.index(given) < ACTIONS.index(needed):
            yield f"{name} on {side.lower()} is {given}, not {needed}"


def _action(item: Config, side: str) -> str:
    if not _on(item, side):
        return "NONE"
    action = str(item.get(f"{side}Action", item.get("Action", "NONE")))
    return action if action in ACTIONS else "NONE"


def _grounding(wanted: Config, actual: Config) -> Iterator[str]:
    there = _by(_items(actual, "ContextualGroundingPolicyConfig", "FiltersConfig"), "Type")
    for item in _items(wanted, "ContextualGroundingPolicyConfig", "FiltersConfig"):
        found = there.get(item["Type"])
        if found is None or found.get("Enabled", True) is False or found.get("Action", "BLOCK") != "BLOCK":
            yield f"{item['Type']} is not checked"
        elif float(found.get("Threshold", 0)) < float(item["Threshold"]):
            yield f"{item['Type']} blocks below {found.get('Threshold')}, not {item['Threshold']}"
