"""What a declaration must agree with itself about: checks across fields, over the plain data.

They run on data that may be invalid elsewhere, so that one reading reports every mistake. Each rule yields
``(path, message)`` and stays silent about shapes that the types already refuse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ringwall.catalog import profiles
from ringwall.perimeter.model import PII_TYPES, RETENTION_DAYS

Path = tuple[str | int, ...]
Finding = tuple[Path, str]

ENDPOINT_SERVICES = (
    "bedrock", "bedrock-runtime", "bedrock-agent", "bedrock-agent-runtime", "sts", "kms", "logs", "monitoring",
    "secretsmanager", "s3", "sns",
)  # fmt: skip
NEEDS_ENDPOINT = {
    "invoke": "bedrock-runtime",
    "retrieve": "bedrock-agent-runtime",
    "agents": "bedrock-agent-runtime",
}


def inconsistencies(data: Mapping[str, Any]) -> Iterator[Finding]:
    """Every rule's findings."""
    for rule in RULES:
        yield from rule(data)


def _mapping(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = data.get(name)
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _models_are_declared(data: Mapping[str, Any]) -> Iterator[Finding]:
    declared = _mapping(data, "models")
    for name, use in _mapping(data, "uses").items():
        for index, model in enumerate(_list(use.get("models")) if isinstance(use, Mapping) else []):
            if model not in declared:
                known = ", ".join(declared) or "none"
                yield (
                    ("uses", name, "models", index),
                    f"{model} is not declared under models (there: {known})",
                )


def _guardrail_names_are_distinct(data: Mapping[str, Any]) -> Iterator[Finding]:
    seen = {str(_mapping(data, "guardrail").get("name", "baseline"))}
    for index, guardrail in enumerate(_list(data.get("other_guardrails"))):
        name = guardrail.get("name", "baseline") if isinstance(guardrail, Mapping) else None
        if name in seen:
            yield ("other_guardrails", index, "name"), f"{name} is the name of another guardrail already"
        elif name is not None:
            seen.add(str(name))


def _pii_is_known(data: Mapping[str, Any]) -> Iterator[Finding]:
    guardrails: list[tuple[Path, Any]] = [(("guardrail",), data.get("guardrail"))]
    guardrails += [
        (("other_guardrails", i), item) for i, item in enumerate(_list(data.get("other_guardrails")))
    ]
    for path, guardrail in guardrails:
        for name in _mapping(guardrail, "pii") if isinstance(guardrail, Mapping) else ():
            if name not in PII_TYPES:
                yield (*path, "pii", name), "unknown PII type"


def _retention_is_offered(data: Mapping[str, Any]) -> Iterator[Finding]:
    days = _mapping(data, "logging").get("retention_days")
    if isinstance(days, int) and days not in RETENTION_DAYS:
        yield (
            ("logging", "retention_days"),
            f"CloudWatch Logs offers {', '.join(map(str, RETENTION_DAYS))}, not {days}",
        )


def _regions_agree(data: Mapping[str, Any]) -> Iterator[Finding]:
    regions = _mapping(data, "regions")
    if regions.get("residency") == "in-region" and regions.get("destinations"):
        yield ("regions", "destinations"), "in-region residency has no destinations: remove them"


def _profiles_stay_inside(data: Mapping[str, Any]) -> Iterator[Finding]:
    """A geographic profile fails as a whole if one of its destination Regions is refused."""
    regions = _mapping(data, "regions")
    source, residency = regions.get("source"), regions.get("residency", "geographic")
    if not isinstance(source, str):
        return
    inside = {source, *(item for item in _list(regions.get("destinations")) if isinstance(item, str))}
    for name, model in _mapping(data, "models").items():
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


def _endpoints_serve_the_uses(data: Mapping[str, Any]) -> Iterator[Finding]:
    network = _mapping(data, "network")
    listed = _list(network.get("endpoints")) if "endpoints" in network else None
    for index, service in enumerate(listed or []):
        if service not in ENDPOINT_SERVICES:
            yield ("network", "endpoints", index), f"unknown endpoint service {service!r}"
    for name, use in _mapping(data, "uses").items():
        service = NEEDS_ENDPOINT.get(str(use.get("kind"))) if isinstance(use, Mapping) else None
        if service and listed is not None and service not in listed:
            yield ("uses", name), f"needs the endpoint {service}: add it to network.endpoints"


RULES: tuple[Callable[[Mapping[str, Any]], Iterator[Finding]], ...] = (
    _models_are_declared,
    _guardrail_names_are_distinct,
    _pii_is_known,
    _retention_is_offered,
    _regions_agree,
    _profiles_stay_inside,
    _endpoints_serve_the_uses,
)
