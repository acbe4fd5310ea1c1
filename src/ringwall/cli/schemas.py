"""JSON Schemas of files and of ``--json`` outputs, by name."""

from __future__ import annotations

from typing import Any

NAMES = ("declaration", "estate", "plan", "drift", "apply", "audit", "decide", "prove", "lint")

_STRINGS = {"type": "array", "items": {"type": "string"}}
_REASONS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["policy_type", "policy", "statement", "effect"],
        "properties": {
            "policy_type": {
                "enum": [
                    "identity",
                    "permissions_boundary",
                    "session",
                    "resource",
                    "scp",
                    "rcp",
                    "vpc_endpoint",
                ]
            },
            "policy": {"type": "string"},
            "statement": {"type": "string", "description": "Sid, or index."},
            "effect": {"enum": ["Allow", "Deny"]},
        },
    },
}
_DECISION = {
    "decision": {"enum": ["allow", "explicit_deny", "implicit_deny"]},
    "because": _REASONS,
    "missing": _STRINGS,
}
_STATUS = {"enum": ["PASS", "FAIL", "UNKNOWN", "NOT_APPLICABLE"]}

DECIDE: dict[str, Any] = {
    "title": "One line of `ringwall decide --json`",
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {},
        **_DECISION,
        "authorizations": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["action", "resource", "decision"],
                "properties": {"action": {"type": "string"}, "resource": {"type": "string"}, **_DECISION},
            },
        },
        "notes": {**_STRINGS, "description": "What was taken for granted about an operation."},
        "trace": _STRINGS,
        "error": {"type": "string"},
    },
    "oneOf": [{"required": ["decision", "because", "missing"]}, {"required": ["error"]}],
}
PROVE: dict[str, Any] = {
    "title": "One answer of `ringwall prove --json`",
    "type": "object",
    "required": ["id", "verdict", "witness", "because", "axioms", "reason"],
    "properties": {
        "id": {},
        "verdict": {"enum": ["holds", "violated", "unknown"]},
        "witness": {
            "description": "A decide request, or for an operation {operation, requests}; null without one."
        },
        "because": _REASONS,
        "axioms": _STRINGS,
        "reason": {"type": ["string", "null"]},
    },
}
AUDIT: dict[str, Any] = {
    "title": "`ringwall audit --json`",
    "type": "object",
    "required": ["findings", "summary", "bundle"],
    "properties": {
        "findings": {
            "type": "array",
            "items": {
                "type": "object",
                "required": [
                    "control", "status", "severity", "confidence", "account", "region", "resource", "summary",
                    "evidence", "remediation", "frameworks",
                ],
                "properties": {
                    "control": {"type": "string", "pattern": "^[a-z-]+$"},
                    "status": _STATUS,
                    "severity": {"enum": ["critical", "high", "medium", "low"]},
                    "confidence": {"type": "string"},
                    "account": {"type": "string"},
                    "region": {"type": "string"},
                    "resource": {"type": "string"},
                    "summary": {"type": "string"},
                    "evidence": {"type": "array", "items": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}},
                    "remediation": {"type": "object"},
                    "frameworks": {"type": "object", "additionalProperties": _STRINGS},
                    "details": {"type": "object"},
                },
            },
        },
        "summary": {
            "type": "object",
            "required": ["statuses", "controls", "categories"],
            "properties": {
                "controls": {"type": "object", "additionalProperties": _STATUS},
                "categories": {"type": "object", "additionalProperties": _STATUS},
            },
        },
        "bundle": {"type": "string"},
    },
}  # fmt: skip
ESTATE: dict[str, Any] = {
    "title": "An Estate file",
    "type": "object",
    "required": ["version", "source", "accounts", "resources"],
    "properties": {
        "version": {"const": 1},
        "source": {"enum": ["desired", "observed"]},
        "taken_at": {"type": ["string", "null"]},
        "accounts": {"type": "array", "items": {"type": "object", "required": ["id"]}},
        "resources": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["type", "account", "region", "id", "properties"],
                "properties": {
                    "type": {"type": "string", "pattern": "^(AWS|Ringwall)::[A-Za-z0-9]+::[A-Za-z0-9]+$"},
                    "account": {"type": "string"},
                    "region": {"type": "string"},
                    "id": {"type": "string"},
                    "properties": {"type": "object"},
                    "unknown": {
                        "type": "array",
                        "items": {"type": "object", "required": ["property", "reason"]},
                    },
                },
            },
        },
    },
}
LINT: dict[str, Any] = {
    "title": "`ringwall lint --json`",
    "type": "array",
    "items": {
        "type": "object",
        "required": ["rule", "severity", "file", "line", "column", "message", "suggestion"],
        "properties": {
            "rule": {"type": "string", "pattern": "^[a-z-]+$"},
            "severity": {"enum": ["error", "warning", "info"]},
            "file": {"type": "string"},
            "line": {"type": "integer", "minimum": 1},
            "column": {"type": "integer", "minimum": 1},
            "message": {"type": "string"},
            "suggestion": {"type": ["string", "null"]},
        },
    },
}
_DIALECT = {"$schema": "https://json-schema.org/draft/2020-12/schema"}


def schema_of(name: str) -> dict[str, Any]:
    """The schema of that name; see :data:`NAMES`."""
    if name == "declaration":
        from ringwall.perimeter.schema import declaration_schema

        return declaration_schema()
    if name in {"plan", "drift", "apply"}:
        from ringwall.deploy.schema import SCHEMAS

        return {**_DIALECT, **SCHEMAS[name]}
    return {
        **_DIALECT,
        **{"estate": ESTATE, "audit": AUDIT, "decide": DECIDE, "prove": PROVE, "lint": LINT}[name],
    }
