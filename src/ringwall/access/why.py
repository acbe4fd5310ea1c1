"""Why a request was denied: the statements that decided, what was missing, and the smallest change.

:func:`explain_occurrence` answers for a call of which a message or an event is known, over an Estate;
:func:`explain_request` for a request with its own policies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from ringwall.access.actors import routes
from ringwall.access.asked import NETWORK_KEYS, Asked, Occurrence, with_estate
from ringwall.access.owners import Owner, owner_of
from ringwall.access.possibilities import ROUTE, Case, Lookup, Option, Possibility, cases, possibilities
from ringwall.access.smallest_change import (
    Nearest,
    PolicyChange,
    RequestChange,
    nearest_statements,
    policy_changes,
    request_change,
)
from ringwall.access.ways import carrying
from ringwall.iam.evaluate import explain
from ringwall.iam.policy import Policy
from ringwall.iam.principal import parse_principal
from ringwall.iam.trace import PolicyTrace, StatementTrace, each_policy

if TYPE_CHECKING:
    from ringwall.access.bearing import Access
    from ringwall.access.denial import Denial
    from ringwall.catalog.reference import Catalog
    from ringwall.iam.policy import PolicySet
    from ringwall.iam.request import PolicyType, Request

Outcome = Literal["denied", "allowed", "depends"]
PUBLIC = "over the public network"


@dataclass(frozen=True, slots=True)
class Deciding:
    """A statement that decided, with where its policy is attached and who owns it."""

    policy: PolicyTrace
    statement: StatementTrace
    owner: Owner


@dataclass(frozen=True, slots=True)
class Explained:
    """One case of the answer.

    Attributes:
        case: when it applies, and the decision.
        deciding: the denies of an explicit deny, the allows of an allow.
        nearest: for each policy type that lacked an Allow, the Allow that came closest.
        owners: who owns the policies of the types that lacked an Allow, in the order of ``missing``.
        instead: what the caller could send instead.
        changes: changes of policies that would allow the request, all of them together.
    """

    case: Case
    deciding: tuple[Deciding, ...] = ()
    nearest: tuple[Nearest, ...] = ()
    owners: tuple[Owner, ...] = ()
    instead: RequestChange | None = None
    changes: tuple[PolicyChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer about one authorization.

    Attributes:
        asked: what was known of it.
        outcome: ``denied`` or ``allowed`` in every case, else ``depends``.
        cases: the cases, denied ones first; empty where no policies are known.
        fits: whether some case is what AWS's message says; ``None`` without a message.
        open: keys that nobody told and that make a difference.
        options: of each key that was open, the values that were tried, in words.
        partial: whether some possibilities were left out, there being too many.
        gaps: what could not be read of the Estate.
    """

    asked: Asked
    outcome: Outcome
    cases: tuple[Explained, ...]
    fits: bool | None
    open: tuple[str, ...]
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    partial: bool = False
    gaps: tuple[str, ...] = ()


def explain_occurrence(
    occurrence: Occurrence, access: Access, catalog: Catalog, *, administrators: Sequence[str] = ()
) -> tuple[Explanation, ...]:
    """Explain every authorization of a call over an Estate.

    Args:
        occurrence: the call, from a message or an event.
        access: over an Estate without references.
        catalog: actions and keys.
        administrators: who may change the controls, by the declaration.

    Raises:
        ValueError: the principal cannot be read.
    """
    explainer = _Explainer(access, catalog, tuple(administrators))
    return tuple(explainer.explain(asked, access, occurrence.denial) for asked in occurrence.authorizations)


def unexplained(asked: Asked, reason: str) -> Explanation:
    """The answer about an authorization on which no policies are known: none, and why."""
    return Explanation(asked, "depends", (), None, (), gaps=(reason,))


