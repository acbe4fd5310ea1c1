"""``ringwall prove``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ringwall.cli.common import (
    aws_options,
    connections,
    file_option,
    json_option,
    load_perimeter,
    note,
    read_estate,
    read_text,
    write_json,
)
from ringwall.cli.jsonlines import documents

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.controls.proving import Proved
    from ringwall.estate.model import Estate
    from ringwall.perimeter import Perimeter
    from ringwall.proof.question import Answer, Question


@click.command(short_help="Prove the declaration's claims, or show the request that gets through.")
@click.argument("source", metavar="[FILE|-]", required=False)
@file_option
@click.option("--live", is_flag=True, help="Over what is really in the account.")
@click.option("--estate", "estate_file", metavar="FILE", help="Over a saved Estate.")
@click.option(
    "--timeout", type=click.FloatRange(min=0.01), default=10.0, show_default=True, help="Seconds a question."
)
@click.option("--axioms", is_flag=True, help="List the facts about requests that proofs may use.")
@click.option(
    "--without", "disabled", multiple=True, metavar="AXIOM", help="Do not take this fact for granted."
)
@json_option
@aws_options
def prove(
    source: str | None,
    file: str,
    live: bool,
    estate_file: str | None,
    timeout: float,
    axioms: bool,
    disabled: tuple[str, ...],
    as_json: bool,
    profile: str | None,
) -> int:
    """Prove the declaration's claims, or show the request that gets through.

    Without FILE (or with a .yaml) it proves the claims of the declaration on what it compiles to, with --live on what
    is in the account. With a FILE of JSON Lines, or - for standard input, it answers the questions in it. Exit code 2
    if a claim is violated or could not be decided.

    \b
    Example:
      ringwall prove --live
    """
    if axioms:
        return _list_axioms(as_json)
    if source is not None and not source.endswith((".yaml", ".yml")):
        return _questions(source, timeout, _known(disabled))
    perimeter = load_perimeter(source or file)
    estate, attributes = _estate(perimeter, live, estate_file, profile)
    from ringwall.catalog import load
    from ringwall.controls.proving import prove_declared

    proved = []
    for item in prove_declared(
        perimeter,
        estate,
        attributes,
        load(),
        timeout=timeout,
        disabled_axioms=_known(disabled),
        teach=True,
    ):
        proved.append(item)
        if not as_json:
            click.echo("\n".join(in_words(item)))
    if as_json:
        write_json([item.to_json() for item in proved])
    else:
        held = sum(item.holds for item in proved)
        note(f"{held} of {len(proved)} claims hold, {sum(item.answer.asked for item in proved)} questions")
    return 0 if all(item.holds for item in proved) else 2


def _estate(
    perimeter: Perimeter, live: bool, estate_file: str | None, profile: str | None
) -> tuple[Estate, Mapping[str, Mapping[str, str]]]:
    """The Estate to prove over, without references, and what references to declared things resolve to in it."""
    from ringwall.controls.compile import compile_estate
    from ringwall.estate.references import bind, placeholders

    desired = compile_estate(perimeter)
    if not live and not estate_file:
        attributes = placeholders(desired)
        return bind(desired, attributes), attributes
    from ringwall.estate.located import located

    if estate_file:
        saved = read_estate(estate_file)
        if saved.source == "desired":
            attributes = {**placeholders(desired), **placeholders(saved)}
            return bind(saved, attributes), attributes
        observed = saved
    else:
        from ringwall.estate.collect import collect

        aws, management = connections(perimeter, profile=profile)
        observed = collect(aws, management=management, desired=desired)
    return observed, located(desired, observed)


def _questions(source: str, timeout: float, disabled: frozenset[str]) -> int:
    from ringwall.access.teaching import lesson
    from ringwall.catalog import load
    from ringwall.proof.answering import answer_document

    vocabulary = load()

    def further(question: Question, answer: Answer, seconds: float) -> dict[str, Any]:
        return lesson(question, answer, vocabulary, timeout=seconds).to_json()

    broken = seen = False
    for identifier, document, error in documents(read_text(source)):
        if error is None:
            answer = answer_document(
                document, vocabulary, timeout=timeout, disabled_axioms=disabled, further=further
            )
        else:
            answer = {"id": identifier, "error": error}
        broken |= "error" in answer
        seen |= answer.get("verdict") != "holds"
        click.echo(json.dumps(answer, ensure_ascii=False))
    return 1 if broken else 2 if seen else 0


def _list_axioms(as_json: bool) -> int:
    from ringwall.proof.axioms import AXIOMS

    rows = [{"name": axiom.name, "fact": axiom.sentence, "source": axiom.source} for axiom in AXIOMS.values()]
    if as_json:
        write_json(rows)
    else:
        click.echo("\n".join(f"{row['name']}\n    {row['fact']}\n    {row['source']}" for row in rows))
    return 0


MARKS = {"holds": "proved", "violated": "VIOLATED", "unknown": "unknown"}


_WITHOUT = {
    "holds": "and holds without, too",
    "violated": "without which it would not hold",
    "unknown": "without which it is not decided",
}
SHOWN = 5
"""Most principals that a violation names; ``--json`` has all."""


def in_words(item: Proved) -> list[str]:
    """A verdict as lines of plain text."""
    answer = item.answer
    lines = [f"{MARKS[answer.verdict]:9} {item.declared.title}"]
    if answer.verdict == "holds" and answer.claim.kind == "never":
        rests = sorted({f"{r.policy_type} {r.policy}/{r.statement}" for r in answer.answer.because})
        lines += [f"          rests on {text}" for text in rests]
        if answer.answer.vacuous:
            lines.append("          holds vacuously: AWS cannot send such a request")
    if answer.verdict == "violated":
        lines += [f"          {line}" for line in _violated(item)]
    if answer.verdict == "holds" and answer.answer.axioms:
        without = f" ({_WITHOUT[item.without_axioms]})" if item.without_axioms is not None else ""
        lines.append(f"          takes for granted {', '.join(answer.answer.axioms)}{without}")
    if answer.answer.reason:
        lines.append(f"          {answer.answer.reason}")
    for exposure in answer.exempt:
        lines.append(f"          exempt: {exposure.actor.label}, which Bedrock alone can assume")
    return lines


def _violated(item: Proved) -> Iterator[str]:
    exposures = item.answer.exposures
    for exposure in exposures[:1]:
        yield f"by {exposure.actor.label}{f', {exposure.route.label}' if exposure.route else ''}"
    if item.lesson.passages:
        yield from (f"  {line}" for line in item.lesson.in_words())
    others = [exposure.actor.label for exposure in exposures[1:]]
    if others:
        more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
        yield f"also by {', '.join(others[:SHOWN])}{more}"


def _known(disabled: tuple[str, ...]) -> frozenset[str]:
    from ringwall.errors import RingwallError
    from ringwall.proof.axioms import AXIOMS

    unknown = [name for name in disabled if name not in AXIOMS]
    if unknown:
        message = f"There is no axiom {unknown[0]!r}"
        raise RingwallError(message, details=("ringwall prove --axioms lists them",))
    return frozenset(disabled)
