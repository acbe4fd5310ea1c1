"""The text is no policy document.

## What it finds

Text that is no JSON (cut off, a trailing comma, `NaN`, half a surrogate pair, nesting without end), and JSON that is
no policy: a statement without `Effect`, an operator that does not exist, `Action` and `NotAction` in one statement.

## Why

AWS refuses such a document with `MalformedPolicyDocument`; nothing of it takes effect.

## Bad

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::docs/*"}]}
```

## Good

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::docs/*"}]}
```

## AWS sources

- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

from collections.abc import Iterator

from ringwall.lint.document import Document
from ringwall.lint.rule import Mark, PolicyType, Rule, Spot
from ringwall.lint.source import Readable
from ringwall.lint.templates import HOLE

_NEEDS_RESOURCE: frozenset[PolicyType] = frozenset({"identity", "scp", "rcp", "vpc-endpoint", "s3-bucket"})
_NEEDS_PRINCIPAL: frozenset[PolicyType] = frozenset(
    {"rcp", "resource", "trust", "vpc-endpoint", "kms-key", "s3-bucket"}
)


def check_source(source: Readable) -> Iterator[Spot]:
    """What is no JSON."""
    if source.problem is not None:
        yield source.problem


def check(document: Document) -> Iterator[Mark]:
    """What is no policy."""
    yield from document.problems
    for clause in document.clauses:
        if document.type in _NEEDS_RESOURCE and not {"Resource", "NotResource"} & set(clause.raw):
            yield Mark(
                clause.path,
                "the statement has no Resource; AWS refuses the policy",
                'add "Resource": "*", or ARNs',
            )
        if document.type in _NEEDS_PRINCIPAL and not {"Principal", "NotPrincipal"} & set(clause.raw):
            yield Mark(clause.path, "the statement has no Principal, so it is about nobody", "add Principal")
    # Of a document that only denies it is not known whether it is a service control policy, whose Sids are free.
    if document.type == "identity" and (document.declared or document.allowing):
        yield from _sids(document)


def _sids(document: Document) -> Iterator[Mark]:
    seen: set[str] = set()
    for clause in document.clauses:
        sid = clause.statement.sid
        if not sid or HOLE in sid:
            continue
        path = (*clause.path, "Sid")
        if not (sid.isascii() and sid.isalnum()):
            plain = "".join(letter for letter in sid.title() if letter.isascii() and letter.isalnum())
            yield Mark(
                path,
                f"the Sid {sid!r} of an identity-based policy must be letters and digits",
                f"write {plain}" if plain else "remove it",
            )
        elif sid in seen:
            yield Mark(
                path, f"the Sid {sid!r} stands twice; AWS refuses the policy", "give each statement its own"
            )
        seen.add(sid)


RULE = Rule(
    slug="syntax-error",
    title="The text is no policy document",
    severity="error",
    page=__doc__ or "",
    check=check,
    check_source=check_source,
)
