"""Finding the pinned guardrail of a declaration in the account: its id, and the version with the declared content."""

from __future__ import annotations

from typing import Any

from ringwall.client.rules import PinnedGuardrail
from ringwall.controls.guardrails import content, digest
from ringwall.errors import RingwallError
from ringwall.perimeter.model import Perimeter


def find_guardrail(control: Any, perimeter: Perimeter) -> PinnedGuardrail:
    """The numbered version whose content is the declared one.

    Args:
        control: a ``bedrock`` client with ``bedrock:ListGuardrails``.
        perimeter: the declaration.

    Raises:
        RingwallError: there is none; the declaration has not been applied, or was changed since.
    """
    name = perimeter.guardrail.name
    found = [item for item in _all(control) if item["name"] == name]
    if not found:
        msg = f"there is no guardrail {name} in {perimeter.regions.source}: run `ringwall apply`"
        raise RingwallError(msg)
    wanted = digest(content(perimeter.guardrail))
    versions = [
        item
        for item in _all(control, guardrailIdentifier=found[0]["id"])
        if str(item["version"]).isdigit() and item.get("description") == wanted
    ]
    if not versions:
        msg = f"guardrail {name} has no numbered version with the declared content: run `ringwall apply`"
        raise RingwallError(msg)
    newest = max(versions, key=lambda item: int(item["version"]))
    return PinnedGuardrail(str(newest["id"]), str(newest["arn"]), str(newest["version"]))


def _all(control: Any, **parameters: Any) -> list[dict[str, Any]]:
    pages = control.get_paginator("list_guardrails").paginate(**parameters)
    return [item for page in pages for item in page["guardrails"]]
