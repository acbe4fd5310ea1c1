"""Saved plans: what was reviewed is what is applied, or nothing is.

The file holds the changes for readers and the digest of the observed state that they rest on. Applying it reads the
account again, plans again, and goes on only if both digests are the same: no change is ever made from a file. A file whose
changes were edited is refused too, for then something else was reviewed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ringwall import __version__
from ringwall.deploy.access_change import AccessChanges
from ringwall.deploy.changes import Plan
from ringwall.deploy.forms import plan_to_json
from ringwall.errors import RingwallError
from ringwall.estate.model import canonical_json

FORMAT = 1
MADE_BY = f"ringwall {__version__}"
REVIEWED = ("changes", "summary", "empty")
"""Parts of the file that a reader goes by. What it says of access is told again, and judged, by ``apply``."""


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
    """Write a plan for review and for a later apply.

    Raises:
        RingwallError: the file cannot be written.
    """
    document = {
        **plan_to_json(plan, access),
        "format": FORMAT,
        "made_by": MADE_BY,
        "changes_digest": changes_digest(plan),
    }
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise RingwallError(f"{path} cannot be written: {error.strerror}") from error


def load_plan(path: Path) -> Mapping[str, Any]:
    """Read a saved plan.

    Raises:
        RingwallError: the file is not one.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RingwallError(f"{path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise RingwallError(f"{path} is not a saved plan, or not all of it: {error}; plan again") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise RingwallError(f"{path} is not a plan that this version saved; plan again")
    if document.get("made_by") != MADE_BY:
        made_by = document.get("made_by", "another version")
        raise RingwallError(f"{path} was saved by {made_by}, this is {MADE_BY}; plan again")
    return document


def require_fresh(document: Mapping[str, Any], plan: Plan) -> None:
    """Refuse a saved plan that does not fit what is there now.

    Args:
        document: from :func:`load_plan`.
        plan: the plan made just now from the same declaration.

    Raises:
        StalePlanError: the account moved, or the declaration did, or the file was edited.
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
    now = json.loads(json.dumps(plan_to_json(plan, AccessChanges())))
    if any(document.get(name) != now[name] for name in REVIEWED):
        raise StalePlanError(
            "The saved plan was edited: it does not show what applying it would do; review a new one with `ringwall plan`"
        )
