"""Every room of hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringwall.sandbox.hooks import Hooks

ROOMS: tuple[Hooks, ...] = ()
