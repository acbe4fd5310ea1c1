"""Laws of the policy language, and the compiled evaluator against the naive one."""

from __future__ import annotations

import dataclasses
from collections import Counter
from functools import cache

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from iam import reference
from ringwall.iam.codec import make_request
from ringwall.iam.conditions import OPERATORS
from ringwall.iam.evaluate import decide, explain
from ringwall.iam.index import INDEXED_FROM
from ringwall.iam.parser import parse_policy
from ringwall.iam.policy import PolicyLevel, PolicySet
from ringwall.iam.render import render_policy

ACCOUNT, OTHER = "111122223333", "999988887777"
PRINCIPALS = (
    f"arn:aws:iam::{ACCOUNT}:role/App",
    f"arn:aws:sts::{ACCOUNT}:assumed-role/App/s1",
    f"arn:aws:iam::{ACCOUNT}:user/ann",
    f"arn:aws:sts::{ACCOUNT}:federated-user/bob",
    f"arn:aws:iam::{ACCOUNT}:root",
    f"arn:aws:iam::{OTHER}:role/App",
    f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/x.amazonaws.com/Linked",
    "ec2.amazonaws.com",
    "*",
)
ACTIONS = ("svc:Read", "svc:ReadAll", "svc:Write", "kms:Decrypt", "sts:AssumeRole")
RESOURCES = (
    f"arn:aws:svc:us-east-1:{ACCOUNT}:thing/a",
    f"arn:aws:svc:us-east-1:{OTHER}:thing/a:b",
    "arn:aws:svc:::bucket/ann/x",
    f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1",
    f"arn:aws:iam::{ACCOUNT}:role/Target",
    "*",
)
PATTERNS = (
    *RESOURCES,
    "arn:aws:svc:*",
    "arn:aws:svc",
    "arn:aws:svc:*:*:thing/*",
    "arn:aws:svc:us-*-1:*:thing/?",
    f"arn:aws:svc:*:{ACCOUNT}:*",
    "arn:aws:svc:::bucket/${aws:username}/*",
    "arn:aws:svc:::bucket/${aws:username, 'ann'}/?",
    "arn:aws:s*c:::b*t/*x",
    "arn:aws:kms:*:*:key/*",
)
KEYS = (
    "aws:SourceIp",
    "aws:username",
    "aws:TagKeys",
    "svc:Num",
    "svc:When",
    "aws:PrincipalArn",
    "aws:SecureTransport",
)
TEXTS = (
    "ann", "an*", "?nn", "${aws:username}", "10.0.0.1", "10.0.0.0/8", "::ffff:10.0.0.1", "2001:db8::/32", "5", "5.0",
    "7", "-1e2", "2024-01-01", "2024-01-01T00:00:00Z", "1704067200", "true", "FALSE", "YW5u", "",
    f"arn:aws:iam::{ACCOUNT}:role/App", "arn:aws:iam::*:role/A*", "arn:*:iam::*", "*", "${*}",
)  # fmt: skip


# Strategies are made once: a composite that makes them anew in each draw has hypothesis look through all of their parts again.
@cache
def some(values, **kwargs):
    return st.lists(st.sampled_from(values), unique=True, **{"min_size": 1, "max_size": 3, **kwargs})


ANY_OR_SOME = st.one_of(st.just(["*"]), some(PATTERNS))
PRINCIPAL_ELEMENTS = st.one_of(
    st.just("*"),
    st.builds(
        lambda aws, service: {"AWS": aws, **({"Service": "ec2.amazonaws.com"} if service else {})},
        some((*(name for name in PRINCIPALS if name.startswith("arn:")), ACCOUNT, "*"), max_size=4),
        st.booleans(),
    ),
)
CONTEXTS = st.dictionaries(
    st.sampled_from([key.lower() for key in KEYS]),
    st.lists(st.sampled_from(TEXTS), max_size=2).map(tuple),
    max_size=4,
)


