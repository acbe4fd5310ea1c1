"""One request against every policy that bears on it: allow, explicit deny or implicit deny.

The order follows AWS's own account of it
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html):
a matching Deny anywhere ends it; then every type of policy that limits must allow; then somebody must grant, the
resource's policy or the caller's own, and across accounts both.
"""

from __future__ import annotations

from ringwall.iam.arn import owner_of
from ringwall.iam.compile import CompiledSet, Plan, Statements, compile_set
from ringwall.iam.index import INDEXED_FROM, candidates
from ringwall.iam.policy import PolicySet
from ringwall.iam.principal import Grant, Principal, PrincipalKind, parse_principal
from ringwall.iam.request import Decision, PolicyType, Request
from ringwall.iam.rules import RCP_EXEMPT_ACTIONS
from ringwall.iam.trace import Trace, trace_policies
from ringwall.iam.vocabulary import Vocabulary

_ORDER: tuple[PolicyType, ...] = (
    "identity", "resource", "permissions_boundary", "session", "scp", "rcp", "vpc_endpoint",
)  # fmt: skip


def decide(request: Request, policies: PolicySet, vocabulary: Vocabulary | None = None) -> Decision:
    """Decide one request.

    Args:
        request: as :func:`ringwall.iam.codec.request_from_json` makes it.
        policies: every policy that bears on it.
        vocabulary: says which services resource control policies cover. Without it they cover every service.

    Returns:
        The decision, with its statements and with the policy types that would have had to allow.

    Raises:
        ValueError: the request's principal cannot be read.
    """
    try:
        compiled: CompiledSet = policies.compiled
    except AttributeError:
        compiled = compile_set(policies)
    try:
        caller, own = request.resolved
    except AttributeError:
        caller, own = _resolve(request)
    rcp = caller.bound_by_rcp and (policies.rcp is None or rcp_applies(request.action, vocabulary))
    plan = compiled.plans[caller.bound_by_scp + 2 * rcp].get(request.action) or compiled.plan(
        request.action, caller.bound_by_scp, rcp
    )
    if plan.always_allowed and caller.kind is not PrincipalKind.ANONYMOUS:
        return _ALLOWED
    if plan.own_alone and own and caller.has_identity_policies and caller.kind is not _FEDERATED_USER:
        # What is left of the logic below in the commonest case, without its steps.
        hits = _hits(plan.identity, caller, request)
        return compiled.decision("allow", hits) if hits else _NOT_GRANTED
    if plan.denies:
        bounded = policies.permissions_boundary is not None
        denied = _hits(plan.denies, caller, request, bounded=bounded)
        if denied:
            return compiled.decision("explicit_deny", denied)
    hits, missing = _authorize(plan, request, caller, own)
    return Decision("implicit_deny", missing=missing) if missing else compiled.decision("allow", hits)


def explain(request: Request, policies: PolicySet, vocabulary: Vocabulary | None = None) -> Trace:
    """Decide one request and say, for each statement of each policy, which of its parts matched.

    Raises:
        ValueError: the request's principal cannot be read.
    """
    caller = caller_of(request)
    return trace_policies(
        request,
        policies,
        decide(request, policies, vocabulary),
        caller=caller,
        scp=caller.bound_by_scp,
        rcp=caller.bound_by_rcp and rcp_applies(request.action, vocabulary),
    )


def caller_of(request: Request) -> Principal:
    """The request's principal; ``aws:PrincipalArn`` tells the path of a session's role.

    Raises:
        ValueError: it cannot be read.
    """
    caller = parse_principal(request.principal)
    if caller.session is not None:
        role_arn = request.context.get("aws:principalarn")
        if role_arn:
            return parse_principal(request.principal, role_arn[0])
    return caller


def _resolve(request: Request) -> tuple[Principal, bool]:
    """Who asks, and whether the resource is the caller's own account's; remembered on the request.

    A resource whose ARN has no account counts as the caller's own.
    """
    caller = caller_of(request)
    account = caller.account
    own = (
        account is not None and (request.resource_account or owner_of(request.resource) or account) == account
    )
    object.__setattr__(request, "resolved", (caller, own))
    return caller, own


def rcp_applies(action: str, vocabulary: Vocabulary | None) -> bool:
    """Whether resource control policies reach the action."""
    name = action.lower()
    if name in RCP_EXEMPT_ACTIONS:
        return False
    return vocabulary is None or vocabulary.rcp_covers(name.partition(":")[0])


