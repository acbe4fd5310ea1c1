"""The sandbox: an AWS endpoint on this machine that enforces the policies it is given.

``Sandbox`` is loaded on first use, so that importing this package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ringwall.sandbox.sandbox import Sandbox

__all__ = ["Sandbox"]


def __getattr__(name: str) -> Any:
    if name == "Sandbox":
        from ringwall.sandbox.sandbox import Sandbox  # noqa: PLC0415 - loaded on first use: start-up has a budget

        return Sandbox
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
