"""Waivers: what they cover, what they never do, and how a wrong file is told."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from audit.audit_samples import ACCOUNT, FINDINGS, finding, sample
from ringwall.audit.bundle import open_bundle, write_bundle
from ringwall.audit.formats import FORMATS, render
from ringwall.audit.report import render_html
from ringwall.audit.waivers import load_waivers, loads_waivers, to_json, waive
from ringwall.cli.auditing import as_document, counts, lines
from ringwall.controls.findings import Status, Waiver
from ringwall.errors import DeclarationError

DAY = "2026-03-01T23:59:59+00:00"
ONE = """\
waivers:
  - control: keys-effective
    resource: "arn:aws:kms:*"
    owner: security@example.com
    reason: rotation follows in April
    expires: 2026-03-01
"""
WAIVER = Waiver(
    "keys-effective", "arn:aws:kms:*", "security@example.com", "rotation follows in April", date(2026, 3, 1)
)
FAILED = finding("keys-effective", Status.FAIL, "arn:aws:kms:us-east-1:111122223333:key/1", "it is disabled")


def test_a_file_is_read() -> None:
    assert loads_waivers(ONE) == (WAIVER,)
    assert loads_waivers(json.dumps(to_json((WAIVER,)))) == (WAIVER,)


@pytest.mark.parametrize(
    ("change", "waived"),
    [
        ({}, True),
        ({"resource": "*"}, True),
        ({"resource": "arn:aws:kms:us-east-1:111122223333:key/?"}, True),
        ({"resource": "arn:aws:kms"}, False),
        ({"control": "models-restricted"}, False),
        ({"account": ACCOUNT, "region": "us-east-1"}, True),
        ({"account": "444455556666"}, False),
        ({"region": "eu-west-1"}, False),
        ({"expires": date(2026, 2, 28)}, False),
    ],
)
def test_what_a_waiver_covers(change: dict[str, object], waived: bool) -> None:
    found = waive((FAILED,), (replace(WAIVER, **change),), DAY)
    assert (found.findings[0].waiver is not None) is waived
    assert found.findings[0].status is Status.FAIL


@pytest.mark.parametrize("status", [item for item in Status if item is not Status.FAIL])
def test_only_failures_are_waived(status: Status) -> None:
    found = waive((replace(FAILED, status=status),), (WAIVER,), DAY)
    assert found.findings[0].waiver is None
    assert found.unused == (WAIVER,)


def test_an_expired_waiver_is_named_and_covers_nothing() -> None:
    found = waive((FAILED,), (WAIVER,), "2026-03-02T00:00:00+00:00")
    assert (found.expired, found.unused, found.findings[0].waiver) == ((WAIVER,), (), None)
    assert waive((FAILED,), (WAIVER,), "").expired == (WAIVER,)


def waived_sample():
    """The sample with its failure waived, one expired and one unused waiver."""
    failure = next(item for item in FINDINGS if item.status is Status.FAIL)
    covering = Waiver(failure.control, "*", "owner@example.com", "<b>because</b>", date(2099, 1, 1))
    expired, unused = replace(covering, expires=date(2020, 1, 1)), replace(covering, resource="nothing")
    audit = sample()
    found = waive(audit.findings, (covering, expired, unused), audit.taken_at)
    return replace(
        audit,
        findings=found.findings,
        waivers=(covering, expired, unused),
        expired=found.expired,
        unused=found.unused,
    )


def test_a_waived_failure_stays_one_and_does_not_count() -> None:
    audit = waived_sample()
    known = replace(audit, findings=tuple(f for f in audit.findings if f.status is not Status.UNKNOWN))
    assert audit.verdicts == sample().verdicts
    assert not known.clean
    assert not counts(known, "low")
    assert counts(replace(known, findings=sample().findings[:1]), "low")
    document = as_document(audit, "bundle")
    assert [item["waiver"]["owner"] for item in document["findings"] if item["waiver"]] == [
        "owner@example.com"
    ]
    assert document["summary"]["waivers"]["waived"] == 1
    told = "\n".join(line.text for line in lines(audit))
    assert "waived: by owner@example.com until 2099-01-01" in told
    assert "waiver expired: guardrail-cannot-be-bypassed" in told
    assert "waiver matches nothing: guardrail-cannot-be-bypassed nothing" in told


@pytest.mark.parametrize("form", FORMATS)
def test_every_form_says_that_it_is_waived(form: str) -> None:
    text = render(waived_sample(), form)
    assert "owner@example.com" in text
    assert text.count("owner@example.com") < 4


def test_a_waived_failure_is_still_a_failure_in_every_form() -> None:
    audit = waived_sample()
    assert json.loads(render(audit, "ocsf"))[0]["compliance"]["status"] == "Fail"
    assert json.loads(render(audit, "ocsf"))[0]["status"] == "Suppressed"
    assert json.loads(render(audit, "asff"))[0]["Compliance"]["Status"] == "FAILED"
    assert json.loads(render(audit, "sarif"))["runs"][0]["results"][0]["kind"] == "fail"
    assert next(csv.DictReader(io.StringIO(render(audit, "csv"))))["status"] == "FAIL"
    assert 'failures="0"' in render(audit, "junit")
    target = json.loads(render(audit, "oscal"))["assessment-results"]["results"][0]["findings"][0]["target"]
    assert target["status"]["state"] == "not-satisfied"


def test_the_report_says_who_answers_for_it_escaped() -> None:
    page = render_html(waived_sample())
    assert "by owner@example.com until 2099-01-01" in page
    assert "<b>because</b>" not in page


def test_the_bundle_keeps_them(tmp_path: Path) -> None:
    audit = waived_sample()
    known = replace(audit, findings=tuple(f for f in audit.findings if f.status is not Status.UNKNOWN))
    opened = open_bundle(write_bundle(known, tmp_path / "bundle"))
    assert opened.waivers == audit.waivers
    assert json.loads(opened.verdicts["findings.json"])[0]["waiver"]["reason"] == "<b>because</b>"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("waivers: 3\n", "1:1: must be a mapping that holds `waivers`, a list"),
        ("[]\n", "1:1: must be a mapping"),
        ("waivers:\n  - 7\n", "2:5: waivers[0]: must be a mapping"),
        (ONE + "more: 1\n", "1:1: must be a mapping that holds"),
        (ONE.replace("keys-effective", "keys-efective"), "2:14: waivers[0].control: there is no control 'keys-efective', did you mean keys-effective?"),
        (ONE.replace("owner:", "ownr:"), "4:5: waivers[0].ownr: unknown field, did you mean owner?"),
        (ONE.replace("    owner: security@example.com\n", ""), "2:5: waivers[0].owner: this field is required"),
        (ONE.replace("2026-03-01", "soon"), "6:14: waivers[0].expires: must be a day such as 2027-01-31, not 'soon'"),
        (ONE.replace("2026-03-01", "2026-03-01T12:00:00Z"), "6:14: waivers[0].expires: must be a day"),
        (ONE.replace("2026-03-01", "'2026-02-30'"), "6:14: waivers[0].expires: must be a day"),
        (ONE.replace("rotation follows in April", "''"), "5:13: waivers[0].reason: must hold 1 to 1024 characters"),
        (ONE + "    account: 111122223333\n", "7:14: waivers[0].account: must be text"),
        (ONE + "    account: 'x'\n", "7:14: waivers[0].account: 'x' is no account id"),
        (ONE + "    owner: twice\n", "7:5: "),
        ("waivers: [", ":1:"),
        ("waivers: \x00", ":1:10: "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        loads_waivers(text, file="waivers.yaml")
    assert any(told in str(problem) for problem in caught.value.problems), caught.value.problems
    assert all(str(problem).startswith("waivers.yaml:") for problem in caught.value.problems)


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(DeclarationError) as caught:
        loads_waivers(ONE.replace("keys-effective", "x").replace("2026-03-01", "soon"))
    assert len(caught.value.problems) == 2


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_bytes(b"waivers:\n\xff")
    with pytest.raises(DeclarationError, match=":2:1: is not UTF-8 text"):
        load_waivers(file)
