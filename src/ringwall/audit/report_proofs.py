"""Proofs as the report shows them: the claim, its verdict, what it rests on, and the request that gets through."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringwall.audit.report_words import POLICY_TYPES, PROOF_STATUS, PROOF_WORDS, Span, anchor, request_words
from ringwall.controls import registry
from ringwall.iam.codec import request_to_json
from ringwall.proof.axioms import AXIOMS
from ringwall.proof.claims import claim_to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ringwall.access.proving import EstateAnswer, Exposure
    from ringwall.audit.report_findings import FindingView
    from ringwall.audit.run import Audit
    from ringwall.controls.findings import Status
    from ringwall.controls.proving import Proved
    from ringwall.iam.request import Reason, Request

WITNESSES = 10
"""Actors whose requests are shown in full; the others are named."""


@dataclass(frozen=True, slots=True)
class StatementView:
    """A statement that decides: its policy's type in words, policy, Sid or index, effect."""

    policy_type: str
    policy: str
    statement: str
    effect: str


@dataclass(frozen=True, slots=True)
class Witness:
    """A request that is allowed: who sends it, in words, as JSON, and the statements that allow it."""

    actor: str
    sentences: tuple[tuple[Span, ...], ...]
    document: str
    statements: tuple[StatementView, ...]


@dataclass(frozen=True, slots=True)
class ProofView:
    """One claim and its verdict.

    Attributes:
        anchor: HTML id.
        name: slug of the claim.
        title: the claim in words.
        kind: ``never`` or ``can``.
        status: its verdict as a status, for colour and shape.
        word: its verdict.
        document: the claim in IAM's language, as JSON.
        witnesses: counterexamples of a *never*, an example of a *can*.
        others: further actors with which it is violated, named only.
        statements: what the verdict rests on.
        missing: policy types whose silence it rests on.
        axioms: names of the facts about requests that were used.
        exempt: roles that services alone can assume, with which it would be violated.
        gaps: what could not be read.
        reason: why it was not decided, or why nobody could be asked about.
        asked: questions put to the prover.
        vacuous: AWS knows no request that it speaks of.
        findings: HTML ids of the findings that rest on it.
    """

    anchor: str
    name: str
    title: str
    kind: str
    status: Status
    word: str
    document: str
    witnesses: tuple[Witness, ...]
    others: tuple[str, ...]
    statements: tuple[StatementView, ...]
    missing: tuple[str, ...]
    axioms: tuple[str, ...]
    exempt: tuple[str, ...]
    gaps: tuple[str, ...]
    reason: str
    asked: int
    vacuous: bool
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProofGroup:
    """The claims of one control."""

    anchor: str
    title: str
    proofs: tuple[ProofView, ...]


@dataclass(frozen=True, slots=True)
class AxiomView:
    """A fact about requests that proofs took for granted."""

    anchor: str
    name: str
    sentence: str
    source: str


def proof_groups(audit: Audit, findings: Sequence[FindingView]) -> tuple[ProofGroup, ...]:
    """The claims by control, in the registry's order; those of unknown controls last."""
    titles = {control.slug: control.title for control in registry()}
    slugs = dict.fromkeys([*titles, *(item.declared.control for item in audit.proofs)])
    users: dict[str, list[str]] = {}
    for item in findings:
        for link in item.claims:
            users.setdefault(link.text, []).append(item.anchor)
    found = (
        ProofGroup(
            anchor("proofs", slug),
            titles.get(slug, slug),
            tuple(
                _proof(item, tuple(users.get(item.declared.name, ())))
                for item in audit.proofs
                if item.declared.control == slug
            ),
        )
        for slug in slugs
    )
    return tuple(group for group in found if group.proofs)


def axioms_used(proofs: Iterable[Proved]) -> tuple[AxiomView, ...]:
    """Every fact about requests that some proof used, with its source."""
    used = {name for item in proofs for name in _axioms(item.answer)}
    return tuple(
        AxiomView(anchor("axiom", axiom.name), axiom.name, axiom.sentence, axiom.source)
        for axiom in AXIOMS.values()
        if axiom.name in used
    )


def _proof(item: Proved, findings: tuple[str, ...]) -> ProofView:
    answer = item.answer
    return ProofView(
        anchor=anchor("claim", item.declared.name),
        name=item.declared.name,
        title=item.declared.title or item.declared.name,
        kind=answer.claim.kind,
        status=PROOF_STATUS[answer.verdict],
        word=PROOF_WORDS[answer.verdict],
        document=_pretty(claim_to_json(answer.claim)),
        witnesses=tuple(_witness(exposure) for exposure in answer.exposures[:WITNESSES]),
        others=answer.exposed[WITNESSES:],
        statements=_statements(answer.answer.because),
        missing=tuple(POLICY_TYPES[name] for name in answer.answer.missing),
        axioms=tuple(name for name in _axioms(answer) if name in AXIOMS),
        exempt=tuple(sorted({exposure.actor.label for exposure in answer.exempt})),
        gaps=answer.gaps,
        reason=answer.answer.reason or "",
        asked=answer.asked,
        vacuous=answer.answer.vacuous,
        findings=findings,
    )


def _axioms(answer: EstateAnswer) -> tuple[str, ...]:
    every = (answer.answer, *(exposure.answer for exposure in answer.exposures))
    return tuple(dict.fromkeys(name for one in every for name in one.axioms))


def _witness(exposure: Exposure) -> Witness:
    requests: tuple[Request, ...] = exposure.answer.witness
    route = exposure.route.label if exposure.route is not None else None
    return Witness(
        actor=exposure.actor.label,
        sentences=tuple(request_words(request, route) for request in requests),
        document=_pretty([request_to_json(request) for request in requests]) if requests else "",
        statements=_statements(exposure.answer.because),
    )


def _statements(because: Iterable[Reason]) -> tuple[StatementView, ...]:
    return tuple(
        StatementView(POLICY_TYPES[reason.policy_type], reason.policy, reason.statement, reason.effect)
        for reason in dict.fromkeys(because)
    )


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
