"""What the quickstart's proofs rest on: without any statement of it somebody gets through, and the request replays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from proof.quickstart_world import questions
from ringwall.catalog import load
from ringwall.iam.evaluate import decide
from ringwall.iam.policy import Effect, Policy, PolicyLevel, PolicySet
from ringwall.iam.request import Reason
from ringwall.proof.axioms import AXIOMS
from ringwall.proof.prove import prove, verdict_without_axioms
from ringwall.proof.witness import speaks_of

CATALOG = load()


def resting_on(policies: PolicySet, reasons: Iterable[Reason]) -> PolicySet:
    """The policies without the Deny statements of SCPs and of the resource's policy that are not listed."""
    listed = {(reason.policy, reason.statement) for reason in reasons}

    def thin(policy: Policy) -> Policy:
        kept = [
            replace(one, sid=one.label)
            for one in policy.statements
            if one.effect is Effect.ALLOW or (policy.name, one.label) in listed
        ]
        numbered = tuple(replace(one, index=index) for index, one in enumerate(kept))
        return Policy(policy.name, policy.version, numbered)

    assert policies.scp is not None
    levels = tuple(PolicyLevel(level.target, tuple(map(thin, level.policies))) for level in policies.scp)
    return replace(policies, scp=levels, resource=thin(policies.resource) if policies.resource else None)


@pytest.mark.parametrize("name", sorted(questions()))
def test_every_statement_of_a_core_is_needed(name: str) -> None:
    question = questions()[name]
    answer = prove(question, CATALOG)
    assert answer.verdict == "holds"
    assert answer.because, "it holds without any statement"
    assert not answer.vacuous
    enough = replace(question, policies=resting_on(question.policies, answer.because))
    assert prove(enough, CATALOG).verdict == "holds"
    for reason in answer.because:
        policies = resting_on(question.policies, [one for one in answer.because if one != reason])
        weaker = prove(replace(question, policies=policies), CATALOG)
        assert weaker.verdict == "violated", reason
        (witness,) = weaker.witness
        assert decide(witness, policies, CATALOG).allowed
        assert not decide(witness, question.policies, CATALOG).allowed
        assert speaks_of(question.claim, witness)


@pytest.mark.parametrize("name", sorted(questions()))
def test_axioms_that_a_proof_does_not_name_it_does_without(name: str) -> None:
    question = questions()[name]
    named = prove(question, CATALOG).axioms
    spare = frozenset(AXIOMS) - frozenset(named)
    assert prove(replace(question, disabled_axioms=spare), CATALOG).verdict == "holds"


def test_a_proof_says_whether_it_needs_its_axioms() -> None:
    found = {
        name: verdict_without_axioms(question, prove(question, CATALOG), CATALOG)
        for name, question in questions().items()
    }
    assert "unknown" not in found.values()
    assert None not in found.values()
    # Exemptions are by aws:PrincipalArn: who takes that for anything at all takes the role for the administrator.
    assert found["protect-trail"] == "violated"
    assert found["guardrail-always-pinned"] == "holds"
