"""The claims of a declaration, proved over an Estate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringwall.access import Access
from ringwall.access.proving import ApiCall, EstateAnswer, Prover
from ringwall.access.teaching import NOTHING, Lesson, learned
from ringwall.controls.baseline import baseline_claims
from ringwall.controls.claims import Attributes, DeclaredClaim, bind_claims, declared_claims
from ringwall.iam.codec import request_to_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.estate.model import Estate
    from ringwall.iam.vocabulary import Vocabulary
    from ringwall.perimeter.model import Perimeter
    from ringwall.proof.claims import Claim
    from ringwall.proof.question import Verdict


@dataclass(frozen=True, slots=True)
class Proved:
    """A declared claim, bound to literals, and its verdict.

    Attributes:
        declared: the claim.
        answer: what was found.
        lesson: of a violated claim, how the witness gets through and what would hold it.
        without_axioms: the verdict if nothing that the proof names is taken for granted; ``None`` where it was not
            asked, or there is no proof.
    """

    declared: DeclaredClaim
    answer: EstateAnswer
    lesson: Lesson = NOTHING
    without_axioms: Verdict | None = None

    @property
    def holds(self) -> bool:
        """Whether the claim was proved."""
        return self.answer.verdict == "holds"

    def to_json(self) -> dict[str, Any]:
        """Plain data, as ``prove --json`` prints it."""
        answer = self.answer
        return {
            "id": self.declared.name,
            "control": self.declared.control,
            "title": self.declared.title,
            "verdict": answer.verdict,
            "witness": [request_to_json(request) for request in answer.answer.witness] or None,
            "exposed": list(answer.exposed) if answer.verdict == "violated" else [],
            "because": [
                {
                    "policy_type": r.policy_type,
                    "policy": r.policy,
                    "statement": r.statement,
                    "effect": r.effect,
                }
                for r in answer.answer.because
            ],
            "axioms": list(answer.answer.axioms),
            "without_axioms": self.without_axioms,
            **self.lesson.to_json(),
            "reason": answer.answer.reason,
            "vacuous": answer.answer.vacuous,
        }


def prove_declared(
    perimeter: Perimeter,
    estate: Estate,
    attributes: Attributes,
    vocabulary: Vocabulary,
    *,
    access: Access | None = None,
    timeout: float = 10.0,
    disabled_axioms: frozenset[str] = frozenset(),
    teach: bool = False,
) -> Iterator[Proved]:
    """Prove every claim of a declaration, one after the other.

    Args:
        perimeter: the declaration.
        estate: without references: the desired one bound to placeholders, or an observed one.
        attributes: by desired id, what references resolve to in that Estate.
        vocabulary: the catalog.
        access: over ``estate``, if there is one already.
        timeout: seconds for each question.
        disabled_axioms: facts about requests that are not to be taken for granted.
        teach: whether to say how a violation gets through and what would hold it, and whether a proof needs its axioms.
    """
    prover = Prover(
        access or Access(estate, partition=perimeter.partition),
        perimeter.account,
        vocabulary,
        timeout=timeout,
        disabled_axioms=disabled_axioms,
    )
    able: list[tuple[Claim, ApiCall | None]] = []
    for declared in bind_claims(declared_claims(perimeter), attributes):
        call = declared.call(perimeter.regions.source)
        answer = prover.prove(declared.claim, call)
        if answer.verdict == "holds" and declared.kind == "can":
            able.append((declared.claim, call))
        if not teach:
            yield Proved(declared, answer)
            continue
        changes = prover.remedy(answer, keeping=able)
        without = prover.verdict_without_axioms(answer, call)
        yield Proved(declared, answer, learned(answer.violation, changes, vocabulary), without)


def prove_baseline(
    estate: Estate,
    account: str,
    vocabulary: Vocabulary,
    *,
    access: Access | None = None,
    timeout: float = 10.0,
) -> Iterator[Proved]:
    """Prove the claims that hold without a declaration (:mod:`ringwall.controls.baseline`) of one account."""
    prover = Prover(access or Access(estate), account, vocabulary, timeout=timeout)
    for declared in baseline_claims():
        yield Proved(declared, prover.prove(declared.claim))
