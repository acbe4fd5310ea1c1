"""Which requirements of compliance frameworks each control supports, and where Bedrock itself stands.

A crosswalk row says that the control is evidence for a requirement, and why; it never says that anybody complies. The
rows stand in ``data/frameworks.json`` with the edition of each framework and the date of the reading.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from ringwall.catalog.reference import DATA

if TYPE_CHECKING:
    from collections.abc import Mapping

ProgramStatus = Literal["in scope", "eligible", "authorized", "customer responsibility"]


@dataclass(frozen=True, slots=True)
class Requirement:
    """A requirement that a control supports.

    Attributes:
        framework: name of a framework, such as ``SOC 2``.
        id: the framework's own id, such as ``CC6.1``.
        title: what it is about, paraphrased.
        rationale: why the control is evidence for it.
    """

    framework: str
    id: str
    title: str
    rationale: str


@dataclass(frozen=True, slots=True)
class Framework:
    """A framework: edition, page, and the titles of the requirements that the crosswalk names.

    ``inherited`` says in a sentence what AWS answers for, ``customer`` what stays with whoever owns the account.
    """

    name: str
    edition: str
    source: str
    inherited: str
    customer: str
    requirements: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Program:
    """Status of Amazon Bedrock in a compliance program, as read on a day.

    Attributes:
        program: name of the program.
        status: AWS's word for it.
        boundary: partition or Regions.
        note: exclusions and conditions.
        source: page to check; AWS Artifact is the authority.
        as_of: day on which the status was read.
        verified: whether it was read on AWS's own page.
    """

    program: str
    status: ProgramStatus
    boundary: str
    note: str
    source: str
    as_of: date
    verified: bool


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((DATA / "frameworks.json").read_text(encoding="utf-8"))
    return document


@cache
def frameworks() -> Mapping[str, Framework]:
    """The frameworks of the crosswalk, by name."""
    return {row["name"]: Framework(**row) for row in _document()["frameworks"]}


def slugs() -> tuple[str, ...]:
    """Slugs of the controls that the crosswalk knows."""
    return tuple(_document()["crosswalk"])


def requirements(slug: str) -> tuple[Requirement, ...]:
    """Requirements that a control supports, in the order of the frameworks; empty for an unknown slug."""
    titles = {name: framework.requirements for name, framework in frameworks().items()}
    return tuple(
        Requirement(name, row["id"], titles[name][row["id"]], row["rationale"])
        for name, rows in _document()["crosswalk"].get(slug, {}).items()
        for row in rows
    )


def ids(slug: str) -> dict[str, list[str]]:
    """Requirement ids by framework, as findings carry them (``{"SOC 2": ["CC6.1", "CC6.3"], ...}``)."""
    found: dict[str, list[str]] = {}
    for requirement in requirements(slug):
        found.setdefault(requirement.framework, []).append(requirement.id)
    return found


@cache
def programs() -> tuple[Program, ...]:
    """Where Amazon Bedrock stands in compliance programs. Dated, unverified: check in AWS Artifact."""
    return tuple(
        Program(**{**row, "as_of": date.fromisoformat(row["as_of"])}) for row in _document()["programs"]
    )
