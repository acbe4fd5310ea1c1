"""The forms for pipelines, each against its own reader: schema models, service model, XML and CSV parsers."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any
from xml.etree import ElementTree as ET

import botocore.session
import jsonschema
import pytest
from botocore.validate import ParamValidator
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding
from py_ocsf_models.objects.cloud import Cloud
from pydantic import BaseModel

from audit.audit_samples import FINDINGS, LOST, SURROGATE, finding, sample
from ringwall.audit.formats import FORMATS, render
from ringwall.controls import registry
from ringwall.controls.findings import Remediation, Status

STATUSES = [item.status for item in FINDINGS]
LONG = finding(
    "keys-effective",
    Status.FAIL,
    "k" * 5000,
    "s" * 5000,
    remediation=Remediation("r" * 5000),
    evidence=(LOST,) * 99,
)
FORMULA = finding(
    "keys-effective", Status.FAIL, '=HYPERLINK("http://x")', "+1", remediation=Remediation("@SUM(A1)")
)
CONTROL = finding("keys-effective", Status.UNKNOWN, "nul \x00 and bell \x07", SURROGATE)
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def rendered(form: str, *findings: Any) -> str:
    return render(sample(findings or FINDINGS), form)


@pytest.mark.parametrize("form", FORMATS)
def test_every_form_holds_every_finding_and_can_be_written(form: str) -> None:
    text = rendered(form, *FINDINGS, LONG, FORMULA, CONTROL)
    text.encode("utf-8")
    assert all(item.control in text for item in FINDINGS)
    assert text == rendered(form, *FINDINGS, LONG, FORMULA, CONTROL)


@pytest.mark.parametrize("form", FORMATS)
def test_an_audit_without_findings_has_every_form(form: str) -> None:
    assert render(sample(()), form)


# -- OCSF --------------------------------------------------------------------------------------------------------------


def unknown_members(model: BaseModel, value: Any, where: str = "") -> list[str]:
    """Members that the schema's class does not have; pydantic lets them pass.

    Two that the schema has are missing in the library's models: ``cloud`` (of the profile) and ``compliance.status``.
    """
    found = []
    fields = type(model).model_fields
    for name, item in value.items():
        if name not in fields and f"{where}.{name}" not in {".cloud", ".compliance.status"}:
            found.append(f"{where}.{name}")
        inner = getattr(model, name, None)
        pairs = zip(inner, item, strict=True) if isinstance(inner, list) else [(inner, item)]
        for part, raw in pairs:
            if isinstance(part, BaseModel):
                found += unknown_members(part, raw, f"{where}.{name}")
    return found


def test_ocsf_events_are_compliance_findings_of_the_schema() -> None:
    events = json.loads(rendered("ocsf", *FINDINGS, LONG))
    for event in events:
        model = ComplianceFinding.model_validate(event)
        assert unknown_members(model, event) == []
        assert unknown_members(Cloud.model_validate(event["cloud"]), event["cloud"], "cloud") == []
    assert {event["class_uid"] for event in events} == {2003}
    assert [event["compliance"]["status_id"] for event in events[:4]] == [3, 2, 1, 99]
    assert [event["severity_id"] for event in events[:4]] == [5, 4, 1, 1]
    assert events[0]["compliance"]["requirements"][0] == "SOC 2 CC6.1"
    assert events[0]["evidences"][0]["data"]["operation"] == "GetGuardrail"
    assert events[1]["evidences"][0]["data"] == {"digest": LOST}


def test_a_finding_keeps_its_name_from_run_to_run() -> None:
    first, second = (json.loads(render(sample(), "ocsf")) for _ in range(2))
    names = [event["finding_info"]["uid"] for event in first]
    assert names == [event["finding_info"]["uid"] for event in second]
    assert len(set(names)) == len(names)


# -- ASFF --------------------------------------------------------------------------------------------------------------


def test_asff_is_what_security_hub_takes() -> None:
    found = json.loads(rendered("asff", *FINDINGS, LONG))
    shape = (
        botocore.session.get_session()
        .get_service_model("securityhub")
        .operation_model("BatchImportFindings")
        .input_shape
    )
    report = ParamValidator().validate({"Findings": found}, shape)
    assert not report.has_errors(), report.generate_report()
    assert [item["Compliance"]["Status"] for item in found[:4]] == [
        "FAILED",
        "WARNING",
        "PASSED",
        "NOT_AVAILABLE",
    ]
    longest = found[-1]
    assert len(longest["Title"]) <= 256
    assert len(longest["Description"]) <= 1024
    assert len(longest["Remediation"]["Recommendation"]["Text"]) <= 512
    assert len(longest["Resources"][0]["Id"]) <= 512


# -- SARIF -------------------------------------------------------------------------------------------------------------

SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "items": {
                "required": ["tool", "results"],
                "properties": {
                    "results": {
                        "items": {
                            "required": ["message", "ruleId"],
                            "properties": {
                                "kind": {
                                    "enum": [
                                        "notApplicable",
                                        "pass",
                                        "fail",
                                        "review",
                                        "open",
                                        "informational",
                                    ]
                                },
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": {"required": ["text"]},
                            },
                            # 3.27.10: "If kind ... has any value other than fail, then ... level shall be none".
                            "if": {"not": {"properties": {"kind": {"const": "fail"}}}},
                            "then": {"properties": {"level": {"const": "none"}}},
                        }
                    }
                },
            }
        },
    },
}


def test_sarif_says_pass_open_and_not_applicable_apart_from_failures() -> None:
    log = json.loads(rendered("sarif"))
    jsonschema.validate(log, SARIF)
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [control.slug for control in registry()]
    assert [item["kind"] for item in run["results"]] == ["fail", "open", "pass", "notApplicable"]
    assert all(rules[item["ruleIndex"]]["id"] == item["ruleId"] for item in run["results"])
    assert re.fullmatch(r"[-\d]{10}T[:\d]{8}Z", run["invocations"][0]["endTimeUtc"])


def test_sarif_is_what_code_scanning_takes() -> None:
    """One result without a physical location, or one rule without a full description, and the whole log is refused."""
    (run,) = json.loads(rendered("sarif", *FINDINGS, LONG, FORMULA, CONTROL))["runs"]
    assert all(rule["fullDescription"]["text"] for rule in run["tool"]["driver"]["rules"])
    for item in run["results"]:
        (place,) = item["locations"]
        uri = place["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"[A-Za-z0-9_.~%/-]+", uri), uri
        assert not uri.startswith("/")


# -- JUnit and CSV -----------------------------------------------------------------------------------------------------


def test_junit_counts_unknown_as_an_error() -> None:
    root = ET.fromstring(rendered("junit", *FINDINGS, CONTROL))
    totals = {name: int(root.get(name, "")) for name in ("tests", "failures", "errors", "skipped")}
    assert totals == {"tests": 5, "failures": 1, "errors": 2, "skipped": 1}
    assert sum(int(suite.get("tests", "")) for suite in root) == 5
    assert [len(case) for suite in root for case in suite].count(0) == 1


def test_csv_has_a_row_a_finding_and_no_formulas() -> None:
    rows = list(csv.DictReader(io.StringIO(rendered("csv", *FINDINGS, FORMULA), newline="")))
    assert [row["status"] for row in rows] == [*map(str, STATUSES), "FAIL"]
    assert [rows[-1][name][:2] for name in ("resource", "summary", "remediation")] == ["'=", "'+", "'@"]


# -- OSCAL -------------------------------------------------------------------------------------------------------------


def test_oscal_links_findings_to_observations_and_these_to_the_bundle() -> None:
    document = json.loads(rendered("oscal"))["assessment-results"]
    assert UUID.fullmatch(document["uuid"])
    (plan,) = document["back-matter"]["resources"]
    assert document["import-ap"]["href"] == f"#{plan['uuid']}"
    (result,) = document["results"]
    observed = {item["uuid"]: item for item in result["observations"]}
    states = []
    for item in result["findings"]:
        (related,) = item["related-observations"]
        assert related["observation-uuid"] in observed
        states.append((item["target"]["status"]["state"], item["target"]["status"]["reason"]))
    assert states == [
        ("not-satisfied", "fail"),
        ("not-satisfied", "other"),
        ("satisfied", "pass"),
        ("satisfied", "other"),
    ]
    evidence = observed[result["findings"][0]["related-observations"][0]["observation-uuid"]][
        "relevant-evidence"
    ]
    assert re.fullmatch(r"responses/sha256-[0-9a-f]{64}\.json", evidence[0]["href"])
