"""An action that does not exist.

## What it finds

Actions that are not in the Service Authorization Reference, patterns that match none of its actions, and service
prefixes that no service has. `bedrock:Converse` is the best known: the API operation exists, the action does not.

## Why

AWS stores the policy without a word. An Allow of such an action grants nothing, a Deny of it stops nothing.

## Bad

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "bedrock:Converse",
 "Resource": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0"}]}
```

## Good

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "bedrock:InvokeModel",
 "Resource": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0"}]}
```

## AWS sources

- https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html
"""

from __future__ import annotations

from collections.abc import Iterator

from ringwall.catalog import Catalog
from ringwall.lint.document import Clause, Document
from ringwall.lint.matching import did_you_mean
from ringwall.lint.rule import Mark, Rule, Severity
from ringwall.lint.templates import known

# API operations and host names that are often taken for IAM actions and prefixes.
OPERATIONS = {
    "bedrock:converse": "bedrock:InvokeModel",
    "bedrock:conversestream": "bedrock:InvokeModelWithResponseStream",
    "bedrock:startasyncinvoke": "bedrock:InvokeModel",
    "bedrock:invokemodelwithbidirectionalstream": "bedrock:InvokeModel",
    "bedrock:retrieveandgeneratestream": "bedrock:RetrieveAndGenerate",
    "s3:headobject": "s3:GetObject",
    "s3:headbucket": "s3:ListBucket",
    "s3:listobjects": "s3:ListBucket",
    "s3:listobjectsv2": "s3:ListBucket",
}
PREFIXES = {
    "bedrock-runtime": "bedrock",
    "bedrock-agent": "bedrock",
    "bedrock-agent-runtime": "bedrock",
    "bedrock-data-automation": "bedrock",
    "bedrock-data-automation-runtime": "bedrock",
    "bedrock-agentcore-control": "bedrock-agentcore",
    "cloudwatchlogs": "logs",
    "monitoring": "cloudwatch",
    "opensearchserverless": "aoss",
}
# Services that AWS has closed; their prefixes have left the reference, and policies still name them.
RETIRED = frozenset({"deepcomposer", "deeplens", "deepracer", "elastic-inference", "iot1click", "zocalo"})
# Documented by AWS, though the reference lacks it:
# https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/vpc-interface-endpoints.html
DOCUMENTED = frozenset({"bedrock-agentcore:getruntimeprotectedresourcemetadata"})


def check(document: Document) -> Iterator[Mark]:
    """Every action and pattern of ``Action`` and ``NotAction``."""
    for clause in document.clauses:
        for element in ("Action", "NotAction"):
            for path, action in clause.items(element):
                if (
                    known(action)
                    and action.strip("*")
                    and action != "*:*"
                    and action.lower() not in DOCUMENTED
                ):
                    message = _problem(action, document.catalog)
                    if message:
                        yield _mark(path, action, message, clause, document)


def _problem(action: str, catalog: Catalog) -> str | None:
    prefix = action.partition(":")[0]
    if prefix.lower() in RETIRED:
        return f"the service with the IAM prefix {prefix!r} is closed"
    if catalog.service(prefix) is None:
        return f"there is no service with the IAM prefix {prefix!r}"
    if "*" in action or "?" in action:
        return None if catalog.actions_matching(action) else f"the pattern {action} matches no action"
    return None if catalog.is_action(action) else f"there is no action {action}"


def _mark(path: tuple[str | int, ...], action: str, message: str, clause: Clause, document: Document) -> Mark:
    effect = "grants nothing" if clause.allows else "stops nothing"
    if clause.statement.actions is None:
        effect = "exempts nothing"
    nearest = _nearest(action, document.catalog)
    harmless = clause.denies and any(
        document.catalog.actions_matching(other)
        for other in clause.statement.actions or ()
        if other != action
    )
    operation = OPERATIONS.get(action.lower())
    # AWS's own pages name bedrock:Converse in Deny statements: beside the real action it does no harm.
    severity: Severity | None = "info" if harmless and operation in (clause.statement.actions or ()) else None
    if action.partition(":")[0].lower() in RETIRED:
        return Mark(path, f"{message}; it {effect}", "remove it", "warning")
    return Mark(path, f"{message}; it {effect}", f"did you mean {nearest}?" if nearest else None, severity)


def _nearest(action: str, catalog: Catalog) -> str | None:
    lowered = action.lower()
    prefix, _, name = lowered.partition(":")
    prefix = PREFIXES.get(prefix, prefix)
    lowered = f"{prefix}:{name}"
    if lowered in OPERATIONS:
        return OPERATIONS[lowered]
    known_action = catalog.action(lowered)
    if known_action is not None:
        return str(known_action)
    service = catalog.service(prefix)
    if service is None:
        near = did_you_mean(prefix, catalog.prefixes)
        return f"{near}:{action.partition(':')[2]}" if near else None
    if "*" in name or "?" in name:
        return None
    near = did_you_mean(lowered, [*(str(item) for item in service.actions.values()), *OPERATIONS])
    return OPERATIONS.get(near, near) if near else None


RULE = Rule(
    slug="unknown-action",
    title="An action that does not exist",
    severity="error",
    page=__doc__ or "",
    check=check,
)
