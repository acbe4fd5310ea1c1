"""What the tools of others say of the exports, against the list of what may stay; and that the list is none of excuses.

A tool that is not installed is not run: its test says so and is left out. `make exports-tools` installs them.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from ringwall.demo.world import environment
from ringwall.sandbox import Sandbox

SCRIPT = Path(__file__).parents[2] / "scripts" / "check_exports.py"


def _script():
    found = importlib.util.spec_from_file_location("check_exports", SCRIPT)
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module
    found.loader.exec_module(module)
    return module


check_exports = _script()
Found, Listed = check_exports.Found, check_exports.Listed


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    check_exports.export(folder)
    return folder


@pytest.mark.parametrize("tool", check_exports.TOOLS)
def test_findings_are_those_of_the_list(tool, request):
    program = check_exports.find(tool)
    if program is None or (tool == "terraform" and not check_exports.PLUGINS.is_dir()):
        pytest.skip(f"{tool} is not installed, or without its provider: not run")
    found = check_exports.TOOLS[tool](program, request.getfixturevalue("exports"))
    assert list(check_exports.disagreements(tool, found, check_exports.listed())) == []


def test_terraform_plans_every_resource_against_the_sandbox(exports):
    program = check_exports.find("terraform")
    if program is None or not check_exports.PLUGINS.is_dir():
        pytest.skip("terraform is not installed, or without its provider: not run")
    where = exports / "quickstart" / "terraform"
    made = json.loads((where / "main.tf.json").read_text(encoding="utf-8"))["resource"]
    with Sandbox() as sandbox, environment(sandbox.environment()):
        init = [program, "init", "-backend=false", "-input=false", f"-plugin-dir={check_exports.PLUGINS}"]
        subprocess.run(init, cwd=where, check=True, capture_output=True)
        plan = [program, "plan", "-input=false", "-no-color", "-detailed-exitcode"]
        done = subprocess.run(plan, cwd=where, check=False, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    number = sum(map(len, made.values()))
    assert f"Plan: {number} to add, 0 to change, 0 to destroy." in done.stdout


def test_every_line_of_the_list_says_why():
    rows = check_exports.listed()
    assert {row.tool for row in rows} <= set(check_exports.TOOLS)
    assert all(row.where and row.asks and row.why for row in rows)
    assert len({(row.tool, row.check) for row in rows}) == len(rows)
    assert not any(pattern.strip("*.") == "" for row in rows for pattern in row.where)


ROW = Listed("checkov", "CKV_1", ("aws_s3_bucket.*", "resource.main"), "a", "b")
BUCKET, MAIN = Found("CKV_1", "aws_s3_bucket.logs"), Found("CKV_1", "resource.main")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([BUCKET, MAIN, BUCKET], []),
        ([BUCKET, MAIN, Found("CKV_2", "resource.main")], ["CKV_2 on resource.main is not listed"]),
        ([BUCKET, MAIN, Found("CKV_1", "resource.other")], ["CKV_1 on resource.other is not listed"]),
        ([BUCKET], ["CKV_1 on resource.main is listed, and nothing reports it"]),
    ],
)
def test_both_ways(found, words):
    assert list(check_exports.disagreements("checkov", found, [ROW])) == words
    assert list(check_exports.disagreements("parliament", [], [ROW])) == []
