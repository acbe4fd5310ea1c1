"""An Allow that also applies without the key that it tests.

## What it finds

- Allow statements with `...IfExists`, `ForAllValues:` or a negated operator on a key that a request may lack, where no
  other test or variable of the statement needs the key. On keys of what the request asks for (tags of the resource,
  `ec2:InstanceType`) it is information: such a request may leave them out.
- Deny statements that miss requests without the key: `Bool` of `aws:MultiFactorAuthPresent` = `false`, and
  `ForAnyValue:` with a negated operator.

## Why

These operators pass if the key is absent: the restriction falls away for just the requests that do not say where
they come from. `aws:MultiFactorAuthPresent` is absent from requests with long-term keys, so a Deny needs `BoolIfExists`.

## Bad

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "bedrock:InvokeModel",
 "Resource": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0",
 "Condition": {"StringEqualsIfExists": {"aws:SourceVpce": "vpce-0123456789abcdef0"}}}]}
```

## Good

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "bedrock:InvokeModel",
 "Resource": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0",
 "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"}}}]}
```

## AWS sources

- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ringwall.catalog.bedrock import PREFIXES
from ringwall.iam.locate import Path
from ringwall.iam.policy import ConditionTest
from ringwall.lint.document import Clause, Document
from ringwall.lint.matching import carried, negated, passes_when_absent
from ringwall.lint.rule import Mark, Rule
from ringwall.lint.templates import known

# In every request that is signed:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
ALWAYS_PRESENT = frozenset(
    {
        "aws:currenttime", "aws:epochtime", "aws:principalaccount", "aws:principalarn", "aws:principaltype",
        "aws:requestedregion", "aws:securetransport", "aws:userid", "aws:viaawsservice",
        "aws:principalisawsservice", "aws:resourceaccount",
    }
)  # fmt: skip
# Lists of what the request brings along: without them it brings nothing, which is no more than what is allowed.
HARMLESS_LISTS = frozenset({"aws:tagkeys", "kms:grantoperations", "kms:encryptioncontextkeys"})
_OF_WHAT_IS_ASKED = (
    "aws:requesttag/",
    "aws:resourcetag/",
    "aws:tagkeys",
    "aws:resourceaccount",
    "aws:resourceorg",
)
# A variable without a default: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
_VARIABLE = re.compile(r"\$\{([^,}*?$]+)\}")
_MFA = "aws:multifactorauthpresent"


def check(document: Document) -> Iterator[Mark]:
    """Allow statements first, then what a Deny misses."""
    for clause in document.allowing:
        yield from _allow(document, clause)
    for clause in document.denying:
        yield from _deny(document, clause)


def _allow(document: Document, clause: Clause) -> Iterator[Mark]:
    tests = list(clause.tests())
    needed = {test.key.lower() for _, test in tests if not passes_when_absent(test)} | _in_variables(clause)
    for path, test in tests:
        key = test.key.lower()
        if not passes_when_absent(test) or test.operator == "Null" or key in needed or key in ALWAYS_PRESENT:
            continue
        if not known(key) or not carried(clause, key, document.catalog) or _denies_absent(document, key):
            continue
        yield Mark(
            path,
            f"{_written(test)} also passes if the request has no {test.key}, and then the statement allows it",
            f'use the positive operator without IfExists, or add "Null": {{"{test.key}": "false"}}',
            None if _is_restriction(document, test, key) else "info",
            at_key=True,
        )


def _is_restriction(document: Document, test: ConditionTest, key: str) -> bool:
    """Whether the key says who or where from, which every request is to say, and not what the request asks for.

    What it asks for it may leave out: ``ec2:InstanceType`` is AWS's own example of ``IfExists``, and a resource without
    a tag is not the one that is excepted. Neither is ``ForAllValues`` on a list of what is asked for
    (``route53:ChangeResourceRecordSetsNormalizedRecordNames``), but on a key with one value it restricts nothing.
    """
    if test.qualifier == "ForAllValues":
        of_request = not key.startswith("aws:") and document.catalog.is_multivalued(key)
        return key not in HARMLESS_LISTS and not of_request
    if key.startswith(_OF_WHAT_IS_ASKED):
        return False
    return key.partition(":")[0] in ("aws", *PREFIXES)


def _in_variables(clause: Clause) -> set[str]:
    """Keys without which no resource, or no value of some test, of the statement matches, because it is a variable in all."""
    listed = [
        clause.statement.resources or (),
        *(test.values for test in clause.statement.conditions if not passes_when_absent(test)),
    ]
    return {
        key
        for values in listed
        if values
        for key in set.intersection(*({m.lower() for m in _VARIABLE.findall(value)} for value in values))
    }


def _deny(document: Document, clause: Clause) -> Iterator[Mark]:
    for path, test in clause.tests():
        key = test.key.lower()
        values = {value.lower() for value in test.values}
        if key == _MFA and test.operator == "Bool" and values == {"false"} and not test.if_exists:
            yield _missed(path, test, "use BoolIfExists")
        elif _needs_value(test, key) and not _denies_absent(document, key):
            yield _missed(path, test, f'add a Deny with "Null": {{"{test.key}": "true"}}')


def _needs_value(test: ConditionTest, key: str) -> bool:
    says_who = key.partition(":")[0] in ("aws", *PREFIXES)
    return (
        says_who
        and test.qualifier == "ForAnyValue"
        and negated(test)
        and key not in ALWAYS_PRESENT | HARMLESS_LISTS
    )


def _missed(path: Path, test: ConditionTest, suggestion: str) -> Mark:
    message = (
        f"{_written(test)} fails if the request has no {test.key}, and then the statement does not deny it"
    )
    return Mark(path, message, suggestion, at_key=True)


def _denies_absent(document: Document, key: str) -> bool:
    return any(
        test.key.lower() == key and test.operator == "Null" and passes_when_absent(test)
        for clause in document.denying
        for test in clause.statement.conditions
    )


def _written(test: ConditionTest) -> str:
    prefix = f"{test.qualifier}:" if test.qualifier else ""
    return f"{prefix}{test.operator}{'IfExists' if test.if_exists else ''}"


RULE = Rule(
    slug="operator-passes-when-key-absent",
    title="An Allow that also applies without the key that it tests",
    severity="warning",
    page=__doc__ or "",
    check=check,
)
