"""Policy documents in one canonical form, so that two spellings of one policy compare equal.

AWS rewrites what it is given: an account id as principal becomes the ARN of its root, a list of one becomes a string,
lists change their order. None of that changes what a policy means, so none of it is drift. What could change the
meaning (the principal's unique id that AWS shows after a role was deleted) stays as it is.

Follows https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from ringwall.estate.model import Ref, canonical_json

_LISTS = ("Action", "NotAction", "Resource", "NotResource")
_ACCOUNT = re.compile(r"^\d{12}$")


def document(value: Any) -> Any:
    """A policy document as JSON value, from what AWS sends: an object, JSON text, or URL-encoded JSON text.

    Raises:
        ValueError: the text is not JSON.
    """
    if not isinstance(value, str):
        return value
    text = value if value.lstrip().startswith("{") else unquote(value)
    return json.loads(text)


def text(value: Any) -> str:
    """A policy document as the JSON text that AWS takes."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def canonical_policy(value: Any) -> Any:
    """A policy document with one spelling for each meaning. References stay where they are."""
    if not isinstance(value, Mapping):
        return value
    statements = value.get("Statement", [])
    items = [statements] if isinstance(statements, Mapping | Ref) else list(statements)
    return {
        "Version": str(value.get("Version", "2008-10-17")),
        "Statement": unique(_statement(item) for item in items),
    }


def unique(items: Iterable[Any]) -> list[Any]:
    """Items without duplicates, in an order of their own: the form of a set."""
    found = {canonical_json(item): item for item in items}
    return [found[key] for key in sorted(found)]


def as_list(value: Any) -> list[Any]:
    """A value that may stand alone, as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _statement(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    result: dict[str, Any] = {}
    for name, item in value.items():
        if name in _LISTS:
            result[name] = unique(as_list(item))
        elif name in ("Principal", "NotPrincipal"):
            result[name] = _principal(item)
        elif name == "Condition":
            result[name] = _conditions(item)
        elif name != "Sid" or item:
            result[name] = item
    if not result.get("Condition", True):
        del result["Condition"]
    return result


def _principal(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    if set(value) == {"AWS"} and as_list(value["AWS"]) == ["*"]:
        return "*"
    return {
        name: unique(_root_arn(item) if name == "AWS" else item for item in as_list(items))
        for name, items in value.items()
    }


def _root_arn(value: Any) -> Any:
    if isinstance(value, str) and _ACCOUNT.match(value):
        return f"arn:aws:iam::{value}:root"
    return value


def _conditions(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {
        operator: {key: unique(map(_scalar, as_list(values))) for key, values in tests.items()}
        for operator, tests in value.items()
        if tests
    }


def _scalar(value: Any) -> Any:
    """IAM compares condition values as text, so ``true`` and ``"true"`` are one."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value
