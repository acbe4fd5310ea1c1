"""``ringwall audit`` and its parts: run (the one meant without a name), verify, diff; for many accounts see ``sharding``."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringwall.cli import sharding
from ringwall.cli.common import (
    assumed,
    aws_options,
    caller,
    entered,
    json_option,
    load_perimeter,
    note,
    read_bytes,
    read_estate,
    write_json,
    write_text,
)
from ringwall.cli.terminal import Steps, show
from ringwall.errors import AwsCallError, RingwallError

if TYPE_CHECKING:
    from ringwall.audit.run import Reading
    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Estate
    from ringwall.perimeter import Perimeter

DEFAULT = "ringwall.yaml"
FORMATS = ("ocsf", "sarif", "junit", "csv", "asff", "oscal", "html")


class _RunByDefault(click.Group):
    """``ringwall audit`` alone, or with options, is ``ringwall audit run``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``run`` in front of whatever does not begin with a part's name."""
        named = bool(args) and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if named else ["run", *args])


@click.group(cls=_RunByDefault, short_help="Judge what is really there, with evidence.")
def audit() -> None:
    """Judge what is really there, with evidence. Without a part's name: run.

    \b
    Example:
      ringwall audit --report bedrock.html
      ringwall audit verify ringwall-audit-20261127T120000
    """


@audit.command(short_help="Audit the account (what `ringwall audit` alone does).")
@click.option(
    "--declaration", "--file", "-f", "file", metavar="FILE",
    help="The declaration to judge by. Default: ringwall.yaml where there is one, else the built-in baseline.",
)  # fmt: skip
@click.option(
    "--management-role", metavar="ARN",
    help="Role of the management account to read SCPs through. Default: the declaration's.",
)  # fmt: skip
@click.option(
    "--regions", metavar="LIST", default="",
    help="Regions to look into, separated by commas, or `all`. Default: the declaration's, without one all.",
)  # fmt: skip
@click.option(
    "--estate", "estate_file", metavar="FILE", help="Judge a saved Estate, in place of the live account."
)
@click.option(
    "--out",
    "-o",
    "folder",
    metavar="DIR",
    help="Where the evidence goes; an audit that was interrupted goes on there. Default: ringwall-audit-TIME.",
)
@click.option("--sign", "key", metavar="KEY-ARN", help="Sign the evidence with this asymmetric key of KMS.")
@click.option("--report", metavar="FILE", default="report.html", show_default=True, help="The HTML report.")
@click.option(
    "--fail-on", type=click.Choice(["low", "medium", "high", "critical"]), default="low", show_default=True,
    help="Least severity of a failure that makes the exit code 2.",
)  # fmt: skip
@click.option(
    "--waivers", "waivers", metavar="FILE",
    help="Failures that somebody answers for: YAML with control, resource, owner, reason, expires.",
)  # fmt: skip
@click.option(
    "--ingest", "others", metavar="FILE", multiple=True,
    help="Findings of another tool to show beside: Prowler's OCSF or Security Hub's ASFF.",
)  # fmt: skip
@click.option(
    "--timeout", type=click.FloatRange(min=0.01), default=10.0, show_default=True, help="Seconds a proof."
)
@click.option(
    "--format", "forms", metavar="NAME[=FILE]", multiple=True,
    help=f"Further output: {', '.join(FORMATS)}. Without a file to standard output, in place of the summary.",
)  # fmt: skip
@json_option
@aws_options
def run(
    file: str | None,
    management_role: str | None,
    regions: str,
    estate_file: str | None,
    folder: str | None,
    key: str | None,
    report: str,
    fail_on: str,
    waivers: str | None,
    others: tuple[str, ...],
    timeout: float,
    forms: tuple[str, ...],
    as_json: bool,
    profile: str | None,
) -> int:
    """Judge what is really there, with evidence.

    Reads only. Every verdict names the API responses that it rests on, kept in the evidence bundle; what could not be
    read is UNKNOWN, with the permission it lacks, never a pass. Without a declaration the built-in baseline is judged.
    Exit code 2 if something failed that nobody waived, or is unknown. A waiver changes no verdict.

    \b
    Example:
      ringwall audit --report bedrock.html
      ringwall audit --format ocsf=findings.json --format junit=findings.xml
      ringwall audit --estate before.json --sign arn:aws:kms:us-east-1:111122223333:key/KEY
    """
    from ringwall.audit.bundle import require_empty, write_bundle
    from ringwall.audit.formats import render
    from ringwall.audit.ingest import load_results
    from ringwall.audit.report import render_html
    from ringwall.audit.run import judge
    from ringwall.audit.waivers import load_waivers
    from ringwall.catalog import load
    from ringwall.cli.auditing import as_document, counts, show_audit

    outputs = _outputs(forms, as_json=as_json)
    perimeter = _declaration(file)
    waived = load_waivers(waivers) if waivers is not None else ()
    ingested = tuple(item for path in others for item in load_results(path))
    if folder is not None:
        require_empty(Path(folder))
    if estate_file is not None and (regions or management_role):
        raise RingwallError("a saved Estate is judged as it is: leave out --regions and --management-role")
    if key is not None and key.count(":") < 5:
        raise RingwallError(f"--sign takes the ARN of a KMS key, not {key!r}")
    if estate_file is not None:
        observed, reading = _saved(perimeter, estate_file)
        place = Path(folder or f"ringwall-audit-{_stamp(observed.taken_at)}")
    else:
        place = Path(folder or f"ringwall-audit-{_stamp(None)}")
        observed, reading = _read(perimeter, management_role, regions, profile, place)
    found = judge(
        perimeter, observed, load(), reading=reading, timeout=timeout, waivers=waived, progress=note
    )
    found = replace(found, ingested=ingested)
    write_bundle(found, place)
    if key is not None:
        _sign(place, key, profile)
    write_text(report, render_html(found))
    for form, path in outputs.items():
        write_text(path, render(found, form))
    if as_json:
        write_json(as_document(found, str(place)))
    elif "-" not in outputs.values():
        show_audit(found)
    note(f"wrote {report} and the evidence in {place}")
    return 2 if counts(found, fail_on) else 0


