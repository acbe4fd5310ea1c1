"""A resource that is open to the whole world.

## What it finds

Allow statements for every principal (`"*"`, `{"AWS": "*"}`) in policies of resources, keys, buckets and in trust policies, with no
condition on who calls or where from, in a policy that denies nobody by such a condition either.

## Why

Every account of AWS, and for most services callers without credentials too, may do it. Conditions on the protocol, the
time or the user agent, which the caller writes, keep nobody out.

## Bad

```json resource
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "secretsmanager:GetSecretValue",
 "Resource": "*"}]}
```

## Good

```json resource
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "secretsmanager:GetSecretValue",
 "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}}}]}
```

## AWS sources

- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-anonymous
"""

from __future__ import annotations

from collections.abc import Iterator

from ringwall.lint.document import Clause, Document
from ringwall.lint.matching import covers
from ringwall.lint.rule import Mark, Rule

# Keys that say nothing of who calls or where from, or that the caller writes. Of any other key a condition may restrict.
KEEPING_NOBODY_OUT = frozenset(
    {"aws:currenttime", "aws:epochtime", "aws:referer", "aws:requestedregion", "aws:securetransport", "aws:useragent"}
)  # fmt: skip


def check(document: Document) -> Iterator[Mark]:
    """Every Allow."""
    for clause in document.allowing:
        if not _for_everyone(clause) or not _keeps_nobody_out(clause):
            continue
        if any(_denies_some(clause, other) for other in document.denying):
            continue
        path = (*clause.path, "Principal")
        written = clause.raw["Principal"]
        if isinstance(written, dict):
            path = (*path, "AWS")
            if isinstance(written["AWS"], list):
                path = (*path, written["AWS"].index("*"))
        yield Mark(
            path,
            "allows everybody: every account of AWS, and whoever calls without credentials where the service lets them",
            "name the principals, or test aws:PrincipalOrgID, aws:PrincipalAccount or aws:SourceVpce",
        )


def _for_everyone(clause: Clause) -> bool:
    principal = clause.statement.principal
    return principal is not None and (principal.anyone or "*" in principal.aws)


def _keeps_nobody_out(clause: Clause) -> bool:
    return all(test.key.lower() in KEEPING_NOBODY_OUT for test in clause.statement.conditions)


def _denies_some(allowing: Clause, clause: Clause) -> bool:
    """Whether a Deny takes back what the Allow gives, from those that a condition or NotPrincipal tells apart."""
    if not all(covers(clause, action) for action in allowing.statement.actions or ("*",)):
        return False
    return clause.statement.not_principal is not None or not _keeps_nobody_out(clause)


RULE = Rule(
    slug="open-to-everyone",
    title="A resource that is open to the whole world",
    severity="warning",
    page=__doc__ or "",
    check=check,
    types=frozenset({"resource", "trust", "kms-key", "s3-bucket"}),
)
