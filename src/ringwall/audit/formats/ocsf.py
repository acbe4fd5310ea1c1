"""OCSF: class 2003, Compliance Finding, one event a finding (https://schema.ocsf.io/classes/compliance_finding).

What OCSF calls *Warning* is for checks that "did not yield a result due to missing information": our UNKNOWN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall import __version__
from ringwall.audit.formats.common import (
    PRODUCT,
    URL,
    VENDOR,
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

VERSION = "1.5.0"
CLASS, CATEGORY, CREATED = 2003, 2, 1
COMPLIANCE = {Status.PASS: (1, "Pass"), Status.UNKNOWN: (2, "Warning"), Status.FAIL: (3, "Fail"), Status.NOT_APPLICABLE: (99, "Not Applicable")}  # fmt: skip
SEVERITY = {"low": (2, "Low"), "medium": (3, "Medium"), "high": (4, "High"), "critical": (5, "Critical")}
INFORMATIONAL = (1, "Informational")
CONFIDENCE = {"low": (1, "Low"), "medium": (2, "Medium"), "high": (3, "High"), "proved": (3, "High")}


def to_ocsf(audit: Audit) -> str:
    """A JSON array of events."""
    known = controls()
    return to_text([event(finding, audit, known) for finding in audit.findings])


def event(finding: Finding, audit: Audit, known: Mapping[str, Control]) -> dict[str, Any]:
    """One finding as an event."""
    moment = int(taken(audit).timestamp() * 1000)
    bad = finding.status in (Status.FAIL, Status.UNKNOWN)
    severity_id, severity = SEVERITY[finding.severity] if bad else INFORMATIONAL
    confidence_id, confidence = CONFIDENCE[finding.confidence]
    status_id, status = COMPLIANCE[finding.status]
    title = title_of(finding, known)
    found: dict[str, Any] = {
        "activity_id": CREATED,
        "activity_name": "Create",
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Compliance Finding",
        "type_uid": CLASS * 100 + CREATED,
        "type_name": "Compliance Finding: Create",
        "time": moment,
        "severity_id": severity_id,
        "severity": severity,
        "confidence_id": confidence_id,
        "confidence": confidence,
        "status_id": 1,
        "status": "New",
        "message": finding.summary,
        "metadata": {
            "version": VERSION,
            "profiles": ["cloud"],
            "event_code": finding.control,
            "product": {"name": PRODUCT, "vendor_name": VENDOR, "version": __version__, "url_string": URL},
        },
        "cloud": {
            "provider": "AWS",
            "region": finding.region,
            "account": {
                "uid": finding.account,
                "name": finding.account,
                "type_id": 10,
                "type": "AWS Account",
            },
        },
        "finding_info": {
            "uid": uid(finding),
            "title": title,
            "desc": finding.summary,
            "created_time": moment,
            "types": [known[finding.control].category] if finding.control in known else [],
        },
        "compliance": {
            "control": finding.control,
            "standards": list(finding.frameworks),
            "requirements": requirements(finding),
            "status_id": status_id,
            "status": status,
        },
        "resources": [
            {
                "uid": finding.resource,
                "name": finding.resource,
                "region": finding.region,
                "cloud_partition": partition(audit),
            }
        ],
        "evidences": [
            {"name": digest, "data": _answer(digest, audit)} for digest in dict.fromkeys(finding.evidence)
        ],
    }
    if finding.remediation is not None and bad:
        found["remediation"] = {"desc": advice(finding)}
    return found


def _answer(digest: str, audit: Audit) -> dict[str, Any]:
    """Where an answer came from; the bundle holds it whole under this digest."""
    item = audit.responses.get(digest)
    if item is None:
        return {"digest": digest}
    return {
        "digest": digest,
        "service": item.service,
        "operation": item.operation,
        "account": item.account,
        "region": item.region,
        "request_id": item.request_id,
        "time": item.time,
    }
