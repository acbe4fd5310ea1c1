"""Who can do something, with a request to show it and the statements that let it pass.

Everybody is asked about who may act (:mod:`ringwall.access.actors`), by every way that carries the call. An operation is
asked as the authorizations that it consists of, without a guardrail and with each guardrail of the Estate, so that
``Converse`` is possible only if the caller may also apply the guardrail that it names.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from ringwall.access.actors import OUTSIDE_ACCOUNT, Actor, Route, actors
from ringwall.access.anybody import anybody, likeness, stands_for, tests_of_arns
from ringwall.access.lone import Lones
from ringwall.access.proving import FOREIGN_ORGANIZATION
from ringwall.access.sieve import Sieve
from ringwall.access.ways import carrying
from ringwall.catalog.bedrock import GUARDRAIL_PLACES
from ringwall.catalog.operations import actions_of, authorizations, find_operation
from ringwall.errors import RingwallError
from ringwall.iam.patterns import glob_matches
from ringwall.iam.policy import ConditionTest
from ringwall.proof.claims import Claim
from ringwall.proof.hints import Hint
from ringwall.proof.prove import prove
from ringwall.proof.question import Answer, Authorization, Question
from ringwall.proof.setting import all_policies

if TYPE_CHECKING:
    from ringwall.access.bearing import Access
    from ringwall.catalog import operations as catalogued
    from ringwall.catalog.reference import Catalog

GUARDRAIL = "bedrock:guardrailidentifier"
_PARAMETERS: Mapping[str, str] = {
    # operation: the parameter that names what it is about
    "Converse": "modelId",
    "ConverseStream": "modelId",
    "InvokeModel": "modelId",
    "InvokeModelWithResponseStream": "modelId",
    "InvokeModelWithBidirectionalStream": "modelId",
    "StartAsyncInvoke": "modelId",
    "CountTokens": "modelId",
    "ApplyGuardrail": "guardrailIdentifier",
    "Retrieve": "knowledgeBaseId",
    "GetGuardrail": "guardrailIdentifier",
    "UpdateGuardrail": "guardrailIdentifier",
    "DeleteGuardrail": "guardrailIdentifier",
    "CreateGuardrailVersion": "guardrailIdentifier",
}


class UnclearQuestionError(RingwallError):
    """It is not clear what is asked about."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody may be able to do.

    Attributes:
        name: as it was asked.
        action: a single action; empty for an operation.
        service: botocore service of the operation.
        operation: in AWS's spelling.
        parameters: of the operation, in boto3's spelling.
        resource: ARN or pattern, for an action.
    """

    name: str
    action: str = ""
    service: str = ""
    operation: str = ""
    parameters: Mapping[str, Any] | None = None
    resource: str = "*"


@dataclass(frozen=True, slots=True)
class Able:
    """Somebody who can, or of whom it cannot be told.

    Attributes:
        actor: who.
        route: the way by which it works.
        answer: ``holds`` with the witness and the statements that allow it, or ``unknown`` with the reason.
    """

    actor: Actor
    route: Route
    answer: Answer


def wanted(name: str, resource: str, catalog: Catalog) -> Wanted:
    """What ``who-can NAME RESOURCE`` asks: an action (``bedrock:InvokeModel``) or an operation (``Converse``).

    An operation whose resource parameter is not known is asked as its action on the resource.

    Raises:
        RingwallError: there is neither such an action nor such an operation.
    """
    if ":" in name and catalog.is_action(name):
        known = catalog.action(name)
        return Wanted(name, action=str(known), resource=_pattern(resource))
    service, operation = find_operation(name)
    parameter = _PARAMETERS.get(operation)
    if parameter is None or resource == "*" or "*" in resource:
        actions = actions_of(service, operation)
        if len(actions) != 1:
            raise UnclearQuestionError(
                f"{operation} needs {', '.join(actions)}: ask about one of these actions"
            )
        return Wanted(name, action=actions[0], resource=_pattern(resource))
    return Wanted(name, service=service, operation=operation, parameters={parameter: resource})


def _pattern(resource: str) -> str:
    return resource if resource == "*" or resource.startswith("arn:") else f"arn:*/{resource}"


def who_can(
    access: Access,
    account: str,
    what: Wanted,
    catalog: Catalog,
    *,
    where: Sequence[ConditionTest] = (),
    region: str = "us-east-1",
    timeout: float = 10.0,
) -> Iterator[Able]:
    """Everybody who can, each by the first way that works, in the order of :func:`ringwall.access.actors.actors`.

    Args:
        access: over an Estate without references.
        account: whose principals and resources.
        what: see :func:`wanted`.
        catalog: actions and keys.
        where: further conditions on the request; of an operation, on its first authorization that carries the key.
        region: Region that is called.
        timeout: seconds for each question.
    """
    everybody = actors(access, account)
    asker = Asker(access, account, what, catalog, tuple(where), region, timeout, anybody(everybody))
    for actor in everybody:
        found = asker.about(actor)
        if found is not None:
            yield found


@dataclass
class Asker:
    """Asks one question about one actor after the other.

    Attributes:
        anyone: who may be any user or role; ``None`` = each actor is asked about by itself, and nothing is learned.
    """

    access: Access
    account: str
    what: Wanted
    catalog: Catalog
    where: tuple[ConditionTest, ...]
    region: str
    timeout: float
    anyone: Actor | None
    _sieves: dict[Hashable, tuple[Sieve, ...]] = field(default_factory=dict)
    _lones: Lones = field(default_factory=Lones)

    def about(self, actor: Actor) -> Able | None:
        """How an actor can, by the first way that works."""
        unknown: Able | None = None
        for route in self._ways:
            sieves = self._sieves_of(route, actor)
            if sieves and all(one.candidates(actor.policies.identity) is None for one in sieves):
                continue
            for question, sieve in zip_longest(self._questions(actor, route), sieves):
                answer = self._ask(question, sieve)
                if answer.verdict == "holds":
                    return Able(actor, route, self._with_gaps(answer))
                if answer.verdict == "unknown":
                    unknown = unknown or Able(actor, route, answer)
        return unknown

    def _ask(self, question: Question, sieve: Sieve | None) -> Answer:
        if sieve is None:
            return self._prove(question)
        candidates = sieve.candidates(question.policies.identity)
        if candidates is None:
            return Answer("violated")
        answer = self._prove(question, sieve.hints(candidates))
        if answer.verdict == "holds":
            sieve.learn(candidates, answer.witness)
        return answer

    def _prove(self, question: Question, hints: Sequence[Hint] = ()) -> Answer:
        return prove(question, self.catalog, timeout=self.timeout, explain=False, hints=hints)

    def _sieves_of(self, route: Route, actor: Actor) -> tuple[Sieve, ...]:
        """One for each question by a route, in the questions' order; none for an actor whom nobody stands for."""
        if self.anyone is None or not stands_for(self.anyone, actor, Claim("can")):
            return ()
        boundary = actor.policies.permissions_boundary
        alike = likeness(str(actor.principal), self._tests_of_arns)
        key = (route.label, alike, None if boundary is None else tuple(map(id, boundary)))
        if key not in self._sieves:
            policies = replace(self.anyone.policies, permissions_boundary=boundary)
            anyone = replace(self.anyone, policies=policies)
            self._sieves[key] = tuple(
                Sieve(_of_those(question, alike), self._prove, self.catalog, self._lones)
                for question in self._questions(anyone, route)
            )
        return self._sieves[key]

    @cached_property
    def _tests_of_arns(self) -> tuple[ConditionTest, ...]:
        if self.anyone is None:
            return ()
        common = replace(self.anyone.policies, identity=())
        return tests_of_arns(
            (*all_policies(common), *(policy for way in self._ways for policy in way.policies or ()))
        )

    def _with_gaps(self, answer: Answer) -> Answer:
        gaps = self.access.gaps
        if not gaps:
            return answer
        return replace(answer, verdict="unknown", reason=f"could not be read: {gaps[0]}")

    @cached_property
    def _ways(self) -> tuple[Route, ...]:
        prefix = self.what.action.split(":", 1)[0] if self.what.action else ""
        return carrying(self.access, service=self.what.service or None, prefix=prefix)

    def _questions(self, actor: Actor, route: Route) -> Iterator[Question]:
        facts: dict[str, Any] = {**self._identity(actor), **route.facts}
        policies = replace(actor.policies, vpc_endpoint=route.policies)
        base = Question(
            id=self.what.name,
            principal=actor.principal,
            policies=policies,
            claim=Claim("can", conditions=self.where),
            resource_account=None if actor.account == self.account else self.account,
            account=actor.account if actor.principal is None else None,
        )
        if self.what.action:
            yield from self._of_action(base, facts)
        else:
            yield from self._of_operation(base, actor, facts)

    def _of_action(self, base: Question, facts: Mapping[str, Any]) -> Iterator[Question]:
        claim = replace(base.claim, actions=(self.what.action,), resources=(self.what.resource,))
        if self.what.action.lower().startswith("sts:assumerole") and "*" not in self.what.resource:
            trust = self.access.resource_policy(self.what.resource, self.what.action)
            yield replace(base, claim=claim, fixed=facts, policies=replace(base.policies, resource=trust))
            return
        service = self.what.action.split(":", 1)[0].lower()
        for arn, policy in self.access.policies_of_resources():
            if arn.split(":", 3)[2] == service and self._speaks_of(arn):
                own = replace(base.policies, resource=policy)
                yield replace(base, claim=replace(claim, resources=(arn,)), fixed=facts, policies=own)
        yield replace(base, claim=claim, fixed=facts)

    def _speaks_of(self, arn: str) -> bool:
        return glob_matches(self.what.resource, arn) or glob_matches(arn, self.what.resource)

    def _of_operation(self, base: Question, actor: Actor, facts: dict[str, Any]) -> Iterator[Question]:
        account = actor.account or self.account
        claim = replace(base.claim, operation=f"{self.what.service}:{self.what.operation}")
        for parameters, guardrail in self._variants():
            parts = authorizations(
                self.what.service,
                self.what.operation,
                parameters,
                account=account,
                region=self.region,
                partition=self.access.partition,
            )
            fixed = {**facts, GUARDRAIL: guardrail} if self._takes_guardrail else facts
            bearing = tuple(self._bearing(base, part) for part in parts)
            yield replace(base, claim=claim, fixed=fixed, authorizations=bearing)

    def _bearing(self, base: Question, part: catalogued.Authorization) -> Authorization:
        resource = self.access.resource_policy(part.resource, part.action)
        policies = replace(base.policies, resource=resource) if resource else None
        return Authorization(part.action, part.resource, part.context, part.resource_account, policies)

    @property
    def _takes_guardrail(self) -> bool:
        place = GUARDRAIL_PLACES.get((self.what.service, self.what.operation))
        return place is not None and self.what.operation != "ApplyGuardrail"

    def _variants(self) -> Iterator[tuple[dict[str, Any], str | None]]:
        """Parameters without a guardrail, then with each one that there is."""
        parameters = dict(self.what.parameters or {})
        yield parameters, None
        if not self._takes_guardrail:
            return
        place = GUARDRAIL_PLACES[(self.what.service, self.what.operation)]
        for arn, version in self._guardrails():
            chosen: dict[str, Any] = dict(parameters)
            _put(chosen, place.identifier, arn)
            _put(chosen, place.version, version)
            yield chosen, f"{arn}:{version}" if version != "DRAFT" else arn

    def _guardrails(self) -> Iterable[tuple[str, str]]:
        """Guardrails of the Estate, and those that conditions name, with a version."""
        found: dict[tuple[str, str], None] = {}
        for test in self.where:
            if test.key.lower() == GUARDRAIL and "Not" not in test.operator and test.operator != "Null":
                found.update(dict.fromkeys(_versioned(value) for value in test.values))
        for resource in self.access.estate.of_type("AWS::Bedrock::Guardrail"):
            arn = self.access.attribute(resource, "Arn")
            if arn:
                found.update(dict.fromkeys(((arn, "1"), (arn, "DRAFT"))))
        return found

    def _identity(self, actor: Actor) -> dict[str, str | None]:
        if actor.account == OUTSIDE_ACCOUNT:
            return {"aws:principalorgid": FOREIGN_ORGANIZATION}
        account = self.access.estate.account(actor.account) if actor.account else None
        return {"aws:principalorgid": account.organization} if account else {}


def _of_those(question: Question, conditions: tuple[ConditionTest, ...]) -> Question:
    """The question about those of whom the conditions hold."""
    claim = question.claim
    return replace(question, claim=replace(claim, conditions=(*claim.conditions, *conditions)))


def _versioned(value: str) -> tuple[str, str]:
    """ARN and version of a guardrail as the condition key has it; patterns take version 1."""
    head, _, tail = value.rpartition(":")
    if "guardrail/" in head:
        return head, tail if tail.isdigit() else "1"
    return value, "DRAFT"


def _put(parameters: dict[str, Any], path: tuple[str, ...], value: str) -> None:
    target = parameters
    for name in path[:-1]:
        inner = dict(target.get(name) or {})
        target[name] = inner
        target = inner
    target[path[-1]] = value
