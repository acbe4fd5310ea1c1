"""An audit on the terminal and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.cli.terminal import show
from ringwall.controls import registry
from ringwall.controls.findings import CATEGORIES, Status, worst
from ringwall.deploy.render import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.audit.difference import Change
    from ringwall.audit.run import Audit
    from ringwall.controls.findings import Waiver
    from ringwall.estate.aws import Aws

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
    """Print the verdicts by category, failures with what to do."""
    show(lines(found))


def lines(found: Audit) -> Iterator[Line]:
    """The terminal summary."""
    for category in CATEGORIES:
        yield Line(category, "bold")
        for control in registry():
            if control.category != category:
                continue
            own = tuple(finding for finding in found.findings if finding.control == control.slug)
            status = found.verdicts[control.slug]
            yield Line(f"  {status:14} {control.slug:30} {control.title}", STYLES[status])
            for finding in own:
                if finding.status in (Status.FAIL, Status.UNKNOWN):
                    yield Line(f"                 {finding.resource}: {finding.summary}")
                    if finding.waiver:
                        yield Line(f"                 waived: {waiver_words(finding.waiver)}", "yellow")
                    if finding.remediation:
                        yield Line(f"                 {finding.remediation.text}", "dim")
    yield from _beside(found)
    total = {status: sum(f.status is status for f in found.findings) for status in Status}
    yield Line()
    yield Line(", ".join(f"{count} {status}" for status, count in total.items() if count))


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
