"""Where declared things are: what references to them resolve to in an observed Estate."""

from __future__ import annotations

from collections.abc import Mapping

from ringwall.deploy.order import ordered
from ringwall.estate.kinds import registry
from ringwall.estate.model import Estate
from ringwall.estate.references import bind_resource, placeholders


def located(desired: Estate, observed: Estate) -> Mapping[str, Mapping[str, str]]:
    """Attributes by desired id: of the observed resource that matches, else placeholders.

    Unlike a plan this never refuses: proofs and audits want an answer about a half-built or half-readable account too.
    A declared thing that is not there keeps its placeholder, a literal that nothing in the account can equal.
    """
    kinds = registry()
    found = dict(placeholders(desired))
    for resource in ordered(desired):
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
