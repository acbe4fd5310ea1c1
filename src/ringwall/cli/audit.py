"""``ringwall audit``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringwall.cli.common import (
    aws_options,
    json_option,
    load_perimeter,
    note,
    workload,
    write_json,
    write_text,
)
from ringwall.errors import AwsCallError

if TYPE_CHECKING:
    from ringwall.audit.run import Audit
    from ringwall.estate.aws import Aws
    from ringwall.perimeter import Perimeter

DEFAULT = "ringwall.yaml"


@click.command(short_help="Judge what is really there, with evidence.")
@click.option(
    "--declaration", "--file", "-f", "file", metavar="FILE",
    help="The declaration to judge by. Default: ringwall.yaml where there is one, else the built-in baseline.",
)  # fmt: skip
@click.option(
    "--management-role", metavar="ARN",
    help="Role of the management account to read SCPs through. Default: the declaration's.",
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
    file: str | None,
    management_role: str | None,
    folder: str | None,
    report: str,
    fail_on: str,
    timeout: float,
    as_json: bool,
    profile: str | None,
) -> int:
    """Judge what is really there, with evidence.

    Reads only. Every verdict names the API responses that it rests on, kept in the evidence bundle; what could not be
    read is UNKNOWN, with the permission it lacks, never a pass. Without a declaration the built-in baseline is judged.
    Exit code 2 if something failed or is unknown.

    \b
    Example:
      ringwall audit --report bedrock.html
    """
    from ringwall.audit.bundle import require_empty, write_bundle
    from ringwall.audit.report import render_html
    from ringwall.audit.run import run_audit
    from ringwall.catalog import load
    from ringwall.cli.auditing import as_document, counts, show_audit

    perimeter = _declaration(file)
    if folder is not None:
        require_empty(Path(folder))
    aws, management = _connections(perimeter, management_role, profile)
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


def _declaration(file: str | None) -> Perimeter | None:
    if file is None and not Path(DEFAULT).exists():
        note(f"there is no {DEFAULT}: judging by the built-in baseline")
        return None
    return load_perimeter(file or DEFAULT)


def _connections(
    perimeter: Perimeter | None, management_role: str | None, profile: str | None
) -> tuple[Aws, Aws | None]:
    """The account, and the management account if its role can be assumed: else its policies stay unknown."""
    from ringwall.estate.connection import connect

    aws = workload(perimeter, profile=profile) if perimeter is not None else connect("", profile=profile)
    role = management_role or (perimeter.organization.management_role if perimeter is not None else None)
    if role is None:
        note(
            "without --management-role service control policies cannot be read: what rests on them is unknown"
        )
        return aws, None
    try:
        return aws, aws.elsewhere(role=role)
    except AwsCallError as error:
        note(f"service control policies cannot be read, what rests on them is unknown: {error}")
        return aws, None


def _stamp(found: Audit) -> str:
    return "".join(character for character in found.taken_at[:19] if character.isalnum())
