"""The prover against the evaluator: what it proves no request contradicts, what it refutes a request shows."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proof.differential import agree, cases, disagreement, found, keep, seen
from proof.proof_world import (
    ACCOUNT,
    BROAD,
    KEYS,
    NAMED,
    ORDER,
    PRINCIPALS,
    WORLD,
    claim_bodies,
    documents,
    policy_sets,
    random_requests,
    statements,
)
from ringwall.iam.codec import policies_from_json, policies_to_json
from ringwall.iam.evaluate import decide
from ringwall.iam.parser import parse_policy
from ringwall.iam.policy import PolicySet
from ringwall.proof.claims import claim_from_json
from ringwall.proof.prove import prove
from ringwall.proof.question import Question
from ringwall.proof.witness import speaks_of

ANYTHING = BROAD["Statement"][0]
SLOW = [
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.filter_too_much,
    HealthCheck.large_base_example,
]
TEXTUAL = frozenset({"shop:color", "shop:tags", "shop:fresh", "shop:owner"})
"""Keys whose tests cvc5 is told of."""


def fixed(examples: int) -> settings:
    """The same examples every time: a disagreement is kept in the corpus, not in a database of failures."""
    return settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=SLOW,
        derandomize=True,
        database=None,
    )


def asked(policies: PolicySet, body: dict[str, Any], **others: Any) -> dict[str, Any]:
    """A case of the corpus: that never a request of the small world is allowed."""
    return {"world": "shop", "policies": policies_to_json(policies), "claim": {"never": body}, **others}


@fixed(90)
@given(policies=policy_sets(), body=claim_bodies(), principal=st.sampled_from(PRINCIPALS))
def test_brute_force_agrees(policies: PolicySet, body: dict[str, Any], principal: str) -> None:
    agree(asked(policies, body, principal=principal), cvc5=False)


@st.composite
def narrow_documents(draw: Any) -> dict[str, Any]:
    """One Allow or Deny beside an Allow of everything, with conditions on one key: little hides what they mean."""
    keys = (draw(st.sampled_from(sorted(KEYS))),)
    statement = draw(statements(keys=keys))
    listed = [statement, *BROAD["Statement"]] if statement["Effect"] == "Deny" else [statement]
    return {"Version": "2012-10-17", "Statement": listed}


@fixed(200)
@given(narrow_documents(), st.sampled_from(PRINCIPALS[:2]), st.sampled_from(sorted(KEYS)), st.data())
def test_brute_force_agrees_on_single_statements(
    document: dict[str, Any], principal: str, key: str, data: st.DataObject
) -> None:
    keys = [one for one in KEYS if any(one in str(statement) for statement in document["Statement"])] or [key]
    body = data.draw(claim_bodies(keys=keys))
    policies = PolicySet(identity=(parse_policy(document, name="p"),))
    agree(asked(policies, body, principal=principal), cvc5=False)


@pytest.mark.parametrize("element", ["Principal", "NotPrincipal"])
@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_brute_force_agrees_on_principals(effect: str, element: str) -> None:
    """Who is named, how, and by whom asked, where own policies allow everything; a boundary changes NotPrincipal."""
    own, everyone = parse_policy(BROAD, name="own"), {**ANYTHING, "Principal": "*"}
    for name, bounded, principal in product(NAMED, (False, True), (*PRINCIPALS, None)):
        document = _layer(everyone, {**ANYTHING, "Effect": effect, element: name})
        policies = PolicySet(
            identity=(own,),
            permissions_boundary=(own,) if bounded else None,
            resource=parse_policy(document, name="resource"),
        )
        whose = {"principal": principal} if principal else {"account": ACCOUNT, "laws": ["each"]}
        agree(asked(policies, {"Action": "shop:Read"}, **whose), cvc5=False)


SETS = st.builds(
    lambda operator, listed: {operator: {"shop:tags": listed}},
    st.sampled_from(
        (
            "ForAllValues:StringEquals",
            "ForAllValues:StringNotLike",
            "ForAnyValue:StringEquals",
            "ForAnyValue:StringNotEquals",
            "ForAllValues:StringEqualsIfExists",
            "StringEquals",
            "StringNotEquals",
        )
    ),
    st.lists(st.sampled_from(("red", "a", "b*")), min_size=1, max_size=2, unique=True),
) | st.sampled_from(({"Null": {"shop:tags": "true"}}, {"Null": {"shop:tags": "false"}}))


@fixed(150)
@given(st.sampled_from(("Allow", "Deny")), SETS, SETS)
def test_brute_force_agrees_on_sets_of_values(
    effect: str, condition: dict[str, Any], claimed: dict[str, Any]
) -> None:
    statement = {**ANYTHING, "Effect": effect, "Condition": condition}
    listed = [statement, ANYTHING] if effect == "Deny" else [statement]
    policies = PolicySet(identity=(parse_policy(_layer(*listed), name="p"),))
    agree(
        asked(policies, {"Action": "shop:List", "Condition": claimed}, principal=PRINCIPALS[0]),
        cvc5=False,
    )


def _layer(*listed: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(listed)}


DENIED = {**ANYTHING, "Effect": "Deny"}
LAYERS = st.sampled_from(
    (
        *(BROAD,) * 4,
        _layer(),
        _layer({**ANYTHING, "Action": "shop:*"}),
        _layer(ANYTHING, {**DENIED, "Action": "shop:R*"}),
        _layer(ANYTHING, {**DENIED, "Action": "kms:*"}),
        _layer(ANYTHING, {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:kms:*"}),
    )
)
ONE_LAYER = (
    _layer(),
    _layer({**ANYTHING, "Action": "shop:*"}),
    _layer(ANYTHING, {**DENIED, "Action": "shop:R*"}),
    _layer(ANYTHING, {**DENIED, "Action": "kms:*"}),
)


@pytest.mark.parametrize("kind", ["permissions_boundary", "session", "vpc_endpoint", "scp", "rcp"])
def test_brute_force_agrees_on_one_layer(kind: str) -> None:
    """Each type of policy that limits, by itself; of levels the last one."""
    for document, principal, pattern in product(
        ONE_LAYER, (PRINCIPALS[0], PRINCIPALS[2], PRINCIPALS[4], PRINCIPALS[5]), ("shop:Read", "kms:Use")
    ):
        named = _for_all(document) if kind in ("vpc_endpoint", "rcp") else document
        policies: list[Any] = [{"name": kind, "document": named}]
        if kind in ("scp", "rcp"):
            full = _for_all(BROAD) if kind == "rcp" else BROAD
            policies = [
                {"target": "root", "policies": [{"name": "full", "document": full}]},
                {"target": "account", "policies": policies},
            ]
        value = {"identity": [{"name": "own", "document": BROAD}], kind: policies}
        agree(asked(policies_from_json(value), {"Action": pattern}, principal=principal), cvc5=False)


TYPED = {
    # Operators and the values that they compare with, by key.
    "shop:size": ([f"Numeric{one}" for one in ORDER], ("5", "10")),
    "shop:since": ([f"Date{one}" for one in ORDER], ("2024-01-01", "1800000000")),
    "shop:origin": (["IpAddress", "NotIpAddress"], ("10.0.0.0/8", "10.0.0.0/9", "0.0.0.0/0")),
}


@pytest.mark.parametrize("key", sorted(TYPED))
def test_brute_force_agrees_on_pairs_of_typed_tests(key: str) -> None:
    operators, values = TYPED[key]
    for one, other, first, second in product(operators, operators, values, values):
        statement = {**ANYTHING, "Condition": {one: {key: first}, "Null": {key: "false"}}}
        policies = PolicySet(identity=(parse_policy(_layer(statement), name="p"),))
        body = {"Action": "shop:List", "Condition": {other: {key: second}}}
        agree(asked(policies, body, principal=PRINCIPALS[0]), cvc5=False)


LAYERED = st.sampled_from(("shop:Read", "shop:R*", "shop:L*", "kms:Use", "*"))


@st.composite
def layered(draw: Any) -> PolicySet:
    """Policies of every type, each of few statements without conditions."""

    def level(document: dict[str, Any]) -> dict[str, Any]:
        return {"target": "t", "policies": [{"name": "p", "document": document}]}

    def some(most: int) -> list[dict[str, Any]]:
        return draw(st.lists(LAYERS, min_size=1, max_size=most))

    value: dict[str, Any] = {"identity": [{"name": "own", "document": draw(LAYERS)}]}
    for name in ("permissions_boundary", "session", "vpc_endpoint"):
        if draw(st.booleans()):
            value[name] = [{"name": name, "document": one} for one in some(2)]
    for name in ("scp", "rcp"):
        if draw(st.booleans()):
            value[name] = [level(one) for one in some(3)]
    for policy in value.get("vpc_endpoint", ()):
        policy["document"] = _for_all(policy["document"])
    for one in value.get("rcp", ()):
        one["policies"][0]["document"] = _for_all(one["policies"][0]["document"])
    return policies_from_json(value)


def _for_all(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "Statement": [{**one, "Principal": "*"} for one in document["Statement"]]}


@fixed(150)
@given(layered(), st.sampled_from(PRINCIPALS), LAYERED)
def test_brute_force_agrees_on_layers(policies: PolicySet, principal: str, pattern: str) -> None:
    agree(asked(policies, {"Action": pattern}, principal=principal), cvc5=False)


@fixed(60)
@given(
    policies=policy_sets(keys=TEXTUAL),
    body=claim_bodies(keys=TEXTUAL),
    principal=st.sampled_from(PRINCIPALS[:2]),
    owner=st.sampled_from((None, ACCOUNT)),
    model=st.sampled_from(("catalog", "any")),
)
def test_cvc5_agrees(
    policies: PolicySet, body: dict[str, Any], principal: str, owner: str | None, model: str
) -> None:
    agree(asked(policies, body, principal=principal, resource_account=owner, context_model=model))


@fixed(16)
@given(documents(most=2), claim_bodies(), st.sampled_from(PRINCIPALS[:2]), st.randoms(use_true_random=False))
def test_no_random_request_contradicts_a_proof(
    document: dict[str, Any], body: dict[str, Any], principal: str, chance: Random
) -> None:
    """Of each proof 10,000 requests are decided, with values that nobody chose for the question."""
    policies = PolicySet(identity=(parse_policy(document, name="p"),))
    case = asked(policies, body, principal=principal)
    claim = claim_from_json({"never": body})
    if prove(Question("q", principal, policies, claim), WORLD).verdict != "holds":
        return
    for request in random_requests(principal, chance, 10_000):
        if speaks_of(claim, request) and decide(request, policies, WORLD).allowed:
            found(case, request)


@fixed(40)
@given(policies=policy_sets(), body=claim_bodies(), principal=st.sampled_from(PRINCIPALS))
def test_laws_of_one_principal(policies: PolicySet, body: dict[str, Any], principal: str) -> None:
    agree(asked(policies, body, principal=principal, laws=["opposite", "core", "any-context"]), cvc5=False)


@fixed(30)
@given(policies=policy_sets(), body=claim_bodies())
def test_what_holds_of_any_principal_holds_of_each(policies: PolicySet, body: dict[str, Any]) -> None:
    agree(asked(policies, body, account=ACCOUNT, laws=["each"]), cvc5=False)


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


@fixed(60)
@given(
    listed=st.lists(variable_statements, min_size=1, max_size=3),
    body=claim_bodies(),
    principal=st.sampled_from(PRINCIPALS[:2]),
)
def test_policy_variables_never_make_a_false_proof(
    listed: list[dict[str, Any]], body: dict[str, Any], principal: str
) -> None:
    policies = PolicySet(identity=(parse_policy({"Version": "2012-10-17", "Statement": listed}, name="p"),))
    agree(asked(policies, body, principal=principal))


@fixed(120)
@given(before=documents(), after=documents())
def test_comparison_agrees_with_requests(before: dict[str, Any], after: dict[str, Any]) -> None:
    agree({"world": "shop", "before": before, "after": after}, cvc5=False)


@fixed(25)
@given(before=documents(keys=TEXTUAL), after=documents(keys=TEXTUAL))
def test_cvc5_agrees_on_comparisons(before: dict[str, Any], after: dict[str, Any]) -> None:
    agree({"world": "shop", "before": before, "after": after})


@fixed(60)
@given(before=st.lists(variable_statements, max_size=2), after=st.lists(variable_statements, max_size=2))
def test_comparison_with_policy_variables_agrees_with_requests(
    before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> None:
    documents = [{"Version": "2012-10-17", "Statement": listed} for listed in (before, after)]
    agree({"world": "shop", "before": documents[0], "after": documents[1]})


@fixed(25)
@given(before=documents(named=True, most=2), after=documents(named=True, most=2))
def test_comparison_of_resource_policies_agrees_with_requests(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    agree({"world": "shop", "before": before, "after": after})


@fixed(40)
@given(before=policy_sets(), after=policy_sets())
def test_comparison_of_sets_agrees_with_requests(before: PolicySet, after: PolicySet) -> None:
    agree({"world": "shop", "before": policies_to_json(before), "after": policies_to_json(after)})


def test_a_disagreement_is_kept_and_replayed(tmp_path: Path) -> None:
    """Of a case with a wrong answer, that it is told, kept once, and told again from the corpus."""
    corpus = tmp_path / "corpus.jsonl"
    corpus.touch()
    case = {"world": "shop", "before": _layer(), "after": BROAD, "newly_allows": False}
    with pytest.raises(AssertionError, match="newly_allows: True, not False"):
        agree(case)
    keep(seen[-1], corpus)
    keep(seen[-1], corpus)
    (line,) = cases(corpus)
    assert line["id"].startswith("found: newly_allows")
    assert disagreement(line) is not None
    assert disagreement({**line, "newly_allows": True}) is None


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["id"])
def test_corpus(case: dict[str, Any]) -> None:
    """Cases on which this prover or another once was wrong, or gave up."""
    agree(case)
