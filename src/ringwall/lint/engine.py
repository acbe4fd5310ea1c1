"""Applying the rules to a file: text -> documents -> marks -> findings with positions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from ringwall.catalog import load
from ringwall.catalog.models import tables
from ringwall.errors import RingwallError
from ringwall.iam.locate import Path
from ringwall.lint import discover
from ringwall.lint.document import Document, read
from ringwall.lint.rule import Finding, Mark, PolicyType, Rule
from ringwall.lint.rules import registry
from ringwall.lint.source import MAX_CHARACTERS, Place, Source, split
from ringwall.lint.templates import HOLE

if TYPE_CHECKING:
    from ringwall.lint.yaml_source import YamlSource

MAX_BYTES = 4 * MAX_CHARACTERS
"""Bytes of a file that are read at most: the most that so many characters take."""

_YAML = (".yaml", ".yml")
_TERRAFORM = (".tf", ".hcl", ".tf.json.tmpl")
# What a template or a policy in YAML has at its outermost level, and a declaration has not.
_TEMPLATE = re.compile(
    r"^(?:AWSTemplateFormatVersion|Resources|Transform|Statement|PolicyDocument)[ \t]*:", re.MULTILINE
)
_KEY_LINE = re.compile(r"^[A-Za-z_][\w-]*[ \t]*:(?:[ \t]|$)", re.MULTILINE)


def lint_file(
    path: str | FilePath, *, policy_type: PolicyType | None = None, today: date | None = None
) -> tuple[Finding, ...]:
    """Lint one file.

    Args:
        path: a file that is or holds policy documents (JSON, JSON Lines, CloudFormation in JSON or YAML, Terraform's
            JSON), or a declaration.
        policy_type: type of the policies in it; without it the place tells, or else the content.
        today: the day on which model lifecycles are judged; default: the current one.

    Raises:
        RingwallError: the file cannot be read.
    """
    name = str(path)
    try:
        with FilePath(path).open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise RingwallError(f"{name} cannot be read: {error.strerror}; check the path") from error
    return lint_bytes(data, file=name, policy_type=policy_type, today=today)


def lint_bytes(
    data: bytes, *, file: str, policy_type: PolicyType | None = None, today: date | None = None
) -> tuple[Finding, ...]:
    """Lint what a file holds; see :func:`lint_file`."""
    try:
        text = data[:MAX_BYTES].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(data) <= MAX_BYTES:
            return (_not_text(file, data, error.start),)
        text = " " * (MAX_CHARACTERS + 1)
    return lint_text(text, file=file, policy_type=policy_type, today=today)


def lint_text(
    text: str, *, file: str = "policy.json", policy_type: PolicyType | None = None, today: date | None = None
) -> tuple[Finding, ...]:
    """Lint the text of a file; see :func:`lint_file`. Findings come in the order of their positions."""
    if file.lower().endswith(_TERRAFORM):
        return (_hcl(file),)
    sources: list[Source] | list[YamlSource]
    if not _is_yaml(text, file):
        sources = split(file, text)
    elif _TEMPLATE.search(text):
        from ringwall.lint.yaml_source import YamlSource  # noqa: PLC0415 - loads ruamel.yaml

        sources = [YamlSource(file, text)]
    else:
        from ringwall.lint.rules import (  # noqa: PLC0415 - loads pydantic, ruamel.yaml
            declaration_mistake,
            guardrail_only_detects,
        )

        mistakes = tuple(declaration_mistake.findings(text, file))
        return mistakes or tuple(guardrail_only_detects.findings(text, file))
    day = today or max(datetime.now(tz=UTC).date(), tables().as_of)
    found = {finding for source in sources for finding in _of_source(source, policy_type, day)}
    if not found and not any(_holds_policy(source) for source in sources) and policy_type is None:
        found.add(Finding(file, 1, 1, "syntax-error", "info", "the file holds no policy document"))
    return tuple(sorted(found, key=_order))


def _is_yaml(text: str, file: str) -> bool:
    """Whether a text is YAML: by the file's name; where that does not tell, because it cannot be JSON."""
    if file.lower().endswith(_YAML):
        return True
    told = file.lower().endswith((".json", ".jsonl", ".ndjson"))
    return not told and text.lstrip()[:1] not in ("{", "[", '"') and bool(_KEY_LINE.search(text))


