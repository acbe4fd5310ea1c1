"""A condition key that an action of the statement never carries.

## What it finds

Actions that are written out in a statement although requests for them never carry a key that the statement tests:
`bedrock:GuardrailIdentifier` on anything but `InvokeModel` and `InvokeModelWithResponseStream` is the best known.

## Why

For these actions the key is always absent. In an Allow they are never granted, or the restriction does not restrict
them; a Deny never stops them, or always does. A Deny whose negated test is one of several is stricter than it says and
not reported, because it errs on the safe side.

## Bad

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
 "Action": ["bedrock:InvokeModel", "bedrock:CreateModelInvocationJob"],
 "Resource": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0",
 "Condition": {"ArnLike": {
   "bedrock:GuardrailIdentifier": "arn:aws:bedrock:us-east-1:111122223333:guardrail/abcd1234efgh:1"}}}]}
```

## Good

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
 "Action": ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
 "Resource": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0",
 "Condition": {"ArnLike": {
   "bedrock:GuardrailIdentifier": "arn:aws:bedrock:us-east-1:111122223333:guardrail/abcd1234efgh:1"}}}]}
```

## AWS sources

- https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html
"""

from __future__ import annotations

from collections.abc import Iterator

from ringwall.iam.policy import ConditionTest
from ringwall.lint.document import Clause, Document
from ringwall.lint.matching import carried, carries, listing, named_actions, passes_when_absent
from ringwall.lint.rule import Mark, Rule, Severity
from ringwall.lint.templates import known

# Whether a request carries tags depends on the resource types that it names; the reference is not exact there.
_TAGS = ("aws:requesttag/", "aws:resourcetag/", "aws:tagkeys")


def check(document: Document) -> Iterator[Mark]:
    """Every test against every action that is written out."""
    for clause in document.clauses:
        for path, test in clause.tests():
            if not known(test.key) or document.catalog.key_type(test.key) is None:
                continue
            without = _without(document, clause, test.key)
            if not without:
                continue
            some = carried(clause, test.key, document.catalog)
            severity = _severity(clause, test, some=some)
            if severity is not None:
                yield Mark(
                    path,
                    f"requests for {listing(without)} never carry {test.key}: {_effect(clause, test)}",
                    "give these actions a statement of their own, without this test",
                    severity,
                    at_key=True,
                )


def _without(document: Document, clause: Clause, key: str) -> list[str]:
    catalog = document.catalog
    named = (action for _, action in named_actions(clause))
    return [action for action in named if catalog.is_action(action) and not carries(catalog, action, key)]


def _severity(clause: Clause, test: ConditionTest, *, some: bool) -> Severity | None:
    if clause.denies and passes_when_absent(test) and some:
        return "info" if len(clause.statement.conditions) == 1 else None
    return "info" if test.key.lower().startswith(_TAGS) else "warning"


def _effect(clause: Clause, test: ConditionTest) -> str:
    if clause.allows:
        return "the test does not restrict them" if passes_when_absent(test) else "they are never allowed"
    return "they are always denied" if passes_when_absent(test) else "they are never denied"


RULE = Rule(
    slug="condition-key-not-on-action",
    title="A condition key that an action of the statement never carries",
    severity="warning",
    page=__doc__ or "",
    check=check,
)
