"""``ringwall snapshot``."""

from __future__ import annotations

import click

from ringwall.cli.common import (
    all_connections,
    aws_options,
    declaration_option,
    load_perimeters,
    note,
    write_text,
)


@click.command(short_help="Save the observed Estate to a file.")
@declaration_option
@click.option("--out", "-o", default="-", metavar="FILE", help="Where to write it. Default: standard output.")
@aws_options
def snapshot(file: str, out: str, profile: str | None) -> int:
    """Save the observed Estate to a file.

    What could not be read stands in it as unknown, with the permission that was lacking; the exit code is then 2.

    \b
    Example:
      ringwall snapshot --out before.json
    """
    from ringwall.controls.members import compile_members
    from ringwall.estate.codec import dumps
    from ringwall.estate.collect import collect_all

    perimeters = load_perimeters(file)
    aws, management, others = all_connections(perimeters, profile=profile)
    estate = collect_all((aws, *others), management=management, desired=compile_members(perimeters))
    write_text(out, dumps(estate))
    gaps = [f"{resource.type}: {item.reason}" for resource in estate for item in resource.unknown]
    for gap in gaps:
        note(f"unknown: {gap}")
    note(f"{len(estate.resources)} resources" + (f", {len(gaps)} unknown" if gaps else ""))
    return 2 if gaps else 0
