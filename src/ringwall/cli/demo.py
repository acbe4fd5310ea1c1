"""``ringwall demo``."""

from __future__ import annotations

import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringwall.cli.terminal import console
from ringwall.errors import RingwallError

if TYPE_CHECKING:
    from ringwall.demo.line import Line

QUICKSTART = Path("examples/quickstart/ringwall.yaml")


@click.command(short_help="Tell the whole story against the sandbox.")
@click.option(
    "--file", "-f", "file", type=click.Path(path_type=Path), default=QUICKSTART, show_default=True, metavar="FILE",
    help="The declaration.",
)  # fmt: skip
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    default=Path("report.html"),
    show_default=True,
    help="The HTML report.",
)
def demo(file: Path, report: Path) -> int:
    """Tell the whole story against the sandbox.

    Declares, proves, deploys, audits, calls, reads what was recorded, tampers and repairs. Every line comes from a live
    response; the exit code is 0 only if every one was observed.

    \b
    Example:
      ringwall demo --report /tmp/report.html
    """
    if not file.exists():
        msg = f"{file} does not exist: run this in a checkout of Ringwall, or name a declaration with --file"
        raise RingwallError(msg)
    missing = [name for name in ("moto", "re2", "trustme") if find_spec(name) is None]
    if missing:
        msg = f"the demo needs the sandbox's packages ({', '.join(missing)}): pip install 'ringwall[sandbox]'"
        raise RingwallError(msg)
    return _tell(file, report)


def _tell(file: Path, report: Path) -> int:
    from ringwall.demo.line import Line
    from ringwall.demo.story import tell
    from ringwall.demo.world import World, environment
    from ringwall.sandbox import Sandbox

    out = console()
    started = time.perf_counter()
    wrong = number = total = 0
    with Sandbox() as sandbox, environment(sandbox.environment()):
        world = World(sandbox, file, report)
        out.print(f"A sandbox runs on 127.0.0.1; the declaration is {file}.", style="dim")
        for item in tell(world):
            if isinstance(item, Line):
                total += 1
                wrong += not item.ok
                _print(item)
            else:
                number += 1
                out.print(f"\n{number}. {item.title}", style="bold")
    seconds = time.perf_counter() - started
    words = "every one was observed" if not wrong else f"{wrong} not observed"
    out.print(
        f"\n{total} lines, {words}, in {seconds:.1f} s.", style="bold green" if not wrong else "bold red"
    )
    return 0 if not wrong else 1


def _print(line: Line) -> None:
    """One observation: a mark, the sentence, and what the response said; wrapped lines stay indented."""
    details = [detail for detail in line.details if detail]
    if not sys.stdout.isatty():
        click.echo(f"  {'ok  ' if line.ok else 'FAIL'} {line.text}")
        for detail in details:
            click.echo(f"      {detail}")
        return
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    out = console()
    row = Table.grid(padding=(0, 1, 0, 0))
    row.add_row(Text("✓" if line.ok else "✗", style="green" if line.ok else "bold red"), Text(line.text))
    out.print(Padding(row, (0, 0, 0, 2)))
    for detail in details:
        out.print(Padding(Text(detail, style="dim"), (0, 0, 0, 6)))
