"""Whom a resource's policy lets in within its own account without a word of IAM's.

There a resource's policy is enough: whoever it names needs no identity policy of their own
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html). A policy that names the account
gives nothing by itself; it leaves it to IAM.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ringwall.controls.outsiders import tried
from ringwall.iam.evaluate import decide
from ringwall.iam.policy import Effect

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from ringwall.controls.context import CheckContext
    from ringwall.iam.policy import Policy

ANY_PRINCIPAL = "Undeclared"
"""Name of a role that stands for any of the account's."""


def insiders(
    context: CheckContext, policy: Policy, targets: Mapping[str, str], allowed: AbstractSet[str]
) -> Iterator[str]:
    """What the policy by itself gives principals of the account, in words.

    Args:
        context: the Estate.
        policy: the resource's own.
        targets: action to the ARN that it is tried on.
        allowed: ARNs of principals that are meant to be let in.
    """
    anyone = f"arn:{context.partition}:iam::{context.account}:role/{ANY_PRINCIPAL}"
    own = f":{context.account}:"
    named = dict.fromkeys(
        arn
        for statement in policy.statements
        if statement.effect is Effect.ALLOW and statement.principal is not None
        for arn in statement.principal.aws
        if own in arn and not arn.endswith(":root")
    )
    for principal, words in ((anyone, "any principal of the account"), *((arn, arn) for arn in named)):
        if principal in allowed:
            continue
        done = [action for action, arn in targets.items() if _given(context, policy, principal, action, arn)]
        if done:
            yield f"{words} can {', '.join(done)}"


def _given(context: CheckContext, policy: Policy, principal: str, action: str, arn: str) -> bool:
    own = context.observed.account(context.account)
    keys = {"aws:PrincipalAccount": context.account, "aws:SecureTransport": "true"}
    if own is not None and own.organization is not None:
        keys["aws:PrincipalOrgID"] = own.organization
    request = tried(context, principal, keys, action, arn)
    bearing = replace(
        context.access.policies(principal, resource=arn, action=action), identity=(), resource=policy
    )
    if context.unread("AWS::Organizations::Policy") is not None:
        bearing = replace(bearing, scp=None)  # what could not be read holds nobody
    return decide(request, bearing).allowed
