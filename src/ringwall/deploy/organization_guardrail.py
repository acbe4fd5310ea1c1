"""Before an organization's guardrail is enforced: it must be there, fit to be enforced, and shared with the account.

It belongs to the management account, and Ringwall does not make it. With a wrong identifier, without a policy of its own
that lets members apply it, or, evaluated across Regions, without one of its profile in each of them, every call of every
account under the policy's target fails (https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-enforcements.html,
https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-resource-based-policies.html). Who uses a guardrail that is
encrypted with a customer managed key needs ``kms:Decrypt`` with it
(https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-permissions-kms.html); that page does not say that enforced
guardrails are an exception, so they are taken to be none. So it is read through the
management role before anything is written; what cannot be read is no pass.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ringwall.controls import names
from ringwall.controls.enforcement import ORGANIZATION_POLICY
from ringwall.deploy.changes import Plan
from ringwall.deploy.enforcing import APPLY
from ringwall.errors import AwsCallError, RingwallError
from ringwall.estate.aws import Aws
from ringwall.estate.kinds.documents import document
from ringwall.estate.members import own_id
from ringwall.iam.codec import request_from_json
from ringwall.iam.evaluate import decide
from ringwall.iam.parser import parse_policy
from ringwall.iam.policy import Policy, PolicySet
from ringwall.perimeter.guardrail import OrganizationGuardrail
from ringwall.perimeter.model import Perimeter

GONE = "ResourceNotFoundException"
DECRYPT = "kms:Decrypt"
EVERYTHING = parse_policy(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
)
"""What the caller's own side is taken to allow: that is :mod:`ringwall.deploy.enforcing`'s question."""


class UnusableGuardrailError(RingwallError):
    """The plan enforces a guardrail of the organization with which every call would fail."""


def require_usable(plan: Plan, management: Aws, perimeters: Iterable[Perimeter]) -> None:
    """Refuse a plan that enforces a guardrail of the organization which cannot be applied.

    Raises:
        UnusableGuardrailError: names everything that is wrong with it. Nothing was written.
    """
    if not any(
        own_id(change.id) == ORGANIZATION_POLICY and change.action in ("create", "update", "replace")
        for change in plan.todo
    ):
        return
    found = list(
        dict.fromkeys(
            problem
            for perimeter in perimeters
            for problem in problems(management, perimeter, _path(plan, perimeter))
        )
    )
    if found:
        raise UnusableGuardrailError(
            f"Enforced for the organization, every call would fail: {found[0]}.", details=tuple(found[1:])
        )


def _path(plan: Plan, perimeter: Perimeter) -> str:
    """Where the account stands in the organization, as ``aws:PrincipalOrgPaths`` has it; empty where that is unknown."""
    account = plan.observed.account(perimeter.account)
    levels = account.levels[:-1] if account is not None else ()
    return "/".join((perimeter.organization.id, *levels, "")) if levels else ""


def problems(management: Aws, perimeter: Perimeter, path: str) -> Iterator[str]:
    """What keeps the declared account from applying the organization's guardrail, as far as its owner can tell."""
    declared = perimeter.enforcement.organization
    if declared is None:
        return
    arn, version = declared.guardrail, declared.version
    home = management.elsewhere(region=arn.split(":")[3])
    try:
        there = home.call("bedrock", "GetGuardrail", guardrailIdentifier=arn, guardrailVersion=version)
    except AwsCallError as error:
        yield f"version {version} of {arn} cannot be read: {error}"
        return
    yield from _unfit(there, declared)
    if declared.key is not None and there.get("kmsKeyArn") == declared.key:
        yield from _locked(home, declared.key, perimeter, path)
    for target in names.organization_guardrail(perimeter):
        yield from _unshared(management.elsewhere(region=target.split(":")[3]), target, perimeter, path)


