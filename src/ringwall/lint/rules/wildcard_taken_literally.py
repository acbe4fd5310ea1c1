"""A wildcard in an operator that knows none.

## What it finds

Values with `*` under `StringEquals`, `StringNotEquals` and their forms that ignore case.

## Why

These operators compare every character as it is: `abcd1234efgh:*` equals nothing that a request carries. A positive test
never passes, and a negated one always does, so that a Deny denies everybody.

## Bad

```json scp
{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "bedrock:CreateGuardrail", "Resource": "*",
 "Condition": {"StringNotEquals": {"aws:PrincipalArn": "arn:aws:iam::*:role/security/*"}}}]}
```

## Good

```json scp
{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "bedrock:CreateGuardrail", "Resource": "*",
 "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/security/*"}}}]}
```

## AWS sources

- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ringwall.iam.policy import ConditionTest
from ringwall.lint.document import Document
from ringwall.lint.matching import negated
from ringwall.lint.rule import Mark, Rule

_LIKE = {
    "StringEquals": "StringLike",
    "StringEqualsIgnoreCase": "StringLike",
    "StringNotEquals": "StringNotLike",
    "StringNotEqualsIgnoreCase": "StringNotLike",
}
# ${*}, ${?} and ${$} are how a literal one is written; a default of a variable may hold anything.
_VARIABLE = re.compile(r"\$\{[^}]*\}")


def check(document: Document) -> Iterator[Mark]:
    """Every value of every exact test."""
    for clause in document.clauses:
        for path, test in clause.tests():
            if test.operator not in _LIKE:
                continue
            listed = clause.raw["Condition"][path[-2]][path[-1]]
            for index, value in enumerate(test.values):
                if "*" in _VARIABLE.sub("", value):
                    where = (*path, index) if isinstance(listed, list) else path
                    yield Mark(where, _message(test, value), f"use {_LIKE[test.operator]}")


def _message(test: ConditionTest, value: str) -> str:
    effect = "differs from every value" if negated(test) else "equals no value"
    return (
        f"{test.operator} takes the * in {value!r} as it is: it {effect} of {test.key} that a request carries"
    )


RULE = Rule(
    slug="wildcard-taken-literally",
    title="A wildcard in an operator that knows none",
    severity="warning",
    page=__doc__ or "",
    check=check,
)
