"""What YAML can say and the files here do not: refused where it stands, before values are made of it.

Left to itself the parser takes ``!Ref name`` for ``name``, stops at a date without saying where, and follows aliases as
often as they are written: ten lines of aliases of aliases are more than memory holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

MAX_DEPTH = 50
MAX_VALUES = 500_000
"""Values in a text, those that aliases repeat counted each time."""
MAX_DIGITS = 20
"""More than any number of AWS's has."""
_YAML = "tag:yaml.org,2002:"
TEXT, WHOLE, DATE, MERGE = (f"{_YAML}{name}" for name in ("str", "int", "timestamp", "merge"))
MAPPING, LIST = f"{_YAML}map", f"{_YAML}seq"


class _Size(NamedTuple):
    """How many values a node stands for, and how deep they are nested."""

    values: int
    depth: int


class PlainConstructor(RoundTripConstructor):
    """Makes values of plain nodes alone: mappings, lists, texts, numbers, true, false, null, dates."""

    texts_only: ClassVar[bool] = False

    def construct_document(self, node: Any) -> Any:
        """The value of a whole text.

        Raises:
            MarkedYAMLError: something in it is not plain, stands twice, repeats itself or is too much.
        """
        _Walk(self.resolver, self.texts_only).size(node)
        return super().construct_document(node)


class DeclarationConstructor(PlainConstructor):
    """As above, where keys are texts and dates are refused: nothing that a declaration says is one."""

    texts_only = True


@dataclass
class _Walk:
    """A walk through the nodes of a text, each once."""

    resolver: Any
    texts_only: bool
    _sizes: dict[int, _Size | None] = field(default_factory=dict)

    def size(self, node: Any) -> _Size:
        """Size of a node in which nothing is to be refused."""
        if id(node) in self._sizes:
            known = self._sizes[id(node)]
            if known is None:
                raise _refused(node, "an alias leads back to where it stands")
            return known
        self._sizes[id(node)] = None
        inside = tuple(self._inside(node))
        size = _Size(
            1 + sum(item.values for item in inside), 1 + max((item.depth for item in inside), default=0)
        )
        if size.values > MAX_VALUES:
            raise _refused(node, f"stands for more than {MAX_VALUES:,} values, aliases written out")
        if size.depth > MAX_DEPTH:
            raise _refused(node, f"is nested deeper than {MAX_DEPTH}")
        self._sizes[id(node)] = size
        return size

    def _inside(self, node: Any) -> list[_Size]:
        tag = str(node.tag)
        if isinstance(node, MappingNode):
            self._tagged(node, tag, MAPPING)
            self._keys(node)
            return [self.size(value) for _, value in node.value]
        if isinstance(node, SequenceNode):
            self._tagged(node, tag, LIST)
            return [self.size(item) for item in node.value]
        self._scalar(node, tag)
        return []

    def _keys(self, node: Any) -> None:
        seen: dict[str, Any] = {}
        for key, _ in node.value:
            tag = str(key.tag)
            if tag == MERGE:
                continue
            if not isinstance(key, ScalarNode) or (self.texts_only and tag != TEXT):
                raise _refused(key, "a key is text: write it in quotes")
            self._scalar(key, tag)
            first = seen.setdefault(key.value, key)
            if first is not key:
                raise _refused(
                    key, f"{key.value} stands there twice, first in line {first.start_mark.line + 1}"
                )

    def _scalar(self, node: Any, tag: str) -> None:
        if tag == TEXT:
            return
        plain = self.resolver.resolve(ScalarNode, node.value, (node.style is None, False))
        self._tagged(node, tag, str(plain))
        if self.texts_only and tag == DATE:
            raise _refused(node, f'must be text: write it in quotes, "{node.value}"')
        if tag == WHOLE and len(node.value) > MAX_DIGITS:
            raise _refused(node, f"has {len(node.value)} digits; no number here has more than {MAX_DIGITS}")

    @staticmethod
    def _tagged(node: Any, tag: str, plain: str) -> None:
        if tag != plain:
            shown = tag.replace(_YAML, "!!")
            raise _refused(node, f"{shown} means nothing here: write the value alone")


def _refused(node: Any, problem: str) -> MarkedYAMLError:
    return MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