@cache
@st.composite
def conditions(draw):
    block = {}
    for _ in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from(sorted(OPERATORS)))
        prefix = draw(st.sampled_from(("", "", "ForAllValues:", "ForAnyValue:")))
        suffix = "" if name == "Null" else draw(st.sampled_from(("", "", "IfExists")))
        values = ("true", "false") if name == "Null" else TEXTS
        block[prefix + name + suffix] = {draw(st.sampled_from(KEYS)): draw(some(values))}
    return block


@cache
@st.composite
def statements(draw, principal=False, effects=("Allow", "Allow", "Allow", "Deny")):
    statement = {"Effect": draw(st.sampled_from(effects))}
    actions = draw(some(("*", "svc:*", "svc:Read*", "SVC:write", "kms:Decrypt", "svc:Rea?", "sts:*")))
    statement[draw(st.sampled_from(("Action", "Action", "Action", "NotAction")))] = actions
    kind = draw(st.sampled_from(("Resource", "Resource", "Resource", "NotResource", None)))
    if kind:
        statement[kind] = draw(ANY_OR_SOME if kind == "Resource" else some(PATTERNS))
    block = draw(conditions())
    if block:
        statement["Condition"] = block
    if principal:
        element = draw(PRINCIPAL_ELEMENTS)
        statement[draw(st.sampled_from(("Principal", "Principal", "Principal", "NotPrincipal")))] = element
    return statement


@cache
def documents(principal=False, size=3, **kwargs):
    return st.builds(
        lambda version, listed: parse_policy({"Version": version, "Statement": listed}),
        st.sampled_from(("2012-10-17", "2012-10-17", "2008-10-17")),
        st.lists(statements(principal, **kwargs), min_size=0, max_size=size),
    )


FULL = parse_policy(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
)
FULL_FOR_ALL = parse_policy(
    {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}
)


@cache
def maybe(strategy):
    return st.one_of(st.none(), strategy)


@cache
def policy_lists(principal=False, generous=False):
    """Policies of one type; a generous list holds one that allows everything."""
    full = FULL_FOR_ALL if principal else FULL
    if generous:
        denies = documents(principal, 2, effects=("Deny", "Allow", "Deny"))
        return st.one_of(st.just((full,)), denies.map(lambda more: (full, more)))
    return st.lists(st.one_of(st.just(full), documents(principal, 2)), max_size=2).map(tuple)


@cache
def levels(principal=False, generous=False):
    level = st.builds(PolicyLevel, st.just("r-root"), policy_lists(principal, generous))
    return maybe(st.lists(level, min_size=1, max_size=2).map(tuple))


@st.composite
def policy_sets(draw):
    """Policy sets, two thirds of them such that much is allowed; otherwise nearly everything would be denied."""
    generous = draw(st.sampled_from((True, True, False)))
    return PolicySet(
        identity=draw(policy_lists(generous=generous)),
        permissions_boundary=draw(maybe(policy_lists(generous=generous))),
        session=draw(maybe(policy_lists(generous=generous))),
        resource=draw(st.just(FULL_FOR_ALL) if generous else maybe(documents(principal=True))),
        scp=draw(levels(generous=generous)),
        rcp=draw(levels(principal=True, generous=generous)),
        vpc_endpoint=draw(maybe(policy_lists(principal=True, generous=generous))),
    )


@st.composite
def requests(draw):
    context = draw(CONTEXTS)
    context.pop("aws:principalarn", None)
    return make_request(
        draw(st.sampled_from(PRINCIPALS)),
        draw(st.sampled_from(ACTIONS)),
        draw(st.sampled_from(RESOURCES)),
        draw(st.sampled_from((None, None, ACCOUNT, OTHER))),
        context,
    )


many = settings(max_examples=200, deadline=None)
some_examples = settings(max_examples=60, deadline=None)


@many
@given(requests(), policy_sets())
def test_compiled_evaluator_agrees_with_the_reference(request, policies):
    assert decide(request, policies).outcome == reference.decide(request, policies)