def _hits(
    statements: Statements, caller: Principal, request: Request, *, bounded: bool = False
) -> Statements:
    """The statements that match the request, whose action they bear on already."""
    resource, context = request.resource, request.context
    if len(statements) >= INDEXED_FROM:
        return _hits_among_many(statements, caller, request, bounded)
    found: Statements = ()
    for item in statements:
        if (
            item.needle in resource
            and (item.name is None or item.name(resource))
            and (item.context is None or item.context(context))
            and (item.variable_resource is None or item.variable_resource(resource, context))
            and (item.principal is None or item.principal(caller, bounded))
        ):
            found += (item,)
    return found


def _hits_among_many(
    statements: Statements, caller: Principal, request: Request, bounded: bool
) -> Statements:
    """As :func:`_hits`, one by one, so that many hits do not copy a growing tuple each."""
    resource = request.resource
    return tuple(
        item
        for item in candidates(statements, resource)
        if item.needle in resource and _hits((item,), caller, request, bounded=bounded)
    )


def _grants(statements: Statements, caller: Principal, request: Request) -> tuple[Grant, Statements]:
    """The strongest grant that a resource policy makes to the caller, and the statements that make any."""
    strongest = Grant.NONE
    found = _hits(statements, caller, request)
    for item in found:
        if item.principal is not None:
            strongest = max(strongest, item.principal(caller, False))
    return strongest, found


def _authorize(
    plan: Plan, request: Request, caller: Principal, own: bool
) -> tuple[Statements, tuple[PolicyType, ...]]:
    """The statements that allow, and the policy types that would have had to."""
    grant, named = _grants(plan.resource, caller, request) if plan.resource else _NO_GRANT
    missing: set[PolicyType] | None = None
    hits: Statements = ()
    if caller.has_identity_policies:
        hits = _hits(plan.identity, caller, request)
        if not hits and not (own and grant >= Grant.ROLE):
            missing = {"identity"}
    elif plan.refuses_root and caller.kind is PrincipalKind.ROOT:
        missing = {"identity"}
    if (
        not grant
        and (not own or not caller.has_identity_policies or plan.deciding is not None)
        and _needs_resource_policy(plan, request, caller, own=own)
    ):
        # Within the account, a key policy or trust policy that names the caller is enough by itself.
        missing = {"resource"} if own else {"resource", *(missing or ())}
    if named:
        hits += named
    if plan.limited or caller.kind is _FEDERATED_USER:
        allowing, lacking = _limits(plan, request, caller, grant if own else Grant.NONE)
        hits += allowing
        if lacking:
            missing = {*(missing or ()), *lacking}
    return hits, tuple(item for item in _ORDER if item in missing) if missing else ()


def _needs_resource_policy(plan: Plan, request: Request, caller: Principal, *, own: bool) -> bool:
    if not own or not (caller.has_identity_policies or caller.kind is PrincipalKind.ROOT):
        return True
    return plan.deciding is not None and plan.deciding in request.resource


def _limits(
    plan: Plan, request: Request, caller: Principal, grant: Grant
) -> tuple[Statements, list[PolicyType]]:
    """What the policy types say that can only limit: their allowing statements, and the types that lack one."""
    found: Statements = ()
    lacking: list[PolicyType] = []
    for policy_type, levels in _limiting(plan, caller, grant):
        for statements in levels:
            hits = _hits(statements, caller, request)
            if hits:
                found += hits
            elif policy_type not in lacking:
                lacking.append(policy_type)
    return found, lacking


def _limiting(plan: Plan, caller: Principal, grant: Grant) -> list[tuple[PolicyType, tuple[Statements, ...]]]:
    """The types that must allow, each with the lists of statements of which every one must."""
    limits: list[tuple[PolicyType, tuple[Statements, ...]]] = []
    if caller.has_identity_policies:
        if plan.permissions_boundary is not None and grant < Grant.USER:
            limits.append(("permissions_boundary", (plan.permissions_boundary,)))
        session = plan.session
        if session is None and caller.kind is PrincipalKind.FEDERATED_USER:
            # A federated user without session policies has only what resource policies grant it:
            # https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
            session = ()
        if session is not None and grant < Grant.DIRECT:
            limits.append(("session", (session,)))
    elif caller.kind is PrincipalKind.ROOT and plan.session is not None:
        # A root session of sts:AssumeRoot carries its task policy as session policy.
        limits.append(("session", (plan.session,)))
    if plan.scp is not None:
        limits.append(("scp", plan.scp or ((),)))
    if plan.rcp is not None:
        limits.append(("rcp", plan.rcp or ((),)))
    if plan.vpc_endpoint is not None:
        limits.append(("vpc_endpoint", (plan.vpc_endpoint,)))
    return limits


_FEDERATED_USER = PrincipalKind.FEDERATED_USER  # members of an enumeration are slow to name
_NO_GRANT: tuple[Grant, Statements] = (Grant.NONE, ())
_ALLOWED = Decision("allow")
_NOT_GRANTED = Decision("implicit_deny", missing=("identity",))