def _order(finding: Finding) -> tuple[str, int, int, str, str]:
    return finding.file, finding.line, finding.column, finding.rule, finding.message


def _holds_policy(source: Source | YamlSource) -> bool:
    return source.problem is not None or any(True for _ in discover.documents(source.value))


def _of_source(source: Source | YamlSource, given: PolicyType | None, today: date) -> Iterator[Finding]:
    for rule in registry():
        for spot in rule.check_source(source):
            line, column = source.line_and_column(spot.offset)
            yield Finding(source.file, line, column, rule.slug, rule.severity, spot.message, spot.suggestion)
    if source.problem is None:
        documents = list(discover.documents(source.value))
        if not documents and given is not None:
            documents = [discover.Found((), source.value)]
        yield from _of_strings(source, documents)
        yield from _of_documents(source, documents, given, today)


def _of_strings(source: Source | YamlSource, documents: list[discover.Found]) -> Iterator[Finding]:
    """What is wrong with the text of documents that stand in strings, besides what makes it unreadable."""
    for found in documents:
        if not found.text or found.problem:
            continue
        for rule in registry():
            for spot in rule.check_source(Source("", found.text)):
                string = source.places([found.path])[found.path].value
                line, column = source.line_and_column(source.inside(string, found.shift + spot.offset))
                yield Finding(
                    source.file, line, column, rule.slug, rule.severity, spot.message, spot.suggestion
                )


@dataclass(frozen=True, slots=True)
class _Placed:
    rule: Rule
    mark: Mark
    found: discover.Found
    path: Path


def _of_documents(
    source: Source | YamlSource, documents: list[discover.Found], given: PolicyType | None, today: date
) -> Iterator[Finding]:
    placed = [
        _Placed(rule, mark, found, found.path if found.text is not None else found.way(mark.path))
        for found in documents
        for rule, mark in _marks(read(found, load(), today, given))
    ]
    if not placed:
        return
    places = source.places(item.path for item in placed)
    within = _within({item.found.path: item.found for item in placed if item.found.text}, placed)
    for item in placed:
        mark, place = item.mark, places[item.path]
        if item.found.text is None:
            offset = place.name if mark.at_key and not item.found.ways else place.value
        else:
            inner = within[item.found.path][mark.path]
            at = (
                item.found.problem.offset
                if item.found.problem
                else inner.name
                if mark.at_key
                else inner.value
            )
            offset = source.inside(place.value, item.found.shift + at)
        line, column = source.line_and_column(offset)
        severity = mark.severity or item.rule.severity
        suggestion = mark.suggestion and _shown(mark.suggestion)
        yield Finding(source.file, line, column, item.rule.slug, severity, _shown(mark.message), suggestion)


def _within(embedded: dict[Path, discover.Found], placed: list[_Placed]) -> dict[Path, dict[Path, Place]]:
    """Places in each document that stands as text in a string, from that text's beginning."""
    return {
        path: Source("", found.text or "").places(
            item.mark.path for item in placed if item.found.path == path
        )
        for path, found in embedded.items()
    }


def _marks(document: Document) -> Iterator[tuple[Rule, Mark]]:
    for rule in registry():
        if not rule.types or document.type in rule.types:
            for mark in rule.check(document):
                yield rule, mark


def _shown(text: str) -> str:
    """Text with what a template fills in later spelled as such."""
    return text.replace(HOLE, "${...}")


def _hcl(file: str) -> Finding:
    return Finding(
        file, 1, 1, "syntax-error", "error", "this is Terraform's own language; its JSON is read",
        "lint the plan: terraform plan -out=plan && terraform show -json plan | ringwall lint -",
    )  # fmt: skip


def _not_text(file: str, data: bytes, at: int) -> Finding:
    before = data[:at]
    line, column = before.count(b"\n") + 1, at - before.rfind(b"\n")
    return Finding(
        file, line, column, "syntax-error", "error", "the file is not UTF-8 text", "save it as UTF-8"
    )
