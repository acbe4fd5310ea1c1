"""Custom model deployments: on-demand inference with a custom model, by the deployment's ARN.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateCustomModelDeployment.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.sandbox.bedrock.custom.models import MODEL
from ringwall.sandbox.bedrock.custom.records import Kind, getter, given, lister, new_arn, same, tags_at
from ringwall.sandbox.bedrock.faults import invalid
from ringwall.sandbox.bedrock.state import Tagged
from ringwall.sandbox.call import Call, Output

if TYPE_CHECKING:
    from ringwall.sandbox.bedrock.scope import Operation, Scope

DEPLOYMENT = Kind(
    "custom model deployment", "deployments", "customModelDeploymentArn", "modelDeploymentName", "createdAt"
)


def _active(scope: Scope, call: Call) -> Tagged:
    model = MODEL.find(scope, call, call.parameters["modelArn"])
    if model.shape["modelStatus"] != "Active":
        raise invalid(
            f"The custom model {model.arn} is not active: its status is {model.shape['modelStatus']}."
        )
    return model


def create(scope: Scope, call: Call) -> Output:
    """CreateCustomModelDeployment: of an active model; ``Active`` at once."""
    known = DEPLOYMENT.made_before(scope, call)
    if known is not None:
        return Output({"customModelDeploymentArn": known.arn})
    model, now = _active(scope, call), scope.platform.now()
    DEPLOYMENT.check_name(scope, call, call.parameters["modelDeploymentName"])
    arn = new_arn(scope, call, "custom-model-deployment")
    shape = {
        **given(call, "modelDeploymentName", "description"),
        "customModelDeploymentArn": arn,
        "modelArn": model.arn,
        "createdAt": now,
        "lastUpdatedAt": now,
        "status": "Active",
    }
    DEPLOYMENT.keep(scope, call, Tagged(arn, shape, tags_at(call, "tags")))
    return Output({"customModelDeploymentArn": arn})


def update(scope: Scope, call: Call) -> Output:
    """UpdateCustomModelDeployment: another model of the same base model (which AWS does not say that it must be)."""
    deployment = DEPLOYMENT.find(scope, call, call.parameters["customModelDeploymentIdentifier"])
    model = _active(scope, call)
    before = MODEL.find(scope, call, deployment.shape["modelArn"])
    if model.shape["baseModelArn"] != before.shape["baseModelArn"]:
        raise invalid(
            f"The custom model {model.arn} does not have the base model {before.shape['baseModelArn']}."
        )
    deployment.shape = {
        **deployment.shape,
        "modelArn": model.arn,
        "lastUpdatedAt": scope.platform.now(),
        "updateDetails": {"modelArn": model.arn, "updateStatus": "UpdateCompleted"},
    }
    return Output({"customModelDeploymentArn": deployment.arn})


def delete(scope: Scope, call: Call) -> Output:
    """DeleteCustomModelDeployment."""
    found = DEPLOYMENT.find(scope, call, call.parameters["customModelDeploymentIdentifier"])
    DEPLOYMENT.remove(scope, call, found)
    return Output({})


OPERATIONS: dict[str, Operation] = {
    "CreateCustomModelDeployment": create,
    "GetCustomModelDeployment": getter(DEPLOYMENT, "customModelDeploymentIdentifier"),
    "ListCustomModelDeployments": lister(
        DEPLOYMENT,
        "modelDeploymentSummaries",
        {
            **same("customModelDeploymentArn", "modelArn", "createdAt", "status", "lastUpdatedAt"),
            "customModelDeploymentName": "modelDeploymentName",
        },
    ),
    "UpdateCustomModelDeployment": update,
    "DeleteCustomModelDeployment": delete,
}
