"""``ringwall destroy``."""

from __future__ import annotations

import click

from ringwall.cli.common import aws_options, declaration_option, json_option, load_perimeters, write_json
from ringwall.errors import GateRefusedError


@click.command(short_help="Remove what Ringwall made; logs and their keys stay.")
@declaration_option
@click.option(
    "--purge", is_flag=True, help="Remove data and keys too: what was logged cannot be read afterwards."
)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
@aws_options
def destroy(file: str, purge: bool, yes: bool, as_json: bool, profile: str | None) -> int:
    """Remove what Ringwall made; logs and their keys stay.

    Service control policies go first, so that the deployer is not locked out half-way. What stays is listed, with the
    command that would remove it.

    \b
    Example:
      ringwall destroy
    """
    from ringwall.cli.deploying import prepare, report
    from ringwall.cli.terminal import asks, show
    from ringwall.deploy.contents import contents
    from ringwall.deploy.destroy import destroy as run
    from ringwall.deploy.destroy import plan_destroy
    from ringwall.deploy.forms import applied_to_json
    from ringwall.deploy.render import destruction_lines
    from ringwall.estate.kinds import registry

    perimeters = load_perimeters(file)
    prepared = prepare(perimeters, profile=profile)
    destruction = plan_destroy(prepared.plan, registry(), holds_data=contents(prepared.doors), purge=purge)
    if not as_json:
        show(destruction_lines(destruction))
    if not destruction.removals:
        return 0
    if not yes and not asks(f"Remove {len(destruction.removals)} resources of {perimeters[0].name}?"):
        msg = "nothing was removed: confirm with --yes"
        raise GateRefusedError(msg)
    applied = prepared.carry_out(run, destruction, len(destruction.removals))
    if as_json:
        write_json(applied_to_json(applied))
    return report(applied)
