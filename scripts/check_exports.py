"""Check the examples' exports with the tools of others: cfn-lint, parliament, checkov, terraform.

Each runs if it is installed: terraform wherever it is, the others as ``make exports-tools`` installs them, since what they find
depends on their version.
What they may report stands in ``scripts/export_findings.toml`` with the reason; anything else fails, and so does a line of the
list that nothing is found for any more. Tools that are not there are named: they were not run, which is no pass.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXAMPLES = ("quickstart", "complete")
FORMATS = (("cloudformation",), ("cloudformation", "--stacksets"), ("terraform",))
LIST = Path(__file__).with_name("export_findings.toml")
PLUGINS = Path("/opt/tf-plugins")
"""Where Terraform's providers may lie already; without, the provider is fetched."""


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """One thing that a tool reports: its name for it, and the resource that it is about."""

    check: str
    where: str


@dataclass(frozen=True, slots=True)
class Listed:
    """What may stay, and why.

    Attributes:
        tool: whose finding it is.
        check: the tool's name for it.
        where: patterns of the resources that it may be about.
        asks: what the tool asks for.
        why: why it stays.
    """

    tool: str
    check: str
    where: tuple[str, ...]
    asks: str
    why: str

    def covers(self, found: Found) -> bool:
        """Whether a finding is this one."""
        return self.check == found.check and any(fnmatchcase(found.where, one) for one in self.where)


def listed() -> tuple[Listed, ...]:
    """Everything that may stay."""
    rows = tomllib.loads(LIST.read_text(encoding="utf-8"))["finding"]
    return tuple(Listed(**{**row, "where": tuple(row["where"])}) for row in rows)


def disagreements(tool: str, found: Iterable[Found], rows: Iterable[Listed]) -> Iterator[str]:
    """What is found and not listed, and what is listed and not found."""
    mine, there = [row for row in rows if row.tool == tool], sorted(set(found))
    for one in there:
        if not any(row.covers(one) for row in mine):
            yield f"{one.check} on {one.where} is not listed"
    for row in mine:
        for pattern in row.where:
            alone = Listed(tool, row.check, (pattern,), row.asks, row.why)
            if not any(map(alone.covers, there)):
                yield f"{row.check} on {pattern} is listed, and nothing reports it"


def main() -> int:
    """Export, run what there is, and report; 1 if something is not as listed."""
    bad = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export(folder)
        for tool, run in TOOLS.items():
            program = find(tool)
            if program is None:
                print(f"not run   {tool}: it is not installed")
                continue
            problems = list(disagreements(tool, run(program, folder), listed()))
            bad = bad or bool(problems)
            print(f"{'differs' if problems else 'as listed'}  {tool}")
            for problem in problems:
                print(f"          {problem}")
    return int(bad)


def export(folder: Path) -> None:
    """Every format of every example below a folder."""
    for example in EXAMPLES:
        declaration = ROOT / "examples" / example / "ringwall.yaml"
        for arguments in FORMATS:
            out = folder / example / "-".join(arguments).replace("---", "-")
            command = ["-m", "ringwall", "export", *arguments, "--file", str(declaration), "--out", str(out)]
            subprocess.run([sys.executable, *command], check=True, stderr=subprocess.DEVNULL)  # noqa: S603 - our own program


def find(tool: str) -> str | None:
    """The program, if it is installed completely."""
    if tool == "terraform":
        return shutil.which(tool)
    own = ROOT / ".venv" / "tools" / tool
    return str(own / "bin" / tool) if (own / ".done").exists() else None


def _output(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=cwd)  # noqa: S603 - a tool of the table
    if not done.stdout.strip() and done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr.strip()[-500:]}")
    return done.stdout


def _cfn_lint(program: str, folder: Path) -> Iterator[Found]:
    files = map(str, sorted(folder.glob("*/cloudformation*/*.json")))
    for item in json.loads(_output(program, "--format", "json", *files) or "[]"):
        path = item["Location"]["Path"] or [""]
        yield Found(f"{item['Rule']['Id']} {item['Message']}", str(path[1] if len(path) > 1 else path[0]))


def _terraform(program: str, folder: Path) -> Iterator[Found]:
    plugins = [f"-plugin-dir={PLUGINS}"] if PLUGINS.is_dir() else []
    for where in sorted(folder.glob("*/terraform")):
        _output(program, "init", "-backend=false", "-input=false", *plugins, cwd=where)
        for item in json.loads(_output(program, "validate", "-json", cwd=where))["diagnostics"]:
            yield Found(f"{item['severity']} {item['summary']}", str(item.get("address", "")))


def _checkov(program: str, folder: Path) -> Iterator[Found]:
    options = ("--compact", "--quiet", "--framework", "cloudformation", "terraform_json", "-o", "json")
    answer = json.loads(_output(program, "-d", str(folder), *options))
    for report in answer if isinstance(answer, list) else [answer]:
        for item in report["results"]["failed_checks"]:
            yield Found(item["check_id"], item["resource"])


def _parliament(program: str, folder: Path) -> Iterator[Found]:
    """Of each policy document its own file, whose name is the resource's."""
    files = folder / "policies"
    files.mkdir()
    for where, policy in _policies(folder):
        (files / f"{where}.json").write_text(json.dumps(policy), encoding="utf-8")
    told = _output(program, "--directory", str(files), "--include_policy_extension", "json", "--json")
    for line in told.splitlines():
        item = json.loads(line)
        yield Found(str(item["issue"]), Path(item["location"]["filepath"]).stem)


def _policies(folder: Path) -> Iterator[tuple[str, object]]:
    """Every policy document of the CloudFormation exports, with its type and its resource's name."""
    for file in sorted(folder.glob("*/cloudformation/*.json")):
        for name, entry in json.loads(file.read_text(encoding="utf-8"))["Resources"].items():
            for number, (path, policy) in enumerate(_within(entry["Properties"], "")):
                yield f"{file.parts[-3]}.{name}{path}.{number}", policy


def _within(value: object, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping) and {"Version", "Statement"} <= set(value):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _within(item, f"{path}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from _within(item, path)


TOOLS: Mapping[str, Callable[[str, Path], Iterator[Found]]] = {
    "cfn-lint": _cfn_lint,
    "terraform": _terraform,
    "parliament": _parliament,
    "checkov": _checkov,
}

if __name__ == "__main__":
    sys.exit(main())
