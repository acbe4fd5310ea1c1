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

from ringwall.iam.patterns import glob_matches
from ringwall.lint.document import Clause, Document
from ringwall.lint.matching import covers, is_named, overlaps, passes_when_absent
from ringwall.lint.rule import Mark, Rule
from ringwall.lint.templates import HOLE

ACTION = "bedrock:InvokeAgent"
TEST_ALIAS_ID = "TSTALIASID"
TEST_ALIAS = f"arn:*:bedrock:*:*:agent-alias/*/{TEST_ALIAS_ID}"

_SOME = TEST_ALIAS.replace(":*:", ":aws:", 1)


def check(document: Document) -> Iterator[Mark]:
    """Every Allow that speaks of agents, not simply of everything."""
    for clause in document.allowing:
        if not covers(clause, ACTION) or _needs_tag(clause):
            continue
        named = any(
            is_named(item) and item.lower() == ACTION.lower() for item in clause.statement.actions or ()
        )
        for path, resource in clause.items("Resource"):
            if not (named or ":agent-alias/" in resource) or not _reaches_test_alias(resource):
                continue
            if any(_denies_alias(other, resource) for other in document.denying):
                continue
            literal = resource.endswith(f"/{TEST_ALIAS_ID}")
            yield Mark(
                path,
                f"allows agents' test alias{'' if literal else ' too'}, which runs their working draft",
                "name the agent and the alias, or deny arn:aws:bedrock:*:*:agent-alias/*/TSTALIASID",
            )


def _needs_tag(clause: Clause) -> bool:
    """Whether the alias must have a tag; the test alias, which nobody creates, has none."""
    return any(
        test.key.lower().startswith("aws:resourcetag/") and not passes_when_absent(test)
        for test in clause.statement.conditions
    )


def _reaches_test_alias(resource: str) -> bool:
    """Whether it is certain: an alias that a template or a variable fills in is somebody's choice."""
    by_variable = resource.endswith("}") and "${" in resource
    return HOLE not in resource and not by_variable and overlaps(resource, TEST_ALIAS)


def _denies_alias(clause: Clause, allowed: str) -> bool:
    """Whether a Deny closes the test alias of all agents that the allowed pattern covers, but for some principals."""
    only_for_some = all(test.key.lower() == "aws:principalarn" for test in clause.statement.conditions)
    if not covers(clause, ACTION) or not only_for_some:
        return False
    if clause.statement.not_resources is not None:
        return not any(overlaps(item, TEST_ALIAS) for item in clause.statement.not_resources)
    head, slash, _ = allowed.rpartition("/")
    reached = f"{head}{slash}{TEST_ALIAS_ID}" if ":agent-alias/" in allowed and head.count("/") else _SOME
    return any(glob_matches(item, reached) for item in clause.statement.resources or ())


RULE = Rule(
    slug="agent-test-alias",
    title="The test alias of agents, which runs the working draft",
    severity="warning",
    page=__doc__ or "",
    check=check,
)
