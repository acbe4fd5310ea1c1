"""Claims over an Estate: the prover's question asked of everybody who may act, by every way there is.

A *never* claim holds of an Estate if it holds of every actor (:mod:`ringwall.access.actors`), by every route
(:mod:`ringwall.access.inquiry`). All users and roles together are asked about as one who may be any of them
(:mod:`ringwall.access.crowd`): what does not hold of that one may still hold of each of them, but what does need not be
asked again. Resources that have policies of their own (keys, buckets, guardrails) are asked about one by one, since
their policies decide too.

What could not be read can only have hidden a deny or an allow: a violation over an Estate with gaps is *unknown*, and so
is a proof, unless the gap is about somebody else's resource.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ringwall.access.actors import OUTSIDE_ACCOUNT, Actor, Route, actors, routes
from ringwall.access.anybody import anybody, as_conditions, likeness, stands_for, tests_of_arns
from ringwall.access.bearing import Access
from ringwall.access.crowd import Case, Crowd
from ringwall.access.estate_answer import ApiCall, EstateAnswer, Exposure
from ringwall.access.inquiry import Inquiry
from ringwall.access.lone import Lones
from ringwall.access.remedies import Violation, remedy
from ringwall.access.resting import Resting, needed
from ringwall.access.strangers import UNGRANTED
from ringwall.catalog.operations import authorizations
from ringwall.iam.patterns import glob_matches
from ringwall.iam.policy import ConditionTest, Policy, PolicySet
from ringwall.iam.vocabulary import Vocabulary
from ringwall.proof.axioms import PRINCIPAL_DETERMINES_KEYS, RESOURCE_SHAPES
from ringwall.proof.claims import Claim
from ringwall.proof.hints import Hint
from ringwall.proof.language import Clock
from ringwall.proof.prove import prove
from ringwall.proof.question import Answer, Authorization, Question, Verdict
from ringwall.proof.setting import all_policies
from ringwall.proof.simplest import simplest

if TYPE_CHECKING:
    from ringwall.access.amending import Amendment
    from ringwall.access.smallest_change import PolicyChange

__all__ = ["FOREIGN_ORGANIZATION", "ApiCall", "EstateAnswer", "Exposure", "Prover"]

FOREIGN_ORGANIZATION = "o-0000000000"
"""An organization id that AWS gives to nobody, for principals of outside accounts."""


@dataclass
class Prover:
    """Asks claims of one Estate's access. Keeps actors and routes between claims.

    Attributes:
        access: over a bound Estate.
        account: the member account whose perimeter it is.
        vocabulary: actions and keys.
        timeout: seconds for each question.
        disabled_axioms: facts about requests that are not to be taken for granted.
        amendments: changes of policies to prove under.
        first: whether one actor with which a claim is violated is enough to know of.
        everybody: who may act, if that is known already.
    """

    access: Access
    account: str
    vocabulary: Vocabulary
    timeout: float = 10.0
    disabled_axioms: frozenset[str] = frozenset()
    amendments: tuple[Amendment | Resting, ...] = ()
    first: bool = False
    everybody: tuple[Actor, ...] = field(default=(), repr=False)
    asked: int = field(default=0, init=False)
    _actors: tuple[Actor, ...] = field(default=(), init=False)
    _routes: dict[tuple[str, ...], tuple[Route, ...]] = field(default_factory=dict, init=False)
    _anybody: Actor = field(init=False)
    _alike: dict[str, tuple[ConditionTest, ...]] = field(default_factory=dict, init=False)
    _lones: Lones = field(default_factory=Lones, init=False)

    def __post_init__(self) -> None:
        self.everybody = self.everybody or actors(self.access, self.account)
        self._actors = self.everybody
        if self.amendments:
            self._actors = tuple(
                replace(actor, policies=self._amended(actor.policies)) for actor in self.everybody
            )
        self._anybody = anybody(self._actors)

    def prove(self, claim: Claim, call: ApiCall | None = None) -> EstateAnswer:
        """The verdict over the Estate. ``call`` says which concrete call a *can* claim is about."""
        before = self.asked
        answer = self._can(claim, call) if claim.kind == "can" else self._never(claim)
        return replace(self._with_gaps(answer), asked=self.asked - before)

    def remedy(
        self, answer: EstateAnswer, *, keeping: Sequence[tuple[Claim, ApiCall | None]] = ()
    ) -> tuple[PolicyChange, ...]:
        """The smallest change of policies after which a violated claim holds of the Estate; empty if none was found.

        It is looked for as long as one question may take.

        Args:
            answer: of this prover.
            keeping: *can* claims that hold and must go on holding.
        """
        if answer.violation is None:
            return ()

        def again(chosen: Sequence[Amendment], seconds: float) -> tuple[Verdict, Violation | None]:
            amended = replace(
                self,
                timeout=min(seconds, self.timeout),
                amendments=(*self.amendments, *chosen),
                first=True,
            )
            found = amended.prove(answer.claim)
            if found.verdict == "holds" and any(
                amended.prove(claim, call).verdict != "holds" for claim, call in keeping
            ):
                return "unknown", None
            return found.verdict, found.violation

        return remedy(answer.violation, self.vocabulary, timeout=self.timeout, again=again)

    def verdict_without_axioms(self, answer: EstateAnswer, call: ApiCall | None = None) -> Verdict | None:
        """The verdict if none of the axioms that a proof names is taken for granted; ``None`` where there is no proof."""
        if answer.verdict != "holds" or answer.answer.witness:
            return None
        used = frozenset(answer.answer.axioms)
        if used <= self.disabled_axioms:
            return answer.verdict
        bold = replace(self, disabled_axioms=self.disabled_axioms | used, first=True)
        return bold.prove(answer.claim, call).verdict

    # -- never -----------------------------------------------------------------------------------------------------

    def _never(self, claim: Claim) -> EstateAnswer:
        violations: list[Exposure] = []
        exempt: list[Exposure] = []
        inquiry = Inquiry(self, claim)
        for actor in self._actors:
            if not _concerns(claim, actor):
                continue
            exposure = inquiry.about(actor)
            if exposure is not None:
                (exempt if actor.exempt else violations).append(exposure)
            if violations and self.first:
                break
        exempted = tuple(exempt)
        if violations:
            shown = violations[0]
            return EstateAnswer(
                claim,
                "violated",
                shown.answer,
                tuple(violations),
                exempted,
                violation=_violation(shown, claim),
            )
        answers = inquiry.answers()
        unknown = next((answer for answer in answers if answer.verdict == "unknown"), None)
        if unknown is not None:
            return EstateAnswer(claim, "unknown", unknown, exempt=exempted)
        return EstateAnswer(claim, "holds", self._resting(claim, answers), exempt=exempted)

    def _resting(self, claim: Claim, answers: list[Answer]) -> Answer:
        """One answer for all, which rests on no statement that it could do without."""
        together = _together(answers)
        widest = max(answers, key=lambda answer: len(answer.because), default=together)
        if self.first or len(widest.because) == len(together.because):
            return together  # as few as carry that one

        def holds_with(resting: Resting) -> bool:
            bold = replace(self, amendments=(*self.amendments, resting), first=True)
            return bold.prove(claim).verdict == "holds"

        return replace(together, because=needed(together.because, holds_with))

    def cases(self, claim: Claim) -> tuple[Case, ...]:
        """The claim as a whole, then about each resource with a policy of its own."""
        return tuple(
            Case(
                claim if resource is None else self._about(claim, resource),
                self._amended(PolicySet(resource=policy)).resource,
            )
            for resource, policy in self._resource_cases(claim)
        )

    def crowd(self, case: Case) -> Crowd:
        """Those for whom anybody stands, in a case.

        Of each of them the claim speaks. Where ``aws:PrincipalArn`` may be anything, no condition on it says so.
        """
        claim = case.claim
        if PRINCIPAL_DETERMINES_KEYS in self.disabled_axioms:
            claim = replace(claim, principals=None, not_principals=None)
        return Crowd(
            self._anybody,
            case,
            claim,
            self.routes_for(case.claim),
            self.pose,
            self._sifted,
            self.asked_of,
            self.vocabulary,
            self._lones,
        )

    def is_stood_for(self, actor: Actor, claim: Claim) -> bool:
        """Whether what holds of anybody holds of the actor."""
        return stands_for(self._anybody, actor, claim)

    def likeness(self, actor: Actor) -> tuple[ConditionTest, ...]:
        """What organization and endpoints ask of ``aws:PrincipalArn``, as it is answered of the actor."""
        principal = str(actor.principal)
        if PRINCIPAL_DETERMINES_KEYS in self.disabled_axioms:
            return ()
        if principal not in self._alike:
            self._alike[principal] = likeness(principal, self._tests_of_arns)
        return self._alike[principal]

    @cached_property
    def _tests_of_arns(self) -> tuple[ConditionTest, ...]:
        common = replace(self._anybody.policies, identity=())
        through = (policy for route in routes(self.access, services=("",)) for policy in route.policies or ())
        return tests_of_arns((*all_policies(common), *through))

    def pose(self, claim: Claim, actor: Actor, policies: PolicySet, facts: Mapping[str, Any]) -> Question:
        """The question of a claim about one actor, by a route with these facts."""
        return Question(
            id=claim.name,
            principal=actor.principal,
            policies=policies,
            claim=as_conditions(claim)
            if actor.principal is None
            else replace(claim, principals=None, not_principals=None),
            resource_account=None if actor.account == self.account else self.account,
            disabled_axioms=self.disabled_axioms,
            fixed={**self._identity_facts(actor), **facts},
            account=actor.account if actor.principal is None else None,
        )

    def asked_of(self, question: Question, hints: Iterable[Hint] = (), *, explain: bool = True) -> Answer:
        """The prover's answer."""
        self.asked += 1
        return prove(question, self.vocabulary, timeout=self.timeout, hints=hints, explain=explain)

    def _sifted(self, question: Question) -> Answer:
        """An answer that does not say what a proof rests on; a witness is the simplest, to be retold."""
        answer = self.asked_of(question, explain=False)
        if not answer.witness:
            return answer
        clock = Clock.starting_now(self.timeout)
        return replace(answer, witness=simplest(question, answer.witness, self.vocabulary, clock))

    def _identity_facts(self, actor: Actor) -> dict[str, str | None]:
        if actor.account == OUTSIDE_ACCOUNT:
            return {"aws:principalorgid": FOREIGN_ORGANIZATION}
        account = self.access.estate.account(actor.account) if actor.account else None
        return {"aws:principalorgid": account.organization} if account else {}

    def _resource_cases(self, claim: Claim) -> Iterator[tuple[str | None, Policy | None]]:
        """The claim as a whole, then each resource with a policy of its own that it speaks of."""
        yield None, None
        services = _services(claim, self.vocabulary)
        for arn, policy in self.access.policies_of_resources():
            if arn.split(":", 3)[2] in services and _speaks_of(claim, arn):
                yield arn, policy
        if "sts" in services:
            for entry in self.access.principals(account=self.account):
                if entry.trust is not None and _speaks_of(claim, entry.arn):
                    yield entry.arn, entry.trust

    def _about(self, claim: Claim, resource: str) -> Claim:
        """The claim about one resource: the actions of other services are about others."""
        actions = claim.actions
        if actions is not None and RESOURCE_SHAPES not in self.disabled_axioms:
            service = resource.split(":", 3)[2]
            prefixes = ("sts:", "iam:") if service == "iam" else (f"{service}:",)
            own = tuple(one for one in actions if ":" not in one or one.lower().startswith(prefixes))
            actions = own or actions
        return replace(claim, actions=actions, resources=(resource,), not_resources=None)

    def routes_for(self, claim: Claim) -> tuple[Route, ...]:
        """By which ways requests of the claim's services may come."""
        services = tuple(sorted(_services(claim, self.vocabulary)))
        if services not in self._routes:
            self._routes[services] = tuple(
                replace(route, policies=self._amended(PolicySet(vpc_endpoint=route.policies)).vpc_endpoint)
                for route in routes(self.access, services=services)
            )
        return self._routes[services]

    # -- can -------------------------------------------------------------------------------------------------------

    def _can(self, claim: Claim, call: ApiCall | None) -> EstateAnswer:
        wanted = [actor for actor in self._actors if actor.principal in (claim.principals or ())]
        if not wanted:
            reason = f"{', '.join(claim.principals or ('nobody',))} is not there"
            return EstateAnswer(claim, "violated", Answer("violated", reason=reason))
        exposures = [self._ask_can(claim, actor, call) for actor in wanted]
        able = [item for item in exposures if item.answer.verdict == "holds"]
        decided = able[0] if able else exposures[0]
        violation = _violation(decided, claim) if decided.answer.verdict == "violated" else None
        return EstateAnswer(claim, decided.answer.verdict, decided.answer, tuple(able), violation=violation)

    def _ask_can(self, claim: Claim, actor: Actor, call: ApiCall | None) -> Exposure:
        self.asked += 1
        facts: dict[str, Any] = dict(self._identity_facts(actor))
        parts: tuple[Authorization, ...] = ()
        policies = actor.policies
        if call is not None:
            facts |= {key.lower(): value for key, value in call.context.items()}
            endpoint = facts.get("aws:sourcevpce")
            if isinstance(endpoint, str):
                facts |= self._endpoint_facts(endpoint)
                through = PolicySet(vpc_endpoint=self.access.endpoint_policies(endpoint))
                policies = replace(policies, vpc_endpoint=self._amended(through).vpc_endpoint)
            parts = tuple(self._parts(actor, call, endpoint))
        question = Question(
            id=claim.name,
            principal=actor.principal,
            policies=policies,
            claim=replace(claim, principals=None, not_principals=None),
            disabled_axioms=self.disabled_axioms,
            fixed=facts,
            authorizations=parts,
        )
        return Exposure(actor, None, prove(question, self.vocabulary, timeout=self.timeout), question)

    def _parts(self, actor: Actor, call: ApiCall, endpoint: str | None) -> Iterator[Authorization]:
        needed = authorizations(
            call.service,
            call.operation,
            call.parameters,
            account=actor.account,
            region=call.region,
            partition=self.access.partition,
        )
        for item in needed:
            bearing = self.access.policies(
                str(actor.principal), resource=item.resource, action=item.action, endpoint=endpoint
            )
            yield Authorization(
                item.action, item.resource, item.context, item.resource_account, self._amended(bearing)
            )

    def _endpoint_facts(self, endpoint: str) -> dict[str, Any]:
        for route in routes(self.access, services=("",)):
            if route.endpoint == endpoint:
                return dict(route.facts)
        return {"aws:sourcevpce": endpoint}

    # -- both ------------------------------------------------------------------------------------------------------

    def _amended(self, policies: PolicySet) -> PolicySet:
        for amendment in self.amendments:
            policies = amendment.applied(policies)
        return policies

    def _with_gaps(self, answer: EstateAnswer) -> EstateAnswer:
        gaps = self.access.gaps
        if not gaps or answer.verdict == "unknown":
            return replace(answer, gaps=gaps)
        reason = f"could not be read: {gaps[0]}" + (f" (and {len(gaps) - 1} more)" if len(gaps) > 1 else "")
        decided = replace(answer.answer, verdict="unknown", reason=reason)
        return replace(answer, verdict="unknown", answer=decided, gaps=gaps, violation=None)


