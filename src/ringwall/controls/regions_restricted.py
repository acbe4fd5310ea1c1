"""Requests are processed in the declared Regions only.

## What it does

Attaches a service control policy that keeps Bedrock and its siblings in the source Region, and lets inference leave it
only through the declared profiles and only to the declared destinations. Global routing, whose requests are authorized
with `aws:RequestedRegion` = `unspecified`, is denied unless the declaration says `residency: global`; in-region
residency forbids profiles altogether.

## Why

The Region of a client is not the place of processing: a `us.` profile may run a request in any Region of its geography,
a `global.` one anywhere. What leaves the Region leaves with the prompt in it.

## How it fails

- A plain region deny on `bedrock:*` breaks every geographic profile: each destination is authorized with its own
  `aws:RequestedRegion`.
- It covers one prefix of six: `bedrock-mantle`, `bedrock-agentcore`, `bedrock-websearch`, `agent-registry` and
  `aws-external-anthropic` have names of their own.
- `unspecified` is on the list of allowed Regions to make an error go away: then anything goes anywhere.
- A guardrail has a profile of its own, and is evaluated, prompts and answers, in the Regions of that profile.
- The policy is attached to nothing, or its `NotAction` exempts `bedrock:*`.

## AWS sources

- https://docs.aws.amazon.com/bedrock/latest/userguide/geographic-cross-region-inference.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-cross-region-support.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.controls.claims import DeclaredClaim, never
from ringwall.controls.control import Control
from ringwall.controls.guardrail_routes import guardrail_routes
from ringwall.controls.policies import REGIONAL, RUN, SIBLINGS, processing, regions
from ringwall.controls.proved import judge_claims

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.controls.context import CheckContext
    from ringwall.controls.findings import Finding
    from ringwall.perimeter.model import Perimeter

SLUG = "regions-restricted"


def claims(perimeter: Perimeter) -> Iterator[DeclaredClaim]:
    """No processing elsewhere, no other way in."""
    yield never(
        "only-declared-regions",
        SLUG,
        "Nobody has a request processed outside the declared Regions",
        Action=list(RUN),
        Resource="*",
        Condition={"StringNotEquals": {"aws:RequestedRegion": processing(perimeter)}},
    )
    yield never(
        "only-source-region",
        SLUG,
        "Nobody uses Bedrock or its siblings outside the source Region, but to read",
        Action=[*REGIONAL, *SIBLINGS],
        Resource="*",
        Condition={"StringNotEquals": {"aws:RequestedRegion": [perimeter.regions.source]}},
    )


def check(context: CheckContext) -> Iterator[Finding]:
    """Judge by the proofs over the observed Estate, then where guardrails are evaluated."""
    yield from judge_claims(
        context,
        CONTROL,
        ("only-declared-regions", "only-source-region"),
        "apply the declaration: ringwall apply (service control policy scp/regions)",
    )
    yield from guardrail_routes(context, CONTROL)


CONTROL = Control(
    slug=SLUG,
    title="Requests are processed in the declared Regions only",
    category="IAM",
    severity="high",
    page=__doc__ or "",
    check=check,
    compile=regions,
    claims=claims,
    types=("AWS::Organizations::Policy", "AWS::IAM::Role", "AWS::IAM::User", "AWS::Bedrock::Guardrail"),
)