@many
@given(
    requests(),
    st.booleans(),
    documents(principal=True, size=1),
    st.sampled_from(["identity", "resource", "scp"]),
)
def test_single_statements_agree_with_the_reference(request, deny, document, policy_type):
    full = (PolicyLevel("r-root", (FULL,)),)
    policies = {
        "identity": PolicySet(identity=(document, FULL) if deny else (document,)),
        "resource": PolicySet(resource=document),
        "scp": PolicySet(identity=(FULL,), scp=(*full, PolicyLevel("ou", (document,)))),
    }[policy_type]
    assert decide(request, policies).outcome == reference.decide(request, policies)


@some_examples
@given(
    requests(),
    st.lists(statements(), min_size=1, max_size=5),
    st.lists(statements(principal=True), max_size=3),
)
def test_many_statements_are_found_by_index_and_in_order(request, identity, resource):
    times = 1 + INDEXED_FROM // len(identity)
    policies = PolicySet(
        identity=(parse_policy({"Version": "2012-10-17", "Statement": identity * times}),),
        resource=parse_policy({"Version": "2012-10-17", "Statement": resource * INDEXED_FROM}),
    )
    decision = decide(request, policies)
    assert decision.outcome == reference.decide(request, policies)
    if decision.outcome == "explicit_deny":
        denies = [
            (policy.policy_type, statement.label)
            for policy, statement in explain(request, policies).matching("Deny")
        ]
        assert [(reason.policy_type, reason.statement) for reason in decision.because] == denies


@some_examples
@given(requests(), policy_sets())
def test_explain_agrees_with_decide(request, policies):
    decision = decide(request, policies)
    trace = explain(request, policies)
    assert trace.decision == decision
    denies = tuple((policy.policy_type, statement.label) for policy, statement in trace.matching("Deny"))
    if decision.outcome == "explicit_deny":
        assert denies == tuple((reason.policy_type, reason.statement) for reason in decision.because)
    else:
        assert not denies
    assert str(trace).startswith(f"{decision.outcome}: ")


@some_examples
@given(requests(), policy_sets())
def test_decisions_are_well_formed(request, policies):
    decision = decide(request, policies)
    effects = {reason.effect for reason in decision.because}
    match decision.outcome:
        case "allow":
            assert effects <= {"Allow"}
            assert decision.missing == ()
        case "explicit_deny":
            assert effects == {"Deny"}
            assert decision.missing == ()
        case "implicit_deny":
            assert decision.because == ()
            assert decision.missing


def deny_all(policy_type, policies):
    document = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    if policy_type in ("resource", "rcp", "vpc_endpoint"):
        document["Principal"] = "*"
    deny = parse_policy({"Statement": [document]})
    if policy_type == "resource":
        own = render_policy(policies.resource)["Statement"] if policies.resource else []
        version = policies.resource.version if policies.resource else "2008-10-17"
        deny = parse_policy({"Version": version, "Statement": [*own, document]})
        return dataclasses.replace(policies, resource=deny)
    if policy_type in ("scp", "rcp"):
        return dataclasses.replace(
            policies, **{policy_type: (*(getattr(policies, policy_type) or ()), PolicyLevel("x", (deny,)))}
        )
    return dataclasses.replace(policies, **{policy_type: (*(getattr(policies, policy_type) or ()), deny)})


@some_examples
@given(
    requests(),
    policy_sets(),
    st.sampled_from(["identity", "permissions_boundary", "session", "resource", "vpc_endpoint"]),
)
def test_explicit_deny_wins(request, policies, policy_type):
    assert decide(request, deny_all(policy_type, policies)).outcome == "explicit_deny"


PRINCIPAL_TYPES = ("resource", "rcp", "vpc_endpoint")
LIST_TYPES = ("identity", "permissions_boundary", "session", "vpc_endpoint")
EVERY_TYPE = (*LIST_TYPES, "resource", "scp", "rcp")


