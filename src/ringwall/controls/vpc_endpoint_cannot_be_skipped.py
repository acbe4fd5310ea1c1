"""Bedrock cannot be called but through the perimeter's endpoints.

## What it does

Attaches a service control policy that denies inference, guardrail evaluation, retrieval and agents unless the request
came through the perimeter's own VPC endpoint for that service (`aws:SourceVpce`).

## Why

An endpoint opens a private way; it closes none. Credentials that leak work from anywhere on the internet until a policy
asks which way the request came.

## How it fails

- `ForAnyValue:StringNotEquals`, or `Null: {"aws:SourceVpce": "false"}` beside the comparison, lets every request through
  that came over the public network: the key is absent there. (`StringNotEqualsIfExists` denies it, as does the plain
  `StringNotEquals`; an Allow with `StringEqualsIfExists` lets it through.)
- `aws:SourceVpc` admits any endpoint of the VPC, also one with a full-access policy that somebody adds later.
- An exemption for `aws:ViaAWSService` lets `RetrieveAndGenerate` call models from anywhere; there is none here, and
  nothing that the declaration offers needs one.
- An endpoint that is replaced has a new id; the policy must follow, which deployment sees to.

## AWS sources

- https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/vpc-interface-endpoints.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.controls.claims import DeclaredClaim, never
from ringwall.controls.control import Control
from ringwall.controls.documents import unless
from ringwall.controls.policies import ROUTES, network, routes, skipped
from ringwall.controls.proved import judge_claims

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringwall.controls.context import CheckContext
    from ringwall.controls.findings import Finding
    from ringwall.perimeter.model import Perimeter

SLUG = "vpc-endpoint-cannot-be-skipped"


def claims(perimeter: Perimeter) -> Iterator[DeclaredClaim]:
    """No call by another way."""
    for service, _, actions in routes(perimeter):
        condition = {**skipped(perimeter, service), **unless(*perimeter.exempt_roles)}
        yield never(
            f"only-through-endpoint-{service}",
            SLUG,
            f"Nobody calls {service} but through its VPC endpoint",
            Action=list(actions),
            Resource="*",
            **({"Condition": condition} if condition else {}),
        )


def check(context: CheckContext) -> Iterable[Finding]:
    """Judge by the proofs over the observed Estate."""
    held = ROUTES if context.perimeter is None else tuple(routes(context.perimeter))
    return judge_claims(
        context,
        CONTROL,
        tuple(f"only-through-endpoint-{service}" for service, _, _ in held),
        "apply the declaration: ringwall apply (service control policy scp/network)",
    )


CONTROL = Control(
    slug=SLUG,
    title="Bedrock cannot be called but through the perimeter's endpoints",
    category="Network",
    severity="high",
    page=__doc__ or "",
    check=check,
    compile=network,
    claims=claims,
    types=("AWS::Organizations::Policy", "AWS::IAM::Role", "AWS::IAM::User", "AWS::EC2::VPCEndpoint"),
)
