"""OSCAL 1.1 assessment results: findings, each with an observation that names its evidence.

https://pages.nist.gov/OSCAL-Reference/models/v1.1.2/assessment-results/json-outline/. Identifiers are derived from what
they name, so the same audit gives the same document.
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from ringwall import __version__
from ringwall.audit.bundle import file_of
from ringwall.audit.formats.common import advice, controls, taken, title_of, to_text, uid
from ringwall.controls.findings import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.audit.run import Audit
    from ringwall.controls.control import Control
    from ringwall.controls.findings import Finding

VERSION = "1.1.2"
NAMESPACE = uuid.UUID("8a3d5a5e-4c0b-5f0e-9d0c-5c1f5f1b7a52")
NS = "https://github.com/ringwall/ringwall/ns/oscal"
SATISFIED = {Status.PASS: "satisfied", Status.NOT_APPLICABLE: "satisfied"}
_NO_TOKEN = re.compile(r"[^A-Za-z0-9_.-]+")


def to_oscal(audit: Audit) -> str:
    """One ``assessment-results`` document with one result."""
    known = controls()
    moment = taken(audit).isoformat()
    judged = tuple(audit.findings)
    result: dict[str, Any] = {
        "uuid": _id("result", audit.account, moment),
        "title": f"Ringwall audit of account {audit.account}",
        "description": f"The perimeter {audit.name}, judged by Ringwall {__version__} as {audit.caller or 'an offline run'}.",
        "start": moment,
        "end": moment,
        "reviewed-controls": {"control-selections": [_selection(judged)]},
        "observations": [_observation(item, audit, known, moment) for item in judged],
        "findings": [_finding(item, known) for item in judged],
    }
    metadata = {
        "title": f"Bedrock perimeter assessment of account {audit.account}",
        "last-modified": moment,
        "version": moment,
        "oscal-version": VERSION,
    }
    plan = _id("plan", audit.name)
    document = {
        "uuid": _id("document", audit.account, moment),
        "metadata": metadata,
        "import-ap": {"href": f"#{plan}"},
        "results": [result],
        "back-matter": {
            "resources": [{"uuid": plan, "title": "Assessment plan", "description": _plan(audit)}]
        },
    }
    return to_text({"assessment-results": document})


def _plan(audit: Audit) -> str:
    """What stands for an assessment plan, which OSCAL asks for and an audit has not."""
    by = "Ringwall's built-in baseline" if audit.perimeter is None else f"the declaration of {audit.name}"
    return f"Every control of Ringwall {__version__}, judged by {by}; read only, nothing was sampled."


def _selection(findings: tuple[Finding, ...]) -> dict[str, Any]:
    slugs = sorted({item.control for item in findings})
    return {"include-controls": [{"control-id": slug} for slug in slugs]} if slugs else {"include-all": {}}


def _observation(finding: Finding, audit: Audit, known: Mapping[str, Control], moment: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "uuid": _id("observation", uid(finding)),
        "title": title_of(finding, known),
        "description": finding.summary or finding.control,
        "methods": ["TEST"],
        "subjects": [
            {
                "subject-uuid": _id("subject", finding.account, finding.region, finding.resource),
                "type": "resource",
                "title": finding.resource or finding.account,
            }
        ],
        "collected": moment,
    }
    evidence = [
        {"href": file_of(digest), "description": _answer(digest, audit)}
        for digest in dict.fromkeys(finding.evidence)
    ]
    if evidence:
        found["relevant-evidence"] = evidence
    return found


def _answer(digest: str, audit: Audit) -> str:
    item = audit.responses.get(digest)
    where = (
        ""
        if item is None
        else f" of {item.service} {item.operation} in {item.region}, request {item.request_id}"
    )
    return f"Answer{where}, {digest}"


def _finding(finding: Finding, known: Mapping[str, Control]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "uuid": _id("finding", uid(finding)),
        "title": title_of(finding, known),
        "description": finding.summary or finding.control,
        "props": [
            {"name": "status", "ns": NS, "value": str(finding.status)},
            {"name": "severity", "ns": NS, "value": finding.severity},
            *_waiver(finding),
            *_requirements(finding),
        ],
        "target": {
            "type": "objective-id",
            "target-id": finding.control,
            "status": {
                "state": SATISFIED.get(finding.status, "not-satisfied"),
                "reason": {"UNKNOWN": "other", "NOT_APPLICABLE": "other", "FAIL": "fail"}.get(
                    finding.status, "pass"
                ),
            },
        },
        "related-observations": [{"observation-uuid": _id("observation", uid(finding))}],
    }
    words = advice(finding)
    if words:
        found["remarks"] = words
    return found


def _waiver(finding: Finding) -> list[dict[str, str]]:
    if finding.waiver is None:
        return []
    words = {"owner": finding.waiver.owner, "expires": finding.waiver.expires.isoformat()}
    return [
        *({"name": f"waiver-{name}", "ns": NS, "value": value} for name, value in words.items()),
        {"name": "waiver-reason", "ns": NS, "value": " ".join(finding.waiver.reason.split())},
    ]


def _requirements(finding: Finding) -> list[dict[str, str]]:
    return [
        {"name": "requirement", "ns": NS, "class": _token(framework), "value": number}
        for framework, numbers in finding.frameworks.items()
        for number in numbers
    ]


def _token(text: str) -> str:
    """A text as a token of XML Schema, which begins with a letter or an underscore."""
    found = _NO_TOKEN.sub("-", text)
    return found if found[:1].isalpha() else f"_{found}"


def _id(*parts: str) -> str:
    """A version 5 UUID."""
    return str(uuid.uuid5(NAMESPACE, "\n".join(parts).encode("utf-8", "backslashreplace").decode()))
