"""The generic rule: action = prefix and operation, resource = ARN template filled from the parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.catalog.operations.authorization import Authorization, Call

if TYPE_CHECKING:
    from collections.abc import Iterator


def generic(call: Call, actions: tuple[str, ...]) -> Iterator[Authorization]:
    """Authorizations of an operation without a resolver of its own."""
    for action in actions:
        yield Authorization(action, "*", {"aws:requestedregion": (call.region,)})
