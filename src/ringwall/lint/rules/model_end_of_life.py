"""A model that is gone, or about to go.

## What it finds

ARNs of foundation models and inference profiles whose end of life has passed (in an Allow a warning), or comes within
ninety days, or that are legacy (information).

## Why

Requests for a model fail from its end of life on. Legacy models are closed to accounts that did not use them lately.
The dates are those of the installed package; `aws bedrock list-foundation-models` knows the newest.

## Bad

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "bedrock:InvokeModel",
 "Resource": "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0"}]}
```

## Good

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "bedrock:InvokeModel",
 "Resource": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0"}]}
```

## AWS sources

- https://docs.aws.amazon.com/bedrock/latest/userguide/model-lifecycle.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from ringwall.catalog.models import Model, tables
from ringwall.catalog.profiles import foundation_model, is_profile
from ringwall.iam.patterns import glob_matches
from ringwall.lint.document import Document
from ringwall.lint.rule import Mark, Rule, Severity

_MODEL = re.compile(r":(?:foundation-model|inference-profile)/(?P<id>[a-z0-9][A-Za-z0-9._:*?-]*)\Z")
_CONTEXT_LENGTH = re.compile(r":\d+k\Z")
_SOON = timedelta(days=90)
# No longer listed by AWS, so that no date is known; the lifecycle page of 2026-11 has none of them.
REMOVED = frozenset(
    {
        "anthropic.claude-3-sonnet-20240229-v1:0", "anthropic.claude-v2", "anthropic.claude-v2:1",
        "anthropic.claude-instant-v1",
    }
)  # fmt: skip


def check(document: Document) -> Iterator[Mark]:
    """Every ARN of a model that an Allow or an exception names."""
    for clause in document.clauses:
        for element in ("Resource", "NotResource"):
            for path, value in clause.items(element):
                match = _MODEL.search(value)
                said = _said(match["id"], document.today) if match else None
                if said:
                    message, severity = said
                    grants = clause.allows if element == "Resource" else clause.denies
                    yield Mark(
                        path, message, _successors(value, document.today), severity if grants else "info"
                    )


def _said(identifier: str, today: date) -> tuple[str, Severity | None] | None:
    name = foundation_model(identifier) if is_profile(identifier) else identifier
    if "*" in name or "?" in name:
        return _said_of_pattern(name, today)
    name = _CONTEXT_LENGTH.sub("", name)
    if name in REMOVED:
        return f"{name} is no longer offered: requests for it fail", None
    model = tables().models.get(name)
    return _said_of_model(model, today) if model else None


def _said_of_model(model: Model, today: date) -> tuple[str, Severity | None] | None:
    end = model.end_of_life
    if end and today >= end:
        return f"{model.id} reached its end of life on {end}: requests for it fail", None
    if end and today + _SOON >= end:
        return f"{model.id} reaches its end of life on {end}", "info"
    return (f"{model.id} is a legacy model", "info") if model.status(today) == "LEGACY" else None


def _said_of_pattern(pattern: str, today: date) -> tuple[str, Severity | None] | None:
    """Of a pattern only if every model that it matches is gone."""
    models = [model for model in tables().models.values() if glob_matches(pattern, model.id)]
    gone = [model.id for model in models if model.status(today) == "EOL"]
    gone += [name for name in sorted(REMOVED) if glob_matches(pattern, name) and name not in gone]
    if not gone or any(model.id not in gone for model in models):
        return None
    return f"{pattern} matches models alone that are no longer offered ({', '.join(gone[:3])})", None


def _successors(value: str, today: date) -> str:
    provider = value.rpartition("/")[2].split(".")[-2] if "." in value.rpartition("/")[2] else ""
    active = [
        model.id
        for model in tables().models.values()
        if model.id.startswith(f"{provider}.") and model.takes_guardrail and _stays(model, today)
    ]
    hint = f"active models of the provider: {', '.join(active[:3])}" if active else "choose an active model"
    return f"{hint}; see aws bedrock list-foundation-models"


def _stays(model: Model, today: date) -> bool:
    return model.status(today) == "ACTIVE" and (
        model.end_of_life is None or today + _SOON < model.end_of_life
    )


RULE = Rule(
    slug="model-end-of-life",
    title="A model that is gone, or about to go",
    severity="warning",
    page=__doc__ or "",
    check=check,
)
