"""One case of a *never* claim for all whom anybody stands for: what is settled of them together.

Anybody (:mod:`ringwall.access.anybody`) is asked once; where that fails, with the same boundary and by each route, the
statements are sieved (:mod:`ringwall.access.sieve`). What is left of a principal's question is asked by itself, but
first with the requests that others with one of its statements can send.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ringwall.access.sieve import Sieve

if TYPE_CHECKING:
    from ringwall.access.actors import Actor, Route
    from ringwall.access.lone import Lone, Lones
    from ringwall.iam.policy import ConditionTest, Policy, PolicySet
    from ringwall.iam.vocabulary import Vocabulary
    from ringwall.proof.claims import Claim
    from ringwall.proof.question import Answer, Question

Pose = Callable[["Claim", "Actor", "PolicySet", Mapping[str, Any]], "Question"]
"""Makes the question of a claim about an actor with these policies by a route with these facts."""


@dataclass
class Case:
    """A claim as a whole, or about one resource with its policy.

    Attributes:
        claim: narrowed to the resource.
        policy: the resource's.
    """

    claim: Claim
    policy: Policy | None


@dataclass(frozen=True, slots=True)
class Way:
    """A route by which an actor may get through, as far as its statements show.

    Attributes:
        route: the route.
        question: about the actor by that route.
        sieve: of the route.
        statements: by which it may.
    """

    route: Route
    question: Question
    sieve: Sieve
    statements: tuple[Lone, ...]


@dataclass
class Crowd:
    """Everybody for whom anyone stands, in one case.

    Attributes:
        anyone: who may be any of them.
        case: what is claimed.
        claim: the same, as it is asked of anybody.
        routes: by which requests may come.
        pose: makes questions.
        prove: the prover.
        explain: the prover, which says what a proof rests on.
        vocabulary: the actions.
        lones: the statements of the Estate's principals.
    """

    anyone: Actor
    case: Case
    claim: Claim
    routes: tuple[Route, ...]
    pose: Pose
    prove: Callable[[Question], Answer]
    explain: Callable[[Question], Answer]
    vocabulary: Vocabulary
    lones: Lones
    _alike: dict[tuple[ConditionTest, ...], Crowd] = field(default_factory=dict, init=False)
    _sieves: dict[tuple[str | None, tuple[int, ...] | None], Sieve] = field(default_factory=dict, init=False)

    @cached_property
    def answer(self) -> Answer:
        """Of anybody, whose own policies allow everything, by any route."""
        policies = replace(self.anyone.policies, resource=self.case.policy)
        return self.explain(self.pose(self.claim, self.anyone, policies, {}))

    def like(self, conditions: tuple[ConditionTest, ...]) -> Crowd:
        """Those of the crowd of whom the conditions hold."""
        if not conditions:
            return self
        found = self._alike.get(conditions)
        if found is None:
            claim = replace(self.claim, conditions=(*self.claim.conditions, *conditions))
            found = self._alike[conditions] = replace(self, claim=claim)
        return found

    def refuted(self, policies: PolicySet) -> Sieve | None:
        """The sieve that lets nobody with these policies through by any route, if it does not."""
        sieve = self._sieve(None, policies.permissions_boundary)
        return sieve if sieve.candidates(policies.identity) is None else None

    def ways(self, actor: Actor, policies: PolicySet) -> Iterator[Way | Sieve]:
        """By route: how the actor may get through, or the sieve that it does not pass."""
        for route in self.routes:
            sieve = self._sieve(route, policies.permissions_boundary)
            statements = sieve.candidates(policies.identity)
            if statements is None:
                yield sieve
                continue
            by_this = replace(policies, resource=self.case.policy, vpc_endpoint=route.policies)
            question = self.pose(self.case.claim, actor, by_this, route.facts)
            yield Way(route, question, sieve, tuple(statements))

    def _sieve(self, route: Route | None, boundary: tuple[Policy, ...] | None) -> Sieve:
        key = (
            None if route is None else route.label,
            None if boundary is None else tuple(id(policy) for policy in boundary),
        )
        found = self._sieves.get(key)
        if found is None:
            found = self._sieves[key] = self._made(route, boundary)
        return found

    def _made(self, route: Route | None, boundary: tuple[Policy, ...] | None) -> Sieve:
        policies = replace(
            self.anyone.policies,
            permissions_boundary=boundary,
            resource=self.case.policy,
            vpc_endpoint=None if route is None else route.policies,
        )
        facts = {} if route is None else route.facts
        question = self.pose(self.claim, self.anyone, policies, facts)
        wider = None if route is None else self._sieve(None, boundary)
        whole = self.answer if route is None and boundary is None else None
        return Sieve(question, self.prove, self.vocabulary, self.lones, wider, whole)
