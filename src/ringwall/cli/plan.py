"""``ringwall plan``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringwall.cli.common import (
    aws_options,
    declaration_option,
    json_option,
    load_perimeters,
    note,
    write_json,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.cli.deploying import Prepared
    from ringwall.perimeter import Perimeter


@click.command(short_help="Show what apply would change, access first.")
@declaration_option
@click.option(
    "--out", "-o", metavar="FILE", help="Save the plan; apply refuses it once the account has moved."
)
@json_option
@aws_options
def plan(file: str, out: str | None, as_json: bool, profile: str | None) -> int:
    """Show what apply would change, access first.

    Leads with what changes for people (newly ALLOWS, newly DENIES) and with access that exists outside of the
    declaration, then the resources, field by field and policy statement by statement, cost and quotas. Exit code 2 if
    there is something to change.

    \b
    Example:
      ringwall plan --out plan.json && ringwall apply plan.json
    """
    from ringwall.catalog import load
    from ringwall.cli.deploying import prepare
    from ringwall.cli.terminal import show
    from ringwall.deploy.forms import plan_to_json
    from ringwall.deploy.render import plan_lines
    from ringwall.deploy.saved import save_plan
    from ringwall.deploy.unmanaged import unmanaged
    from ringwall.estate.kinds import registry

    perimeters = load_perimeters(file)
    prepared = prepare(perimeters, profile=profile)
    administrators = frozenset(arn for perimeter in perimeters for arn in perimeter.administrators)
    others, unread = unmanaged(prepared.plan, registry(), load(), administrators=administrators)
    for reason in unread:
        note(f"what is not declared could not be seen completely: {reason}")
    for words in _refusals(prepared, perimeters):
        note(f"apply will be refused: {words}")
    if out:
        save_plan(Path(out), prepared.plan, prepared.access)
        note(f"wrote {out}")
    if as_json:
        write_json(plan_to_json(prepared.plan, prepared.access, others))
    else:
        show(plan_lines(prepared.plan, prepared.access, others))
    return 0 if prepared.plan.empty else 2


def _refusals(prepared: Prepared, perimeters: tuple[Perimeter, ...]) -> Iterator[str]:
    """Why apply would be refused, apart from what the plan itself shows."""
    from ringwall.deploy.adoption import adoptions
    from ringwall.deploy.lockout import lockouts
    from ringwall.deploy.obstacles import POLICY
    from ringwall.estate.kinds import registry

    for change in adoptions(prepared.plan, prepared.listed):
        yield f"{change.id} exists already and is not Ringwall's; `ringwall import {change.id}` makes it so"
    if any(change.resource.type == POLICY for change in prepared.plan.todo):
        for door in prepared.doors.workloads:
            for words in lockouts(prepared.plan, door, registry()):
                yield f"{door.caller} would lock itself out: {words}"
    if any(perimeter.enforcement.account or perimeter.enforcement.organization for perimeter in perimeters):
        from ringwall.deploy.enforcing import shut_out

        for perimeter in perimeters:
            for words in shut_out(prepared.plan, registry(), perimeter):
                yield f"every call of {words}"
