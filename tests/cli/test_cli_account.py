"""The commands on an account, as somebody would run them one after the other, against a sandbox."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from cli.command_line import QUICKSTART, Done, ringwall
from ringwall.audit.bundle import START, verify_manifest
from ringwall.controls import registry as controls
from ringwall.demo.world import environment
from ringwall.estate.model import canonical_json
from ringwall.sandbox import Sandbox

CONTROLS = {control.slug for control in controls()}
TRAIL_BUCKET = "ringwall-quickstart-trail-111122223333-us-east-1"
EXTRA_MODEL = (
    "  nova: us.amazon.nova-pro-v1:0\n",
    "  nova: us.amazon.nova-pro-v1:0\n  lite: us.amazon.nova-lite-v1:0\n",
)
EXTRA_USE = ("models: [claude, nova]", "models: [claude, nova, lite]")


@dataclass(frozen=True)
class Account:
    """A sandbox account in which the quickstart was applied by the commands themselves.

    Attributes:
        folder: working directory, with the declaration as ``ringwall.yaml``.
        first: what the commands said before anything was there, and while it was applied, by name.
    """

    folder: Path
    first: dict[str, Done]

    def client(self, service: str) -> Any:
        return boto3.Session(region_name="us-east-1").client(service)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    folder = tmp_path_factory.mktemp("account")
    (folder / "ringwall.yaml").write_text(QUICKSTART.read_text())
    with Sandbox() as sandbox, environment(sandbox.environment()), chdir(folder):
        first = {
            "plan": ringwall("plan", "--json", "--out", "first.json"),
            "apply": ringwall("apply"),
            "apply first.json": ringwall("apply", "first.json", "--json"),
            "second plan": ringwall("plan", "--json"),
        }
        yield Account(folder, first)


# -- without an account ------------------------------------------------------------------------------------------------


def test_compile_writes_an_estate(tmp_path: Path) -> None:
    target = tmp_path / "desired.json"
    done = ringwall("compile", "--file", str(QUICKSTART), "--out", str(target))
    assert (done.code, done.out) == (0, "")
    resources = json.loads(target.read_text())["resources"]
    assert re.search(rf": {len(resources)} resources$", done.err.strip())
    assert len(ringwall("compile", "--file", str(QUICKSTART)).valid("estate")["resources"]) == len(resources)


def test_prove_proves_every_claim_of_the_declaration() -> None:
    done = ringwall("prove", str(QUICKSTART), "--json")
    assert done.code == 0
    verdicts = {item["id"]: item["verdict"] for item in done.json}
    assert set(verdicts.values()) == {"holds"}
    assert {"guardrail-always-pinned", "app-can-converse-claude"} <= verdicts.keys()


# -- plan and apply ----------------------------------------------------------------------------------------------------


def test_plan_as_json_is_valid_under_its_schema_and_alone_on_standard_output(account: Account) -> None:
    plan = account.first["plan"]
    assert (plan.code, plan.err.strip()) == (2, "wrote first.json")
    created = [change["id"] for change in plan.valid("plan")["changes"] if change["action"] == "create"]
    assert {"guardrail/baseline", "scp/guardrail", "trail/main", "role/app"} <= set(created)


def test_apply_without_a_terminal_and_without_yes_shows_the_plan_and_stops(account: Account) -> None:
    """That it changed nothing is seen from the saved plan, which still fits afterwards."""
    apply = account.first["apply"]
    assert apply.code == 3
    assert apply.err.strip() == "ringwall: nothing was changed: confirm with --yes"
    assert leads_with_access(apply.out)
    assert account.first["apply first.json"].code == 0


def leads_with_access(text: str) -> bool:
    first, *lines = text.splitlines()
    allows = "  + newly ALLOWS  role/quickstart-app  bedrock:InvokeModel"
    return first == "ACCESS" and any(line.startswith(allows) for line in lines)


def test_a_reviewed_plan_is_applied_without_a_question(account: Account) -> None:
    apply = account.first["apply first.json"]
    assert apply.code == 0
    document = apply.valid("apply")
    assert document["complete"] is True
    assert len(document["done"]) > 40
    assert document["failed"] == document["not_attempted"] == []


def test_a_second_plan_is_empty(account: Account) -> None:
    plan = account.first["second plan"]
    assert plan.code == 0
    assert {change["action"] for change in plan.valid("plan")["changes"]} <= {"no-op"}


def test_applying_again_does_nothing(account: Account) -> None:
    done = ringwall("apply", "--yes", "--json")
    assert (done.code, done.valid("apply")["done"], done.err.strip()) == (0, [], "nothing to change")


def test_a_saved_plan_is_refused_once_the_account_moved(account: Account) -> None:
    done = ringwall("apply", "first.json")
    assert done.code == 1
    assert done.err.startswith(
        "ringwall: The account changed since the plan was saved; review a new one with `ringwall plan`"
    )
    assert done.out == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not a saved plan"),
        ("[]", "is not a plan that this version saved"),
        (None, "cannot be read: No such file"),
    ],
)
def test_what_is_no_saved_plan_is_refused(
    account: Account, tmp_path: Path, text: str | None, words: str
) -> None:
    saved = tmp_path / "plan.json"
    if text is not None:
        saved.write_text(text)
    done = ringwall("apply", str(saved))
    assert (done.code, words in done.err, "Traceback" in done.err) == (1, True, False)


def test_widening_access_needs_its_own_confirmation(account: Account, tmp_path: Path) -> None:
    wider = tmp_path / "ringwall.yaml"
    wider.write_text(QUICKSTART.read_text().replace(*EXTRA_MODEL).replace(*EXTRA_USE))
    refused = ringwall("apply", "--yes", "--file", str(wider))
    assert refused.code == 3
    assert "--allow-widening" in refused.err.splitlines()[0]
    assert "nova-lite" in refused.out
    assert ringwall("plan").code == 0

    widened = ringwall("apply", "--yes", "--allow-widening", "--file", str(wider))
    narrowed = ringwall("apply", "--yes")
    assert (widened.code, narrowed.code) == (0, 0)
    assert "newly DENIES  role/quickstart-app" in narrowed.out


# -- looking -----------------------------------------------------------------------------------------------------------


def test_drift_is_clean_until_somebody_changes_something(account: Account) -> None:
    clean = ringwall("drift", "--json")
    assert clean.code == 0
    assert clean.valid("drift")["changed"] == []
    trail = account.client("cloudtrail")
    trail.stop_logging(Name="quickstart-bedrock")
    plain, found = ringwall("drift"), ringwall("drift", "--json")
    trail.start_logging(Name="quickstart-bedrock")
    assert (plain.code, found.code) == (2, 2)
    assert "trail/main" in plain.out
    assert "IsLogging" in plain.out
    assert [change["id"] for change in found.valid("drift")["changed"]] == ["trail/main"]


def test_audit_passes_and_leaves_report_and_evidence(account: Account) -> None:
    done = ringwall("audit", "--json", "--out", "evidence", "--report", "audit.html")
    assert done.code == 0
    document = done.valid("audit")
    undeclared = (
        "guardrail-enforced", "knowledge-base-sources", "resources-stay-in-organization", "nothing-shared-outside",
        "agentcore-enclosed", "calls-stayed-inside", "vector-store-closed",
    )  # fmt: skip
    verdicts = {**dict.fromkeys(CONTROLS, "PASS"), **dict.fromkeys(undeclared, "NOT_APPLICABLE")}
    assert document["summary"]["controls"] == verdicts
    assert document["bundle"] == "evidence"
    judged = [item for item in document["findings"] if item["status"] != "NOT_APPLICABLE"]
    assert all(finding["evidence"] for finding in judged)
    assert verify_manifest(account.folder / "evidence") == ()
    assert "<html" in (account.folder / "audit.html").read_text()[:2000]
    again = ringwall("audit", "--out", "evidence", "--report", "audit.html")
    assert (again.code, "evidence is not empty: name another folder with --out" in again.err) == (1, True)


def test_the_bundle_is_verified_offline_and_compared_with_the_next(account: Account) -> None:
    ringwall("audit", "--out", "verified", "--report", "audit.html")
    with bare_environment():
        done = ringwall("audit", "verify", "verified", "--json")
        assert done.code == 0, done.out
        assert done.json["problems"] == []
    logging = account.client("bedrock").get_model_invocation_logging_configuration()["loggingConfig"]
    account.client("bedrock").delete_model_invocation_logging_configuration()
    ringwall("audit", "--out", "logging-off", "--report", "audit.html")
    account.client("bedrock").put_model_invocation_logging_configuration(loggingConfig=logging)
    done = ringwall("audit", "diff", "verified", "logging-off", "--json")
    assert done.code == 2
    worse = [item["key"] for item in done.json["changes"] if item["worse"]]
    assert any(key.startswith("invocation-logging-delivers") for key in worse)
    assert ringwall("audit", "diff", "verified", "verified").out == "nothing changed\n"


def test_a_verdict_that_does_not_follow_from_the_evidence_is_found_even_in_a_whole_chain(
    account: Account,
) -> None:
    account.client("bedrock").delete_model_invocation_logging_configuration()
    ringwall("audit", "--out", "forged", "--report", "audit.html")
    ringwall("apply", "--yes", "--allow-widening")
    path = account.folder / "forged" / "findings.json"
    path.write_text(path.read_text().replace('"FAIL"', '"PASS"'))
    chain_again(account.folder / "forged")
    done = ringwall("audit", "verify", "forged")
    assert done.code == 2
    assert re.search(r"finding invocation-logging-delivers .* says PASS, the evidence says FAIL", done.out)


def chain_again(folder: Path) -> None:
    """What a forger would do: digests, chain and seal over the files as they are now."""
    manifest = json.loads((folder / "manifest.json").read_text())
    chain = START
    for entry in manifest["files"]:
        entry["sha256"] = hashlib.sha256((folder / entry["name"]).read_bytes()).hexdigest()
        chain = hashlib.sha256(f"{chain}\n{entry['name']}\n{entry['sha256']}".encode()).hexdigest()
        entry["chain"] = chain
    manifest["head"] = chain
    del manifest["seal"]
    manifest["seal"] = hashlib.sha256(canonical_json(manifest).encode()).hexdigest()
    (folder / "manifest.json").write_text(
        json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    )


@contextmanager
def bare_environment() -> Iterator[None]:
    """Nobody to ask: without credentials, endpoints and proxies."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_") or "PROXY" in name.upper()]:
            patch.delenv(name)
        yield


