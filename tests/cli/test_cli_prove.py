"""``ringwall prove``: the facts that proofs take for granted, and proofs without them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.command_line import QUICKSTART, ringwall
from ringwall.proof.axioms import AXIOMS

ROLE = "arn:aws:iam::111122223333:role/App"
ALLOW = {"Effect": "Allow", "Action": "bedrock:*", "Resource": "*"}
THROUGH = {
    "Effect": "Deny",
    "Action": "bedrock:*",
    "Resource": "*",
    "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}},
}
PUBLIC = {
    "never": {"Action": "bedrock:InvokeModel", "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}
}


@pytest.fixture
def questions(tmp_path: Path) -> str:
    """A question whose proof needs that no request through an endpoint has a public address, and one that needs nothing."""
    document = {"Version": "2012-10-17", "Statement": [ALLOW, THROUGH]}
    policies = {"identity": [{"name": "own", "document": document}]}
    asked = [
        {"id": "public", "principal": ROLE, "policies": policies, "claim": PUBLIC},
        {"id": "nothing", "principal": ROLE, "policies": {}, "claim": {"never": {"Action": "s3:GetObject"}}},
    ]
    path = tmp_path / "questions.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in asked), encoding="utf-8")
    return str(path)


def verdicts(out: str) -> dict[str, str]:
    return {answer["id"]: answer["verdict"] for answer in map(json.loads, out.splitlines())}


def test_axioms_are_listed_each_with_its_fact_and_source() -> None:
    done = ringwall("prove", "--axioms")
    assert done.code == 0
    for axiom in AXIOMS.values():
        assert f"{axiom.name}\n    {axiom.sentence}\n    {axiom.source}" in done.out
    listed = ringwall("prove", "--axioms", "--json").json
    assert [row["name"] for row in listed] == list(AXIOMS)
    assert all(row["fact"] and row["source"].startswith("https://docs.aws.amazon.com/") for row in listed)


def test_a_proof_without_an_axiom_that_it_needs_fails(questions: str) -> None:
    done = ringwall("prove", questions)
    assert (done.code, verdicts(done.out)) == (0, {"public": "holds", "nothing": "holds"})
    held = json.loads(done.out.splitlines()[0])
    assert "vpc-endpoint-keys" in held["axioms"]
    without = ringwall("prove", questions, "--without", "vpc-endpoint-keys")
    assert (without.code, verdicts(without.out)) == (2, {"public": "violated", "nothing": "holds"})
    assert "vpc-endpoint-keys" not in json.loads(without.out.splitlines()[1])["axioms"]


def test_an_axiom_that_a_proof_does_not_name_may_go(questions: str) -> None:
    held = json.loads(ringwall("prove", questions).out.splitlines()[0])
    spare = [part for name in AXIOMS if name not in held["axioms"] for part in ("--without", name)]
    assert spare
    done = ringwall("prove", questions, *spare)
    assert (done.code, verdicts(done.out)) == (0, {"public": "holds", "nothing": "holds"})


def test_an_axiom_that_is_none_is_refused() -> None:
    done = ringwall("prove", str(QUICKSTART), "--without", "vpc-endpoint")
    assert done.code == 1
    assert "There is no axiom 'vpc-endpoint'" in done.err
    assert "--axioms" in done.err


def test_the_declaration_s_claims_without_an_axiom() -> None:
    """Who takes aws:PrincipalArn for anything at all takes every role for an administrator."""
    held = {item["id"]: item for item in ringwall("prove", str(QUICKSTART), "--json").json}
    assert all(item["verdict"] == "holds" for item in held.values())
    assert held["protect-trail"]["without_axioms"] == "violated"
    assert held["guardrail-always-pinned"]["without_axioms"] == "holds"
    done = ringwall("prove", str(QUICKSTART), "--json", "--without", "principal-determines-keys")
    assert done.code == 2
    without = {item["id"]: item for item in done.json}
    assert without["protect-trail"]["verdict"] == "violated"
    assert without["protect-trail"]["witness"]
    assert without["guardrail-always-pinned"]["verdict"] == "holds"
    assert not any("principal-determines-keys" in item["axioms"] for item in without.values())


def test_what_holds_of_nothing_is_said_to(tmp_path: Path) -> None:
    """Converse is no action of IAM, so a claim about it speaks of no request."""
    path = tmp_path / "question.jsonl"
    asked = {"id": "q", "principal": ROLE, "policies": {}, "claim": {"never": {"Action": "bedrock:Converse"}}}
    path.write_text(json.dumps(asked), encoding="utf-8")
    done = ringwall("prove", str(path))
    assert (done.code, verdicts(done.out)) == (0, {"q": "holds"})
    assert json.loads(done.out)["vacuous"] is True
