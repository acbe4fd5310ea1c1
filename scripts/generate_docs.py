"""Write the pages that come from the code, or (``--check``) fail if a written page is stale.

docs/controls.md and docs/lint.md from the controls' and the rules' docstrings, docs/cli.md from every command's help, docs/axioms.md from the prover's
axioms, and the declaration's JSON Schema beside the quickstart.
"""

from __future__ import annotations

import argparse
import json
import sys
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


PAGES: dict[str, Callable[[], str]] = {
    "docs/controls.md": controls_page,
    "docs/cli.md": cli_page,
    "docs/axioms.md": axioms_page,
    "docs/lint.md": lint_page,
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
