"""A guardrail is required on one way to a model, and another way is open.

## What it finds

Policies that deny inference without a guardrail and leave open: the other of the two actions that can carry one, the
actions that never carry one (batch jobs, inline agents, `bedrock-mantle`, `aws-external-anthropic`), or models of your
own, because the Deny lists foundation models alone. A way is open if the policy does not deny it; where the policy also
allows, if it allows it as well.

## Why

Whoever wants to avoid the guardrail takes the other way.

## Bad

```json scp
{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Resource": "*",
 "Action": ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"], "Condition": {"ArnNotLike": {
   "bedrock:GuardrailIdentifier": "arn:aws:bedrock:us-east-1:111122223333:guardrail/abcd1234efgh:*"}}}]}
```

## Good

```json scp
{"Version": "2012-10-17", "Statement": [
 {"Effect": "Deny", "Resource": "*", "Action": ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
  "Condition": {"ArnNotLike": {
    "bedrock:GuardrailIdentifier": "arn:aws:bedrock:us-east-1:111122223333:guardrail/abcd1234efgh:*"}}},
 {"Effect": "Deny", "Resource": "*", "Action": ["bedrock:CreateModelInvocationJob", "bedrock:InvokeInlineAgent",
  "bedrock-mantle:*", "bedrock-websearch:*", "aws-external-anthropic:*"]}]}
```

## AWS sources

- https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-permissions-id.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/endpoints.html
"""

from __future__ import annotations

from collections.abc import Iterator

from ringwall.catalog.bedrock import GUARDED_ACTIONS
from ringwall.lint.document import Clause, Document
from ringwall.lint.matching import closed, covers, passes_when_absent, resource_overlaps
from ringwall.lint.rule import Mark, Rule

# By which the caller alone, without anything that an administrator set up, runs a model of the caller's choice.
SIDE_DOORS = (
    "bedrock:CreateModelInvocationJob",
    "bedrock:InvokeInlineAgent",
    "bedrock-mantle:CreateInference",
    "aws-external-anthropic:CreateInference",
    "aws-external-anthropic:CreateBatchInference",
)
OWN_MODELS = ("custom-model-deployment", "imported-model", "provisioned-model")


def check(document: Document) -> Iterator[Mark]:
    """One finding for each requirement that can be walked round."""
    requiring = [clause for clause in document.denying if _requires_guardrail(clause)]
    if not requiring:
        return
    unguarded = [
        action for action in GUARDED_ACTIONS if not any(covers(clause, action) for clause in requiring)
    ]
    # An endpoint policy decides for one endpoint service; the other doors have endpoints of their own.
    ways = unguarded if document.type == "vpc-endpoint" else [*unguarded, *SIDE_DOORS]
    found = [action for action in ways if _allowed(document, action) and not _closed(document, action)]
    first = requiring[0]
    if found:
        yield Mark(
            first.element("Action", "NotAction"),
            f"{first.name} requires a guardrail, but {', '.join(found)} run models without one",
            "deny them in a statement of their own",
        )
    for clause in requiring:
        yield from _own_models(document, clause)


def _requires_guardrail(clause: Clause) -> bool:
    """Whether it denies without a guardrail; also by a key that somebody took for the right one."""
    return any(
        test.key.lower().startswith("bedrock:guardrail") and passes_when_absent(test)
        for test in clause.statement.conditions
    ) and any(covers(clause, action) for action in GUARDED_ACTIONS)


def _allowed(document: Document, action: str) -> bool:
    return not document.allowing or any(covers(clause, action) for clause in document.allowing)


def _closed(document: Document, action: str) -> bool:
    """Whether it is denied altogether, or at least for all but some principals."""
    return closed(document, action) or any(
        covers(clause, action)
        and "*" in (clause.statement.resources or ())
        and all(test.key.lower() == "aws:principalarn" for test in clause.statement.conditions)
        for clause in document.denying
    )


def _own_models(document: Document, clause: Clause) -> Iterator[Mark]:
    resources = clause.statement.resources
    if resources is None or not _allowed(document, "bedrock:InvokeModel"):
        return
    if not resource_overlaps(clause, ("arn:*:bedrock:*::foundation-model/*",)):
        return
    missed = [kind for kind in OWN_MODELS if not resource_overlaps(clause, (f"arn:*:bedrock:*:*:{kind}/*",))]
    allowing = [other for other in document.allowing if covers(other, "bedrock:InvokeModel")]
    patterns = [f"arn:*:bedrock:*:*:{kind}/*" for kind in missed]
    if missed and (not allowing or any(resource_overlaps(other, patterns) for other in allowing)):
        yield Mark(
            clause.element("Resource"),
            f"the guardrail is required on these resources alone, not on {', '.join(missed)}",
            'write "Resource": "*", or NotResource with what cannot carry a guardrail',
        )


RULE = Rule(
    slug="unguarded-inference-path",
    title="A guardrail is required on one way to a model, and another way is open",
    severity="warning",
    page=__doc__ or "",
    check=check,
)
