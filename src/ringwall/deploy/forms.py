"""JSON forms of plans, drift, applies and destructions: what ``--json`` prints. Schemas: :mod:`ringwall.deploy.schema`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ringwall.deploy.notes import notes
from ringwall.deploy.obstacles import obstacles
from ringwall.estate.model import substitute
from ringwall.iam.codec import decision_to_json, request_to_json

if TYPE_CHECKING:  # a plan is printed without what applies or destroys it
    from collections.abc import Iterable

    from ringwall.deploy.access_change import AccessChange, AccessChanges
    from ringwall.deploy.apply import Applied
    from ringwall.deploy.changes import Change, Plan
    from ringwall.deploy.destroy import Destruction
    from ringwall.deploy.drift import Drift
    from ringwall.deploy.unmanaged import Unmanaged

VERSION = 1


def plan_to_json(plan: Plan, access: AccessChanges, others: Iterable[Unmanaged] = ()) -> dict[str, Any]:
    """``ringwall plan --json``."""
    return {
        "version": VERSION,
        "perimeter": plan.perimeter,
        "digest": plan.digest,
        "empty": plan.empty,
        "summary": dict(plan.summary),
        "access": access_to_json(access),
        "changes": [change_to_json(change) for change in plan.changes],
        "obstacles": list(obstacles(plan)),
        "notes": list(notes(plan)),
        "unmanaged": [_unmanaged(item) for item in others],
    }


def access_to_json(access: AccessChanges) -> dict[str, Any]:
    """What a plan changes for people."""
    return {
        "newly_allows": [_access_change(item) for item in access.newly_allows],
        "newly_denies": [_access_change(item) for item in access.newly_denies],
        "widening": len(access.widening),
        "unknown": list(access.unknown),
        "proved": list(access.proved),
    }


def change_to_json(change: Change) -> dict[str, Any]:
    """One change."""
    resource = change.resource
    return {
        "action": change.action,
        "type": resource.type,
        "id": change.id,
        "physical_id": change.observed.id if change.observed is not None else None,
        "account": resource.account,
        "region": resource.region,
        "differences": [
            {
                "path": item.path,
                "before": _plain(item.before),
                "after": _plain(item.after),
                "effect": item.effect,
            }
            for item in change.differences
        ],
        "reasons": list(change.reasons),
    }


def drift_to_json(drift: Drift) -> dict[str, Any]:
    """``ringwall drift --json``."""
    return {
        "version": VERSION,
        "perimeter": drift.plan.perimeter,
        "digest": drift.plan.digest,
        "clean": drift.clean,
        "changed": _changes(drift.changed),
        "missing": _changes(drift.missing),
        "leftover": _changes(drift.leftover),
        "unmanaged": [_unmanaged(item) for item in drift.unmanaged],
        "unknown": list(drift.unknown),
    }


def applied_to_json(applied: Applied) -> dict[str, Any]:
    """``ringwall apply --json`` and the second half of ``destroy --json``."""
    return {
        "version": VERSION,
        "complete": applied.complete,
        "manifest_error": str(applied.unlisted) if applied.unlisted is not None else None,
        "done": _changes(applied.done),
        "failed": [
            {
                **change_to_json(item.change),
                "error": str(item.error),
                "details": list(item.error.details),
                "call": item.call,
                "permission": item.permission,
            }
            for item in applied.failed
        ],
        "not_attempted": [
            {**change_to_json(item.change), "reason": item.reason} for item in applied.not_attempted
        ],
    }


def destruction_to_json(destruction: Destruction) -> dict[str, Any]:
    """``ringwall destroy --json`` before anything is removed."""
    return {
        "version": VERSION,
        "removals": _changes(destruction.removals),
        "kept": [
            {
                "type": item.resource.type,
                "name": item.name,
                "id": item.resource.id,
                "account": item.resource.account,
                "region": item.resource.region,
                "reason": item.reason,
                "command": item.command,
            }
            for item in destruction.kept
        ],
    }


def _changes(changes: Iterable[Change]) -> list[dict[str, Any]]:
    return [change_to_json(change) for change in changes]


def _access_change(item: AccessChange) -> dict[str, Any]:
    return {
        "principal": item.principal,
        "label": item.label,
        "actions": list(item.actions),
        "resources": list(item.resources),
        "routes": list(item.routes),
        "without_guardrail": item.without_guardrail,
        "widens": item.widens,
        "new_principal": item.new_principal,
        "new_resource": item.new_resource,
        "before": dict(decision_to_json(item.before)),
        "after": dict(decision_to_json(item.after)),
        "witness": dict(request_to_json(item.witness)),
    }


def _unmanaged(item: Unmanaged) -> dict[str, Any]:
    return {
        "what": item.what,
        "type": item.type,
        "id": item.id,
        "account": item.account,
        "region": item.region,
        "severity": item.severity,
        "grants": list(item.grants),
        "actions": list(item.actions),
        "held_by": list(item.held_by),
    }


def _plain(value: Any) -> Any:
    """A property value as JSON, references in their file form, every mapping a plain one."""
    return (
        substitute(value, lambda ref: ref.to_json())
        if not isinstance(value, Mapping)
        else {key: _plain(item) for key, item in value.items()}
    )
