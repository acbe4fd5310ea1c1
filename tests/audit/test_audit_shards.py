"""Many accounts: the merged file is the same however the work was divided, and a killed shard goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from estate.estate_support import denied
from ringwall.audit import shards
from ringwall.audit.replayed import Replayed
from ringwall.audit.shards import Plan, audit_account, load_plan, merge, run_shard
from ringwall.cli import sharding
from ringwall.controls import registry
from ringwall.controls.findings import Finding, Status
from ringwall.errors import RingwallError

PLAN = Plan(tuple(f"{number:012d}" for number in range(1, 12)), "Audit")
CONTROLS = len(registry())


class Closed(Replayed):
    """Credentials that may assume no role."""

    def __init__(self) -> None:
        super().__init__({}, "999988887777", "us-east-1")

    def elsewhere(self, *, region: str | None = None, role: str | None = None) -> Any:
        raise denied("AssumeRole", f"sts:AssumeRole on {role}")


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Accounts that were read, in order; each has two findings."""
    read: list[str] = []

    def account(
        plan: Plan, aws: Any, management: Any, number: str, organization: Any = None
    ) -> tuple[Finding, ...]:
        del plan, aws, management, organization
        read.append(number)
        status = Status.FAIL if number.endswith("3") else Status.PASS
        values = ("high", "high", number, "us-east-1")
        return (
            Finding("models-restricted", status, *values, "b", "é\u2028"),
            Finding("keys-effective", Status.PASS, *values, "a", "x"),
        )

    monkeypatch.setattr(shards, "audit_account", account)
    monkeypatch.setattr(shards, "_reader", lambda plan: shards._Reader(plan, Closed(), None, None))
    return read


def merged(folder: Path, of: int, order: list[int]) -> bytes:
    for index in order:
        run_shard(PLAN, index, of, folder / "shards")
    merge(PLAN, folder / "shards", folder / "merged.ndjson")
    return (folder / "merged.ndjson").read_bytes()


@pytest.mark.parametrize(
    ("of", "order"), [(3, [2, 0, 1]), (11, list(range(11))), (40, list(range(40))), (2, [0, 1, 0])]
)
def test_the_merged_file_is_the_same_to_the_byte(
    tmp_path: Path, reads: list[str], of: int, order: list[int]
) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "many").mkdir()
    alone = merged(tmp_path / "one", 1, [0])
    assert merged(tmp_path / "many", of, order) == alone
    lines = alone.splitlines(keepends=True)
    assert lines == sorted(lines)
    assert len(lines) == 2 * len(PLAN.accounts)
    assert len(reads) == 2 * len(PLAN.accounts)


def test_shards_divide_the_accounts() -> None:
    parts = [PLAN.shard(index, 4) for index in range(4)]
    assert sorted(account for part in parts for account in part) == list(PLAN.accounts)
    with pytest.raises(RingwallError, match="no shard 4 of 4"):
        PLAN.shard(4, 4)


def test_a_killed_shard_goes_on_where_it_was(
    tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write = shards._write

    def killed(path: Path, content: bytes) -> None:
        if path.name.startswith(PLAN.accounts[5]):
            path.with_name(f".{path.name}.1").write_bytes(content[:10])
            raise KeyboardInterrupt
        write(path, content)

    monkeypatch.setattr(shards, "_write", killed)
    with pytest.raises(KeyboardInterrupt):
        run_shard(PLAN, 0, 1, tmp_path)
    monkeypatch.setattr(shards, "_write", write)
    with pytest.raises(RingwallError, match="were not read yet"):
        merge(PLAN, tmp_path, tmp_path / "merged.ndjson")
    before = {path.stem for path in (tmp_path / "shard-00000-of-00001").glob("[0-9]*.ndjson")}
    reads.clear()
    run_shard(PLAN, 0, 1, tmp_path)
    assert set(reads) == set(PLAN.accounts) - before
    assert merge(PLAN, tmp_path, tmp_path / "merged.ndjson") == {
        "PASS": 21,
        "FAIL": 1,
        "UNKNOWN": 0,
        "NOT_APPLICABLE": 0,
    }


def test_results_of_another_plan_are_refused(tmp_path: Path, reads: list[str]) -> None:
    del reads
    run_shard(PLAN, 0, 1, tmp_path)
    other = Plan(PLAN.accounts, "Other")
    with pytest.raises(RingwallError, match="another plan"):
        run_shard(other, 0, 1, tmp_path)
    with pytest.raises(RingwallError, match="another plan"):
        merge(other, tmp_path, tmp_path / "merged.ndjson")


def test_an_account_that_cannot_be_reached_is_unknown_for_every_control() -> None:
    found = audit_account(PLAN, Closed(), None, PLAN.accounts[0])
    assert [item.status for item in found] == [Status.UNKNOWN] * CONTROLS
    role = f"arn:aws:iam::{PLAN.accounts[0]}:role/Audit"
    assert all(f"needs sts:AssumeRole on {role}" in item.summary for item in found)
    (nobody, *_) = audit_account(Plan(PLAN.accounts), Closed(), None, PLAN.accounts[0])
    assert "names no role" in nobody.summary


def test_a_plan_survives_its_file(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(PLAN.to_json()))
    assert load_plan(file) == PLAN
    for text in ("{}", "[]", '{"version": 7}', json.dumps({**PLAN.to_json(), "more": 1}), "nonsense"):
        file.write_text(text)
        with pytest.raises(RingwallError):
            load_plan(file)


def test_a_plan_is_written_and_run_by_commands(
    tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke
    accounts = ",".join(reversed(PLAN.accounts))
    made = run(sharding.plan, ["--accounts", accounts, "--role-name", "Audit", "--regions", "us-east-1"])
    assert made.exit_code == 0, made.output
    assert load_plan("plan.json").accounts == PLAN.accounts
    for index in ("0", "1"):
        variables = {"AWS_BATCH_JOB_ARRAY_INDEX": index, "AWS_BATCH_JOB_ARRAY_SIZE": "2"}
        done = run(sharding.run_shard, ["plan.json", "--processes", "1"], env=variables)
        assert done.exit_code == 0, done.output
    assert sorted(reads) == list(PLAN.accounts)
    merged_ = run(sharding.merge, ["plan.json", "--json"], standalone_mode=False)
    assert merged_.return_value == 2
    assert json.loads(merged_.stdout)["statuses"]["FAIL"] == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "name accounts with --accounts"),
        (["--accounts", "111122223333", "--organization"], "name accounts with --accounts"),
        (["--accounts", "12"], "is no account id"),
        (["--accounts", "111122223333,444455556666"], "need --role-name"),
    ],
)
def test_a_plan_that_cannot_be_meant_is_refused(arguments: list[str], told: str) -> None:
    refused = CliRunner().invoke(sharding.plan, arguments)
    assert isinstance(refused.exception, RingwallError)
    assert told in str(refused.exception)
