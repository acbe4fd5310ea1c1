"""What AWS adds to Organizations over moto: who may call, policy checks, and defaults that stay attached.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ringwall.sandbox import documents, effective, places, state
from ringwall.sandbox.call import AwsError, Output
from ringwall.sandbox.hooks import ANY, Hooks

if TYPE_CHECKING:
    from ringwall.sandbox.backend import Reply
    from ringwall.sandbox.turn import Turn

_FROM_MEMBERS = frozenset({"DescribeOrganization", "DescribeEffectivePolicy", "LeaveOrganization"})
_KINDS = {"SERVICE_CONTROL_POLICY": documents.SCP, "RESOURCE_CONTROL_POLICY": documents.RCP}
_MAX_ATTACHED = {"SERVICE_CONTROL_POLICY": 10, "RESOURCE_CONTROL_POLICY": 5, "BEDROCK_POLICY": 10}
"""Policies of one type that a target may have."""
_MAX_BEDROCK = 10_000
_DEFAULT_RCP = "p-RCPFullAWSAccess"


def _malformed(message: str) -> AwsError:
    return AwsError(
        "MalformedPolicyDocumentException",
        f"The provided policy document does not meet the requirements of the specified policy type. {message}",
    )


def _constraint(reason: str, message: str) -> AwsError:
    return AwsError("ConstraintViolationException", message, 400, {"Reason": reason})


def _as_management(turn: Turn) -> None:
    """Only the management account may call, and the organization's state is its own."""
    if turn.call.account != places.MANAGEMENT and turn.call.operation not in _FROM_MEMBERS:
        raise AwsError("AccessDeniedException", "You don't have permissions to access this resource.")
    turn.owner = places.MANAGEMENT


def _store(turn: Turn) -> Any:
    return turn.gateway.moto.store("organizations", places.MANAGEMENT)


def _policy(turn: Turn) -> Any:
    name = turn.parameters.get("PolicyId")
    return next((item for item in _store(turn).policies if item.id == name), None)


def _check_content(text: Any, type_: str) -> None:
    if type_ == effective.BEDROCK:
        _check_bedrock(text)
        return
    kind = _KINDS.get(type_)
    if kind is None:
        return
    try:
        policy = documents.check(text, kind, _malformed)
    except documents.TooLargeError as error:
        message = f"You have exceeded the maximum policy size of {error.limit} characters."
        raise _constraint("POLICY_CONTENT_LIMIT_EXCEEDED", message) from error
    if type_ == "RESOURCE_CONTROL_POLICY" and any(item.effect.value != "Deny" for item in policy.statements):
        raise _malformed("Resource control policies only support the Deny effect.")
    if type_ == "RESOURCE_CONTROL_POLICY":
        for statement in policy.statements:
            if statement.principal is None or not (
                statement.principal.anyone or "*" in statement.principal.aws
            ):
                raise _malformed("Resource control policies only support the Principal '*'.")


def _check_bedrock(text: Any) -> None:
    if len(str(text)) > _MAX_BEDROCK:
        message = f"You have exceeded the maximum policy size of {_MAX_BEDROCK} characters."
        raise _constraint("POLICY_CONTENT_LIMIT_EXCEEDED", message)
    try:
        document = json.loads(text)
    except ValueError as error:
        raise _malformed(str(error)) from error
    effective.check_bedrock(document, places.MANAGEMENT, _malformed)


def _describe_effective(turn: Turn) -> Output:
    """The merged policy of an account; a member may ask for its own."""
    type_ = str(turn.parameters.get("PolicyType"))
    target = turn.parameters.get("TargetId") or turn.call.account
    if turn.call.account not in (places.MANAGEMENT, target):
        raise AwsError("AccessDeniedException", "You don't have permissions to access this resource.")
    if not any(account.id == target for account in turn.gateway.views.now().estate.accounts):
        raise AwsError("TargetNotFoundException", "You specified a target that doesn't exist.")
    content = turn.gateway.views.now().effective_policy(type_, target)
    if content is None:
        message = "If you ran this action on the management account, this policy type is not enabled."
        raise AwsError("EffectivePolicyNotFoundException", message)
    return Output(
        {
            "EffectivePolicy": {
                "PolicyContent": json.dumps(content),
                "LastUpdatedTimestamp": turn.call.time,
                "TargetId": target,
                "PolicyType": type_,
            }
        }
    )


