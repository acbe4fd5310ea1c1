"""What a control is: one object that compiles, claims and checks. Its module's docstring is its page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ringwall.controls.claims import DeclaredClaim
    from ringwall.controls.context import CheckContext
    from ringwall.controls.findings import Category, Finding, Severity
    from ringwall.estate.model import Resource
    from ringwall.perimeter.model import Perimeter


def _nothing(perimeter: Perimeter) -> Iterable[Resource]:
    del perimeter
    return ()


def _no_claims(perimeter: Perimeter) -> Iterable[DeclaredClaim]:
    del perimeter
    return ()


@dataclass(frozen=True, slots=True)
class Control:
    """One control.

    Attributes:
        slug: its name everywhere (CONTRACTS "audit").
        title: one line.
        category: one of the six categories of the checklist.
        severity: how bad its failure is.
        page: its documentation: the module's docstring.
        check: judges an Estate.
        compile: what it adds to the desired Estate.
        claims: what it claims of the declared perimeter.
        types: resource types that the check reads; the kinds know the permissions that reading them needs.
    """

    slug: str
    title: str
    category: Category
    severity: Severity
    page: str
    check: Callable[[CheckContext], Iterable[Finding]]
    compile: Callable[[Perimeter], Iterable[Resource]] = _nothing
    claims: Callable[[Perimeter], Iterable[DeclaredClaim]] = _no_claims
    types: tuple[str, ...] = ()
