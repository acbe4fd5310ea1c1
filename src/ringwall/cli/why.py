"""``ringwall why``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ringwall.cli.common import aws_options, file_option, json_option, note, read_text, write_json
from ringwall.cli.estates import choose, estate_options
from ringwall.errors import RingwallError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringwall.access.asked import Occurrence
    from ringwall.access.why import Explanation

    Answer = tuple[Occurrence | None, Sequence[Explanation]]


@click.command(short_help="Name the statement that denied a request, and the smallest change.")
@click.option("--event", metavar="FILE|-", help="A CloudTrail event, or a log file of them.")
@click.option("--message", metavar="TEXT|-", help="An AccessDenied message.")
@click.option("--request", "request_file", metavar="FILE|-", help="A request as `ringwall decide` reads it.")
@file_option
@estate_options
@json_option
@aws_options
def why(
    event: str | None,
    message: str | None,
    request_file: str | None,
    file: str,
    estate_file: str | None,
    declared: bool,
    as_json: bool,
    profile: str | None,
) -> int:
    """Name the statement that denied a request, and the smallest change.

    Takes what you have: the CloudTrail event of the call, the text of the error, or a request. Names the policy, the
    statement and the condition that decided, who owns it, and what would allow the call. What the message does not
    tell is not guessed: each possibility that fits it is answered. Without an Estate or an account it says what the
    message alone tells. Exit code 2 if the request is denied, 0 if it would
    be allowed now, 1 if it cannot be told.

    \b
    Example:
      ringwall why --message "User: arn:aws:iam::111122223333:role/App is not authorized to perform: ..."
    """
    if sum(item is not None for item in (event, message, request_file)) != 1:
        raise click.UsageError("give one of --event, --message and --request")
    where = (file, estate_file, declared, profile)
    answers: list[Answer]
    if request_file is not None:
        answers = [(None, _of_request(_document(request_file), *where))]
    else:
        occurrences = _occurrences(event, message)
        answers = list(zip(occurrences, _over_estate(occurrences, *where), strict=True))
    return _shown(answers, as_json=as_json)


def _shown(answers: Sequence[Answer], *, as_json: bool) -> int:
    """Print the answers; of several events, one after the other. Exit code of the worst."""
    from ringwall.access.words import explanation_to_json, in_words, verdict

    outcomes = [verdict(found, denied=_denied(occurrence)) for occurrence, found in answers]
    told = [
        explanation_to_json(found, outcome, occurrence)
        for (occurrence, found), outcome in zip(answers, outcomes, strict=True)
    ]
    if as_json:
        write_json(told[0] if len(told) == 1 else {"events": told})
    else:
        for number, ((occurrence, found), outcome) in enumerate(zip(answers, outcomes, strict=True), 1):
            if occurrence is not None and len(answers) > 1:
                click.echo(f"event {number}: {occurrence.operation} at {occurrence.time}")
            for line in in_words(found, outcome, occurrence):
                click.echo(line)
    codes = {"denied": 2, "allowed": 0, "unknown": 1}
    return next((codes[name] for name in ("unknown", "denied") if name in outcomes), 0)


def _denied(occurrence: Occurrence | None) -> bool:
    return occurrence is not None and (occurrence.denied or occurrence.denial is not None)


def _document(source: str) -> dict[str, Any]:
    value = _json(source)
    if not isinstance(value, dict):
        msg = f"{'standard input' if source == '-' else source} is not a JSON object"
        raise RingwallError(msg)
    return value


def _json(source: str) -> Any:
    try:
        return json.loads(read_text(source))
    except (ValueError, RecursionError) as error:
        msg = f"{'standard input' if source == '-' else source} is not one JSON document: {error}"
        raise RingwallError(msg) from None


def _occurrences(event: str | None, message: str | None) -> tuple[Occurrence, ...]:
    from ringwall.access.asked import of_denial
    from ringwall.access.denial import parse_denial
    from ringwall.access.event import occurrences_of

    if event is not None:
        return occurrences_of(_json(event))
    text = read_text("-") if message == "-" else str(message)
    denial = parse_denial(text)
    if denial.encoded:
        note("`aws sts decode-authorization-message` tells what is encoded: give what it writes with --event")
    return (of_denial(denial),)


def _over_estate(
    occurrences: Sequence[Occurrence], file: str, estate_file: str | None, declared: bool, profile: str | None
) -> list[tuple[Explanation, ...]]:
    """Explain each; where there is no Estate and the account cannot be read, what the messages alone tell is left."""
    from ringwall.access import Access
    from ringwall.access.why import explain_occurrence, unexplained
    from ringwall.catalog import load

    try:
        chosen = choose(file, estate_file, declared=declared, profile=profile)
    except RingwallError as error:
        if estate_file or declared or profile or not any(item.denial for item in occurrences):
            raise
        reason = f"there is no --estate, and the live account cannot be asked ({error})"
        return [tuple(unexplained(asked, reason) for asked in one.authorizations) for one in occurrences]
    access = Access(chosen.estate)
    try:
        return [
            explain_occurrence(one, access, load(), administrators=chosen.administrators)
            for one in occurrences
        ]
    except ValueError as error:
        raise RingwallError(str(error)) from None


def _of_request(
    document: dict[str, Any], file: str, estate_file: str | None, declared: bool, profile: str | None
) -> Sequence[Explanation]:
    """A decide document is complete in itself; one without policies is asked of the Estate."""
    from ringwall.access.scenario import explain_document
    from ringwall.catalog import load

    access = None
    administrators: tuple[str, ...] = ()
    if "policies" not in document:
        from ringwall.access import Access

        chosen = choose(file, estate_file, declared=declared, profile=profile)
        access, administrators = Access(chosen.estate), chosen.administrators
    try:
        return explain_document(document, load(), access=access, administrators=administrators)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        msg = f"the request cannot be read: {error}"
        raise RingwallError(msg) from None
