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
from ringwall.lint.rule import Mark, Rule, Spot
from ringwall.lint.source import Source


def check_source(source: Source) -> Iterator[Spot]:
    """What is no JSON."""
    if source.problem is not None:
        yield source.problem


def check(document: Document) -> Iterator[Mark]:
    """What is no policy."""
    yield from document.problems


RULE = Rule(
    slug="syntax-error",
    title="The text is no policy document",
    severity="error",
    page=__doc__ or "",
    check=check,
    check_source=check_source,
)
