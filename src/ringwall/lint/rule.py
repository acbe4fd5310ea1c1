"""What a lint rule is, what it says, and what the linter makes of that."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ringwall.iam.locate import Path

if TYPE_CHECKING:
    from ringwall.lint.document import Document
    from ringwall.lint.source import Readable

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
PolicyType = Literal["identity", "scp", "rcp", "resource", "trust", "vpc-endpoint", "kms-key", "s3-bucket"]
POLICY_TYPES: tuple[PolicyType, ...] = (
    "identity", "scp", "rcp", "resource", "trust", "vpc-endpoint", "kms-key", "s3-bucket",
)  # fmt: skip
WITHOUT_PRINCIPAL: frozenset[PolicyType] = frozenset({"identity", "scp"})
"""Types of policy that take no ``Principal`` element: the principal is whom they are attached to."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing that a rule has to say about a place.

    Attributes:
        path: keys and indexes that lead to the offending value, from the policy document's root.
        message: what is wrong and what AWS makes of it.
        suggestion: what to write instead.
        severity: if it differs from the rule's.
        at_key: whether the offending thing is the member's name and not its value.
    """

    path: Path
    message: str
    suggestion: str | None = None
    severity: Severity | None = None
    at_key: bool = False


@dataclass(frozen=True, slots=True)
class Spot:
    """One thing that a rule has to say about a character of the text."""

    offset: int
    message: str
    suggestion: str | None = None


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One line of the linter's answer (CONTRACTS ``ringwall lint``). Lines and columns count from 1."""

    file: str
    line: int
    column: int
    rule: str
    severity: Severity
    message: str
    suggestion: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data, in the contract's order."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "message": self.message,
            "suggestion": self.suggestion,
        }


def _no_spots(source: Readable) -> Iterable[Spot]:
    del source
    return ()


def _no_marks(document: Document) -> Iterable[Mark]:
    del document
    return ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        slug: its name everywhere.
        title: one line.
        severity: of its findings, unless a finding says otherwise.
        page: its documentation: the module's docstring, with a bad and a good example.
        check: reads one policy document.
        check_source: reads the text of a file.
        types: types of policy that it speaks of; empty = all.
    """

    slug: str
    title: str
    severity: Severity
    page: str
    check: Callable[[Document], Iterable[Mark]] = _no_marks
    check_source: Callable[[Readable], Iterable[Spot]] = _no_spots
    types: frozenset[PolicyType] = frozenset()
