"""Text as a filter should see it: compatibility characters folded, invisible ones dropped, runs of blanks joined.

A span that was found in the folded text maps back to the span of the original, which is what masks replace.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property

# Tag characters and variation selectors that NFKC leaves in place; category Cf covers the rest.
_INVISIBLE_MARKS = frozenset({"\u034f", "\u115f", "\u1160", "\u17b4", "\u17b5", "\u3164", "\uffa0"})
_TOKEN = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_UNEVEN = re.compile(r"  |[\t\r\x0b\x0c]")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|[\r\n]+")


def _is_invisible(character: str) -> bool:
    if character in _INVISIBLE_MARKS or "\ufe00" <= character <= "\ufe0f":
        return True
    return unicodedata.category(character) == "Cf"


@dataclass(frozen=True)
class Folded:
    """Folded text and where each of its characters came from.

    Attributes:
        original: text as it was sent.
        text: folded text.
        starts: for each character of ``text``, the index of its character in ``original``; ``None`` = the same index.
    """

    original: str
    text: str
    starts: tuple[int, ...] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original that the folded span ``start:end`` (not empty) stands for."""
        if self.starts is None:
            return start, end
        return self.starts[start], self.starts[end - 1] + 1

    @cached_property
    def lowered(self) -> str:
        """The folded text in lower case, with the same length and indexes."""
        lowered = self.text.lower()
        if len(lowered) == len(self.text):
            return lowered
        return "".join(low if len(low := c.lower()) == 1 else c for c in self.text)

    @cached_property
    def tokens(self) -> tuple[tuple[str, int], ...]:
        """Words in lower case with their positions in the folded text."""
        return tuple([(m[0], m.start()) for m in _TOKEN.finditer(self.lowered)])

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """Sentences and lines in lower case."""
        return tuple(s for s in _SENTENCE.split(self.lowered) if s.strip())


def fold(original: str) -> Folded:
    """Fold text for matching.

    Full-width letters become plain ones (NFKC), zero-width and other invisible characters vanish, and a run of blanks
    becomes one space, so neither spelling hides a word. Linear in the length of the text.
    """
    if original.isascii() and not _UNEVEN.search(original):
        return Folded(original, original, None)
    characters: list[str] = []
    starts: list[int] = []
    for index, character in enumerate(original):
        if _is_invisible(character):
            continue
        for part in unicodedata.normalize("NFKC", character):
            blank = part.isspace() and part != "\n"
            if blank and characters and characters[-1] == " ":
                continue
            characters.append(" " if blank else part)
            starts.append(index)
    return Folded(original, "".join(characters), tuple(starts))
