"""JUnit XML, for pipelines that gate on it: a suite a category, a case a finding. UNKNOWN is an error, never a pass."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from ringwall.audit.formats.common import advice, controls
from ringwall.controls.findings import CATEGORIES, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.audit.run import Audit
    from ringwall.controls.control import Control
    from ringwall.controls.findings import Finding

ELEMENTS = {Status.FAIL: "failure", Status.UNKNOWN: "error", Status.NOT_APPLICABLE: "skipped"}
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even escaped."""


def to_junit(audit: Audit) -> str:
    """One document."""
    known = controls()
    root = ET.Element("testsuites", {"name": "ringwall audit", **_counts(audit.findings)})
    for category in CATEGORIES:
        own = tuple(item for item in audit.findings if _category(item, known) == category)
        if own:
            named = {"name": category, "timestamp": audit.taken_at[:19]}
            suite = ET.SubElement(root, "testsuite", {**named, **_counts(own)})
            for finding in own:
                _case(suite, finding)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _category(finding: Finding, known: Mapping[str, Control]) -> str:
    return known[finding.control].category if finding.control in known else CATEGORIES[0]


def _case(suite: ET.Element, finding: Finding) -> None:
    name = f"{finding.resource} ({finding.account} {finding.region})"
    case = ET.SubElement(
        suite, "testcase", classname=f"ringwall.{finding.control}", name=_clean(name), time="0"
    )
    if finding.status in ELEMENTS:
        element = ET.SubElement(case, ELEMENTS[finding.status], message=_clean(finding.summary))
        if finding.status is not Status.NOT_APPLICABLE:
            element.set("type", finding.severity)
            element.text = _clean(advice(finding))


def _counts(findings: tuple[Finding, ...]) -> dict[str, str]:
    def count(status: Status) -> str:
        return str(sum(item.status is status for item in findings))

    return {
        "tests": str(len(findings)),
        "failures": count(Status.FAIL),
        "errors": count(Status.UNKNOWN),
        "skipped": count(Status.NOT_APPLICABLE),
    }


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
