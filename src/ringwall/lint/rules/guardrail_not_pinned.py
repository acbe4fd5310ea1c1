"""A guardrail is required, but any would do.

## What it finds

- A Deny or an Allow that tests only whether `bedrock:GuardrailIdentifier` is there (`Null`), in a policy that pins no value
  for the same actions.
- A Deny that lets a wrong guardrail pass or a missing one, because it also tests that the key is there.
- Values without a version: the ARN alone is the DRAFT, which whoever may call `UpdateGuardrail` changes under you.
- Values with a wildcard for the guardrail's id, or one that reaches over the version (`guardrail/abcd1234efgh*`).

## Why

A caller may bring a guardrail of their own that filters nothing.

## Bad

```json scp
{"Version": "2012-10-17", "Statement": [
 {"Effect": "Deny", "Action": ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"], "Resource": "*",
  "Condition": {"Null": {"bedrock:GuardrailIdentifier": "true"}}},
 {"Effect": "Deny", "Resource": "*", "Action": ["bedrock:CreateModelInvocationJob", "bedrock:InvokeInlineAgent",
  "bedrock-mantle:*", "bedrock-websearch:*", "aws-external-anthropic:*"]}]}
```

## Good

```json scp
{"Version": "2012-10-17", "Statement": [
 {"Effect": "Deny", "Action": ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"], "Resource": "*",
  "Condition": {"ArnNotLike": {
    "bedrock:GuardrailIdentifier": "arn:aws:bedrock:us-east-1:111122223333:guardrail/abcd1234efgh:*"}}},
 {"Effect": "Deny", "Resource": "*", "Action": ["bedrock:CreateModelInvocationJob", "bedrock:InvokeInlineAgent",
  "bedrock-mantle:*", "bedrock-websearch:*", "aws-external-anthropic:*"]}]}
```

## AWS sources

- https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-permissions-id.html
"""

from __future__ import annotations

from collections.abc import Iterator

from ringwall.catalog.bedrock import GUARDED_ACTIONS, GUARDRAIL_KEY
from ringwall.iam.locate import Path
from ringwall.iam.policy import ConditionTest
from ringwall.lint.document import Clause, Document
from ringwall.lint.matching import covers, negated, passes_when_absent
from ringwall.lint.rule import Mark, Rule
from ringwall.lint.templates import HOLE

KEY = GUARDRAIL_KEY.lower()
_PRESENCE = "asks only that some guardrail is there: an empty one of the caller's, or a DRAFT, is good enough"
_PIN = "write the guardrail's ARN with :* for its numbered versions, or with one number"


def check(document: Document) -> Iterator[Mark]:
    """Tests of the guardrail's presence, then of its value."""
    for clause in document.clauses:
        tests = [(path, test) for path, test in clause.tests() if _is_meant(test.key)]
        if clause.denies:
            yield from _presence(tests, pinned=_is_pinned(document, clause))
        elif tests and not any(_requires(clause, test) for _, test in tests):
            yield from _any_will_do(tests, pinned=_is_pinned(document, clause))
        for path, test in tests:
            if _requires(clause, test):
                yield from _values(clause, path, test)


def _is_meant(key: str) -> bool:
    """Whether the key is the guardrail's, or one that somebody took for it (``bedrock:GuardrailArn``)."""
    return key.lower().startswith(KEY[: KEY.index("identifier")])


def _is_pinned(document: Document, clause: Clause) -> bool:
    """Whether a Deny pins the guardrail for each of the actions that the statement speaks of and that carry one."""
    spoken = [action for action in GUARDED_ACTIONS if covers(clause, action)]
    pinning = [other for other in document.denying if _pins(other)]
    return all(any(covers(other, action) for other in pinning) for action in spoken)


def _pins(clause: Clause) -> bool:
    """Whether the statement denies requests with another guardrail than a listed one."""
    tests = [test for test in clause.statement.conditions if test.key.lower() == KEY]
    return any(map(negated, tests)) and not any(test.operator == "Null" for test in tests)


def _requires(clause: Clause, test: ConditionTest) -> bool:
    """Whether the test names guardrails that are good enough."""
    return test.operator != "Null" and negated(test) is clause.denies


def _any_will_do(tests: list[tuple[Path, ConditionTest]], *, pinned: bool) -> Iterator[Mark]:
    """An Allow that asks for a guardrail and names none."""
    for path, test in tests:
        if test.operator == "Null" and not passes_when_absent(test) and not pinned:
            yield Mark(
                path, _PRESENCE, f"allow with ArnLike on {GUARDRAIL_KEY} and a pinned ARN", at_key=True
            )


def _presence(tests: list[tuple[Path, ConditionTest]], *, pinned: bool) -> Iterator[Mark]:
    values = [(path, test) for path, test in tests if test.operator != "Null"]
    for path, test in tests:
        if test.operator != "Null":
            continue
        if passes_when_absent(test):
            if not values and not pinned:
                yield Mark(
                    path,
                    _PRESENCE,
                    f"deny with ArnNotLike on {GUARDRAIL_KEY} and a pinned ARN; it denies requests without one too",
                    at_key=True,
                )
            elif any(negated(other) for _, other in values):
                yield Mark(
                    path,
                    "the Deny applies only to requests without a guardrail: those with another one get through",
                    "remove the Null test; a negated operator also matches if the key is absent",
                    at_key=True,
                )
        elif any(negated(other) for _, other in values):
            yield Mark(
                path,
                "the Deny applies only to requests with a guardrail: those without any get through",
                "remove the Null test; a negated operator also matches if the key is absent",
                at_key=True,
            )


def _values(clause: Clause, path: Path, test: ConditionTest) -> Iterator[Mark]:
    listed = clause.raw["Condition"][path[-2]][path[-1]]
    for index, value in enumerate(test.values):
        where = (*path, index) if isinstance(listed, list) else path
        problem = _problem(value)
        if problem:
            yield Mark(where, problem, _PIN)


def _problem(value: str) -> str | None:
    if value.strip("*") == "":
        return "any guardrail matches"
    _, found, identifier = value.partition("guardrail/")
    if not found:
        return (
            None
            if HOLE in value or "${" in value
            else f"{value} is no guardrail ARN; no request carries this value"
        )
    return _identifier_problem(identifier)


def _identifier_problem(identifier: str) -> str | None:
    name, colon, version = identifier.partition(":")
    if name.strip("*?") == "" or "*" in name[:-1]:
        return (
            f"the id {name} is a wildcard: any guardrail of the account matches, one of the caller's own too"
        )
    if name.endswith("*"):
        return f"guardrail/{identifier} also matches the DRAFT, and longer ids that begin the same"
    if HOLE in name or name.startswith("${"):
        return None
    if not colon:
        return f"guardrail/{name} without a version is the DRAFT, which changes without notice"
    if version.upper() == "DRAFT":
        return f"guardrail/{identifier} matches no request: the DRAFT is the ARN without a version"
    return None


RULE = Rule(
    slug="guardrail-not-pinned",
    title="A guardrail is required, but any would do",
    severity="warning",
    page=__doc__ or "",
    check=check,
)
