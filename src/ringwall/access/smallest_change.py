"""The smallest change after which a denied request would be allowed: of the request, or of a policy.

Every change that is offered was tried: the evaluator allows the request after it. Statements are as narrow as the
request itself, and keep the conditions of the nearest statement that the request meets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ringwall.access.asked import CALLER_KEYS, Asked
from ringwall.access.policy_sets import level_allows, levels_of, named, of_type, swapped, with_new
from ringwall.access.possibilities import ROUTE, Lookup, Option, Possibility, possibilities
from ringwall.iam.evaluate import decide
from ringwall.iam.parser import parse_policy
from ringwall.iam.policy import ConditionTest, Policy, PolicySet, Statement
from ringwall.iam.principal import PrincipalKind, parse_principal
from ringwall.iam.render import operator_text, render_policy
from ringwall.iam.request import PolicyType, Reason, Request
from ringwall.iam.trace import PolicyTrace, StatementTrace

if TYPE_CHECKING:
    from ringwall.catalog.reference import Catalog
    from ringwall.iam.vocabulary import Vocabulary

_NEW = "(new)"
"""Stands for the name of a policy that there is not yet."""
_CLAIMS = (":aud", ":sub")  # of a token, which a trust policy must pin

MOST_CHANGES = 3
"""Most keys of a request that a change may touch."""


@dataclass(frozen=True, slots=True)
class RequestChange:
    """What the caller could send instead: key -> value in words."""

    sets: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """A statement to add to a policy, or to put in place of one.

    Attributes:
        policy_type: of the policy.
        policy: its name; empty = there is none yet.
        target: organization level where the policy must be attached, for SCPs and RCPs.
        replaces: label of the statement that it replaces; ``None`` = it is added.
        statement: as JSON; ``None`` = the statement goes away.
    """

    policy_type: PolicyType
    policy: str
    target: str | None
    replaces: str | None
    statement: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Nearest:
    """The Allow statement that fails by the fewest parts."""

    policy_type: PolicyType
    policy: str
    trace: StatementTrace
    statement: Statement = field(repr=False)


def request_change(
    asked: Asked, denied: Possibility, lookup: Lookup, routes: Sequence[Option], catalog: Catalog
) -> RequestChange | None:
    """The fewest keys that a caller could set otherwise to be allowed; ``None`` if there are none to set."""
    known = [key for key in denied.request.context if _choosable(key)]
    found, _ = possibilities(asked, lookup, routes, catalog, partly=known)
    for number in range(1, MOST_CHANGES + 1):
        for item in found:
            if item.decision.allowed:
                differs = _differences(denied, item)
                if len(differs) == number and all(_choosable(key) for key in differs):
                    return RequestChange(tuple((key, item.chosen[key].label) for key in differs))
    return None


def _choosable(key: str) -> bool:
    return key == ROUTE or not key.startswith(CALLER_KEYS) or key in ("aws:sourceip", "aws:sourcevpce")


def _differences(denied: Possibility, other: Possibility) -> list[str]:
    found = []
    for key, option in other.chosen.items():
        if key == ROUTE:
            same = denied.chosen.get(ROUTE, option).endpoint == option.endpoint
        else:
            same = denied.request.context.get(key) == other.request.context.get(key)
        if not same:
            found.append(key)
    return found


# -- policies --------------------------------------------------------------------------------------------------------


def policy_changes(
    possibility: Possibility, nearest: Mapping[PolicyType, Nearest], catalog: Catalog
) -> tuple[PolicyChange, ...]:
    """Changes of policies after which the request is allowed: all of them together; empty if none was found.

    Denying statements are narrowed by no more than the request, then what lacks an Allow gets one.
    """
    changes, _ = opened(possibility.request, possibility.policies, nearest, catalog)
    return changes


def opened(
    request: Request, policies: PolicySet, nearest: Mapping[PolicyType, Nearest], catalog: Vocabulary
) -> tuple[tuple[PolicyChange, ...], PolicySet]:
    """The changes of :func:`policy_changes` of a request, and the policies after them."""
    unchanged = policies
    changes: list[PolicyChange] = []
    for _ in range(12):
        decision = decide(request, policies, catalog)
        if decision.allowed:
            return tuple(changes), policies
        if decision.outcome == "explicit_deny":
            step = _narrowed(request, policies, decision.because[0], catalog)
        else:
            step = _added(request, policies, decision.missing[0], nearest.get(decision.missing[0]))
        if step is None:
            break
        change, policies = step
        changes.append(change)
    return (), unchanged


def _narrowed(
    request: Request, policies: PolicySet, reason: Reason, catalog: Vocabulary
) -> tuple[PolicyChange, PolicySet] | None:
    for policy, target in named(policies, reason.policy_type, reason.policy):
        for statement in policy.statements:
            if statement.label != reason.statement:
                continue
            for narrower in _narrower(statement, request):
                statements = tuple(
                    item
                    for old in policy.statements
                    for item in ((narrower,) if old is statement else (old,))
                    if item is not None
                )
                changed = swapped(policies, policy, replace(policy, statements=statements, document={}))
                if reason not in decide(request, changed, catalog).because:
                    rendered = None if narrower is None else rendered_statement(narrower)
                    change = PolicyChange(reason.policy_type, policy.name, target, statement.label, rendered)
                    return change, changed
    return None


def _narrower(statement: Statement, request: Request) -> Iterator[Statement | None]:
    """The statement less this request, narrowest first; ``None`` = without the statement."""
    for index, test in enumerate(statement.conditions):
        values = request.context.get(test.key.lower())
        if "Not" in test.operator and test.operator != "Null" and values and len(values) == 1:
            wider = replace(test, values=(*test.values, values[0]))
            tests = (*statement.conditions[:index], wider, *statement.conditions[index + 1 :])
            yield replace(statement, conditions=tests)
    if statement.not_resources is not None:
        yield replace(statement, not_resources=(*statement.not_resources, request.resource))
    if statement.not_actions is not None:
        yield replace(statement, not_actions=(*statement.not_actions, request.action))
    exempt = ConditionTest("ArnNotEquals", None, False, "aws:PrincipalArn", _principal_arn(request))
    if all(test.key.lower() != "aws:principalarn" for test in statement.conditions):
        yield replace(statement, conditions=(*statement.conditions, exempt))
    resources = less(statement.resources, request.resource)
    if resources:
        yield replace(statement, resources=resources)
    actions = less(statement.actions, request.action)
    if actions:
        yield replace(statement, actions=actions)
    yield None


def less(listed: tuple[str, ...] | None, name: str) -> tuple[str, ...]:
    """The list without a name that it spells out; empty if it does not, or lists nothing else."""
    kept = tuple(item for item in listed or () if item.lower() != name.lower())
    return kept if len(kept) < len(listed or ()) else ()


def _principal_arn(request: Request) -> tuple[str, ...]:
    return request.context.get("aws:principalarn") or (request.principal,)


def _added(
    request: Request, policies: PolicySet, policy_type: PolicyType, nearest: Nearest | None
) -> tuple[PolicyChange, PolicySet] | None:
    statement = _statement(request, policy_type, nearest)
    target, policy = _home(request, policies, policy_type, nearest)
    name = policy.name if policy and policy.name != _NEW else ""
    grown = _grown(policy, statement)
    if policy is not None:
        changed = swapped(policies, policy, grown)
    else:
        changed = with_new(policies, policy_type, grown, target)
    return PolicyChange(policy_type, name, target, None, rendered_statement(statement)), changed


def _statement(request: Request, policy_type: PolicyType, nearest: Nearest | None) -> Statement:
    element: dict[str, Any] = {"Effect": "Allow", "Action": request.action}
    trust = request.action.lower().startswith(("sts:assumerole", "sts:tagsession", "sts:setsource"))
    if policy_type in ("resource", "vpc_endpoint", "rcp"):
        element["Principal"] = _principal_element(request, policy_type)
    if not (policy_type == "resource" and trust):
        is_key = policy_type == "resource" and request.action.lower().startswith("kms:")
        element["Resource"] = "*" if is_key else request.resource
    condition: dict[str, dict[str, list[str]]] = {}
    if nearest is not None:
        for item in nearest.trace.conditions:
            if item.matched and item.actual:
                condition.setdefault(operator_text(item.test), {})[item.test.key] = list(item.test.values)
    if policy_type == "resource" and trust:
        for key, values in request.context.items():
            if key.endswith(_CLAIMS):  # a role that admits every token of a provider is open to strangers
                condition.setdefault("StringEquals", {})[key] = list(values)
    if condition:
        element["Condition"] = condition
    return parse_policy({"Version": "2012-10-17", "Statement": [element]}, name="new").statements[0]


def _principal_element(request: Request, policy_type: PolicyType) -> Any:
    who = parse_principal(request.principal)
    if policy_type == "rcp" or who.kind is PrincipalKind.ANONYMOUS:
        return "*"
    if who.kind is PrincipalKind.SERVICE:
        return {"Service": request.principal}
    if who.kind is PrincipalKind.FEDERATED:
        return {"Federated": request.principal}
    return {"AWS": _principal_arn(request)[0]}


def _home(
    request: Request, policies: PolicySet, policy_type: PolicyType, nearest: Nearest | None
) -> tuple[str | None, Policy | None]:
    """Where a statement belongs: the nearest statement's policy, else the type's first."""
    if policy_type in ("scp", "rcp"):
        for level in levels_of(policies, policy_type):
            if not level_allows(request, policies, policy_type, level):
                return level.target, level.policies[0] if level.policies else None
        return None, None
    listed = tuple(of_type(policies, policy_type))
    for policy in listed:
        if nearest is not None and policy.name == nearest.policy:
            return None, policy
    return None, listed[0] if listed else None


def _grown(policy: Policy | None, statement: Statement) -> Policy:
    if policy is None:
        return Policy(_NEW, "2012-10-17", (statement,))
    statements = (*policy.statements, replace(statement, index=len(policy.statements)))
    return replace(policy, statements=statements, document={})


def rendered_statement(statement: Statement) -> dict[str, Any]:
    """One statement as JSON, lists of one as their member."""
    rendered = render_policy(Policy("", "2012-10-17", (statement,)))["Statement"][0]
    return {key: _plain(value) for key, value in rendered.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value[0] if isinstance(value, list) and len(value) == 1 else value


# -- the nearest statement -------------------------------------------------------------------------------------------


def nearest_statements(
    traces: Iterable[tuple[PolicyTrace, Policy]], missing: Iterable[PolicyType]
) -> dict[PolicyType, Nearest]:
    """For each policy type that lacked an Allow, the Allow statement that fails by the fewest parts.

    Statements about other actions count only if nothing speaks of the action.
    """
    found: dict[PolicyType, tuple[tuple[int, int, int], Nearest]] = {}
    wanted = frozenset(missing)
    for trace, policy in traces:
        if trace.policy_type not in wanted or not trace.applies:
            continue
        for one, statement in zip(trace.statements, policy.statements, strict=True):
            if one.effect != "Allow" or one.matched:
                continue
            rank = (0 if one.action else 1, len(one.failed), 0 if one.resource is not False else 1)
            best = found.get(trace.policy_type)
            if best is None or rank < best[0]:
                found[trace.policy_type] = (rank, Nearest(trace.policy_type, policy.name, one, statement))
    return {kind: nearest for kind, (_, nearest) in found.items()}
