"""Check the quickstart's exports with the tools of others: cfn-lint, parliament, checkov, terraform.

Each runs if it is installed (on the path, or beside this Python). What they may report stands in docs/export-findings.md;
anything else fails. Tools that are not there are named: they were not run, which is no pass.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
DECLARATION = ROOT / "examples" / "quickstart" / "ringwall.yaml"
FINDINGS = ROOT / "docs" / "export-findings.md"


def main() -> int:
    """Export, run what there is, and report; 1 if something is not as listed."""
    allowed = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", FINDINGS.read_text(encoding="utf-8")))
    bad = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for arguments in (("cloudformation",), ("cloudformation", "--stacksets"), ("terraform",)):
            _ringwall(*arguments, "--out", str(folder / arguments[0]))
        for tool, run in TOOLS.items():
            program = _find(tool)
            if program is None:
                print(f"not run   {tool}: it is not installed")
                continue
            found = sorted(set(run(program, folder)) - allowed)
            bad = bad or bool(found)
            print(f"{'findings' if found else 'clean'}  {tool}  {', '.join(found)}".rstrip())
    return int(bad)


def _ringwall(*arguments: str) -> None:
    command = [sys.executable, "-m", "ringwall", "export", *arguments, "--file", str(DECLARATION)]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)  # noqa: S603 - our own program


def _find(tool: str) -> str | None:
    beside = Path(sys.executable).with_name(tool)
    return str(beside) if beside.exists() else shutil.which(tool)


def _output(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=cwd)  # noqa: S603 - a tool of the table
    return done.stdout


def _cfn_lint(program: str, folder: Path) -> Iterator[str]:
    files = map(str, sorted((folder / "cloudformation").glob("*.json")))
    for item in json.loads(_output(program, "--format", "json", *files) or "[]"):
        yield f"{item['Rule']['Id']} {item['Message']}"


def _terraform(program: str, folder: Path) -> Iterator[str]:
    where = folder / "terraform"
    _output(program, "init", "-backend=false", "-input=false", cwd=where)
    answer = json.loads(
        _output(program, "validate", "-json", cwd=where) or '{"valid": false, "diagnostics": []}'
    )
    if not answer["valid"] and not answer["diagnostics"]:
        yield "the provider could not be installed"
    for item in answer["diagnostics"]:
        yield f"{item['severity']} {item['summary']}"


def _checkov(program: str, folder: Path) -> Iterator[str]:
    options = ("--compact", "--quiet", "--framework", "cloudformation", "terraform_json", "-o", "json")
    answer = json.loads(_output(program, "-d", str(folder), *options) or "[]")
    for report in answer if isinstance(answer, list) else [answer]:
        for item in report["results"]["failed_checks"]:
            yield item["check_id"]


def _parliament(program: str, folder: Path) -> Iterator[str]:
    for number, policy in enumerate(_policies(folder / "cloudformation")):
        file = folder / f"policy-{number}.json"
        file.write_text(json.dumps(policy), encoding="utf-8")
        answer = _output(program, "--file", str(file), "--json")
        for line in answer.splitlines():
            if line.startswith("{"):
                yield str(json.loads(line)["issue"])


def _policies(folder: Path) -> Iterator[object]:
    for file in sorted(folder.glob("*.json")):
        yield from _within(json.loads(file.read_text(encoding="utf-8"))["Resources"])


def _within(value: object) -> Iterator[object]:
    if isinstance(value, dict) and {"Version", "Statement"} <= set(value):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _within(item)
    elif isinstance(value, list):
        for item in value:
            yield from _within(item)


TOOLS: dict[str, Callable[[str, Path], Iterator[str]]] = {
    "cfn-lint": _cfn_lint,
    "terraform": _terraform,
    "parliament": _parliament,
    "checkov": _checkov,
}

if __name__ == "__main__":
    sys.exit(main())
