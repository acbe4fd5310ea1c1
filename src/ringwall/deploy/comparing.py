"""Comparing who may do what in two Estates: class by class, and what is left by the prover.

What counts as widening stands in :mod:`ringwall.deploy.effects`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ringwall.access import Access, Actor, Route, actors, routes
from ringwall.access.bearing import FULL_ACCESS, RCP
from ringwall.deploy.access_change import GUARDRAIL_KEY, UNKNOWN_GUARDRAIL, AccessChange, AccessChanges
from ringwall.deploy.classes import (
    UNMENTIONED,
    Context,
    RequestClass,
    actions_of,
    changed_statements,
    request_classes,
    statements,
    touches,
)
from ringwall.deploy.narrowing import narrows
from ringwall.deploy.watched import INFERENCE
from ringwall.estate.model import Account, Estate
from ringwall.iam.codec import make_request
from ringwall.iam.evaluate import decide
from ringwall.iam.parser import parse_policy
from ringwall.iam.policy import Policy, PolicySet, Statement
from ringwall.iam.request import Decision, Request
from ringwall.iam.vocabulary import Vocabulary
from ringwall.proof.compare import newly_allowed

SAMPLES = 5
"""Actions beyond the watched ones that are asked for each action pattern of a changed statement."""
NOTHING = Decision("implicit_deny", missing=("identity",))
"""What somebody who does not exist may do."""


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to AWS as it is before and after. An endpoint that one side lacks is the public network there."""

    label: str
    before: Route
    after: Route

    @property
    def goes(self) -> bool:
        """Whether it is an endpoint that goes away."""
        return self.before.endpoint is not None and self.after.endpoint is None


@dataclass(frozen=True, slots=True)
class _Case:
    """One principal on one way, with the policies that bear on it before and after."""

    account: Account
    actor: Actor
    new_principal: bool
    way: _Way
    before: PolicySet
    after: PolicySet


