"""What is asked of an Estate and what comes of it: calls, who is exposed, and the verdict of everybody together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.access.actors import Actor, Route
    from ringwall.access.remedies import Violation
    from ringwall.proof.claims import Claim
    from ringwall.proof.question import Answer, Question, Verdict


@dataclass(frozen=True, slots=True)
class ApiCall:
    """A concrete call that a *can* claim is about.

    Attributes:
        service: botocore service name.
        operation: API operation.
        parameters: in boto3's spelling.
        context: condition keys that the caller's situation determines (``aws:SourceVpce``), lower-cased or not.
        region: Region that is called.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any]
    context: Mapping[str, str]
    region: str


@dataclass(frozen=True, slots=True)
class Exposure:
    """One actor's answer. ``route`` is the way through; ``None`` where it does not matter."""

    actor: Actor
    route: Route | None
    answer: Answer
    question: Question | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class EstateAnswer:
    """The verdict over an Estate.

    Attributes:
        claim: what was claimed.
        verdict: of everybody together.
        answer: the answer that decided: the first violation, else the first unknown, else the proof with the most to say.
        exposures: for *never*, every actor with which it is violated; for *can*, the actor that can.
        exempt: violations by roles that Bedrock alone can assume; no part of the verdict.
        gaps: what could not be read.
        asked: number of questions put to the prover.
        violation: of a violated claim, the question that showed it.
    """

    claim: Claim
    verdict: Verdict
    answer: Answer
    exposures: tuple[Exposure, ...] = ()
    exempt: tuple[Exposure, ...] = ()
    gaps: tuple[str, ...] = ()
    asked: int = 0
    violation: Violation | None = field(default=None, repr=False)

    @property
    def exposed(self) -> tuple[str, ...]:
        """ARNs (or descriptions) of the actors with which it is violated."""
        return tuple(item.actor.principal or item.actor.label for item in self.exposures)
