"""``audit --estate``: a saved Estate in place of the live account, by the command, without a network or credentials."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from controls.controls_estates import QUICKSTART, desired
from ringwall.cli import main
from ringwall.controls.findings import Status
from ringwall.estate import codec


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the quickstart's Estate, in an environment without credentials."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "saved.json").write_text(codec.dumps(desired()), encoding="utf-8")
    return tmp_path


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


def as_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = run(*arguments, "--json")
    return code, json.loads(capsys.readouterr().out)


def test_what_a_declaration_compiles_to_passes_by_that_declaration(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = as_json(
        capsys, "audit", "--estate", "saved.json", "--declaration", str(QUICKSTART), "--out", "bundle"
    )
    assert code == 0, [item for item in found["findings"] if item["status"] == Status.FAIL]
    assert set(found["summary"]["statuses"]) >= {"PASS", "FAIL"}
    assert found["summary"]["statuses"]["FAIL"] == found["summary"]["statuses"]["UNKNOWN"] == 0
    assert found["summary"]["account"] == "111122223333"
    assert set(found["summary"]["proofs"].values()) == {"holds"}
    assert (place / "report.html").exists()


def test_its_verdicts_are_derived_again_and_an_edited_estate_is_found(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("audit", "--estate", "saved.json", "--declaration", str(QUICKSTART), "--out", "bundle")
    capsys.readouterr()
    code, found = as_json(capsys, "audit", "verify", "bundle")
    assert (code, found["holds"], found["saved_estate"], found["signature"]) == (0, True, True, None)
    path = place / "bundle" / "estate.json"
    path.write_bytes(path.read_bytes().replace(b'"PrivateDnsEnabled": true', b'"PrivateDnsEnabled": false'))
    code, found = as_json(capsys, "audit", "verify", "bundle")
    assert code == 2
    assert "estate.json was changed" in found["problems"]


def test_without_a_declaration_the_baseline_is_judged(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del place
    code, found = as_json(capsys, "audit", "--estate", "saved.json", "--out", "bundle")
    assert code == 2
    assert found["summary"]["controls"]["guardrail-cannot-be-bypassed"] == "PASS"
    assert found["summary"]["account"] == "111122223333"


def test_a_fault_in_a_saved_estate_is_found(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = place / "saved.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    for resource in document["resources"]:
        if resource["type"] == "AWS::EC2::VPCEndpoint":
            resource["properties"]["PrivateDnsEnabled"] = False
    path.write_text(json.dumps(document), encoding="utf-8")
    code, found = as_json(
        capsys, "audit", "--estate", "saved.json", "--declaration", str(QUICKSTART), "--out", "bundle"
    )
    assert code == 2
    assert found["summary"]["controls"]["vpc-endpoint-effective"] == "FAIL"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--estate", "nowhere.json"], "nowhere.json cannot be read: No such file"),
        (["--estate", "text.txt"], "not an Estate file"),
        (["--estate", "saved.json", "--regions", "all"], "is judged as it is"),
        (
            ["--estate", "saved.json", "--management-role", "arn:aws:iam::1:role/x"],
            "is judged as it is",
        ),
        (["--estate", "saved.json", "--sign", "alias/x"], "--sign takes the ARN"),
        (["--ingest", "nowhere.json"], "nowhere.json cannot be read: No such file"),
        (["--waivers", "nowhere.yaml"], "nowhere.yaml cannot be read: No such file"),
        (["--format", "pdf"], "there is no format 'pdf'"),
        (["verify", "nowhere"], "nowhere is no evidence bundle"),
        (["verify", "."], "is no evidence bundle"),
        (["verify", ".", "--public-key", "nowhere.pem"], "nowhere.pem cannot be read"),
        (["diff", "nowhere", "nowhere"], "nowhere is no evidence bundle"),
        (["merge", "nowhere.json"], "nowhere.json cannot be read: No such file"),
        (["merge", "saved.json"], "is no audit plan"),
        (["run-shard", "nowhere.json", "--index", "0", "--of", "1"], "nowhere.json cannot be read"),
        (["--fail-on", "much"], "is not one of"),
        (["frobnicate"], "unexpected extra argument"),
    ],
)
def test_what_cannot_be_meant_is_said_in_one_line(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    (place / "text.txt").write_text("no json", encoding="utf-8")
    assert run("audit", *arguments) == 1
    told_lines = capsys.readouterr().err.splitlines()
    assert any(told in line for line in told_lines), told_lines
    assert not any("Traceback" in line or "Errno" in line for line in told_lines)


def test_without_credentials_the_live_account_is_not_guessed(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    del place
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    assert run("audit") == 1
    assert "NoCredentials" in capsys.readouterr().err
