"""``ringwall drift``."""

from __future__ import annotations

import click

from ringwall.cli.common import (
    all_connections,
    aws_options,
    declaration_option,
    json_option,
    load_perimeters,
    write_json,
)


@click.command(short_help="Show what changed outside of Ringwall.")
@declaration_option
@json_option
@aws_options
def drift(file: str, as_json: bool, profile: str | None) -> int:
    """Show what changed outside of Ringwall.

    Two lists: what is declared and differs or is missing, and what nobody declared and widens access. Exit code 2 if
    there is any.

    \b
    Example:
      ringwall drift --json
    """
    from ringwall.catalog import load
    from ringwall.cli.deploying import with_manifests
    from ringwall.cli.terminal import show
    from ringwall.controls.members import compile_members
    from ringwall.deploy.drift import find_drift
    from ringwall.deploy.forms import drift_to_json
    from ringwall.deploy.render import drift_lines
    from ringwall.estate.collect import collect_all
    from ringwall.estate.kinds import registry

    perimeters = load_perimeters(file)
    aws, management, others = all_connections(perimeters, profile=profile)
    desired = compile_members(perimeters)
    observed = collect_all((aws, *others), management=management, desired=desired)
    observed, listed = with_manifests((aws, *others), observed, perimeters[0].name)
    found = find_drift(
        desired,
        observed,
        registry(),
        load(),
        perimeter=perimeters[0].name,
        administrators=[arn for perimeter in perimeters for arn in perimeter.administrators],
        listed=listed,
    )
    if as_json:
        write_json(drift_to_json(found))
    else:
        show(drift_lines(found))
    return 0 if found.clean else 2
