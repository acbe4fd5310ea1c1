"""``ringwall schema``."""

from __future__ import annotations

import click

from ringwall.cli.common import write_json
from ringwall.cli.schemas import NAMES, schema_of


@click.command(short_help="Print the JSON Schema of a file or of a command's output.")
@click.argument("name", type=click.Choice(NAMES), default="declaration", metavar="[NAME]")
def schema(name: str) -> None:
    """Print the JSON Schema of a file or of a command's output.

    NAME is one of declaration (the default, for editors), estate, plan, drift, apply, audit, decide, prove,
    compare, why, lint, preflight.

    \b
    Example:
      ringwall schema > ringwall.schema.json
    """
    write_json(schema_of(name))
