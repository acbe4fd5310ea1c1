"""From the policy language's patterns to the prover's: readings of colons, ARN fields.

A resource ARN is six variables, one for each field, because an automaton over whole ARNs multiplies what the fields
merely add. A pattern then is a choice of rows of six patterns: one row where its stars keep to their fields, more where
IAM lets a field's last star run across colons.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ringwall.iam.patterns import Reading, Wildcard, as_text, tokenize
from ringwall.iam.patterns import Tokens as PatternTokens
from ringwall.proof.language import ANY, FIELD_ANY, FIELD_STAR, STAR, Tokens, accepts, caseless, literal

if TYPE_CHECKING:
    from collections.abc import Iterator

FIELDS: Final = 6
Row = tuple[Tokens, ...]
"""Six patterns: ``arn``, partition, service, region, account, resource."""

_COLON: Final = "=:"
_ANY_ARN: Final = (*literal("arn"), *((_COLON, FIELD_STAR) * 4), _COLON, STAR)


@lru_cache(maxsize=16384)
def language_of(pattern: PatternTokens, reading: Reading) -> Tokens | None:
    """The texts that a pattern without variables matches; ``None`` = none at all."""
    if reading is Reading.ARN and _literal_colons(pattern) < FIELDS - 1:
        return _ANY_ARN if pattern == (Wildcard.ANY,) else None
    return tuple(_tokens(pattern, reading))


def _literal_colons(pattern: PatternTokens) -> int:
    return sum(token.count(":") for token in pattern if isinstance(token, str))


def _tokens(pattern: PatternTokens, reading: Reading) -> Iterator[str]:
    limit = 0 if reading is Reading.TEXT else FIELDS - 1
    field = 0
    last = ""
    for index, token in enumerate(pattern):
        inside = field < limit
        if isinstance(token, str):
            field += token.count(":")
            yield from literal(token)
            last = ""
        elif token is Wildcard.ONE:
            last = FIELD_ANY if inside else ANY
            yield last
        else:
            stays = inside and not (reading is Reading.RESOURCE and _ends_field(pattern, index))
            star = FIELD_STAR if stays else STAR
            if star != last:
                yield star
            last = star


def _ends_field(pattern: PatternTokens, index: int) -> bool:
    following = pattern[index + 1 : index + 2]
    return not following or (isinstance(following[0], str) and following[0].startswith(":"))


@lru_cache(maxsize=65536)
def tokens_of(text: str, *, variables: bool) -> PatternTokens:
    """A pattern's tokens, kept: proofs for many principals read the same policies."""
    return tokenize(text, variables=variables)


def caseless_text(pattern: PatternTokens) -> Tokens:
    """The pattern's characters, wildcards included, in any case."""
    return caseless(as_text(pattern))


@lru_cache(maxsize=16384)
def rows(tokens: Tokens) -> tuple[Row, ...]:
    """The ways in which a pattern can match an ARN whose first five fields hold no colon.

    A colon of the pattern always divides fields there, so that there are few: 32 for ``*:*:*:*:*:*``, before those go
    that others contain.
    """
    found = {row for row in _align(tokens) if accepts(row[0], "arn")}
    return tuple(
        sorted(row for row in found if not any(row != other and _within(row, other) for other in found))
    )


def _align(tokens: Tokens) -> set[Row]:
    """Place the five dividing colons in every possible way: on a literal colon, or inside a star that may cross."""
    aligned: set[Row] = set()
    pending: list[_Place] = [(0, (), ())]
    while pending:
        index, done, current = pending.pop()
        if len(done) == FIELDS - 1:
            aligned.add((*done, _merge((*current, *tokens[index:]))))
        elif index < len(tokens):
            pending.extend(_steps(tokens[index], index, done, current))
    return aligned


_Place = tuple[int, tuple[Tokens, ...], Tokens]


def _steps(token: str, index: int, done: tuple[Tokens, ...], current: Tokens) -> list[_Place]:
    if token == _COLON:
        return [(index + 1, (*done, current), ())]
    if token == STAR:
        starred = _merge((*current, STAR))
        return [(index + 1, done, starred), (index, (*done, starred), (STAR,))]
    return [(index + 1, done, (*current, token))]


def _merge(tokens: Tokens) -> Tokens:
    """The same texts with runs of equal stars made one."""
    merged: list[str] = []
    for token in tokens:
        if token == STAR and merged and merged[-1] == STAR:
            continue
        merged.append(token)
    return tuple(merged)


def _within(row: Row, other: Row) -> bool:
    return all(_narrower(one, two) for one, two in zip(row, other, strict=True))


def _narrower(one: Tokens, two: Tokens) -> bool:
    """Whether the first pattern plainly matches only what the second does."""
    if two in (one, (STAR,)):
        return True
    return bool(two) and two[0] == STAR and one[-len(two) + 1 :] == two[1:]
