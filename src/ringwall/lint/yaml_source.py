"""A template in YAML: as the value that its JSON would have, and positions in it.

CloudFormation's short forms (``!Sub``, ``!GetAtt``) become their long ones. Scalars are read as CloudFormation reads
them: ``2012-10-17`` is a string and no date, and numbers with a leading zero (account ids) keep it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ringwall.iam.locate import Path
from ringwall.lint.rule import Spot
from ringwall.lint.source import MAX_CHARACTERS, MAX_DEPTH, Lines, Place, nearest

MAX_NODES = 200_000
"""Nodes that are read at most, each alias counted again: what a template of CloudFormation's greatest length holds."""

_CORE = "tag:yaml.org,2002:"
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\Z")
_TRUE = re.compile(r"(?i:true)\Z")
_BARE = frozenset({"Ref", "Condition"})
_MERGE = "<<"


class _Refused(Exception):  # noqa: N818 - internal signal
    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass
class YamlSource:
    """One YAML document of a file; the same questions as :class:`ringwall.lint.source.Source`.

    Attributes:
        file: its name in findings.
        text: what it holds.
        value: as JSON would have it; ``None`` where there is a problem.
        problem: why the text cannot be read, if it cannot.
        duplicates: keys that stand in one mapping again, with their offsets.
    """

    file: str
    text: str
    value: Any = field(default=None, init=False)
    problem: Spot | None = field(default=None, init=False)
    duplicates: tuple[tuple[str, int], ...] = field(default=(), init=False)
    _reader: _Reader = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._reader = reader = _Reader()
        if len(self.text) > MAX_CHARACTERS:
            self.problem = Spot(
                0, f"the file has more than {MAX_CHARACTERS:,} characters, which is more than is read"
            )
            return
        try:
            self.value = reader.read(YAML(typ="safe", pure=True).compose(self.text), (), 0)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            message = str(error.problem or error.context or "a mistake").split("\n", 1)[0]
            self.problem = Spot(mark.index if mark else 0, f"not valid YAML: {message}")
        except RecursionError:
            self.problem = Spot(0, f"nested more than {MAX_DEPTH} levels deep; a policy needs seven")
        except (YAMLError, ValueError) as error:
            self.problem = Spot(0, f"not valid YAML: {str(error).split(chr(10), 1)[0]}")
        except _Refused as error:
            self.problem = Spot(error.offset, str(error))
        self.duplicates = tuple(reader.duplicates)

    def places(self, wanted: Iterable[Path]) -> dict[Path, Place]:
        """Where each path stands; the nearest parent of what does not exist."""
        return {
            path: Place(nearest(path, self._reader.names), nearest(path, self._reader.values))
            for path in wanted
        }

    def inside(self, string: int, characters: int) -> int:
        """Offset of a character of the string that begins at ``string``; exact in literal blocks and plain strings."""
        node = self._reader.scalars.get(string)
        if node is None:
            return string
        if node.style == "|":
            return self._in_block(node, characters)
        plain = self.text.startswith(str(node.value), string + bool(node.style))
        return string + bool(node.style) + characters if plain else string

    def _in_block(self, node: ScalarNode, characters: int) -> int:
        before = str(node.value)[:characters]
        lines = self.line_and_column
        start = lines.start(node.start_mark.line + 1 + before.count("\n"))
        first = lines.start(node.start_mark.line + 1)
        indent = len(self.text[first:]) - len(self.text[first:].lstrip(" "))
        return start + indent + len(before.rpartition("\n")[2])

    @cached_property
    def line_and_column(self) -> Lines:
        """Line and column of an offset."""
        return Lines(self.text)


@dataclass
class _Reader:
    """Nodes as plain values, with the offsets of what stands where."""

    nodes: int = 0
    names: dict[Path, int] = field(default_factory=dict)
    values: dict[Path, int] = field(default_factory=dict)
    scalars: dict[int, ScalarNode] = field(default_factory=dict)
    duplicates: list[tuple[str, int]] = field(default_factory=list)

    def read(self, node: Node | None, path: Path, name: int) -> Any:
        if node is None:
            return None
        self.nodes += 1
        if self.nodes > MAX_NODES or len(path) > MAX_DEPTH:
            raise _Refused(
                node.start_mark.index, "the document is too large or too deep; its aliases count again"
            )
        offset = node.start_mark.index
        self.names[path], self.values[path] = name, offset
        tag = str(node.tag)
        if not tag.startswith("!") or len(tag) < 2:
            return self._plain(node, path, tag)
        function = tag[1:] if tag[1:] in _BARE else f"Fn::{tag[1:]}"
        value = self._plain(node, (*path, function), "")
        self.names[*path, function] = self.values[*path, function] = offset
        return {function: value}

    def _plain(self, node: Node, path: Path, tag: str) -> Any:
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [
                self.read(item, (*path, index), item.start_mark.index)
                for index, item in enumerate(node.value)
            ]
        if isinstance(node, ScalarNode):
            self.scalars[node.start_mark.index] = node
        return _scalar(str(node.value), tag.removeprefix(_CORE))

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, value in node.value:
            offset = key.start_mark.index
            if not isinstance(key, ScalarNode):
                raise _Refused(offset, "not valid in a template: a key that is no text")
            name = str(key.value)
            if name == _MERGE and str(key.tag) == f"{_CORE}merge":
                merged = self.read(value, (*path, _MERGE), offset)
                result |= (
                    {k: v for k, v in merged.items() if k not in result} if isinstance(merged, dict) else {}
                )
                continue
            if name in result:
                self.duplicates.append((name, offset))
            result[name] = self.read(value, (*path, name), offset)
        return result


def _scalar(text: str, tag: str) -> Any:
    if tag == "bool":
        return bool(_TRUE.match(text))
    if tag == "null":
        return None
    if tag == "int" and _INTEGER.match(text):
        return int(text)
    return text
