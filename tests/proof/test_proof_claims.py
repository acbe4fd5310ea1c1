"""A table of claims about Amazon Bedrock: which hold, which do not, and what the witness shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from ringwall.catalog import load
from ringwall.iam.codec import policies_from_json
from ringwall.iam.evaluate import decide
from ringwall.proof.claims import claim_from_json
from ringwall.proof.prove import prove
from ringwall.proof.question import Answer, Question

CATALOG = load()
ROLE = "arn:aws:iam::111122223333:role/App"
GUARDRAIL = "arn:aws:bedrock:us-east-1:111122223333:guardrail/gr1"
VERSIONS = f"{GUARDRAIL}:*"
KEY = "bedrock:GuardrailIdentifier"
INVOKE = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]
FULL = {"Sid": "Full", "Effect": "Allow", "Action": "*", "Resource": "*"}
NAKED = {"never": {"Action": INVOKE, "Resource": "*", "Condition": {"StringNotLike": {KEY: VERSIONS}}}}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def named(name: str, *statements: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "document": document(*statements)}


def deny(condition: dict[str, Any] | None, actions: Any = INVOKE, **elements: Any) -> dict[str, Any]:
    statement = {"Sid": "Deny", "Effect": "Deny", "Action": actions, "Resource": "*", **elements}
    return statement if condition is None else {**statement, "Condition": condition}


def allow(actions: Any = "bedrock:*", resource: Any = "*", **elements: Any) -> dict[str, Any]:
    return {"Sid": "Allow", "Effect": "Allow", "Action": actions, "Resource": resource, **elements}


def scp(*statements: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"target": "r-root", "policies": [named("full", FULL), named("scp", *statements)]}]


def ask(
    claim: dict[str, Any], policies: dict[str, Any], *, principal: str | None = ROLE, **question: Any
) -> Answer:
    asked = Question("q", principal, policies_from_json(policies), claim_from_json(claim), **question)
    answer = prove(asked, CATALOG)
    for request in answer.witness:
        assert decide(request, asked.policies, CATALOG).allowed
    return answer


@dataclass(frozen=True)
class Case:
    name: str
    verdict: str
    claim: dict[str, Any]
    policies: dict[str, Any]
    shows: str = ""


def guarded(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"identity": [named("app", allow())], "scp": scp(*statements)}


FIXED_VALUE = {"StringNotEquals": {KEY: f"{GUARDRAIL}:1"}}
CASES = [
    Case("no SCP at all", "violated", NAKED, {"identity": [named("app", allow())]}),
    Case("pinned to a numbered version", "holds", NAKED, guarded(deny(FIXED_VALUE))),
    Case("any version of the guardrail", "holds", NAKED, guarded(deny({"StringNotLike": {KEY: VERSIONS}}))),
    Case("ArnNotLike", "holds", NAKED, guarded(deny({"ArnNotLike": {KEY: VERSIONS}}))),
    Case(
        "presence alone lets any guardrail through", "violated", NAKED,
        guarded(deny({"Null": {KEY: "true"}})), "guardrail/unlisted",
    ),
    Case(
        "Null false denies the wrong half", "violated", NAKED, guarded(deny({"Null": {KEY: "false"}})),
    ),
    Case(
        "ForAllValues is true without the key, but the Null beside it takes that back", "violated", NAKED,
        guarded(deny({"ForAllValues:StringNotEquals": {KEY: [GUARDRAIL]}, "Null": {KEY: "false"}})),
    ),
    Case(
        "ForAllValues StringNotLike alone denies a missing key", "holds", NAKED,
        guarded(deny({"ForAllValues:StringNotLike": {KEY: [VERSIONS]}})),
    ),
    Case(
        "ForAnyValue misses an absent key", "violated", NAKED,
        guarded(deny({"ForAnyValue:StringNotLike": {KEY: [VERSIONS]}})),
    ),
    Case("StringNotEqualsIfExists denies an absent key too", "holds", NAKED,
         guarded(deny({"StringNotLikeIfExists": {KEY: VERSIONS}}))),
    Case(
        "only InvokeModel is covered", "violated", NAKED,
        guarded(deny({"StringNotLike": {KEY: VERSIONS}}, INVOKE[:1])), "InvokeModelWithResponseStream",
    ),
    Case("wild-card action covers both", "holds", NAKED,
         guarded(deny({"StringNotLike": {KEY: VERSIONS}}, "bedrock:InvokeModel*"))),
    Case(
        "only foundation models are covered", "violated", NAKED,
        guarded(deny({"StringNotLike": {KEY: VERSIONS}}, Resource="arn:aws:bedrock:*::foundation-model/*")),
    ),
    Case("denied altogether", "holds", NAKED, guarded(deny(None, "bedrock:*"))),
    Case(
        "identity policy asks for the guardrail itself", "holds", NAKED,
        {"identity": [named("app", allow(INVOKE, Condition={"StringLike": {KEY: VERSIONS}}))]},
    ),
    Case(
        "endpoint policy asks for the guardrail", "holds", NAKED,
        {"identity": [named("app", allow())],
         "vpc_endpoint": [named("endpoint", {**allow(INVOKE, Condition={"StringLike": {KEY: VERSIONS}}),
                                             "Principal": "*"})]},
    ),
    Case(
        "boundary without Bedrock", "holds", NAKED,
        {"identity": [named("app", allow())], "permissions_boundary": [named("b", allow("s3:*"))]},
    ),
    Case(
        "session policy asks for the guardrail", "holds", NAKED,
        {"identity": [named("app", allow())],
         "session": [named("s", allow(INVOKE, Condition={"ArnLike": {KEY: VERSIONS}}))]},
    ),
    Case(
        "a second SCP level that allows S3 alone", "holds", NAKED,
        {"identity": [named("app", allow())],
         "scp": [*scp(), {"target": "ou", "policies": [named("s3", allow("s3:*"))]}]},
    ),
    Case("the pinned call is possible", "holds",
         {"can": {"Action": "bedrock:InvokeModel", "Condition": {"StringEquals": {KEY: f"{GUARDRAIL}:1"}}}},
         guarded(deny(FIXED_VALUE)), f"{GUARDRAIL}:1"),
    Case("the pinned call is impossible when the pin contradicts", "violated",
         {"can": {"Action": "bedrock:InvokeModel", "Condition": {"StringEquals": {KEY: f"{GUARDRAIL}:2"}}}},
         guarded(deny(FIXED_VALUE))),
    Case("agents carry no guardrail key, so a negated test always denies them", "violated",
         {"can": {"Action": "bedrock:InvokeAgent"}},
         guarded(deny({"StringNotEquals": {KEY: GUARDRAIL}}, "bedrock:Invoke*"))),
    Case("an unknown action makes a vacuous claim", "holds", {"never": {"Action": "bedrock:Converse"}},
         guarded()),
    Case("Region by SCP", "holds",
         {"never": {"Action": INVOKE, "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1", "us-west-2"]}}}},
         guarded(deny({"StringNotEquals": {"aws:RequestedRegion": ["us-east-1", "us-west-2"]}}, "bedrock:*"))),
    Case("Region by the resource's ARN, but global routing slips through the star", "violated",
         {"never": {"Action": INVOKE, "Condition": {"StringEquals": {"aws:RequestedRegion": "unspecified"}}}},
         {"identity": [named("app", allow(INVOKE, "arn:aws:bedrock:*::foundation-model/*"))]}, ":::foundation-model"),
    Case("a Region in the ARN pins the requested Region", "holds",
         {"never": {"Action": INVOKE, "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}}},
         {"identity": [named("app", allow(INVOKE, "arn:aws:bedrock:eu-west-1::foundation-model/*"))]}),
    Case("NotResource leaves the other models", "violated",
         {"never": {"Action": INVOKE, "NotResource": "arn:aws:bedrock:*::foundation-model/anthropic.*"}},
         {"identity": [named("app", {"Effect": "Allow", "Action": INVOKE,
                                     "NotResource": "arn:aws:bedrock:*::foundation-model/amazon.*"})]}),
    Case("models restricted", "holds",
         {"never": {"Action": INVOKE, "NotResource": ["arn:aws:bedrock:*::foundation-model/anthropic.claude-*"]}},
         {"identity": [named("app", allow(INVOKE, ["arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3*",
                                                   "arn:aws:bedrock:us-west-2::foundation-model/anthropic.claude-*"]))]}),
    Case("source address and endpoint exclude each other", "holds",
         {"never": {"Action": INVOKE, "Condition": {"Null": {"aws:SourceVpce": "false", "aws:SourceIp": "false"}}}},
         {"identity": [named("app", allow())]}),
    Case("endpoint required by SCP", "holds",
         {"never": {"Action": INVOKE, "Condition": {"Null": {"aws:SourceVpce": "true"}}}},
         guarded(deny({"StringNotEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"}}))),
    Case("IfExists on a positive test requires nothing", "violated",
         {"never": {"Action": INVOKE, "Condition": {"Null": {"aws:SourceVpce": "true"}}}},
         {"identity": [named("app", allow(INVOKE, Condition={"StringEqualsIfExists": {"aws:SourceVpce": "vpce-1"}}))]}),
    Case("long-term keys denied", "holds",
         {"never": {"Action": "bedrock:CallWithBearerToken",
                    "Condition": {"StringEquals": {"bedrock:BearerTokenType": "LONG_TERM"}}}},
         guarded(deny({"StringEquals": {"bedrock:BearerTokenType": "LONG_TERM"}}, "bedrock:CallWithBearerToken"))),
    Case("the management account's principals are not bound", "violated", NAKED, {"identity": [named("app", FULL)]}),
    Case("GetCallerIdentity is never denied", "violated", {"never": {"Action": "sts:*"}},
         {"identity": [], "scp": scp(deny(None, "*"))}, "GetCallerIdentity"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_claim(case: Case) -> None:
    answer = ask(case.claim, case.policies)
    assert answer.verdict == case.verdict, answer
    assert bool(answer.witness) == (next(iter(case.claim)) == "never") ^ (case.verdict == "holds")
    assert case.shows in str(answer.witness)


def test_proof_names_the_deny_it_rests_on() -> None:
    policies = guarded(deny({"StringNotLike": {KEY: VERSIONS}}), deny(None, "s3:*"))
    answer = ask(NAKED, policies)
    assert [(one.policy_type, one.policy, one.statement, one.effect) for one in answer.because] == [
        ("scp", "scp", "Deny", "Deny")
    ]
    assert not answer.vacuous


def test_proof_names_the_type_that_does_not_allow() -> None:
    answer = ask(NAKED, {"identity": [named("app", allow("s3:*"))]})
    assert (answer.verdict, answer.because, answer.missing) == ("holds", (), ("identity",))


def test_witness_names_the_statements_that_allow_it() -> None:
    answer = ask(NAKED, guarded())
    assert {(one.policy_type, one.statement) for one in answer.because} == {
        ("identity", "Allow"),
        ("scp", "Full"),
    }


def test_vacuous_claim_is_said_to_be() -> None:
    assert ask({"never": {"Action": "bedrock:Converse"}}, guarded()).vacuous
    assert ask({"can": {"Action": "bedrock:Converse"}}, guarded()).vacuous
    impossible = {"Action": "bedrock:InvokeModel", "Resource": "arn:aws:s3:::bucket"}
    answer = ask({"never": impossible}, guarded())
    assert answer.vacuous
    assert "resource-shapes" in answer.axioms


def test_any_context_model_lets_any_action_carry_any_key() -> None:
    claim = {"can": {"Action": "bedrock:InvokeAgent", "Condition": {"StringEquals": {KEY: GUARDRAIL}}}}
    assert ask(claim, guarded()).verdict == "violated"
    assert ask(claim, guarded(), context_model="any").verdict == "holds"


def test_disabled_axiom_is_not_used() -> None:
    claim = {
        "never": {
            "Action": INVOKE,
            "Condition": {"Null": {"aws:SourceVpce": "false", "aws:SourceIp": "false"}},
        }
    }
    held = ask(claim, guarded())
    assert (held.verdict, held.vacuous) == ("holds", True)
    assert "vpc-endpoint-keys" in held.axioms
    assert ask(claim, guarded(), disabled_axioms=frozenset({"vpc-endpoint-keys"})).verdict == "violated"


def test_fixed_context_is_kept() -> None:
    claim = {"can": {"Action": "bedrock:InvokeModel"}}
    policies = guarded(deny({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}))
    assert ask(claim, policies, fixed={"aws:SourceVpce": None}).verdict == "violated"
    answer = ask(claim, policies, fixed={"aws:SourceVpce": "vpce-1"})
    assert answer.witness[0].context["aws:sourcevpce"] == ("vpce-1",)


VARIABLE = "arn:aws:s3:::homes/${aws:username}/*"
DEFAULTED = "arn:aws:s3:::homes/${aws:username, 'shared'}/*"


@pytest.mark.parametrize(
    ("principal", "pattern", "verdict"),
    [
        ("arn:aws:iam::111122223333:user/eve", VARIABLE, "holds"),
        ("arn:aws:iam::111122223333:user/adam", VARIABLE, "violated"),
        (ROLE, VARIABLE, "violated"),
        ("arn:aws:iam::111122223333:user/shared", DEFAULTED, "violated"),
        (ROLE, DEFAULTED, "violated"),
    ],
)
def test_variables_that_the_principal_determines(principal: str, pattern: str, verdict: str) -> None:
    claim = {"can": {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::homes/eve/*"}}
    policies = {"identity": [named("home", allow("s3:GetObject", pattern))]}
    assert ask(claim, policies, principal=principal).verdict == verdict


def test_variable_that_nothing_determines_is_tried_out() -> None:
    pattern = "arn:aws:s3:::homes/${aws:PrincipalTag/team}/*"
    claim = {"never": {"Action": "s3:GetObject"}}
    answer = ask(claim, {"identity": [named("home", allow("s3:GetObject", pattern))]})
    assert answer.verdict == "violated"
    tag = answer.witness[0].context["aws:principaltag/team"][0]
    assert f"homes/{tag}/" in answer.witness[0].resource


def test_variable_that_nothing_determines_does_not_stop_a_proof_without_it() -> None:
    pattern = "arn:aws:s3:::homes/${aws:PrincipalTag/team}/*"
    claim = {"never": {"Action": "s3:PutObject"}}
    assert ask(claim, {"identity": [named("home", allow("s3:GetObject", pattern))]}).verdict == "holds"


def test_variable_that_nothing_determines_still_stands_in_its_place() -> None:
    pattern = "arn:aws:s3:::homes/${aws:PrincipalTag/team}/*"
    claim = {"never": {"Action": "s3:GetObject", "NotResource": "arn:aws:s3:::homes/*"}}
    assert ask(claim, {"identity": [named("home", allow("s3:GetObject", pattern))]}).verdict == "holds"


def test_variable_that_nothing_determines_is_named_when_it_stops_a_proof(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    same = {"StringEquals": {"aws:PrincipalTag/team": "${aws:SourceIdentity}"}}
    claim = {"never": {"Action": INVOKE, "Condition": {"StringLike": {"aws:PrincipalTag/team": "x*"},
                                                       "StringNotLike": {"aws:SourceIdentity": "x*"}}}}  # fmt: skip
    policies = {"identity": [named("same", allow(INVOKE, Condition=same))]}
    assert ask(claim, policies).verdict == "holds"
    monkeypatch.setattr("ringwall.proof.opinion.find_spec", lambda _name: None)
    answer = ask(claim, policies)
    assert answer.verdict == "unknown"
    assert "${aws:sourceidentity}" in (answer.reason or "")


def test_actions_whose_resource_types_are_optional_may_be_about_no_resource() -> None:
    action = "bedrock:CreateGuardrail"
    types = ["arn:aws:bedrock:*:*:guardrail-profile/*", "arn:aws:bedrock:*:*:automated-reasoning-policy/*"]
    statements = [allow(action), {"Effect": "Deny", "Action": action, "Resource": types}]
    answer = ask({"never": {"Action": action}}, {"identity": [named("own", *statements)]})
    assert answer.verdict == "violated"
    assert answer.witness[0].resource == "*"


BUCKET = {"name": "bucket", "document": document({**allow("s3:GetObject"), "Principal": {"AWS": ROLE}})}


@pytest.mark.parametrize(
    ("claim", "policies", "owner", "verdict"),
    [
        ("s3:GetObject", {"resource": BUCKET}, "111122223333", "holds"),
        ("s3:GetObject", {"resource": BUCKET}, "444455556666", "violated"),
        ("s3:GetObject", {"resource": BUCKET, "identity": [named("i", FULL)]}, "444455556666", "holds"),
        ("s3:PutObject", {"resource": BUCKET, "identity": [named("i", FULL)]}, "444455556666", "violated"),
        ("s3:PutObject", {"resource": BUCKET, "identity": [named("i", FULL)]}, "111122223333", "holds"),
        ("kms:Decrypt", {"identity": [named("i", FULL)]}, "111122223333", "violated"),
        ("s3:GetObject", {"identity": [named("i", FULL)], "rcp": scp(deny(None, "s3:*", Principal="*"))}, None, "violated"),
        ("bedrock:InvokeModel", {"identity": [named("i", FULL)], "rcp": scp(deny(None, "*", Principal="*"))}, None, "holds"),
    ],
)  # fmt: skip
def test_accounts_and_resource_policies(
    claim: str, policies: dict[str, Any], owner: str | None, verdict: str
) -> None:
    assert ask({"can": {"Action": claim}}, policies, resource_account=owner).verdict == verdict


def test_any_principal_of_an_account() -> None:
    admin = "arn:aws:iam::111122223333:role/GuardrailAdmin"
    change = {"Action": ["bedrock:UpdateGuardrail", "bedrock:DeleteGuardrail"]}
    policies = {"identity": [named("any", FULL)], "scp": scp(deny({"ArnNotEquals": {"aws:PrincipalArn": admin}}, change["Action"]))}  # fmt: skip
    others = {"never": {**change, "Condition": {"ArnNotEquals": {"aws:PrincipalArn": admin}}}}
    assert ask(others, policies, principal=None, account="111122223333").verdict == "holds"
    answer = ask({"never": change}, policies, principal=None, account="111122223333")
    assert answer.verdict == "violated"
    assert answer.witness[0].principal == admin


def test_any_principal_is_a_user_or_a_role() -> None:
    policies = {"identity": [named("any", FULL)], "scp": scp(deny({"StringEquals": {"aws:PrincipalType": "AssumedRole"}}))}  # fmt: skip
    answer = ask({"never": {"Action": INVOKE}}, policies, principal=None, account="111122223333")
    assert answer.witness[0].principal.startswith("arn:aws:iam::111122223333:user/")
    assert answer.witness[0].context["aws:principaltype"] == ("User",)


@pytest.mark.parametrize(
    ("principal", "verdict"), [("*", "holds"), ("logs.amazonaws.com", "holds"), (ROLE, "violated")]
)
def test_principals_without_identity_carry_no_principal_arn(principal: str, verdict: str) -> None:
    public = {"name": "b", "document": document({**allow("s3:GetObject"), "Principal": "*"})}
    claim = {"never": {"Action": "s3:GetObject", "Condition": {"Null": {"aws:PrincipalArn": "false"}}}}
    assert ask(claim, {"resource": public}, principal=principal).verdict == verdict
