"""Rules about guardrails: what their policies, tiers and enforcement must agree on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ringwall.catalog.models import tables
from ringwall.estate.kinds.guardrail_limits import PII_TYPES, TOPIC_DEFINITION
from ringwall.perimeter.finding import Data, Finding, guardrails, items, mapping, texts
from ringwall.perimeter.nearest import did_you_mean

NAMES = {"topics": "name", "regexes": "name", "words": "text"}
"""Lists of a guardrail, and what tells their items apart."""


def _names_are_distinct(data: Data) -> Iterator[Finding]:
    seen: set[str] = set()
    for path, guardrail in guardrails(data):
        name = str(guardrail.get("name", "baseline"))
        if name in seen:
            yield (*path, "name"), f"{name} is the name of another guardrail already"
        seen.add(name)


def _pii_is_known(data: Data) -> Iterator[Finding]:
    for path, guardrail in guardrails(data):
        for name in mapping(guardrail, "pii"):
            if name not in PII_TYPES:
                yield (*path, "pii", name), f"unknown PII type{did_you_mean(name, PII_TYPES)}"


def _nothing_stands_twice(data: Data) -> Iterator[Finding]:
    for path, guardrail in guardrails(data):
        for field, called in NAMES.items():
            seen: set[str] = set()
            for index, item in enumerate(items(guardrail.get(field))):
                name = item if isinstance(item, str) else mapping(item).get(called)
                if isinstance(name, str) and name in seen:
                    yield (*path, field, index), f"{name} stands there twice"
                seen.add(str(name))


def _tiers_agree(data: Data) -> Iterator[Finding]:
    """STANDARD evaluates through a guardrail profile, CLASSIC cannot; definitions of topics differ in length."""
    for path, guardrail in guardrails(data):
        tier, profile = guardrail.get("tier", "classic"), guardrail.get("profile")
        if tier == "standard" and not profile:
            yield (*path, "tier"), "the standard tier needs profile, such as us.guardrail.v1:0"
        if tier == "classic" and profile:
            yield (*path, "profile"), "only the standard tier has a guardrail profile: declare tier: standard"
        longest = TOPIC_DEFINITION.get(str(tier).upper(), 200)
        for index, topic in enumerate(items(guardrail.get("topics"))):
            length = len(str(mapping(topic).get("definition", "")))
            if length > longest:
                yield (
                    (*path, "topics", index, "definition"),
                    f"has {length} characters; the {tier} tier takes {longest}",
                )


def _profiles_stay_inside(data: Data) -> Iterator[Finding]:
    """Where a guardrail profile evaluates, prompts are: the same bounds hold as for models."""
    regions = mapping(data, "regions")
    source = regions.get("source")
    inside = {name for _, name in texts([source, *items(regions.get("destinations"))])}
    organization = mapping(data, "enforcement", "organization")
    for path, guardrail in (*guardrails(data), (("enforcement", "organization"), organization)):
        profile = guardrail.get("profile")
        if not isinstance(profile, str) or not isinstance(source, str):
            continue
        if regions.get("residency") == "in-region":
            yield (
                (*path, "profile"),
                f"{profile} evaluates in other Regions, which in-region residency forbids",
            )
            continue
        place = tables().geographies.get(profile.split(".", 1)[0])
        lacking = sorted(set(place.destinations(source)) - inside) if place is not None else []
        if lacking:
            yield (
                (*path, "profile"),
                f"{profile} also evaluates in {', '.join(lacking)}: add to regions.destinations",
            )


def _prompt_attacks_are_in_prompts(data: Data) -> Iterator[Finding]:
    for path, guardrail in guardrails(data):
        if mapping(guardrail, "actions", "PROMPT_ATTACK").get("output", "block") != "block":
            yield (
                (*path, "actions", "PROMPT_ATTACK", "output"),
                "prompt attacks are looked for in prompts alone",
            )
        if mapping(guardrail, "output_filters").get("PROMPT_ATTACK", "none") != "none":
            yield (*path, "output_filters", "PROMPT_ATTACK"), "prompt attacks are looked for in prompts alone"


def _actions_have_filters(data: Data) -> Iterator[Finding]:
    """An action of a filter that is not there would be taken for one that is."""
    for path, guardrail in guardrails(data):
        for name in mapping(guardrail, "actions"):
            if not _looks(guardrail, name):
                yield (*path, "actions", name), f"{name} has no strength, so there is nothing to do"


def _images_have_filters(data: Data) -> Iterator[Finding]:
    """A filter that is not there looks at no images either."""
    for path, guardrail in guardrails(data):
        for index, name in texts(guardrail.get("images")):
            if not _looks(guardrail, name):
                yield (*path, "images", index), f"{name} has no strength, so it looks at no images"


def _looks(guardrail: Data, name: str) -> bool:
    """Whether a content filter looks at prompts or at answers."""
    prompts: object = mapping(guardrail, "filters").get(name, guardrail.get("strength", "none"))
    answers: object = mapping(guardrail, "output_filters").get(name, "none")
    return prompts != "none" or answers != "none"


def _enforcement_works(data: Data) -> Iterator[Finding]:
    """What would make every call of the account fail: a guardrail that cannot be enforced, or one that is not there."""
    enforcement = mapping(data, "enforcement")
    if enforcement.get("account") is True and mapping(data, "guardrail").get("reasoning"):
        yield (
            ("enforcement", "account"),
            "a guardrail with automated reasoning policies cannot be enforced: every call would fail",
        )
    if "ALL" in items(enforcement.get("included_models")) and len(items(enforcement["included_models"])) > 1:
        yield ("enforcement", "included_models"), "ALL stands alone, or models stand by name"
    organization = mapping(enforcement, "organization")
    fields = str(organization.get("guardrail", "")).split(":")
    if len(fields) < 6:
        return
    management = str(mapping(data, "organization").get("management_role", "")).split(":")
    if len(management) > 4 and fields[4] != management[4]:
        yield (
            ("enforcement", "organization", "guardrail"),
            f"must belong to the management account {management[4]}, not to {fields[4]}",
        )
    source = mapping(data, "regions").get("source")
    if isinstance(source, str) and fields[3] != source:
        yield ("enforcement", "organization", "guardrail"), f"must be in {source}, not in {fields[3]}"
    key = str(organization.get("key", "")).split(":")
    if len(key) > 4 and key[3] != fields[3]:
        yield (
            ("enforcement", "organization", "key"),
            f"must be in {fields[3]} as its guardrail, not in {key[3]}",
        )


RULES: tuple[Callable[[Data], Iterator[Finding]], ...] = (
    _names_are_distinct,
    _pii_is_known,
    _nothing_stands_twice,
    _tiers_agree,
    _profiles_stay_inside,
    _prompt_attacks_are_in_prompts,
    _actions_have_filters,
    _images_have_filters,
    _enforcement_works,
)
