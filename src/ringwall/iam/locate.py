"""Positions in JSON text: where the value at a path stands. Read only when there is something to report."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

Path = tuple[str | int, ...]

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of a character offset."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def locate(text: str, path: Path) -> int:
    """Offset of the value at ``path`` in valid JSON text.

    For a member of an object it is the key's offset if the path is the last known thing about it, that is: the place
    a reader looks for. Where the path does not exist, the offset of its nearest existing parent is given.
    """
    best, length = 0, -1
    for found, offset in positions(text):
        if len(found) > length and path[: len(found)] == found:
            best, length = offset, len(found)
            if length == len(path):
                break
    return best


def first_duplicate(text: str) -> int:
    """Offset of the first key that stands twice in one object; 0 if there is none."""
    seen: set[Path] = set()
    for found, offset in positions(text):
        if found in seen:
            return offset
        seen.add(found)
    return 0


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
