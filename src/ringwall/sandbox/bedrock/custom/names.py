"""Which calls may name a job or model by its name, so that they are authorized on the ARN that it has.

AWS does not document in which form such a call is authorized. The ARN is the safe side: a policy about it holds for
every way of naming what it is about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.sandbox.bedrock.custom import customization, deployments, imports, models, throughput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.sandbox.bedrock.custom.records import Kind
    from ringwall.sandbox.bedrock.scope import Scope
    from ringwall.sandbox.call import Call

_BY_KIND: Mapping[Kind, tuple[str, tuple[str, ...]]] = {
    models.MODEL: ("modelIdentifier", ("GetCustomModel", "DeleteCustomModel")),
    imports.MODEL: ("modelIdentifier", ("GetImportedModel", "DeleteImportedModel")),
    imports.JOB: ("jobIdentifier", ("GetModelImportJob",)),
    customization.JOB: ("jobIdentifier", ("GetModelCustomizationJob", "StopModelCustomizationJob")),
    deployments.DEPLOYMENT: (
        "customModelDeploymentIdentifier",
        ("GetCustomModelDeployment", "UpdateCustomModelDeployment", "DeleteCustomModelDeployment"),
    ),
    throughput.THROUGHPUT: (
        "provisionedModelId",
        (
            "GetProvisionedModelThroughput",
            "UpdateProvisionedModelThroughput",
            "DeleteProvisionedModelThroughput",
        ),
    ),
}
_OTHERS: Mapping[str, tuple[tuple[str, Kind], ...]] = {
    "CreateModelCustomizationJob": (("baseModelIdentifier", models.MODEL),),
    "CreateProvisionedModelThroughput": (("modelId", models.MODEL),),
    "UpdateProvisionedModelThroughput": (("desiredModelId", models.MODEL),),
}
NAMED: Mapping[tuple[str, str], tuple[tuple[str, Kind], ...]] = {
    ("bedrock", operation): (
        *((parameter, kind) for kind, (parameter, names) in _BY_KIND.items() if operation in names),
        *_OTHERS.get(operation, ()),
    )
    for operation in {*(name for _, names in _BY_KIND.values() for name in names), *_OTHERS}
}
"""Parameters that may be names, by operation, with the kind of what they name."""


def arns_of(scope: Scope, call: Call) -> dict[str, str]:
    """The parameters of a call that are names of something, with its ARN."""
    found: dict[str, str] = {}
    for parameter, kind in NAMED[call.service, call.operation]:
        given = call.parameters.get(parameter)
        record = kind.get(kind.all(scope, call), given) if isinstance(given, str) else None
        if record is not None:
            found[parameter] = record.arn
    return found
