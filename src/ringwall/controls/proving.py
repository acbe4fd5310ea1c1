"""The claims of a declaration, proved over an Estate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringwall.access import Access
from ringwall.access.proving import EstateAnswer, Prover
from ringwall.controls.baseline import baseline_claims
from ringwall.controls.claims import Attributes, DeclaredClaim, bind_claims, declared_claims
from ringwall.iam.codec import request_to_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.estate.model import Estate
    from ringwall.iam.vocabulary import Vocabulary
    from ringwall.perimeter.model import Perimeter


@dataclass(frozen=True, slots=True)
class Proved:
    """A declared claim, bound to literals, and its verdict."""

    declared: DeclaredClaim
    answer: EstateAnswer

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
    """
    prover = Prover(
        access or Access(estate, partition=perimeter.partition),
        perimeter.account,
        vocabulary,
        timeout=timeout,
        disabled_axioms=disabled_axioms,
    )
    for declared in bind_claims(declared_claims(perimeter), attributes):
        yield Proved(declared, prover.prove(declared.claim, declared.call(perimeter.regions.source)))


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
