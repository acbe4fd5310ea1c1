"""From a declaration to the Estate that it wants."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ringwall.controls import registry, scp
from ringwall.controls.documents import ROLE_CHARACTERS, size
from ringwall.controls.names import LOGGING_ROLE
from ringwall.controls.packing import packed
from ringwall.errors import RingwallError
from ringwall.estate import kinds
from ringwall.estate.kinds.base import ID_TAG, PERIMETER_TAG
from ringwall.estate.model import Account, Estate, Resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.perimeter.model import Perimeter


def compile_estate(perimeter: Perimeter) -> Estate:
    """The desired Estate: what every control adds, in the registry's order.

    Raises:
        RingwallError: what is declared does not fit AWS's limits, or a use takes a name that the perimeter needs.
    """
    if LOGGING_ROLE in perimeter.uses:
        raise RingwallError(
            f"uses.{LOGGING_ROLE}: that name belongs to the perimeter's own role; choose another"
        )
    compiled = (resource for control in registry() for resource in control.compile(perimeter))
    resources = tuple(_owned(perimeter, resource) for resource in packed(perimeter, compiled))
    problems = tuple(_limits(resources))
    if problems:
        raise RingwallError(problems[0], details=problems[1:])
    return Estate(source="desired", accounts=accounts(perimeter), resources=resources)


def _owned(perimeter: Perimeter, resource: Resource) -> Resource:
    """The resource with its ownership tags, where its type can carry tags."""
    kind = kinds.registry().get(resource.type)
    if kind is None or not getattr(kind, "taggable", False):
        return resource
    own = [{"Key": PERIMETER_TAG, "Value": perimeter.name}, {"Key": ID_TAG, "Value": resource.id}]
    tags = [*resource.get("Tags", ()), *own]
    return replace(resource, properties={**resource.properties, "Tags": tags})


def accounts(perimeter: Perimeter) -> tuple[Account, ...]:
    """The declared account, and the management account that its policies live in."""
    organization = perimeter.organization
    target = scp.target(perimeter, shared=True)
    levels = (target,) if target == perimeter.account else (target, perimeter.account)
    return (
        Account(perimeter.account, organization.id, levels=levels),
        Account(organization.management_account, organization.id, management=True),
    )


def _limits(resources: tuple[Resource, ...]) -> Iterator[str]:
    for resource in resources:
        kind = kinds.registry()[resource.type]
        yield from (f"{resource.id}: {problem}" for problem in kind.validate(resource.properties))
        if resource.type == "AWS::IAM::Role":
            characters = sum(size(item["PolicyDocument"]) for item in resource.get("Policies", ()))
            if characters > ROLE_CHARACTERS:
                yield (
                    f"{resource.id}: its policies are {characters} characters, AWS allows {ROLE_CHARACTERS}; "
                    "split the use"
                )
