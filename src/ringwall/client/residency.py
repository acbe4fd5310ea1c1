"""Data residency of single clients: of a use's models, those that are processed in one geography alone."""

from __future__ import annotations

from dataclasses import replace

from ringwall.catalog import profiles
from ringwall.client.rules import Rules

PARTS = {
    # beginnings of Region names by the geography of a profile's id
    "us": ("us-",),
    "us-gov": ("us-gov-",),
    "eu": ("eu-",),
    "apac": ("ap-",),
    "jp": ("ap-northeast-1", "ap-northeast-3"),
    "au": ("ap-southeast-2", "ap-southeast-4"),
    "ca": ("ca-",),
}
"""https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html"""


def lies_in(region: str, residency: str) -> bool:
    """Whether a Region lies in a geography. GovCloud is none of the commercial ``us``."""
    if residency == "us" and region.startswith("us-gov-"):
        return False
    return region.startswith(PARTS.get(residency, (f"{residency}!",)))


def resides(model: str, source: str, residency: str) -> bool:
    """Whether every Region that may process a call of this model lies in the geography.

    A model that is named without a profile is processed where it is called; of a prompt, a router and other ARNs it is
    not known, and a global profile goes anywhere.
    """
    if not profiles.is_profile(model):
        known = not model.startswith("arn:") or ":foundation-model/" in model
        return known and lies_in(source, residency)
    if profiles.is_global(model):
        return False
    try:
        places = profiles.destinations(model, source)
    except ValueError:
        return False
    return all(lies_in(place, residency) for place in places)


def narrowed(rules: Rules, residency: str) -> Rules:
    """The rules with the models that stay in a geography.

    Raises:
        PerimeterViolation: calls enter elsewhere, or no declared model stays there.
    """
    source = rules.regions[0]
    if not lies_in(source, residency):
        known = "" if residency in PARTS else f"; known are {', '.join(PARTS)}"
        reason = f"calls enter in {source}, which does not lie in {residency}{known}"
        raise rules.violation("residency-not-declared", reason, "CreateClient", "regions", "source")
    staying = {name: model for name, model in rules.models.items() if resides(model, source, residency)}
    if not staying:
        reason = f"no declared model of this use stays in {residency}"
        raise rules.violation("residency-not-declared", reason, "CreateClient", "uses", "{use}", "models")
    return replace(rules, models=staying)
