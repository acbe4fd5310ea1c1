"""Custom models: what customization makes, and what is created from artifacts in S3.

A model made by CreateCustomModel comes, on AWS, from training in SageMaker AI, and its base model from the artifacts;
here its base is always Nova Lite, and the artifacts need only be there and be readable for the role.

User guide: "Import a SageMaker AI-trained Amazon Nova model", "Create a service role for importing pre-trained models".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ringwall.catalog import models as catalog_models
from ringwall.sandbox.bedrock.control.keys import wrap_key
from ringwall.sandbox.bedrock.custom.records import (
    Kind,
    conflict,
    getter,
    in_use,
    lister,
    new_arn,
    same,
    tags_at,
)
from ringwall.sandbox.bedrock.faults import invalid
from ringwall.sandbox.bedrock.service_role import ServiceRole, place_of
from ringwall.sandbox.bedrock.state import Tagged
from ringwall.sandbox.call import AwsError, Call, Output, not_carried_out

if TYPE_CHECKING:
    from ringwall.sandbox.bedrock.scope import Operation, Scope

MODEL = Kind("custom model", "custom_models", "modelArn", "modelName")
_CONTEXT_LENGTH = re.compile(r":\d+k$")
_LONGEST_FAILURE = 2048
_IMPORTED_BASE = "amazon.nova-lite-v1:0"
_INVALID = "The provided model identifier is invalid."


def foundation(identifier: str) -> catalog_models.Model | None:
    """The foundation model with an id or ARN; ids that customization takes may end in a context length (``:128k``)."""
    return catalog_models.find(identifier) or catalog_models.find(_CONTEXT_LENGTH.sub("", identifier))


def base_arn(scope: Scope, call: Call, identifier: str) -> str:
    """ARN of the foundation model that customizing a model starts from: the model, or what a custom model came from.

    Raises:
        AwsError: ``ValidationException`` for what names no model.
    """
    own = MODEL.get(MODEL.all(scope, call), identifier)
    if own is not None:
        return str(own.shape["baseModelArn"])
    if ":custom-model/" in identifier or foundation(identifier) is None:
        raise invalid(_INVALID)
    model_id = identifier.rpartition("/")[2]
    return f"arn:aws:bedrock:{call.region}::foundation-model/{model_id}"


def create(scope: Scope, call: Call) -> Output:
    """CreateCustomModel, from artifacts in S3; from a SageMaker AI model package it is not carried out."""
    known = MODEL.made_before(scope, call)
    if known is not None:
        return Output({"modelArn": known.arn})
    name = call.parameters["modelName"]
    source = (call.parameters.get("modelSourceConfig") or {}).get("s3DataSource")
    if source is None and call.parameters.get("customModelDataSource"):
        raise not_carried_out(call.service, call.operation, "from a SageMaker AI model package")
    role_arn = call.parameters.get("roleArn")
    if source is None or role_arn is None:
        raise invalid("A model from an S3 data source needs modelSourceConfig and roleArn.")
    MODEL.check_name(scope, call, name)
    key_arn, wrapped = wrap_key(scope, call, call.parameters.get("modelKmsKeyArn"))
    arn = new_arn(scope, call, "custom-model/imported")
    shape: dict[str, Any] = {
        "modelArn": arn,
        "modelName": name,
        "baseModelArn": f"arn:aws:bedrock:{call.region}::foundation-model/{_IMPORTED_BASE}",
        "customizationType": "IMPORTED",
        "creationTime": scope.platform.now(),
        "modelStatus": "Active",
        **({"modelKmsKeyArn": key_arn} if key_arn else {}),
    }
    role = assumed(scope, call, role_arn, arn)
    try:
        check_artifacts(role, source["s3Uri"])
    except AwsError as error:
        shape |= {"modelStatus": "Failed", "failureMessage": failure(error)}
    MODEL.keep(scope, call, Tagged(arn, shape, tags_at(call, "modelTags"), wrapped_key=wrapped))
    return Output({"modelArn": arn})


def assumed(scope: Scope, call: Call, role_arn: str, source_arn: str) -> ServiceRole:
    """The role of a job or model.

    Raises:
        AwsError: ``ValidationException``, at the call itself, as on AWS, where Bedrock may not assume it.
    """
    if role_arn.split(":")[4] != call.account:
        raise invalid(
            f"Cross-account pass role is not allowed: {role_arn} is not a role of account {call.account}."
        )
    try:
        return ServiceRole(scope, call, role_arn, source_arn, "BedrockModel")
    except AwsError as error:
        raise invalid(f"Could not assume provided IAM role. {error.message}") from error


def check_artifacts(role: ServiceRole, uri: str) -> list[str]:
    """Keys of the objects at a URI, the first of which the role has read.

    Raises:
        AwsError: it may not, or there is none.
    """
    bucket, prefix = place_of(uri)
    keys = list(role.keys(bucket, prefix))
    if not keys:
        raise invalid(f"There are no objects at {uri}.")
    role.read(bucket, keys[0])
    return keys


def failure(error: AwsError) -> str:
    """The failure message of a job or model. AWS's wording is not documented."""
    return f"The provided role could not be used: {error.message}"[:_LONGEST_FAILURE]


def listed(scope: Scope, call: Call) -> Output:
    """ListCustomModels: none are shared with an account here, so ``isOwned: false`` finds nothing."""
    if call.parameters.get("isOwned") is False:
        return Output({"modelSummaries": []})
    output = _list(scope, call)
    for summary in (output.parameters or {})["modelSummaries"]:
        # A base model's id without version and context length, which is all that the member's pattern takes.
        summary["baseModelName"] = summary["baseModelArn"].rpartition("/")[2].partition(":")[0]
        summary["ownerAccountId"] = call.account
    return output


def delete(scope: Scope, call: Call) -> Output:
    """DeleteCustomModel: not while it is deployed or has throughput of its own."""
    model, home = MODEL.find(scope, call, call.parameters["modelIdentifier"]), scope.home(call)
    if in_use((*home.deployments.values(), *home.throughputs.values()), "modelArn", model.arn):
        raise conflict(call, f"The custom model {model.arn} has a deployment or Provisioned Throughput.")
    MODEL.remove(scope, call, model)
    return Output({})


_list = lister(
    MODEL,
    "modelSummaries",
    same("modelArn", "modelName", "creationTime", "baseModelArn", "customizationType", "modelStatus"),
)
OPERATIONS: dict[str, Operation] = {
    "CreateCustomModel": create,
    "GetCustomModel": getter(MODEL, "modelIdentifier"),
    "ListCustomModels": listed,
    "DeleteCustomModel": delete,
}
