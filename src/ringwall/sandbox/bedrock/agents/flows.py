"""Flows: made, changed, prepared, shown.

A flow under a customer managed key is encrypted and decrypted in the name of each caller, with its ARN as encryption
context, so the key has its say over who reads and runs it.

https://docs.aws.amazon.com/bedrock/latest/userguide/flows.html
https://docs.aws.amazon.com/bedrock/latest/userguide/encryption-flows.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.agents.flow_definition import errors, validations
from ringwall.sandbox.bedrock.agents.knowledge import picked
from ringwall.sandbox.bedrock.control.keys import unwrap_key, wrap_in_context
from ringwall.sandbox.bedrock.custom.records import given
from ringwall.sandbox.bedrock.faults import fault, invalid
from ringwall.sandbox.bedrock.scope import page
from ringwall.sandbox.bedrock.state import UPPER, Tagged, new_id
from ringwall.sandbox.call import AwsError, Call, Output

if TYPE_CHECKING:
    from ringwall.sandbox.bedrock.scope import Operation, Scope

ID_LENGTH = 10
DRAFT = "DRAFT"
_KEPT = ("name", "description", "executionRoleArn", "customerEncryptionKeyArn", "definition")
_SUMMARY = ("name", "description", "id", "arn", "status", "createdAt", "updatedAt", "version")
_MADE = (*_SUMMARY, "executionRoleArn", "customerEncryptionKeyArn", "definition")
_METADATA = "METADATA_ONLY"


def find(scope: Scope, call: Call) -> Tagged:
    """The flow of a call, by id or ARN.

    Raises:
        AwsError: ``ResourceNotFoundException``.
    """
    identifier = call.parameters["flowIdentifier"]
    flow = scope.home(call).flows.get(identifier.rpartition("/")[2])
    if flow is None or (identifier.startswith("arn:") and flow.arn != identifier):
        raise not_found(call, f"flow {identifier}")
    return flow


def not_found(call: Call, what: str) -> AwsError:
    """The error for something of a flow that does not exist."""
    return fault(
        call.service, "ResourceNotFoundException", f"Failed to retrieve resource: {what} does not exist."
    )


def encryption_context(flow_arn: str) -> dict[str, str]:
    """The encryption context of a flow's data."""
    return {"aws:bedrock-flows:arn": flow_arn}


def decrypt(scope: Scope, call: Call, kept: Tagged) -> None:
    """Use the key of a flow's draft or version, if it has one, in the caller's name.

    Raises:
        AwsError: ``AccessDeniedException``, or ``ValidationException`` for a key that cannot be used.
    """
    key_arn = kept.shape.get("customerEncryptionKeyArn")
    unwrap_key(scope, call, key_arn, kept.wrapped_key, encryption_context(kept.arn))


def _check(scope: Scope, call: Call, flow: Tagged | None = None) -> None:
    name, role = call.parameters["name"], call.parameters["executionRoleArn"]
    others = tuple(scope.home(call).flows.values())
    if any(one.shape["name"] == name and one is not flow for one in others):
        raise fault("bedrock-agent", "ConflictException", f"A flow with the name {name} already exists.")
    if role.split(":")[4] != call.account:
        raise invalid(
            f"Cross-account pass role is not allowed: {role} is not a role of account {call.account}."
        )


def create(scope: Scope, call: Call) -> Output:
    """CreateFlow: NotPrepared until PrepareFlow."""
    home = scope.home(call)
    known = scope.made_before(call)
    if known is not None and known in home.flows:
        return Output(picked(home.flows[known].shape, _MADE))
    _check(scope, call)
    flow_id, now = new_id(ID_LENGTH, UPPER), scope.platform.now()
    arn = home.arn(f"flow/{flow_id}")
    key_arn = call.parameters.get("customerEncryptionKeyArn")
    wrapped = wrap_in_context(scope, call, key_arn, encryption_context(arn))
    shape = {
        **given(call, *_KEPT),
        "id": flow_id,
        "arn": arn,
        "status": "NotPrepared",
        "version": DRAFT,
        "createdAt": now,
        "updatedAt": now,
        "validations": validations(call.parameters.get("definition")),
    }
    flow = Tagged(arn, shape, dict(call.parameters.get("tags") or {}), wrapped_key=wrapped)
    with scope.state.lock:
        _check(scope, call)
        home.flows[flow_id] = flow
        scope.note_made(call, flow_id)
    scope.platform.changed()
    return Output(picked(shape, _MADE))


def update(scope: Scope, call: Call) -> Output:
    """UpdateFlow: replaces the working draft; what is left out is gone."""
    flow = find(scope, call)
    _check(scope, call, flow)
    key_arn = call.parameters.get("customerEncryptionKeyArn")
    flow.wrapped_key = wrap_in_context(scope, call, key_arn, encryption_context(flow.arn))
    flow.shape = {
        **{name: value for name, value in flow.shape.items() if name not in _KEPT},
        **given(call, *_KEPT),
        "status": "NotPrepared",
        "updatedAt": scope.platform.now(),
        "validations": validations(call.parameters.get("definition")),
    }
    return Output(picked(flow.shape, _MADE))


def get(scope: Scope, call: Call) -> Output:
    """GetFlow: the working draft."""
    return Output(shown(scope, call, find(scope, call)))


def shown(scope: Scope, call: Call, kept: Tagged) -> dict[str, Any]:
    """A draft or version as Get operations show it; by its metadata alone, for which nothing is decrypted.

    Raises:
        AwsError: as :func:`decrypt`.
    """
    if call.parameters.get("includedData") == _METADATA:
        return {
            name: value for name, value in kept.shape.items() if name not in {"definition", "validations"}
        }
    decrypt(scope, call, kept)
    return dict(kept.shape)


def list_(scope: Scope, call: Call) -> Output:
    """ListFlows."""
    summaries = [picked(flow.shape, _SUMMARY) for flow in tuple(scope.home(call).flows.values())]
    listed, token = page(summaries, call.parameters, default=10)
    return Output({"flowSummaries": listed, **token})


def prepare(scope: Scope, call: Call) -> Output:
    """PrepareFlow: ``Prepared`` at once, or ``Failed`` where the definition has errors."""
    flow = find(scope, call)
    decrypt(scope, call, flow)
    status = "Failed" if errors(flow.shape["validations"]) else "Prepared"
    flow.shape |= {"status": status, "updatedAt": scope.platform.now()}
    return Output(picked(flow.shape, ("id", "status")))


def delete(scope: Scope, call: Call) -> Output:
    """DeleteFlow: not while it has aliases or versions, unless told so."""
    flow = find(scope, call)
    if (flow.children or flow.versions) and not call.parameters.get("skipResourceInUseCheck"):
        raise fault(
            "bedrock-agent", "ConflictException", "The flow has versions or aliases. Delete them first."
        )
    del scope.home(call).flows[flow.shape["id"]]
    scope.platform.changed()
    return Output(picked(flow.shape, ("id",)))


def validate(scope: Scope, call: Call) -> Output:  # noqa: ARG001 - as every operation
    """ValidateFlowDefinition."""
    return Output({"validations": validations(call.parameters["definition"])})


OPERATIONS: dict[str, Operation] = {
    "CreateFlow": create,
    "UpdateFlow": update,
    "GetFlow": get,
    "ListFlows": list_,
    "PrepareFlow": prepare,
    "DeleteFlow": delete,
    "ValidateFlowDefinition": validate,
}