@audit.command(short_help="Check a bundle, and derive its verdicts again.")
@click.argument("bundle", metavar="BUNDLE")
@click.option("--public-key", "trusted", metavar="FILE", help="The key that must have signed it, PEM or DER.")
@json_option
def verify(bundle: str, trusted: str | None, as_json: bool) -> int:
    """Check an evidence bundle offline: every file, its signature, and every verdict from the evidence alone.

    A signature is checked with the public key that lies beside it, whose fingerprint is shown; --public-key asks for
    yours. Exit code 0 if the bundle is whole and each of its verdicts follows from its evidence, 2 if not.

    \b
    Example:
      ringwall audit verify ringwall-audit-20261127T120000
    """
    from ringwall.audit.verify import verify as check
    from ringwall.catalog import load
    from ringwall.cli.auditing import verification, verification_words

    found = check(Path(bundle), load(), trusted=read_bytes(trusted) if trusted is not None else None)
    if as_json:
        write_json(verification(found))
    else:
        click.echo("\n".join(found.problems or verification_words(bundle, found)))
    return 2 if found.problems else 0


@audit.command(short_help="What changed between two audits.")
@click.argument("before", metavar="BEFORE")
@click.argument("after", metavar="AFTER")
@json_option
def diff(before: str, after: str, as_json: bool) -> int:
    """Show what changed between two audits: verdicts, claims, and the resources behind them.

    Exit code 2 if something did.

    \b
    Example:
      ringwall audit diff ringwall-audit-20261101T120000 ringwall-audit-20261127T120000
    """
    from ringwall.audit.bundle import open_bundle, verify_manifest
    from ringwall.audit.difference import differences
    from ringwall.cli.auditing import change_lines

    for folder in (before, after):
        for problem in verify_manifest(Path(folder)):
            msg = f"{folder}: {problem}; see `ringwall audit verify {folder}`"
            raise RingwallError(msg)
    found = differences(open_bundle(Path(before)), open_bundle(Path(after)))
    if as_json:
        write_json({"changes": [item.to_json() for item in found]})
    else:
        show(change_lines(found))
    return 2 if found else 0