def with_statements(policies, policy_type, document):
    """The set with a policy more of the type, at the last level of an organization; ``None`` if there is no such type."""
    listed = getattr(policies, policy_type)
    if not listed and (listed is None or policy_type in ("scp", "rcp")):
        return None
    if policy_type == "resource":
        statements = [*render_policy(listed)["Statement"], *render_policy(document)["Statement"]]
        more = parse_policy({"Version": listed.version, "Statement": statements})
    elif policy_type in ("scp", "rcp"):
        *above, last = listed
        more = (*above, dataclasses.replace(last, policies=(*last.policies, document)))
    else:
        more = (*listed, document)
    return dataclasses.replace(policies, **{policy_type: more})


def with_effect(document, effect):
    statements = [{**statement, "Effect": effect} for statement in render_policy(document)["Statement"]]
    return parse_policy({"Version": document.version, "Statement": statements})


@some_examples
@given(requests(), policy_sets(), st.data(), st.sampled_from(EVERY_TYPE))
def test_adding_a_deny_never_allows(request, policies, data, policy_type):
    document = data.draw(documents(policy_type in PRINCIPAL_TYPES, 2))
    more = with_statements(policies, policy_type, with_effect(document, "Deny"))
    assume(more is not None)
    before, after = decide(request, policies), decide(request, more)
    assert after.outcome in (before.outcome, "explicit_deny")


@some_examples
@given(requests(), policy_sets(), st.data(), st.sampled_from(EVERY_TYPE))
def test_adding_an_allow_never_denies(request, policies, data, policy_type):
    document = data.draw(documents(policy_type in PRINCIPAL_TYPES, 2))
    more = with_statements(policies, policy_type, with_effect(document, "Allow"))
    assume(more is not None)
    before, after = decide(request, policies), decide(request, more)
    assert after.outcome in (before.outcome, "allow")
    assert (after.outcome == "explicit_deny") == (before.outcome == "explicit_deny")


def never_grants(request, policies, policy_type):
    without = dataclasses.replace(policies, **{policy_type: None})
    assert decide(request, without).allowed or not decide(request, policies).allowed


@some_examples
@given(requests(), policy_sets())
def test_scp_never_grants(request, policies):
    never_grants(request, policies, "scp")


@some_examples
@given(requests(), policy_sets())
def test_rcp_never_grants(request, policies):
    never_grants(request, policies, "rcp")


@some_examples
@given(requests(), policy_sets())
def test_boundary_never_grants(request, policies):
    never_grants(request, policies, "permissions_boundary")


@some_examples
@given(requests(), policy_sets())
def test_endpoint_never_grants(request, policies):
    never_grants(request, policies, "vpc_endpoint")


@some_examples
@given(requests(), policy_sets())
def test_session_never_grants_to_a_role_session(request, policies):
    # A federated user has nothing without a session policy:
    # https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
    assume(":federated-user/" not in request.principal)
    never_grants(request, policies, "session")


def spares_somebody(policies):
    """Whether a Deny names whom it spares: such a one hits every principal with a boundary."""
    held = [*(policies.vpc_endpoint or ()), *((policies.resource,) if policies.resource else ())]
    held += [policy for level in policies.rcp or () for policy in level.policies]
    return any(statement.not_principal for policy in held for statement in policy.statements)


@some_examples
@given(
    requests(),
    policy_sets(),
    st.sampled_from(("permissions_boundary", "session", "vpc_endpoint", "scp", "rcp")),
)
def test_an_absent_type_is_one_that_allows_everything(request, policies, policy_type):
    if policy_type == "permissions_boundary":
        assume(not spares_somebody(policies))
    if policy_type == "session":
        assume(":federated-user/" not in request.principal)
    full = FULL_FOR_ALL if policy_type in PRINCIPAL_TYPES else FULL
    everything = (PolicyLevel("r-root", (full,)),) if policy_type in ("scp", "rcp") else (full,)
    absent = decide(request, dataclasses.replace(policies, **{policy_type: None}))
    present = decide(request, dataclasses.replace(policies, **{policy_type: everything}))
    assert (absent.outcome, absent.missing) == (present.outcome, present.missing)


