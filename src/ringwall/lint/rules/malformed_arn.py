"""A text that should be an ARN and is none, or one that no resource has.

## What it finds

- `Resource` and `NotResource` that are no ARN, have too few fields, an unknown partition, a Region of another partition or an
  account id that is not twelve digits.
- ARNs of Bedrock and its siblings of a type that does not exist; foundation models with an account id, profiles and
  guardrails without one.
- `Principal` entries that are no principal: role ARNs with wildcards, ids with too few digits, services without their
  host name.
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
from ringwall.catalog.bedrock import PREFIXES, SIBLING_PREFIXES
from ringwall.iam.arn import Arn, is_account_id
from ringwall.iam.conditions import OPERATORS
from ringwall.lint.document import Clause, Document
from ringwall.lint.matching import did_you_mean, overlaps
from ringwall.lint.rule import Mark, Rule
from ringwall.lint.templates import HOLE, known

PARTITIONS = (
    "aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc",
)  # fmt: skip
_BY_REGION = {
    "us-gov-": "aws-us-gov", "cn-": "aws-cn", "eusc-": "aws-eusc", "us-iso-": "aws-iso", "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e", "us-isof-": "aws-iso-f",
}  # fmt: skip
_OPEN = re.compile(r"[*?$\ue000]")
_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.IGNORECASE)
_UNIQUE_IDS = ("AIDA", "AROA", "ANPA", "AGPA")
_SHAPE = "write arn:partition:service:region:account:resource"
Problem = tuple[str, str | None]


def check(document: Document) -> Iterator[Mark]:
    """Resources, principals, then condition values."""
    for clause in document.clauses:
        for element in ("Resource", "NotResource"):
            for path, value in clause.items(element):
                problem = _resource(value, document.catalog)
                if problem:
                    # The reference is behind for what is new: AWS's own policies name types that it lacks.
                    new = value.split(":", 3)[2:3] and value.split(":", 3)[2] in SIBLING_PREFIXES
                    yield Mark(path, *problem, "warning" if new else None)
        yield from _principals(clause)
        yield from _conditions(clause)


def _resource(value: str, catalog: Catalog) -> Problem | None:
    if not value.strip("*") or (value[:1] in ("*", "?", HOLE) or value.startswith("${")):
        return None
    if value.startswith("execute-api:/"):  # API Gateway's policies may leave out everything before
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
        nearest = did_you_mean(arn.partition, PARTITIONS)
        hint = f"did you mean {nearest}?" if nearest else f"known are {', '.join(PARTITIONS)}"
        return f"{value!r} names no partition of AWS: {arn.partition!r}", hint
    if not _OPEN.search(arn.partition + arn.region) and arn.region:
        partition = _partition_of(arn.region)
        if partition != arn.partition:
            corrected = value.replace(arn.partition, partition, 1)
            return f"{value!r}: the Region {arn.region} is in the partition {partition}", f"write {corrected}"
    account = arn.account
    if account and not _OPEN.search(account) and not is_account_id(account) and not account.isalpha():
        return f"{value!r} has the account id {account!r}", "write the twelve digits of an account id"
    return None


def _partition_of(region: str) -> str:
    """Partition of a Region by its name; what no other partition claims is the commercial one's."""
    return next((name for start, name in _BY_REGION.items() if region.startswith(start)), "aws")


def _bedrock(arn: Arn, value: str, catalog: Catalog) -> Problem | None:
    service = catalog.service(arn.service)
    if service is None or not service.resource_types:
        return None
    patterns = {kind.name: kind.pattern for kind in service.resource_types.values()}
    fitting = [pattern for pattern in patterns.values() if overlaps(value, pattern)]
    if fitting:
        if not arn.account and all(pattern.split(":", 5)[4] for pattern in fitting):
            return (
                f"{value!r} has no account id, which resources of its type have",
                f"write {_with_account(value, '111122223333')} with your account id",
            )
        return None
    own = arn.resource.partition("/")[0]
    shapes = {pattern.split(":", 5)[5].partition("/")[0]: pattern for pattern in patterns.values()}
    if own in shapes:
        without = _with_account(value, "")
        fits = arn.account and overlaps(without, shapes[own])
        return (
            f"{value!r} is no ARN of a {own}" + (", which has no account id" if fits else ""),
            f"write {without}" if fits else f"they have the form {shapes[own]}",
        )
    nearest = did_you_mean(own, shapes)
    corrected = value.replace(f":{own}", f":{nearest}")
    return f"{arn.service} has no resource type {own!r}", f"did you mean {corrected}?" if nearest else None


def _with_account(value: str, account: str) -> str:
    fields = value.split(":", 5)
    return ":".join([*fields[:4], account, fields[5]])


def _principals(clause: Clause) -> Iterator[Mark]:
    for element in ("Principal", "NotPrincipal"):
        written = clause.raw.get(element)
        if not isinstance(written, dict):
            continue
        for kind, check_one in (("AWS", _principal), ("Service", _service)):
            listed = written.get(kind, [])
            for index, value in enumerate(listed if isinstance(listed, list) else [listed]):
                problem = check_one(value)
                if problem:
                    path = (*clause.path, element, kind)
                    yield Mark((*path, index) if isinstance(listed, list) else path, *problem)


def _service(value: str) -> Problem | None:
    """Services are named by host names; AWS refuses what is none, and takes no wildcard but the lone one."""
    if not known(value) or value == "*" or _HOST.fullmatch(value):
        return None
    host = f"{value.lower()}.amazonaws.com"
    hint = (
        f"did you mean {host}?"
        if _HOST.fullmatch(host)
        else "write the service's name, such as bedrock.amazonaws.com"
    )
    return f"{value!r} is no service principal; AWS refuses the policy", hint


def _principal(value: str) -> Problem | None:
    if value == "*" or not known(value) or is_account_id(value) or value.startswith(_UNIQUE_IDS):
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
    of_cloudfront = arn.account == "cloudfront" and arn.resource.startswith("user/")
    if arn.service not in ("iam", "sts") or not (is_account_id(arn.account) or of_cloudfront):
        return f"{value!r} is no principal", "write arn:aws:iam::111122223333:role/Name"
    return None


def _conditions(clause: Clause) -> Iterator[Mark]:
    for path, test in clause.tests():
        if OPERATORS[test.operator].family != "Arn":
            continue
        listed = clause.raw["Condition"][path[-2]][path[-1]]
        for index, value in enumerate(test.values):
            if value.count(":") < 5 and value != "*" and known(value) and "${" not in value:
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
