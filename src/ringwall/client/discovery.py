"""Finding the pinned guardrail of a declaration in the account: its id, and the version with the declared content."""

from __future__ import annotations

from typing import Any

from ringwall.client.rules import PinnedGuardrail
from ringwall.controls.guardrails import content, digest
from ringwall.errors import RingwallError
from ringwall.estate.kinds.guardrail_fields import from_response
from ringwall.estate.kinds.guardrail_version import content_of
from ringwall.perimeter.model import Perimeter


def find_guardrail(control: Any, perimeter: Perimeter) -> PinnedGuardrail:
    """The numbered version whose content is the declared one; of several the first, as ``ringwall apply`` takes it.

    The description that ``apply`` writes finds candidates; anybody who may publish a version can forge it, so what
    counts is the content that the version has.

    Args:
        control: a ``bedrock`` client with ``bedrock:ListGuardrails`` and ``bedrock:GetGuardrail``.
        perimeter: the declaration.

    Raises:
        RingwallError: there is none; the declaration has not been applied, or was changed since.
    """
    name = perimeter.guardrail.name
    found = [item for item in _all(control) if item["name"] == name]
    if not found:
        msg = f"there is no guardrail {name} in {perimeter.regions.source}: run `ringwall apply`"
        raise RingwallError(msg)
    declared = content(perimeter.guardrail)
    candidates = [
        item
        for item in _all(control, guardrailIdentifier=found[0]["id"])
        if str(item["version"]).isdigit() and item.get("description") == digest(declared)
    ]
    for item in sorted(candidates, key=lambda item: int(item["version"])):
        answer = control.get_guardrail(guardrailIdentifier=item["id"], guardrailVersion=item["version"])
        if content_of(from_response(answer)) == content_of(declared):
            return PinnedGuardrail(str(item["id"]), str(item["arn"]), str(item["version"]))
    msg = f"guardrail {name} has no numbered version with the declared content: run `ringwall apply`"
    raise RingwallError(msg)


def _all(control: Any, **parameters: Any) -> list[dict[str, Any]]:
    pages = control.get_paginator("list_guardrails").paginate(**parameters)
    return [item for page in pages for item in page["guardrails"]]