def _unfit(there: Mapping[str, Any], declared: OrganizationGuardrail) -> Iterator[str]:
    if there.get("status") != "READY":
        yield f"{declared.guardrail} is {there.get('status')}"
    if (there.get("automatedReasoningPolicy") or {}).get("policies"):
        yield f"{declared.guardrail} has automated reasoning policies, which cannot be enforced"
    profile = (there.get("crossRegionDetails") or {}).get("guardrailProfileId")
    if profile != declared.profile:
        yield (
            f"{declared.guardrail} is evaluated by {profile or 'no profile'}: declare it as "
            f"enforcement.organization.profile, so that callers may use it"
            if profile
            else f"{declared.guardrail} has no profile: take enforcement.organization.profile away"
        )
    key = there.get("kmsKeyArn")
    if key != declared.key:
        yield (
            f"{declared.guardrail} is encrypted with {key}: declare it as enforcement.organization.key, so that callers may "
            "decrypt with it"
            if key
            else f"{declared.guardrail} is not encrypted with a key of yours: take enforcement.organization.key away"
        )


def _locked(aws: Aws, key: str, perimeter: Perimeter, path: str) -> Iterator[str]:
    """Whether the key's policy lets the account's principals decrypt through Bedrock."""
    try:
        policy = parse_policy(
            document(aws.call("kms", "GetKeyPolicy", KeyId=key, PolicyName="default")["Policy"])
        )
    except (AwsCallError, ValueError) as error:
        yield f"the policy of {key} cannot be read: {error}"
        return
    through = {
        "kms:ViaService": f"bedrock.{perimeter.regions.source}.amazonaws.com",
        "kms:CallerAccount": perimeter.account,
    }
    if not _lets(policy, DECRYPT, key, _member(perimeter, path) | through):
        yield (
            f"the policy of {key} does not let account {perimeter.account} decrypt with it through Bedrock; add "
            f"{json.dumps(decrypting(perimeter))}"
        )


def decrypting(perimeter: Perimeter) -> dict[str, Any]:
    """A statement that lets the organization's principals decrypt, through Bedrock alone."""
    return {
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": DECRYPT,
        "Resource": "*",
        "Condition": {
            "StringEquals": {
                "aws:PrincipalOrgID": perimeter.organization.id,
                "kms:ViaService": f"bedrock.{perimeter.regions.source}.amazonaws.com",
            }
        },
    }


def _unshared(aws: Aws, target: str, perimeter: Perimeter, path: str) -> Iterator[str]:
    """Whether the policy of the guardrail, or of its profile in a Region, lets the account's principals apply it."""
    needed = f"attach one with `aws bedrock put-resource-policy` as its owner: {json.dumps(sharing(target, perimeter))}"
    try:
        text = aws.call("bedrock", "GetResourcePolicy", resourceArn=target).get("resourcePolicy")
        policy = parse_policy(document(text)) if text else None
    except AwsCallError as error:
        if error.code != GONE:
            yield f"the policy of {target} cannot be read: {error}"
            return
        policy = None
    except ValueError as error:
        yield f"the policy of {target} cannot be read: {error}"
        return
    if policy is None:
        yield f"{target} has no policy that lets the organization apply it; {needed}"
        return
    if not _lets(policy, APPLY, target, _member(perimeter, path)):
        yield f"the policy of {target} does not let account {perimeter.account} apply it; {needed}"


def _member(perimeter: Perimeter, path: str) -> dict[str, Any]:
    """What requests of the declared account's principals carry."""
    return {
        "aws:PrincipalAccount": perimeter.account,
        "aws:PrincipalArn": perimeter.role_arn("any"),
        "aws:PrincipalOrgID": perimeter.organization.id,
        **({"aws:PrincipalOrgPaths": [path]} if path else {}),
    }


def _lets(policy: Policy, action: str, resource: str, context: Mapping[str, Any]) -> bool:
    """Whether a policy of the management account's resource lets a principal of the declared account do something."""
    asked = request_from_json(
        {
            "principal": context["aws:PrincipalArn"],
            "action": action,
            "resource": resource,
            "resource_account": resource.split(":")[4],
            "context": dict(context),
        }
    )
    return decide(asked, PolicySet(identity=(EVERYTHING,), resource=policy)).allowed


def sharing(target: str, perimeter: Perimeter) -> dict[str, Any]:
    """A policy that lets the organization apply a guardrail or its profile; AWS takes no other form."""
    actions = ["bedrock:ApplyGuardrail"]
    if ":guardrail/" in target:
        actions.append("bedrock:GetGuardrail")
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": actions,
        "Resource": target,
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": perimeter.organization.id}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}