def test_audit_writes_the_forms_that_pipelines_read(account: Account) -> None:
    forms = ("ocsf", "sarif", "junit", "csv", "asff", "oscal")
    options = [f"--format={form}=findings.{form}" for form in forms]
    done = ringwall("audit", "--out", "forms", "--report", "audit.html", *options)
    assert done.code == 0, done.err
    for form in forms:
        text = (account.folder / f"findings.{form}").read_text()
        assert all(slug in text for slug in CONTROLS), form


def test_standard_output_holds_one_form(account: Account) -> None:
    done = ringwall("audit", "--out", "one", "--report", "audit.html", "--format", "junit")
    assert (done.code, done.out[:38]) == (0, '<?xml version="1.0" encoding="UTF-8"?>')
    assert ringwall("audit", "--format", "junit", "--json").code == 1
    wrong = ringwall("audit", "--format", "pdf")
    assert (wrong.code, "formats are ocsf, sarif" in wrong.err) == (1, True)


def test_audit_exits_with_2_and_says_what_to_do(account: Account) -> None:
    alarms = account.client("cloudwatch")
    alarms.disable_alarm_actions(AlarmNames=["quickstart-mantle-use"])
    found = ringwall("audit", "--out", "muted", "--report", "muted.html")
    tolerant = ringwall("audit", "--out", "muted-2", "--report", "muted.html", "--fail-on", "critical")
    alarms.enable_alarm_actions(AlarmNames=["quickstart-mantle-use"])
    assert (found.code, tolerant.code) == (2, 0)
    assert re.search(r"^  FAIL +alarms-reach-someone", found.out, re.MULTILINE)
    assert "its actions are switched off" in found.out
    assert "ringwall apply" in found.out


