"""A Region restriction that speaks of `bedrock` and forgets its siblings.

## What it finds

Deny statements on `aws:RequestedRegion` that cover Bedrock actions by which models run, in a policy that restricts or denies none of the actions of
`bedrock-mantle`, `bedrock-agentcore`, `bedrock-websearch`, `agent-registry` or `aws-external-anthropic`.

## Why

`bedrock:*` covers one prefix of six. Models run behind the others too, in every Region.

## Bad

```json scp
{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "bedrock:*", "Resource": "*", "Condition": {
 "StringNotEquals": {"aws:RequestedRegion": ["us-east-1", "us-east-2", "us-west-2"]}}}]}
```

## Good

```json scp
{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Resource": "*", "Action": ["bedrock:*", "bedrock-mantle:*",
 "bedrock-agentcore:*", "bedrock-websearch:*", "agent-registry:*", "aws-external-anthropic:*"], "Condition": {
 "StringNotEquals": {"aws:RequestedRegion": ["us-east-1", "us-east-2", "us-west-2"]}}}]}
```

## AWS sources

- https://docs.aws.amazon.com/bedrock/latest/userguide/endpoints.html
"""

from __future__ import annotations

from collections.abc import Iterator

from ringwall.catalog.bedrock import INFERENCE_ACTIONS, SIBLING_PREFIXES
from ringwall.lint.document import Clause, Document
from ringwall.lint.matching import covers, negated
from ringwall.lint.rule import Mark, Rule

KEY = "aws:requestedregion"


def restricts_region(clause: Clause) -> bool:
    """Whether a statement denies what is outside of listed Regions."""
    return clause.denies and any(
        test.key.lower() == KEY and negated(test) and test.operator != "Null"
        for test in clause.statement.conditions
    )


def check(document: Document) -> Iterator[Mark]:
    """The first Region restriction on Bedrock stands for all of the policy's."""
    restricting = [clause for clause in document.denying if restricts_region(clause)]
    mine = [clause for clause in restricting if any(covers(clause, action) for action in INFERENCE_ACTIONS)]
    mine = [clause for clause in mine if _touches(document, clause, "bedrock")]
    if not mine:
        return
    closing = [*restricting, *(clause for clause in document.denying if _for_all_but_some(clause))]
    missed = [
        prefix
        for prefix in SIBLING_PREFIXES
        if not any(_touches(document, clause, prefix) for clause in closing)
    ]
    if missed:
        clause = mine[0]
        names = ", ".join(f"{prefix}:*" for prefix in missed)
        yield Mark(
            clause.element("Action", "NotAction"),
            f"{clause.name} keeps bedrock in its Regions, but models also run behind {', '.join(missed)}",
            f"add {names}",
        )


def _for_all_but_some(clause: Clause) -> bool:
    """Whether a Deny has no conditions but on who calls."""
    return all(test.key.lower() == "aws:principalarn" for test in clause.statement.conditions)


def _touches(document: Document, clause: Clause, prefix: str) -> bool:
    """Whether the statement speaks of any action of the service."""
    if clause.statement.actions is not None:
        return any(
            pattern == "*" or pattern.partition(":")[0].lower() in (prefix, "*")
            for pattern in clause.statement.actions
        )
    service = document.catalog.service(prefix)
    return service is None or any(covers(clause, str(action)) for action in service.actions.values())


RULE = Rule(
    slug="region-deny-misses-service-prefixes",
    title="A Region restriction that speaks of bedrock and forgets its siblings",
    severity="warning",
    page=__doc__ or "",
    check=check,
    types=frozenset({"identity", "scp"}),
)