def _violation(exposure: Exposure, claim: Claim) -> Violation | None:
    question = exposure.question
    return Violation(question, exposure.answer, claim) if question is not None else None


def _concerns(claim: Claim, actor: Actor) -> bool:
    """Whether a claim speaks of an actor. Unlisted principals are narrowed by condition instead."""
    if actor.principal is None:
        return True
    if claim.principals is not None and not _any_glob(claim.principals, actor.principal):
        return False
    return claim.not_principals is None or not _any_glob(claim.not_principals, actor.principal)


def _any_glob(patterns: Iterable[str], text: str) -> bool:
    return any(glob_matches(pattern, text) for pattern in patterns)


def _services(claim: Claim, vocabulary: Vocabulary) -> frozenset[str]:
    """Service prefixes of the actions that a claim speaks of."""
    if claim.actions is None or any(":" not in action for action in claim.actions):
        return frozenset(action.split(":", 1)[0] for action in vocabulary.actions())
    return frozenset(action.split(":", 1)[0].lower() for action in claim.actions)


def _speaks_of(claim: Claim, arn: str) -> bool:
    if claim.resources is not None:
        return _any_glob(claim.resources, arn)
    return claim.not_resources is None or not _any_glob(claim.not_resources, arn)


def _together(answers: list[Answer]) -> Answer:
    """One holding answer for many: statements and axioms of all of them, in order, without repeats."""
    if not answers:
        return Answer("holds", vacuous=True)
    proved = [answer for answer in answers if answer is not UNGRANTED]
    return Answer(
        "holds",
        because=tuple(dict.fromkeys(reason for answer in answers for reason in answer.because)),
        missing=tuple(dict.fromkeys(item for answer in answers for item in answer.missing)),
        axioms=tuple(dict.fromkeys(axiom for answer in answers for axiom in answer.axioms)),
        vacuous=bool(proved) and all(answer.vacuous for answer in proved),
    )
