"""Wildcards and policy variables: from the text of a pattern to a test that runs in linear time.

``*`` stands for any text and ``?`` for any one character
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html). Where the colons of an
ARN matter, there are three readings of a pattern:

* :attr:`Reading.TEXT`: colons are ordinary characters (``StringLike``, actions);
* :attr:`Reading.ARN`: the first five colons divide fields, and a wildcard stays inside its field (``ArnLike``);
* :attr:`Reading.RESOURCE`: as ``ARN``, but a ``*`` that ends a field may run across colons (``Resource``).

A value is a sequence of tokens, so that text which a policy variable brought in is never read as a wildcard.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

_ARN_FIELDS = 6
_TOKEN = re.compile(r"\$\{([^{}]*)\}|[*?]")
_VARIABLE = re.compile(r"\s*([^\s,'{}*?]+(?: +[^\s,'{}*?]+)*)\s*(?:,\s*'((?:[^']|'')*)'\s*)?\Z")


class Reading(Enum):
    """How a pattern treats the colons of an ARN."""

    TEXT = "text"
    ARN = "arn"
    RESOURCE = "resource"


class Wildcard(Enum):
    """The two wildcards."""

    ANY = "*"
    ONE = "?"


@dataclass(frozen=True, slots=True)
class Variable:
    """A policy variable, ``${key}`` or ``${key, 'default'}``; ``key`` is lower-cased."""

    key: str
    default: str | None = None


Token = str | Wildcard | Variable
Tokens = tuple[Token, ...]
TextTest = Callable[[str], object]
"""A test of a text; any true value means that it matches."""


def tokenize(text: str, *, variables: bool) -> Tokens:
    """Divide a pattern into literal text, wildcards and, if ``variables``, policy variables.

    ``${*}``, ``${?}`` and ``${$}`` are the literal characters. What merely looks like a variable stays literal text.
    """
    if "*" not in text and "?" not in text and "${" not in text:
        return (text,) if text else ()
    tokens: list[Token] = []
    literal: list[str] = []
    position = 0
    for match in _TOKEN.finditer(text):
        if match.start() < position:
            continue
        inner = match.group(1)
        if inner is not None and not variables:
            # ``${...}`` is plain text here, and wildcards inside of it are wildcards.
            literal.append(text[position : match.start()])
            position = match.start()
            for char in match.group():
                _append(tokens, literal, char)
            position = match.end()
            continue
        literal.append(text[position : match.start()])
        position = match.end()
        if inner is None:
            _append(tokens, literal, match.group())
        elif inner in ("*", "?", "$"):
            literal.append(inner)
        elif (variable := _variable(inner)) is not None:
            _flush(tokens, literal)
            tokens.append(variable)
        else:
            for char in match.group():
                _append(tokens, literal, char)
    literal.append(text[position:])
    _flush(tokens, literal)
    return tuple(tokens)


def _variable(inner: str) -> Variable | None:
    match = _VARIABLE.match(inner)
    if match is None:
        return None
    default = match.group(2)
    return Variable(match.group(1).lower(), None if default is None else default.replace("''", "'"))


def _append(tokens: list[Token], literal: list[str], char: str) -> None:
    if char in ("*", "?"):
        _flush(tokens, literal)
        tokens.append(Wildcard(char))
    else:
        literal.append(char)


def _flush(tokens: list[Token], literal: list[str]) -> None:
    text = "".join(literal)
    literal.clear()
    if text:
        tokens.append(text)


def has_variables(tokens: Tokens) -> bool:
    """Whether the value depends on the request."""
    return any(isinstance(token, Variable) for token in tokens)


def expand(tokens: Tokens, context: Mapping[str, tuple[str, ...]]) -> Tokens | None:
    """Put the request's values in place of the variables.

    ``None`` if one of them has no value: the key is absent and has no default, or has several values, which a policy
    variable cannot stand for
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-no-value).
    """
    expanded: list[Token] = []
    for token in tokens:
        if not isinstance(token, Variable):
            expanded.append(token)
            continue
        values = context.get(token.key) or ()
        if len(values) == 1:
            expanded.append(values[0])
        elif not values and token.default is not None:
            expanded.append(token.default)
        else:
            return None
    return tuple(expanded)


def as_text(tokens: Tokens) -> str:
    """The value as plain text, for operators that know no wildcards. The tokens must hold no variables."""
    return "".join(token.value if isinstance(token, Wildcard) else str(token) for token in tokens)


def complete_arns(patterns: Iterable[Tokens]) -> Iterator[Tokens]:
    """The patterns, and for each incomplete ARN also the one with ``:*`` for each missing field.

    IAM completes ARNs so in identity-based policies. The pattern as written stays, because a ``*`` that ends one of its
    fields may run across the missing ones.
    """
    for tokens in patterns:
        yield tokens
        if tokens and isinstance(tokens[0], str) and tokens[0].startswith("arn:"):
            missing = _ARN_FIELDS - 1 - _colons(tokens)
            if missing > 0:
                yield (*tokens, *((":", Wildcard.ANY) * missing))


def _colons(tokens: Tokens) -> int:
    return sum(token.count(":") for token in tokens if isinstance(token, str))


def matcher(patterns: Iterable[Tokens], reading: Reading) -> TextTest | None:
    """A test whether a text matches any of the patterns; ``None`` means that every text does.

    The tokens must hold no variables. Literals are looked up, prefixes compared, and only the rest costs a regular
    expression, whose groups are atomic: matching is linear in the text for each pattern.
    """
    literals: set[str] = set()
    prefixes: set[str] = set()
    sources: list[str] = []
    in_fields = reading is Reading.ARN
    for tokens in patterns:
        if not in_fields and tokens and tokens[0] is Wildcard.ANY and set(tokens) == {Wildcard.ANY}:
            return None
        if in_fields and not _is_arn_pattern(tokens):
            if tokens == (Wildcard.ANY,):
                sources.append(r"arn(?::[^:]*){4}:.*")
            continue
        _sort_in(tokens, reading, literals, prefixes, sources)
    return _combine(frozenset(literals), tuple(sorted(prefixes)), sources)


def _is_arn_pattern(tokens: Tokens) -> bool:
    return _colons(tokens) >= _ARN_FIELDS - 1


def _sort_in(
    tokens: Tokens, reading: Reading, literals: set[str], prefixes: set[str], sources: list[str]
) -> None:
    if len(tokens) == 1 and isinstance(tokens[0], str):
        literals.add(tokens[0])
    elif all(isinstance(token, str) for token in tokens):
        literals.add(as_text(tokens))
    elif tokens[-1] is Wildcard.ANY and all(isinstance(token, str) for token in tokens[:-1]):
        # The last field's star, a resource's final star and a plain text's star all take any text.
        prefixes.add(as_text(tokens[:-1]))
    else:
        sources.append(_regex_source(tokens, reading))


def _combine(literals: frozenset[str], prefixes: tuple[str, ...], sources: list[str]) -> TextTest:
    if not sources and not prefixes:
        return literals.__contains__
    if not sources:
        start: str | tuple[str, ...] = prefixes[0] if len(prefixes) == 1 else prefixes
        if not literals:
            return lambda text: text.startswith(start)
        return lambda text: text in literals or text.startswith(start)
    fullmatch = re.compile("|".join(sources), re.DOTALL).fullmatch
    if not prefixes and not literals:
        return fullmatch
    return lambda text: text in literals or text.startswith(prefixes) or fullmatch(text) is not None


def _regex_source(tokens: Tokens, reading: Reading) -> str:
    """A regular expression in which no star gives back what it took, except where the end of the text decides.

    After a star the leftmost match of what follows is always as good as a later one, so it is made atomic. A chunk
    is what stands between two stars that may cross colons; stars inside of a chunk stay within a field.
    """
    chunks: list[list[str]] = [[""]]
    for kind, piece in _pieces(tokens, reading):
        if kind == "cross":
            chunks.append([""])
        elif kind == "inner":
            chunks[-1].append("")
        else:
            chunks[-1][-1] += piece
    if len(chunks) == 1:
        return _last_chunk(chunks[0])
    first, *middle, last = chunks
    body = "".join(f"(?>.*?{_chunk(chunk)})" for chunk in middle if any(chunk))
    return _chunk(first) + body + ".*" + _last_chunk(last)


def _chunk(pieces: list[str]) -> str:
    head, *rest = pieces
    return head + "".join(f"(?>[^:]*?{piece})" for piece in rest if piece)


def _last_chunk(pieces: list[str]) -> str:
    if len(pieces) < 2:
        return "".join(pieces)
    return _chunk(pieces[:-1]) + "[^:]*" + pieces[-1]


def _pieces(tokens: Tokens, reading: Reading) -> Iterable[tuple[str, str]]:
    """Literal regular expressions and stars (``cross`` or ``inner``), in order."""
    field = 0
    limit = 0 if reading is Reading.TEXT else _ARN_FIELDS - 1
    for index, token in enumerate(tokens):
        inside = field < limit
        if isinstance(token, str):
            field += token.count(":")
            yield "text", re.escape(token)
        elif token is Wildcard.ONE:
            yield "text", "[^:]" if inside else "."
        elif inside and not (reading is Reading.RESOURCE and _ends_field(tokens, index)):
            yield "inner", ""
        else:
            yield "cross", ""


def _ends_field(tokens: Tokens, index: int) -> bool:
    following = tokens[index + 1 : index + 2]
    return not following or (isinstance(following[0], str) and following[0].startswith(":"))


@lru_cache(maxsize=4096)
def compiled(patterns: tuple[Tokens, ...], reading: Reading) -> TextTest | None:
    """:func:`matcher`, remembered: for patterns whose variables were expanded for one request."""
    return matcher(patterns, reading)


def glob_matches(pattern: str, text: str, reading: Reading = Reading.TEXT) -> bool:
    """Whether ``text`` as a whole matches ``pattern``; case-sensitive, no policy variables, linear time."""
    test = compiled((tokenize(pattern, variables=False),), reading)
    return test is None or bool(test(text))
