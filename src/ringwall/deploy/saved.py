"""Saved plans: what was reviewed is what is applied, or nothing is.

The file holds the changes for readers and the digest of the observed state that they rest on. Applying it reads the
account again, plans again, and goes on only if both digests are the same: no change is ever made from a file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ringwall.deploy.access_change import AccessChanges
from ringwall.deploy.changes import Plan
from ringwall.deploy.forms import plan_to_json
from ringwall.errors import RingwallError
from ringwall.estate.model import canonical_json

FORMAT = 1


class StalePlanError(RingwallError):
    """A saved plan does not fit any more: the account or the declaration moved since it was made."""


def changes_digest(plan: Plan) -> str:
    """``sha256:...`` over what a plan does, so that an edited declaration cannot pass for the reviewed one."""
    rows = [
        [
            change.action,
            change.resource.type,
            change.id,
            dict(change.resource.properties),
            [[item.path, item.before, item.after] for item in change.differences],
        ]
        for change in plan.todo
    ]
    return "sha256:" + hashlib.sha256(canonical_json(rows).encode()).hexdigest()


def save_plan(path: Path, plan: Plan, access: AccessChanges) -> None:
    """Write a plan for review and for a later apply."""
    document = {
        **plan_to_json(plan, access),
        "format": FORMAT,
        "changes_digest": changes_digest(plan),
    }
    path.write_text(
        json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def load_plan(path: Path) -> Mapping[str, Any]:
    """Read a saved plan.

    Raises:
        RingwallError: the file is not one.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise RingwallError(f"{path} is not a saved plan: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise RingwallError(f"{path} is not a plan that this version saved; plan again")
    return document


def require_fresh(document: Mapping[str, Any], plan: Plan) -> None:
    """Refuse a saved plan that does not fit what is there now.

    Args:
        document: from :func:`load_plan`.
        plan: the plan made just now from the same declaration.

    Raises:
        StalePlanError: the account moved, or the declaration did.
    """
    if document.get("perimeter") != plan.perimeter:
        raise StalePlanError(
            f"The saved plan is of perimeter {document.get('perimeter')}, the declaration's is {plan.perimeter}"
        )
    if document.get("digest") != plan.digest:
        raise StalePlanError(
            "The account changed since the plan was saved; review a new one with `ringwall plan`",
            details=(f"saved {document.get('digest')}", f"now   {plan.digest}"),
        )
    if document.get("changes_digest") != changes_digest(plan):
        raise StalePlanError(
            "The declaration changed since the plan was saved; review a new one with `ringwall plan`"
        )
