"""Positions in JSON text: where the value at a path stands. Read only when there is something to report."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

Path = tuple[str | int, ...]

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)
_OPENING = ("[", "{")
_CLOSING = ("]", "}")


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of a character offset."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def locate(text: str, path: Path) -> int:
    """Offset of the value at ``path`` in valid JSON text.

    For a member of an object it is the key's offset if the path is the last known thing about it, that is: the place
    a reader looks for. Where the path does not exist, the offset of its nearest existing parent is given.
    """
    best = value = token_at(text, "")
    for part in path:
        child = next((child for child in _children(text, value) if child[0] == part), None)
        if child is None:
            break
        _, best, value = child
    return best


def token_at(text: str, start: str) -> int:
    """Offset of the first token outside of strings that starts like this; 0 if there is none."""
    return next((match.start() for match in _TOKEN.finditer(text) if match.group().startswith(start)), 0)


def first_duplicate(text: str) -> int:
    """Offset of the first key that stands twice in one object; 0 if there is none.

    Args:
        text: valid JSON up to the end of the object that holds a key twice.
    """
    open_keys: list[set[str] | None] = []  # the keys so far of each open object, None for a list
    key_next = False
    for match in _TOKEN.finditer(text):
        found = match.group()
        keys = open_keys[-1] if open_keys else None
        if found == ",":
            key_next = keys is not None
        elif found in _OPENING:
            key_next = found == "{"
            open_keys.append(set() if key_next else None)
        elif found in _CLOSING:
            open_keys.pop()
            key_next = False
        elif key_next and keys is not None:
            key = json.loads(found)
            if key in keys:
                return match.start()
            keys.add(key)
            key_next = False
    return 0


def _children(text: str, start: int) -> Iterator[tuple[str | int, int, int]]:
    """The members or items of the value at ``start``: key or index, offset, and offset of the value."""
    tokens = _TOKEN.finditer(text, start)
    opening = next(tokens).group()
    if opening not in _OPENING:
        return
    index = 0
    for token in tokens:
        found = token.group()
        if found in _CLOSING:
            return
        if found == ",":
            index += 1
            continue
        value, name = token, index
        if opening == "{":
            next(tokens)  # the colon
            value, name = next(tokens), json.loads(found)
        yield name, token.start(), value.start()
        depth = int(value.group() in _OPENING)
        while depth:
            found = next(tokens).group()
            depth += (found in _OPENING) - (found in _CLOSING)


def positions(text: str) -> Iterator[tuple[Path, int]]:
    """Every path of valid JSON text with its offset, in order: keys for members, values for items and the root."""
    path: list[str | int] = []
    expects_key: list[bool] = []
    key_next = False
    root_seen = False
    for match in _TOKEN.finditer(text):
        found = match.group()
        if found in "]}":
            expects_key.pop()
            path.pop()
            key_next = False
            continue
        if found == ":":
            key_next = False
            continue
        if found == ",":
            key_next = expects_key[-1]
            if not key_next:
                path[-1] = int(path[-1]) + 1
            continue
        if key_next:
            path[-1] = json.loads(found)
            yield tuple(path), match.start()
            continue
        if not root_seen:
            yield (), match.start()
            root_seen = True
        elif expects_key and not expects_key[-1]:
            yield tuple(path), match.start()
        if found in "[{":
            is_object = found == "{"
            expects_key.append(is_object)
            path.append("" if is_object else 0)
            key_next = is_object
