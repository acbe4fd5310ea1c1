"""JSON Schemas of files and of ``--json`` outputs, by name."""

from __future__ import annotations

from typing import Any

NAMES = (
    "declaration",
    "estate",
    "plan",
    "drift",
    "apply",
    "audit",
    "decide",
    "prove",
    "compare",
    "why",
    "lint",
    "preflight",
)

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
_OWNER = {"account": {"type": ["string", "null"]}, "owner": {"type": "string"}}
_TESTS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["operator", "key", "values", "actual", "matched"],
        "properties": {
            "operator": {"type": "string"},
            "key": {"type": "string"},
            "values": _STRINGS,
            "actual": {"type": ["array", "null"], "items": {"type": "string"}},
            "matched": {"type": "boolean"},
        },
    },
}
_CHANGES = {
    "description": "Statements to add or replace, all of them together.",
    "type": "array",
    "items": {
        "type": "object",
        "required": ["policy_type", "policy", "target", "replaces", "statement"],
    },
}
_CASE = {
    "type": "object",
    "required": ["if", "decision", "because", "missing", "request", "deciding", "nearest", "policy_changes"],
    "properties": {
        **_DECISION,
        "if": {
            "description": "Keys that nobody told, and the values that they have in this case.",
            "type": "array",
            "items": {"type": "object", "required": ["key", "values"]},
        },
        "request": {"description": "A decide request that is an example of the case."},
        "deciding": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["policy_type", "policy", "target", "statement", "effect", "conditions", "owner"],
                "properties": {
                    "target": {
                        "type": ["string", "null"],
                        "description": "Organization level of an SCP or RCP.",
                    },
                    "conditions": _TESTS,
                    "owner": {"type": "object", "properties": _OWNER},
                },
            },
        },
        "owners": {
            "type": "array",
            "items": {"type": "object", "required": ["policy_type"], "properties": _OWNER},
        },
        "nearest": {"type": "array", "items": {"type": "object", "properties": {"conditions": _TESTS}}},
        "request_change": {
            "description": "What the caller could send instead; null without such a change.",
            "type": ["array", "null"],
            "items": {"type": "object", "required": ["key", "value"]},
        },
        "policy_changes": _CHANGES,
    },
}
_WHY: dict[str, Any] = {
    "type": "object",
    "required": ["outcome", "operation", "message", "authorizations", "told", "notes", "gaps"],
    "properties": {
        "outcome": {"enum": ["denied", "allowed", "unknown"]},
        "operation": {"type": ["string", "null"]},
        "message": {"type": ["object", "null"], "description": "What AWS's message says."},
        "authorizations": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["principal", "action", "resource", "outcome", "fits_message", "cases"],
                "properties": {
                    "outcome": {"enum": ["denied", "allowed", "depends"]},
                    "fits_message": {"type": ["boolean", "null"]},
                    "unknown_keys": _STRINGS,
                    "partial": {"type": "boolean"},
                    "cases": {"type": "array", "items": _CASE},
                },
            },
        },
        "told": {**_STRINGS, "description": "What the message alone tells, where no policies are known."},
        "notes": _STRINGS,
        "gaps": _STRINGS,
    },
}
WHY: dict[str, Any] = {
    "title": "`ringwall why --json`: an answer, or of several events one each",
    "oneOf": [
        _WHY,
        {
            "type": "object",
            "required": ["events"],
            "properties": {"events": {"type": "array", "items": _WHY}},
        },
    ],
}
_PLACES = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["policy", "target", "statement"],
        "properties": {"failed": _TESTS},
    },
}
_PASSAGE = {
    "type": "object",
    "required": ["action", "resource", "decision", "layers"],
    "properties": {
        "layers": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["policy_type", "bears", "allowed_by", "denied_by", "near"],
                "properties": {
                    "bears": {"type": "boolean"},
                    "allowed_by": _PLACES,
                    "denied_by": _PLACES,
                    "near": {
                        **_PLACES,
                        "description": "Deny statements that only conditions kept from matching.",
                    },
                },
            },
        },
    },
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
        "without_axioms": {"enum": ["holds", "violated", "unknown", None]},
        "reason": {"type": ["string", "null"]},
        "vacuous": {"type": "boolean", "description": "AWS can send no such request."},
        "trace": {
            "description": "Of a violated claim: how each request of the witness fares in every layer.",
            "type": ["array", "null"],
            "items": _PASSAGE,
        },
        "fix": {
            **_CHANGES,
            "type": ["array", "null"],
            "description": "Of a violated claim: changes after all of which it holds, which is proved.",
        },
    },
}
_WITNESS = {
    "type": "object",
    "required": ["principal", "action", "resource", "context"],
    "description": "A decide request.",
}
_DIFFERENCE = {"anyOf": [{"const": "unknown"}, {"type": "null"}, _WITNESS]}
_GROUPS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["principal", "action", "witness"],
        "properties": {
            "principal": {"type": "string"},
            "action": {"type": "string", "description": "An action pattern, as a policy writes it."},
            "witness": _WITNESS,
        },
    },
}
_CHANGED_ACCESS = {
    "type": "array",
    "items": {"type": "object", "required": ["principal", "actions", "witness"]},
}
COMPARE: dict[str, Any] = {
    "title": "`ringwall compare --json`: of two policies (a line of JSON Lines has no groups), or of two Estates or declarations",
    "type": "object",
    "required": ["newly_allows", "newly_denies"],
    "oneOf": [
        {
            "properties": {
                "id": {},
                "newly_allows": _DIFFERENCE,
                "newly_denies": _DIFFERENCE,
                "reason": {
                    "type": "string",
                    "description": "Why something is unknown: what, in which statements.",
                },
                "groups": {
                    "type": "object",
                    "required": ["newly_allows", "newly_denies", "unknown"],
                    "properties": {
                        "newly_allows": _GROUPS,
                        "newly_denies": _GROUPS,
                        "unknown": {
                            **_STRINGS,
                            "description": "Action patterns that were not decided, and why.",
                        },
                    },
                },
            },
        },
        {
            "required": ["widening", "unknown", "proved"],
            "properties": {
                "newly_allows": _CHANGED_ACCESS,
                "newly_denies": _CHANGED_ACCESS,
                "widening": {"type": "integer"},
                "unknown": _STRINGS,
                "proved": _STRINGS,
            },
        },
    ],
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
                    "waiver": {
                        "description": "Who answers for a failure and until when; null where nobody does.",
                        "type": ["object", "null"],
                        "required": ["control", "resource", "owner", "reason", "expires"],
                    },
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
PREFLIGHT: dict[str, Any] = {
    "title": "`ringwall preflight --json`",
    "type": "object",
    "required": ["checks", "ok"],
    "properties": {
        "ok": {"type": "boolean"},
        "checks": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["check", "use", "status", "summary", "advice", "facts"],
                "properties": {
                    "check": {"type": "string", "pattern": "^[a-z-]+$"},
                    "use": {"type": ["string", "null"]},
                    "status": {"enum": ["ok", "failed", "unknown"]},
                    "summary": {"type": "string"},
                    "advice": {"type": ["string", "null"]},
                    "facts": {"type": "object"},
                },
            },
        },
    },
}
_DIALECT = {"$schema": "https://json-schema.org/draft/2020-12/schema"}


_SCHEMAS = {
    "estate": ESTATE,
    "audit": AUDIT,
    "decide": DECIDE,
    "prove": PROVE,
    "compare": COMPARE,
    "why": WHY,
    "lint": LINT,
    "preflight": PREFLIGHT,
}


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
        **_SCHEMAS[name],
    }
