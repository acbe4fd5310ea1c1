"""The test alias of agents, which runs the working draft.

## What it finds

Allow statements for `bedrock:InvokeAgent` whose agent alias is a wildcard that covers `TSTALIASID`, in a policy that does not
deny that alias.

## Why

`TSTALIASID` points at the DRAFT of an agent: whoever may edit the agent changes what its callers run, without a
version and without a review.

## Bad

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "bedrock:InvokeAgent",
 "Resource": "arn:aws:bedrock:us-east-1:111122223333:agent-alias/*/*"}]}
```

## Good

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "bedrock:InvokeAgent",
 "Resource": "arn:aws:bedrock:us-east-1:111122223333:agent-alias/AGENT12345/ALIAS12345"}]}
```

## AWS sources

- https://docs.aws.amazon.com/bedrock/latest/userguide/deploy-agent.html
"""

from __future__ import annotations

from collections.abc import Iterator

from ringwall.lint.document import Document
from ringwall.lint.matching import covers, is_named, overlaps
from ringwall.lint.rule import Mark, Rule
from ringwall.lint.templates import HOLE

ACTION = "bedrock:InvokeAgent"
TEST_ALIAS = "arn:*:bedrock:*:*:agent-alias/*/TSTALIASID"


def check(document: Document) -> Iterator[Mark]:
    """Every Allow that speaks of agents, not simply of everything."""
    if any(_denies_alias(document, index) for index in range(len(document.denying))):
        return
    for clause in document.allowing:
        named = any(
            is_named(item) and item.lower() == ACTION.lower() for item in clause.statement.actions or ()
        )
        if not covers(clause, ACTION):
            continue
        for path, resource in clause.items("Resource"):
            alias = ":agent-alias/" in resource
            if HOLE not in resource and overlaps(resource, TEST_ALIAS) and (alias or named):
                literal = resource.endswith("/TSTALIASID")
                yield Mark(
                    path,
                    f"allows agents' test alias{'' if literal else ' too'}, which runs their working draft",
                    "name the agent and the alias, or deny arn:aws:bedrock:*:*:agent-alias/*/TSTALIASID",
                )


def _denies_alias(document: Document, index: int) -> bool:
    clause = document.denying[index]
    resources = clause.statement.resources
    if not covers(clause, ACTION) or clause.statement.conditions:
        return False
    if resources is None:
        exempt = clause.statement.not_resources or ()
        return not any(overlaps(item, TEST_ALIAS) for item in exempt)
    return any(item == "*" or item.endswith("/TSTALIASID") for item in resources)


RULE = Rule(
    slug="agent-test-alias",
    title="The test alias of agents, which runs the working draft",
    severity="warning",
    page=__doc__ or "",
    check=check,
)
