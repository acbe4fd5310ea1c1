"""SARIF 2.1.0: live resources are logical locations, since no file holds them.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html, 3.27.9 (``kind``): ``open`` is "evaluated, and there was
insufficient information to decide", which is our UNKNOWN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall import __version__
from ringwall.audit.formats.common import URL, advice, controls, to_text, uid
from ringwall.controls.findings import Status
from ringwall.lint.sarif import SCHEMA

if TYPE_CHECKING:
    from ringwall.audit.run import Audit
    from ringwall.controls.control import Control
    from ringwall.controls.findings import Finding

KINDS = {
    Status.PASS: "pass",
    Status.FAIL: "fail",
    Status.UNKNOWN: "open",
    Status.NOT_APPLICABLE: "notApplicable",
}
LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
SCORES = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "3.0"}


def to_sarif(audit: Audit) -> str:
    """One log with one run; every control is a rule, whether it found something or not."""
    known = controls()
    index = {slug: number for number, slug in enumerate(known)}
    driver = {
        "name": "ringwall audit",
        "version": __version__,
        "informationUri": URL,
        "rules": [_rule(control) for control in known.values()],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": True, "endTimeUtc": audit.taken_at or None}],
        "results": [_result(finding, index) for finding in audit.findings],
    }
    if not audit.taken_at:
        del run["invocations"]
    return to_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(control: Control) -> dict[str, Any]:
    return {
        "id": control.slug,
        "shortDescription": {"text": control.title},
        "help": {"text": control.page, "markdown": control.page},
        "defaultConfiguration": {"level": LEVELS[control.severity]},
        "properties": {"security-severity": SCORES[control.severity], "tags": ["security", control.category]},
    }


def _result(finding: Finding, index: dict[str, int]) -> dict[str, Any]:
    kind = KINDS[finding.status]
    words = advice(finding) if finding.status in (Status.FAIL, Status.UNKNOWN) else ""
    found: dict[str, Any] = {
        "ruleId": finding.control,
        "kind": kind,
        # 3.27.10: a level other than none is for failures.
        "level": LEVELS[finding.severity] if kind == "fail" else "none",
        "message": {"text": f"{finding.summary}\n{words}" if words else finding.summary},
        "locations": [
            {
                "logicalLocations": [
                    {
                        "name": finding.resource,
                        "fullyQualifiedName": f"{finding.account}/{finding.region}/{finding.resource}",
                        "kind": "resource",
                    }
                ]
            }
        ],
        "partialFingerprints": {"ringwall/v1": uid(finding)},
        "properties": {"confidence": finding.confidence, "evidence": list(finding.evidence)},
    }
    if finding.control in index:
        found["ruleIndex"] = index[finding.control]
    return found
