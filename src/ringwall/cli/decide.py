"""``ringwall decide``."""

from __future__ import annotations

import json
from typing import Any

import click

from ringwall.cli.common import read_text
from ringwall.cli.jsonlines import documents


@click.command(short_help="Decide requests against policies as AWS would.")
@click.argument("source", metavar="[FILE|-]", default="-")
@click.option("--json", "as_json", is_flag=True, help="JSON Lines on standard output.")
@click.option("--trace", is_flag=True, help="Show, statement by statement, what matched.")
def decide(source: str, as_json: bool, trace: bool) -> int:
    """Decide requests against policies as AWS would.

    Reads JSON Lines (or one JSON document) of {"id", "request", "policies"} and answers in the same order: allow,
    explicit_deny or implicit_deny, with the deciding statements. Exit code 1 if a line could not be read, 2 if a
    request was denied, else 0.

    \b
    Example:
      ringwall decide questions.jsonl --json
    """
    from ringwall.access.deciding import Decider
    from ringwall.catalog import load

    decider = Decider(load(), trace=trace)
    broken = denied = False
    for identifier, document, error in documents(read_text(source)):
        answer = decider.answer(document) if error is None else {"id": identifier, "error": error}
        broken |= "error" in answer
        denied |= answer.get("decision", "allow") != "allow"
        click.echo(json.dumps(answer, ensure_ascii=False) if as_json else _in_words(answer))
    return 1 if broken else 2 if denied else 0


def _in_words(answer: dict[str, Any]) -> str:
    name = answer.get("id") if answer.get("id") is not None else "-"
    if "error" in answer:
        return f"{name}: could not be read: {answer['error']}"
    reasons = [
        f"{item['effect']} by {item['policy_type']} {item['policy']}, statement {item['statement']}"
        for item in answer.get("because", ())
    ]
    missing = [f"no Allow in {item}" for item in answer.get("missing", ())]
    needed = [
        f"{part['decision']}: {part['action']} on {part['resource']}"
        for part in answer.get("authorizations", ())
    ]
    notes = [f"note: {text}" for text in answer.get("notes", ())]
    lines = [f"{name}: {answer['decision']}"]
    lines += [f"    {text}" for text in (*reasons, *missing, *needed, *notes)]
    lines += [f"    {text}" for text in answer.get("trace", ())]
    return "\n".join(lines)
