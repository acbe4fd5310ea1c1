"""Every action of a service, or of all.

## What it finds

Allow statements with `*`, with a whole service (`bedrock:*`) or with `NotAction`, outside of service and resource control
policies, which grant nothing by themselves. The statement by which a key policy, or the default policy of a queue or topic,
lets its own account administer it (`kms:*` for the account's root) is as AWS writes it.

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
        if _administers_own(document, clause) or is_own_endpoint(document, clause):
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


def _administers_own(document: Document, clause: Clause) -> bool:
    """Whether it hands a key, or another resource, to its own account, as AWS's default policies do."""
    principal = clause.statement.principal
    if principal is None or not principal.aws or principal.service or principal.federated:
        return False
    roots = [
        item for item in principal.aws if item.endswith(":root") or is_account_id(item) or not known(item)
    ]
    if len(roots) < len(principal.aws):
        return False
    if document.type == "kms-key":
        return True
    accounts = {item.split(":")[4] if item.count(":") > 4 else item for item in roots}
    owners = {item.split(":")[4] for item in clause.statement.resources or () if item.count(":") > 4}
    return bool(owners) and owners == accounts


RULE = Rule(
    slug="wildcard-action",
    title="Every action of a service, or of all",
    severity="warning",
    page=__doc__ or "",
    check=check,
    types=frozenset(POLICY_TYPES) - {"scp", "rcp"},
)
