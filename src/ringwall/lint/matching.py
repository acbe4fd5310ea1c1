"""Questions that several rules ask of statements: which actions they cover, what requests can carry, what overlaps."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from ringwall.catalog import Catalog
from ringwall.catalog.bedrock import PREFIXES
from ringwall.iam.conditions import OPERATORS, passes_when_absent
from ringwall.iam.locate import Path
from ringwall.iam.patterns import glob_matches
from ringwall.iam.policy import ConditionTest
from ringwall.lint.document import Clause, Document
from ringwall.lint.templates import HOLE, known

__all__ = [
    "carried",
    "carries",
    "closed",
    "covers",
    "did_you_mean",
    "expanded",
    "is_named",
    "is_own_endpoint",
    "listing",
    "named_actions",
    "negated",
    "overlaps",
    "passes_when_absent",
    "resource_overlaps",
]

_LONGEST = 2048
_OWN = (
    "aws:principalorg",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalisawsservice",
    "aws:resourceorg",
    "aws:resourceaccount",
)
# Authorized together with sts:AssumeRole, by the same request: they carry its keys.
_WITH_ASSUME_ROLE = frozenset({"sts:tagsession", "sts:setsourceidentity", "sts:setcontext"})
# Keys that AWS's pages describe for an action and the reference does not list there:
# https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html
_DOCUMENTED = frozenset({("aws-marketplace:subscribe", "aws-marketplace:productid")})
_ASSUME = ("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity")


def is_named(action: str) -> bool:
    """Whether an action is written out, without wildcards."""
    return known(action) and "*" not in action and "?" not in action


def named_actions(clause: Clause) -> Iterator[tuple[Path, str]]:
    """The actions of a statement that are written out, with their paths."""
    return ((path, action) for path, action in clause.items("Action") if is_named(action))


def expanded(clause: Clause, catalog: Catalog) -> Iterator[str]:
    """Known actions that a statement speaks of; those of ``NotAction`` too."""
    statement = clause.statement
    if statement.actions is not None:
        for pattern in statement.actions:
            yield from catalog.actions_matching(pattern)
        return
    for action in catalog.actions():
        if covers(clause, action):
            yield action


def covers(clause: Clause, action: str) -> bool:
    """Whether a statement speaks of an action. Of actions that a template fills in, a Deny may, an Allow need not."""
    statement = clause.statement
    if statement.actions is not None:
        return any(_names(pattern, action, if_unknown=clause.denies) for pattern in statement.actions)
    return not any(_names(pattern, action, if_unknown=False) for pattern in statement.not_actions or ())


@lru_cache(maxsize=65536)
def _names(pattern: str, action: str, *, if_unknown: bool) -> bool:
    """Whether an action pattern matches an action; ``if_unknown`` where a template fills in what it is."""
    lowered = pattern.lower()
    if HOLE in lowered:
        return if_unknown and glob_matches(lowered.replace(HOLE, "*"), action.lower())
    return glob_matches(lowered, action.lower())


def carries(catalog: Catalog, action: str, key: str) -> bool:
    """Whether a request for the action can carry the key."""
    if catalog.carries(action, key) or (action.lower(), key.lower()) in _DOCUMENTED:
        return True
    return action.lower() in _WITH_ASSUME_ROLE and any(catalog.carries(one, key) for one in _ASSUME)


def carried(clause: Clause, key: str, catalog: Catalog) -> bool:
    """Whether a request for any action of the statement can carry the key. Of unknown actions nothing is said."""
    if catalog.key_type(key) is None:
        return _of_provider(key)
    written = clause.statement.actions
    if written is None or "*" in written or not all(map(known, written)):
        return True
    actions = tuple(expanded(clause, catalog))
    return not actions or any(carries(catalog, action, key) for action in actions)


def _of_provider(key: str) -> bool:
    """Whether it is a claim of an identity provider: those have keys that no reference lists."""
    return "." in key.rpartition(":")[0].partition("/")[0]


def negated(test: ConditionTest) -> bool:
    """Whether the operator is the negation of a comparison."""
    return OPERATORS[test.operator].negated


def closed(document: Document, action: str) -> bool:
    """Whether a statement denies the action whatever the request."""
    return any(
        covers(clause, action)
        and not clause.statement.conditions
        and clause.statement.not_resources is None
        and (clause.statement.resources is None or "*" in clause.statement.resources)
        for clause in document.denying
    )


def is_own_endpoint(document: Document, clause: Clause) -> bool:
    """Whether it lets one's own principals, or calls to one's own resources, through a VPC endpoint.

    An endpoint policy grants nothing by itself; so restricted, it is the data perimeter that AWS recommends.
    """
    principal = clause.statement.principal
    if document.type != "vpc-endpoint" or principal is None:
        return False
    if not principal.anyone and "*" not in principal.aws:
        return True
    return any(
        test.key.lower().startswith(_OWN) and not negated(test) and not passes_when_absent(test)
        for test in clause.statement.conditions
    )


def resource_overlaps(clause: Clause, patterns: Iterable[str]) -> bool:
    """Whether a statement's resources and any of the patterns have an ARN in common."""
    listed = clause.statement.resources
    if listed is None:
        return True
    return any(overlaps(resource, pattern) for resource in listed for pattern in patterns)


