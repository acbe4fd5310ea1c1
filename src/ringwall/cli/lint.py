"""``ringwall lint``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringwall.lint import Finding

TYPES = ("identity", "scp", "rcp", "resource", "trust", "vpc-endpoint", "kms-key", "s3-bucket")


@click.command(short_help="Find mistakes in policies, templates and the declaration.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--type", "policy_type", type=click.Choice(TYPES), help="Type of the policies. Default: by their place."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON array on standard output.")
@click.option(
    "--format", "form", type=click.Choice(("text", "json", "sarif")), default="text", show_default=True
)
def lint(files: tuple[str, ...], policy_type: Any, as_json: bool, form: str) -> int:
    """Find mistakes in policies, templates and the declaration.

    Reads policy documents in JSON, alone or anywhere in CloudFormation, Terraform or Estate files, and ringwall.yaml.
    Exit code 2 if there is an error or a warning, 1 if a file could not be read, else 0.

    \b
    Example:
      ringwall lint policies/scp-guardrail.json --type scp
      ringwall lint template.json ringwall.yaml --format sarif > lint.sarif
    """
    from ringwall.errors import RingwallError
    from ringwall.lint import lint_file

    findings: list[Finding] = []
    unreadable = False
    for file in files:
        try:
            findings += lint_file(file, policy_type=policy_type)
        except RingwallError as error:
            unreadable = True
            click.echo(f"ringwall: {error}", err=True)
    _print(findings, "json" if as_json else form, len(files))
    if unreadable:
        return 1
    return 2 if any(finding.severity in {"error", "warning"} for finding in findings) else 0


def _print(findings: Sequence[Finding], form: str, files: int) -> None:
    if form == "json":
        _write([finding.to_json() for finding in findings])
    elif form == "sarif":
        from ringwall.lint.sarif import to_sarif

        _write(to_sarif(findings))
    else:
        for finding in findings:
            click.echo(_printable(_in_words(finding)))
        click.echo(_summary(findings, files), err=True)


def _write(value: Any) -> None:
    # Escaped where text is no character (half of a surrogate pair), so that it can be written at all.
    click.echo(_printable(json.dumps(value, indent=2, ensure_ascii=False)))


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _in_words(finding: Finding) -> str:
    line = f"{finding.file}:{finding.line}:{finding.column}: {finding.severity}: {finding.message} [{finding.rule}]"
    return f"{line}\n    {finding.suggestion}" if finding.suggestion else line


def _summary(findings: Sequence[Finding], files: int) -> str:
    checked = "1 file" if files == 1 else f"{files} files"
    if not findings:
        return f"{checked}: nothing found"
    counts = [
        f"{number} {name}{'' if number == 1 or name == 'info' else 's'}"
        for name in ("error", "warning", "info")
        if (number := sum(finding.severity == name for finding in findings))
    ]
    return f"{checked}: {', '.join(counts)}"
