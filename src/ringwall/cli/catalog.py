"""``ringwall catalog``."""

from __future__ import annotations

from typing import Any

import click

from ringwall.cli.common import json_option, write_json


@click.command(short_help="Look up an action, operation, model, profile or condition key.")
@click.argument("query", required=False)
@click.option("--region", default="us-east-1", show_default=True, help="Where a profile is called.")
@json_option
def catalog(query: str | None, region: str, as_json: bool) -> int:
    """Look up an action, operation, model, profile or condition key.

    QUERY is any of bedrock:InvokeModel, bedrock:*Guardrail*, Converse, amazon.nova-pro-v1:0,
    us.amazon.nova-pro-v1:0, bedrock:GuardrailIdentifier, guardrail-profile, an ARN, or a service prefix; a part of a
    name finds what has it.
    Without QUERY: what the catalog knows and where it is from. Exit code 1 if nothing is known by that name.

    \b
    Example:
      ringwall catalog Converse
    """
    from ringwall.catalog.lookup import look_up, summary
    from ringwall.errors import RingwallError

    if query is None:
        known = summary()
        write_json(known) if as_json else click.echo(
            "\n".join(f"{key}: {value}" for key, value in known.items())
        )
        return 0
    found, near = look_up(query, region=region)
    if not found:
        hint = f": did you mean {', '.join(near)}?" if near else ""
        msg = f"the catalog knows nothing by the name of {query}{hint}"
        raise RingwallError(msg)
    if as_json:
        write_json(found)
    else:
        for entry in found:
            click.echo("\n".join(_in_words(entry)))
    return 0


def _in_words(entry: dict[str, Any]) -> list[str]:
    lines = [f"{entry['kind']} {entry['name']}"]
    for key, value in entry.items():
        if key in ("kind", "name") or value in (None, [], {}):
            continue
        label = key.replace("_", " ")
        if isinstance(value, list) and value and (len(value) > 3 or isinstance(value[0], dict)):
            lines.append(f"    {label}:")
            lines += [f"        {_one(item)}" for item in value]
        else:
            lines.append(
                f"    {label}: {', '.join(map(_one, value)) if isinstance(value, list) else _one(value)}"
            )
    return lines


def _one(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(
            f"{key} {_one(item)}" if key != "name" else _one(item) for key, item in value.items()
        )
    if isinstance(value, list):
        return " or ".join(map(_one, value))
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
