"""``ringwall init``."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import click

from ringwall.cli.common import file_option, note, write_text
from ringwall.errors import GateRefusedError


@click.command(short_help="Write a commented ringwall.yaml to start from.")
@file_option
@click.option("--yes", is_flag=True, help="Replace a file that exists.")
def init(file: str, yes: bool) -> None:
    """Write a commented ringwall.yaml to start from.

    The file is valid as it stands; replace account, organization, network and administrators by yours.

    \b
    Example:
      ringwall init --file bedrock/ringwall.yaml
    """
    if Path(file).exists() and not yes:
        msg = f"{file} exists already: pass --yes to replace it"
        raise GateRefusedError(msg)
    template = files("ringwall.perimeter").joinpath("template.yaml").read_text(encoding="utf-8")
    write_text(file, template)
    note(f"wrote {file}: fill in your account, then run `ringwall prove`")