def _create_policy(turn: Turn) -> None:
    _check_content(turn.parameters.get("Content"), str(turn.parameters.get("Type")))


def _update_policy(turn: Turn) -> None:
    with turn.gateway.moto.locked():
        policy = _policy(turn)
    if policy is not None:
        if policy.aws_managed:
            raise AwsError("PolicyChangesInProgressException", "AWS managed policies cannot be modified.")
        if "Content" in turn.parameters:
            _check_content(turn.parameters["Content"], policy.type)


def _attach(turn: Turn) -> None:
    with turn.gateway.moto.locked():
        policy = _policy(turn)
        if policy is None:
            return
        if policy.type not in state.enabled_policy_types(turn.gateway.moto):
            message = "The specified policy type isn't enabled on this root."
            raise AwsError("PolicyTypeNotEnabledException", message)
        target = turn.parameters["TargetId"]
        if any(item.id == target for item in policy.attachments):
            message = "A policy with the specified name is already attached to the specified target."
            raise AwsError("DuplicatePolicyAttachmentException", message)
        attached = [item for item in _attached(turn, target) if item.type == policy.type]
        if len(attached) >= _MAX_ATTACHED.get(policy.type, 10):
            message = "You have attached the maximum number of policies to this target."
            raise _constraint("MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", message)


def _attached(turn: Turn, target: str) -> list[Any]:
    return [item for item in _store(turn).policies if any(found.id == target for found in item.attachments)]


def _detach(turn: Turn) -> None:
    with turn.gateway.moto.locked():
        policy, target = _policy(turn), turn.parameters["TargetId"]
        if policy is None:
            return
        if not any(item.id == target for item in policy.attachments):
            message = "The specified policy isn't attached to the specified target."
            raise AwsError("PolicyNotAttachedException", message)
        if policy.id == _DEFAULT_RCP:
            raise _constraint(
                "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", "RCPFullAWSAccess can't be detached."
            )
        same = [item for item in _attached(turn, target) if item.type == policy.type]
        if policy.type == "SERVICE_CONTROL_POLICY" and len(same) == 1:
            message = "You can't remove the last SCP from this target; at least one must stay attached."
            raise _constraint("MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", message)


def _delete_policy(turn: Turn) -> None:
    with turn.gateway.moto.locked():
        policy = _policy(turn)
    if policy is not None and policy.attachments:
        raise AwsError("PolicyInUseException", "The policy is attached to one or more entities.")


def _attach_defaults(turn: Turn, reply: Reply) -> None:
    """While RCPs are on, RCPFullAWSAccess is attached to everything."""
    del reply
    if "RESOURCE_CONTROL_POLICY" not in state.enabled_policy_types(turn.gateway.moto):
        return
    with turn.gateway.moto.locked():
        store = _store(turn)
        policy = next(item for item in store.policies if item.id == _DEFAULT_RCP)
        have = {item.id for item in policy.attachments}
        missing = [item.id for item in (*store.ou, *store.accounts) if item.id not in have]
        for target in missing:
            store.attach_policy(PolicyId=_DEFAULT_RCP, TargetId=target)


ORGANIZATIONS = Hooks(
    prepare={("organizations", ANY): _as_management},
    before={
        ("organizations", "CreatePolicy"): _create_policy,
        ("organizations", "UpdatePolicy"): _update_policy,
        ("organizations", "AttachPolicy"): _attach,
        ("organizations", "DetachPolicy"): _detach,
        ("organizations", "DeletePolicy"): _delete_policy,
    },
    after={
        ("organizations", "EnablePolicyType"): _attach_defaults,
        ("organizations", "CreateAccount"): _attach_defaults,
        ("organizations", "CreateOrganizationalUnit"): _attach_defaults,
    },
    instead={("organizations", "DescribeEffectivePolicy"): _describe_effective},
)
