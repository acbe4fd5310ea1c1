"""What a violated claim teaches: the shortest witness, the layers it passes, and a change that is proved to close the hole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ringwall.access import Access
from ringwall.access.proving import Prover
from ringwall.access.remedies import Violation, remedy
from ringwall.access.teaching import learned, lesson
from ringwall.access.words import change_to_json
from ringwall.catalog import load
from ringwall.controls.claims import bind_claims, declared_claims
from ringwall.controls.compile import compile_estate
from ringwall.controls.proving import Proved
from ringwall.estate.references import placeholders
from ringwall.iam.codec import policies_from_json, request_from_json, request_to_json
from ringwall.iam.evaluate import decide
from ringwall.perimeter import load as load_perimeter
from ringwall.proof.answering import answer_document
from ringwall.proof.claims import claim_from_json
from ringwall.proof.codec import question_from_json
from ringwall.proof.prove import prove
from why.conftest import QUICKSTART

CATALOG = load()
ROLE = "arn:aws:iam::111122223333:role/App"
PINNED = "arn:aws:bedrock:us-east-1:111122223333:guardrail/abc123def456:*"
NEVER = {
    "never": {
        "Action": ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
        "Resource": "*",
        "Condition": {"StringNotLike": {"bedrock:GuardrailIdentifier": PINNED}},
    }
}
ALLOW = {"Effect": "Allow", "Action": "bedrock:*", "Resource": "*"}


def document(*statements: dict) -> dict:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def named(name: str, *statements: dict) -> dict:
    return {"name": name, "document": document(*statements)}


def deny(condition: dict, actions: object = ("bedrock:InvokeModel*",), **parts: object) -> dict:
    return {
        "Sid": "Pinned", "Effect": "Deny", "Action": list(actions), "Resource": "*", "Condition": condition, **parts,
    }  # fmt: skip


def scp(*statements: dict) -> list[dict]:
    full = named("FullAWSAccess", {"Effect": "Allow", "Action": "*", "Resource": "*"})
    return [{"target": "r-root", "policies": [full, named("guard", *statements)]}]


def question(claim: dict, **policies: object) -> dict:
    return {"id": "q", "principal": ROLE, "claim": claim, "policies": policies}


LIKE = {"bedrock:GuardrailIdentifier": PINNED}
HOLES = {
    # what is wrong: (policies, policy type of the fix, label of the statement that it replaces)
    "a set operator": ({"scp": scp(deny({"ForAnyValue:StringNotLike": LIKE}))}, "scp", "Pinned"),
    "a comparison beside Null": (
        {"scp": scp(deny({"StringNotLike": LIKE, "Null": {"bedrock:GuardrailIdentifier": "false"}}))},
        "scp",
        "Pinned",
    ),
    "a second guardrail": (
        {"scp": scp(deny({"StringNotLike": {"bedrock:GuardrailIdentifier": [PINNED, "*weak*"]}}))},
        "scp",
        "Pinned",
    ),
    "any guardrail will do": (
        {"scp": scp(deny({"Null": {"bedrock:GuardrailIdentifier": "true"}}))},
        "scp",
        "Pinned",
    ),
    "an action forgotten": (
        {"scp": scp(deny({"StringNotLike": LIKE}, ("bedrock:InvokeModel",)))},
        "scp",
        "Pinned",
    ),
    "a resource spared": (
        {
            "scp": scp(
                {
                    **{k: v for k, v in deny({"StringNotLike": LIKE}).items() if k != "Resource"},
                    "NotResource": ["arn:aws:bedrock:*::foundation-model/*", "arn:aws:s3:::b"],
                }
            )
        },
        "scp",
        None,
    ),
    "nothing at all": ({"scp": scp()}, "scp", None),
    "no organization": ({}, "identity", None),
    "a boundary": ({"permissions_boundary": [named("edge", ALLOW)]}, "permissions_boundary", None),
}


@pytest.mark.parametrize("name", HOLES)
def test_the_smallest_fix_closes_the_hole(name: str) -> None:
    policies, kind, replaces = HOLES[name]
    asked = question_from_json(question(NEVER, identity=[named("app", ALLOW)], **policies))
    answer = prove(asked, CATALOG)
    assert answer.verdict == "violated"
    found = lesson(asked, answer, CATALOG, timeout=10)
    (change,) = found.changes
    assert (change.policy_type, change.replaces) == (kind, replaces)
    # Proved once more, from the JSON of the change alone.
    repaired = with_change(
        question(NEVER, identity=[named("app", ALLOW)], **policies), found.to_json()["fix"][0]
    )
    again = question_from_json(repaired)
    assert prove(again, CATALOG).verdict == "holds"
    # What the claim does not forbid goes on being possible.
    meant = {"can": {"Action": "bedrock:InvokeModel", "Resource": "*", "Condition": {"StringLike": LIKE}}}
    assert prove(question_from_json({**repaired, "claim": meant}), CATALOG).verdict == "holds"


def with_change(asked: dict, change: dict) -> dict:
    """The question with a statement added or replaced, as somebody would who reads the JSON."""
    policies = asked["policies"]
    listed = policies[change["policy_type"]]
    if change["policy_type"] == "scp":
        listed = next(level["policies"] for level in listed if level["target"] == change["target"])
    if change["policy"] is None:
        listed.append(named("new", change["statement"]))
    for policy in listed:
        if policy["name"] == change["policy"]:
            statements = policy["document"]["Statement"]
            kept = [
                one for one in statements if not change["replaces"] or one.get("Sid") != change["replaces"]
            ]
            policy["document"] = document(*kept, change["statement"])
    return asked


def test_the_trace_names_what_lets_through_and_what_came_near() -> None:
    asked = question_from_json(
        question(NEVER, identity=[named("app", ALLOW)], scp=scp(deny({"ForAnyValue:StringNotLike": LIKE})))
    )
    told = lesson(asked, prove(asked, CATALOG), CATALOG, timeout=10).to_json()
    (passage,) = told["trace"]
    layers = {layer["policy_type"]: layer for layer in passage["layers"]}
    assert layers["identity"]["allowed_by"] == [{"policy": "app", "target": None, "statement": "0"}]
    assert layers["identity"]["near"] == []
    (near,) = layers["scp"]["near"]
    assert (near["policy"], near["target"], near["statement"]) == ("guard", "r-root", "Pinned")
    assert near["failed"][0]["operator"] == "ForAnyValue:StringNotLike"
    assert not layers["session"]["bears"]


def test_a_denied_use_gets_what_it_lacks() -> None:
    can = {
        "can": {"Action": "bedrock:InvokeModel", "Resource": "arn:aws:bedrock:us-east-1::foundation-model/m"}
    }
    asked = question_from_json(question(can, identity=[]))
    told = lesson(asked, prove(asked, CATALOG), CATALOG, timeout=10).to_json()
    (passage,) = told["trace"]
    assert passage["decision"] == "implicit_deny"
    (change,) = told["fix"]
    assert change["statement"] == {
        "Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "arn:aws:bedrock:us-east-1::foundation-model/m",
    }  # fmt: skip


def test_what_holds_teaches_nothing() -> None:
    asked = question_from_json(question(NEVER, identity=[]))
    assert lesson(asked, prove(asked, CATALOG), CATALOG, timeout=10).to_json() == {"trace": None, "fix": None}


def test_a_fix_that_is_not_proved_in_time_is_not_offered() -> None:
    asked = question_from_json(question(NEVER, identity=[named("app", ALLOW)], scp=scp()))
    violation = Violation(asked, prove(asked, CATALOG), asked.claim)
    assert remedy(violation, CATALOG, timeout=0) == ()


def test_the_witness_carries_what_it_needs_and_no_more() -> None:
    condition = {
        "StringEquals": {"aws:PrincipalTag/team": ["a-very-long-name", "b"]},
        "Bool": {"aws:SecureTransport": "true"},
    }
    asked = question(
        NEVER,
        identity=[
            named(
                "app", {**ALLOW, "Condition": condition}, deny({"StringLike": {"aws:SourceVpce": "vpce-*"}})
            )
        ],
    )
    answer = answer_document(asked, CATALOG)
    context = answer["witness"]["context"]
    assert set(context) - {"aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:resourceaccount"} == {
        "aws:principaltag/team", "aws:securetransport", "aws:principalisawsservice",
    }  # fmt: skip
    request, policies = request_from_json(answer["witness"]), policies_from_json(asked["policies"])
    assert decide(request, policies, CATALOG).allowed
    for key in ("aws:principaltag/team", "aws:securetransport"):
        fewer = {name: value for name, value in request_to_json(request)["context"].items() if name != key}
        shorter = request_from_json({**request_to_json(request), "context": fewer})
        assert not decide(shorter, policies, CATALOG).allowed


# -- over an Estate --------------------------------------------------------------------------------------------------


def broken(quickstart: Access, policy: str, sid: str | None) -> Access:
    """The quickstart without a statement of a service control policy, or without the whole policy."""

    def without(resource):
        if resource.id != policy:
            return resource
        content = resource.get("Content")
        kept = [one for one in content["Statement"] if sid is not None and one["Sid"] != sid]
        properties = {**resource.properties, "Content": {**content, "Statement": kept}}
        return replace(resource, properties=properties)

    listed = [without(one) for one in quickstart.estate if one.id != policy or sid is not None]
    return Access(quickstart.estate.with_resources(listed))


@pytest.mark.parametrize(
    ("policy", "sid", "claim"),
    [
        ("scp/guardrail", "RequirePinnedGuardrail", "guardrail-always-pinned"),
        ("scp/guardrail", "CloseUnguardedPaths", "unguarded-paths-closed"),
        ("scp/api-keys", None, "no-api-keys-used"),
        ("scp/network", "RuntimeOnlyThroughEndpoint", "only-through-endpoint-bedrock-runtime"),
        ("scp/protect", "ProtectTrail", "protect-trail"),
        ("scp/protect", "ProtectKeys", "protect-keys"),
        ("scp/protect", "ProtectBuckets", "protect-buckets"),
        ("scp/models", "OnlyDeclaredPrincipals", "only-declared-principals"),
        ("scp/protect", "DecryptGuardrail", "decrypt-guardrail"),
        ("scp/protect", "DecryptTrail", "decrypt-trail"),
        ("scp/protect", "DecryptRecords", "decrypt-records"),
    ],
)
def test_what_is_taken_out_of_the_perimeter_is_what_the_fix_puts_back(
    quickstart: Access, policy: str, sid: str | None, claim: str
) -> None:
    perimeter = load_perimeter(QUICKSTART)
    declared = {
        one.name: one
        for one in bind_claims(declared_claims(perimeter), placeholders(compile_estate(perimeter)))
    }
    prover = Prover(broken(quickstart, policy, sid), perimeter.account, CATALOG)
    answer = prover.prove(declared[claim].claim)
    assert answer.verdict == "violated"
    assert answer.violation is not None
    for request, policies in answer.violation.requests:
        assert decide(request, policies, CATALOG).allowed
    uses = [(one.claim, one.call("us-east-1")) for one in declared.values() if one.kind == "can"]
    (change,) = prover.remedy(answer, keeping=uses)
    assert change.policy_type == "scp"
    assert change.statement is not None
    assert change.statement["Effect"] == "Deny"
    exempt = declared[claim].claim.not_principals
    if exempt is not None:  # nobody who may is locked out
        assert set(change.statement["Condition"]["ArnNotLike"]) == {"aws:PrincipalArn"}
    told = Proved(declared[claim], answer, learned(answer.violation, (change,), CATALOG)).to_json()
    assert told["fix"] == [change_to_json(change)]
    assert all(layer["bears"] or not layer["allowed_by"] for layer in told["trace"][0]["layers"])


GRANTS = {
    # who is let in, by which property of which resource: (type of the resource, property, statement, who gets through)
    "a foreign account into a bucket": (
        "AWS::S3::BucketPolicy",
        "PolicyDocument",
        {"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "s3:GetObject", "Resource": "*"},
        "any other account",
    ),
    "everybody into a bucket": (
        "AWS::S3::BucketPolicy",
        "PolicyDocument",
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*",
         "Condition": {"StringEquals": {"s3:ExistingObjectTag/public": "yes"}}},
        "an anonymous caller",
    ),
    "everybody to a key": (
        "AWS::KMS::Key",
        "KeyPolicy",
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:Decrypt", "Resource": "*"},
        "any other account",
    ),
    "a foreign account into a role": (
        "AWS::IAM::Role",
        "AssumeRolePolicyDocument",
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole"},
        "any other account",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GRANTS)
def test_who_lets_strangers_in_is_told_with_what_keeps_them_out(quickstart: Access, name: str) -> None:
    kind, where, grant, who = GRANTS[name]
    target = next(one for one in quickstart.estate.of_type(kind))

    def opened(resource):
        if resource is not target:
            return resource
        policy = resource.get(where)
        wider = {**policy, "Statement": [*policy["Statement"], grant]}
        return replace(resource, properties={**resource.properties, where: wider})

    perimeter = load_perimeter(QUICKSTART)
    claims = bind_claims(declared_claims(perimeter), placeholders(compile_estate(perimeter)))
    claim = next(one.claim for one in claims if one.name == "nobody-outside-organization")
    assert Prover(quickstart, perimeter.account, CATALOG).prove(claim).verdict == "holds"
    open_ = Access(quickstart.estate.with_resources(map(opened, quickstart.estate)))
    prover = Prover(open_, perimeter.account, CATALOG)
    answer = prover.prove(claim)
    assert answer.verdict == "violated"
    assert who in [exposure.actor.label for exposure in answer.exposures]
    assert all(exposure.actor.kind in ("outside", "anonymous") for exposure in answer.exposures)
    (change,) = prover.remedy(answer)
    assert change.policy_type == "resource"


def test_a_change_that_locks_a_use_out_is_no_fix(quickstart: Access) -> None:
    """A claim that forbids what a use is for can be made to hold, but not without harm."""
    perimeter = load_perimeter(QUICKSTART)
    claims = bind_claims(declared_claims(perimeter), placeholders(compile_estate(perimeter)))
    prover = Prover(quickstart, perimeter.account, CATALOG)
    answer = prover.prove(claim_from_json({"never": {"Action": "bedrock:InvokeModel"}}))
    assert answer.verdict == "violated"
    uses = [(one.claim, one.call("us-east-1")) for one in claims if one.kind == "can"]
    assert prover.remedy(answer)
    assert prover.remedy(answer, keeping=uses) == ()
