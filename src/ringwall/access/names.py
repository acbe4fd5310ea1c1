"""What an Estate knows of the names that a call may give: a :class:`ringwall.catalog.operations.ProfileResolver`.

Estates hold guardrails, not inference profiles, prompts or prompt routers: those stay unknown here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.catalog.models import tables

if TYPE_CHECKING:
    from ringwall.access.bearing import Access


class EstateNames:
    """Answers from the guardrails of an Estate.

    Args:
        access: over the Estate.
    """

    def __init__(self, access: Access) -> None:
        self._access = access

    def models(self, arn: str, region: str) -> tuple[str, ...] | None:
        """ARNs of a guardrail's guardrail profile in every destination Region; ``None`` where it has none."""
        for resource in self._access.estate.of_type("AWS::Bedrock::Guardrail"):
            if arn in (resource.id, self._access.attribute(resource, "Arn")):
                profile = (resource.get("CrossRegionConfig") or {}).get("GuardrailProfileArn")
                return _everywhere(profile, region) if isinstance(profile, str) else None
        return None


def _everywhere(profile: str, region: str) -> tuple[str, ...]:
    """The profile in each Region of its geography, which its id starts with (``us.guardrail.v1:0``).

    Follows https://docs.aws.amazon.com/bedrock/latest/userguide/guardrail-profiles-permissions.html.
    """
    fields = profile.split(":", 5)
    place = tables().geographies.get(profile.rpartition("/")[2].partition(".")[0])
    regions = place.destinations(region) if place else ()
    return tuple(":".join((*fields[:3], one, *fields[4:])) for one in regions) or (profile,)
