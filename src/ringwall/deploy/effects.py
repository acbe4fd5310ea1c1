"""What a plan changes for people: which requests it newly allows, and which it newly denies.

Every principal of the account, its root user, anonymous callers, services and any other account are asked about,
over the public network and through every endpoint, before and after. What counts as **widening**, and needs its own
confirmation, is precisely:

* a request that was denied before and is allowed after,
* by somebody who could already send it: a principal that this plan itself creates is shown, but a first deployment, or
  a new use, is not a widening;
* on something that exists already: nobody can have been denied what this plan creates.

A deny that goes away (in a service control policy, a boundary, an endpoint policy) widens by this definition when some
existing principal's request passes because of it. If it lets nobody through, it does not. An endpoint that goes away
opens nothing, the public network was there before; one that comes may, where policies demand it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ringwall.access import Access, Actor, Route, actors, routes
from ringwall.access.bearing import FULL_ACCESS, RCP
from ringwall.deploy.after import Outlook
from ringwall.deploy.classes import (
    UNMENTIONED,
    RequestClass,
    changed_statements,
    request_classes,
    statements,
    touches,
)
from ringwall.deploy.narrowing import narrows
from ringwall.deploy.watched import INFERENCE, WATCHED
from ringwall.errors import GateRefusedError
from ringwall.estate.model import Account, Estate
from ringwall.iam.codec import request_from_json
from ringwall.iam.evaluate import decide
from ringwall.iam.parser import parse_policy
from ringwall.iam.policy import PolicySet, Statement
from ringwall.iam.request import Decision, Request
from ringwall.iam.vocabulary import Vocabulary
from ringwall.proof.compare import compare

PROVE_FOR = 5.0
"""Seconds for all principals."""
SAMPLES = 5
"""Actions beyond the watched ones that are asked for each action pattern of a changed statement."""
GUARDRAIL_KEY = "bedrock:guardrailidentifier"
UNKNOWN_GUARDRAIL = "another"


@dataclass(frozen=True, slots=True)
class AccessChange:
    """Requests of one principal whose decision changes for the same reason.

    Attributes:
        principal: ARN, service principal or ``*``.
        label: the principal in words.
        actions: the actions, the first that of the witness.
        resources: their resources: ARNs, for what the plan creates the declared id.
        routes: by which ways.
        guardrails: the ``bedrock:GuardrailIdentifier`` of the inference requests among them; empty text = none.
        before: decision before, with the statements that made it.
        after: decision after, likewise.
        witness: one such request, to be replayed by ``ringwall decide``.
        new_principal: whether this plan creates the principal.
        new_resource: whether this plan creates every one of the resources.
    """

    principal: str
    label: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    routes: tuple[str, ...]
    guardrails: tuple[str, ...]
    before: Decision
    after: Decision
    witness: Request
    new_principal: bool = False
    new_resource: bool = False

    @property
    def without_guardrail(self) -> bool:
        """Whether these are inference requests without a guardrail, or with one that no policy knows."""
        return "" in self.guardrails and all(name in ("", UNKNOWN_GUARDRAIL) for name in self.guardrails)

    @property
    def widens(self) -> bool:
        """Whether this counts as widening (see the module's text)."""
        return self.after.allowed and not (self.new_principal or self.new_resource)


@dataclass(frozen=True, slots=True)
class AccessChanges:
    """What newly passes and what newly does not.

    Attributes:
        newly_allows: was denied, is allowed.
        newly_denies: was allowed, is denied.
        unknown: what could not be compared, and why. Not a pass: it closes the gate like a widening.
        proved: principals, in words, of whom it is proved over all requests that their own policies, boundary and
            service control policies newly allow nothing else.
    """

    newly_allows: tuple[AccessChange, ...] = ()
    newly_denies: tuple[AccessChange, ...] = ()
    unknown: tuple[str, ...] = ()
    proved: tuple[str, ...] = ()

    @property
    def widening(self) -> tuple[AccessChange, ...]:
        """Those of the newly allowed that need ``--allow-widening``."""
        return tuple(change for change in self.newly_allows if change.widens)


def require_gate(changes: AccessChanges, *, allow_widening: bool) -> None:
    """Refuse a plan that widens access unless the user said so.

    Raises:
        GateRefusedError: it widens, or it cannot be told, and ``allow_widening`` is not set.
    """
    if allow_widening or not (changes.widening or changes.unknown):
        return
    if changes.widening:
        first = changes.widening[0]
        message = f"This plan newly allows {first.label} {first.actions[0]}"
    else:
        message = f"This plan may widen access: {changes.unknown[0]}"
    details = tuple(f"{item.label}: {', '.join(item.actions)}" for item in changes.widening)
    raise GateRefusedError(f"{message}; repeat with --allow-widening if that is meant.", details=details)


def access_changes(
    before: Estate,
    after: Estate,
    vocabulary: Vocabulary,
    *,
    new: Mapping[str, str] | None = None,
    partition: str = "aws",
    watched: Iterable[str] = WATCHED,
    prove_for: float = PROVE_FOR,
) -> AccessChanges:
    """Compare who may do what in two Estates without references.

    Args:
        before: the observed Estate.
        after: the Estate as it will be.
        vocabulary: the catalog.
        new: by ARN and id, the declared id of what only ``after`` has because a plan creates it.
        partition: AWS partition.
        watched: actions that are compared class by class.
        prove_for: seconds that the prover may spend, in all, on looking for anything else that existing principals are
            newly allowed, any action at all.
    """
    old, then = Access(before, partition=partition), Access(after, partition=partition)
    came = {entry.arn for entry in then.principals()} - {entry.arn for entry in old.principals()}
    made = {**dict.fromkeys(came), **(new or {})}
    comparison = _Comparison(
        old, then, vocabulary, {arn: made[arn] or arn for arn in made}, tuple(watched), prove_for
    )
    accounts = before.accounts or after.accounts
    for account in [item for item in accounts if not item.management] or accounts:
        comparison.account(account)
    return comparison.result()


def effects(view: Outlook, vocabulary: Vocabulary, *, partition: str = "aws") -> AccessChanges:
    """What a plan changes for people, from its outlook."""
    return access_changes(view.before, view.after, vocabulary, new=view.new, partition=partition)


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
class _Comparison:
    before: Access
    after: Access
    vocabulary: Vocabulary
    new: Mapping[str, str]
    watched: tuple[str, ...]
    seconds: float
    found: dict[tuple[object, ...], AccessChange] = field(default_factory=dict)
    unknown: dict[str, None] = field(default_factory=dict)
    proved: list[str] = field(default_factory=list)

    def account(self, account: Account) -> None:
        """Everybody who may act on one account."""
        blind = self._blind(account)
        ways = _ways(routes(self.before), routes(self.after))
        resources = self._changed_resources(account)
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
                    replace(was, vpc_endpoint=way.before.policies),
                    replace(then, vpc_endpoint=way.after.policies),
                )
                self._case(case, resources)
            if known and actor.principal and actor.kind in ("user", "role", "root"):
                self._anything_else(account, actor, was, then, ways)

    def _anything_else(
        self, account: Account, actor: Actor, was: PolicySet, then: PolicySet, ways: tuple[_Way, ...]
    ) -> None:
        """Ask the prover for a request of an existing principal, of any action, that only the new policies allow."""
        if changed_statements(was, then) == ():
            return
        if narrows(was, then):
            self.proved.append(actor.label)
            return
        if self.seconds <= 0 or actor.principal is None or not then.identity or self._widens(actor):
            return  # where something widens already, the gate is closed and a proof would change nothing
        started = time.monotonic()
        answer = compare(
            was, then, self.vocabulary, principal=actor.principal, timeout=max(1.0, self.seconds / 2)
        ).newly_allows
        self.seconds -= time.monotonic() - started
        if answer is None:
            self.proved.append(actor.label)
        elif isinstance(answer, Request):
            public = next(way for way in ways if way.after.endpoint is None)
            case = _Case(account, actor, False, public, was, then)
            item = RequestClass(answer.action, answer.resource, answer.context, frozenset(answer.context))
            first, second = decide(answer, was, self.vocabulary), decide(answer, then, self.vocabulary)
            self._note(case, item, first, second, answer)

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
        for action in (*self.watched, *self._also(delta or ())):
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
        )
        if not complete:
            self.unknown.setdefault(
                f"{case.actor.label}: too many kinds of {action} requests to compare all of them"
            )
        for item in classes:
            request, first = self._decide(self.before, case, case.way.before, item, case.before)
            request, second = self._decide(self.after, case, case.way.after, item, case.after)
            opens_nothing = case.way.goes and second.allowed
            if first.allowed != second.allowed and not opens_nothing:
                self._note(case, item, first, second, request)

    def _decide(
        self, access: Access, case: _Case, route: Route, item: RequestClass, policies: PolicySet
    ) -> tuple[Request, Decision]:
        account, actor = case.account, case.actor
        context: dict[str, object] = {key: list(values) for key, values in item.context.items()}
        context |= {key: value for key, value in route.facts.items() if value is not None}
        context |= {f"aws:PrincipalTag/{key}": value for key, value in actor.tags.items()}
        context["aws:SecureTransport"] = "true"
        if account.organization:
            context["aws:ResourceOrgID"] = account.organization
            if actor.account == account.id:
                context["aws:PrincipalOrgID"] = account.organization
        request = request_from_json(
            {
                "principal": actor.principal or f"arn:{access.partition}:iam::{account.id}:role/Unlisted",
                "action": item.action,
                "resource": item.resource,
                "resource_account": account.id,
                "context": context,
            }
        )
        full = replace(
            policies,
            resource=access.resource_policy(item.resource, item.action),
            rcp=access.levels(account, RCP),
        )
        return request, decide(request, full, self.vocabulary)

    def _note(
        self, case: _Case, item: RequestClass, first: Decision, second: Decision, witness: Request
    ) -> None:
        """Put a changed decision with those of the same principal that changed for the same reason."""
        guardrails = tuple(map(_known_guardrail, witness.context.get(GUARDRAIL_KEY, ("",))))
        if witness.action not in INFERENCE or GUARDRAIL_KEY not in item.varied:
            guardrails = ()
        turned = first if second.allowed else second
        made = self.new.get(witness.resource) or self.new.get(witness.resource.split("/", 1)[0])
        new_resource = made is not None
        reason = (turned.outcome, turned.because, turned.missing)
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

    def _statements_on(self, arn: str, action: str) -> Iterator[Statement]:
        for access in (self.before, self.after):
            policy = access.resource_policy(arn, action)
            if policy is not None:
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
