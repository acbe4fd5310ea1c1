"""Results of other tools: read as they are written, shown beside ours, and changing nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from audit.audit_samples import FINDINGS, SCRIPT, finding, sample
from ringwall.audit.bundle import verify_manifest, write_bundle
from ringwall.audit.formats import render
from ringwall.audit.ingest import Ingested, load_results
from ringwall.audit.report import render_html
from ringwall.cli.auditing import as_document, counts
from ringwall.controls.findings import Status
from ringwall.errors import RingwallError

PROWLER = {
    "class_uid": 2004,
    "status_code": "FAIL",
    "severity": "High",
    "status_detail": SCRIPT,
    "metadata": {"event_code": "bedrock_guardrails_configured", "product": {"name": "Prowler"}},
    "finding_info": {"uid": "x", "title": "t"},
    "cloud": {"account": {"uid": "111122223333"}, "region": "us-east-1"},
    "resources": [{"uid": "arn:aws:bedrock:us-east-1:111122223333:guardrail", "region": "us-east-1"}],
}
HUB = {
    "SchemaVersion": "2018-10-08",
    "GeneratorId": "security-control/Bedrock.1",
    "ProductName": "Security Hub",
    "AwsAccountId": "111122223333",
    "Region": "us-east-1",
    "Title": "Data sources are encrypted",
    "Severity": {"Label": "MEDIUM"},
    "Compliance": {"Status": "PASSED", "SecurityControlId": "Bedrock.1"},
    "Resources": [{"Id": "AWS::::Account:111122223333"}],
}
READ = (
    Ingested(
        "Prowler", "bedrock_guardrails_configured", "FAIL", "high", "111122223333", "us-east-1",
        "arn:aws:bedrock:us-east-1:111122223333:guardrail", SCRIPT,
    ),
    Ingested(
        "Security Hub", "Bedrock.1", "PASS", "medium", "111122223333", "us-east-1", "AWS::::Account:111122223333",
        "Data sources are encrypted",
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([PROWLER, HUB]),
        json.dumps(PROWLER) + "\n\n" + json.dumps(HUB) + "\n",
        json.dumps({"Findings": [PROWLER, HUB]}),
    ],
)
def test_each_form_is_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "results.json").write_text(text)
    assert load_results(tmp_path / "results.json") == READ


def test_what_is_not_told_is_unknown(tmp_path: Path) -> None:
    bare: list[dict[str, Any]] = [
        {"class_uid": 2003, "finding_info": {}, "resources": "none", "compliance": {"status": 3}},
        {"SchemaVersion": "x", "GeneratorId": "g", "Compliance": None, "Resources": [7]},
    ]
    (tmp_path / "results.json").write_text(json.dumps(bare))
    assert [item.status for item in load_results(tmp_path / "results.json")] == ["UNKNOWN", "UNKNOWN"]


def test_prowlers_own_form_is_read_in_each_of_its_verdicts(tmp_path: Path) -> None:
    """The members that Prowler 5 writes. What it leaves to a person, and what it muted, is no pass."""
    written = {
        **PROWLER,
        "metadata": {
            "event_code": "bedrock_model_invocation_logging_enabled",
            "product": {"name": "Prowler", "uid": "prowler", "vendor_name": "Prowler", "version": "5.46.0"},
            "profiles": ["cloud", "datetime"], "tenant_uid": "", "version": "1.5.0",
        },
        "message": "m", "severity_id": 4, "status": "New", "status_id": 1, "type_uid": 200401,
        "unmapped": {"compliance": {"CIS-3.0": ["1.20"]}, "categories": ["gen-ai"]},
        "remediation": {"desc": "d", "references": ["https://example.com"]}, "risk_details": "r", "time": 1739539623,
    }  # fmt: skip
    verdicts = ("PASS", "FAIL", "MANUAL", "MUTED")
    file = tmp_path / "prowler.ocsf.json"
    muted = {"status": "Suppressed", "status_id": 3}
    events = [{**written, "status_code": code} for code in verdicts] + [
        {**written, **muted, "status_code": "FAIL"}
    ]
    file.write_text(json.dumps(events), encoding="utf-8")
    found = load_results(file)
    assert [item.status for item in found] == ["PASS", "FAIL", "UNKNOWN", "UNKNOWN", "FAIL"]
    assert {item.check for item in found} == {"bedrock_model_invocation_logging_enabled"}
    assert {item.tool for item in found} == {"Prowler"}


def test_security_hubs_own_form_is_read_in_each_of_its_verdicts(tmp_path: Path) -> None:
    file = tmp_path / "hub.json"
    statuses = ("PASSED", "FAILED", "WARNING", "NOT_AVAILABLE")
    findings = [{**HUB, "Compliance": {"Status": status}} for status in statuses]
    suppressed = {
        **HUB,
        "Compliance": {"Status": "FAILED"},
        "Workflow": {"Status": "SUPPRESSED"},
        "RecordState": "ACTIVE",
    }
    file.write_text(json.dumps({"Findings": [*findings, suppressed]}), encoding="utf-8")
    found = [item.status for item in load_results(file)]
    assert found[:2] == ["PASS", "FAIL"]
    assert "PASS" not in found[2:]
    assert found[-1] == "FAIL"


def test_our_own_ocsf_and_asff_are_read_too(tmp_path: Path) -> None:
    for form in ("ocsf", "asff"):
        (tmp_path / form).write_text(render(sample(), form))
        found = load_results(tmp_path / form)
        assert [item.status for item in found] == [str(item.status) for item in FINDINGS]
        assert {item.tool for item in found} == {"Ringwall"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[7]", "entry 1 is neither"),
        ("{}", "entry 1 is neither"),
        (json.dumps(PROWLER) + "\nnonsense", ":2: is not JSON"),
        ("[" * 100_000, ":1: is not JSON"),
    ],
)
def test_something_else_is_refused(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(RingwallError, match=told):
        load_results(tmp_path / "results.json")
    with pytest.raises(RingwallError, match="cannot be read"):
        load_results(tmp_path / "nothing.json")


def test_they_are_shown_and_change_nothing(tmp_path: Path) -> None:
    passed = sample((finding("models-restricted", Status.PASS, "r", "fine"),))
    beside = replace(passed, ingested=READ)
    assert beside.verdicts == passed.verdicts
    assert not counts(beside, "low")
    assert [item["tool"] for item in as_document(beside, "b")["ingested"]] == ["Prowler", "Security Hub"]
    page = render_html(beside)
    assert "bedrock_guardrails_configured" in page
    assert SCRIPT not in page
    assert "What other tools say" not in render_html(passed)
    bundle = write_bundle(beside, tmp_path / "bundle")
    assert verify_manifest(bundle) == ()
    assert json.loads((bundle / "ingested.json").read_text("utf-8"))[1]["check"] == "Bedrock.1"