def test_what_is_there_is_proved_live_and_from_a_snapshot(account: Account) -> None:
    live = ringwall("prove", "--live")
    assert live.code == 0
    assert "VIOLATED" not in live.out
    saved = ringwall("snapshot", "--out", "snapshot.json")
    assert saved.code == 0
    assert re.search(r"^\d+ resources$", saved.err.strip())
    replayed = ringwall("prove", "--estate", "snapshot.json", "--json")
    assert (replayed.code, {item["verdict"] for item in replayed.json}) == (0, {"holds"})
    assert ringwall("snapshot").valid("estate")["source"] == "observed"


# -- the way back ------------------------------------------------------------------------------------------------------


def test_destroy_asks_keeps_the_logs_with_their_keys_and_can_be_undone(account: Account) -> None:
    account.client("s3").put_object(Bucket=TRAIL_BUCKET, Key="AWSLogs/kept", Body=b"a record")
    asked = ringwall("destroy")
    assert asked.code == 3
    assert asked.err.strip() == "ringwall: nothing was removed: confirm with --yes"
    assert "quickstart-app" in roles(account)

    done = ringwall("destroy", "--yes")
    assert done.code == 0
    assert done.out.index("KEPT") < done.out.index(TRAIL_BUCKET, done.out.index("KEPT"))
    assert f"bucket-policy/trail  ({TRAIL_BUCKET})  it belongs to bucket/trail" in done.out
    assert "aws logs put-log-group-deletion-protection" in done.out
    assert "aws kms schedule-key-deletion" in done.out
    kept = account.client("s3").get_object(Bucket=TRAIL_BUCKET, Key="AWSLogs/kept")
    assert kept["Body"].read() == b"a record"
    assert "quickstart-app" not in roles(account)

    again = ringwall("apply", "--yes", "--json")
    assert again.code == 0
    made = {item["id"] for item in again.json["done"]}
    assert "role/app" in made
    assert not made & {"bucket/trail", "key/trail"}
    assert ringwall("plan").code == 0


