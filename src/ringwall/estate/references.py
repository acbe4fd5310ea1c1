"""References of desired resources: what they depend on, and putting values in their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ringwall.errors import RingwallError
from ringwall.estate.kinds import registry
from ringwall.estate.model import Estate, Ref, Resource, references, substitute

Attributes = Mapping[str, Mapping[str, str]]
"""By desired id, what each attribute of the resource resolves to."""


class UnresolvedReferenceError(RingwallError):
    """A reference has nothing that it could resolve to. ``details`` lists the further ones."""


def dependencies(resource: Resource) -> tuple[str, ...]:
    """Desired ids that must exist before the resource: what it refers to and what it depends on, sorted."""
    return tuple(sorted({ref.target for ref in references(resource.properties)} | set(resource.depends_on)))


def placeholders(estate: Estate) -> Attributes:
    """Attributes of every resource of a desired Estate as if nothing were deployed: see ``Kind.placeholder``."""
    kinds = registry()
    return {
        resource.id: kinds[resource.type].placeholder(resource)
        for resource in estate
        if resource.type in kinds and resource.id != "?"
    }


def bind(estate: Estate, attributes: Attributes, *, partial: bool = False) -> Estate:
    """The Estate with its references replaced.

    Args:
        estate: a desired Estate.
        attributes: values by desired id and attribute.
        partial: leave references alone that have no value yet, instead of raising.

    Raises:
        UnresolvedReferenceError: something refers to a resource or an attribute that is not among ``attributes``.
    """
    if not partial:
        missing = _missing(estate, attributes)
        if missing:
            raise UnresolvedReferenceError(missing[0], details=tuple(missing[1:]))
    return estate.with_resources(bind_resource(item, attributes) for item in estate)


def bind_resource(resource: Resource, attributes: Attributes) -> Resource:
    """One resource with those references replaced that have a value; others stay."""

    def resolve(ref: Ref) -> Any:
        return attributes.get(ref.target, {}).get(ref.attribute, ref)

    return replace(resource, properties=substitute(resource.properties, resolve))


def _missing(estate: Estate, attributes: Attributes) -> list[str]:
    found = []
    for resource in estate:
        for ref in references(resource.properties):
            known = attributes.get(ref.target)
            if known is None:
                found.append(f"{resource.id} refers to {ref.target}, which is not in the Estate.")
            elif ref.attribute not in known:
                names = ", ".join(sorted(known))
                found.append(
                    f"{resource.id} refers to {ref.target}.{ref.attribute}; {ref.target} has {names}."
                )
    return list(dict.fromkeys(found))
