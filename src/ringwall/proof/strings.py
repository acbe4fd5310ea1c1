"""Strings that match some patterns and not others.

Looking for a string walks the product of the automata breadth first, branching only over the characters that some
automaton waits for and one that none does, so that the work follows the patterns and not the alphabet. Emptiness of
such intersections is NP-hard, hence the clock. Three things keep the products small: patterns that plainly exclude
each other are not multiplied, a pattern that plainly contains another adds nothing, and what a string must *not* match
is brought in only once a string was found that does.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import chain, combinations, product
from math import prod
from typing import TYPE_CHECKING, Final

from ringwall.proof.language import (
    Clock,
    OutOfRoomError,
    Tokens,
    accepts,
    automaton,
    contains,
    disjoint,
    filled,
    fixed_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ringwall.proof.language import Automaton

_FRESH: Final = "x0zqwvkjyub9cdefghi7rstlmnopa123456-_.AZQXWVKJ%~"
_STATES: Final = 200_000
"""Places of one walk that are remembered, some 100 MB at the most."""
_CHOICES: Final = 64
"""Choices of one pattern from each group that are looked through one by one; if there are more, their unions are."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What a string has to be.

    Attributes:
        inside: of each group of patterns it matches at least one.
        outside: it matches none of these.
    """

    inside: tuple[tuple[Tokens, ...], ...] = ()
    outside: tuple[Tokens, ...] = ()

    def met_by(self, text: str) -> bool:
        """Whether the text is as demanded."""
        return all(any(accepts(one, text) for one in group) for group in self.inside) and not any(
            accepts(one, text) for one in self.outside
        )


def find(
    demand: Demand, clock: Clock, *, samples: Iterable[str] = (), alphabet: str | None = None
) -> str | None:
    """A string as demanded, or ``None`` if there is none.

    Args:
        demand: what it has to be.
        clock: when to give up.
        samples: strings to prefer where they will do.
        alphabet: the characters that it may consist of, in order of preference; ``None`` = any.

    Raises:
        GaveUpError: the clock ran out, or there were too many ways in which the patterns overlap.
    """
    key = (demand, tuple(samples), alphabet)
    if key not in _FOUND:
        if len(_FOUND) >= _FINDS_KEPT:
            _FOUND.clear()
        _FOUND[key] = _find(*key, clock)
    return _FOUND[key]


_FINDS_KEPT: Final = 65536
_FOUND: dict[tuple[Demand, tuple[str, ...], str | None], str | None] = {}
"""What was found by searches that ended: principals share policies, so the same demands come again."""


def _find(demand: Demand, samples: tuple[str, ...], alphabet: str | None, clock: Clock) -> str | None:
    exact = _exact(demand)
    if exact is not None:
        return exact if demand.met_by(exact) and _spelled(exact, alphabet) else None
    for text in chain(samples, _guesses(demand)):
        if _spelled(text, alphabet) and demand.met_by(text):
            return text
    return _search(demand, clock, alphabet)


def _search(demand: Demand, clock: Clock, alphabet: str | None) -> str | None:
    """Look through the choices of one pattern from each group, the smallest group first."""
    groups = sorted(_without_strangers(demand.inside), key=len)
    if prod(map(len, groups)) > _CHOICES:
        return _without(groups, demand.outside, clock, alphabet)
    for choice in product(*groups):
        if any(disjoint(one, other) for one, other in combinations(choice, 2)):
            continue
        outside = [no for no in demand.outside if not any(disjoint(no, one) for one in choice)]
        if any(contains(no, one) for no in outside for one in choice):
            continue
        found = _without([(one,) for one in _tightest(choice)], outside, clock, alphabet)
        if found is not None:
            return found
    return None


def _without_strangers(groups: Iterable[tuple[Tokens, ...]]) -> list[tuple[Tokens, ...]]:
    """The groups, each without what excludes all of another."""
    left = list(groups)
    for index, group in enumerate(left):
        others = [other for other in left if other is not group]
        left[index] = tuple(
            one for one in group if not any(all(disjoint(one, two) for two in other) for other in others)
        )
    return left


def _tightest(choice: Iterable[Tokens]) -> list[Tokens]:
    """The patterns without those that contain another of them."""
    kept = list(dict.fromkeys(choice))
    for one in tuple(kept):
        if any(other is not one and contains(one, other) for other in kept):
            kept.remove(one)
    return kept


def _without(
    groups: Sequence[tuple[Tokens, ...]], outside: Sequence[Tokens], clock: Clock, alphabet: str | None
) -> str | None:
    """A string of all the groups that matches nothing of ``outside``, which is heeded only where it stood in the way."""
    heeded: list[Tokens] = []
    while True:
        found = _walk(Demand(tuple(groups), tuple(heeded)), clock, alphabet)
        if found is None:
            return None
        hit = [no for no in outside if accepts(no, found)]
        if not hit:
            return found
        heeded += hit


def _exact(demand: Demand) -> str | None:
    for group in demand.inside:
        if len(group) == 1:
            text = fixed_text(group[0])
            if text is not None:
                return text
    return None


def _spelled(text: str, alphabet: str | None) -> bool:
    return alphabet is None or all(char in alphabet for char in text)


def _guesses(demand: Demand) -> Iterable[str]:
    """Each wanted pattern with its wildcards filled in: mostly that is enough."""
    for group in demand.inside:
        for tokens in group[:4]:
            for fill in ("x", "", "x0", "zq9"):
                yield filled(tokens, fill)
    if not demand.inside:
        yield from ("x", "x0zq", "zqx9-unlisted")
    elif len(demand.inside) > 1:
        firsts = [group[0] for group in demand.inside]
        for order in (firsts, firsts[::-1]):
            yield "".join(filled(tokens, "") for tokens in order)


def _walk(demand: Demand, clock: Clock, alphabet: str | None) -> str | None:
    """Breadth-first search of the product automaton for a shortest string."""
    groups = demand.inside
    automata = [automaton(tokens) for group in groups for tokens in group]
    automata += [automaton(tokens) for tokens in demand.outside]
    spans = _spans(groups)
    wanted = sum(len(group) for group in groups)
    start = tuple(machine.start for machine in automata)
    if _accepted(start, automata, spans, wanted):
        return ""
    origin: dict[tuple[int, ...], tuple[tuple[int, ...], str] | None] = {start: None}
    queue = deque([start])
    visited = 0
    while queue:
        state = queue.popleft()
        visited += 1
        if visited % 256 == 0:
            clock.check()
        for char in _branches(state, automata, alphabet):
            following = tuple(
                machine.step(states, char) if states else 0
                for machine, states in zip(automata, state, strict=True)
            )
            if following in origin or not all(any(following[low:high]) for low, high in spans):
                continue
            if len(origin) >= _STATES:
                raise OutOfRoomError(f"wildcards overlap in more than {_STATES:,} ways")
            origin[following] = (state, char)
            if _accepted(following, automata, spans, wanted):
                return _spell(following, origin)
            queue.append(following)
    return None


def _spans(groups: Sequence[Sequence[Tokens]]) -> list[tuple[int, int]]:
    spans, low = [], 0
    for group in groups:
        spans.append((low, low + len(group)))
        low += len(group)
    return spans


def _accepted(
    state: tuple[int, ...], automata: list[Automaton], spans: list[tuple[int, int]], wanted: int
) -> bool:
    for low, high in spans:
        if not any(state[index] & automata[index].accepting for index in range(low, high)):
            return False
    return not any(state[index] & automata[index].accepting for index in range(wanted, len(state)))


def _branches(state: tuple[int, ...], automata: list[Automaton], alphabet: str | None) -> list[str]:
    """The characters that differ to some automaton here, and one that is like all the others."""
    awaited = {
        char
        for machine, states in zip(automata, state, strict=True)
        if states
        for char, mask in machine.waits
        if states & mask
    }
    if alphabet is not None:
        other = next((char for char in alphabet if char not in awaited), None)
        branches = [char for char in alphabet if char in awaited]
    else:
        other = next((char for char in _FRESH if char not in awaited), None) or _unusual(awaited)
        branches = sorted(awaited)
    return branches if other is None else [other, *branches]


def _unusual(awaited: set[str]) -> str:
    return next(char for char in map(chr, range(0x100, 0x10000)) if char not in awaited)


def _spell(state: tuple[int, ...], origin: dict[tuple[int, ...], tuple[tuple[int, ...], str] | None]) -> str:
    chars: list[str] = []
    step = origin[state]
    while step is not None:
        state, char = step
        chars.append(char)
        step = origin[state]
    return "".join(reversed(chars))