def explain_request(request: Request, policies: PolicySet, catalog: Catalog) -> Explanation:
    """Explain one complete request against its own policies.

    Raises:
        ValueError: the principal cannot be read.
    """
    asked = Asked(
        request.principal,
        request.action,
        request.resource,
        request.context,
        complete=True,
        resource_account=request.resource_account,
        endpoint="",
    )

    def lookup(_endpoint: str | None) -> PolicySet:
        return policies

    return _Explainer(None, catalog, ()).over(asked, lookup, (Option(PUBLIC),), None)


@dataclass(frozen=True)
class _Explainer:
    access: Access | None
    catalog: Catalog
    administrators: tuple[str, ...]

    def explain(self, asked: Asked, access: Access, denial: Denial | None) -> Explanation:
        account = parse_principal(asked.principal).account
        if account and access.estate.account(account) is None:
            return unexplained(asked, f"the caller's account {account} is not in the Estate")
        asked = with_estate(asked, access)
        unread = _unread_policy(asked, access)
        if unread:
            asked = replace(asked, vague=True)
        action = asked.action
        if action.lower().startswith(("sts:tagsession", "sts:setsourceidentity")):
            action = "sts:AssumeRole"
        kept: dict[str | None, PolicySet] = {}

        def lookup(endpoint: str | None) -> PolicySet:
            if endpoint not in kept:
                kept[endpoint] = access.policies(
                    asked.principal, resource=asked.resource, action=action, endpoint=endpoint
                )
            return kept[endpoint]

        explanation = self.over(asked, lookup, _ways(asked, access), denial)
        return replace(explanation, gaps=(*access.gaps, *unread))

    def over(
        self, asked: Asked, lookup: Lookup, ways: Sequence[Option], denial: Denial | None
    ) -> Explanation:
        found, partial = possibilities(asked, lookup, ways, self.catalog)
        fitting = [item for item in found if denial is not None and fits(denial, item, self._policy(denial))]
        shown = cases(fitting or found)
        explained = sorted(
            (self._explained(asked, case, lookup, ways) for case in shown),
            key=lambda item: (item.case.decision.allowed, len(item.case.decision.because)),
        )
        allowed = {item.case.decision.allowed for item in explained}
        outcome: Outcome = "depends" if len(allowed) == 2 else "allowed" if True in allowed else "denied"
        open_keys = dict.fromkeys(key for item in cases(found) for key, _ in item.conditions)
        says = denial is not None and (denial.effect or denial.policy_type) is not None
        tried = {
            key: tuple(dict.fromkeys(item.chosen[key].label for item in found)) for key in found[0].chosen
        }
        fit = bool(fitting) if says else None
        return Explanation(asked, outcome, tuple(explained), fit, tuple(open_keys), tried, partial)

    def _explained(self, asked: Asked, case: Case, lookup: Lookup, ways: Sequence[Option]) -> Explained:
        example, decision = case.example, case.decision
        trace = explain(example.request, example.policies, self.catalog)
        policies = tuple(policy for _, _, policy in each_policy(example.policies))
        named = {(reason.policy_type, reason.policy, reason.statement) for reason in decision.because}
        deciding = tuple(
            Deciding(policy, statement, self._owner(policy, example))
            for policy in trace.policies
            if policy.applies
            for statement in policy.statements
            if statement.matched and (policy.policy_type, policy.policy, statement.label) in named
        )
        if decision.allowed:
            return Explained(case, deciding)
        nearest = self._nearest(tuple(zip(trace.policies, policies, strict=True)), example)
        return Explained(
            case,
            deciding,
            tuple(nearest[kind] for kind in decision.missing if kind in nearest),
            tuple(
                owner_of(kind, example.request, self.access, self.administrators) for kind in decision.missing
            ),
            self._instead(asked, example, lookup, ways),
            () if asked.vague else policy_changes(example, nearest, self.catalog),
        )

    def _instead(
        self, asked: Asked, example: Possibility, lookup: Lookup, ways: Sequence[Option]
    ) -> RequestChange | None:
        """What the caller could send instead; another way in counts, also where the way is known."""
        if self.access is None or asked.complete or len(ways) > 1:
            return request_change(asked, example, lookup, ways, self.catalog)
        free = replace(
            asked,
            endpoint=None,
            context={key: value for key, value in asked.context.items() if key not in NETWORK_KEYS},
            absent=asked.absent - frozenset(NETWORK_KEYS),
        )
        taken = replace(example, chosen={**example.chosen, ROUTE: ways[0]})
        return request_change(free, taken, lookup, _ways(free, self.access), self.catalog)

    def _policy(self, denial: Denial) -> str | None:
        """Name of the policy whose ARN the message gives."""
        if denial.policy is None:
            return None
        last = denial.policy.rsplit("/", 1)[-1]
        listed = self.access.estate.of_type("AWS::Organizations::Policy") if self.access else ()
        return next((str(item.get("Name")) for item in listed if item.id == last), last)

    def _owner(self, policy: PolicyTrace, example: Possibility) -> Owner:
        return owner_of(policy.policy_type, example.request, self.access, self.administrators)

    def _nearest(
        self, traces: Sequence[tuple[PolicyTrace, Policy]], example: Possibility
    ) -> dict[PolicyType, Nearest]:
        kinds = example.decision.missing or tuple({trace.policy_type for trace, _ in traces})
        return nearest_statements(traces, kinds)


