"""A key stands twice in one object.

## What it finds

Two members of one JSON object with the same name, anywhere in the file.

## Why

Only one of them counts, and which one depends on who reads the file. In a `Condition` the lost member is a
restriction that everybody believes to be there.

## Bad

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject",
 "Resource": "arn:aws:s3:::docs/*", "Condition": {
   "StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"},
   "StringEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"}}}]}
```

## Good

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject",
 "Resource": "arn:aws:s3:::docs/*", "Condition": {
   "StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid", "aws:SourceVpce": "vpce-0123456789abcdef0"}}}]}
```

## AWS sources

- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
"""

from __future__ import annotations

from collections.abc import Iterator

from ringwall.lint.rule import Rule, Spot
from ringwall.lint.source import Readable


def check_source(source: Readable) -> Iterator[Spot]:
    """Every key that its object has already."""
    for key, offset in source.duplicates:
        yield Spot(
            offset,
            f"the key {key!r} stands in this object already; only one of the two counts",
            "merge the two members into one",
        )


RULE = Rule(
    slug="duplicate-key",
    title="A key stands twice in one object",
    severity="error",
    page=__doc__ or "",
    check_source=check_source,
)
