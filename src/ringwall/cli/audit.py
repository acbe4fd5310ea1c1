"""``ringwall audit``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringwall.cli.common import (
    aws_options,
    connections,
    json_option,
    load_perimeter,
    note,
    write_json,
    write_text,
)

if TYPE_CHECKING:
    from ringwall.audit.run import Audit


@click.command(short_help="Judge what is really there, with evidence.")
@click.option(
    "--declaration", "--file", "-f", "file", default="ringwall.yaml", show_default=True, metavar="FILE",
    help="The declaration to judge by.",
)  # fmt: skip
@click.option(
    "--out", "-o", "folder", metavar="DIR", help="Where the evidence goes. Default: ringwall-audit-TIME."
)
@click.option("--report", metavar="FILE", default="report.html", show_default=True, help="The HTML report.")
@click.option(
    "--fail-on", type=click.Choice(["low", "medium", "high", "critical"]), default="low", show_default=True,
    help="Least severity of a failure that makes the exit code 2.",
)  # fmt: skip
@click.option(
    "--timeout", type=click.FloatRange(min=0.01), default=10.0, show_default=True, help="Seconds a proof."
)
@json_option
@aws_options
def audit(
    file: str,
    folder: str | None,
    report: str,
    fail_on: str,
    timeout: float,
    as_json: bool,
    profile: str | None,
) -> int:
    """Judge what is really there, with evidence.

    Reads only. Every verdict names the API responses that it rests on, kept in the evidence bundle; what could not be
    read is UNKNOWN, with the permission it lacks, never a pass. Exit code 2 if something failed or is unknown.

    \b
    Example:
      ringwall audit --report bedrock.html
    """
    from ringwall.audit.bundle import write_bundle
    from ringwall.audit.report import render_html
    from ringwall.audit.run import run_audit
    from ringwall.catalog import load
    from ringwall.cli.auditing import as_document, counts, show_audit

    perimeter = load_perimeter(file)
    aws, management = connections(perimeter, profile=profile)
    found = run_audit(aws, management, perimeter, load(), timeout=timeout, progress=note)
    place = Path(folder or f"ringwall-audit-{_stamp(found)}")
    write_bundle(found, place)
    write_text(report, render_html(found))
    if as_json:
        write_json(as_document(found, str(place)))
    else:
        show_audit(found)
    note(f"wrote {report} and the evidence in {place}")
    return 2 if counts(found, fail_on) else 0


def _stamp(found: Audit) -> str:
    return "".join(character for character in found.taken_at[:19] if character.isalnum())