def fits(denial: Denial, possibility: Possibility, policy: str | None = None) -> bool:
    """Whether a possibility's answer is what the message says. AWS names one type where several decide.

    Args:
        denial: what the message says.
        possibility: one way the request may have been.
        policy: name of the denying policy, where the message gives it.
    """
    decision = possibility.decision
    if decision.allowed:
        return False
    if denial.effect is None:
        denying = tuple(reason.policy_type for reason in decision.because)
        return denial.policy_type in (None, *denying, *decision.missing)
    if denial.effect == "explicit":
        types = {reason.policy_type for reason in decision.because}
        if policy is not None and all(reason.policy != policy for reason in decision.because):
            return False
        return decision.outcome == "explicit_deny" and denial.policy_type in (None, *types)
    return decision.outcome == "implicit_deny" and denial.policy_type in (None, *decision.missing)


def _unread_policy(asked: Asked, access: Access) -> tuple[str, ...]:
    """A resource outside of the Estate that has a policy all the same, or may have: of what it says nothing is known."""
    prefix = asked.action.partition(":")[0].lower()
    if "*" in asked.resource or access.resource_policy(asked.resource, asked.action) is not None:
        return ()
    if prefix == "s3":
        known = _has_bucket(access, asked.resource)
    elif prefix == "sts":
        known = ":role/" not in asked.resource or access.principal(asked.resource) is not None
    else:
        known = prefix != "kms"  # every key has a policy
    if known:
        return ()
    return (f"the policy of {asked.resource}, which is not in the Estate: it is taken to have none",)


def _has_bucket(access: Access, arn: str) -> bool:
    name = arn.rpartition(":::")[2].partition("/")[0]
    buckets = access.estate.of_type("AWS::S3::Bucket")
    return any(name in (item.id, item.get("BucketName")) for item in buckets)


def _ways(asked: Asked, access: Access) -> tuple[Option, ...]:
    """The ways that the call may have taken."""
    if asked.endpoint == "":
        return (Option(PUBLIC, _facts(asked, {})),)
    prefix = asked.action.split(":", 1)[0].lower()
    if asked.endpoint is not None:
        known = next((way for way in routes(access, services=("",)) if way.endpoint == asked.endpoint), None)
        facts: Mapping[str, str | None] = known.facts if known else {"aws:sourcevpce": asked.endpoint}
        return (Option(f"through {asked.endpoint}", _facts(asked, facts), asked.endpoint),)
    found = carrying(access, service=asked.service, prefix=prefix)
    return tuple(Option(way.label, _facts(asked, way.facts), way.endpoint) for way in found)


def _facts(asked: Asked, facts: Mapping[str, str | None]) -> dict[str, tuple[str, ...]]:
    return {key: (value,) for key, value in facts.items() if value is not None and key not in asked.context}
