"""A resource control policy on a service that it does not reach.

## What it finds

Statements of resource control policies whose actions belong to services outside of their reach: Bedrock and all its
siblings among them.

## Why

AWS stores the policy and never evaluates it for those services. What it was to prevent happens.

## Bad

```json rcp
{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "bedrock:*", "Resource": "*",
 "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-exampleorgid"}}}]}
```

## Good

```json rcp
{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
 "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-exampleorgid"}, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}}]}
```

## AWS sources

- https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
"""

from __future__ import annotations

from collections.abc import Iterator

from ringwall.iam.rules import RCP_EXEMPT_ACTIONS
from ringwall.lint.document import Document
from ringwall.lint.rule import Mark, Rule
from ringwall.lint.templates import known


def check(document: Document) -> Iterator[Mark]:
    """Every action of every statement."""
    for clause in document.clauses:
        for path, action in clause.items("Action"):
            service = action.partition(":")[0].lower()
            if not known(action) or not action.strip("*:"):
                continue
            if document.catalog.service(service) is not None and not document.catalog.rcp_covers(service):
                yield Mark(
                    path,
                    f"resource control policies do not reach {service}: this has no effect on {action}",
                    "use a service control policy, or the resource's own policy",
                )
            elif action.lower() in RCP_EXEMPT_ACTIONS:
                yield Mark(path, f"resource control policies do not reach {action}", "use the key policy")


RULE = Rule(
    slug="rcp-has-no-effect",
    title="A resource control policy on a service that it does not reach",
    severity="error",
    page=__doc__ or "",
    check=check,
    types=frozenset({"rcp"}),
)
