"""Languages of strings given by wildcard patterns.

A pattern is a tuple of tokens; its automaton is simulated on the bits of an integer.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

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

_FILLED: Final = {STAR: None, FIELD_STAR: None, ANY: "x", FIELD_ANY: "x", DIGIT: "1"}
_DIGITS: Final = "0123456789"


class GaveUpError(Exception):
    """A search ended without an answer; the message says at which limit."""


class OutOfTimeError(GaveUpError):
    """The clock ran out during a search; the answer is not known."""


class OutOfRoomError(GaveUpError):
    """A search would have needed too much memory; the answer is not known."""


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
            raise OutOfTimeError("the time was over")

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

    def absorbs(self, tokens: Tokens) -> bool:
        """Whether every text of another pattern plainly matches.

        The automaton reads the other pattern's tokens as if they were characters, keeping only the states that it is
        in whatever text a token stands for.
        """
        states = self.start
        for token in tokens:
            states = self._step_token(states, token)
            if not states:
                return False
        return bool(states & self.accepting)

    def _step_token(self, states: int, token: str) -> int:
        if token == STAR:
            return self._close(states & self._colon_star)
        if token == FIELD_STAR:
            return self._close(states & self._star)
        if token == ANY:
            return self._close((states & self._colon_star) | ((states & self._default_colon) << 1))
        if token == FIELD_ANY:
            return self._close((states & self._star) | ((states & self._default) << 1))
        after = -1
        for char in _characters(token):
            after &= self.step(states, char)
        return after


@lru_cache(maxsize=65536)
def automaton(tokens: Tokens) -> Automaton:
    """The automaton of a pattern, kept."""
    return Automaton(tokens)


@lru_cache(maxsize=262144)
def accepts(tokens: Tokens, text: str) -> bool:
    """Whether a pattern matches a text, kept."""
    head, tail = _ends(tokens)
    return text.startswith(head) and text.endswith(tail) and automaton(tokens).accepts(text)


@lru_cache(maxsize=65536)
def _ends(tokens: Tokens) -> tuple[str, str]:
    """The literal text that a pattern begins with, and the one that it ends in."""
    return _literal_run(tokens), _literal_run(tokens[::-1])[::-1]


def _literal_run(tokens: Iterable[str]) -> str:
    run: list[str] = []
    for token in tokens:
        if token[0] != "=":
            break
        run.append(token[1])
    return "".join(run)


def disjoint(one: Tokens, other: Tokens) -> bool:
    """Whether two patterns plainly have no text in common: they begin or end differently."""
    (head, tail), (other_head, other_tail) = _ends(one), _ends(other)
    if not (head.startswith(other_head) or other_head.startswith(head)):
        return True
    return not (tail.endswith(other_tail) or other_tail.endswith(tail))


@lru_cache(maxsize=262144)
def contains(outer: Tokens, inner: Tokens) -> bool:
    """Whether every text of the inner pattern plainly matches the outer one; ``False`` leaves it open."""
    return not disjoint(outer, inner) and automaton(outer).absorbs(inner)
