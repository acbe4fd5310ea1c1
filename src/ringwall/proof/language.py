"""Languages of strings given by wildcard patterns, and strings in some of them but not in others.

A pattern is a tuple of tokens; its automaton is simulated on the bits of an integer. Looking for a string walks the
product of all the automata breadth first, branching only over the characters that some automaton waits for and one
that none does, so that the work follows the patterns and not the alphabet. Emptiness of such intersections is
NP-hard, hence the clock.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

STAR: Final = "*"
"""Token: any text."""
ANY: Final = "?"
"""Token: any one character."""
FIELD_STAR: Final = "*:"
"""Token: any text without a colon."""
FIELD_ANY: Final = "?:"
"""Token: any one character but a colon."""

DIGIT: Final = "#"
"""Token: any one decimal digit."""

Tokens = tuple[str, ...]
"""Literal characters are tokens ``=c`` (that character) or ``~c`` (in either case, ``c`` lower)."""

_FRESH: Final = "x0zqwvkjyub9cdefghi7rstlmnopa123456-_.AZQXWVKJ%~"
_FILLED: Final = {STAR: None, FIELD_STAR: None, ANY: "x", FIELD_ANY: "x", DIGIT: "1"}
_DIGITS: Final = "0123456789"


class OutOfTimeError(Exception):
    """The clock ran out during a search; the answer is not known."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A moment by which work has to end, on the monotonic clock."""

    deadline: float

    @classmethod
    def starting_now(cls, seconds: float) -> Clock:
        """A clock that runs out ``seconds`` from now."""
        return cls(time.monotonic() + seconds)

    def check(self) -> None:
        """Raise :class:`OutOfTimeError` once the moment has passed."""
        if time.monotonic() > self.deadline:
            raise OutOfTimeError

    @property
    def left(self) -> float:
        """Seconds left, not less than zero."""
        return max(0.0, self.deadline - time.monotonic())


def literal(text: str) -> Tokens:
    """Exactly this text."""
    return tuple(f"={char}" for char in text)


def caseless(text: str) -> Tokens:
    """This text in any case."""
    return tuple(f"~{char.lower()}" for char in text)


@lru_cache(maxsize=65536)
def wild(text: str, *, stays_in_field: bool = False, fold: bool = False) -> Tokens:
    """A pattern in which ``*`` and ``?`` are wildcards.

    Args:
        text: the pattern.
        stays_in_field: wildcards do not match colons (the first five fields under ARN operators).
        fold: literal characters match in either case.
    """
    star, any_char = (FIELD_STAR, FIELD_ANY) if stays_in_field else (STAR, ANY)
    tokens: list[str] = []
    for char in text:
        if char == "*":
            if not tokens or tokens[-1] != star:
                tokens.append(star)
        elif char == "?":
            tokens.append(any_char)
        else:
            tokens.append(f"~{char.lower()}" if fold else f"={char}")
    return tuple(tokens)


def fixed_text(tokens: Tokens) -> str | None:
    """The one text of a pattern without wildcards and without free case, else ``None``."""
    if all(token[0] == "=" for token in tokens):
        return "".join(token[1] for token in tokens)
    return None


def _characters(token: str) -> Iterable[str]:
    """The characters that a token other than the wildcards stands for."""
    if token == DIGIT:
        return _DIGITS
    char = token[1]
    upper = char.upper()
    if token[0] == "~" and len(upper) == 1 and upper.lower() == char:
        return {char, upper}
    return (char,)


def filled(tokens: Tokens, fill: str) -> str:
    """A text that the pattern matches, with ``fill`` for every star (or, where it may not, mostly does)."""
    return "".join(_FILLED.get(token, token[-1]) or fill for token in tokens)


class Automaton:
    """A pattern as a nondeterministic automaton whose state sets are integers."""

    __slots__ = (
        "_colon_star",
        "_default",
        "_default_colon",
        "_star",
        "_steps",
        "accepting",
        "start",
        "waits",
    )

    def __init__(self, tokens: Tokens) -> None:
        self.accepting = 1 << len(tokens)
        masks = {STAR: 0, FIELD_STAR: 0, ANY: 0, FIELD_ANY: 0}
        steps: dict[str, int] = {}
        for index, token in enumerate(tokens):
            bit = 1 << index
            if token in masks:
                masks[token] |= bit
                continue
            for char in _characters(token):
                steps[char] = steps.get(char, 0) | bit
        self._star, self._colon_star = masks[STAR] | masks[FIELD_STAR], masks[STAR]
        self._default, self._default_colon = masks[ANY] | masks[FIELD_ANY], masks[ANY]
        self._steps = {
            char: mask | (self._default_colon if char == ":" else self._default)
            for char, mask in steps.items()
        }
        self.waits = tuple(steps.items())
        if self._star != self._colon_star or self._default != self._default_colon:
            self.waits += ((":", self._star | self._default),)
        self.start = self._close(1)

    def _close(self, states: int) -> int:
        while True:
            closed = states | ((states & self._star) << 1)
            if closed == states:
                return states
            states = closed

    def step(self, states: int, char: str) -> int:
        """The states after one more character."""
        if char == ":":
            loops, moves = self._colon_star, self._steps.get(char, self._default_colon)
        else:
            loops, moves = self._star, self._steps.get(char, self._default)
        return self._close((states & loops) | ((states & moves) << 1))

    def accepts(self, text: str) -> bool:
        """Whether the whole text matches."""
        states = self.start
        for char in text:
            states = self.step(states, char)
            if not states:
                return False
        return bool(states & self.accepting)


@lru_cache(maxsize=65536)
def automaton(tokens: Tokens) -> Automaton:
    """The automaton of a pattern, kept."""
    return Automaton(tokens)


@lru_cache(maxsize=262144)
def accepts(tokens: Tokens, text: str) -> bool:
    """Whether a pattern matches a text, kept."""
    return automaton(tokens).accepts(text)


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
        OutOfTimeError: the clock ran out.
    """
    exact = _exact(demand)
    if exact is not None:
        return exact if demand.met_by(exact) and _spelled(exact, alphabet) else None
    for sample in samples:
        if _spelled(sample, alphabet) and demand.met_by(sample):
            return sample
    for guess in _guesses(demand):
        if _spelled(guess, alphabet) and demand.met_by(guess):
            return guess
    key = (demand, alphabet)
    if key not in _WALKED:
        if len(_WALKED) >= _WALKS_KEPT:
            _WALKED.clear()
        _WALKED[key] = _walk(demand, clock, alphabet)
    return _WALKED[key]


_WALKS_KEPT: Final = 65536
_WALKED: dict[tuple[Demand, str | None], str | None] = {}
"""Outcomes of searches that ended: principals share policies, so the same demands come again."""


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
