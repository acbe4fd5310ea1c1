"""A resource that the action is not authorized on.

## What it finds

Actions that are written out beside a `Resource` list in which no ARN is of a type that the action takes, and actions
without resource types (`bedrock:RetrieveAndGenerate`, `bedrock:InvokeInlineAgent`) beside anything but `*`.

## Why

The statement never matches a request for the action: an Allow does not grant it, a Deny does not stop it.

How sure that is differs. Several services (CloudWatch Logs, IAM, Amazon S3) authorize listing and creating on a placeholder
which the reference does not list, and policies of AWS's own count on it: for such actions, and for services beside
Bedrock, a resource of the action's own service is a warning, and one that means a whole type (`log-group:*`) information.
Information too is what another statement covers on every resource.

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

from ringwall.catalog import Catalog
from ringwall.catalog.bedrock import PREFIX, SIBLING_PREFIXES
from ringwall.lint.document import Clause, Document
from ringwall.lint.matching import covers, expanded, is_named, overlaps
from ringwall.lint.rule import Mark, Rule, Severity
from ringwall.lint.templates import HOLE

_ON_PLACEHOLDERS = ("Create", "List")


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
    if any(not item.strip("*" + HOLE) for item in resources):
        return
    catalog = document.catalog
    effect = "allows" if clause.allows else "denies"
    for path, action in clause.items("Action"):
        meant = _meant(action, catalog)
        if not meant or any(_fits(one, resources, catalog) for one in meant):
            continue
        elsewhere = any(
            other.statement.resources == ("*",) and other.allows is clause.allows and covers(other, meant[0])
            for other in document.clauses
        )
        kinds = sorted({kind for one in meant for kind in catalog.resource_patterns(one)})
        if kinds:
            what = f"{action} is not authorized on any of these resources: the statement never {effect} it"
            hint = f"it takes resources such as {', '.join(kinds[:4])}"
            yield Mark(path, what, hint, "info" if elsewhere else _severity(meant[0], resources, typed=True))
        else:
            yield Mark(
                path,
                f"{action} has no resource type: the statement never {effect} it",
                'give it a statement of its own with "Resource": "*"',
                "info" if elsewhere else _severity(meant[0], resources, typed=False),
            )


def _meant(action: str, catalog: Catalog) -> tuple[str, ...]:
    """The actions that a name or a pattern stands for; of ``*`` and ``bedrock:*`` nobody means each."""
    if HOLE in action or not action.partition(":")[2].strip("*"):
        return ()
    return catalog.actions_matching(action)


def _fits(action: str, resources: tuple[str, ...], catalog: Catalog) -> bool:
    return any(overlaps(item, kind) for item in resources for kind in catalog.resource_patterns(action))


def _severity(action: str, resources: tuple[str, ...], *, typed: bool) -> Severity | None:
    """How sure it is that the action is never authorized on these resources."""
    service, _, name = action.partition(":")
    own = [item for item in resources if overlaps(item, f"arn:*:{service}:*")]
    if not own:
        return None
    if typed:
        return "warning" if service in SIBLING_PREFIXES else None
    if service == PREFIX and not name.startswith(_ON_PLACEHOLDERS):
        return None
    return "info" if any(item.endswith("*") and item[-2:-1] in "/:*" for item in own) else "warning"


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
