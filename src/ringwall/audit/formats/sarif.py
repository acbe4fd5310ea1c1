"""SARIF 2.1.0: live resources are logical locations, since no file holds them.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html, 3.27.9 (``kind``): ``open`` is "evaluated, and there was
insufficient information to decide", which is our UNKNOWN. GitHub's code scanning refuses a whole log where one result has no
physical location, so the same name stands there as the path of an artifact; it asks for a rule's full description as well
(https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ringwall import __version__
from ringwall.audit.formats.common import URL, advice, controls, taken, to_text, uid, waiver_words
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
        "invocations": [{"executionSuccessful": True, "endTimeUtc": f"{taken(audit):%Y-%m-%dT%H:%M:%SZ}"}],
        "results": [_result(finding, index) for finding in audit.findings],
    }
    if not audit.taken_at:
        del run["invocations"]
    return to_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(control: Control) -> dict[str, Any]:
    return {
        "id": control.slug,
        "shortDescription": {"text": control.title},
        "fullDescription": {"text": control.page.partition("\n")[0]},
        "helpUri": f"{URL}/blob/main/docs/controls.md#{control.slug}",
        "help": {"text": control.page, "markdown": control.page},
        "defaultConfiguration": {"level": LEVELS[control.severity]},
        "properties": {"security-severity": SCORES[control.severity], "tags": ["security", control.category]},
    }


def _result(finding: Finding, index: dict[str, int]) -> dict[str, Any]:
    kind = KINDS[finding.status]
    words = advice(finding) if finding.status in (Status.FAIL, Status.UNKNOWN) else ""
    where = f"{finding.account}/{finding.region}/{finding.resource}"
    found: dict[str, Any] = {
        "ruleId": finding.control,
        "kind": kind,
        # 3.27.10: a level other than none is for failures.
        "level": LEVELS[finding.severity] if kind == "fail" else "none",
        "message": {"text": f"{finding.summary}\n{words}" if words else finding.summary},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(where, errors="backslashreplace")},
                    "region": {"startLine": 1},
                },
                "logicalLocations": [
                    {"name": finding.resource, "fullyQualifiedName": where, "kind": "resource"}
                ],
            }
        ],
        "partialFingerprints": {"ringwall/v1": uid(finding)},
        "properties": {"confidence": finding.confidence, "evidence": list(finding.evidence)},
    }
    if finding.waiver is not None:
        found["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": waiver_words(finding)}
        ]
    if finding.control in index:
        found["ruleIndex"] = index[finding.control]
    return found
