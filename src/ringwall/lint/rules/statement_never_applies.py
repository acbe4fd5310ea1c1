"""A statement that matches no request.

## What it finds

- Tests that fail if their key is absent, on a key that no request for the statement's actions carries.
- `Null: true` together with another test of the same key.
- Empty lists of actions, resources or values; `NotAction` and `NotResource` of `*`.

## Why

A Deny that never applies protects nothing, an Allow grants nothing.

## Bad

```json scp
{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "bedrock:CreateModelInvocationJob", "Resource": "*",
 "Condition": {"ArnLike": {"bedrock:InferenceProfileArn": "arn:aws:bedrock:*:*:inference-profile/global.*"}}}]}
```

## Good

```json scp
{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Resource": "*",
 "Action": ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
 "Condition": {"ArnLike": {"bedrock:InferenceProfileArn": "arn:aws:bedrock:*:*:inference-profile/global.*"}}}]}
```

## AWS sources

- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

from collections.abc import Iterator

from ringwall.iam.policy import ConditionTest
from ringwall.lint.document import Clause, Document
from ringwall.lint.matching import carried, negated, passes_when_absent
from ringwall.lint.rule import Mark, Rule, Severity
from ringwall.lint.templates import known


def check(document: Document) -> Iterator[Mark]:
    """Every statement."""
    for clause in document.clauses:
        severity: Severity = "error" if clause.denies else "warning"
        effect = "denies nothing" if clause.denies else "allows nothing"
        yield from _absent_keys(document, clause, severity, effect)
        yield from _contradictions(clause, severity, effect)
        yield from _empty(clause, severity, effect)


def _absent_keys(document: Document, clause: Clause, severity: Severity, effect: str) -> Iterator[Mark]:
    for path, test in clause.tests():
        if (
            known(test.key)
            and not passes_when_absent(test)
            and not carried(clause, test.key, document.catalog)
        ):
            yield Mark(
                path,
                f"no request for these actions carries {test.key}, so the statement {effect}",
                "test a key that the actions carry",
                severity,
                at_key=True,
            )


def _contradictions(clause: Clause, severity: Severity, effect: str) -> Iterator[Mark]:
    tests = list(clause.tests())
    absent = {test.key.lower() for _, test in tests if _wants(test, "true")}
    for path, test in tests:
        needs = not passes_when_absent(test)
        if test.key.lower() in absent and needs and not _wants(test, "true"):
            yield Mark(
                path,
                f"needs {test.key}, which another test of the statement wants absent: the statement {effect}",
                "use two statements, or an operator with IfExists",
                severity,
                at_key=True,
            )


def _wants(test: ConditionTest, value: str) -> bool:
    return test.operator == "Null" and {item.lower() for item in test.values} == {value}


def _empty(clause: Clause, severity: Severity, effect: str) -> Iterator[Mark]:
    statement = clause.statement
    for name, listed in (("Action", statement.actions), ("Resource", statement.resources)):
        if listed == ():
            yield Mark((*clause.path, name), f"{name} is empty, so the statement {effect}", None, severity)
    for name, listed in (("NotAction", statement.not_actions), ("NotResource", statement.not_resources)):
        if listed is not None and "*" in listed:
            yield Mark(
                (*clause.path, name), f"{name} leaves nothing, so the statement {effect}", None, severity
            )
    for path, test in clause.tests():
        if not test.values and not negated(test) and test.qualifier != "ForAllValues":
            yield Mark(path, f"{test.operator} has no values, so the statement {effect}", None, severity)


RULE = Rule(
    slug="statement-never-applies",
    title="A statement that matches no request",
    severity="error",
    page=__doc__ or "",
    check=check,
)
