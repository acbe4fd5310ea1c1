"""``ringwall compare``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import click

from ringwall.cli.common import json_option, load_perimeter, read_text, write_json
from ringwall.cli.estates import bound
from ringwall.cli.jsonlines import documents
from ringwall.errors import RingwallError

if TYPE_CHECKING:
    from ringwall.deploy.access_change import AccessChange, AccessChanges
    from ringwall.estate.model import Estate

SHOWN = 8
"""Most names of one kind on a line; ``--json`` has all."""

POLICY_TYPES = frozenset(
    {"identity", "resource", "scp", "permissions_boundary", "session", "rcp", "vpc_endpoint"}
)
Kind = Literal["policy", "policies", "estate", "declaration"]


@click.command(short_help="Show what a change newly allows and newly denies.")
@click.argument("before", required=False)
@click.argument("after", required=False)
@click.option(
    "--timeout", type=click.FloatRange(min=0.01), default=10.0, show_default=True, help="Seconds a direction."
)
@json_option
def compare(before: str | None, after: str | None, timeout: float, as_json: bool) -> int:
    """Show what a change newly allows and newly denies, each with a request that shows it.

    BEFORE and AFTER are two policy files, two Estate files or two declarations. Without them, or with -, JSON Lines of
    {"id", "before", "after"} are read from standard input. Differences are told by principal and action. Exit code 2 if
    there is one, or if it could not be told, else 0.

    \b
    Example:
      ringwall compare old-policy.json new-policy.json
    """
    if after is None:
        if before not in (None, "-"):
            raise click.UsageError("give BEFORE and AFTER, or neither for JSON Lines on standard input")
        return _lines(read_text("-"), timeout)
    first, second = _read(str(before)), _read(after)
    if _family(first[0]) != _family(second[0]):
        msg = f"{before} is a {first[0]}, {after} a {second[0]}: compare two of a kind"
        raise RingwallError(msg)
    if _family(first[0]) == "policies":
        return _policies((str(before), first[1]), (after, second[1]), timeout, as_json)
    return _estates(_estate(*first), _estate(*second), timeout, as_json)


def _lines(text: str, timeout: float) -> int:
    from ringwall.catalog import load
    from ringwall.proof.answering import compare_document

    vocabulary = load()
    broken = seen = False
    for identifier, document, error in documents(text):
        if error is None:
            answer = compare_document(document, vocabulary, timeout=timeout)
        else:
            answer = {"id": identifier, "error": error}
        broken |= "error" in answer
        seen |= bool(answer.get("newly_allows") or answer.get("newly_denies"))
        click.echo(json.dumps(answer, ensure_ascii=False))
    return 1 if broken else 2 if seen else 0


def _read(path: str) -> tuple[Kind, Any]:
    """What a file holds, and its content (of a declaration, its path)."""
    if path.endswith((".yaml", ".yml")):
        return "declaration", path
    read = list(documents(read_text(path)))
    if len(read) != 1:
        msg = f"{path} holds {len(read) or 'no'} JSON documents: compare two files that hold one each"
        raise RingwallError(msg)
    _, value, error = read[0]
    if error is not None:
        msg = f"{path}: {error}"
        raise RingwallError(msg)
    if "resources" in value and "source" in value:
        return "estate", json.dumps(value)
    if "Statement" in value:
        return "policy", value
    if value.keys() & POLICY_TYPES:
        return "policies", value
    msg = f"{path} is no policy document, no object of policies, no Estate file and no declaration (.yaml)"
    raise RingwallError(msg)


def _family(kind: Kind) -> str:
    return "policies" if kind in ("policy", "policies") else "estates"


def _policies(before: tuple[str, Any], after: tuple[str, Any], timeout: float, as_json: bool) -> int:
    from ringwall.catalog import load
    from ringwall.proof.answering import compare_document

    asked = {"before": before[1], "after": after[1]}
    answer = compare_document(asked, load(), timeout=timeout, grouped=True)
    if "error" in answer:
        raise RingwallError(_named(str(answer["error"]), before[0], after[0]))
    del answer["id"]
    if as_json:
        write_json(answer)
    else:
        for direction in ("newly_allows", "newly_denies"):
            click.echo("\n".join(_direction(direction, answer)))
        for text in answer["groups"]["unknown"]:
            click.echo(f"unknown: {text}")
    return 2 if answer["newly_allows"] or answer["newly_denies"] else 0


def _named(error: str, before: str, after: str) -> str:
    """An error of one side with its file in place of the side, of both with the two files."""
    for side, path in (("before: ", before), ("after: ", after)):
        if error.startswith(side):
            return f"{path}: {error.removeprefix(side)}"
    return f"{before} and {after}: {error}"


def _direction(direction: str, answer: dict[str, Any]) -> list[str]:
    name, found = direction.replace("_", " "), answer[direction]
    if found is None:
        return [f"{name}: nothing, which is proved"]
    if found == "unknown":
        return [f"{name}: unknown; {answer['reason']}"]
    groups = answer["groups"][direction] or [
        {"principal": found["principal"], "action": found["action"], "witness": found}
    ]
    lines = []
    for principal in dict.fromkeys(group["principal"] for group in groups):
        lines.append(f"{name}: {principal}")
        for group in groups:
            if group["principal"] == principal:
                lines += _group(group["action"], group["witness"])
    return lines


def _group(pattern: str, witness: dict[str, Any]) -> list[str]:
    shown = witness["action"] if witness["action"] != pattern else "it"
    return [
        f"    {pattern}",
        f"      such as {shown} on {witness['resource']}",
        *(
            f"        {key} = {value}"
            for key, value in witness["context"].items()
            if not key.startswith("aws:principal") and key not in ("aws:resourceaccount", "aws:userid")
        ),
    ]


def _estate(kind: Kind, content: Any) -> Estate:
    if kind == "declaration":
        from ringwall.controls.compile import compile_estate

        return bound(compile_estate(load_perimeter(content)))
    from ringwall.estate.codec import loads

    return bound(loads(content))


def _estates(before: Estate, after: Estate, timeout: float, as_json: bool) -> int:
    from ringwall.catalog import load
    from ringwall.deploy.effects import access_changes
    from ringwall.deploy.forms import access_to_json

    changes = access_changes(before, after, load(), prove_for=timeout)
    if as_json:
        write_json(access_to_json(changes))
    else:
        for line in in_words(changes):
            click.echo(line)
    return 2 if changes.newly_allows or changes.newly_denies or changes.unknown else 0


def in_words(changes: AccessChanges) -> list[str]:
    """Access changes as lines of plain text, by principal."""
    lines: list[str] = []
    for name, listed in (("newly allows", changes.newly_allows), ("newly denies", changes.newly_denies)):
        if not listed:
            lines.append(f"{name}: nothing")
        for principal in dict.fromkeys(change.principal for change in listed):
            own = [change for change in listed if change.principal == principal]
            lines.append(f"{name}: {own[0].label}")
            for change in own:
                lines += _change(change)
    lines += [f"unknown: {text}" for text in changes.unknown]
    return lines


def _change(change: AccessChange) -> list[str]:
    decided = change.after if change.after.because or change.after.missing else change.before
    reasons = [
        f"{one.effect} by {one.policy_type} {one.policy}, statement {one.statement}"
        for one in decided.because
    ]
    reasons += [f"no Allow in {kind}" for kind in decided.missing]
    lines = [f"    {_some(change.actions)}", f"      on {_some(change.resources)}"]
    if change.routes:
        lines.append(f"      {', '.join(change.routes)}")
    if change.without_guardrail:
        lines.append("      without a guardrail")
    witness = change.witness
    lines.append(f"      such as {witness.action} on {witness.resource}")
    return [*lines, *(f"      {text}" for text in reasons)]


def _some(names: tuple[str, ...]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
