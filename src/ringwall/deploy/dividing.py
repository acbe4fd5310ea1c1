"""A policy as managed policies that IAM takes: each at most 6,144 characters, statements whole where they fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ringwall.controls.documents import document, pack, size

MANAGED_POLICY = 6_144
"""Characters without white space that a managed policy may have
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)."""

Policy = dict[str, Any]


def divided(policy: Policy, *, limit: int = MANAGED_POLICY) -> tuple[Policy, ...]:
    """Policies that together allow what one does.

    Args:
        policy: of statements that allow, with lists of actions and resources.
        limit: characters that each may have.

    Raises:
        RingwallError: one action on one resource is longer than that.
    """
    pieces = (piece for statement in policy["Statement"] for piece in _pieces(statement, limit))
    return pack("policy", pieces, limit=limit)


def _pieces(statement: Policy, limit: int) -> Iterator[Policy]:
    """The statement, or several with a part each of its longer list."""
    parts = max(statement["Action"], statement["Resource"], key=lambda values: len("".join(values)))
    if size(document(statement)) <= limit or len(parts) == 1:
        yield statement
        return
    name = "Action" if parts is statement["Action"] else "Resource"
    half = len(parts) // 2
    for letter, part in zip("AB", (parts[:half], parts[half:]), strict=True):
        yield from _pieces({**statement, "Sid": f"{statement['Sid']}{letter}", name: part}, limit)
