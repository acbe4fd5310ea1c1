"""JSON Schemas (2020-12) of what ``plan``, ``drift``, ``apply`` and ``destroy`` print with ``--json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_TEXT: dict[str, Any] = {"type": "string"}
_TEXTS: dict[str, Any] = {"type": "array", "items": _TEXT}
_FLAG: dict[str, Any] = {"type": "boolean"}
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
_DIGEST: dict[str, Any] = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}
_OPTIONAL: dict[str, Any] = {"type": ["string", "null"]}


def _object(required: Mapping[str, Any], description: str = "", **optional: Any) -> dict[str, Any]:
    """An object with these members; others may come with later versions."""
    result: dict[str, Any] = {
        "type": "object",
        "required": list(required),
        "properties": {**required, **optional},
    }
    return {**result, "description": description} if description else result


def _list(name: str) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": f"#/$defs/{name}"}}


_DIFFERENCE = _object(
    {
        "path": {**_TEXT, "description": "Dotted path; list members by name, statements by Sid."},
        "before": {"description": "Value before, null where there is none."},
        "after": {"description": "Value after, null where it goes away."},
        "effect": {"enum": ["weakens", "strengthens", "neutral", "unclear"]},
    }
)
_CHANGE = {
    "action": {"enum": ["create", "update", "replace", "delete", "no-op"]},
    "type": {**_TEXT, "description": "CloudFormation type."},
    "id": {**_TEXT, "description": "Id in the declaration; of a deletion the physical id."},
    "physical_id": _OPTIONAL,
    "account": _TEXT,
    "region": _TEXT,
    "differences": _list("difference"),
    "reasons": _TEXTS,
}
_DECISION = _object(
    {"decision": {"enum": ["allow", "explicit_deny", "implicit_deny"]}}, "As `ringwall decide` prints it."
)
_ACCESS_CHANGE = _object(
    {
        "principal": _TEXT,
        "label": _TEXT,
        "actions": _TEXTS,
        "resources": _TEXTS,
        "routes": _TEXTS,
        "without_guardrail": _FLAG,
        "widens": {**_FLAG, "description": "Counts as widening: needs --allow-widening."},
        "new_principal": _FLAG,
        "new_resource": _FLAG,
        "before": _DECISION,
        "after": _DECISION,
        "witness": {"type": "object", "description": "A request of `ringwall decide`."},
    }
)
_ACCESS = _object(
    {
        "newly_allows": _list("access_change"),
        "newly_denies": _list("access_change"),
        "widening": _COUNT,
        "unknown": _TEXTS,
        "proved": {
            **_TEXTS,
            "description": "Principals of whom it is proved that nothing else is newly allowed.",
        },
    }
)
_UNMANAGED = _object(
    {
        "what": _TEXT,
        "type": _TEXT,
        "id": _TEXT,
        "account": _TEXT,
        "region": _TEXT,
        "severity": {"enum": ["critical", "high", "medium", "low"]},
        "grants": _TEXTS,
        "actions": _TEXTS,
        "held_by": _TEXTS,
    }
)
_DEFS = {
    "difference": _DIFFERENCE,
    "change": _object(_CHANGE),
    "access_change": _ACCESS_CHANGE,
    "unmanaged": _UNMANAGED,
}


def _document(title: str, members: Mapping[str, Any], **optional: Any) -> dict[str, Any]:
    return {
        "$schema": DRAFT,
        "title": title,
        **_object({"version": {"const": 1}, **members}, **optional),
        "$defs": _DEFS,
    }


PLAN = _document(
    "ringwall plan --json",
    {
        "perimeter": _TEXT,
        "digest": {**_DIGEST, "description": "Of the observed state that the plan rests on."},
        "empty": _FLAG,
        "summary": {"type": "object", "additionalProperties": _COUNT},
        "access": _ACCESS,
        "changes": _list("change"),
        "unmanaged": _list("unmanaged"),
        "obstacles": {
            **_TEXTS,
            "description": "What AWS will refuse; apply does not begin before it is settled.",
        },
        "notes": {**_TEXTS, "description": "Cost at list prices, and quotas that come near."},
    },
    format={"const": 1, "description": "In saved plans."},
    made_by={**_TEXT, "description": "In saved plans: the version that made it, and that applies it."},
    changes_digest=_DIGEST,
)
DRIFT = _document(
    "ringwall drift --json",
    {
        "perimeter": _TEXT,
        "digest": _DIGEST,
        "clean": _FLAG,
        "changed": _list("change"),
        "missing": _list("change"),
        "leftover": _list("change"),
        "unmanaged": _list("unmanaged"),
        "unknown": _TEXTS,
    },
)
APPLIED = _document(
    "ringwall apply --json",
    {
        "complete": _FLAG,
        "manifest_error": {
            **_OPTIONAL,
            "description": "Why the list of untaggable resources is not up to date.",
        },
        "done": _list("change"),
        "failed": {
            "type": "array",
            "items": _object(
                {**_CHANGE, "error": _TEXT, "details": _TEXTS, "call": _OPTIONAL, "permission": _OPTIONAL}
            ),
        },
        "not_attempted": {"type": "array", "items": _object({**_CHANGE, "reason": _TEXT})},
    },
)
DESTRUCTION = _document(
    "ringwall destroy --json",
    {
        "removals": _list("change"),
        "kept": {
            "type": "array",
            "items": _object(
                {
                    "type": _TEXT,
                    "name": {**_TEXT, "description": "The declared id, where it is declared."},
                    "id": _TEXT,
                    "account": _TEXT,
                    "region": _TEXT,
                    "reason": _TEXT,
                    "command": _TEXT,
                }
            ),
        },
    },
)
SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "plan": PLAN,
    "drift": DRIFT,
    "apply": APPLIED,
    "destroy": DESTRUCTION,
}
"""By the name that ``ringwall schema`` takes."""
