"""``ringwall lint``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ringwall.lint import Finding

TYPES = ("identity", "scp", "rcp", "resource", "trust", "vpc-endpoint", "kms-key", "s3-bucket")


@click.command(short_help="Find mistakes in policies, templates and the declaration.")
@click.argument("files", metavar="FILE...", nargs=-1)
@click.option(
    "--type", "policy_type", type=click.Choice(TYPES), help="Type of the policies. Default: by their place."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON array on standard output.")
@click.option(
    "--format", "form", type=click.Choice(("text", "json", "sarif")), default="text", show_default=True
)
@click.option("--rules", "list_rules", is_flag=True, help="List the rules, and read nothing.")
@click.option("--rule", "explained", metavar="SLUG", help="Explain one rule, with a bad and a good example.")
def lint(
    files: tuple[str, ...],
    policy_type: Any,
    as_json: bool,
    form: str,
    list_rules: bool,
    explained: str | None,
) -> int:
    """Find mistakes in policies, templates and the declaration.

    Reads policy documents in JSON, alone or anywhere in CloudFormation (JSON and YAML), Terraform's JSON or Estate files,
    and ringwall.yaml; of a folder, all of these in it; - is standard input.
    Exit code 2 if there is an error or a warning, 1 if a file could not be read, else 0.

    \b
    Example:
      ringwall lint policies/scp-guardrail.json --type scp
      ringwall lint template.yaml ringwall.yaml --format sarif > lint.sarif
      terraform show -json plan | ringwall lint -
    """
    if list_rules or explained is not None:
        return _rules(explained, as_json=as_json or form == "json")
    if not files:
        raise click.UsageError("name a file or a folder, or - for standard input")
    from ringwall.errors import RingwallError

    findings: list[Finding] = []
    unreadable, read = False, 0
    for name in files:
        try:
            for found in _of(name, policy_type):
                read += 1
                findings.extend(found)
        except RingwallError as error:
            unreadable = True
            click.echo(f"ringwall: {error}", err=True)
    _print(findings, "json" if as_json else form, read)
    if unreadable:
        return 1
    return 2 if any(finding.severity in {"error", "warning"} for finding in findings) else 0


def _of(name: str, policy_type: Any) -> Iterator[Sequence[Finding]]:
    """What is found in a file, in each file of a folder, or in standard input."""
    from ringwall.lint import MAX_BYTES, lint_bytes, lint_file
    from ringwall.lint.files import files_within

    if name == "-":
        yield lint_bytes(sys.stdin.buffer.read(MAX_BYTES + 1), file="-", policy_type=policy_type)
    elif Path(name).is_dir():
        for path in files_within(name):
            yield lint_file(path, policy_type=policy_type)
    else:
        yield lint_file(name, policy_type=policy_type)


def _rules(slug: str | None, *, as_json: bool) -> int:
    from ringwall.lint import registry

    chosen = [rule for rule in registry() if slug in (None, rule.slug)]
    if not chosen:
        raise click.UsageError(f"there is no rule {slug}; ringwall lint --rules lists them")
    if as_json:
        _write([{"rule": r.slug, "severity": r.severity, "title": r.title, "page": r.page} for r in chosen])
    elif slug is not None:
        click.echo(f"{chosen[0].slug} ({chosen[0].severity})\n\n{chosen[0].page.strip()}")
    else:
        width = max(len(rule.slug) for rule in chosen)
        for rule in chosen:
            click.echo(f"{rule.slug:{width}}  {rule.severity:7}  {rule.title}")
    return 0


def _print(findings: Sequence[Finding], form: str, files: int) -> None:
    if form == "json":
        _write([finding.to_json() for finding in findings])
    elif form == "sarif":
        from ringwall.lint.sarif import to_sarif

        _write(to_sarif(findings))
    else:
        for finding in findings:
            click.echo(_printable(_in_words(finding)))
        if files:
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
