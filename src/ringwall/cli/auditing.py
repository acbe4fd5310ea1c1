"""An audit on the terminal and as JSON."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Any

from ringwall.cli.terminal import show
from ringwall.controls import registry
from ringwall.controls.findings import CATEGORIES, Status, worst
from ringwall.deploy.line import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.audit.difference import Change
    from ringwall.audit.run import Audit
    from ringwall.audit.verify import Verification
    from ringwall.controls.control import Control
    from ringwall.controls.findings import Waiver
    from ringwall.estate.aws import Aws

INDENT = " " * 17
NARROWEST = 50
"""Columns that a line under a verdict is given at least."""
SEVERITIES = ("low", "medium", "high", "critical")
STYLES = {
    Status.PASS: "green",
    Status.FAIL: "bold red",
    Status.UNKNOWN: "yellow",
    Status.NOT_APPLICABLE: "dim",
}


def candidates(aws: Aws, regions: str) -> tuple[str, ...]:
    """Regions to look into for Bedrock, by what ``--regions`` says."""
    if regions == "all":
        from ringwall.estate.regions import regions_of_bedrock

        return regions_of_bedrock(aws)
    return tuple(item.strip() for item in regions.split(",") if item.strip())


def as_document(found: Audit, bundle: str) -> dict[str, Any]:
    """CONTRACTS ``ringwall audit --json``."""
    verdicts = found.verdicts
    by_category = {
        category: str(
            worst(
                tuple(
                    f
                    for f in found.findings
                    for c in registry()
                    if c.slug == f.control and c.category == category
                )
            )
        )
        for category in CATEGORIES
    }
    return {
        "findings": [finding.to_json() for finding in found.findings],
        "summary": {
            "statuses": {str(status): sum(f.status is status for f in found.findings) for status in Status},
            "controls": {slug: str(status) for slug, status in verdicts.items()},
            "categories": by_category,
            "proofs": {item.declared.name: item.answer.verdict for item in found.proofs},
            "account": found.account,
            "waivers": {
                "waived": sum(item.waiver is not None for item in found.findings),
                "expired": [item.to_json() for item in found.expired],
                "unused": [item.to_json() for item in found.unused],
            },
            "taken_at": found.taken_at,
            "caller": found.caller,
        },
        "bundle": bundle,
        "ingested": [item.to_json() for item in found.ingested],
    }


def counts(found: Audit, fail_on: str) -> bool:
    """Whether something is to be seen: a failure of at least that severity that nobody waived, or an unknown."""
    least = SEVERITIES.index(fail_on)
    return any(
        finding.status is Status.UNKNOWN
        or (
            finding.status is Status.FAIL
            and finding.waiver is None
            and SEVERITIES.index(finding.severity) >= least
        )
        for finding in found.findings
    )


def show_audit(found: Audit) -> None:
    """Print the verdicts by category, failures with what to do; on a terminal no line is wider than it."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    show(lines(found, width))


def lines(found: Audit, width: int | None = None) -> Iterator[Line]:
    """The terminal summary.

    Args:
        found: the audit.
        width: columns that there are; ``None`` = a line may be as long as it is, as a pipe wants it.
    """
    for category in CATEGORIES:
        yield Line(category, "bold")
        for control in registry():
            if control.category == category:
                yield from _control(found, control, width)
    yield from _beside(found)
    total = {status: sum(f.status is status for f in found.findings) for status in Status}
    yield Line()
    yield Line(", ".join(f"{count} {status}" for status, count in total.items() if count))


def _control(found: Audit, control: Control, width: int | None) -> Iterator[Line]:
    """A control's verdict; what failed or is unknown; and each remedy once."""
    status = found.verdicts[control.slug]
    head = f"  {status:14} {control.slug:30} "
    title = head + control.title
    if width is not None and len(title) > width:
        yield Line(head.rstrip(), STYLES[status])
        if status in (Status.FAIL, Status.UNKNOWN):
            yield from wrapped(control.title, width, STYLES[status])
    else:
        yield Line(title, STYLES[status])
    remedies: dict[str, None] = {}
    for finding in found.findings:
        if finding.control != control.slug or finding.status not in (Status.FAIL, Status.UNKNOWN):
            continue
        yield from wrapped(f"{finding.resource}: {finding.summary}", width)
        if finding.waiver:
            yield from wrapped(f"waived: {waiver_words(finding.waiver)}", width, "yellow")
        if finding.remediation:
            remedies[finding.remediation.text] = None
    for remedy in remedies:
        yield from wrapped(f"-> {remedy}", width, "dim")


def wrapped(text: str, width: int | None, style: str = "") -> Iterator[Line]:
    """Text under a verdict, in as many lines as it needs; what has no spaces, such as an ARN, stays whole."""
    if width is None:
        yield Line(INDENT + text, style)
        return
    parts = textwrap.wrap(
        text,
        max(width, NARROWEST),
        initial_indent=INDENT,
        subsequent_indent=f"{INDENT}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    yield from (Line(part, style) for part in parts)


def _beside(found: Audit) -> Iterator[Line]:
    """What stands beside the verdicts: waivers that count no more, and other tools."""
    for waiver in found.expired:
        yield Line(f"waiver expired: {waiver.control} {waiver.resource}, {waiver_words(waiver)}", "bold red")
    for waiver in found.unused:
        yield Line(f"waiver matches nothing: {waiver.control} {waiver.resource}", "yellow")
    if found.ingested:
        failed = sum(item.status == "FAIL" for item in found.ingested)
        yield Line(
            f"other tools: {len(found.ingested)} findings, {failed} of them failures; see the report", "dim"
        )


def waiver_words(waiver: Waiver) -> str:
    """Who answers for it, why and until when."""
    return f"by {waiver.owner} until {waiver.expires.isoformat()}: {waiver.reason}"


def verification(found: Verification) -> dict[str, Any]:
    """``audit verify --json``."""
    signed = found.signature
    return {
        "holds": not found.problems,
        "problems": list(found.problems),
        "written_by": found.version,
        "saved_estate": found.saved,
        "signature": None
        if signed is None
        else {"key": signed.key, "algorithm": signed.algorithm, "public_key": signed.fingerprint},
    }


def verification_words(bundle: str, found: Verification) -> tuple[str, ...]:
    """What was verified, in lines."""
    rests = "the Estate in it, whose answers it does not hold" if found.saved else "the evidence"
    first = f"{bundle}: every file is as it was written, and every verdict follows from {rests}"
    signed = found.signature
    if signed is None:
        return (
            first,
            "it is not signed: whoever can write the folder can write another that is just as whole",
        )
    return (first, f"signed by {signed.key} ({signed.algorithm}), public key {signed.fingerprint}")


def change_lines(changes: tuple[Change, ...]) -> Iterator[Line]:
    """What two audits see differently, in lines."""
    if not changes:
        yield Line("nothing changed")
    for item in changes:
        what = f"{item.before or 'not there'} -> {item.after or 'gone'}"
        if item.what == "resource" and item.before and item.after:
            what = "changed: " + ", ".join(item.properties)
        style = "bold red" if item.worse else "green" if item.what in ("finding", "claim") else ""
        yield Line(f"{item.what:9} {item.key}: {what}", style)
        if item.summary:
            yield Line(f"          {item.summary}")
