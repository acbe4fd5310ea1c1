"""``ringwall decide``."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Mapping
from typing import Any

import click

from ringwall.cli.common import read_text
from ringwall.cli.jsonlines import documents
from ringwall.iam.text import is_text, shown

_FIELDS = ("request", "policies")


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
    for identifier, document, unreadable in documents(read_text(source, by_line=True)):
        error = unreadable or _misspelt(document)
        answer = decider.answer(document) if error is None else {"id": identifier, "error": error}
        broken |= "error" in answer
        denied |= answer.get("decision", "allow") != "allow"
        # ASCII: an id may hold what the output's encoding, or any, cannot express.
        sys.stdout.write((json.dumps(answer) if as_json else _in_words(answer)) + "\n")
    sys.stdout.flush()
    return 1 if broken else 2 if denied else 0


def _misspelt(document: Mapping[str, Any]) -> str | None:
    """What is wrong with a field that seems to be meant for one that is absent; other fields are the caller's own."""
    for name in document:
        for meant in difflib.get_close_matches(name[:64], _FIELDS, n=1, cutoff=0.7):
            if meant not in document:
                return f"no field {shown(name)} is known; did you mean {meant}?"
    return None


def _in_words(answer: dict[str, Any]) -> str:
    name = _name(answer.get("id"))
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


def _name(identifier: Any) -> str:
    if identifier is None:
        return "-"
    if isinstance(identifier, str) and is_text(identifier):
        return identifier
    return json.dumps(identifier)