def roles(account: Account) -> set[str]:
    return {item["RoleName"] for item in account.client("iam").list_roles()["Roles"]}


# -- the sandbox -------------------------------------------------------------------------------------------------------


def command(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ringwall", *arguments],
        capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL, **options,
    )  # fmt: skip


def test_sandbox_passes_the_exit_code_of_its_command_on() -> None:
    probe = "import os,sys; print(os.environ['AWS_ENDPOINT_URL']); sys.exit(7)"
    done = command("sandbox", "--", sys.executable, "-c", probe, env={**os.environ, "AWS_PROFILE": "mine"})
    assert done.returncode == 7
    assert re.fullmatch(r"https://127\.0\.0\.1:\d+", done.stdout.strip())


def test_sandbox_runs_a_plan_against_itself() -> None:
    done = command("sandbox", "--", sys.executable, "-m", "ringwall", "plan", "--file", str(QUICKSTART))
    assert done.returncode == 2, done.stderr
    assert leads_with_access(done.stdout)


def test_sandbox_whose_command_does_not_exist_says_so() -> None:
    done = command("sandbox", "--", "no-such-command")
    assert done.returncode == 1
    assert done.stderr.startswith("ringwall: no-such-command cannot be run: ")
    assert "Traceback" not in done.stderr


def test_sandbox_writes_an_env_file_and_ends_with_0_on_sigterm(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.env"
    with subprocess.Popen(
        [sys.executable, "-m", "ringwall", "sandbox", "--env-file", str(file)],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        settings = dict(line.split("=", 1) for line in file.read_text().splitlines())
        mode = file.stat().st_mode & 0o777
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
        code = process.wait(timeout=60)
    assert code == 0
    assert file.read_text() == first + rest
    assert mode == 0o600
    assert settings.keys() >= {
        "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_CA_BUNDLE",
        "HTTPS_PROXY", "NO_PROXY",
    }  # fmt: skip
