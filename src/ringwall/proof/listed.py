"""Lists of action patterns as single tests.

A policy may list thousands of actions. As one test a list is one choice for the SAT solver, and most questions about
lists (is this action in it, is one list within another) are answered by looking up texts and their beginnings.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from ringwall.proof.language import Clock, Tokens, accepts, contains, disjoint, wild
from ringwall.proof.strings import Demand, find

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_EVERYTHING = "*"


class Listed:
    """Passes a text that matches any of some patterns. Make one with :func:`listed`, so that equal ones are one.

    Attributes:
        patterns: lower-cased.
    """

    def __init__(self, patterns: frozenset[str]) -> None:
        self.patterns = patterns

    @cached_property
    def ordered(self) -> tuple[str, ...]:
        """The patterns, those without wildcards first."""
        return (*self._literals, *sorted(self.patterns - set(self._literals)))

    @cached_property
    def _literals(self) -> tuple[str, ...]:
        return tuple(sorted(one for one in self.patterns if is_literal(one)))

    @cached_property
    def _by_head(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for one in self.patterns:
            if not is_literal(one):
                found.setdefault(_head(one), []).append(one)
        return found

    @cached_property
    def _lengths(self) -> tuple[int, ...]:
        return tuple(sorted({len(head) for head in self._by_head}))

    def accepts(self, text: str) -> bool:
        """Whether the text matches a pattern."""
        return self.matching(text) is not None

    def matching(self, text: str) -> str | None:
        """A pattern that the text matches."""
        if text in self.patterns and is_literal(text):
            return text
        for one in self._beginning(text):
            if _is_prefix(one) or accepts(_tokens(one), text):
                return one
        return None

    def _beginning(self, text: str) -> Iterator[str]:
        """Patterns with wildcards whose literal beginning the text has."""
        for length in self._lengths:
            if length > len(text):
                return
            yield from self._by_head.get(text[:length], ())

    def covers(self, pattern: str) -> bool:
        """Whether one of the patterns plainly contains another; ``False`` leaves it open."""
        if pattern in self.patterns:
            return True
        if is_literal(pattern):
            return self.accepts(pattern)
        return any(
            _is_prefix(one) or contains(_tokens(one), _tokens(pattern))
            for one in self._beginning(_head(pattern))
        )

    def overlapping(self, pattern: str) -> list[str]:
        """The patterns that may have texts in common with another, literals first."""
        if is_literal(pattern):
            return [pattern] if self.accepts(pattern) else []
        head = _head(pattern)
        tokens = _tokens(pattern)
        low = bisect_left(self._literals, head)
        found = []
        for one in self._literals[low:]:
            if not one.startswith(head):
                break
            if accepts(tokens, one):
                found.append(one)
        globs = [*self._beginning(head), *self._starting(head)]
        found += [one for one in dict.fromkeys(globs) if not disjoint(_tokens(one), tokens)]
        return found

    def _starting(self, head: str) -> Iterator[str]:
        for other, patterns in sorted(self._by_head.items()):
            if other.startswith(head):
                yield from patterns


@lru_cache(maxsize=8192)
def listed(patterns: frozenset[str]) -> Listed:
    """The test of a list of lower-cased patterns."""
    return Listed(patterns)


def is_literal(pattern: str) -> bool:
    """Whether the pattern matches one text alone."""
    return "*" not in pattern and "?" not in pattern


def _is_prefix(pattern: str) -> bool:
    """Whether the pattern is a text and a star: its beginning is all that it asks for."""
    return pattern.endswith("*") and is_literal(pattern[:-1])


def _head(pattern: str) -> str:
    star, one = pattern.find("*"), pattern.find("?")
    cuts = [cut for cut in (star, one) if cut >= 0]
    return pattern[: min(cuts)] if cuts else pattern


_tokens = lru_cache(maxsize=65536)(wild)


def find_listed(
    inside: Sequence[Listed],
    outside: Sequence[Listed],
    shape: tuple[tuple[Tokens, ...], ...],
    alphabet: str | None,
    clock: Clock,
) -> str | None:
    """A text in all of some lists and in none of others, or ``None`` if there is none.

    Args:
        inside: it matches a pattern of each.
        outside: it matches no pattern of these.
        shape: and of each of these groups it matches a pattern.
        alphabet: the characters that it may consist of.
        clock: when to give up.

    Raises:
        GaveUpError: the clock or the room ran out.
    """
    groups = sorted(dict.fromkeys(inside), key=lambda one: len(one.patterns))
    forms = Demand(shape)
    for chosen in _chosen(groups, outside, (), clock):
        if len(chosen) == 1 and is_literal(chosen[0]):
            if forms.met_by(chosen[0]):
                return chosen[0]
            continue
        found = _outside_of(outside, chosen, shape, alphabet, clock)
        if found is not None:
            return found
    return None


def _chosen(
    groups: Sequence[Listed], outside: Sequence[Listed], chosen: tuple[str, ...], clock: Clock
) -> Iterator[tuple[str, ...]]:
    """Patterns, one of each list or fewer where that says as much, that no list of ``outside`` plainly covers.

    There may be very many ways to choose of which none can be gone to the end, so each step looks at the clock.
    """
    clock.check()
    if not groups:
        yield chosen or (_EVERYTHING,)
        return
    first, *rest = groups
    if any(first.covers(one) for one in chosen):
        yield from _chosen(rest, outside, chosen, clock)
        return
    if chosen and not all(group.overlapping(chosen[-1]) for group in rest):
        return
    for one in first.ordered if not chosen else _overlapping(first, chosen):
        if any(no.covers(one) for no in outside):
            continue
        if is_literal(one):
            if all(group.accepts(one) for group in rest):
                yield (one,)
        else:
            yield from _chosen(rest, outside, (*chosen, one), clock)


def _overlapping(group: Listed, chosen: Iterable[str]) -> list[str]:
    lists = [group.overlapping(one) for one in chosen]
    return [one for one in lists[0] if all(one in other for other in lists[1:])]


def _outside_of(
    outside: Sequence[Listed],
    chosen: Sequence[str],
    shape: tuple[tuple[Tokens, ...], ...],
    alphabet: str | None,
    clock: Clock,
) -> str | None:
    """A text that matches all the chosen patterns and none of the lists."""
    inside = (*((_tokens(one),) for one in chosen), *shape)
    heeded: list[Tokens] = []
    while True:
        found = find(Demand(inside, tuple(heeded)), clock, alphabet=alphabet)
        if found is None:
            return None
        hit = [pattern for no in outside if (pattern := no.matching(found)) is not None]
        if not hit:
            return found
        heeded += dict.fromkeys(_tokens(one) for one in hit)
