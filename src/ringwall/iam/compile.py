"""Policies as closures: compiled once, asked many times.

A :class:`~ringwall.iam.policy.Policy` compiles by the type that it is used as, because a policy's type decides what
an absent ``Principal`` means and whether short ARNs are completed. A
:class:`~ringwall.iam.policy.PolicySet` compiles, per action, to a :class:`Plan`: the statements that bear on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

from ringwall.iam.arn import Arn, is_account_id
from ringwall.iam.conditions import Context, ContextTest, compile_test
from ringwall.iam.index import beginnings, indexed
from ringwall.iam.patterns import (
    Reading,
    TextTest,
    Tokens,
    compiled,
    complete_arns,
    expand,
    has_variables,
    matcher,
    tokenize,
)
from ringwall.iam.policy import (
    ConditionTest,
    Effect,
    Policy,
    PolicyLevel,
    PolicySet,
    PrincipalElement,
    Statement,
)
from ringwall.iam.principal import Grant, Principal
from ringwall.iam.request import Decision, Outcome, PolicyType, Reason
from ringwall.iam.rules import deciding_resource, is_always_allowed, refuses_root

POLICY_VARIABLES_SINCE = "2012-10-17"
IDENTITY_SIDE: frozenset[PolicyType] = frozenset({"identity", "permissions_boundary", "session"})
PLANS_KEPT = 4096
DECISIONS_KEPT = 4096

ResourceTest = Callable[[str, Context], bool]
PrincipalTest = Callable[[Principal, bool], Grant]


class CompiledStatement:
    """One statement, ready to be asked. ``None`` stands for a test that everything passes.

    What only statements that bear on a request need is there after :meth:`ready`.

    Attributes:
        reason: how decisions name it.
        statement: what it was compiled from.
        action: test of the lower-cased action.
        beginnings: one of them begins every matching resource.
        needle: text that every matching resource contains; looked for first because that is quick.
        name: test of the resource's name, as far as that does not depend on the request's context.
        context: test of the request's context: all conditions.
        variable_resource: test of the resource's name where policy variables occur in it, which needs the context too.
        principal: how the caller is named, given whether it has a boundary; ``None`` = the type knows no principals.
        names_resources: whether the statement has a Resource or NotResource element.
        conditions: the statement's conditions, each with its key in lower case and the test of the context.
    """

    __slots__ = (
        "_is_ready",
        "_policy_type",
        "_variables",
        "action",
        "beginnings",
        "conditions",
        "context",
        "name",
        "names_resources",
        "needle",
        "principal",
        "reason",
        "statement",
        "variable_resource",
    )

    beginnings: frozenset[str]
    conditions: tuple[tuple[ConditionTest, str, ContextTest], ...]
    context: ContextTest | None
    name: TextTest | None
    needle: str
    principal: PrincipalTest | None
    variable_resource: ResourceTest | None

    def __init__(self, statement: Statement, policy: Policy, policy_type: PolicyType) -> None:
        self._is_ready = False
        self._policy_type = policy_type
        self._variables = policy.version == POLICY_VARIABLES_SINCE
        denies = statement.effect is Effect.DENY
        self.reason = Reason(policy_type, policy.name, statement.label, "Deny" if denies else "Allow")
        self.statement = statement
        self.action = _action_test(statement)
        self.names_resources = statement.resources is not None or statement.not_resources is not None

    def ready(self) -> Self:
        """Compile what only statements that bear on a request need, unless it was done before. Returns itself.

        Not an attribute looked up lazily: a class with ``__getattr__`` has slow attributes.
        """
        if not self._is_ready:
            statement, variables = self.statement, self._variables
            tests = _resource_tests(statement, self._policy_type, variables=variables)
            self.name, self.variable_resource = tests
            named = _patterns(statement.resources, variables=variables)
            self.beginnings, self.needle = beginnings(named), _needle(named)
            self.conditions = tuple(
                (test, test.key.lower(), compile_test(test, variables=variables))
                for test in statement.conditions
            )
            self.context = _all_of(tuple(check for _, _, check in self.conditions))
            self.principal = _principal_test(statement, self._policy_type)
            self._is_ready = True
        return self

    def matches_resource(self, resource: str, context: Context) -> bool:
        """Whether the statement's resource element matches."""
        if self.name is not None:
            return bool(self.name(resource))
        return self.variable_resource is None or self.variable_resource(resource, context)


def _action_test(statement: Statement) -> TextTest | None:
    listed = statement.actions if statement.actions is not None else statement.not_actions or ()
    test = matcher((tokenize(action.lower(), variables=False) for action in listed), Reading.TEXT)
    return test if statement.actions is not None else _negation(test)


def _negation(test: TextTest | None) -> TextTest:
    if test is None:
        return lambda _text: False
    return lambda text: not test(text)