@dataclass
class Comparison:
    """One comparison of two Estates; grows account by account."""

    before: Access
    after: Access
    vocabulary: Vocabulary
    new: Mapping[str, str]
    watched: tuple[str, ...]
    seconds: float
    found: dict[tuple[object, ...], AccessChange] = field(default_factory=dict)
    unknown: dict[str, None] = field(default_factory=dict)
    proved: list[str] = field(default_factory=list)
    _sets: dict[tuple[int, int], tuple[PolicySet, PolicySet]] = field(default_factory=dict)
    """By identity of base set and resource policy; the base set is kept so that its identity stays its own."""

    def account(self, account: Account) -> None:
        """Everybody who may act on one account."""
        blind = self._blind(account)
        ways = _ways(routes(self.before), routes(self.after))
        resources = self._changed_resources(account)
        rcp_before, rcp_after = self.before.levels(account, RCP), self.after.levels(account, RCP)
        old = {_who(actor): actor for actor in actors(self.before, account.id)}
        for actor in actors(self.after, account.id):
            known = old.get(_who(actor))
            then = actor.policies
            was = known.policies if known else replace(then, identity=())
            if known and actor.principal in blind:
                was, then = replace(was, identity=_ANYTHING), replace(then, identity=_ANYTHING)
            for way in ways:
                case = _Case(
                    account,
                    actor,
                    known is None and actor.kind in ("user", "role"),
                    way,
                    replace(was, vpc_endpoint=way.before.policies, rcp=rcp_before),
                    replace(then, vpc_endpoint=way.after.policies, rcp=rcp_after),
                )
                self._case(case, resources)
            if known and actor.principal and actor.kind in ("user", "role", "root"):
                self._anything_else(account, actor, was, then, ways)

    def _anything_else(
        self, account: Account, actor: Actor, was: PolicySet, then: PolicySet, ways: tuple[_Way, ...]
    ) -> None:
        """Ask the prover for a request of an existing principal, of any action, that only the new policies allow."""
        delta = changed_statements(was, then)
        if delta == ():
            return
        if narrows(was, then):
            self.proved.append(actor.label)
            return
        if actor.principal is None or not then.identity or self._widens(actor):
            return  # where something widens already, the gate is closed and a proof would change nothing
        if self.seconds <= 0:
            self._undecided(actor, "no time was left to ask")
            return
        started = time.monotonic()
        answer = newly_allowed(
            was,
            then,
            self.vocabulary,
            principal=actor.principal,
            actions=None if delta is None else actions_of(delta),
            timeout=max(1.0, self.seconds / 2),
        )
        self.seconds -= time.monotonic() - started
        if answer is None:
            self.proved.append(actor.label)
        elif isinstance(answer, Request):
            public = next(way for way in ways if way.after.endpoint is None)
            case = _Case(account, actor, False, public, was, then)
            item = RequestClass(answer.action, answer.resource, answer.context, frozenset(answer.context))
            first, second = decide(answer, was, self.vocabulary), decide(answer, then, self.vocabulary)
            self._note(case, item, first, second, answer)
        else:
            self._undecided(actor, "it was neither found nor ruled out in time")

    def _undecided(self, actor: Actor, reason: str) -> None:
        self.unknown.setdefault(f"whether {actor.label} may newly do anything else: {reason}")

    def _widens(self, actor: Actor) -> bool:
        return any(item.principal == actor.principal and item.widens for item in self.found.values())

    def _blind(self, account: Account) -> frozenset[str]:
        """Principals whose own policies could not be read, before and after alike.

        They are taken to be allowed everything on both sides: what that does not newly allow, no policies of theirs do.
        Any other gap could hide a widening and is reported.
        """
        old, new = self.before.gaps, self.after.gaps
        settled = {gap for gap in old if gap in new and (gap.startswith(_IDENTITY) or " of " in gap)}
        for gap in old:
            if gap not in settled:
                self.unknown.setdefault(gap)
        groups = any(gap.startswith("AWS::IAM::Group") for gap in settled)
        return frozenset(
            entry.arn
            for entry in self.before.principals(account=account.id)
            if entry.resource is not None
            and any(
                f" {entry.resource.id} " in f"{gap} " or (groups and entry.kind == "user") for gap in settled
            )
        )

    def _case(self, case: _Case, resources: tuple[str, ...]) -> None:
        delta = changed_statements(case.before, case.after)
        everything = [item for _, item in (*statements(case.before), *statements(case.after))]
        moved = case.way.before.facts != case.way.after.facts
        for action in (*self.watched, *(() if case.new_principal else self._also(delta or ()))):
            if case.way.after.endpoint is not None and not action.startswith("bedrock:"):
                continue  # these endpoints carry Bedrock's calls only
            own = [arn for arn in resources if self._policy_changed(arn, action)]
            bearing = [item for item in everything if touches(item, action)]
            if (
                own
                or delta is None
                or any(touches(item, action) for item in delta)
                or (moved and any(_tests_route(item) for item in bearing))
            ):
                self._action(case, action, bearing, own)

    def _also(self, delta: Iterable[Statement]) -> tuple[str, ...]:
        """Actions that changed statements name beyond the watched ones; of each wildcard a few."""
        found: dict[str, None] = {}
        for statement in delta:
            for pattern in statement.actions or ():
                named = self.vocabulary.actions_matching(pattern)
                found |= dict.fromkeys(named[:SAMPLES])
        return tuple(name for name in found if name not in self.watched)

    def _action(self, case: _Case, action: str, bearing: list[Statement], own: list[str]) -> None:
        for arn in own:
            bearing += [item for item in self._statements_on(arn, action) if touches(item, action)]
        classes, complete = request_classes(
            action,
            bearing,
            self.vocabulary,
            region=next(iter(_regions(self.after.estate)), "us-east-1"),
            account=case.account.id,
            resources=own,
            own=lambda arn: self._own_policies(arn, action),
        )
        if not complete:
            self.unknown.setdefault(
                f"{case.actor.label}: too many kinds of {action} requests to compare all of them"
            )
        then = self._standing(case, case.way.after)
        was = self._standing(case, case.way.before)
        for item in classes:
            request = self._request(case, item, then)
            second = self._decide(self.after, request, case.after)
            first = NOTHING
            if not case.new_principal:
                asked = request if was == then else self._request(case, item, was)
                first = self._decide(self.before, asked, case.before)
            opens_nothing = case.way.goes and second.allowed
            if first.allowed != second.allowed and not opens_nothing:
                self._note(case, item, first, second, request)

    def _standing(self, case: _Case, route: Route) -> Context:
        """What principal and route put into every request."""
        account, actor = case.account, case.actor
        context = {key: (value,) for key, value in route.facts.items() if value is not None}
        context |= {f"aws:principaltag/{key.lower()}": (value,) for key, value in actor.tags.items()}
        context["aws:securetransport"] = ("true",)
        if account.organization:
            context["aws:resourceorgid"] = (account.organization,)
            if actor.account == account.id:
                context["aws:principalorgid"] = (account.organization,)
        return context

    def _request(self, case: _Case, item: RequestClass, standing: Context) -> Request:
        """The request of a class, by this principal."""
        account = case.account.id
        principal = case.actor.principal or f"arn:{self.after.partition}:iam::{account}:role/Unlisted"
        return make_request(principal, item.action, item.resource, account, {**item.context, **standing})

    def _decide(self, access: Access, request: Request, policies: PolicySet) -> Decision:
        """The decision on one side."""
        resource = access.resource_policy(request.resource, request.action)
        full = self._with_resource(policies, resource)
        return decide(request, full, self.vocabulary)

    def _with_resource(self, policies: PolicySet, resource: Policy | None) -> PolicySet:
        """The same set for the same policies, so that it is compiled once."""
        key = (id(policies), id(resource))
        if key not in self._sets:
            full = replace(policies, resource=resource)
            self._sets[key] = (full, policies)
        return self._sets[key][0]

    def _note(
        self, case: _Case, item: RequestClass, first: Decision, second: Decision, witness: Request
    ) -> None:
        """Put a changed decision with those of the same principal that changed for the same reason."""
        for resource in item.resources or (item.resource,):
            self._note_one(case, item, first, second, replace(witness, resource=resource))

    def _note_one(
        self, case: _Case, item: RequestClass, first: Decision, second: Decision, witness: Request
    ) -> None:
        guardrails: tuple[str, ...] = ()
        if witness.action in INFERENCE and GUARDRAIL_KEY in item.varied:
            carried = item.alike.get(GUARDRAIL_KEY, (witness.context.get(GUARDRAIL_KEY, ()),))
            guardrails = tuple(dict.fromkeys(_known_guardrail("".join(values)) for values in carried))
        turned = first if second.allowed else second
        made = self.new.get(witness.resource) or self.new.get(witness.resource.split("/", 1)[0])
        new_resource = made is not None
        reason = (turned.outcome, turned.because[:1], turned.missing)
        key = (_who(case.actor), second.allowed, new_resource, reason)
        known = self.found.get(key)
        if known is None:
            self.found[key] = AccessChange(
                principal=case.actor.principal or "*",
                label=case.actor.label,
                actions=(witness.action,),
                resources=(made or witness.resource,),
                routes=(case.way.label,),
                guardrails=guardrails,
                before=first,
                after=second,
                witness=witness,
                new_principal=case.new_principal,
                new_resource=new_resource,
            )
            return
        self.found[key] = replace(
            known,
            actions=_with(known.actions, witness.action),
            resources=_with(known.resources, made or witness.resource),
            routes=_with(known.routes, case.way.label),
            guardrails=tuple(dict.fromkeys((*known.guardrails, *guardrails))),
        )

    def _changed_resources(self, account: Account) -> tuple[str, ...]:
        """ARNs of resources that may have a policy of their own, roles with their trust policies included."""
        arns: dict[str, None] = {}
        for access in (self.before, self.after):
            arns |= {
                entry.arn: None for entry in access.principals(account=account.id) if entry.kind == "role"
            }
            for resource in access.estate.of_type("AWS::KMS::Key", account=account.id):
                arn = access.attribute(resource, "Arn")
                if arn:
                    arns[arn] = None
            for resource in access.estate.of_type("AWS::S3::BucketPolicy", account=account.id):
                bucket = f"arn:{access.partition}:s3:::{resource.get('Bucket')}"
                arns |= {bucket: None, f"{bucket}/example": None}
            for resource in access.estate.of_type("AWS::Bedrock::ResourcePolicy", account=account.id):
                arns[str(resource.get("ResourceArn"))] = None
        return tuple(arns)

    def _policy_changed(self, arn: str, action: str) -> bool:
        """Whether a resource's own policy changed and can matter to an action."""
        service, _, name = action.partition(":")
        if ":role/" in arn:
            if not name.startswith("AssumeRole"):
                return False
        elif arn.split(":", 3)[2] != service:
            return False
        old, new = self.before.resource_policy(arn, action), self.after.resource_policy(arn, action)
        return (old.statements if old else None) != (new.statements if new else None)

    def _own_policies(self, arn: str, action: str) -> tuple[Policy, ...]:
        """The resource's own policy, on both sides."""
        both = (access.resource_policy(arn, action) for access in (self.before, self.after))
        return tuple(policy for policy in both if policy is not None)

    def _statements_on(self, arn: str, action: str) -> Iterator[Statement]:
        for policy in self._own_policies(arn, action):
            yield from policy.statements

    def result(self) -> AccessChanges:
        """Sorted: what matters most first."""
        found = sorted(self.found.values(), key=_weight)
        return AccessChanges(
            tuple(item for item in found if item.after.allowed),
            tuple(item for item in found if not item.after.allowed),
            tuple(self.unknown),
            tuple(self.proved),
        )


