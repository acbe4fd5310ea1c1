"""A resource that the action is not authorized on.

## What it finds

Actions that are written out beside a `Resource` list in which no ARN is of a type that the action takes, and actions
without resource types (`bedrock:RetrieveAndGenerate`, `bedrock:InvokeInlineAgent`) beside anything but `*`.

## Why

The statement never matches a request for the action: an Allow does not grant it, a Deny does not stop it.

## Bad

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["bedrock:Retrieve", "bedrock:RetrieveAndGenerate"],
 "Resource": "arn:aws:bedrock:us-east-1:111122223333:knowledge-base/KB12345678"}]}
```

## Good

```json identity
{"Version": "2012-10-17", "Statement": [
 {"Effect": "Allow", "Action": "bedrock:Retrieve",
  "Resource": "arn:aws:bedrock:us-east-1:111122223333:knowledge-base/KB12345678"},
 {"Effect": "Allow", "Action": "bedrock:RetrieveAndGenerate", "Resource": "*"}]}
```

## AWS sources

- https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html
"""

from __future__ import annotations

from collections.abc import Iterator

from ringwall.lint.document import Clause, Document
from ringwall.lint.matching import expanded, is_named, named_actions, overlaps
from ringwall.lint.rule import Mark, Rule
from ringwall.lint.templates import HOLE


def check(document: Document) -> Iterator[Mark]:
    """Every action that is written out, then every resource."""
    for clause in document.clauses:
        resources = clause.statement.resources
        if resources and all(map(_readable, resources)):
            yield from _actions(document, clause, resources)
            yield from _resources(document, clause)


def _readable(resource: str) -> bool:
    """Whether it is an ARN or a wildcard; the rest is another rule's business."""
    return resource.startswith(("arn:", "*", "?", HOLE))


def _actions(document: Document, clause: Clause, resources: tuple[str, ...]) -> Iterator[Mark]:
    for path, action in named_actions(clause):
        known_action = document.catalog.action(action)
        if known_action is None or any(not item.strip("*" + HOLE) for item in resources):
            continue
        patterns = document.catalog.resource_patterns(action)
        if any(overlaps(item, pattern) for item in resources for pattern in patterns):
            continue
        effect = "allows" if clause.allows else "denies"
        if patterns:
            kinds = ", ".join(kind.name for kind in known_action.resource_types[:6])
            yield Mark(
                path,
                f"{action} is not authorized on any of these resources: the statement never {effect} it",
                f"it takes resources of type {kinds}",
            )
        else:
            yield Mark(
                path,
                f"{action} has no resource type: the statement never {effect} it",
                'give it a statement of its own with "Resource": "*"',
            )


def _resources(document: Document, clause: Clause) -> Iterator[Mark]:
    actions = clause.statement.actions
    if not actions or not all(is_named(action) and document.catalog.is_action(action) for action in actions):
        return
    patterns = {
        pattern
        for action in expanded(clause, document.catalog)
        for pattern in document.catalog.resource_patterns(action)
    }
    listed = list(clause.items("Resource"))
    useful = [any(overlaps(item, pattern) for pattern in patterns) for _, item in listed]
    if not any(useful):
        return
    for (path, item), is_useful in zip(listed, useful, strict=True):
        if not is_useful and item.strip("*" + HOLE):
            yield Mark(path, f"no action of the statement is authorized on {item}", "remove it", "info")


RULE = Rule(
    slug="resource-type-not-on-action",
    title="A resource that the action is not authorized on",
    severity="error",
    page=__doc__ or "",
    check=check,
)
