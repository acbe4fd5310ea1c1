"""The prover against the evaluator: what it proves no request contradicts, what it refutes a request shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proof.proof_world import PRINCIPALS, WORLD, claim_bodies, documents, policy_sets, requests
from ringwall.iam.evaluate import decide
from ringwall.iam.parser import parse_policy
from ringwall.iam.policy import PolicySet
from ringwall.iam.request import Request
from ringwall.proof.claims import claim_from_json
from ringwall.proof.compare import compare
from ringwall.proof.prove import prove
from ringwall.proof.question import Question
from ringwall.proof.witness import speaks_of

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=70, deadline=None, suppress_health_check=SLOW)
@given(policies=policy_sets(), body=claim_bodies(), principal=st.sampled_from(PRINCIPALS))
def test_brute_force_agrees(policies: PolicySet, body: dict[str, Any], principal: str) -> None:
    claim = claim_from_json({"never": body})
    answer = prove(Question("q", principal, policies, claim), WORLD, timeout=20)
    assert answer.verdict in ("holds", "violated"), answer.reason
    if answer.verdict == "violated":
        (witness,) = answer.witness
        assert decide(witness, policies, WORLD).allowed
        assert speaks_of(claim, witness)
        return
    assert not answer.witness
    for request in requests(principal):
        allowed = speaks_of(claim, request) and decide(request, policies, WORLD).allowed
        assert not allowed, request


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(policies=policy_sets(), body=claim_bodies(), principal=st.sampled_from(PRINCIPALS))
def test_never_and_can_are_opposites(policies: PolicySet, body: dict[str, Any], principal: str) -> None:
    never = prove(Question("n", principal, policies, claim_from_json({"never": body})), WORLD)
    can = prove(Question("c", principal, policies, claim_from_json({"can": body})), WORLD)
    assert (never.verdict, can.verdict) in (("holds", "violated"), ("violated", "holds"))
    assert never.witness == can.witness


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(policies=policy_sets(), body=claim_bodies(), principal=st.sampled_from(PRINCIPALS))
def test_core_suffices(policies: PolicySet, body: dict[str, Any], principal: str) -> None:
    """A proof still holds when every Deny that it does not name is taken away."""
    claim = claim_from_json({"never": body})
    answer = prove(Question("q", principal, policies, claim), WORLD)
    if answer.verdict != "holds":
        return
    named = {(reason.policy, reason.statement) for reason in answer.because}
    assert prove(Question("q", principal, _only(policies, named), claim), WORLD).verdict == "holds"


OWNED = (
    "arn:aws:shop:us-east-1:111122223333:shelf/${aws:username}",
    "arn:aws:shop:::box/${shop:color, 'a'}:*",
    "arn:aws:shop:us-east-1:*:shelf/${shop:color}?",
    "arn:aws:shop:::box/${*}",
    "*",
)
COMPARED = (
    {"StringEquals": {"shop:color": "${aws:username}"}},
    {"StringLike": {"shop:color": "${shop:owner}*"}},
    {"ArnNotLike": {"shop:owner": "arn:aws:iam::${aws:PrincipalAccount}:*"}},
    {"StringNotEquals": {"shop:color": ["${shop:tags}", "red"]}},
    {"ForAnyValue:StringEquals": {"shop:tags": "${shop:color}"}},
    {},
)
variable_statements = st.builds(
    lambda effect, resource, condition: {
        "Effect": effect, "Action": "shop:*", "Resource": resource, **({"Condition": condition} if condition else {}),
    },
    st.sampled_from(("Allow", "Allow", "Deny")), st.sampled_from(OWNED), st.sampled_from(COMPARED),
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(
    listed=st.lists(variable_statements, min_size=1, max_size=3),
    body=claim_bodies(),
    principal=st.sampled_from(PRINCIPALS[:2]),
)
def test_policy_variables_never_make_a_false_proof(
    listed: list[dict[str, Any]], body: dict[str, Any], principal: str
) -> None:
    policies = PolicySet(identity=(parse_policy({"Version": "2012-10-17", "Statement": listed}, name="p"),))
    claim = claim_from_json({"never": body})
    answer = prove(Question("q", principal, policies, claim), WORLD)
    assert "disagreement" not in (answer.reason or "")
    if answer.verdict == "unknown":
        assert "policy variable" in (answer.reason or "")
    if answer.verdict == "holds":
        for request in requests(principal):
            assert not (speaks_of(claim, request) and decide(request, policies, WORLD).allowed), request


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(policies=policy_sets(), body=claim_bodies())
def test_any_principal_covers_each(policies: PolicySet, body: dict[str, Any]) -> None:
    """What holds of any principal of the account holds of the roles and users that the world knows."""
    claim = claim_from_json({"never": body})
    anybody = prove(Question("q", None, policies, claim, account="111122223333"), WORLD)
    assert "disagreement" not in (anybody.reason or "")
    each = {prove(Question("q", principal, policies, claim), WORLD).verdict for principal in PRINCIPALS[:2]}
    if anybody.verdict == "holds":
        assert each == {"holds"}
    elif anybody.verdict == "unknown":
        assert "session" in (anybody.reason or "")


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(policies=policy_sets(), body=claim_bodies(), principal=st.sampled_from(PRINCIPALS))
def test_any_context_model_only_adds_requests(
    policies: PolicySet, body: dict[str, Any], principal: str
) -> None:
    claim = claim_from_json({"never": body})
    free = prove(Question("q", principal, policies, claim, "any"), WORLD)
    assert free.verdict in ("holds", "violated"), free.reason
    if free.verdict == "holds":
        assert prove(Question("q", principal, policies, claim), WORLD).verdict == "holds"


def _only(policies: PolicySet, named: set[tuple[str, str]]) -> PolicySet:
    def thin(policy: Any) -> Any:
        kept = [
            one
            for one, statement in zip(policy.document["Statement"], policy.statements, strict=True)
            if one["Effect"] == "Allow" or (policy.name, statement.label) in named
        ]
        return parse_policy({"Version": "2012-10-17", "Statement": kept}, name=policy.name)

    def all_of(listed: Any) -> Any:
        return None if listed is None else tuple(map(thin, listed))

    def levels(listed: Any) -> Any:
        return (
            None
            if listed is None
            else tuple(replace(level, policies=all_of(level.policies)) for level in listed)
        )

    return PolicySet(
        identity=all_of(policies.identity),
        permissions_boundary=all_of(policies.permissions_boundary),
        session=all_of(policies.session),
        resource=None if policies.resource is None else thin(policies.resource),
        scp=levels(policies.scp),
        rcp=levels(policies.rcp),
        vpc_endpoint=all_of(policies.vpc_endpoint),
    )


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(before=documents(), after=documents())
def test_comparison_agrees_with_requests(before: dict[str, Any], after: dict[str, Any]) -> None:
    old, new = parse_policy(before, name="before"), parse_policy(after, name="after")
    comparison = compare(old, new, WORLD)
    sets = PolicySet(identity=(old,)), PolicySet(identity=(new,))
    for difference, (denying, allowing) in (
        (comparison.newly_allows, sets),
        (comparison.newly_denies, sets[::-1]),
    ):
        assert difference != "unknown"
        if difference is None:
            for request in requests(PRINCIPALS[0], "111122223333"):
                assert not decide(request, allowing, WORLD).allowed or decide(request, denying, WORLD).allowed
        else:
            assert isinstance(difference, Request)


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(before=documents(named=True), after=documents(named=True), principal=st.sampled_from(PRINCIPALS))
def test_comparison_of_resource_policies_agrees_with_requests(
    before: dict[str, Any], after: dict[str, Any], principal: str
) -> None:
    old, new = parse_policy(before, name="before"), parse_policy(after, name="after")
    if not any(
        "Principal" in one or "NotPrincipal" in one for one in (*before["Statement"], *after["Statement"])
    ):
        return
    comparison = compare(old, new, WORLD)
    assert "unknown" not in (comparison.newly_allows, comparison.newly_denies)
    sets = PolicySet(resource=old), PolicySet(resource=new)
    for difference, (denying, allowing) in (
        (comparison.newly_allows, sets),
        (comparison.newly_denies, sets[::-1]),
    ):
        if difference is None:
            for request in requests(principal):
                assert not decide(request, allowing, WORLD).allowed or decide(request, denying, WORLD).allowed
