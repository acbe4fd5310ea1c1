"""Statements by the text that a matching resource must begin with, so that a decision need not try each of them.

A pattern's literal beginning (all of it, where it holds no wildcard) is looked up in a dictionary, once for each length
that occurs. What is found may match; the rest cannot.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Self

from ringwall.iam.patterns import Tokens

if TYPE_CHECKING:
    from ringwall.iam.compile import CompiledStatement

INDEXED_FROM = 12
"""How many statements an index is worth: below, trying each of them is as quick."""


class IndexedStatements(tuple["CompiledStatement", ...]):  # noqa: SLOT001 - no tuple can have slots of its own
    """Statements in their order, with the index over them. Build with :func:`indexed`."""

    _by_length: tuple[tuple[int, dict[str, tuple[int, ...]]], ...]

    def __new__(cls, statements: Iterable[CompiledStatement]) -> Self:
        """Keep the statements, and index their positions by the beginnings of their resources."""
        self = super().__new__(cls, statements)
        tables: dict[int, dict[str, list[int]]] = {}
        for position, statement in enumerate(self):
            for beginning in statement.beginnings:
                tables.setdefault(len(beginning), {}).setdefault(beginning, []).append(position)
        self._by_length = tuple(
            (length, {beginning: tuple(found) for beginning, found in table.items()})
            for length, table in sorted(tables.items())
        )
        return self

    def candidates(self, resource: str) -> tuple[CompiledStatement, ...]:
        """The statements whose resource element may match, in their order."""
        found: list[int] = []
        for length, table in self._by_length:
            positions = table.get(resource[:length])
            if positions is not None:
                found += positions
        return tuple([self[position] for position in sorted(set(found))])


def indexed(statements: list[CompiledStatement]) -> tuple[CompiledStatement, ...]:
    """The statements as a tuple; with an index where there are many."""
    return IndexedStatements(statements) if len(statements) >= INDEXED_FROM else tuple(statements)


def candidates(statements: tuple[CompiledStatement, ...], resource: str) -> tuple[CompiledStatement, ...]:
    """The statements whose resource element may match, as far as there is an index that tells."""
    return statements.candidates(resource) if isinstance(statements, IndexedStatements) else statements


def beginnings(patterns: tuple[Tokens, ...] | None) -> frozenset[str]:
    """With which texts a resource must begin to match one of the patterns; ``None`` = whatever it is.

    A pattern that is completed as a short ARN keeps its beginning.
    """
    if patterns is None:
        return frozenset({""})
    return frozenset(tokens[0] if tokens and isinstance(tokens[0], str) else "" for tokens in patterns)
