"""A text that should be an ARN and is none, or one that no resource has.

## What it finds

- `Resource` and `NotResource` that are no ARN, have too few fields, an unknown partition or an account id that is not
  twelve digits.
- ARNs of Bedrock and its siblings of a type that does not exist; foundation models with an account id, profiles and
  guardrails without one.
- `Principal` entries that are no principal: role ARNs with wildcards, ids with too few digits.
- Values of `Arn...` operators that have less than six fields.

## Why

No request is about such a resource, so the statement never matches; a malformed principal is refused.

## Bad

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "bedrock:InvokeModel",
 "Resource": "arn:aws:bedrock:us-east-1:111122223333:foundation-model/amazon.nova-pro-v1:0"}]}
```

## Good

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "bedrock:InvokeModel",
 "Resource": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0"}]}
```

## AWS sources

- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ringwall.catalog import Catalog
from ringwall.catalog.bedrock import PREFIXES
from ringwall.iam.arn import Arn, is_account_id
from ringwall.iam.conditions import OPERATORS
from ringwall.lint.document import Clause, Document
from ringwall.lint.matching import did_you_mean, overlaps
from ringwall.lint.rule import Mark, Rule
from ringwall.lint.templates import HOLE, known

PARTITIONS = (
    "aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc",
)  # fmt: skip
_OPEN = re.compile(r"[*?$\ue000]")
_SHAPE = "write arn:partition:service:region:account:resource"
Problem = tuple[str, str | None]


def check(document: Document) -> Iterator[Mark]:
    """Resources, principals, then condition values."""
    for clause in document.clauses:
        for element in ("Resource", "NotResource"):
            for path, value in clause.items(element):
                problem = _resource(value, document.catalog)
                if problem:
                    yield Mark(path, *problem)
        yield from _principals(clause)
        yield from _conditions(clause)


def _resource(value: str, catalog: Catalog) -> Problem | None:
    if not value.strip("*") or (value[:1] in ("*", "?", HOLE) or value.startswith("${")):
        return None
    if not value.startswith("arn:"):
        return f"{value!r} is no ARN", _SHAPE
    try:
        arn = Arn.parse(value)
    except ValueError:
        # IAM fills up what ends in a wildcard; anything else has too few fields.
        return None if value.endswith(("*", HOLE)) else (f"{value!r} has less than six fields", _SHAPE)
    return _fields(arn, value) or (_bedrock(arn, value, catalog) if arn.service in PREFIXES else None)


def _fields(arn: Arn, value: str) -> Problem | None:
    if not _OPEN.search(arn.partition) and arn.partition not in PARTITIONS:
        return f"{value!r} names no partition of AWS: {arn.partition!r}", f"known are {', '.join(PARTITIONS)}"
    account = arn.account
    if account and not _OPEN.search(account) and not is_account_id(account) and not account.isalpha():
        return f"{value!r} has the account id {account!r}", "write the twelve digits of an account id"
    return None


def _bedrock(arn: Arn, value: str, catalog: Catalog) -> Problem | None:
    service = catalog.service(arn.service)
    if service is None or not service.resource_types:
        return None
    patterns = {kind.name: kind.pattern for kind in service.resource_types.values()}
    fitting = [pattern for pattern in patterns.values() if overlaps(value, pattern)]
    if fitting:
        if not arn.account and all(pattern.split(":", 5)[4] for pattern in fitting):
            return f"{value!r} has no account id, which resources of its type have", f"they are {fitting[0]}"
        return None
    own = arn.resource.partition("/")[0]
    shapes = {pattern.split(":", 5)[5].partition("/")[0]: pattern for pattern in patterns.values()}
    if own in shapes:
        return f"{value!r} is no ARN of a {own}", f"they have the form {shapes[own]}"
    nearest = did_you_mean(own, shapes)
    return f"{arn.service} has no resource type {own!r}", f"did you mean {nearest}?" if nearest else None


def _principals(clause: Clause) -> Iterator[Mark]:
    for element in ("Principal", "NotPrincipal"):
        written = clause.raw.get(element)
        if not isinstance(written, dict) or "AWS" not in written:
            continue
        listed = written["AWS"]
        for index, value in enumerate(listed if isinstance(listed, list) else [listed]):
            problem = _principal(value)
            if problem:
                path = (*clause.path, element, "AWS")
                yield Mark((*path, index) if isinstance(listed, list) else path, *problem)


def _principal(value: str) -> Problem | None:
    if value == "*" or not known(value) or is_account_id(value) or value.startswith(("AIDA", "AROA")):
        return None
    if not value.startswith("arn:"):
        return f"{value!r} is no principal", "write an ARN, a twelve-digit account id or *"
    try:
        arn = Arn.parse(value)
    except ValueError:
        return f"{value!r} has less than six fields", _SHAPE
    if "*" in value or "?" in value:
        return (
            f"{value!r}: a principal takes no wildcards; AWS refuses the policy",
            'write "*" and test aws:PrincipalArn with ArnLike in Condition',
        )
    if arn.service not in ("iam", "sts") or not is_account_id(arn.account):
        return f"{value!r} is no principal", "write arn:aws:iam::111122223333:role/Name"
    return None


def _conditions(clause: Clause) -> Iterator[Mark]:
    for path, test in clause.tests():
        if OPERATORS[test.operator].family != "Arn":
            continue
        listed = clause.raw["Condition"][path[-2]][path[-1]]
        for index, value in enumerate(test.values):
            if value.count(":") < 5 and value != "*" and known(value) and not value.startswith("${"):
                where = (*path, index) if isinstance(listed, list) else path
                yield Mark(
                    where, f"{value!r} is no ARN pattern; {test.operator} matches none with it", _SHAPE
                )


RULE = Rule(
    slug="malformed-arn",
    title="A text that should be an ARN and is none, or one that no resource has",
    severity="error",
    page=__doc__ or "",
    check=check,
)
