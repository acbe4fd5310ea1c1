"""An audit that was interrupted goes on in its folder: nothing is asked twice, and the verdicts are the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ringwall.audit.bundle import require_empty, write_bundle
from ringwall.audit.run import judge, read_account
from ringwall.audit.verify import verify
from ringwall.catalog import load
from ringwall.demo.world import environment
from ringwall.errors import RingwallError
from ringwall.estate.connection import Connection, connect
from ringwall.estate.journal import JOURNAL, Journal
from ringwall.estate.recording import Recorded, key_of, record
from ringwall.sandbox import Sandbox

ACCOUNT, REGION = "111122223333", "us-east-1"
CALLER = f"arn:aws:iam::{ACCOUNT}:user/auditor"
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


class Stop(Exception):  # noqa: N818 - no error, the test's way to stop
    """Somebody pulls the plug."""


@pytest.fixture(scope="module", autouse=True)
def account() -> Iterator[None]:
    with Sandbox() as sandbox, environment(sandbox.environment()):
        yield


def connected(*, after: int | None = None) -> tuple[Connection, list[str]]:
    """A connection, and the operations that were really sent; the plug is pulled after so many."""
    aws, sent = connect("", region=REGION), []

    def count(model: Any, **_: Any) -> None:
        sent.append(model.name)
        if after is not None and len(sent) > after:
            raise Stop

    aws._session.register("before-call", count)
    return aws, sent


def test_what_was_read_is_not_asked_again_and_the_bundle_verifies(tmp_path: Path) -> None:
    whole, all_sent = connected()
    expected, _ = read_account(whole, None)
    first, _ = connected(after=40)
    folder = tmp_path / "bundle"
    first.go_on(Journal(folder / JOURNAL, first.caller))
    with pytest.raises(Stop):
        read_account(first, None)
    require_empty(folder)  # a journal is no hindrance

    second, sent = connected()
    journal = Journal(folder / JOURNAL, second.caller)
    second.go_on(journal)
    observed, reading = read_account(second, None)
    assert journal.taken_over > 20
    assert len(sent) < len(all_sent) - 20
    assert observed.resources == expected.resources
    verdict = judge(None, observed, load(), reading=reading)
    assert not verify(write_bundle(verdict, folder), load()).problems
    assert not (folder / JOURNAL).exists()
    times = {item.request_id: item.time for item in first.recording()}
    kept = [item for item in reading.calls if item.request_id in times]
    assert all(item.time == times[item.request_id] for item in kept)  # of the day when it was asked
    assert len(kept) >= journal.taken_over


def test_what_was_being_written_when_it_was_killed_is_written_again(tmp_path: Path) -> None:
    aws, _ = connected()
    aws.go_on(Journal(tmp_path / JOURNAL, aws.caller))
    observed, reading = read_account(aws, None)
    (tmp_path / "responses").mkdir()
    (tmp_path / "responses" / f"sha256-{'0' * 64}.json").write_text("{}", encoding="utf-8")
    (tmp_path / "calls.jsonl").write_text("{", encoding="utf-8")
    write_bundle(judge(None, observed, load(), reading=reading), tmp_path)
    assert not verify(tmp_path, load()).problems


def test_a_folder_of_something_else_is_left_alone_with_a_journal_too(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).write_text("", encoding="utf-8")
    (tmp_path / "diary.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(RingwallError, match="is not empty"):
        require_empty(tmp_path)


# -- which answers are taken over ------------------------------------------------------------------------------------


def answered(
    operation: str = "ListAgents",
    response: dict[str, Any] | None = None,
    *,
    service: str = "bedrock-agent",
    minutes: float = 1,
    caller: str = CALLER,
    failed: bool = False,
    **parameters: Any,
) -> Recorded:
    return record(
        service,
        operation,
        parameters,
        response or {"agentSummaries": []},
        account=ACCOUNT,
        region=REGION,
        caller=caller,
        request_id="r",
        time=(NOW - timedelta(minutes=minutes)).isoformat(timespec="milliseconds"),
        failed=failed,
    )


def reopened(folder: Path, *entries: Recorded, caller: str = CALLER) -> Journal:
    journal = Journal(folder / JOURNAL, CALLER)
    for entry in entries:
        journal.keep(entry)
    return Journal(folder / JOURNAL, caller, clock=lambda: NOW)


SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/Audit/ringwall-"
PAGE = {"agentSummaries": [{"agentId": "A"}], "nextToken": "t"}


@pytest.mark.parametrize(
    ("entries", "caller", "taken_over"),
    [
        ((answered(),), CALLER, 1),
        ((answered(minutes=61),), CALLER, 0),
        ((answered(caller=f"arn:aws:iam::{ACCOUNT}:user/other"),), CALLER, 0),
        ((answered(caller=f"{SESSION}1"),), f"{SESSION}2", 1),
        ((answered(failed=True, response={"Error": {"Code": "AccessDenied", "Message": ""}}),), CALLER, 0),
        ((answered("GetCallerIdentity", {"Account": ACCOUNT}, service="sts"),), CALLER, 0),
        ((answered("GetAgent", {"agent": {"instruction": "be kind"}}),), CALLER, 0),  # redacted
        ((answered(response=PAGE),), CALLER, 0),  # the token of the next page may be stale by now
        ((answered(response=PAGE), answered(nextToken="t")), CALLER, 2),
    ],
    ids=[
        "fresh",
        "old",
        "somebody-else",
        "another-session",
        "failed",
        "identity",
        "redacted",
        "half",
        "pages",
    ],
)
def test_taken_over(tmp_path: Path, entries: tuple[Recorded, ...], caller: str, taken_over: int) -> None:
    assert reopened(tmp_path, *entries, caller=caller).taken_over == taken_over


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"agentSummaries', '"agentSummarie5'),
        lambda text: text.replace("agentSummaries\\", "agentSummarie5\\"),
        lambda _: "null\n[]\n{}\n",
        lambda _: '{"redacted": 1}\n',
    ],
)
def test_a_damaged_line_is_no_answer(tmp_path: Path, damage: Callable[[str], str]) -> None:
    reopened(tmp_path, answered())
    path = tmp_path / JOURNAL
    text = path.read_text(encoding="utf-8")
    path.write_text(damage(text), encoding="utf-8")
    damaged = path.read_text(encoding="utf-8") != text
    assert Journal(path, CALLER, clock=lambda: NOW).taken_over == (not damaged)


def test_an_answer_is_found_by_what_was_asked(tmp_path: Path) -> None:
    journal = reopened(tmp_path, answered(maxResults=5))
    found = journal.answer(key_of(ACCOUNT, REGION, "bedrock-agent", "ListAgents", {"maxResults": 5}))
    assert found is not None
    assert json.loads(found.body) == {"agentSummaries": []}
    assert (
        journal.answer(key_of(ACCOUNT, "eu-west-1", "bedrock-agent", "ListAgents", {"maxResults": 5})) is None
    )
    assert journal.answer(key_of(ACCOUNT, REGION, "bedrock-agent", "ListAgents", {})) is None
