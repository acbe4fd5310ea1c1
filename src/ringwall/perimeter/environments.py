"""Environments: what is different in each, laid over the rest of the declaration.

Mappings are merged key by key; everything else, lists too, takes the place of what stood there; ``null`` takes a field
away. Positions go along, so that a mistake is shown where it stands: in the environment's own lines, or in the base's.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

from ruamel.yaml.comments import CommentedMap

ENVIRONMENTS = "environments"


def overlaid(tree: CommentedMap) -> Mapping[str, CommentedMap]:
    """The whole declaration of each environment, by its name."""
    found = tree.get(ENVIRONMENTS)
    if not isinstance(found, CommentedMap):
        return {}
    return {
        str(name): _without_environments(merged(tree, overlay))
        for name, overlay in found.items()
        if isinstance(overlay, CommentedMap)
    }


def merged(base: CommentedMap, overlay: CommentedMap) -> CommentedMap:
    """A mapping with another laid over it. Neither changes."""
    result = _copied(base)
    for key, value in overlay.items():
        if value is None:
            result.pop(key, None)
        else:
            below = result.get(key)
            both = isinstance(value, CommentedMap) and isinstance(below, CommentedMap)
            result[key] = merged(below, value) if both else value
            _place(result, key, overlay)
    return result


def _copied(base: CommentedMap) -> CommentedMap:
    result = CommentedMap(base)
    result.lc.line, result.lc.col = base.lc.line, base.lc.col
    for key in base:
        _place(result, key, base)
    return result


def _place(target: CommentedMap, key: Any, source: CommentedMap) -> None:
    """Remember where in the text a key of ``source`` stands."""
    places = source.lc.data
    if places and key in places:
        target.lc.add_kv_line_col(key, copy(places[key]))


def _without_environments(tree: CommentedMap) -> CommentedMap:
    tree.pop(ENVIRONMENTS, None)
    return tree
