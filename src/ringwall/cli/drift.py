"""``ringwall drift``."""

from __future__ import annotations

import click

from ringwall.cli.common import aws_options, connections, file_option, json_option, load_perimeter, write_json


@click.command(short_help="Show what changed outside of Ringwall.")
@file_option
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
    from ringwall.cli.terminal import show
    from ringwall.controls.compile import compile_estate
    from ringwall.deploy.drift import find_drift
    from ringwall.deploy.forms import drift_to_json
    from ringwall.deploy.manifest import read_manifest
    from ringwall.deploy.render import drift_lines
    from ringwall.estate.collect import collect
    from ringwall.estate.kinds import registry

    perimeter = load_perimeter(file)
    aws, management = connections(perimeter, profile=profile)
    desired = compile_estate(perimeter)
    observed = collect(aws, management=management, desired=desired)
    found = find_drift(
        desired,
        observed,
        registry(),
        load(),
        perimeter=perimeter.name,
        administrators=perimeter.administrators,
        listed=read_manifest(aws, observed, perimeter.name),
    )
    if as_json:
        write_json(drift_to_json(found))
    else:
        show(drift_lines(found))
    return 0 if found.clean else 2
