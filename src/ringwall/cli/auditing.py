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

SEVERITIES = ("low", "medium", "high", "critical")
STYLES = {
    Status.PASS: "green",
    Status.FAIL: "bold red",
    Status.UNKNOWN: "yellow",
    Status.NOT_APPLICABLE: "dim",
}


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
            "taken_at": found.taken_at,
            "caller": found.caller,
        },
        "bundle": bundle,
    }


def counts(found: Audit, fail_on: str) -> bool:
    """Whether something is to be seen: a failure of at least that severity, or an unknown."""
    least = SEVERITIES.index(fail_on)
    return any(
        finding.status is Status.UNKNOWN
        or (finding.status is Status.FAIL and SEVERITIES.index(finding.severity) >= least)
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
            status = worst(own)
            yield Line(f"  {status:14} {control.slug:30} {control.title}", STYLES[status])
            for finding in own:
                if finding.status in (Status.FAIL, Status.UNKNOWN):
                    yield Line(f"                 {finding.resource}: {finding.summary}")
                    if finding.remediation:
                        yield Line(f"                 {finding.remediation.text}", "dim")
    total = {status: sum(f.status is status for f in found.findings) for status in Status}
    yield Line()
    yield Line(", ".join(f"{count} {status}" for status, count in total.items() if count))


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
