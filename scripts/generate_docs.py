"""Write the pages that come from the code, or (``--check``) fail if a written page is stale.

docs/controls.md and docs/lint.md from the controls' and the rules' docstrings, docs/cli.md from every command's help, docs/axioms.md from the prover's
axioms, docs/export-findings.md from its list, and the declaration's JSON Schema beside the quickstart.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[1]


def controls_page() -> str:
    """Every control's docstring under its slug."""
    from ringwall.controls import registry

    parts = ["# Controls\n\nWritten by `make docs` from the modules of `src/ringwall/controls`.\n"]
    for control in sorted(registry(), key=lambda item: item.slug):
        head = f"## `{control.slug}`\n\n{control.category} · severity {control.severity}\n"
        parts.append(f"{head}\n{control.page.strip()}\n")
    return "\n".join(parts)


def cli_page() -> str:
    """Every command's help, as the terminal shows it."""
    from ringwall.cli import COMMANDS, cli

    root = click.Context(cli, info_name="ringwall", max_content_width=100, terminal_width=100)
    parts = ["# Commands\n\nWritten by `make docs` from `--help`.\n", f"```\n{cli.get_help(root)}\n```\n"]
    for name in COMMANDS:
        command = cli.get_command(root, name)
        if command is None:
            continue
        context = click.Context(
            command, info_name=name, parent=root, max_content_width=100, terminal_width=100
        )
        parts.append(f"## ringwall {name}\n\n```\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


def axioms_page() -> str:
    """The facts about requests that proofs may use."""
    from ringwall.proof.axioms import AXIOMS

    rows = [f"| `{axiom.name}` | {axiom.sentence} | {axiom.source} |" for axiom in AXIOMS.values()]
    head = (
        "# Axioms\n\nFacts about requests that a proof may use; it lists those it used. Switch one off with\n"
    )
    table = "`ringwall prove --without NAME`. Written by `make docs`.\n\n| name | fact | source |\n|---|---|---|\n"
    return head + table + "\n".join(rows) + "\n"


def lint_page() -> str:
    """Every rule of the linter under its slug."""
    from ringwall.lint import registry

    rows = [f"| [`{rule.slug}`](#{rule.slug}) | {rule.severity} | {rule.title} |" for rule in registry()]
    parts = [
        "# Rules of the linter\n\nWhat `ringwall lint` finds; each bad and good example is a test of its rule. Written by `make docs`.\n",
        "| rule | severity | |\n|---|---|---|\n" + "\n".join(rows) + "\n",
    ]
    for rule in registry():
        page = rule.page.strip().replace("\n## ", "\n### ")
        parts.append(f"## `{rule.slug}`\n\nseverity {rule.severity}\n\n{page}\n")
    return "\n".join(parts)


def schema_file() -> str:
    """The declaration's schema."""
    from ringwall.perimeter.schema import declaration_schema

    return json.dumps(declaration_schema(), indent=2) + "\n"


def export_findings_page() -> str:
    """What the tools of others report on the exports and may go on reporting."""
    rows = tomllib.loads((ROOT / "scripts" / "export_findings.toml").read_text(encoding="utf-8"))["finding"]
    parts = [EXPORT_FINDINGS]
    for tool in dict.fromkeys(row["tool"] for row in rows):
        parts.append(f"## {tool}\n\n| finding | on | what it asks for | why it stays |\n|---|---|---|---|\n")
        for row in rows:
            if row["tool"] == tool:
                where = ", ".join(f"`{pattern}`" for pattern in row["where"])
                parts.append(f"| `{row['check']}` | {where} | {row['asks']} | {row['why']} |\n")
        parts.append("\n")
    return "".join(parts).rstrip() + "\n"


EXPORT_FINDINGS = """\
# Findings on the exports that stay, and why

`make exports` installs cfn-lint, parliament and checkov and runs them, and `terraform validate`, on the exports of both
examples; it says which were not there. cfn-lint and `terraform validate` report nothing. What the other two report is listed
here, resource by resource: anything else fails the check, and so does a line that nothing is found for any more. A test of the
suite does the same with the tools that it finds installed. Written by `make docs` from `scripts/export_findings.toml`.

parliament's data are of an earlier AWS. `ringwall lint` checks the same policies against the current Service Authorization
Reference.

"""


PAGES: dict[str, Callable[[], str]] = {
    "docs/controls.md": controls_page,
    "docs/cli.md": cli_page,
    "docs/axioms.md": axioms_page,
    "docs/lint.md": lint_page,
    "docs/export-findings.md": export_findings_page,
    "examples/quickstart/ringwall.schema.json": schema_file,
}


def main() -> int:
    """Write or check every page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--check", action="store_true", help="change nothing; fail if a page is stale")
    check = parser.parse_args().check
    stale = []
    for name, build in PAGES.items():
        path, text = ROOT / name, build()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not check:
                path.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"{name}: {'stale, run `make docs`' if check else 'written'}", file=sys.stderr)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
