"""``ringwall compile``."""

from __future__ import annotations

import click

from ringwall.cli.common import declaration_option, load_perimeters, note, write_text


@click.command("compile", short_help="Compile the declaration to the desired Estate.")
@declaration_option
@click.option("--out", "-o", default="-", metavar="FILE", help="Where to write it. Default: standard output.")
def compile_(file: str, out: str) -> None:
    """Compile the declaration to the desired Estate.

    The Estate file holds every AWS resource with its policies; what does not exist yet is a reference.

    \b
    Example:
      ringwall compile --out desired.json
    """
    from ringwall.controls.members import compile_members
    from ringwall.estate.codec import dumps

    estate = compile_members(load_perimeters(file))
    write_text(out, dumps(estate))
    if out != "-":
        note(f"wrote {out}: {len(estate.resources)} resources")
