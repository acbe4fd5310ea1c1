"""How long proofs take: that nobody invokes without a guardrail, and the quickstart's claims over its Estate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from timing import Row, measure

from ringwall.catalog import load as catalog
from ringwall.controls.compile import compile_estate
from ringwall.controls.proving import prove_declared
from ringwall.estate.references import bind, placeholders
from ringwall.iam.parser import parse_policy
from ringwall.iam.policy import PolicySet
from ringwall.perimeter import load
from ringwall.proof.claims import claim_from_json
from ringwall.proof.prove import prove
from ringwall.proof.question import Question

QUICKSTART = Path(__file__).resolve().parents[1] / "examples/quickstart/ringwall.yaml"
ROLE = "arn:aws:iam::111122223333:role/App"
GUARDRAIL = "arn:aws:bedrock:us-east-1:111122223333:guardrail/abcdefghijkl"
SIZES = (10, 200, 1000)
TIMEOUT = 10.0
"""Seconds: what a proof may take at most, by contract."""


def rows() -> Iterator[Row]:
    """Every row about proofs."""
    for size in SIZES:
        yield Row(f"no InvokeModel without the guardrail, {size} statements", measure(claim(size)), TIMEOUT)
    yield Row("every claim of the quickstart, compiled before", measure(quickstart(), seconds=2))


def claim(size: int) -> Callable[[], Any]:
    """A proof over a policy of that many statements: allows of single models, and one deny that holds them."""
    deny = {
        "Effect": "Deny",
        "Action": ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
        "Resource": "*",
        "Condition": {"ArnNotLike": {"bedrock:GuardrailIdentifier": f"{GUARDRAIL}:*"}},
    }
    allows = [
        {
            "Effect": "Allow",
            "Action": "bedrock:Invoke*",
            "Resource": f"arn:aws:bedrock:*::foundation-model/vendor{number}.model-*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": ["us-east-1", f"eu-west-{number % 3}"]}},
        }
        for number in range(size - 1)
    ]
    policy = parse_policy({"Version": "2012-10-17", "Statement": [*allows, deny]}, name="app")
    body = {"Action": "bedrock:InvokeModel", "Condition": {"Null": {"bedrock:GuardrailIdentifier": "true"}}}
    question = Question("bench", ROLE, PolicySet(identity=(policy,)), claim_from_json({"never": body}))
    vocabulary = catalog()

    def call() -> Any:
        answer = prove(question, vocabulary)
        if answer.verdict != "holds":
            raise AssertionError("the benchmark's claim must hold")

    return call


def quickstart() -> Callable[[], Any]:
    """Every claim of the quickstart over its desired Estate."""
    perimeter = load(QUICKSTART)
    desired = compile_estate(perimeter)
    attributes = placeholders(desired)
    bound, vocabulary = bind(desired, attributes), catalog()
    return lambda: list(prove_declared(perimeter, bound, attributes, vocabulary))
