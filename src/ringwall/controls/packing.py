"""Service control policies in as few documents as fit, where the target has few attachments left.

One policy for each control reads best, and a denial then names its control. AWS attaches ten policies to a target at
most (FullAWSAccess is one of them), and an organization has policies of its own; so a declaration may say how many are
left, and the statements are packed. What they deny does not change: a Deny counts wherever it stands.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ringwall.controls import scp
from ringwall.controls.documents import SCP_CHARACTERS, Statement, document, size
from ringwall.errors import RingwallError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringwall.estate.model import Resource
    from ringwall.perimeter.model import Perimeter


def packed(perimeter: Perimeter, resources: Iterable[Resource]) -> tuple[Resource, ...]:
    """The resources, with their service control policies packed if there are more than may be attached.

    Raises:
        RingwallError: they do not fit even so.
    """
    all_of_them = tuple(resources)
    policies = [item for item in all_of_them if is_scp(item)]
    if len(policies) <= perimeter.organization.attachments:
        return all_of_them
    groups = [list(item.get("Content")["Statement"]) for item in policies]
    together = fill(groups)
    apart = fill([statement] for group in groups for statement in group)
    bins = together if len(together) == len(apart) else apart
    if len(bins) > perimeter.organization.attachments:
        raise RingwallError(
            f"the service control policies need {len(bins)} attachments, organization.attachments allows "
            f"{perimeter.organization.attachments}; declare fewer models or Regions, or another target"
        )
    description = "Ringwall's service control policies, packed into as few as fit"
    made = [
        replace(
            policies[0],
            id=f"scp/packed-{number}",
            properties={
                **policies[0].properties,
                "Name": scp.policy_name(perimeter, f"packed-{number}"),
                "TargetIds": [scp.target(perimeter)],
                "Description": description,
                "Content": document(*content),
            },
        )
        for number, content in enumerate(bins, start=1)
    ]
    return (*(item for item in all_of_them if not is_scp(item)), *made)


def is_scp(resource: Resource) -> bool:
    """Whether a resource is a service control policy."""
    return resource.type == scp.TYPE and resource.get("Type") == "SERVICE_CONTROL_POLICY"


def fill(groups: Iterable[list[Statement]], *, limit: int = SCP_CHARACTERS) -> list[list[Statement]]:
    """Groups of statements in bins under the limit: the largest first, each where it leaves least room.

    Best fit, decreasing: within 11/9 of the fewest possible, and deterministic. Groups keep their order within a bin.
    """
    listed = list(groups)
    bins: list[list[int]] = []

    def statements(places: Iterable[int]) -> list[Statement]:
        return [statement for place in sorted(places) for statement in listed[place]]

    def room(places: Iterable[int]) -> int:
        return limit - size(document(*statements(places)))

    for place in sorted(range(len(listed)), key=lambda place: (room([place]), place)):
        fitting = [each for each in bins if room([*each, place]) >= 0]
        if fitting:
            min(fitting, key=lambda each: room([*each, place])).append(place)
        else:
            bins.append([place])
    return [statements(each) for each in sorted(bins, key=min)]
