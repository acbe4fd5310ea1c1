"""Denied topics and contextual grounding by shared words: stems of what a text says against stems of what is described.

AWS decides both with models; these stand in for them. A topic counts as present when one sentence names it, shares
most of an example's words, or shares enough words with its name, definition and examples together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringwall.sandbox.bedrock.evaluation.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringwall.sandbox.bedrock.evaluation.text import Folded

_STOP_WORDS = frozenset(
    [
        "a",
        "about",
        "above",
        "after",
        "again",
        "all",
        "also",
        "am",
        "an",
        "and",
        "any",
        "anything",
        "are",
        "as",
        "at",
        "be",
        "because",
        "been",
        "before",
        "being",
        "below",
        "between",
        "both",
        "but",
        "by",
        "can",
        "cannot",
        "could",
        "did",
        "do",
        "does",
        "doing",
        "down",
        "during",
        "each",
        "few",
        "for",
        "from",
        "further",
        "get",
        "give",
        "had",
        "has",
        "have",
        "having",
        "he",
        "her",
        "here",
        "hers",
        "him",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "itself",
        "just",
        "let",
        "like",
        "many",
        "may",
        "me",
        "might",
        "more",
        "most",
        "much",
        "must",
        "my",
        "no",
        "nor",
        "not",
        "now",
        "of",
        "off",
        "on",
        "once",
        "only",
        "or",
        "other",
        "our",
        "out",
        "over",
        "own",
        "particular",
        "please",
        "same",
        "she",
        "should",
        "so",
        "some",
        "such",
        "tell",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "thing",
        "this",
        "those",
        "through",
        "to",
        "too",
        "under",
        "until",
        "up",
        "us",
        "use",
        "using",
        "very",
        "want",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "who",
        "whom",
        "why",
        "will",
        "with",
        "would",
        "you",
        "your",
        "yours",
        "information",
        "content",
        "request",
        "related",
        "regarding",
        "topic",
        "question",
        "asking",
        "ask",
        "provide",
        "providing",
    ]
)
_SUFFIXES = (
    "izations",
    "ization",
    "ations",
    "ation",
    "ments",
    "ment",
    "ings",
    "ing",
    "ies",
    "ers",
    "er",
    "ed",
    "es",
    "s",
    "ly",
    "e",
    "y",
)
_EXAMPLE_SHARE, _VOCABULARY_SHARE, _VOCABULARY_WORDS = 0.6, 0.5, 3


def stem(word: str) -> str:
    """A word without its common English endings, so that forms of one word meet."""
    if not word.endswith(_SUFFIXES):
        return word
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            return word[: -len(suffix)]
    return word


def content_stems(text: str) -> frozenset[str]:
    """Stems of the words that carry meaning."""
    return frozenset(
        [stem(word) for word, _ in fold(text).tokens if word not in _STOP_WORDS and len(word) > 1]
    )


@dataclass(frozen=True, slots=True)
class Topic:
    """A denied topic, prepared for comparison."""

    name: frozenset[str]
    examples: tuple[frozenset[str], ...]
    vocabulary: frozenset[str]

    @classmethod
    def of(cls, name: str, definition: str, examples: Iterable[str]) -> Topic:
        """Prepare a topic from its name, definition and example phrases."""
        stems = tuple(content_stems(example) for example in examples)
        named = content_stems(name)
        return cls(named, tuple(s for s in stems if s), named.union(content_stems(definition), *stems))

    def is_in(self, text: Folded) -> bool:
        """Whether a sentence of the text speaks of the topic."""
        return any(self._is_in_sentence(content_stems(sentence)) for sentence in text.sentences)

    def _is_in_sentence(self, stems: frozenset[str]) -> bool:
        if not stems:
            return False
        if self.name and self.name <= stems:
            return True
        if any(self._shares(example, stems) for example in self.examples):
            return True
        shared = len(stems & self.vocabulary)
        return shared >= _VOCABULARY_WORDS and shared / len(stems) >= _VOCABULARY_SHARE

    @staticmethod
    def _shares(example: frozenset[str], stems: frozenset[str]) -> bool:
        shared = len(example & stems)
        return shared >= min(2, len(example)) and shared / len(example) >= _EXAMPLE_SHARE


def grounding_score(answer: str, sources: str) -> float:
    """Share of the answer's words that its sources contain, 0 to 1."""
    return _share(content_stems(answer), content_stems(sources))


def relevance_score(answer: str, query: str) -> float:
    """Share of the query's words that the answer takes up, 0 to 1."""
    return _share(content_stems(query), content_stems(answer))


def _share(needed: frozenset[str], given: frozenset[str]) -> float:
    return round(len(needed & given) / len(needed), 2) if needed else 1.0
