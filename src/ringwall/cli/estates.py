"""Over which Estate a question is asked: a saved one, what the declaration compiles to, or the live account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ringwall.cli.common import connections, load_perimeter, read_estate

if TYPE_CHECKING:
    from ringwall.estate.model import Estate
    from ringwall.perimeter import Perimeter

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Chosen:
    """An Estate without references, and the declaration beside it if there is one."""

    estate: Estate
    perimeter: Perimeter | None

    @property
    def account(self) -> str:
        """The account that is asked about: the declared one, else the first that is no management account."""
        if self.perimeter is not None:
            return self.perimeter.account
        members = [item.id for item in self.estate.accounts if not item.management]
        return (members or [item.id for item in self.estate.accounts] or [""])[0]

    @property
    def administrators(self) -> tuple[str, ...]:
        """Who may change the controls, by the declaration."""
        return tuple(self.perimeter.administrators) if self.perimeter else ()


def estate_options(function: Function) -> Function:
    """``--estate FILE`` and ``--declared``; without either the live account."""
    declared = click.option("--declared", is_flag=True, help="Over what the declaration compiles to.")
    saved = click.option(
        "--estate", "estate_file", metavar="FILE", help="Over a saved Estate, in place of the live account."
    )
    return saved(declared(function))


def choose(file: str, estate_file: str | None, *, declared: bool, profile: str | None) -> Chosen:
    """The Estate that the options name.

    Raises:
        RingwallError: it cannot be read, or the account cannot.
    """
    perimeter = load_perimeter(file) if declared or Path(file).exists() else None
    if estate_file:
        return Chosen(bound(read_estate(estate_file)), perimeter)
    if declared and perimeter is not None:
        from ringwall.controls.compile import compile_estate

        return Chosen(bound(compile_estate(perimeter)), perimeter)
    return Chosen(_live(perimeter, profile), perimeter)


def bound(estate: Estate) -> Estate:
    """The Estate with a desired one's references replaced as if nothing were deployed."""
    if estate.source != "desired":
        return estate
    from ringwall.estate.references import bind, placeholders

    return bind(estate, placeholders(estate))


def _live(perimeter: Perimeter | None, profile: str | None) -> Estate:
    from ringwall.access.bearing import BEARING_TYPES
    from ringwall.estate.collect import collect

    if perimeter is not None:
        aws, management = connections(perimeter, profile=profile)
        return collect(aws, types=BEARING_TYPES, management=management)
    from ringwall.estate.connection import connect

    return collect(connect(profile=profile), types=BEARING_TYPES)
