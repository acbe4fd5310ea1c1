"""A decoded authorization message: what ``sts:DecodeAuthorizationMessage`` tells of a denied call.

Follows https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html: whether an explicit deny decided, the
principal, action and resource, and the condition keys of the request with their values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ringwall.access.asked import Asked, Occurrence, of_denial
from ringwall.access.denial import Denial, UnreadableDenialError


def is_decoded(document: Mapping[str, Any]) -> bool:
    """Whether a document is a decoded authorization message."""
    return "explicitDeny" in document and isinstance(document.get("context"), Mapping)


def occurrence_of_decoded(document: Mapping[str, Any]) -> Occurrence:
    """Read a decoded authorization message.

    Raises:
        UnreadableDenialError: it names no principal or action.
    """
    told = document["context"]
    principal = (told.get("principal") or {}).get("arn")
    action = told.get("action")
    if not isinstance(principal, str) or not isinstance(action, str) or ":" not in action:
        raise UnreadableDenialError("the decoded message names no principal and action")
    resource = told.get("resource")
    denial = Denial(
        principal,
        action,
        resource if isinstance(resource, str) else None,
        "explicit" if document["explicitDeny"] else "implicit",
    )
    (asked,) = of_denial(denial).authorizations
    context = {**asked.context, **_conditions(told)}
    known = Asked(
        asked.principal, asked.action, asked.resource, context, service=asked.service, vague=asked.vague
    )
    return Occurrence((known,), denial, denied=not document.get("allowed", False))


def _conditions(told: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for item in (told.get("conditions") or {}).get("items") or ():
        key = item.get("key") if isinstance(item, Mapping) else None
        if (
            isinstance(key, str) and ":" in key and not key.startswith(":")
        ):  # others (Region) are no condition keys
            values = (item.get("values") or {}).get("items") or ()
            texts = tuple(str(one["value"]) for one in values if isinstance(one, Mapping) and "value" in one)
            if texts:
                found[key.lower()] = texts
    return found
