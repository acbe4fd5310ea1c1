"""What a proof over the whole quickstart rests on: enough by itself, and without any statement of it somebody gets through."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ringwall.access.resting import Resting
from ringwall.iam.evaluate import decide
from why.test_why_sweep import CATALOG, INTACT, RESTING, claims, proofs, prover


@pytest.mark.parametrize("name", RESTING)
def test_every_statement_that_a_proof_rests_on_is_needed(name: str) -> None:
    answer = proofs()[name].answer
    claim = claims()[name].claim
    over = prover(INTACT)
    assert answer.because
    alone = Resting.on(answer.because)
    assert replace(over, amendments=(alone,), first=True).prove(claim).verdict == "holds"
    for reason in answer.because:
        rest = Resting.on(one for one in answer.because if one != reason)
        found = replace(over, amendments=(rest,), first=True).prove(claim)
        assert found.verdict == "violated", reason
        assert found.violation is not None
        (witness,) = found.violation.answer.witness
        assert decide(witness, found.violation.question.policies, CATALOG).allowed
