"""Where declared things are: what references to them resolve to in an observed Estate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter

from ringwall.estate.kinds import registry
from ringwall.estate.model import Estate, Resource
from ringwall.estate.references import bind_resource, dependencies, placeholders


def located(desired: Estate, observed: Estate) -> Mapping[str, Mapping[str, str]]:
    """Attributes by desired id: of the observed resource that matches, else placeholders.

    Unlike a plan this never refuses: proofs and audits want an answer about a half-built or half-readable account too.
    A declared thing that is not there keeps its placeholder, a literal that nothing in the account can equal.
    """
    kinds = registry()
    found = dict(placeholders(desired))
    for resource in _in_order(desired):
        kind = kinds.get(resource.type)
        if kind is None:
            continue
        candidates = tuple(
            item
            for item in observed.of_type(resource.type, account=resource.account, region=resource.region)
            if item.id != "?"
        )
        match = kind.match(bind_resource(resource, found), candidates)
        if match is not None:
            found[resource.id] = kind.attributes(match)
    return found


def _in_order(desired: Estate) -> Iterator[Resource]:
    """Desired resources, what they refer to first. A circle cannot be declared: compiled Estates have none."""
    by_id = {resource.id: resource for resource in desired}
    graph = {
        name: [item for item in dependencies(resource) if item in by_id] for name, resource in by_id.items()
    }
    for name in TopologicalSorter(graph).static_order():
        yield by_id[name]
