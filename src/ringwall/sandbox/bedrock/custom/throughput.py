"""Provisioned Throughput: capacity of one's own for a foundation model or a custom model, invoked by its own ARN.

https://docs.aws.amazon.com/bedrock/latest/userguide/prov-throughput.html
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_DeleteProvisionedModelThroughput.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.custom.models import MODEL, base_arn
from ringwall.sandbox.bedrock.custom.records import (
    Kind,
    conflict,
    getter,
    given,
    lister,
    new_arn,
    same,
    tags_at,
)
from ringwall.sandbox.bedrock.faults import invalid
from ringwall.sandbox.bedrock.state import Tagged
from ringwall.sandbox.call import Call, Output

if TYPE_CHECKING:
    from ringwall.sandbox.bedrock.scope import Operation, Scope

THROUGHPUT = Kind("provisioned model", "throughputs", "provisionedModelArn", "provisionedModelName")
_TERMS = {"OneMonth": timedelta(days=30), "SixMonths": timedelta(days=180)}


def _models(scope: Scope, call: Call, identifier: str) -> tuple[str, str]:
    """ARNs of the model that a call names, and of the foundation model that it is or comes from."""
    foundation = base_arn(scope, call, identifier)
    own = MODEL.get(MODEL.all(scope, call), identifier)
    return (own.arn if own else foundation), foundation


def create(scope: Scope, call: Call) -> Output:
    """CreateProvisionedModelThroughput: ``InService`` at once."""
    known = THROUGHPUT.made_before(scope, call)
    if known is not None:
        return Output({"provisionedModelArn": known.arn})
    model, foundation = _models(scope, call, call.parameters["modelId"])
    THROUGHPUT.check_name(scope, call, call.parameters["provisionedModelName"])
    arn, now = new_arn(scope, call, "provisioned-model"), scope.platform.now()
    units = call.parameters["modelUnits"]
    shape: dict[str, Any] = {
        **given(call, "provisionedModelName", "commitmentDuration"),
        "provisionedModelArn": arn,
        "modelUnits": units,
        "desiredModelUnits": units,
        "modelArn": model,
        "desiredModelArn": model,
        "foundationModelArn": foundation,
        "status": "InService",
        "creationTime": now,
        "lastModifiedTime": now,
    }
    if "commitmentDuration" in shape:
        shape["commitmentExpirationTime"] = now + _TERMS[shape["commitmentDuration"]]
    THROUGHPUT.keep(scope, call, Tagged(arn, shape, tags_at(call, "tags")))
    return Output({"provisionedModelArn": arn})


def update(scope: Scope, call: Call) -> Output:
    """UpdateProvisionedModelThroughput: another name, or another model that comes from the same foundation model."""
    found = THROUGHPUT.find(scope, call, call.parameters["provisionedModelId"])
    name, wanted = (call.parameters.get(key) for key in ("desiredProvisionedModelName", "desiredModelId"))
    changes: dict[str, Any] = {"lastModifiedTime": scope.platform.now()}
    if wanted:
        model, foundation = _models(scope, call, wanted)
        if foundation != found.shape["foundationModelArn"]:
            raise invalid(f"The model {wanted} does not come from {found.shape['foundationModelArn']}.")
        changes |= {"modelArn": model, "desiredModelArn": model}
    if name and name != found.shape["provisionedModelName"]:
        THROUGHPUT.check_name(scope, call, name)
        changes["provisionedModelName"] = name
    found.shape |= changes
    return Output({})


def delete(scope: Scope, call: Call) -> Output:
    """DeleteProvisionedModelThroughput: not before a commitment is over."""
    found = THROUGHPUT.find(scope, call, call.parameters["provisionedModelId"])
    until = found.shape.get("commitmentExpirationTime")
    if until is not None and scope.platform.now() < until:
        raise conflict(call, f"The commitment of {found.arn} ends at {until:%Y-%m-%dT%H:%M:%SZ}.")
    THROUGHPUT.remove(scope, call, found)
    return Output({})


OPERATIONS: dict[str, Operation] = {
    "CreateProvisionedModelThroughput": create,
    "GetProvisionedModelThroughput": getter(THROUGHPUT, "provisionedModelId"),
    "ListProvisionedModelThroughputs": lister(
        THROUGHPUT,
        "provisionedModelSummaries",
        same(
            "provisionedModelName", "provisionedModelArn", "modelArn", "desiredModelArn", "foundationModelArn",
            "modelUnits", "desiredModelUnits", "status", "commitmentDuration", "commitmentExpirationTime",
            "creationTime", "lastModifiedTime",
        ),
    ),
    "UpdateProvisionedModelThroughput": update,
    "DeleteProvisionedModelThroughput": delete,
}  # fmt: skip
