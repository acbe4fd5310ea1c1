"""One *never* claim asked of one actor after the other, each by every way there is.

An actor is first asked about without regard to the route, which covers all of them; only where that fails are the
public network and each VPC endpoint tried one by one, so that a violation comes with a way that really leads through.
For users and roles most of that was settled by what was found of others (:mod:`ringwall.access.crowd`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ringwall.access.crowd import Crowd, Way
from ringwall.access.estate_answer import Exposure
from ringwall.access.strangers import UNGRANTED, is_granted_nothing
from ringwall.proof.prove import retold

if TYPE_CHECKING:
    from ringwall.access.actors import Actor, Route
    from ringwall.access.proving import Prover
    from ringwall.access.sieve import Sieve
    from ringwall.iam.policy import Policy, PolicySet
    from ringwall.proof.claims import Claim
    from ringwall.proof.hints import Hint
    from ringwall.proof.question import Answer, Question

_HINTS = 32
"""Witnesses of a case and a route that are tried on other principals."""


class Inquiry:
    """What is known of one claim.

    Args:
        prover: poses the questions.
        claim: a *never* claim.
    """

    def __init__(self, prover: Prover, claim: Claim) -> None:
        self._prover = prover
        self._claim = claim
        self._crowds = [prover.crowd(case) for case in prover.cases(claim)]
        self._held: dict[int, Answer] = {}
        self._sieved: list[tuple[Sieve, tuple[Policy, ...]]] = []
        self._hints: dict[tuple[int, str], list[Hint]] = {}

    def about(self, actor: Actor) -> Exposure | None:
        """The first way by which the claim is violated with an actor; ``None`` if there is none that is known."""
        by_others = actor.principal is not None and self._prover.is_stood_for(actor, self._claim)
        for crowd in self._crowds:
            found = self._among_others(crowd, actor) if by_others else self._alone(crowd, actor)
            if found is not None:
                # One way is enough: what else the actor may do changes nothing.
                return found
        return None

    def answers(self) -> list[Answer]:
        """The answers, none of them a violation, that together say why the claim holds of the others, or why not."""
        questions: dict[int, Question] = {}
        for sieve, policies in self._sieved:
            questions |= {id(question): question for question in sieve.grounds(policies)}
        return [*self._held.values(), *map(self._prover.asked_of, questions.values())]

    def _hold(self, *answers: Answer) -> None:
        self._held |= {id(answer): answer for answer in answers}

    # -- by itself -------------------------------------------------------------------------------------------------

    def _alone(self, crowd: Crowd, actor: Actor) -> Exposure | None:
        case = crowd.case
        if is_granted_nothing(actor, case.claim, case.policy):
            self._hold(UNGRANTED)
            return None
        policies = replace(actor.policies, resource=case.policy)
        overall = (
            crowd.answer
            if actor is crowd.anyone and crowd.claim is case.claim
            else self._ask(crowd, self._prover.pose(case.claim, actor, policies, {}))
        )
        if overall.verdict == "holds":
            self._hold(overall)
            return None
        answers: list[Answer] = []
        for route in crowd.routes:
            by_this = replace(policies, vpc_endpoint=route.policies)
            question = self._prover.pose(case.claim, actor, by_this, route.facts)
            answer = self._ask(crowd, question, route)
            if answer.verdict == "violated":
                return Exposure(actor, route, answer, question)
            answers.append(answer)
        self._hold(*answers)
        return None

    def _ask(self, crowd: Crowd, question: Question, route: Route | None = None) -> Answer:
        hints = self._hints.setdefault((id(crowd), route.label if route else ""), [])
        # What gets through without regard to the route mostly does so by one of them.
        regardless = self._hints.get((id(crowd), ""), []) if route else []
        answer = self._prover.asked_of(question, [*reversed(hints), *reversed(regardless)])
        if answer.witness and len(hints) < _HINTS:
            hints.append(answer.witness)
        return answer

    # -- by what is known of others ----------------------------------------------------------------------------------

    def _among_others(self, crowd: Crowd, actor: Actor) -> Exposure | None:
        if crowd.answer.verdict == "holds":
            self._hold(crowd.answer)
            return None
        crowd = crowd.like(self._prover.likeness(actor))
        if crowd.answer.verdict == "holds":
            self._hold(crowd.answer)
            return None
        policies = actor.policies
        refuting = crowd.refuted(policies)
        if refuting is not None:
            self._sieved.append((refuting, policies.identity))
            return None
        ways: list[Way] = []
        for way in crowd.ways(actor, policies):
            if not isinstance(way, Way):
                self._sieved.append((way, policies.identity))
                continue
            told = retold(way.question, way.sieve.hints(way.statements), self._prover.vocabulary)
            if told is not None:
                return Exposure(actor, way.route, told, way.question)
            ways.append(way)
        return self._searched(crowd, actor, policies, ways) if ways else None

    def _searched(self, crowd: Crowd, actor: Actor, policies: PolicySet, ways: list[Way]) -> Exposure | None:
        """What no request of others shows."""
        whole = replace(policies, resource=crowd.case.policy)
        overall = self._prover.asked_of(self._prover.pose(crowd.case.claim, actor, whole, {}))
        if overall.verdict == "holds":
            self._hold(overall)
            return None
        answers: list[Answer] = []
        for way in ways:
            answer = self._prover.asked_of(way.question)
            if answer.verdict == "violated":
                way.sieve.learn(way.statements, answer.witness)
                return Exposure(actor, way.route, answer, way.question)
            answers.append(answer)
        self._hold(*answers)
        return None
