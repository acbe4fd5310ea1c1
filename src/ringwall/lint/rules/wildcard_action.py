"""Every action of a service, or of all.

## What it finds

Allow statements with `*`, with a whole service (`bedrock:*`) or with `NotAction`, outside of service and resource control
policies, which grant nothing by themselves. The statement by which a key policy lets its account administer the key
(`kms:*` for the account's root) is as AWS writes it.

## Why

It allows what nobody thought of: deleting guardrails, switching off logging, actions that AWS adds next year.

## Bad

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "bedrock:*",
 "Resource": "arn:aws:bedrock:us-east-1:111122223333:guardrail/abcd1234efgh"}]}
```

## Good

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["bedrock:ApplyGuardrail", "bedrock:GetGuardrail"],
 "Resource": "arn:aws:bedrock:us-east-1:111122223333:guardrail/abcd1234efgh"}]}
```

## AWS sources

- https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege
"""

from __future__ import annotations

from collections.abc import Iterator

from ringwall.iam.arn import is_account_id
from ringwall.lint.document import Clause, Document
from ringwall.lint.matching import is_own_endpoint
from ringwall.lint.rule import POLICY_TYPES, Mark, Rule
from ringwall.lint.templates import known


def check(document: Document) -> Iterator[Mark]:
    """Every Allow."""
    for clause in document.allowing:
        if _administers_key(document, clause) or is_own_endpoint(document, clause):
            continue
        for path, action in clause.items("Action"):
            service, _, name = action.partition(":")
            if known(action) and (not action.strip("*:") or (name and not name.strip("*?"))):
                what = "of every service" if not service.strip("*") else f"of {service}"
                yield Mark(
                    path,
                    f"allows every action {what}, now and in the future",
                    "list the actions that are needed",
                )
        if clause.statement.not_actions is not None:
            yield Mark(
                (*clause.path, "NotAction"),
                "allows every action but the listed ones, now and in the future",
                "list the actions that are needed in Action",
                at_key=True,
            )


def _administers_key(document: Document, clause: Clause) -> bool:
    principal = clause.statement.principal
    if document.type != "kms-key" or principal is None or not principal.aws:
        return False
    return all(item.endswith(":root") or is_account_id(item) or not known(item) for item in principal.aws)


RULE = Rule(
    slug="wildcard-action",
    title="Every action of a service, or of all",
    severity="warning",
    page=__doc__ or "",
    check=check,
    types=frozenset(POLICY_TYPES) - {"scp", "rcp"},
)