@lru_cache(maxsize=65536)
def overlaps(one: str, other: str) -> bool:
    """Whether two patterns with ``*`` and ``?`` have a text in common; what a template fills in may be any text.

    A wildcard at the end of an ARN's field reaches over colons, as AWS says of the Resource element, and several of its own
    policies need that. ARNs of Bedrock and its siblings are compared field by field all the same: all their forms are
    known, and nobody who writes ``::foundation-model/*`` means a custom model whose name holds that text.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    first, second = _plain(one), _plain(other)
    fields, others = first.split(":", 5), second.split(":", 5)
    if len(fields) == len(others) == 6 and fields[2] in PREFIXES:
        return all(_fit(mine, theirs) for mine, theirs in zip(fields, others, strict=True))
    return _fit(first, second)


def _fit(first: str, second: str) -> bool:
    if not _starts_fit(first, second) or not _starts_fit(first[::-1], second[::-1]):
        return False
    if len(first) > _LONGEST or len(second) > _LONGEST:
        return True
    return _have_a_text_in_common(first, second)


def _have_a_text_in_common(first: str, second: str) -> bool:
    """Both patterns read side by side; the places of the second that can be reached are the bits of a number."""
    stars, literal = _places(second, "*"), {letter: _places(second, letter) for letter in set(second) - {"*"}}
    single = literal.get("?", 0)
    anything = ~stars
    reached = _skipping(1, stars)
    for letter in first:
        if letter == "*":
            lowest = reached & -reached
            reached = (1 << len(second) + 1) - lowest if reached else 0
            continue
        fitting = anything if letter == "?" else literal.get(letter, 0) | single
        reached = _skipping(((reached & fitting) << 1) | (reached & stars), stars)
    return bool(reached >> len(second) & 1)


def _places(pattern: str, letter: str) -> int:
    return sum(1 << index for index, found in enumerate(pattern) if found == letter)


def _skipping(reached: int, stars: int) -> int:
    """The places, and those behind the stars at them, which may stand for nothing."""
    while more := (reached & stars) << 1 & ~reached:
        reached |= more
    return reached


def _starts_fit(one: str, other: str) -> bool:
    """Whether the literal beginnings of two patterns agree, which settles most comparisons."""
    for mine, theirs in zip(one, other, strict=False):
        if mine == "*" or theirs == "*":
            return True
        if mine != theirs and "?" not in (mine, theirs):
            return False
    longer, length = max(one, other, key=len), min(len(one), len(other))
    return len(longer) == length or longer[length] == "*"


def _plain(pattern: str) -> str:
    """The pattern with ``*`` for every variable and for what is not known."""
    text = pattern.replace(HOLE, "*")
    while "${" in text and "}" in text[text.index("${") :]:
        start = text.index("${")
        text = f"{text[:start]}*{text[text.index('}', start) + 1 :]}"
    return text


def did_you_mean(word: str, known_words: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The nearest of the known words, or ``None``."""
    words = {item.lower(): item for item in known_words}
    close = difflib.get_close_matches(word.lower()[:128], list(words), n=1, cutoff=cutoff)
    return words[close[0]] if close else None


def listing(names: Sequence[str], limit: int = 4) -> str:
    """Names in a sentence, the first few of them."""
    shown = ", ".join(names[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown
