"""Whose a resource is: read from its tags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ringwall.estate.kinds.base import ID_TAG, PERIMETER_TAG
from ringwall.estate.model import Resource


def tags(resource: Resource) -> Mapping[str, str]:
    """Tags of a resource, from CloudFormation's list form or a plain mapping."""
    raw = resource.properties.get("Tags")
    if isinstance(raw, Mapping):
        return {str(key): str(value) for key, value in raw.items()}
    if isinstance(raw, list | tuple):
        return {
            str(tag["Key"]): str(tag.get("Value", ""))
            for tag in raw
            if isinstance(tag, Mapping) and "Key" in tag
        }
    return {}


def owner(resource: Resource) -> str | None:
    """Name of the perimeter that made the resource, if one did."""
    return tags(resource).get(PERIMETER_TAG)


def named_after(resource: Resource, perimeter: str) -> bool:
    """Whether an untaggable resource carries the perimeter in a name that only Ringwall gives."""
    name = resource.properties.get("AliasName", resource.id)
    return resource.type == "AWS::KMS::Alias" and str(name).startswith(f"alias/ringwall/{perimeter}/")


def declared_id(resource: Resource) -> str | None:
    """The desired id under which it was made."""
    return tags(resource).get(ID_TAG)


def perimeter_of(resources: Iterable[Resource]) -> str:
    """The one perimeter name that these resources are tagged with, or the empty string."""
    names = {name for name in map(owner, resources) if name}
    return names.pop() if len(names) == 1 else ""


def label(resource: Resource) -> str:
    """How a resource is named to a reader: its declared id, else its physical one."""
    return declared_id(resource) or resource.id
