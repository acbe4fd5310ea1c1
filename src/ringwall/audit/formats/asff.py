"""ASFF, for ``securityhub batch-import-findings`` (at most 100 findings a call).

https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.audit.formats.common import (
    advice,
    controls,
    partition,
    requirements,
    taken,
    title_of,
    to_text,
    uid,
)
from ringwall.controls.findings import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.audit.run import Audit
    from ringwall.controls.control import Control
    from ringwall.controls.findings import Finding

COMPLIANCE = {
    Status.PASS: "PASSED",
    Status.FAIL: "FAILED",
    Status.UNKNOWN: "WARNING",
    Status.NOT_APPLICABLE: "NOT_AVAILABLE",
}
TYPE = "Software and Configuration Checks/AWS Security Best Practices"
LIMITS = {"title": 256, "description": 1024, "recommendation": 512, "requirements": 32, "resource": 512}


def to_asff(audit: Audit) -> str:
    """A JSON array of findings."""
    known = controls()
    return to_text([_finding(finding, audit, known) for finding in audit.findings])


def _finding(finding: Finding, audit: Audit, known: Mapping[str, Control]) -> dict[str, Any]:
    where = partition(audit)
    region = audit.reading.region or "us-east-1" if finding.region == "global" else finding.region
    moment = taken(audit).strftime("%Y-%m-%dT%H:%M:%SZ")
    bad = finding.status in (Status.FAIL, Status.UNKNOWN)
    compliance: dict[str, Any] = {"Status": COMPLIANCE[finding.status]}
    related = requirements(finding)[: LIMITS["requirements"]]
    if related:
        compliance["RelatedRequirements"] = related
    found: dict[str, Any] = {
        "SchemaVersion": "2018-10-08",
        "Id": f"ringwall/{uid(finding)}",
        "ProductArn": f"arn:{where}:securityhub:{region}:{finding.account}:product/{finding.account}/default",
        "ProductName": "Ringwall",
        "CompanyName": "Ringwall",
        "GeneratorId": f"ringwall/{finding.control}",
        "AwsAccountId": finding.account,
        "Region": region,
        "Types": [TYPE],
        "CreatedAt": moment,
        "UpdatedAt": moment,
        "Severity": {"Label": finding.severity.upper() if bad else "INFORMATIONAL"},
        "Confidence": {"proved": 100, "high": 90, "medium": 60, "low": 30}[finding.confidence],
        "Title": title_of(finding, known)[: LIMITS["title"]],
        "Description": finding.summary[: LIMITS["description"]],
        "Resources": [
            {
                "Type": "Other",
                "Id": finding.resource[: LIMITS["resource"]],
                "Partition": where,
                "Region": region,
            }
        ],
        "Compliance": compliance,
        "Workflow": {"Status": "NEW" if bad else "RESOLVED"},
        "RecordState": "ACTIVE",
        "ProductFields": {
            "ringwall/status": str(finding.status),
            "ringwall/evidence": " ".join(finding.evidence)[:2048] or "none",
        },
    }
    if finding.remediation is not None and bad:
        found["Remediation"] = {"Recommendation": {"Text": advice(finding)[: LIMITS["recommendation"]]}}
    return found
