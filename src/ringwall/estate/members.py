"""Names of desired resources where one Estate holds those of several accounts: ``payments:guardrail/baseline``.

Each account's own declaration says ``guardrail/baseline``, and that is what its ownership tags say. In front of it stands
the account's name among the declared ones. What the organization has once for all of them has no name in front.
"""

from __future__ import annotations

from dataclasses import replace

from ringwall.estate.model import Ref, Resource, substitute

SIGN = ":"


def own_id(desired_id: str) -> str:
    """The name that a resource has in its account's own declaration."""
    return desired_id.rpartition(SIGN)[2]


def member_of(desired_id: str) -> str:
    """The account's name in front of a desired id; empty where there is none."""
    return desired_id.rpartition(SIGN)[0]


def among_others(member: str, resource: Resource) -> Resource:
    """A resource of one account's declaration as one of several's, what it refers to likewise."""
    return replace(
        resource,
        id=f"{member}{SIGN}{resource.id}",
        properties=substitute(
            resource.properties, lambda ref: Ref(f"{member}{SIGN}{ref.target}", ref.attribute)
        ),
        depends_on=tuple(f"{member}{SIGN}{name}" for name in resource.depends_on),
    )
