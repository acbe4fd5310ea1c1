"""A Deny whose condition cannot but be true.

## What it finds

Deny statements with a test that passes if its key is absent (`StringNotEquals`, `ArnNotLike`, `Null: true`, `...IfExists`,
`ForAllValues:`) on a key that no request for the statement's actions carries.

## Why

The exception that the test describes never happens, so the statement denies everybody, always: the policy that was to
require a guardrail switches inference off.

## Bad

```json scp
{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "bedrock:InvokeAgent", "Resource": "*",
 "Condition": {"StringNotLike": {
   "bedrock:GuardrailIdentifier": "arn:aws:bedrock:*:111122223333:guardrail/abcd1234efgh:*"}}}]}
```

## Good

```json scp
{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "bedrock:InvokeAgent", "Resource": "*",
 "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/agent-callers/*"}}}]}
```

## AWS sources

- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-permissions-id.html
"""

from __future__ import annotations

from collections.abc import Iterator

from ringwall.lint.document import Document
from ringwall.lint.matching import carried, passes_when_absent
from ringwall.lint.rule import Mark, Rule
from ringwall.lint.templates import known


def check(document: Document) -> Iterator[Mark]:
    """Every test of every Deny."""
    for clause in document.denying:
        for path, test in clause.tests():
            if (
                known(test.key)
                and passes_when_absent(test)
                and not carried(clause, test.key, document.catalog)
            ):
                alone = len(clause.statement.conditions) == 1
                effect = "denies every request" if alone else "makes no exception by this test"
                yield Mark(
                    path,
                    f"no request for these actions carries {test.key}, so the test is always true and the statement "
                    f"{effect}",
                    "test a key that the actions carry, or remove the condition if everything is to be denied",
                    at_key=True,
                )


RULE = Rule(
    slug="deny-always-applies",
    title="A Deny whose condition cannot but be true",
    severity="error",
    page=__doc__ or "",
    check=check,
)
