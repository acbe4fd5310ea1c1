"""An audit arranged for reading: what the templates print, in their order, without a word of HTML."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringwall.audit.report_crosswalk import FrameworkView, crosswalk
from ringwall.audit.report_evidence import Response, responses
from ringwall.audit.report_findings import FindingView, Group, finding_views, groups
from ringwall.audit.report_picture import Picture, part_verdicts, picture
from ringwall.audit.report_proofs import AxiomView, ProofGroup, axioms_used, proof_groups
from ringwall.audit.report_words import (
    PROOF_STATUS,
    STATUS_WORDS,
    Span,
    anchor,
    explanation,
    headline,
    moment,
    number,
    visible,
)
from ringwall.catalog.frameworks import programs
from ringwall.controls import registry
from ringwall.controls.findings import CATEGORIES, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.audit.ingest import Ingested
    from ringwall.audit.run import Audit
    from ringwall.catalog.frameworks import Program
    from ringwall.controls.control import Control


@dataclass(frozen=True, slots=True)
class ControlView:
    """One control: its verdict, its findings, why it is there and how it fails."""

    anchor: str
    slug: str
    title: str
    severity: str
    status: Status
    findings: tuple[FindingView, ...]
    why: tuple[tuple[Span, ...], ...]
    fails: tuple[tuple[Span, ...], ...]


@dataclass(frozen=True, slots=True)
class CategoryView:
    """One of the six categories with its controls; ``status`` is the worst of theirs."""

    anchor: str
    title: str
    status: Status
    controls: tuple[ControlView, ...]


@dataclass(frozen=True, slots=True)
class Unread:
    """A property that could not be read."""

    resource: str
    type: str
    region: str
    property: str
    reason: str


@dataclass(frozen=True, slots=True)
class View:
    """The whole report."""

    title: str
    status: Status
    headline: str
    explanation: str
    facts: tuple[tuple[str, str], ...]
    counts: Mapping[Status, int]
    severities: Mapping[str, int]
    picture: Picture
    categories: tuple[CategoryView, ...]
    groups: tuple[Group, ...]
    proofs: tuple[ProofGroup, ...]
    proof_count: int
    axioms: tuple[AxiomView, ...]
    frameworks: tuple[FrameworkView, ...]
    programs: tuple[Program, ...]
    unread: tuple[Unread, ...]
    responses: tuple[Response, ...]
    waivers: tuple[str, ...] = ()
    ingested: tuple[Ingested, ...] = ()


def view(audit: Audit) -> View:
    """Arrange an audit for reading."""
    findings = finding_views(audit)
    verdicts = audit.verdicts
    status = overall(audit)
    claims = Counter(item.answer.verdict for item in audit.proofs)
    return View(
        title=f"{visible(audit.name)}: Bedrock perimeter of account {audit.account}",
        status=status,
        headline=headline(status),
        explanation=explanation(Counter(verdicts.values()), claims),
        facts=tuple(_facts(audit)),
        counts=Counter(item.finding.status for item in findings),
        severities=Counter(item.finding.severity for item in findings if item.finding.status is Status.FAIL),
        picture=picture(verdicts, part_verdicts(audit.findings)),
        categories=tuple(_categories(findings, verdicts)),
        groups=groups(findings),
        proofs=proof_groups(audit, findings),
        proof_count=len(audit.proofs),
        axioms=axioms_used(audit.proofs),
        frameworks=crosswalk(audit),
        programs=programs(),
        unread=tuple(_unread(audit)),
        responses=responses(audit.responses, audit.findings),
        waivers=tuple(_waivers(audit)),
        ingested=audit.ingested,
    )


def overall(audit: Audit) -> Status:
    """One verdict for everything: of the findings, and of claims whatever control made them."""
    statuses = {finding.status for finding in audit.findings}
    statuses |= {PROOF_STATUS[item.answer.verdict] for item in audit.proofs}
    return next((status for status in STATUS_WORDS if status in statuses), Status.NOT_APPLICABLE)


def _facts(audit: Audit) -> Iterator[tuple[str, str]]:
    perimeter = audit.perimeter
    yield "Declaration", perimeter.name if perimeter is not None else "none: the built-in baseline"
    yield "Account", audit.account
    if perimeter is not None:
        regions = ", ".join(perimeter.regions.processing)
        yield "Organization", perimeter.organization.id
        yield "Regions", f"{regions} ({perimeter.regions.residency})"
    yield "Outside of every SCP", _standing(audit)
    yield "Read by", audit.caller or "not recorded"
    yield "Read at", moment(audit.taken_at) or "not recorded"
    counted = (
        number(len(audit.observed.resources), "resource"),
        number(len(audit.responses), "API response"),
        number(len(audit.proofs), "claim"),
    )
    yield "Rests on", ", ".join(counted)


def _standing(audit: Audit) -> str:
    """Who no service control policy binds, and so can end every control that rests on one."""
    accounts = {item.id: item for item in audit.observed.accounts}
    judged = accounts.get(audit.account)
    management = next((item.id for item in accounts.values() if item.management), None)
    if judged is not None and judged.management:
        return "this account: it is the management account, which service control policies do not bind"
    if judged is None or judged.organization is None:
        return "this account: it is in no organization that could be read"
    who = f"management account {management}" if management else "the management account, which was not read"
    return f"{who}: whoever may act there can change every policy"


def _waivers(audit: Audit) -> Iterator[str]:
    """What waivers do and no longer do, in sentences."""
    waived = sum(item.waiver is not None for item in audit.findings)
    if waived:
        yield f"{number(waived, 'failure')} waived: each stays a failure, and names who answers for it."
    for item in audit.expired:
        who = f"{item.owner} for {item.control} on {item.resource}"
        yield f"A waiver has expired on {item.expires.isoformat()} and counts no more: {who}."
    for item in audit.unused:
        yield f"A waiver matches nothing: {item.owner} for {item.control} on {item.resource}."


def _categories(findings: tuple[FindingView, ...], verdicts: Mapping[str, Status]) -> Iterator[CategoryView]:
    for category in CATEGORIES:
        controls = tuple(
            _control(control, findings, verdicts[control.slug])
            for control in registry()
            if control.category == category
        )
        status = next(
            (status for status in STATUS_WORDS if any(item.status is status for item in controls)),
            Status.NOT_APPLICABLE,
        )
        yield CategoryView(anchor("category", category.lower()), category, status, controls)


def _control(control: Control, findings: tuple[FindingView, ...], status: Status) -> ControlView:
    return ControlView(
        anchor=anchor("control", control.slug),
        slug=control.slug,
        title=control.title,
        severity=control.severity,
        status=status,
        findings=tuple(item for item in findings if item.finding.control == control.slug),
        why=tuple(_spans(part) for part in _section(control.page, "Why").split("\n\n") if part.strip()),
        fails=tuple(
            _spans(part)
            for part in re.split(r"(?m)^- ", _section(control.page, "How it fails"))
            if part.strip()
        ),
    )


def _section(page: str, heading: str) -> str:
    found = re.search(rf"(?ms)^## {heading}\n(.*?)(?=^## |\Z)", page)
    return found[1].strip() if found else ""


def _spans(text: str) -> tuple[Span, ...]:
    """A paragraph's text and its parts in backticks."""
    pieces = " ".join(text.split()).split("`")
    return tuple((index % 2 == 1, piece) for index, piece in enumerate(pieces) if piece)


def _unread(audit: Audit) -> Iterator[Unread]:
    for resource in audit.observed:
        for item in resource.unknown:
            yield Unread(resource.id, resource.type, resource.region, item.property, item.reason)
