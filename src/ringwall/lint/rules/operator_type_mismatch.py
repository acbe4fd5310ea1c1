"""An operator that cannot compare what it is given.

## What it finds

- Values that the operator cannot read: a number, a date, a network, `true` or `false` is expected.
- Operators for networks on keys that hold none, and the other way round: under `StringEquals` a network in CIDR notation is a
  text that equals no address.

## Why

AWS refuses some such policies and stores others; stored, a positive test never passes and a negated one always does.

## Bad

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "bedrock:InvokeModel",
 "Resource": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0",
 "Condition": {"StringEquals": {"aws:SourceIp": "203.0.113.0/24"}}}]}
```

## Good

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "bedrock:InvokeModel",
 "Resource": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0",
 "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}]}
```

## AWS sources

- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
- https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ringwall.iam import values
from ringwall.iam.conditions import OPERATORS
from ringwall.iam.policy import ConditionTest
from ringwall.lint.document import Document
from ringwall.lint.matching import negated
from ringwall.lint.rule import Mark, Rule
from ringwall.lint.templates import known

_READ: Mapping[str, tuple[Callable[[str], object], str]] = {
    "Numeric": (values.number, "a number"),
    "Date": (values.date, "a date such as 2026-01-31T00:00:00Z, or seconds since 1970"),
    "Bool": (values.boolean, "true or false"),
    "Null": (values.boolean, "true or false"),
    "IpAddress": (values.network, "an IP address or a network such as 203.0.113.0/24"),
    "Binary": (values.binary, "text in Base64"),
}
_NETWORK = "IpAddress"
_KEY_OF_ADDRESSES = "IPAddress"


def check(document: Document) -> Iterator[Mark]:
    """Every value, then the operator against the key's type."""
    for clause in document.clauses:
        for path, test in clause.tests():
            family = OPERATORS[test.operator].family
            kind = document.catalog.key_type(test.key)
            if known(test.key) and kind is not None and (family == _NETWORK) != (kind == _KEY_OF_ADDRESSES):
                wrong = _wrong_operator(test, family, kind)
                if wrong:
                    yield Mark(path, *wrong, at_key=True)
                    continue
            yield from _unreadable(clause.raw["Condition"][path[-2]][path[-1]], path, test, family)


def _wrong_operator(test: ConditionTest, family: str, kind: str) -> tuple[str, str] | None:
    other = "NotIpAddress" if negated(test) else "IpAddress"
    if family == _NETWORK:
        return (
            f"{test.key} holds no IP address, so that {test.operator} never reads one",
            "use StringEquals or StringLike",
        )
    if (
        kind == _KEY_OF_ADDRESSES
        and family != "Null"
        and any("/" in value or family != "String" for value in test.values)
    ):
        return f"{test.operator} does not compare IP addresses, which {test.key} holds", f"use {other}"
    return None


def _unreadable(
    listed: object, path: tuple[str | int, ...], test: ConditionTest, family: str
) -> Iterator[Mark]:
    read, expected = _READ.get(family, (None, ""))
    for index, value in enumerate(test.values):
        if read is not None and known(value) and "${" not in value and read(value) is None:
            where = (*path, index) if isinstance(listed, list) else path
            yield Mark(where, f"{test.operator} cannot read {value!r}", f"write {expected}")


RULE = Rule(
    slug="operator-type-mismatch",
    title="An operator that cannot compare what it is given",
    severity="error",
    page=__doc__ or "",
    check=check,
)
