"""Whether a guardrail's content is at least as strong as another's, and in which points it is not.

Defaults follow ``CreateGuardrail``: a filter without ``InputAction`` blocks, one without ``InputEnabled`` is on
(https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GuardrailContentFilterConfig.html).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Config = Mapping[str, Any]
SIDES = ("Input", "Output")
STRENGTHS = ("NONE", "LOW", "MEDIUM", "HIGH")
ACTIONS = ("NONE", "ANONYMIZE", "BLOCK")
WORDS = {"Input": "prompts", "Output": "answers"}
BLOCKED = (
    # policy, its list, what names an item, how it is called
    ("TopicPolicyConfig", "TopicsConfig", "Name", "topic {}"),
    ("WordPolicyConfig", "WordsConfig", "Text", "word {}"),
    ("WordPolicyConfig", "ManagedWordListsConfig", "Type", "{}"),
)
SENSITIVE = (("PiiEntitiesConfig", "Type", "{}"), ("RegexesConfig", "Name", "pattern {}"))
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
        for side in SIDES:
            needed = effective_strength(item, side)
            given = effective_strength(found, side)
            if STRENGTHS.index(given) < STRENGTHS.index(needed):
                yield f"{item['Type']} on {side.lower()} is {given}, not {needed}"
            if needed == "NONE":
                continue
            unseen = set(item.get(f"{side}Modalities", ("TEXT",))) - set(
                found.get(f"{side}Modalities", ("TEXT",))
            )
            if found and unseen:
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
        elif not blocked_sides(item) <= blocked_sides(found):
            yield f"topic {item['Name']} is not blocked"


def blocked_sides(item: Config) -> frozenset[str]:
    """Of ``Input`` and ``Output``, where a topic, word or list of words is blocked rather than only reported."""
    return frozenset(
        side for side in SIDES if _on(item, side) and item.get(f"{side}Action", "BLOCK") == "BLOCK"
    )


def _words(wanted: Config, actual: Config) -> Iterator[str]:
    missing = [str(item["Text"]) for item in _unblocked(wanted, actual, "WordsConfig", "Text")]
    if missing:
        yield f"{len(missing)} word(s) are not blocked, such as {missing[0]}"
    for item in _unblocked(wanted, actual, "ManagedWordListsConfig", "Type"):
        yield f"{item['Type']} is not blocked"


def _unblocked(wanted: Config, actual: Config, member: str, name: str) -> Iterator[Config]:
    there = _by(_items(actual, "WordPolicyConfig", member), name)
    for item in _items(wanted, "WordPolicyConfig", member):
        found = there.get(item[name])
        if not blocked_sides(item) <= (blocked_sides(found) if found is not None else frozenset()):
            yield item


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
    for side in SIDES:
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
        if not _withholds(item):
            continue
        if found is None or not _withholds(found):
            yield f"{item['Type']} is not checked"
        elif float(found.get("Threshold", 0)) < float(item["Threshold"]):
            yield f"{item['Type']} blocks below {found.get('Threshold')}, not {item['Threshold']}"


def _withholds(item: Config) -> bool:
    """Whether an answer below the threshold is withheld."""
    return item.get("Enabled", True) is not False and item.get("Action", "BLOCK") == "BLOCK"


def passing(config: Config) -> tuple[str, ...]:
    """What a guardrail lists and lets pass, in prompts, in answers or in both: it only reports it, or does not look.

    Bedrock writes what a policy with action ``NONE`` finds into the trace, and does nothing about it.
    """
    found: list[str] = []
    for name, sides in _listed(config):
        left = [word for word, stopped in sides.items() if not stopped]
        if left:
            where = "" if len(left) == len(sides) > 1 else f" in {left[0]}"
            found.append(f"{name}{where}")
    return tuple(found)


def acts(config: Config) -> bool:
    """Whether a guardrail stops or masks anything at all. Automated reasoning only tells what it finds."""
    return any(any(sides.values()) for _, sides in _listed(config))


def _listed(config: Config) -> Iterator[tuple[str, Mapping[str, bool]]]:
    """Everything that a guardrail looks for, and whether it is stopped or masked on each side that it is for."""
    for item in _items(config, "ContentPolicyConfig", "FiltersConfig"):
        meant = [side for side in SIDES if item.get(f"{side}Strength", "NONE") != "NONE"]
        yield str(item["Type"]), {WORDS[side]: effective_strength(item, side) != "NONE" for side in meant}
    for policy, member, name, called in BLOCKED:
        for item in _items(config, policy, member):
            stopped = blocked_sides(item)
            yield called.format(item.get(name)), {WORDS[side]: side in stopped for side in SIDES}
    for member, name, called in SENSITIVE:
        for item in _items(config, "SensitiveInformationPolicyConfig", member):
            yield (
                called.format(item.get(name)),
                {WORDS[side]: _action(item, side) != "NONE" for side in SIDES},
            )
    for item in _items(config, "ContextualGroundingPolicyConfig", "FiltersConfig"):
        yield str(item["Type"]), {"answers": _withholds(item)}
    if (config.get("AutomatedReasoningPolicyConfig") or {}).get("Policies"):
        yield "what automated reasoning finds", {"answers": False}
