"""Nobody but the administrators can switch a control off.

## What it does

Attaches a service control policy by which nobody but the declared administrators can change the pinned guardrail (the
roles declared for guardrails may), Bedrock's account settings, the keys, the trail, the logs and their buckets, the
endpoints, the alarms, the perimeter's roles, the administrators themselves or, where the organization delegates its
policies, those policies, and nobody at all can take the account out of its organization. The check proves it over all principals and requests, row by row.

## Why

A control that its subject can switch off is a courtesy. `PutModelInvocationLoggingConfiguration`, `StopLogging`,
`UpdateGuardrail` and `ScheduleKeyDeletion` are each one call away for anybody with a broad policy, and the trace of it
ends with the call.

## How it fails

- The list protects guardrails and forgets the trail, the key that the logs need, or the alarm that would have told.
- Somebody who may write the trust policy of an administrator's role, or make access keys for an administrator, becomes
  one.
- Whoever may `iam:PassRole` a service role that the guardrail policy exempts can make an agent that invokes unguarded.
- `organizations:LeaveOrganization` takes the account out of the reach of every service control policy.
- Service control policies do not bind the management account: keep workloads and people out of it.

## AWS sources

- https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ringwall.controls.claims import DeclaredClaim, never
from ringwall.controls.control import Control
from ringwall.controls.policies import protect
from ringwall.controls.protection import Protected, protected
from ringwall.controls.proved import judge_claims

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringwall.controls.context import CheckContext
    from ringwall.controls.findings import Finding
    from ringwall.perimeter.model import Perimeter

SLUG = "controls-protected"


def claim_name(row: Protected) -> str:
    """``ProtectLogGroup`` -> ``protect-log-group``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", row.sid).lower()


def claims(perimeter: Perimeter) -> Iterator[DeclaredClaim]:
    """One claim for each row, so that a hole names what it opens."""
    for row in protected(perimeter):
        parts: dict[str, Any] = {"Action": list(row.actions), "Resource": list(row.resources)}
        if row.condition:
            parts["Condition"] = dict(row.condition)
        exempt = [*row.exempt(perimeter), *row.services]
        if exempt:
            parts["NotPrincipal"] = exempt
        who = "Nobody at all" if row.everybody else "Nobody but the administrators"
        who += " and its users" if row.users else ""
        yield never(claim_name(row), SLUG, f"{who} {row.title}", **parts)


def check(context: CheckContext) -> Iterable[Finding]:
    """Judge by the proofs over the observed Estate."""
    rows = tuple(claim_name(row) for row in protected(context.perimeter)) if context.perimeter else ()
    return judge_claims(
        context,
        CONTROL,
        rows,
        "apply the declaration: ringwall apply (service control policy scp/protect)",
    )


CONTROL = Control(
    slug=SLUG,
    title="Nobody but the administrators can switch a control off",
    category="IAM",
    severity="critical",
    page=__doc__ or "",
    check=check,
    compile=protect,
    claims=claims,
    types=("AWS::Organizations::Policy", "AWS::IAM::Role", "AWS::IAM::User"),
)
