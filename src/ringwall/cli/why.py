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


@click.command(short_help="Name the statement that denied a request, and the smallest change.")
@click.option("--event", metavar="FILE|-", help="A CloudTrail event.")
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
    tell is not guessed: each possibility that fits it is answered. Exit code 2 if the request is denied, 0 if it would
    be allowed now, 1 if it cannot be told.

    \b
    Example:
      ringwall why --message "User: arn:aws:iam::111122223333:role/App is not authorized to perform: ..."
    """
    from ringwall.access.words import explanation_to_json, in_words, verdict

    if sum(item is not None for item in (event, message, request_file)) != 1:
        raise click.UsageError("give one of --event, --message and --request")
    occurrence: Occurrence | None = None
    if request_file is not None:
        found = _of_request(_document(request_file), file, estate_file, declared, profile)
    else:
        occurrence = _occurrence(event, message)
        found = _over_estate(occurrence, file, estate_file, declared, profile)
    outcome = verdict(
        found, denied=occurrence is not None and (occurrence.denied or occurrence.denial is not None)
    )
    if as_json:
        write_json(explanation_to_json(found, outcome, occurrence))
    else:
        for line in in_words(found, outcome, occurrence):
            click.echo(line)
    return {"denied": 2, "allowed": 0, "unknown": 1}[outcome]


def _document(source: str) -> dict[str, Any]:
    try:
        value = json.loads(read_text(source))
    except (ValueError, RecursionError) as error:
        msg = f"{'standard input' if source == '-' else source} is not one JSON document: {error}"
        raise RingwallError(msg) from None
    if not isinstance(value, dict):
        msg = f"{'standard input' if source == '-' else source} is not a JSON object"
        raise RingwallError(msg)
    return value


def _occurrence(event: str | None, message: str | None) -> Occurrence:
    from ringwall.access.asked import of_denial
    from ringwall.access.denial import parse_denial
    from ringwall.access.event import occurrence_of

    if event is not None:
        return occurrence_of(_document(event))
    text = read_text("-") if message == "-" else str(message)
    denial = parse_denial(text)
    if denial.encoded:
        note("`aws sts decode-authorization-message` shows what the encoded part of the message holds")
    return of_denial(denial)


def _over_estate(
    occurrence: Occurrence, file: str, estate_file: str | None, declared: bool, profile: str | None
) -> Sequence[Explanation]:
    from ringwall.access import Access
    from ringwall.access.why import explain_occurrence
    from ringwall.catalog import load

    chosen = choose(file, estate_file, declared=declared, profile=profile)
    try:
        return explain_occurrence(
            occurrence, Access(chosen.estate), load(), administrators=chosen.administrators
        )
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
