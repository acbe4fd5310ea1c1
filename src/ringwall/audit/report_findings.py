"""Findings as the report shows them: what is wrong by severity, then what passed and what does not apply."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringwall.audit.report_words import STATUS_SLUGS, STATUS_WORDS, Span, anchor, request_words
from ringwall.controls import registry
from ringwall.controls.findings import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.audit.run import Audit
    from ringwall.controls.findings import Finding
    from ringwall.controls.proving import Proved
    from ringwall.estate.recording import Recorded

SEVERITIES = ("critical", "high", "medium", "low")
SHOWN_ELSEWHERE = frozenset(
    {"witness", "principals", "because", "missing", "claims", "axioms", "exempt", "gaps"}
)
"""Details that the claim's own entry shows, where there is one."""


@dataclass(frozen=True, slots=True)
class Link:
    """A place in the report and what to call it."""

    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class FindingView:
    """One finding with its links.

    Attributes:
        anchor: HTML id.
        finding: the finding itself.
        control: link to its control.
        evidence: link to each response, with the call that was made.
        claims: links to the proofs that it rests on.
        example: a request that gets through, where a claim is violated; empty otherwise.
        details: what else it holds, as JSON; empty if nothing.
    """

    anchor: str
    finding: Finding
    control: Link
    evidence: tuple[Link, ...]
    claims: tuple[Link, ...]
    example: tuple[Span, ...]
    details: str


@dataclass(frozen=True, slots=True)
class Group:
    """Findings under one heading."""

    anchor: str
    title: str
    findings: tuple[FindingView, ...]


def finding_views(audit: Audit) -> tuple[FindingView, ...]:
    """Every finding, in the audit's order."""
    titles = {control.slug: control.title for control in registry()}
    proved = {item.declared.name: _example(item) for item in audit.proofs}
    return tuple(
        _view(f"finding-{index}", finding, titles, proved, audit.responses)
        for index, finding in enumerate(audit.findings, start=1)
    )


def _view(
    place: str,
    finding: Finding,
    titles: Mapping[str, str],
    proved: Mapping[str, tuple[Span, ...]],
    responses: Mapping[str, Recorded],
) -> FindingView:
    named = [finding.resource, *(str(name) for name in finding.details.get("claims", ()))]
    claims = tuple(Link(anchor("claim", name), name) for name in dict.fromkeys(named) if name in proved)
    rest = {
        key: value
        for key, value in finding.details.items()
        if value and not (claims and key in SHOWN_ELSEWHERE)
    }
    return FindingView(
        anchor=place,
        finding=finding,
        control=Link(anchor("control", finding.control), titles.get(finding.control, finding.control)),
        evidence=tuple(_evidence(digest, responses) for digest in dict.fromkeys(finding.evidence)),
        claims=claims,
        example=proved.get(finding.resource, ()) if finding.status is Status.FAIL else (),
        details=json.dumps(rest, indent=1, sort_keys=True, ensure_ascii=False, default=str) if rest else "",
    )


def _example(item: Proved) -> tuple[Span, ...]:
    """The first request with which a *never* is violated, in words."""
    exposure = next(iter(item.answer.exposures), None)
    if exposure is None or item.answer.verdict != "violated" or not exposure.answer.witness:
        return ()
    return request_words(exposure.answer.witness[0], exposure.route.label if exposure.route else None)


def _evidence(digest: str, responses: Mapping[str, Recorded]) -> Link:
    item = responses.get(digest)
    place = anchor("response", digest)
    if item is None:
        return Link(place, f"{digest}, which this run did not record")
    return Link(place, f"{item.service} {item.operation} in {item.region}, {short(digest)}")


def short(digest: str) -> str:
    """A digest's first hexadecimal digits, enough to tell it from the others on a page."""
    return digest.partition(":")[2][:12] or digest


def groups(findings: tuple[FindingView, ...]) -> tuple[Group, ...]:
    """What failed or is unknown by severity, failures first; then what passed, then what does not apply."""
    found = [
        Group(
            f"severity-{severity}",
            severity.capitalize(),
            _picked(findings, severity, (Status.FAIL, Status.UNKNOWN)),
        )
        for severity in SEVERITIES
    ]
    for status, title in ((Status.PASS, "Passed"), (Status.NOT_APPLICABLE, "Does not apply")):
        every = tuple(item for severity in SEVERITIES for item in _picked(findings, severity, (status,)))
        found.append(Group(f"status-{STATUS_SLUGS[status]}", title, every))
    return tuple(group for group in found if group.findings)


def _picked(
    findings: tuple[FindingView, ...], severity: str, statuses: tuple[Status, ...]
) -> tuple[FindingView, ...]:
    order = list(STATUS_WORDS)
    own = [item for item in findings if item.finding.severity == severity and item.finding.status in statuses]
    return tuple(sorted(own, key=lambda item: order.index(item.finding.status)))
