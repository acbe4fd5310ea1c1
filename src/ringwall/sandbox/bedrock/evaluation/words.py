"""Word filters: custom words and phrases, and the managed profanity list. Exact, whole words, in any case."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringwall.sandbox.bedrock.evaluation.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringwall.sandbox.bedrock.evaluation.text import Folded

_WORD_CHARACTER = re.compile(r"[^\W_]")


@dataclass(frozen=True, slots=True)
class WordMatch:
    """A listed word found in a text: index of the word in its list, and the text that matched, as it was sent."""

    index: int
    match: str


class WordList:
    """Words and phrases, indexed by their first token: a search is linear in the text, whatever the list's length."""

    def __init__(self, words: Iterable[str]) -> None:
        self._by_token: dict[str, list[tuple[str, int, int]]] = defaultdict(list)
        self._bare: list[tuple[str, int]] = []
        for index, word in enumerate(words):
            folded = fold(word.strip())
            phrase = folded.lowered
            if folded.tokens:
                token, offset = folded.tokens[0]
                self._by_token[token].append((phrase, offset, index))
            elif phrase:
                self._bare.append((phrase, index))

    def search(self, text: Folded) -> list[WordMatch]:
        """Every occurrence of a listed word that stands alone in the text, in order."""
        lowered = text.lowered
        found: list[tuple[int, WordMatch]] = []
        for token, position in text.tokens:
            for phrase, offset, index in self._by_token.get(token, ()):
                start = position - offset
                if start >= 0 and lowered.startswith(phrase, start) and _stands_alone(lowered, start, phrase):
                    found.append((start, _match(text, index, start, len(phrase))))
        for phrase, index in self._bare:
            start = lowered.find(phrase)
            if start >= 0:
                found.append((start, _match(text, index, start, len(phrase))))
        return [match for _, match in sorted(found, key=lambda pair: (pair[0], pair[1].index))]


def _match(text: Folded, index: int, start: int, length: int) -> WordMatch:
    first, last = text.span(start, start + length)
    return WordMatch(index, text.original[first:last])


def _stands_alone(lowered: str, start: int, phrase: str) -> bool:
    end = start + len(phrase)
    before = start > 0 and _WORD_CHARACTER.match(phrase[0]) and _WORD_CHARACTER.match(lowered[start - 1])
    after = end < len(lowered) and _WORD_CHARACTER.match(phrase[-1]) and _WORD_CHARACTER.match(lowered[end])
    return not before and not after


# AWS's managed list is not public. These are common English profanities; the sandbox says that the list is its own.
PROFANITY: tuple[str, ...] = (
    "arsehole", "arseholes", "asshole", "assholes", "bastard", "bastards", "bitch", "bitches", "bitching", "bollocks",
    "bullshit", "cock", "cocksucker", "crap", "crappy", "cunt", "cunts", "damn", "damned", "dickhead", "dickheads",
    "dipshit", "douchebag", "dumbass", "fuck", "fucked", "fucker", "fuckers", "fucking", "fucks", "goddamn", "horseshit",
    "jackass", "motherfucker", "motherfuckers", "motherfucking", "piss", "pissed", "prick", "pussy", "shit", "shits",
    "shitty", "slut", "sluts", "son of a bitch", "tosser", "twat", "wanker", "wankers", "whore", "whores",
)  # fmt: skip
