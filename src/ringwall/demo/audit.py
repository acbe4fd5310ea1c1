"""Part 3: what is now there, judged by meaning, with the responses that prove it."""

from __future__ import annotations

from ringwall.audit.report import render_html
from ringwall.audit.run import Audit, run_audit
from ringwall.controls import registry
from ringwall.controls.findings import CATEGORIES, Status, worst
from ringwall.demo.line import Line, Lines
from ringwall.demo.world import World


def audit(world: World) -> Lines:
    """One line for each control, by category, and the report."""
    found = run_audit(world.aws, world.management, world.perimeter, world.catalog)
    world.learn(found.observed)
    yield from verdicts(found)
    world.report.write_text(render_html(found), encoding="utf-8")
    yield Line(
        "report",
        f"{len(found.findings)} findings rest on {len(found.responses)} API responses; report: {world.report}",
        ok=world.report.stat().st_size > 0 and bool(found.responses),
    )


def verdicts(found: Audit) -> Lines:
    """One line for each control that applies."""
    for category in CATEGORIES:
        for control in registry():
            if control.category != category:
                continue
            own = tuple(finding for finding in found.findings if finding.control == control.slug)
            status = worst(own)
            if status is Status.NOT_APPLICABLE:
                continue
            proven = all(
                finding.evidence and set(finding.evidence) <= found.responses.keys() for finding in own
            )
            responses = len({digest for finding in own for digest in finding.evidence})
            yield Line(
                f"control:{control.slug}",
                f"{category}: {control.title} ({control.slug}: {status}, {responses} responses)",
                ok=status is Status.PASS and proven,
                details=tuple(
                    f"{finding.status} {finding.resource}: {finding.summary}"
                    for finding in own
                    if finding.status is not Status.PASS
                ),
            )
