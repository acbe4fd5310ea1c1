"""Applying the rules to a file: text -> documents -> marks -> findings with positions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path as FilePath

from ringwall.catalog import load
from ringwall.catalog.models import tables
from ringwall.errors import RingwallError
from ringwall.iam.locate import Path
from ringwall.lint import discover
from ringwall.lint.document import Document, read
from ringwall.lint.rule import Finding, Mark, PolicyType, Rule
from ringwall.lint.rules import registry
from ringwall.lint.source import MAX_CHARACTERS, Source
from ringwall.lint.templates import HOLE

_YAML = (".yaml", ".yml")


def lint_file(
    path: str | FilePath, *, policy_type: PolicyType | None = None, today: date | None = None
) -> tuple[Finding, ...]:
    """Lint one file.

    Args:
        path: a JSON file that is or holds policy documents, or a declaration (``.yaml``).
        policy_type: type of the policies in it; without it the place tells, or else the content.
        today: the day on which model lifecycles are judged; default: the current one.

    Raises:
        RingwallError: the file cannot be read.
    """
    name = str(path)
    try:
        with FilePath(path).open("rb") as stream:
            data = stream.read(4 * MAX_CHARACTERS + 1)
    except OSError as error:
        raise RingwallError(f"{name} cannot be read: {error.strerror}") from error
    try:
        text = data[: 4 * MAX_CHARACTERS].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(data) <= 4 * MAX_CHARACTERS:
            return (_not_text(name, data, error.start),)
        text = " " * (MAX_CHARACTERS + 1)
    return lint_text(text, file=name, policy_type=policy_type, today=today)


def lint_text(
    text: str, *, file: str = "policy.json", policy_type: PolicyType | None = None, today: date | None = None
) -> tuple[Finding, ...]:
    """Lint the text of a file; see :func:`lint_file`. Findings come in the order of their positions."""
    if file.lower().endswith(_YAML):
        return _declaration(text, file)
    day = today or max(datetime.now(tz=UTC).date(), tables().as_of)
    source = Source(file, text)
    findings = list(_of_source(source))
    if source.problem is None:
        documents = list(discover.documents(source.value))
        if not documents and policy_type is not None:
            documents = [discover.Found((), source.value)]
        if not documents:
            findings.append(Finding(file, 1, 1, "syntax-error", "info", "the file holds no policy document"))
        findings += _of_documents(source, documents, policy_type, day)
    return tuple(sorted(set(findings), key=_order))


def _order(finding: Finding) -> tuple[str, int, int, str, str]:
    return finding.file, finding.line, finding.column, finding.rule, finding.message


def _of_source(source: Source) -> Iterator[Finding]:
    for rule in registry():
        for spot in rule.check_source(source):
            line, column = source.line_and_column(spot.offset)
            yield Finding(source.file, line, column, rule.slug, rule.severity, spot.message, spot.suggestion)


@dataclass(frozen=True, slots=True)
class _Placed:
    rule: Rule
    mark: Mark
    path: Path
    in_string: bool


def _of_documents(
    source: Source, documents: list[discover.Found], given: PolicyType | None, today: date
) -> Iterator[Finding]:
    placed = [
        _Placed(rule, mark, found.path if in_string else (*found.path, *mark.path), in_string)
        for found in documents
        for in_string in [found.text is not None]
        for rule, mark in _marks(read(found, load(), today, given))
    ]
    if not placed:
        return
    offsets = source.offsets(item.path for item in placed)
    for item in placed:
        mark, offset = item.mark, offsets[item.path]
        if not mark.at_key or item.in_string:
            offset = source.value_offset(offset)
        line, column = source.line_and_column(offset)
        severity = mark.severity or item.rule.severity
        suggestion = mark.suggestion and _shown(mark.suggestion)
        yield Finding(source.file, line, column, item.rule.slug, severity, _shown(mark.message), suggestion)


def _marks(document: Document) -> Iterator[tuple[Rule, Mark]]:
    for rule in registry():
        if not rule.types or document.type in rule.types:
            for mark in rule.check(document):
                yield rule, mark


def _shown(text: str) -> str:
    """Text with what a template fills in later spelled as such."""
    return text.replace(HOLE, "${...}")


def _declaration(text: str, file: str) -> tuple[Finding, ...]:
    from ringwall.lint.rules.declaration_mistake import findings  # noqa: PLC0415 - loads pydantic and ruamel.yaml

    return tuple(findings(text, file))


def _not_text(file: str, data: bytes, at: int) -> Finding:
    before = data[:at]
    line, column = before.count(b"\n") + 1, at - before.rfind(b"\n")
    return Finding(
        file, line, column, "syntax-error", "error", "the file is not UTF-8 text", "save it as UTF-8"
    )
