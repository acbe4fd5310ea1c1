"""Would the new service control policies stop the deployer itself? Asked before anything is written.

SCPs bind every principal of a member account, the deployer included; what they wrongly deny can only be undone from the
management account. So the deployer's own actions are evaluated against the service control policies of the plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ringwall.deploy.changes import Plan
from ringwall.deploy.plan import bound
from ringwall.errors import RingwallError
from ringwall.estate.aws import Aws
from ringwall.estate.kind import Kind
from ringwall.iam.codec import request_from_json
from ringwall.iam.evaluate import decide
from ringwall.iam.parser import parse_policy
from ringwall.iam.policy import Policy, PolicyLevel, PolicySet

SCP_TYPE = "AWS::Organizations::Policy"
_EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


class LockedOutError(RingwallError):
    """The declared service control policies deny the deployer what it needs to manage the perimeter."""


def require_not_locked_out(plan: Plan, aws: Aws, kinds: Mapping[str, Kind]) -> None:
    """Evaluate the deployer's actions under the service control policies that a plan has for its account.

    Every action that the plan's kinds need in that account is asked, on the resource that it is needed for.
    The management account's own actions are not: no SCP binds them.

    Raises:
        LockedOutError: some action would be denied; names the statements.
    """
    denied = tuple(lockouts(plan, aws, kinds))
    if denied:
        raise LockedOutError(
            f"The new service control policies would lock out {aws.caller}: {denied[0]}. "
            "Add the deployer's role or user to `administrators` in the declaration.",
            details=denied[1:],
        )


def lockouts(plan: Plan, aws: Aws, kinds: Mapping[str, Kind]) -> Iterator[str]:
    """What the deployer could not do any more, in words: one line for each of the statements that deny it."""
    policies = _scps(plan, aws.account)
    if not policies:
        return
    everything = parse_policy(_EVERYTHING, name="taken to allow everything")
    policy_set = PolicySet(
        identity=(everything,),
        scp=(PolicyLevel(aws.account, (everything, *policies)),),
    )
    denied: dict[str, list[str]] = {}
    for action, resource, region, carried in _needs(plan, kinds, aws.account):
        request = request_from_json(
            {
                "principal": aws.caller,
                "action": action,
                "resource": resource,
                "resource_account": aws.account,
                "context": _context(aws, region) | dict(carried),
            }
        )
        decision = decide(request, policy_set)
        if decision.outcome == "explicit_deny":
            by = ", ".join(f"{reason.policy}/{reason.statement}" for reason in decision.because)
            denied.setdefault(by, []).append(f"{action} on {resource}")
    for by, calls in denied.items():
        more = f" and {len(calls) - 1} more" if len(calls) > 1 else ""
        yield f"{calls[0]}{more} {'are' if more else 'is'} denied by {by}"


def _scps(plan: Plan, account: str) -> tuple[Policy, ...]:
    """The service control policies declared for an account, with real attributes where they are known."""
    found = []
    elsewhere = {item.id for item in plan.desired.accounts if item.id != account}
    for change in plan.changes:
        resource = change.resource
        if resource.type == SCP_TYPE and change.action != "delete" and resource.id in plan.attributes:
            complete = bound(resource, plan.attributes)
            targets = set(complete.get("TargetIds") or ())
            if targets and targets <= elsewhere:
                continue
            if complete.get("Type", "SERVICE_CONTROL_POLICY") == "SERVICE_CONTROL_POLICY":
                found.append(
                    parse_policy(complete.properties["Content"], name=str(complete.get("Name", resource.id)))
                )
    return tuple(found)


Need = tuple[str, str, str, tuple[tuple[str, str], ...]]
_CARRIED: Mapping[str, Mapping[str, str]] = {
    "Ringwall::Bedrock::DataRetention": {"bedrock:DataRetentionMode": "Mode"},
}
"""By type, condition keys that its writes carry, and the property whose value they have."""


def _needs(plan: Plan, kinds: Mapping[str, Kind], account: str) -> Iterator[Need]:
    """(action, resource ARN or ``*``, Region, context) of everything the deployer does in an account."""
    seen: set[Need] = set()
    for resource in plan.desired:
        kind = kinds[resource.type]
        if kind.scope == "organization" or resource.account != account:
            continue
        arn = plan.attributes.get(resource.id, {}).get("Arn", "*")
        keys = _CARRIED.get(resource.type, {})
        carried = tuple((key, str(resource.get(name))) for key, name in keys.items())
        for action in (*kind.permissions.read, *kind.permissions.write):
            need = (action, arn if action.split(":", 1)[0] in arn else "*", resource.region, carried)
            if need not in seen:
                seen.add(need)
                yield need


def _context(aws: Aws, region: str) -> dict[str, Any]:
    """What a deployer's request carries whatever it does."""
    return {
        "aws:RequestedRegion": "us-east-1" if region == "global" else region,
        "aws:SecureTransport": True,
        "aws:ViaAWSService": False,
        "aws:PrincipalIsAWSService": False,
        "aws:ResourceAccount": aws.account,
    }
