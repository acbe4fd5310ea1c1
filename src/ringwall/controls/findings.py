"""Findings: what a control says about one resource (CONTRACTS "audit").

Unknown is a result, never a pass: whatever could not be read, or could not be proved either way, says why.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

Severity = Literal["critical", "high", "medium", "low"]
Confidence = Literal["proved", "high", "medium", "low"]
Category = Literal["IAM", "Network", "Encryption", "Logging", "Guardrails", "Monitoring"]
CATEGORIES: tuple[Category, ...] = ("IAM", "Network", "Encryption", "Logging", "Guardrails", "Monitoring")


class Status(StrEnum):
    """The four results."""

    PASS = "PASS"  # noqa: S105 - a verdict
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"
    NOT_APPLICABLE = "NOT_APPLICABLE"


@dataclass(frozen=True, slots=True)
class Remediation:
    """How to put it right: in words, and commands where there are some."""

    text: str
    commands: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"text": self.text, "commands": list(self.commands)}


@dataclass(frozen=True, slots=True)
class Waiver:
    """A failure that somebody answers for until a day. It changes no verdict.

    Attributes:
        control: slug of the control.
        resource: pattern over the finding's resource, with ``*`` and ``?``.
        owner: who answers for it.
        reason: why.
        expires: last day on which it holds.
        account: only in this account; ``None`` = any.
        region: only in this Region; ``None`` = any.
    """

    control: str
    resource: str
    owner: str
    reason: str
    expires: date
    account: str | None = None
    region: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data, as a file of waivers holds it."""
        narrowed = {
            name: value
            for name, value in (("account", self.account), ("region", self.region))
            if value is not None
        }
        return {
            "control": self.control,
            "resource": self.resource,
            **narrowed,
            "owner": self.owner,
            "reason": self.reason,
            "expires": self.expires.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """One verdict of one control on one resource.

    Attributes:
        control: slug.
        status: the verdict.
        severity: how bad a failure is.
        confidence: ``proved`` where the solver or the evaluator decided, ``high`` where configuration was compared.
        account: twelve digits.
        region: Region, or ``global``.
        resource: ARN or id of what was judged.
        summary: one sentence.
        evidence: digests of the responses it rests on.
        remediation: what to do about it.
        frameworks: requirement ids by framework.
        details: further facts (a counterexample request, the deciding statements).
        waiver: who answers for a failure, if somebody does.
    """

    control: str
    status: Status
    severity: Severity
    confidence: Confidence
    account: str
    region: str
    resource: str
    summary: str
    evidence: tuple[str, ...] = ()
    remediation: Remediation | None = None
    frameworks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    waiver: Waiver | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data, as ``audit --json`` prints it."""
        return {
            "control": self.control,
            "status": str(self.status),
            "severity": self.severity,
            "confidence": self.confidence,
            "account": self.account,
            "region": self.region,
            "resource": self.resource,
            "summary": self.summary,
            "evidence": list(self.evidence),
            "remediation": self.remediation.to_json() if self.remediation else {},
            "frameworks": {name: list(ids) for name, ids in self.frameworks.items()},
            "details": dict(self.details),
            "waiver": self.waiver.to_json() if self.waiver else None,
        }


def worst(findings: tuple[Finding, ...]) -> Status:
    """One verdict for several findings: a failure outweighs an unknown, an unknown a pass."""
    order = (Status.FAIL, Status.UNKNOWN, Status.PASS)
    return next(
        (status for status in order if any(f.status is status for f in findings)), Status.NOT_APPLICABLE
    )