def _outputs(forms: tuple[str, ...], *, as_json: bool) -> dict[str, str]:
    """Files (``-`` = standard output) by form.

    Raises:
        RingwallError: a form that there is not, or two things for one standard output.
    """
    found: dict[str, str] = {}
    for text in forms:
        name, _, path = text.partition("=")
        if name not in FORMATS:
            raise RingwallError(f"there is no format {name!r}; formats are {', '.join(FORMATS)}")
        found[name] = path or "-"
    if list(found.values()).count("-") + as_json > 1:
        raise RingwallError("standard output can hold one thing: name files, --format ocsf=findings.json")
    return found


def _declaration(file: str | None) -> Perimeter | None:
    if file is None and not Path(DEFAULT).exists():
        note(f"there is no {DEFAULT}: judging by the built-in baseline")
        return None
    return load_perimeter(file or DEFAULT)


def _read(
    perimeter: Perimeter | None, management_role: str | None, regions: str, profile: str | None, place: Path
) -> tuple[Estate, Reading]:
    """The account as it is.

    What is read stands in ``place`` at once: interrupted and started again for the same folder, the audit goes on there.
    """
    from ringwall.audit.run import read_account
    from ringwall.cli.auditing import candidates
    from ringwall.estate.journal import JOURNAL, GoesOn, Journal

    aws, management = _connections(perimeter, management_role, profile)
    if isinstance(aws, GoesOn):
        journal = Journal(place / JOURNAL, aws.caller)
        if journal.taken_over:
            note(f"going on in {place}: {journal.taken_over} answers are there already")
        aws.go_on(journal)
    places = candidates(aws, regions or ("" if perimeter is not None else "all"))
    steps = Steps()
    try:
        found = read_account(aws, management, perimeter, candidates=places, progress=steps, watch=steps.part)
    except KeyboardInterrupt:
        note(f"what was read so far is in {place}: go on with --out {place}")
        raise
    return found


def _saved(perimeter: Perimeter | None, file: str) -> tuple[Estate, Reading]:
    """A saved Estate, as it is judged: references as if nothing were deployed, the account the declared one's."""
    from ringwall.audit.run import Reading
    from ringwall.cli.estates import Chosen, bound

    chosen = Chosen(bound(read_estate(file)), perimeter)
    regions = [item.region for item in chosen.estate if item.region != "global"]
    source = perimeter.regions.source if perimeter is not None else next(iter(regions), "")
    return chosen.estate, Reading(account=chosen.account, region=source, saved=True)


def _sign(place: Path, key: str, profile: str | None) -> None:
    from ringwall.audit.signing import sign
    from ringwall.estate.connection import connect

    made = sign(place, key, connect("", region=key.split(":")[3], profile=profile))
    note(f"signed by {made.key}, public key {made.fingerprint}")


def _connections(
    perimeter: Perimeter | None, management_role: str | None, profile: str | None
) -> tuple[Aws, Aws | None]:
    """The account, and the management account if its role can be assumed: else its policies stay unknown."""
    from ringwall.estate.connection import connect

    own = caller(perimeter, profile=profile) if perimeter is not None else connect("", profile=profile)
    aws = entered(perimeter, own) if perimeter is not None else own
    external_id = perimeter.organization.external_id if perimeter is not None else None
    role = management_role or (perimeter.organization.management_role if perimeter is not None else None)
    if role is None:
        note(
            "without --management-role service control policies cannot be read: what rests on them is unknown"
        )
        return aws, None
    try:
        return aws, assumed(own, role, external_id)
    except AwsCallError as error:
        note(f"service control policies cannot be read, what rests on them is unknown: {error}")
        return aws, None


def _stamp(taken_at: str | None) -> str:
    moment = taken_at or datetime.now(UTC).isoformat()
    return "".join(character for character in moment[:19] if character.isalnum())


for _part in (sharding.plan, sharding.run_shard, sharding.merge):
    audit.add_command(_part)
