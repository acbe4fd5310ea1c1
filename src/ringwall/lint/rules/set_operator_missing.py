"""A key with several values, tested as if it had one.

## What it finds

Operators without `ForAllValues:` or `ForAnyValue:` on keys that can carry several values, such as `aws:TagKeys` and
`aws:PrincipalOrgPaths`; information on services' own keys.

## Why

AWS asks for one of the two and does not say what such a test does without it. Ringwall takes it to match nothing where a
request carries several values, whatever the operator: an Allow then grants less than it says, and a Deny, also a negated
one, lets the request pass.

## Bad

```json scp
{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "bedrock:TagResource", "Resource": "*",
 "Condition": {"StringEquals": {"aws:TagKeys": ["ringwall:id"]}}}]}
```

## Good

```json scp
{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "bedrock:TagResource", "Resource": "*",
 "Condition": {"ForAnyValue:StringEquals": {"aws:TagKeys": ["ringwall:id"]}}}]}
```

## AWS sources

- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
- https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
"""

from __future__ import annotations

from collections.abc import Iterator

from ringwall.lint.document import Document
from ringwall.lint.rule import Mark, Rule
from ringwall.lint.templates import known


def check(document: Document) -> Iterator[Mark]:
    """Every test of a key with several values, ``Null`` aside: that asks for presence alone."""
    for clause in document.clauses:
        for path, test in clause.tests():
            if test.qualifier is not None or test.operator == "Null" or not known(test.key):
                continue
            if document.catalog.is_multivalued(test.key):
                yield Mark(
                    path,
                    f"{test.key} can carry several values, and {test.operator} does not say whether one or all must match",
                    f"use ForAnyValue:{test.operator} if one value is enough, ForAllValues:{test.operator} if each must match",
                    # Of services' own keys the reference sometimes says so and the service's guide does not.
                    None if test.key.lower().startswith("aws:") else "info",
                    at_key=True,
                )


RULE = Rule(
    slug="set-operator-missing",
    title="A key with several values, tested as if it had one",
    severity="warning",
    page=__doc__ or "",
    check=check,
)
