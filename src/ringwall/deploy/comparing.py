"""Comparing who may do what in two Estates: class by class, and what is left by the prover.

What counts as widening stands in :mod:`ringwall.deploy.effects`.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ringwall.access import Access, Actor, Route, actors, routes
from ringwall.access.bearing import FULL_ACCESS, RCP
from ringwall.deploy.access_change import GUARDRAIL_KEY, UNKNOWN_GUARDRAIL, AccessChange, AccessChanges
from ringwall.deploy.classes import (
    UNMENTIONED,
    Context,
    RequestClass,
    actions_of,
    by_action,
    changed_statements,
    covering,
    placed,
    request_classes,
    touches,
)
from ringwall.deploy.found import Found
from ringwall.deploy.narrowing import narrows
from ringwall.deploy.passing import Passing, allowing, allowing_service
from ringwall.deploy.watched import INFERENCE
from ringwall.estate.model import Account, Estate
from ringwall.iam.codec import make_request
from ringwall.iam.evaluate import decide, rcp_applies
from ringwall.iam.parser import parse_policy
from ringwall.iam.policy import Policy, PolicyLevel, PolicySet, Statement
from ringwall.iam.request import Decision, Request
from ringwall.iam.rules import deciding_resource, is_always_allowed, refuses_root
from ringwall.iam.vocabulary import Vocabulary

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
    standing: tuple[Context, Context]
    """What principal and way put into every request, before and after."""


@dataclass(frozen=True, slots=True)
class _Changed:
    """Requests of a class whose decision changes, with one of them."""

    item: RequestClass
    before: Decision
    after: Decision
    witness: Request


@dataclass
class Comparison:
    """One comparison of two Estates; grows account by account.

    Actions that no statement, no rule of AWS's and nothing in the catalog tells apart have the same requests, and those the
    same decisions: they are decided once for all of them.
    """

    before: Access
    after: Access
    vocabulary: Vocabulary
    new: Mapping[str, str]
    begun: Mapping[str, str]
    watched: tuple[str, ...]
    seconds: float
    found: dict[tuple[object, ...], Found] = field(default_factory=dict)
    unknown: dict[str, None] = field(default_factory=dict)
    proved: list[str] = field(default_factory=list)
    _sets: dict[tuple[int, int], tuple[PolicySet, PolicySet]] = field(default_factory=dict)
    """By identity of base set and resource policy; the base set is kept so that its identity stays its own."""
    _classes: dict[Hashable, tuple[tuple[RequestClass, ...], bool]] = field(default_factory=dict)
    _kept: list[object] = field(default_factory=list)
    """What identities in the keys of ``_classes`` are of, so that they stay its own."""
    _kinds: dict[str, Hashable] = field(default_factory=dict)
    _own: dict[tuple[str, str], tuple[Policy, ...]] = field(default_factory=dict)
    _passing: tuple[Passing, Passing] = field(init=False)

    def __post_init__(self) -> None:
        self._passing = Passing(self.before), Passing(self.after)

    def account(self, account: Account) -> None:
        """Everybody who may act on one account."""
        blind = self._blind(account)
        ways = _ways(routes(self.before), routes(self.after))
        resources = self._changed_resources(account)
        own: dict[str, list[str]] = {}
        rcp_before, rcp_after = self.before.levels(account, RCP), self.after.levels(account, RCP)
        old = {_who(actor): actor for actor in actors(self.before, account.id)}
        for actor in actors(self.after, account.id):
            known = old.get(_who(actor))
            then = actor.policies
            was = known.policies if known else replace(then, identity=())
            if known and actor.principal in blind:
                was, then = replace(was, identity=_ANYTHING), replace(then, identity=_ANYTHING)
            befores: dict[int, PolicySet] = {}
            afters: dict[int, PolicySet] = {}
            for way in ways:
                case = _Case(
                    account,
                    actor,
                    known is None and actor.kind in ("user", "role"),
                    way,
                    _through(way.before, was, rcp_before, befores),
                    _through(way.after, then, rcp_after, afters),
                    (_standing(account, actor, way.before), _standing(account, actor, way.after)),
                )
                self._case(case, resources, own)
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
        from ringwall.proof.compare import newly_allowed  # noqa: PLC0415 - the solvers, which few plans need

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
            standing = _standing(account, actor, public.before), _standing(account, actor, public.after)
            case = _Case(account, actor, False, public, was, then, standing)
            item = RequestClass(answer.resource, answer.context, frozenset(answer.context))
            first, second = decide(answer, was, self.vocabulary), decide(answer, then, self.vocabulary)
            self._note(case, answer.action, _Changed(item, first, second, answer))
        else:
            self._undecided(actor, "it was neither found nor ruled out in time")

    def _undecided(self, actor: Actor, reason: str) -> None:
        self.unknown.setdefault(f"whether {actor.label} may newly do anything else: {reason}")

    def _widens(self, actor: Actor) -> bool:
        return any(item.principal == actor.principal and item.widens for item in self._changes())

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

    def _case(self, case: _Case, resources: tuple[str, ...], own: dict[str, list[str]]) -> None:
        """Every action of one case. ``own`` remembers which of the account's resources have a changed policy for it."""
        delta = changed_statements(case.before, case.after)
        everything = [policy for _, policy in (*placed(case.before), *placed(case.after))]
        moved = case.way.before.facts != case.way.after.facts
        actions = (*self.watched, *(() if case.new_principal else self._also(delta or ())))
        bearing = covering(everything, actions)
        changed = by_action(delta or (), actions)
        decided: dict[Hashable, list[_Changed]] = {}
        for action in actions:
            if case.way.after.endpoint is not None and not action.startswith("bedrock:"):
                continue  # these endpoints carry Bedrock's calls only
            if action not in own:
                own[action] = [arn for arn in resources if self._policy_changed(arn, action)]
            on_it = bearing.get(action, [])
            if (
                own[action]
                or delta is None
                or action in changed
                or (moved and any(_tests_route(item) for item in on_it))
            ) and self._could_pass(case, action):
                self._action(case, action, on_it, own[action], decided)

    def _could_pass(self, case: _Case, action: str) -> bool:
        """Whether something could allow the action before or after; if not, it is denied on both sides."""
        before, after = self._passing
        return after.could(case.actor, case.after, action) or (
            not case.new_principal and before.could(case.actor, case.before, action)
        )

    def _also(self, delta: Iterable[Statement]) -> tuple[str, ...]:
        """Actions that changed statements name beyond the watched ones; of each wildcard a few."""
        found: dict[str, None] = {}
        for statement in delta:
            for pattern in statement.actions or ():
                named = self.vocabulary.actions_matching(pattern)
                found |= dict.fromkeys(named[:SAMPLES])
        return tuple(name for name in found if name not in self.watched)

    def _action(
        self,
        case: _Case,
        action: str,
        bearing: list[Statement],
        own: list[str],
        decided: dict[Hashable, list[_Changed]],
    ) -> None:
        """One action of a case: its requests decided, or the decisions of an action that nothing tells from it."""
        on_resources = (
            item for arn in own for item in self._statements_on(arn, action) if touches(item, action)
        )
        relevant = {id(item): item for item in (*bearing, *on_resources)}
        classes, complete = self._classes_of(action, relevant, own, case.account)
        if not complete:
            self.unknown.setdefault(
                f"{case.actor.label}: too many kinds of {action} requests to compare all of them"
            )
        alike = (id(classes), self._kind(action), self._touching(classes, action))
        if alike not in decided:
            decided[alike] = list(self._decided(case, action, classes))
        for changed in decided[alike]:
            self._note(case, action, changed)

    def _classes_of(
        self, action: str, relevant: Mapping[int, Statement], own: list[str], account: Account
    ) -> tuple[tuple[RequestClass, ...], bool]:
        """The request classes, the same object for actions whose statements and requests are the same."""
        key = (tuple(relevant), self._kind(action), tuple(own), account.id)
        if key not in self._classes:
            self._kept.append(relevant)
            self._classes[key] = request_classes(
                action,
                relevant.values(),
                self.vocabulary,
                region=next(iter(_regions(self.after.estate)), "us-east-1"),
                account=account.id,
                resources=own,
                own=lambda arn: self._own_policies(arn, action),
            )
        return self._classes[key]

    def _kind(self, action: str) -> Hashable:
        """What catalog and rules know of an action, apart from its name."""
        if action not in self._kinds:
            self._kinds[action] = (
                self.vocabulary.resource_patterns(action),
                frozenset(self.vocabulary.condition_keys(action)),
                self.vocabulary.takes_star(action),
                deciding_resource(action),
                is_always_allowed(action),
                refuses_root(action),
                rcp_applies(action, self.vocabulary),
                action.lower().startswith("sts:assumerole"),
            )
        return self._kinds[action]

    def _touching(self, classes: Iterable[RequestClass], action: str) -> Hashable:
        """Which statements of the policies of the classes' own resources cover the action."""
        return tuple(
            (arn, id(policy), tuple(touches(item, action) for item in policy.statements))
            for arn in dict.fromkeys(item.resource for item in classes)
            for policy in self._own_policies(arn, action)
        )

    def _decided(self, case: _Case, action: str, classes: Iterable[RequestClass]) -> Iterator[_Changed]:
        was, then = case.standing
        stranger = case.actor.account != case.account.id and not is_always_allowed(action)
        for item in classes:
            if stranger and not self._granted(case.actor, item.resource, action):
                continue  # who is not of the account needs the resource's own policy: denied on both sides
            request = self._request(case, action, item, then)
            second = self._decide(self.after, request, case.after)
            first = NOTHING
            if not case.new_principal:
                asked = request if was == then else self._request(case, action, item, was)
                first = self._decide(self.before, asked, case.before)
            opens_nothing = case.way.goes and second.allowed
            if first.allowed != second.allowed and not opens_nothing:
                yield _Changed(item, first, second, request)

    def _granted(self, stranger: Actor, resource: str, action: str) -> bool:
        """Whether the resource's own policy, before or after, may allow a stranger to its account the action."""
        policies = self._own_policies(resource, action)
        if stranger.kind == "service":
            return allowing_service(policies, action, str(stranger.principal))
        return allowing(policies, action)

    def _request(self, case: _Case, action: str, item: RequestClass, standing: Context) -> Request:
        """The request of a class, by this principal."""
        account = case.account.id
        principal = case.actor.principal or f"arn:{self.after.partition}:iam::{account}:role/Unlisted"
        return make_request(principal, action, item.resource, account, {**item.context, **standing})

    def _decide(self, access: Access, request: Request, policies: PolicySet) -> Decision:
        """The decision on one side."""
        resource = access.resource_policy(request.resource, request.action)
        full = self._with_resource(policies, resource)
        return decide(request, full, self.vocabulary)

    def _with_resource(self, policies: PolicySet, resource: Policy | None) -> PolicySet:
        """The same set for the same policies, so that it is compiled once."""
        if resource is policies.resource:
            return policies
        key = (id(policies), id(resource))
        if key not in self._sets:
            full = replace(policies, resource=resource)
            self._sets[key] = (full, policies)
        return self._sets[key][0]

    def _note(self, case: _Case, action: str, changed: _Changed) -> None:
        """Put a changed decision with those of the same principal that changed for the same reason."""
        item, first, second = changed.item, changed.before, changed.after
        guardrails: tuple[str, ...] = ()
        if action in INFERENCE and GUARDRAIL_KEY in item.varied:
            carried = item.alike.get(GUARDRAIL_KEY, (changed.witness.context.get(GUARDRAIL_KEY, ()),))
            guardrails = tuple(dict.fromkeys(_known_guardrail("".join(values)) for values in carried))
        turned = first if second.allowed else second
        reason = (turned.outcome, turned.because[:1], turned.missing)
        for resource in item.resources or (item.resource,):
            holder = resource.split("/", 1)[0]
            made = self.new.get(resource) or self.new.get(holder)
            if made is None and case.actor.kind == "service":
                made = self.begun.get(holder)
            key = (_who(case.actor), second.allowed, made is not None, reason)
            known = self.found.get(key)
            if known is None:
                known = self.found[key] = Found(
                    principal=case.actor.principal or "*",
                    label=case.actor.label,
                    before=first,
                    after=second,
                    witness=replace(changed.witness, action=action, resource=resource),
                    new_principal=case.new_principal or case.actor.principal in self.begun,
                    new_resource=made is not None,
                )
            known.add(action, made or resource, case.way.label, guardrails)

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
        key = (arn, action)
        if key not in self._own:
            both = (access.resource_policy(arn, action) for access in (self.before, self.after))
            self._own[key] = tuple(policy for policy in both if policy is not None)
        return self._own[key]

    def _statements_on(self, arn: str, action: str) -> Iterator[Statement]:
        for policy in self._own_policies(arn, action):
            yield from policy.statements

    def _changes(self) -> Iterator[AccessChange]:
        return (item.change() for item in self.found.values())

    def result(self) -> AccessChanges:
        """Sorted: what matters most first."""
        found = sorted(self._changes(), key=_weight)
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


def _standing(account: Account, actor: Actor, route: Route) -> Context:
    """What principal and route put into every request."""
    context = {key: (value,) for key, value in route.facts.items() if value is not None}
    context |= {f"aws:principaltag/{key.lower()}": (value,) for key, value in actor.tags.items()}
    context["aws:securetransport"] = ("true",)
    if account.organization:
        context["aws:resourceorgid"] = (account.organization,)
        if actor.account == account.id:
            context["aws:principalorgid"] = (account.organization,)
    return context


def _through(
    route: Route, policies: PolicySet, rcp: tuple[PolicyLevel, ...] | None, made: dict[int, PolicySet]
) -> PolicySet:
    """An actor's policies by one route; the same set by routes that add the same, so that it is compiled once."""
    key = id(route.policies)
    if key not in made:
        made[key] = replace(policies, vpc_endpoint=route.policies, rcp=rcp)
    return made[key]


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
