"""Environments and accounts: what is different in each, laid over the rest of the declaration.

An environment takes the declaration's place; the accounts of a declaration stand beside each other, each with a whole
declaration of its own.

Mappings are merged key by key; everything else, lists too, takes the place of what stood there; ``null`` takes a field
away. Positions go along, so that a mistake is shown where it stands: in the environment's own lines, or in the base's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ruamel.yaml.comments import CommentedMap

ENVIRONMENTS = "environments"
ACCOUNTS = "accounts"
MEMBER = "member"


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


def apart(tree: CommentedMap) -> Mapping[str | None, CommentedMap]:
    """The whole declaration of each account, by its name; of a declaration about one account that one, by ``None``."""
    found = tree.get(ACCOUNTS)
    if not isinstance(found, CommentedMap) or not found:
        return {None: tree}
    rest = _copied(tree)
    rest.pop(ACCOUNTS)
    whole: dict[str | None, CommentedMap] = {}
    for name, overlay in found.items():
        one = merged(rest, overlay) if isinstance(overlay, CommentedMap) else _copied(rest)
        one[MEMBER] = str(name)
        one.lc.add_kv_line_col(MEMBER, [*found.lc.key(name), *found.lc.key(name)])
        whole[str(name)] = one
    return whole


def merged(base: CommentedMap, overlay: CommentedMap) -> CommentedMap:
    """A mapping with another laid over it. Neither changes."""
    result = _copied(base)
    for key, value in overlay.items():
        if value is None:
            result.pop(key, None)  # its place stays: what misses the field is told where it was taken away
        else:
            below = result.get(key)
            both = isinstance(value, CommentedMap) and isinstance(below, CommentedMap)
            result[key] = merged(below, value) if both else value
        _place(result, key, overlay)
    return result


def place_of(node: CommentedMap, key: Any) -> tuple[int, int, int, int] | None:
    """Line and column of a key, then of its value, counting from 0; ``None`` if it is not in the text.

    What a mapping has by a merge (``<<: *base``) stands where it was written.
    """
    places = node.lc.data
    if places and key in places:
        return tuple(places[key])
    merged_in = (place_of(source, key) for source in node.merge)
    return next((place for place in merged_in if place is not None), None)


def _copied(base: CommentedMap) -> CommentedMap:
    result = CommentedMap(base)
    result.lc.line, result.lc.col = base.lc.line, base.lc.col
    for key in base:
        _place(result, key, base)
    return result


def _place(target: CommentedMap, key: Any, source: CommentedMap) -> None:
    """Remember where in the text a key of ``source`` stands."""
    place = place_of(source, key)
    if place is not None:
        target.lc.add_kv_line_col(key, list(place))


def _without_environments(tree: CommentedMap) -> CommentedMap:
    tree.pop(ENVIRONMENTS, None)
    return tree