def rewritten(policies, change):
    """The set with each statement, as JSON, replaced by those that ``change`` makes of it."""

    def policy(item):
        statements = [new for old in render_policy(item)["Statement"] for new in change(old)]
        return parse_policy({"Version": item.version, "Statement": statements}, name=item.name)

    def listed(items):
        return None if items is None else tuple(policy(item) for item in items)

    def tree(items):
        return items and tuple(dataclasses.replace(level, policies=listed(level.policies)) for level in items)

    return PolicySet(
        **{name: listed(getattr(policies, name)) for name in LIST_TYPES},
        resource=policies.resource and policy(policies.resource),
        scp=tree(policies.scp),
        rcp=tree(policies.rcp),
    )


def other_case(statement):
    changed = dict(statement)
    for element in ("Action", "NotAction"):
        if element in changed:
            changed[element] = [action.swapcase() for action in changed[element]]
    if "Condition" in changed:
        changed["Condition"] = {
            operator.swapcase(): {key.swapcase(): values for key, values in keys.items()}
            for operator, keys in changed["Condition"].items()
        }
    return [changed]


@some_examples
@given(requests(), policy_sets())
def test_case_of_actions_keys_and_operators_does_not_matter(request, policies):
    assert decide(request, rewritten(policies, other_case)).outcome == decide(request, policies).outcome


def split(statement):
    """A statement for each listed action, resource and value of a positive test: the lists are alternatives."""
    made = [statement]
    for element in ("Action", "Resource"):
        if element in statement:
            made = [{**old, element: [item]} for old in made for item in statement[element]]
    for operator, keys in statement.get("Condition", {}).items():
        if "Not" in operator or operator.startswith("ForAllValues"):
            continue
        for key, values in keys.items():
            made = [
                {
                    **old,
                    "Condition": {**old["Condition"], operator: {**old["Condition"][operator], key: [value]}},
                }
                for old in made
                for value in values
            ]
    return made


@some_examples
@given(requests(), policy_sets())
def test_listed_values_are_as_good_as_statements(request, policies):
    apart = decide(request, rewritten(policies, split))
    together = decide(request, policies)
    assert (apart.outcome, apart.missing) == (together.outcome, together.missing)


def test_the_strategies_reach_every_outcome():
    outcomes = Counter()

    @settings(max_examples=300, deadline=None, derandomize=True, database=None)
    @given(requests(), policy_sets())
    def count(request, policies):
        outcomes[decide(request, policies).outcome] += 1

    count()
    assert min(outcomes[name] for name in ("allow", "explicit_deny", "implicit_deny")) >= 30, outcomes


@some_examples
@given(requests(), policy_sets(), st.randoms(use_true_random=False))
def test_order_and_duplicates_do_not_matter(request, policies, random):
    def shuffled(listed):
        if listed is None:
            return None
        twice = [*listed, *listed]
        random.shuffle(twice)
        return tuple(twice)

    mixed = dataclasses.replace(
        policies,
        identity=shuffled(policies.identity),
        permissions_boundary=shuffled(policies.permissions_boundary),
        session=shuffled(policies.session),
        scp=shuffled(policies.scp),
        rcp=shuffled(policies.rcp),
        vpc_endpoint=shuffled(policies.vpc_endpoint),
    )
    before, after = decide(request, policies), decide(request, mixed)
    assert after.outcome == before.outcome
    assert after.missing == before.missing
    assert set(after.because) == set(before.because)


@some_examples
@given(requests(), policy_sets())
def test_action_case_does_not_matter(request, policies):
    shouted = dataclasses.replace(request, action=request.action.upper())
    assert decide(shouted, policies) == decide(request, policies)