_IDENTITY = ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group", "AWS::IAM::ManagedPolicy")
_ANYTHING = (parse_policy(FULL_ACCESS, name="not read, taken to allow everything"),)


def _tests_route(statement: Statement) -> bool:
    return any(test.key.lower() in ("aws:sourcevpce", "aws:sourcevpc") for test in statement.conditions)


def _known_guardrail(identifier: str) -> str:
    return UNKNOWN_GUARDRAIL if identifier.endswith(UNMENTIONED) else identifier


def _weight(change: AccessChange) -> tuple[object, ...]:
    return (not change.widens, not change.without_guardrail, change.principal, change.actions)


def _who(actor: Actor) -> tuple[str, str]:
    return actor.kind, actor.principal or ""


def _with(items: tuple[str, ...], item: str) -> tuple[str, ...]:
    return items if item in items else (*items, item)


def _ways(before: tuple[Route, ...], after: tuple[Route, ...]) -> tuple[_Way, ...]:
    """Routes of both sides by endpoint; where one side lacks the endpoint, its public network."""
    old = {route.endpoint: route for route in before}
    new = {route.endpoint: route for route in after}
    public = next(route for route in before if route.endpoint is None)
    later = next(route for route in after if route.endpoint is None)
    return tuple(
        _Way((new.get(key) or old[key]).label, old.get(key, public), new.get(key, later))
        for key in dict.fromkeys((*old, *new))
    )


def _regions(estate: Estate) -> Mapping[str, None]:
    return dict.fromkeys(item.region for item in estate if item.region not in ("global", ""))