def _resource_tests(
    statement: Statement, policy_type: PolicyType, *, variables: bool
) -> tuple[TextTest | None, ResourceTest | None]:
    """The test of a resource's name, or, where policy variables occur, of name and context."""
    listed = statement.resources if statement.resources is not None else statement.not_resources
    patterns = _patterns(listed, variables=variables)
    if patterns is None:
        return _without_resource(statement, policy_type), None
    completes = policy_type in IDENTITY_SIDE
    negated = statement.not_resources is not None
    if any(map(has_variables, patterns)):
        return None, _variable_resource(patterns, completes=completes, negated=negated)
    test = matcher(complete_arns(patterns) if completes else patterns, Reading.RESOURCE)
    return _negation(test) if negated else test, None


def _patterns(listed: tuple[str, ...] | None, *, variables: bool) -> tuple[Tokens, ...] | None:
    return None if listed is None else tuple(tokenize(item, variables=variables) for item in listed)


def _needle(patterns: tuple[Tokens, ...] | None) -> str:
    """The longest literal text of the only pattern of a Resource element; empty if there is no such."""
    if patterns is None or len(patterns) != 1:
        return ""
    return max((token for token in patterns[0] if isinstance(token, str)), key=len, default="")


def _without_resource(statement: Statement, policy_type: PolicyType) -> TextTest | None:
    # Trust policies and some resource policies have no Resource element. Elsewhere AWS refuses the document, so
    # it can deny here but never allow.
    if policy_type in IDENTITY_SIDE and statement.effect is Effect.ALLOW:
        return frozenset[str]().__contains__
    return None


def _variable_resource(patterns: tuple[Tokens, ...], *, completes: bool, negated: bool) -> ResourceTest:
    def test(resource: str, context: Context) -> bool:
        expanded = [tokens for item in patterns if (tokens := expand(item, context)) is not None]
        ready = tuple(complete_arns(expanded) if completes else expanded)
        matches = compiled(ready, Reading.RESOURCE)
        return (matches is None or bool(matches(resource))) is not negated

    return test


def _all_of(conditions: tuple[ContextTest, ...]) -> ContextTest | None:
    """All conditions in one test; the common numbers of them without a loop."""
    if not conditions:
        return None
    if len(conditions) == 1:
        return conditions[0]
    if len(conditions) == 2:
        one, two = conditions
        return lambda context: one(context) and two(context)

    def test(context: Context) -> bool:
        for check in conditions:  # noqa: SIM110 - a generator costs more than the conditions
            if not check(context):
                return False
        return True

    return test


def _principal_test(statement: Statement, policy_type: PolicyType) -> PrincipalTest | None:
    if statement.principal is not None:
        return _named(statement.principal)
    if statement.not_principal is not None:
        return _not_named(statement.not_principal, denies=statement.effect is Effect.DENY)
    if policy_type == "resource":
        return lambda _caller, _bounded: Grant.NONE
    return None


def _anyone(element: PrincipalElement) -> bool:
    return element.anyone or "*" in element.aws


def _names(element: PrincipalElement) -> frozenset[str]:
    """Every name of the element, with accounts as twelve digits whichever way they were written."""
    accounts = (_account_of_root(name) or name for name in element.aws)
    return frozenset({*accounts, *element.service, *element.federated, *element.canonical_user})


def _account_of_root(name: str) -> str | None:
    if not name.endswith(":root") or not name.startswith("arn:"):
        return None
    arn = Arn.parse(name) if name.count(":") >= 5 else None
    return arn.account if arn and arn.service == "iam" and is_account_id(arn.account) else None


def _named(element: PrincipalElement) -> PrincipalTest:
    if _anyone(element):
        return lambda _caller, _bounded: Grant.DIRECT
    listed = _names(element)

    def test(caller: Principal, _bounded: bool) -> Grant:
        for name, grant in caller.names:
            if name in listed:
                return grant
        return Grant.NONE

    return test


def _not_named(element: PrincipalElement, *, denies: bool) -> PrincipalTest:
    """The test of a ``NotPrincipal`` element.

    A Deny spares only callers all of whose names are listed (account, role and session), and none that has a
    permissions boundary:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    """
    if _anyone(element):
        return lambda _caller, bounded: Grant.DIRECT if denies and bounded else Grant.NONE
    listed = _names(element)

    def test(caller: Principal, bounded: bool) -> Grant:
        found = [name in listed for name, _ in caller.names]
        spared = bool(found) and (all(found) and not bounded if denies else any(found))
        return Grant.NONE if spared else Grant.DIRECT

    return test


Statements = tuple[CompiledStatement, ...]


class CompiledPolicy:
    """A policy, ready to be asked which of its statements bear on an action; many policy sets have it in common.

    Attributes:
        statements: all of them.
    """

    __slots__ = ("_bearing", "statements")

    def __init__(self, policy: Policy, policy_type: PolicyType) -> None:
        self.statements: Statements = tuple(
            CompiledStatement(statement, policy, policy_type) for statement in policy.statements
        )
        self._bearing: dict[str, tuple[Statements, Statements]] = {}

    def bearing(self, action: str) -> tuple[Statements, Statements]:
        """The statements that deny and those that allow a lower-cased action, on some resource and condition."""
        found = self._bearing.get(action)
        if found is None:
            if len(self._bearing) >= PLANS_KEPT:
                self._bearing.clear()
            touching = [
                item.ready() for item in self.statements if item.action is None or item.action(action)
            ]
            denies = tuple([item for item in touching if item.statement.effect is Effect.DENY])
            allows = indexed([item for item in touching if item.statement.effect is Effect.ALLOW])
            found = self._bearing[action] = denies, allows
        return found


