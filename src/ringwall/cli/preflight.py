"""``ringwall preflight``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ringwall.cli.common import aws_options, chosen_environment, file_option, json_option, write_json

if TYPE_CHECKING:
    from ringwall.client.preflight import Check

MARKS = {"ok": "ok", "failed": "FAILED", "unknown": "unknown"}


@click.command(short_help="Check from here that the declared calls would go through.")
@click.option(
    "--use", "uses", multiple=True, metavar="NAME", help="A declared use; repeatable. Default: all that call."
)
@file_option
@json_option
@aws_options
def preflight(uses: tuple[str, ...], file: str, as_json: bool, profile: str | None) -> int:
    """Check from here that the declared calls would go through.

    As the application's own client would make them: who the calls are made as, over which endpoint and TLS version,
    whether the pinned guardrail version is there with the declared content, and whether each declared model and
    knowledge base may be called. Nothing runs and nothing is paid for. Exit code 2 if something failed or could not
    be told, 0 if everything is well.

    \b
    Example:
      ringwall preflight --use app
    """
    from ringwall.client.preflight import preflight as check

    found = []
    for item in check(file, uses=uses, environment=chosen_environment(), profile=profile):
        found.append(item)
        if not as_json:
            _show(item)
    if as_json:
        write_json({"checks": [_json(item) for item in found], "ok": _well(found)})
    return 0 if _well(found) else 2


def _well(found: list[Check]) -> bool:
    return all(item.status == "ok" for item in found)


def _show(item: Check) -> None:
    where = f"{item.use}: " if item.use else ""
    click.echo(f"{MARKS[item.status]:8}{where}{item.name}: {item.summary}")
    if item.advice:
        click.echo(f"{'':8}{item.advice}")


def _json(item: Check) -> dict[str, Any]:
    return {
        "check": item.name,
        "use": item.use,
        "status": item.status,
        "summary": item.summary,
        "advice": item.advice,
        "facts": item.facts,
    }
