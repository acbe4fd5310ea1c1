"""``ringwall apply``."""

from __future__ import annotations

from pathlib import Path

import click

from ringwall.cli.common import (
    aws_options,
    declaration_option,
    json_option,
    load_perimeters,
    note,
    write_json,
)
from ringwall.errors import GateRefusedError


@click.command(short_help="Make the account what the declaration says.")
@click.argument("saved", metavar="[PLAN]", required=False)
@declaration_option
@click.option(
    "--allow-widening", is_flag=True, help="Go on although the plan lets somebody do more than before."
)
@click.option(
    "--adopt",
    metavar="ID",
    multiple=True,
    help="Take over this existing resource, as `ringwall import` does.",
)
@click.option(
    "--canary",
    metavar="TARGET",
    help="Begin with this root, organizational unit or account, and go on if what is there can still be read. "
    "Default: the declaration's organization.canary.",
)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
@aws_options
def apply(
    saved: str | None,
    file: str,
    allow_widening: bool,
    adopt: tuple[str, ...],
    canary: str | None,
    yes: bool,
    as_json: bool,
    profile: str | None,
) -> int:
    """Make the account what the declaration says.

    With PLAN, a file saved by `ringwall plan --out`, it is refused unless the account and the declaration still are what
    the plan was made from. Safe to kill at any moment: run it again and it goes on. Of several accounts one that fails
    keeps none of the others.

    \b
    Example:
      ringwall apply --yes
    """
    from ringwall.cli.deploying import prepare, report, try_out
    from ringwall.cli.terminal import asks, show
    from ringwall.deploy.access_change import require_gate
    from ringwall.deploy.adoption import require_imported
    from ringwall.deploy.apply import apply as run
    from ringwall.deploy.forms import applied_to_json
    from ringwall.deploy.obstacles import require_none
    from ringwall.deploy.render import plan_lines
    from ringwall.deploy.saved import load_plan, require_fresh
    from ringwall.estate.kinds import registry

    document = load_plan(Path(saved)) if saved else None
    perimeters = load_perimeters(file)
    prepared = prepare(perimeters, profile=profile)
    if document is not None:
        require_fresh(document, prepared.plan)
    if not prepared.plan.empty and not as_json:
        show(plan_lines(prepared.plan, prepared.access))
    require_none(prepared.plan)
    require_imported(prepared.plan, prepared.listed, allowed=adopt)
    require_gate(prepared.access, allow_widening=allow_widening)
    if any(perimeter.enforcement.account or perimeter.enforcement.organization for perimeter in perimeters):
        from ringwall.deploy.enforcing import require_nobody_shut_out

        require_nobody_shut_out(prepared.plan, registry(), perimeters)
        from ringwall.deploy.organization_guardrail import require_usable

        require_usable(prepared.plan, prepared.management, perimeters)
    if prepared.plan.empty:
        note("nothing to change")
    elif not yes and saved is None and not asks("Apply these changes?"):
        msg = "nothing was changed: confirm with --yes"
        raise GateRefusedError(msg)
    canary = canary or perimeters[0].organization.canary
    if canary is not None and not prepared.plan.empty:
        try_out(prepared, canary)
        prepared = prepare(perimeters, profile=profile)
    applied = prepared.carry_out(run, prepared.plan, len(prepared.plan.todo))
    if as_json:
        write_json(applied_to_json(applied))
    if prepared.plan.empty and applied.complete:
        return 0
    return report(applied)
