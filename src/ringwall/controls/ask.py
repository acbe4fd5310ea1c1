"""Asking the evaluator, from a check, whether somebody may do something in the Estate that is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.iam.codec import request_from_json
from ringwall.iam.evaluate import decide

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.controls.context import CheckContext
    from ringwall.estate.model import Resource
    from ringwall.iam.request import Decision


def ask(
    context: CheckContext,
    principal: str,
    action: str,
    resource: str,
    keys: Mapping[str, str] | None = None,
    *,
    resource_account: str | None = None,
    endpoint: str | None = None,
) -> Decision:
    """The decision on one request, by all policies of the Estate that bear on it.

    Args:
        context: with the Estate's access.
        principal: ARN, or a service principal.
        action: ``service:Name``.
        resource: ARN.
        keys: context keys. A service that names a source account of the Estate names its organization as well.
        resource_account: owner of the resource; default: the judged account.
        endpoint: id of the VPC endpoint that the request comes through.
    """
    facts = dict(keys or {})
    source = context.observed.account(facts.get("aws:SourceAccount", ""))
    if source is not None and source.organization is not None:
        facts.setdefault("aws:SourceOrgID", source.organization)
    request = request_from_json(
        {
            "principal": principal,
            "action": action,
            "resource": resource,
            "resource_account": resource_account or context.account,
            "context": facts,
        }
    )
    bearing = context.access.policies(principal, resource=resource, action=action, endpoint=endpoint)
    return decide(request, bearing)


def unusable(
    context: CheckContext, key: Resource, service: str, action: str, keys: Mapping[str, str]
) -> str | None:
    """Why a service cannot use a key, as a clause: its state, else its policy; ``None`` = it can.

    A key that is disabled or on its way out does nothing, whatever its policy says
    (https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html).
    """
    state = str(key.get("KeyState", "Enabled"))
    if key.get("Enabled") is False or state != "Enabled":
        return f"it is {state if state != 'Enabled' else 'Disabled'}"
    decision = ask(context, service, action, context.identity(key, "Arn"), keys)
    return None if decision.allowed else words(decision)


def words(decision: Decision) -> str:
    """A decision as a clause: what denied it, or what would have had to allow it."""
    if decision.allowed:
        return "allowed"
    if decision.because:
        first = decision.because[0]
        return f"denied by statement {first.statement} of {first.policy}"
    return "not allowed by " + (
        " and ".join(item.replace("_", " ") for item in decision.missing) or "any policy"
    )
