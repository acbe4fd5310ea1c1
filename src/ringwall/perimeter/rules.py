"""What a declaration must agree with itself about: checks across fields, over the plain data.

They run on data that may be invalid elsewhere, so that one reading reports every mistake. Each rule yields
``(path, message)`` and stays silent about shapes that the types already refuse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ringwall.catalog import profiles
from ringwall.perimeter import rules_anywhere, rules_guardrail, rules_names, rules_sections
from ringwall.perimeter.finding import Data, Finding, items, mapping, texts, uses
from ringwall.perimeter.model import RETENTION_DAYS
from ringwall.perimeter.nearest import did_you_mean

ENDPOINT_SERVICES = (
    "bedrock", "bedrock-runtime", "bedrock-agent", "bedrock-agent-runtime", "bedrock-mantle", "bedrock-agentcore",
    "bedrock-agentcore-control", "bedrock-agentcore.gateway", "sts", "kms", "logs", "monitoring", "secretsmanager", "s3",
    "sns",
)  # fmt: skip
NEEDS_ENDPOINT = {
    "invoke": "bedrock-runtime",
    "retrieve": "bedrock-agent-runtime",
    "agents": "bedrock-agent-runtime",
}
REGION_STEMS = (
    "af-south", "ap-east", "ap-northeast", "ap-south", "ap-southeast", "ca-central", "ca-west", "cn-north",
    "cn-northwest", "eu-central", "eu-north", "eu-south", "eu-west", "eu-isoe-west", "eusc-de-east", "il-central",
    "me-central", "me-south", "mx-central", "sa-east", "us-east", "us-gov-east", "us-gov-west", "us-iso-east",
    "us-iso-west", "us-isob-east", "us-isob-west", "us-isof-east", "us-isof-south", "us-west",
)  # fmt: skip
"""Names of Regions without their number, of every partition (botocore's endpoint data)."""


def inconsistencies(data: Mapping[str, Any]) -> Iterator[Finding]:
    """Every rule's findings."""
    for rule in RULES:
        yield from rule(data)


def _models_are_declared(data: Data) -> Iterator[Finding]:
    declared = mapping(data, "models")
    for name, use in uses(data):
        for index, model in texts(use.get("models")):
            if model not in declared:
                known = ", ".join(declared) or "none"
                yield (
                    ("uses", name, "models", index),
                    f"{model} is not declared under models (there: {known})",
                )


def _retention_is_offered(data: Data) -> Iterator[Finding]:
    days = mapping(data, "logging").get("retention_days")
    if isinstance(days, int) and days not in RETENTION_DAYS:
        nearest = min(RETENTION_DAYS, key=lambda offered: abs(offered - days))
        yield (
            ("logging", "retention_days"),
            f"CloudWatch Logs offers {', '.join(map(str, RETENTION_DAYS))}, not {days}, did you mean {nearest}?",
        )


def _regions_agree(data: Data) -> Iterator[Finding]:
    regions = mapping(data, "regions")
    if regions.get("residency") == "in-region" and regions.get("destinations"):
        yield ("regions", "destinations"), "in-region residency has no destinations: remove them"


def _regions_exist(data: Data) -> Iterator[Finding]:
    """By their names without the number: AWS adds Regions to a place more often than places."""
    regions = mapping(data, "regions")
    named = [(("regions", "source"), regions.get("source"))] if "source" in regions else []
    named += [(("regions", "destinations", i), item) for i, item in texts(regions.get("destinations"))]  # type: ignore[misc]
    for path, region in named:
        stem, _, number = str(region).rpartition("-")
        if number.isdigit() and stem not in REGION_STEMS:
            guess = did_you_mean(stem, REGION_STEMS).removesuffix("?")
            yield path, f"unknown Region {region}" + (f"{guess}-{number}?" if guess else "")


def _profiles_stay_inside(data: Data) -> Iterator[Finding]:
    """A geographic profile fails as a whole if one of its destination Regions is refused."""
    regions = mapping(data, "regions")
    source, residency = regions.get("source"), regions.get("residency", "geographic")
    if not isinstance(source, str):
        return
    inside = {source, *(item for item in items(regions.get("destinations")) if isinstance(item, str))}
    for name, model in mapping(data, "models").items():
        if not isinstance(model, str) or not profiles.is_profile(model):
            continue
        if residency == "in-region":
            yield ("models", name), f"{model} is a cross-Region profile, which in-region residency forbids"
        elif profiles.is_global(model):
            if residency != "global":
                yield (
                    ("models", name),
                    f"{model} is processed anywhere; declare regions.residency: global, or use a geographic profile",
                )
        else:
            yield from _destinations(name, model, source, inside)


def _destinations(name: str, model: str, source: str, inside: set[str]) -> Iterator[Finding]:
    try:
        needed = profiles.destinations(model, source)
    except ValueError:
        return  # not in the catalog: the live API's answer decides when the plan is made
    lacking = sorted(set(needed) - inside)
    if lacking:
        yield ("models", name), f"{model} also runs in {', '.join(lacking)}: add to regions.destinations"


def _endpoints_serve_the_uses(data: Data) -> Iterator[Finding]:
    network = mapping(data, "network")
    listed = items(network.get("endpoints")) if "endpoints" in network else None
    for index, service in texts(listed):
        if service not in ENDPOINT_SERVICES:
            guess = did_you_mean(service, ENDPOINT_SERVICES)
            yield ("network", "endpoints", index), f"unknown endpoint service {service!r}{guess}"
    for name, use in uses(data):
        needed = NEEDS_ENDPOINT.get(str(use.get("kind")))
        if needed and listed is not None and needed not in listed:
            yield ("uses", name), f"needs the endpoint {needed}: add it to network.endpoints"


RULES: tuple[Callable[[Mapping[str, Any]], Iterator[Finding]], ...] = (
    _models_are_declared,
    _retention_is_offered,
    _regions_agree,
    _regions_exist,
    _profiles_stay_inside,
    _endpoints_serve_the_uses,
    *rules_guardrail.RULES,
    *rules_sections.RULES,
    *rules_names.RULES,
    *rules_anywhere.RULES,
)
