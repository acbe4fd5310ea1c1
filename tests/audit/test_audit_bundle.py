"""The evidence bundle stands on its own, and a change to it is found."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from audit.audit_samples import FINDINGS, GUARDRAIL, RESPONSES, finding, sample
from ringwall.audit.bundle import open_bundle, verify_manifest, write_bundle
from ringwall.controls.findings import Status
from ringwall.errors import RingwallError
from ringwall.estate import codec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WRITTEN = (
    *(item for item in FINDINGS if item.status is not Status.UNKNOWN),
    finding("x", Status.PASS, "é", "ü"),
)
RESPONSE = f"responses/{GUARDRAIL.digest.replace(':', '-')}.json"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_bundle(sample(WRITTEN), tmp_path / "bundle")


def test_a_bundle_as_it_was_written_is_whole(bundle):
    assert verify_manifest(bundle) == ()


def test_a_bundle_holds_declaration_estate_findings_and_responses(bundle):
    audit = sample(WRITTEN)
    assert json.loads((bundle / "declaration.json").read_text("utf-8")) == audit.perimeter.to_json()
    assert codec.loads((bundle / "estate.json").read_text("utf-8")) == audit.observed
    assert [item["resource"] for item in json.loads((bundle / "findings.json").read_text("utf-8"))] == [
        item.resource for item in WRITTEN
    ]
    assert len(list((bundle / "responses").iterdir())) == len(RESPONSES)


def test_every_response_is_named_by_the_digest_of_its_file(bundle):
    for path in (bundle / "responses").iterdir():
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert path.name == f"sha256-{digest}.json"


def test_every_call_says_what_was_asked_by_whom_and_what_was_answered(bundle):
    calls = [json.loads(line) for line in (bundle / "calls.jsonl").read_text("utf-8").splitlines()]
    assert [item["digest"] for item in calls] == list(RESPONSES)
    assert all(
        item.keys()
        == {
            "account", "caller", "digest", "failed", "operation", "parameters", "redacted", "region", "request_id",
            "service", "time",
        }
        for item in calls
    )  # fmt: skip


def test_a_bundle_opens_to_the_reading_that_it_was_written_from(bundle):
    assert open_bundle(bundle).reading == sample(WRITTEN).reading


def test_the_same_audit_makes_the_same_bundle(bundle, tmp_path):
    other = write_bundle(sample(WRITTEN), tmp_path / "other")
    assert (other / "manifest.json").read_bytes() == (bundle / "manifest.json").read_bytes()


def change_one_character(folder: Path) -> None:
    path = folder / RESPONSE
    path.write_text(path.read_text("utf-8").replace("alert", "ALERT"), encoding="utf-8")


def change_line_endings(folder: Path) -> None:
    path = folder / "findings.json"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


def change_to_bytes_that_are_no_text(folder: Path) -> None:
    (folder / "estate.json").write_bytes(b"\xff\xfe")


def remove_a_file(folder: Path) -> None:
    (folder / RESPONSE).unlink()


def add_a_file(folder: Path) -> None:
    (folder / "responses" / "more.json").write_text("{}")


def edit_manifest(folder: Path, edit: Callable[[dict], None]) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    edit(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")


def reorder_entries(folder: Path) -> None:
    edit_manifest(folder, lambda manifest: manifest["files"].reverse())


def remove_a_file_and_its_entry(folder: Path) -> None:
    (folder / RESPONSE).unlink()
    edit_manifest(
        folder,
        lambda manifest: manifest.update(
            files=[item for item in manifest["files"] if item["name"] != RESPONSE]
        ),
    )


def remove_the_last_file_and_its_entry(folder: Path) -> None:
    edit_manifest(folder, lambda manifest: (folder / manifest["files"].pop()["name"]).unlink())


def change_a_file_and_its_digest(folder: Path) -> None:
    (folder / "declaration.json").write_bytes(b"{}\n")
    digest = hashlib.sha256(b"{}\n").hexdigest()
    edit_manifest(folder, lambda manifest: manifest["files"][0].update(sha256=digest))


def spoil_the_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_bytes(b'{"files": 7}')


def change_who_audited(folder: Path) -> None:
    edit_manifest(folder, lambda manifest: manifest.update(caller="arn:aws:iam::1:user/Other"))


def change_a_space_of_the_manifest(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_bytes(path.read_bytes() + b"\n")


def remove_the_seal(folder: Path) -> None:
    edit_manifest(folder, lambda manifest: manifest.pop("seal"))


def rename_a_response(folder: Path) -> None:
    (folder / RESPONSE).rename(folder / "responses" / "sha256-0.json")
    edit_manifest(
        folder,
        lambda manifest: manifest.update(
            files=[item for item in manifest["files"] if item["name"] != RESPONSE]
        ),
    )


def swap_two_answers(folder: Path) -> None:
    first, second = (
        folder / RESPONSE,
        next(p for p in (folder / "responses").iterdir() if p != folder / RESPONSE),
    )
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(two)
    second.write_bytes(one)


def _calls(folder: Path, change: Callable[[list[str]], list[str]]) -> None:
    path = folder / "calls.jsonl"
    path.write_text("".join(change(path.read_text("utf-8").splitlines(keepends=True))), encoding="utf-8")


def drop_a_call(folder: Path) -> None:
    _calls(folder, lambda lines: lines[1:])


def reorder_the_calls(folder: Path) -> None:
    _calls(folder, lambda lines: lines[::-1])


@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        (change_one_character, f"{RESPONSE} was changed"),
        (change_line_endings, "findings.json was changed"),
        (change_to_bytes_that_are_no_text, "estate.json was changed"),
        (remove_a_file, f"{RESPONSE} is missing"),
        (add_a_file, "responses/more.json is not in the manifest"),
        (reorder_entries, "declaration.json breaks the chain"),
        (remove_a_file_and_its_entry, "manifest.json does not list every file that was written"),
        (remove_the_last_file_and_its_entry, "manifest.json does not list every file that was written"),
        (change_a_file_and_its_digest, "declaration.json breaks the chain"),
        (spoil_the_manifest, "manifest.json cannot be read"),
        (change_who_audited, "manifest.json was changed"),
        (change_a_space_of_the_manifest, "manifest.json was changed"),
        (remove_the_seal, "manifest.json was changed"),
        (rename_a_response, "manifest.json does not list"),
        (swap_two_answers, f"{RESPONSE} was changed"),
        (drop_a_call, "calls.jsonl was changed"),
        (reorder_the_calls, "calls.jsonl was changed"),
    ],
)
def test_tampering_is_found(bundle, tamper, told):
    tamper(bundle)
    assert any(message.startswith(told) for message in verify_manifest(bundle))


def test_every_byte_of_every_file_counts(bundle):
    """The first, the middle and the last byte of each file, flipped one at a time."""
    for path in sorted(item for item in bundle.rglob("*") if item.is_file()):
        content = path.read_bytes()
        for position in {0, len(content) // 2, len(content) - 1}:
            changed = bytearray(content)
            changed[position] ^= 1
            path.write_bytes(bytes(changed))
            assert verify_manifest(bundle), (path.name, position)
        path.write_bytes(content)
    assert verify_manifest(bundle) == ()


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "precious").write_text("mine")
    with pytest.raises(RingwallError, match="is not empty"):
        write_bundle(sample(WRITTEN), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]
