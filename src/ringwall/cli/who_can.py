"""``ringwall who-can``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ringwall.cli.common import aws_options, file_option, json_option, note, write_json
from ringwall.cli.estates import choose, estate_options

if TYPE_CHECKING:
    from ringwall.access.who_can import Able


@click.command(short_help="List who can make a call, each with a request that shows it.")
@click.argument("operation")
@click.argument("resource", default="*")
@click.option("--where", "conditions", multiple=True, metavar="CONDITION", help="Only requests like this.")
@click.option("--region", metavar="REGION", help="Region that is called; default: the declaration's.")
@click.option(
    "--timeout", type=click.FloatRange(min=0.01), default=10.0, show_default=True, help="Seconds a question."
)
@file_option
@estate_options
@json_option
@aws_options
def who_can(
    operation: str,
    resource: str,
    conditions: tuple[str, ...],
    region: str | None,
    timeout: float,
    file: str,
    estate_file: str | None,
    declared: bool,
    as_json: bool,
    profile: str | None,
) -> int:
    """List who can make a call, each with a request that shows it.

    OPERATION is an action (bedrock:InvokeModel) or an API operation (Converse), RESOURCE what it is about. CONDITION
    is KEY=VALUE, KEY!=VALUE, KEY~GLOB, KEY!~GLOB, "KEY absent" or "KEY present". Over the live account, a saved
    Estate or what the declaration compiles to. Exit code 2 if it cannot be told of somebody, else 0.

    \b
    Example:
      ringwall who-can Converse us.amazon.nova-pro-v1:0 --where "bedrock:GuardrailIdentifier absent"
    """
    from ringwall.access import Access
    from ringwall.access import who_can as asking
    from ringwall.access.where import parse_where
    from ringwall.catalog import load

    catalog = load()
    what = asking.wanted(operation, resource, catalog)
    where = [parse_where(text, catalog) for text in conditions]
    chosen = choose(file, estate_file, declared=declared, profile=profile)
    place = region or (chosen.perimeter.regions.source if chosen.perimeter else "us-east-1")
    access = Access(chosen.estate)
    found: list[Able] = []
    for able in asking.who_can(
        access, chosen.account, what, catalog, where=where, region=place, timeout=timeout
    ):
        found.append(able)
        if not as_json:
            click.echo("\n".join(in_words(able)))
    if as_json:
        write_json([to_json(able) for able in found])
    else:
        note(f"{sum(able.answer.verdict == 'holds' for able in found)} can {what.name} on {resource}")
    return 2 if any(able.answer.verdict == "unknown" for able in found) else 0


def in_words(able: Able) -> list[str]:
    """One principal as lines of plain text."""
    answer = able.answer
    head = able.actor.principal or able.actor.label
    if answer.verdict == "unknown":
        return [f"unknown  {head}: {answer.reason}"]
    lines = [f"can      {head}, {able.route.label}"]
    if able.actor.kind in ("unlisted", "outside"):
        lines.append("           (if its own policies allow it)")
    if able.actor.exempt:
        lines.append("           (a role that Bedrock alone can assume)")
    lines += [f"           {request.action} on {request.resource}" for request in answer.witness]
    shown = answer.witness[0].context if answer.witness else {}
    lines += [
        f"             {key} = {', '.join(values)}"
        for key, values in sorted(shown.items())
        if not key.startswith(("aws:principal", "aws:resourceaccount"))
    ]
    lines += [
        f"           by {one.policy_type} {one.policy}, statement {one.statement}" for one in answer.because
    ]
    return lines


def to_json(able: Able) -> dict[str, Any]:
    """One principal as plain data."""
    from ringwall.iam.codec import request_to_json

    return {
        "principal": able.actor.principal,
        "kind": able.actor.kind,
        "label": able.actor.label,
        "service_role": able.actor.exempt,
        "verdict": "can" if able.answer.verdict == "holds" else "unknown",
        "route": {"label": able.route.label, "endpoint": able.route.endpoint},
        "witness": [request_to_json(request) for request in able.answer.witness] or None,
        "because": [
            {
                "policy_type": one.policy_type,
                "policy": one.policy,
                "statement": one.statement,
                "effect": one.effect,
            }
            for one in able.answer.because
        ],
        "reason": able.answer.reason,
    }
