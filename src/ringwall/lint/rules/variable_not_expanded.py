"""A policy variable in a policy whose version knows none.

## What it finds

`${aws:username}` and the like in `Resource`, `NotResource` and condition values of a policy with `Version` `2008-10-17`, or without
`Version`, which means the same.

## Why

Variables came with version `2012-10-17`. Before, `${aws:username}` is these fifteen characters: an Allow grants nothing,
and a Deny that makes an exception by a variable makes none.

## Bad

```json identity
{"Version": "2008-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject",
 "Resource": "arn:aws:s3:::home/${aws:username}/*"}]}
```

## Good

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject",
 "Resource": "arn:aws:s3:::home/${aws:username}/*"}]}
```

## AWS sources

- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ringwall.lint.document import Clause, Document
from ringwall.lint.rule import Mark, Rule

CURRENT = "2012-10-17"
_VARIABLE = re.compile(r"\$\{[A-Za-z0-9-]+:[^}]+\}")


def check(document: Document) -> Iterator[Mark]:
    """Every variable, unless the version knows them."""
    if not isinstance(document.raw, dict) or document.raw.get("Version", "") not in ("", "2008-10-17"):
        return
    written = "Version 2008-10-17" if "Version" in document.raw else "a policy without Version"
    for clause in document.clauses:
        for path, value in _texts(clause):
            found = _VARIABLE.search(value)
            if found:
                yield Mark(
                    path,
                    f"{written} knows no variables: {found[0]} is taken as it is",
                    f'write "Version": "{CURRENT}"',
                )


def _texts(clause: Clause) -> Iterator[tuple[tuple[str | int, ...], str]]:
    yield from clause.items("Resource")
    yield from clause.items("NotResource")
    for path, test in clause.tests():
        listed = clause.raw["Condition"][path[-2]][path[-1]]
        for index, value in enumerate(test.values):
            yield (*path, index) if isinstance(listed, list) else path, value


RULE = Rule(
    slug="variable-not-expanded",
    title="A policy variable in a policy whose version knows none",
    severity="error",
    page=__doc__ or "",
    check=check,
)
