"""Running the checks of all controls over one Estate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.controls import registry

if TYPE_CHECKING:
    from ringwall.controls.context import CheckContext
    from ringwall.controls.findings import Finding


def judge(context: CheckContext, slugs: frozenset[str] | None = None) -> tuple[Finding, ...]:
    """Every finding, in the registry's order.

    Args:
        context: the Estate with its proofs (:mod:`ringwall.controls.proving`).
        slugs: only these controls; ``None`` = all.
    """
    return tuple(
        finding
        for control in registry()
        if slugs is None or control.slug in slugs
        for finding in control.check(context)
    )
