"""``export`` and ``permissions``: which files are written, and what standard error says of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.command_line import QUICKSTART, ringwall

COMPLETE = QUICKSTART.parents[1] / "complete" / "ringwall.yaml"


def told(done):
    """Lines on standard error, what is missing aside."""
    return [line for line in done.err.splitlines() if not line.startswith("not in the export: ")]


def test_stacks_are_written_in_the_order_in_which_they_are_made(tmp_path):
    done = ringwall(
        "export", "cloudformation", "--stacksets", "--file", str(COMPLETE), "--out", str(tmp_path)
    )
    order = ["regional", "global", "regional-after", "organization"]
    names = [f"{name}.template.json" for name in order]
    assert (done.code, done.out) == (0, "")
    *wrote, long, last = told(done)
    assert wrote == [f"wrote {tmp_path / name}" for name in names]
    assert long == (
        "longer than 51,200 bytes, CloudFormation reads them from a bucket (--s3-bucket): "
        "regional.template.json, organization.template.json"
    )
    assert last == f"make the stacks in this order: {', '.join(order)}"
    gaps = [
        gap
        for name in names
        for gap in json.loads((tmp_path / name).read_text())["Metadata"]["Ringwall"]["NotExpressible"]
    ]
    assert len([line for line in done.err.splitlines() if line.startswith("not in")]) == len(gaps) > 5


def test_one_template_on_standard_output_says_which_others_there_are():
    done = ringwall("export", "cloudformation", "--file", str(QUICKSTART))
    assert json.loads(done.out)["Metadata"]["Ringwall"]["Part"] == "account"
    assert "this is account; others, with --part or all with --out: organization" in done.err.splitlines()


@pytest.mark.parametrize("file", [QUICKSTART, COMPLETE], ids=lambda file: file.parent.name)
@pytest.mark.parametrize("purpose", ["deploy", "drift", "audit"])
def test_policies_are_written_as_managed_policies_that_fit(tmp_path, purpose, file):
    printed = ringwall("permissions", purpose, "--file", str(file))
    whole = json.loads(printed.out)
    done = ringwall("permissions", purpose, "--file", str(file), "--out", str(tmp_path))
    files = [Path(line.removeprefix("wrote ")) for line in done.err.splitlines()]
    assert files == [tmp_path / f"{purpose}-{number}.json" for number, _ in enumerate(files, 1)]
    parts = [json.loads(path.read_text()) for path in files]
    assert [item for part in parts for item in part["Statement"]] == whole["Statement"]
    assert all(len(json.dumps(part, separators=(",", ":"))) <= 6_144 for part in parts)
    assert ("--out DIR writes 2" in printed.err) == (len(parts) == 2) == (purpose == "deploy")


def test_data_is_removed_by_deployers_alone():
    for arguments in (("audit",), ("drift",), ("deploy", "--management")):
        done = ringwall("permissions", *arguments, "--purge", "--file", str(QUICKSTART))
        assert (done.code, done.out) == (1, "")
        assert "--purge is for deploying in the workload account" in done.err
