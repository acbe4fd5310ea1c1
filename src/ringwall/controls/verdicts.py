"""Making findings: the same words and fields for every control."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.controls.crosswalk import frameworks
from ringwall.controls.findings import Confidence, Finding, Remediation, Severity, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.controls.context import CheckContext
    from ringwall.controls.control import Control
    from ringwall.estate.model import Resource


def verdict(
    context: CheckContext,
    control: Control,
    status: Status,
    summary: str,
    *,
    resource: Resource | None = None,
    name: str | None = None,
    confidence: Confidence = "high",
    severity: Severity | None = None,
    remediation: Remediation | None = None,
    details: Mapping[str, Any] | None = None,
    evidence: tuple[Resource, ...] = (),
) -> Finding:
    """A finding about a resource, or about the account where there is none."""
    judged = (resource,) if resource is not None else ()
    return Finding(
        control=control.slug,
        status=status,
        severity=severity or control.severity,
        confidence=confidence,
        account=resource.account if resource is not None else context.account,
        region=resource.region if resource is not None else "global",
        resource=name or (str(resource.get("Arn", resource.id)) if resource is not None else context.account),
        summary=summary,
        evidence=context.evidence_of(*judged, *evidence),
        remediation=remediation if status is not Status.PASS else None,
        frameworks=frameworks(control.slug),
        details=details or {},
    )


def ok(
    context: CheckContext,
    control: Control,
    resource: Resource | None,
    summary: str,
    *evidence: Resource,
    name: str | None = None,
) -> Finding:
    """A pass, with everything that it rests on as evidence."""
    return verdict(context, control, Status.PASS, summary, resource=resource, name=name, evidence=evidence)


def fail(
    context: CheckContext,
    control: Control,
    resource: Resource | None,
    summary: str,
    remedy: str,
    *,
    commands: tuple[str, ...] = (),
    name: str | None = None,
    details: Mapping[str, Any] | None = None,
    confidence: Confidence = "high",
) -> Finding:
    """A failure and what to do about it."""
    return verdict(
        context,
        control,
        Status.FAIL,
        summary,
        resource=resource,
        name=name,
        remediation=Remediation(remedy, commands),
        details=details,
        confidence=confidence,
    )


def unknown(
    context: CheckContext,
    control: Control,
    resource: Resource | None,
    summary: str,
    *,
    name: str | None = None,
) -> Finding:
    """What could not be judged, and why."""
    return verdict(
        context,
        control,
        Status.UNKNOWN,
        summary,
        resource=resource,
        name=name,
        confidence="low",
        remediation=Remediation("grant the permission that is named, then audit again"),
    )


def not_applicable(context: CheckContext, control: Control, summary: str) -> Finding:
    """What does not apply, with the proof in words."""
    return verdict(context, control, Status.NOT_APPLICABLE, summary)
