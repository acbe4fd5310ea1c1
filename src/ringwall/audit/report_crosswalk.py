"""The crosswalk: which requirements each control is evidence for. It certifies nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringwall.audit.report_words import anchor
from ringwall.catalog.frameworks import frameworks, requirements
from ringwall.controls.findings import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.audit.run import Audit


@dataclass(frozen=True, slots=True)
class Support:
    """A control that is evidence for a requirement, its verdict, and why."""

    anchor: str
    slug: str
    status: Status
    rationale: str


@dataclass(frozen=True, slots=True)
class RequirementView:
    """A requirement and the controls that support it."""

    id: str
    title: str
    controls: tuple[Support, ...]


@dataclass(frozen=True, slots=True)
class FrameworkView:
    """A framework and its requirements."""

    anchor: str
    name: str
    edition: str
    requirements: tuple[RequirementView, ...]
    inherited: str = ""
    customer: str = ""


def crosswalk(audit: Audit) -> tuple[FrameworkView, ...]:
    """Every framework that findings name, in the catalog's order, its requirements in the framework's."""
    known = frameworks()
    cited: dict[str, dict[str, list[str]]] = {}
    for finding in audit.findings:
        for name, ids in finding.frameworks.items():
            for identifier in ids:
                slugs = cited.setdefault(name, {}).setdefault(identifier, [])
                if finding.control not in slugs:
                    slugs.append(finding.control)
    names = [*(name for name in known if name in cited), *(name for name in cited if name not in known)]
    verdicts = audit.verdicts
    return tuple(_framework(name, cited[name], verdicts) for name in names)


def _framework(name: str, cited: dict[str, list[str]], verdicts: Mapping[str, Status]) -> FrameworkView:
    known = frameworks().get(name)
    titles = known.requirements if known is not None else {}
    order = [*(item for item in titles if item in cited), *(item for item in cited if item not in titles)]
    rows = tuple(
        RequirementView(
            identifier,
            titles.get(identifier, ""),
            tuple(_support(slug, name, identifier, verdicts) for slug in cited[identifier]),
        )
        for identifier in order
    )
    return FrameworkView(
        anchor("framework", name),
        name,
        known.edition if known is not None else "",
        rows,
        known.inherited if known is not None else "",
        known.customer if known is not None else "",
    )


def _support(slug: str, framework: str, identifier: str, verdicts: Mapping[str, Status]) -> Support:
    rationale = next(
        (
            item.rationale
            for item in requirements(slug)
            if (item.framework, item.id) == (framework, identifier)
        ),
        "",
    )
    return Support(anchor("control", slug), slug, verdicts.get(slug, Status.NOT_APPLICABLE), rationale)
