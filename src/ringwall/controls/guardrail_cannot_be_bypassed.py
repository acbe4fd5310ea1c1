"""No inference without the pinned guardrail, whatever the caller's own policies allow.

## What it does

Attaches a service control policy that denies `bedrock:InvokeModel` and `bedrock:InvokeModelWithResponseStream` unless
the request carries a *numbered version* of the *pinned* guardrail, closes every way to a model that cannot carry a
guardrail (batch jobs, inline agents, flows, prompt optimization, `bedrock-mantle`, Claude Platform on AWS, ...), and
lets agents be invoked by their declared aliases alone. The check then proves over all requests that nobody gets round
it, and shows the request that does where somebody can.

## Why

A guardrail that is attached where the caller likes is a suggestion. `Converse` and its kin take the guardrail as a
parameter, so an application, or whoever stole its credentials, can leave it out, send a weaker one, or send the `DRAFT`
that somebody can edit. `RetrieveAndGenerate` and its relatives call models for the caller without a guardrail, so they
are closed too; use `Retrieve` and `Converse`.

## How it fails

- `Null: {"bedrock:GuardrailIdentifier": "true"}` accepts any guardrail, an empty one included.
- `bedrock:GuardrailArn` does not exist: a policy with it denies every call or none.
- A pattern `.../guardrail/ID*` includes the `DRAFT`; only `.../guardrail/ID:*` means numbered versions.
- `ForAnyValue:`, or `Null: {"bedrock:GuardrailIdentifier": "false"}` beside the comparison, lets a request without
  guardrail through; so does an Allow with `...IfExists`.
- The policy exists but is attached to nothing, or somebody is exempted by a path that anybody may create roles under.
- Service roles of agents and knowledge bases call models without a guardrail of the caller. Those that the declaration
  names under `service_roles` are exempt, by exact ARN; administrators alone may change or pass them, and the check
  fails if the trust policy of one admits anybody but Bedrock.

## AWS sources

- https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-permissions-id.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/inference-prereq.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.controls import names, siblings
from ringwall.controls.claims import DeclaredClaim, never
from ringwall.controls.control import Control
from ringwall.controls.policies import UNGUARDED_PATHS, guardrail
from ringwall.controls.proved import judge_claims, serves_bedrock_alone
from ringwall.controls.roles import INVOKE
from ringwall.controls.verdicts import fail, not_applicable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.controls.context import CheckContext
    from ringwall.controls.findings import Finding
    from ringwall.perimeter.model import Perimeter

SLUG = "guardrail-cannot-be-bypassed"


def claims(perimeter: Perimeter) -> Iterator[DeclaredClaim]:
    """No inference without the pinned guardrail, by any path."""
    pinned = names.pinned_guardrail(perimeter)
    condition: dict[str, Any] = {"StringNotLike": {"bedrock:GuardrailIdentifier": [pinned]}}
    exempt = names.service_roles(perimeter)
    yield never(
        "guardrail-always-pinned",
        SLUG,
        "Nobody invokes a model without a numbered version of the pinned guardrail",
        Action=list(INVOKE),
        Resource="*",
        Condition={**condition, **({"ArnNotLike": exempt} if exempt else {})},
    )
    yield never(
        "unguarded-paths-closed",
        SLUG,
        "Nobody runs a model by a path that cannot carry a guardrail",
        Action=[*UNGUARDED_PATHS, *siblings.closed(perimeter)],
        Resource="*",
    )
    yield from siblings.claims(perimeter)
    aliases = names.agent_aliases(perimeter)
    yield never(
        "only-declared-agents",
        SLUG,
        "Nobody invokes an agent but by a declared alias",
        Action="bedrock:InvokeAgent",
        **({"NotResource": aliases} if aliases else {"Resource": "*"}),
    )


def check(context: CheckContext) -> Iterator[Finding]:
    """Judge by the proofs over the observed Estate, and the exempt roles by whom they trust."""
    yield from judge_claims(
        context,
        CONTROL,
        ("guardrail-always-pinned", "unguarded-paths-closed", "only-declared-agents", *_of_siblings(context)),
        "apply the declaration: ringwall apply (service control policy scp/guardrail)",
    )
    yield from _opened(context)
    for role in context.perimeter.exempt_roles if context.perimeter is not None else ():
        entry = context.access.principal(role)
        if entry is not None and not serves_bedrock_alone(entry):
            yield fail(
                context,
                CONTROL,
                entry.resource,
                f"{role} is exempt as a service role, and others than Bedrock can assume it",
                "let its trust policy name bedrock.amazonaws.com alone, or take it from service_roles",
                name=role,
            )


def _of_siblings(context: CheckContext) -> tuple[str, ...]:
    """Claims about siblings that the declaration opens."""
    return tuple(claim.name for claim in siblings.claims(context.perimeter)) if context.perimeter else ()


def _opened(context: CheckContext) -> Iterator[Finding]:
    """Siblings that run models outside of guardrails: by declaration, so no failure, and never out of sight."""
    for name, sibling in context.perimeter.siblings.items() if context.perimeter is not None else ():
        if sibling.without_guardrail:
            yield not_applicable(
                context,
                CONTROL,
                f"the declaration opens {name} to {', '.join(sibling.uses)}: calls there carry no guardrail and are not "
                "in the invocation logs",
            )


CONTROL = Control(
    slug=SLUG,
    title="No inference without the pinned guardrail, whatever the caller's own policies allow",
    category="Guardrails",
    severity="critical",
    page=__doc__ or "",
    check=check,
    compile=guardrail,
    claims=claims,
    types=("AWS::Organizations::Policy", "AWS::IAM::Role", "AWS::IAM::User", "AWS::EC2::VPCEndpoint"),
)
