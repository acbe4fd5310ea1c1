"""Only the declared models can be invoked.

## What it does

Attaches a service control policy that denies inference on everything but the declared models: their inference profiles
in the source Region, by exact ARN, and their foundation models in the Regions that may process a request. A second
statement denies running anything to every principal that is no role of a declared use, administrators included.

## Why

A model is a supplier: its terms, where it runs, how long it keeps traffic and what it was tested for differ from the
next one. An allow-list in each team's policy holds until a team writes `bedrock:*`. AWS enables every foundation model by
itself, in every account: that another model could be called is no failure here, that somebody could call it is.

## How it fails

- Only foundation model ARNs are listed: then every call through an inference profile is denied, since the profile is
  authorized as well.
- `foundation-model/*` in a role or an endpoint policy undoes the list, unless an organization policy holds it.
- Application inference profiles, imported, custom and marketplace models and prompt routers have ARNs of their own;
  exact ARNs leave them all out.
- The models are declared and the callers are not: every role with `bedrock:*` in the account invokes them.
- A model id that has reached its end of life is allowed and cannot be called.

## AWS sources

- https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/geographic-cross-region-inference.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.access.bearing import FULL_ACCESS
from ringwall.catalog import load
from ringwall.controls import principals
from ringwall.controls.claims import DeclaredClaim, never
from ringwall.controls.control import Control
from ringwall.controls.documents import unless
from ringwall.controls.findings import Status
from ringwall.controls.policies import RUN, approved, models
from ringwall.controls.proved import judge_claims
from ringwall.controls.verdicts import fail
from ringwall.iam.codec import request_to_json
from ringwall.iam.parser import parse_policy
from ringwall.iam.policy import PolicySet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringwall.controls.context import CheckContext
    from ringwall.controls.findings import Finding
    from ringwall.perimeter.model import Perimeter

SLUG = "models-restricted"


def claims(perimeter: Perimeter) -> Iterator[DeclaredClaim]:
    """No inference on another model, or by others than the declared uses."""
    exempt = unless(*perimeter.exempt_roles)
    yield never(
        "only-declared-models",
        SLUG,
        "Nobody invokes a model that is not declared",
        Action=list(RUN),
        NotResource=approved(perimeter),
        **({"Condition": exempt} if exempt else {}),
    )
    yield principals.only_declared(perimeter, SLUG)


def check(context: CheckContext) -> Iterable[Finding]:
    """Judge by the proof over the observed Estate, and by what organization policies hold without endpoints' help."""
    claimed = ("only-declared-models", "only-declared-principals")
    found = tuple(judge_claims(context, CONTROL, claimed, REMEDY))
    alone = _without_endpoints(context) if all(item.status is Status.PASS for item in found) else None
    return (alone,) if alone is not None else found


def _without_endpoints(context: CheckContext) -> Finding | None:
    """A failure where only an endpoint's policy keeps undeclared models away: it holds what passes through it."""
    from ringwall.proof.prove import prove  # noqa: PLC0415 - what only deploys loads no prover
    from ringwall.proof.question import Question  # noqa: PLC0415 - what only deploys loads no prover

    account = context.observed.account(context.account)
    levels = context.access.levels(account) if account is not None else None
    if context.perimeter is None or levels is None:
        return None
    everything = parse_policy(FULL_ACCESS, name="taken to allow everything")
    question = Question(
        id="only-declared-models",
        principal=None,
        policies=PolicySet(identity=(everything,), scp=levels),
        claim=next(iter(claims(context.perimeter))).claim,
        account=context.account,
    )
    answer = prove(question, load(), timeout=TIMEOUT)
    if answer.verdict != "violated":
        return None
    return fail(
        context,
        CONTROL,
        None,
        "nothing but the policy of a VPC endpoint keeps undeclared models away; organization policies allow them",
        REMEDY,
        confidence="proved",
        details={"witness": [request_to_json(request) for request in answer.witness]},
    )


REMEDY = "apply the declaration: ringwall apply (service control policy scp/models)"
TIMEOUT = 10.0


CONTROL = Control(
    slug=SLUG,
    title="Only the declared models can be invoked",
    category="IAM",
    severity="high",
    page=__doc__ or "",
    check=check,
    compile=models,
    claims=claims,
    types=("AWS::Organizations::Policy", "AWS::IAM::Role", "AWS::IAM::User", "AWS::EC2::VPCEndpoint"),
)
