"""NotPrincipal with Allow: everybody else in the world.

## What it finds

Allow statements with `NotPrincipal`.

## Why

The statement allows every principal but the listed ones, of every account, and callers without credentials too. AWS
advises to use `NotPrincipal` with Deny alone, and to prefer a condition on `aws:PrincipalArn` even there.

## Bad

```json s3-bucket
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:role/Guest"},
 "Action": "s3:GetObject", "Resource": "arn:aws:s3:::docs/*"}]}
```

## Good

```json s3-bucket
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/Reader"},
 "Action": "s3:GetObject", "Resource": "arn:aws:s3:::docs/*"}]}
```

## AWS sources

- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
"""

from __future__ import annotations

from collections.abc import Iterator

from ringwall.lint.document import Document
from ringwall.lint.rule import Mark, Rule


def check(document: Document) -> Iterator[Mark]:
    """Every Allow."""
    for clause in document.allowing:
        if clause.statement.not_principal is not None:
            yield Mark(
                (*clause.path, "NotPrincipal"),
                "allows everybody but the listed principals, other accounts and anonymous callers included",
                "name the principals that are to have access in Principal",
                at_key=True,
            )


RULE = Rule(
    slug="not-principal-with-allow",
    title="NotPrincipal with Allow: everybody else in the world",
    severity="error",
    page=__doc__ or "",
    check=check,
)