def compile_policy(policy: Policy, policy_type: PolicyType) -> CompiledPolicy:
    """The policy, compiled for use as ``policy_type``; remembered on it."""
    try:
        by_type: dict[PolicyType, CompiledPolicy] = policy.compiled
    except AttributeError:
        by_type = {}
        object.__setattr__(policy, "compiled", by_type)
    found = by_type.get(policy_type)
    if found is None:
        found = by_type[policy_type] = CompiledPolicy(policy, policy_type)
    return found


@dataclass(frozen=True, slots=True)
class Plan:
    """The statements of a policy set that bear on one action. ``None`` = the policy type does not apply.

    Attributes:
        denies: every Deny, of all types in their order. The other lists hold the Allows of their type.
        limited: whether any type besides identity and resource policies applies.
        own_alone: whether within the account nothing but the caller's own Allows bears on the action.
        deciding: part of the ARN of resources whose own policy must allow; ``None`` = no such resources.
        always_allowed: whether AWS answers the action to identified callers without asking any policy.
        refuses_root: whether AWS refuses the action to root users whatever the policies say.
    """

    denies: Statements
    identity: Statements
    permissions_boundary: Statements | None
    session: Statements | None
    resource: Statements
    scp: tuple[Statements, ...] | None
    rcp: tuple[Statements, ...] | None
    vpc_endpoint: Statements | None
    limited: bool
    own_alone: bool
    deciding: str | None
    always_allowed: bool
    refuses_root: bool


class CompiledSet:
    """A policy set, ready to be asked: plans by action, and the decisions that were already given.

    Attributes:
        plans: plans that were made, by action as it was written; one mapping for each of no SCPs and no RCPs, SCPs
            alone, RCPs alone, both (see :meth:`plan`).
    """

    __slots__ = ("_decisions", "_set", "plans")

    def __init__(self, policies: PolicySet) -> None:
        self._set = policies
        self.plans: tuple[dict[str, Plan], ...] = ({}, {}, {}, {})
        self._decisions: dict[Statements, Decision] = {}

    def plan(self, action: str, scp: bool, rcp: bool) -> Plan:
        """The plan for an action; ``scp`` and ``rcp`` say whether these types can bind the caller."""
        plans = self.plans[scp + 2 * rcp]
        found = plans.get(action)
        if found is None:
            if len(plans) >= PLANS_KEPT:
                plans.clear()
            found = plans[action] = self._make_plan(action.lower(), scp, rcp)
        return found

    def decision(self, outcome: Outcome, hits: Statements) -> Decision:
        """A decision because of these statements. An outcome other than ``allow`` has a Deny among them."""
        found = self._decisions.get(hits)
        if found is None:
            if len(self._decisions) >= DECISIONS_KEPT:
                self._decisions.clear()
            found = self._decisions[hits] = Decision(outcome, tuple(hit.reason for hit in hits))
        return found

    def _make_plan(self, action: str, scp: bool, rcp: bool) -> Plan:
        policies = self._set
        denies: list[CompiledStatement] = []

        def of_type(listed: Iterable[Policy] | None, policy_type: PolicyType) -> Statements | None:
            if listed is None:
                return None
            bearing = [compile_policy(policy, policy_type).bearing(action) for policy in listed]
            for denying, _ in bearing:
                denies.extend(denying)
            if len(bearing) == 1:
                return bearing[0][1]
            return indexed([item for _, allowing in bearing for item in allowing])

        def of_levels(
            levels: tuple[PolicyLevel, ...] | None, policy_type: PolicyType
        ) -> tuple[Statements, ...] | None:
            if levels is None:
                return None
            return tuple(of_type(level.policies, policy_type) or () for level in levels)

        identity = of_type(policies.identity, "identity") or ()
        resource = of_type(None if policies.resource is None else (policies.resource,), "resource") or ()
        boundary = of_type(policies.permissions_boundary, "permissions_boundary")
        session = of_type(policies.session, "session")
        service_control = of_levels(policies.scp if scp else None, "scp")
        resource_control = of_levels(policies.rcp if rcp else None, "rcp")
        endpoint = of_type(policies.vpc_endpoint, "vpc_endpoint")
        limits = (boundary, session, service_control, resource_control, endpoint)
        limited = any(limit is not None for limit in limits)
        deciding = deciding_resource(action)
        return Plan(
            denies=indexed(denies),
            identity=identity,
            permissions_boundary=boundary,
            session=session,
            resource=resource,
            scp=service_control,
            rcp=resource_control,
            vpc_endpoint=endpoint,
            limited=limited,
            own_alone=not (denies or resource or limited) and deciding is None,
            deciding=deciding,
            always_allowed=is_always_allowed(action),
            refuses_root=refuses_root(action),
        )


def compile_set(policies: PolicySet) -> CompiledSet:
    """The compiled form of a policy set, remembered on it."""
    made = CompiledSet(policies)
    object.__setattr__(policies, "compiled", made)
    return made
