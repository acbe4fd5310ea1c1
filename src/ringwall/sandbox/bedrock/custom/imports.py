"""Custom model import: a job reads a model's files from S3 with its role, and an imported model stands for them.

A job is over when CreateModelImportJob answers. The architecture is what the model's ``config.json`` says, if there is
one; the files are not looked at otherwise.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-import-iam-role.html
https://docs.aws.amazon.com/bedrock/latest/userguide/encryption-import-model.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.control.keys import wrap_key
from ringwall.sandbox.bedrock.custom.models import assumed, check_artifacts, failure
from ringwall.sandbox.bedrock.custom.network import check_network
from ringwall.sandbox.bedrock.custom.records import Kind, getter, given, lister, new_arn, same, tags_at
from ringwall.sandbox.bedrock.faults import invalid
from ringwall.sandbox.bedrock.service_role import ServiceRole, place_of
from ringwall.sandbox.bedrock.state import Tagged
from ringwall.sandbox.call import AwsError, Call, Output

if TYPE_CHECKING:
    from ringwall.sandbox.bedrock.scope import Operation, Scope

JOB = Kind("model import job", "import_jobs", "jobArn", "jobName")
MODEL = Kind("imported model", "imported_models", "modelArn", "modelName")


def create(scope: Scope, call: Call) -> Output:
    """CreateModelImportJob."""
    known = JOB.made_before(scope, call)
    if known is not None:
        return Output({"jobArn": known.arn})
    if "s3DataSource" not in call.parameters["modelDataSource"]:
        raise invalid("The modelDataSource needs an s3DataSource.")
    JOB.check_name(scope, call, call.parameters["jobName"])
    MODEL.check_name(scope, call, call.parameters["importedModelName"])
    arn, now = new_arn(scope, call, "model-import-job"), scope.platform.now()
    role = assumed(scope, call, call.parameters["roleArn"], arn)
    key_arn, wrapped = wrap_key(scope, call, call.parameters.get("importedModelKmsKeyId"))
    shape: dict[str, Any] = {
        **given(call, "jobName", "importedModelName", "roleArn", "modelDataSource", "vpcConfig"),
        "jobArn": arn,
        "creationTime": now,
        "lastModifiedTime": now,
        "endTime": now,
        **({"importedModelKmsKeyArn": key_arn} if key_arn else {}),
    }
    try:
        check_network(role, call, arn, "BedrockModelImportJobArn")
        architecture = _architecture(role, call.parameters["modelDataSource"]["s3DataSource"]["s3Uri"])
    except AwsError as error:
        shape |= {"status": "Failed", "failureMessage": failure(error)}
    else:
        model = _model(scope, call, shape, architecture, wrapped)
        scope.home(call).imported_models[model.arn.rpartition("/")[2]] = model
        shape |= {"status": "Completed", "importedModelArn": model.arn}
    JOB.keep(scope, call, Tagged(arn, shape, tags_at(call, "jobTags")))
    return Output({"jobArn": arn})


def _architecture(role: ServiceRole, uri: str) -> str | None:
    """The architecture of the model at a URI, as its configuration names it."""
    bucket, _ = place_of(uri)
    configuration = next((key for key in check_artifacts(role, uri) if key.endswith("config.json")), None)
    if configuration is None:
        return None
    try:
        found = json.loads(role.read(bucket, configuration))
    except ValueError:
        return None
    named = found.get("model_type") if isinstance(found, dict) else None
    return named if isinstance(named, str) else None


def _model(
    scope: Scope, call: Call, job: dict[str, Any], architecture: str | None, wrapped: bytes | None
) -> Tagged:
    arn, key_arn = new_arn(scope, call, "imported-model"), job.get("importedModelKmsKeyArn")
    shape = {
        "modelArn": arn,
        "modelName": job["importedModelName"],
        "jobName": job["jobName"],
        "jobArn": job["jobArn"],
        "modelDataSource": job["modelDataSource"],
        "creationTime": job["creationTime"],
        "instructSupported": True,
        **({"modelArchitecture": architecture} if architecture else {}),
        **({"modelKmsKeyArn": key_arn} if key_arn else {}),
    }
    return Tagged(arn, shape, tags_at(call, "importedModelTags"), wrapped_key=wrapped)


def delete(scope: Scope, call: Call) -> Output:
    """DeleteImportedModel."""
    found = MODEL.find(scope, call, call.parameters["modelIdentifier"])
    MODEL.remove(scope, call, found)
    return Output({})


OPERATIONS: dict[str, Operation] = {
    "CreateModelImportJob": create,
    "GetModelImportJob": getter(JOB, "jobIdentifier"),
    "ListModelImportJobs": lister(
        JOB,
        "modelImportJobSummaries",
        same(
            "jobArn", "jobName", "status", "lastModifiedTime", "creationTime", "endTime", "importedModelArn",
            "importedModelName",
        ),
    ),
    "GetImportedModel": getter(MODEL, "modelIdentifier"),
    "ListImportedModels": lister(
        MODEL,
        "modelSummaries",
        same("modelArn", "modelName", "creationTime", "instructSupported", "modelArchitecture"),
    ),
    "DeleteImportedModel": delete,
}  # fmt: skip
