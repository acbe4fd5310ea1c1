"""Laws of the policy language, and the compiled evaluator against the naive one."""

from __future__ import annotations

import dataclasses

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


def some(values, **kwargs):
    return st.lists(st.sampled_from(values), unique=True, **{"min_size": 1, "max_size": 3, **kwargs})


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


@st.composite
def statements(draw, principal=False):
    statement = {"Effect": draw(st.sampled_from(("Allow", "Allow", "Allow", "Deny")))}
    actions = draw(some(("*", "svc:*", "svc:Read*", "SVC:write", "kms:Decrypt", "svc:Rea?", "sts:*")))
    statement[draw(st.sampled_from(("Action", "Action", "Action", "NotAction")))] = actions
    kind = draw(st.sampled_from(("Resource", "Resource", "Resource", "NotResource", None)))
    if kind:
        statement[kind] = (
            draw(st.one_of(st.just(["*"]), some(PATTERNS))) if kind == "Resource" else draw(some(PATTERNS))
        )
    block = draw(conditions())
    if block:
        statement["Condition"] = block
    if principal:
        names = [name for name in PRINCIPALS if name.startswith("arn:")]
        element = draw(
            st.one_of(
                st.just("*"),
                st.builds(
                    lambda aws, service: {
                        "AWS": aws,
                        **({"Service": "ec2.amazonaws.com"} if service else {}),
                    },
                    some((*names, ACCOUNT, "*"), max_size=4),
                    st.booleans(),
                ),
            )
        )
        statement[draw(st.sampled_from(("Principal", "Principal", "Principal", "NotPrincipal")))] = element
    return statement


def documents(principal=False, size=3):
    return st.builds(
        lambda version, listed: parse_policy({"Version": version, "Statement": listed}),
        st.sampled_from(("2012-10-17", "2012-10-17", "2008-10-17")),
        st.lists(statements(principal), min_size=0, max_size=size),
    )


FULL = parse_policy(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
)
FULL_FOR_ALL = parse_policy(
    {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}
)


def maybe(strategy):
    return st.one_of(st.none(), strategy)


def policy_lists(principal=False):
    full = FULL_FOR_ALL if principal else FULL
    return st.lists(st.one_of(st.just(full), documents(principal)), max_size=2).map(tuple)


def levels(principal=False):
    level = st.builds(PolicyLevel, st.just("r-root"), policy_lists(principal))
    return maybe(st.lists(level, min_size=1, max_size=3).map(tuple))


@st.composite
def policy_sets(draw):
    return PolicySet(
        identity=draw(policy_lists()),
        permissions_boundary=draw(maybe(policy_lists())),
        session=draw(maybe(policy_lists())),
        resource=draw(maybe(documents(principal=True))),
        scp=draw(levels()),
        rcp=draw(levels(principal=True)),
        vpc_endpoint=draw(maybe(policy_lists(principal=True))),
    )


@st.composite
def requests(draw):
    context = draw(
        st.dictionaries(
            st.sampled_from([key.lower() for key in KEYS]),
            st.lists(st.sampled_from(TEXTS), max_size=2).map(tuple),
            max_size=4,
        )
    )
    context.pop("aws:principalarn", None)
    return make_request(
        draw(st.sampled_from(PRINCIPALS)),
        draw(st.sampled_from(ACTIONS)),
        draw(st.sampled_from(RESOURCES)),
        draw(st.sampled_from((None, None, ACCOUNT, OTHER))),
        context,
    )


many = settings(max_examples=300, deadline=None)
some_examples = settings(max_examples=100, deadline=None)


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


@some_examples
@given(requests(), policy_sets(), documents(size=2))
def test_adding_a_deny_never_allows(request, policies, document):
    denies = [{**statement, "Effect": "Deny"} for statement in render_policy(document)["Statement"]]
    more = parse_policy({"Version": document.version, "Statement": denies})
    before = decide(request, policies)
    for policy_type in ("identity", "session", "permissions_boundary", "vpc_endpoint"):
        listed = getattr(policies, policy_type)
        if listed is None:
            continue
        after = decide(request, dataclasses.replace(policies, **{policy_type: (*listed, more)}))
        assert before.allowed or not after.allowed


@some_examples
@given(requests(), policy_sets(), st.sampled_from(["scp", "rcp"]))
def test_scp_never_grants(request, policies, policy_type):
    without = dataclasses.replace(policies, **{policy_type: None})
    assert decide(request, without).allowed or not decide(request, policies).allowed


@some_examples
@given(requests(), policy_sets(), st.sampled_from(["permissions_boundary", "vpc_endpoint"]))
def test_boundary_never_grants(request, policies, policy_type):
    without = dataclasses.replace(policies, **{policy_type: None})
    assert decide(request, without).allowed or not decide(request, policies).allowed


@some_examples
@given(requests(), policy_sets())
def test_session_policy_never_grants_to_a_role_session(request, policies):
    assume(":federated-user/" not in request.principal)
    without = dataclasses.replace(policies, session=None)
    assert decide(request, without).allowed or not decide(request, policies).allowed


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


@some_examples
@given(st.one_of(documents(), documents(principal=True)))
def test_parse_render_round_trip(policy):
    again = parse_policy(render_policy(policy))
    assert (again.version, again.id, again.statements) == (policy.version, policy.id, policy.statements)
