"""Model customization jobs: the role reads the training data and writes metrics, or the job fails; nothing is trained.

How a job ends is decided when it is made; it is ``InProgress`` until :data:`DURATION` later, and can be stopped till then.
That the role cannot be assumed is said at the call, as on AWS; where AWS says that the role may not read or write, at
the call or in the job, is not documented: here the job says it. So are the words of both.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-customization-iam-role.html
https://docs.aws.amazon.com/bedrock/latest/userguide/vpc-model-customization.html
https://docs.aws.amazon.com/bedrock/latest/userguide/encryption-custom-job.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.control.keys import wrap_key
from ringwall.sandbox.bedrock.custom.models import MODEL, assumed, base_arn, failure
from ringwall.sandbox.bedrock.custom.network import check_network
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
from ringwall.sandbox.bedrock.service_role import ServiceRole, place_of
from ringwall.sandbox.bedrock.state import ID_LENGTH, Pending, Tagged, new_id
from ringwall.sandbox.call import AwsError, Call, Output, not_carried_out

if TYPE_CHECKING:
    from datetime import datetime

    from ringwall.sandbox.bedrock.scope import Operation, Scope

DURATION = timedelta(seconds=20)
"""How long a job runs, where AWS takes hours."""
JOB = Kind("model customization job", "customization_jobs", "jobArn", "jobName")
_METRICS = b"step_number,epoch_number,training_loss\n"
_CUSTOMIZATION = (
    "customizationType",
    "hyperParameters",
    "trainingDataConfig",
    "outputDataConfig",
    "customizationConfig",
)


def create(scope: Scope, call: Call) -> Output:
    """CreateModelCustomizationJob."""
    known = JOB.made_before(scope, call)
    if known is not None:
        return Output({"jobArn": known.arn})
    if call.parameters["trainingDataConfig"].get("invocationLogsConfig") is not None:
        raise not_carried_out(call.service, call.operation, "from invocation logs")
    if "s3Uri" not in call.parameters["trainingDataConfig"]:
        raise invalid("The trainingDataConfig needs the s3Uri of the training data.")
    base = base_arn(scope, call, call.parameters["baseModelIdentifier"])
    JOB.check_name(scope, call, call.parameters["jobName"])
    _check_model_name(scope, call, call.parameters["customModelName"])
    job_id, base_id = new_id(ID_LENGTH), base.rpartition("/")[2]
    arn = scope.home(call).arn(f"model-customization-job/{base_id}/{job_id}")
    role = assumed(scope, call, call.parameters["roleArn"], arn)
    key_arn, wrapped = wrap_key(scope, call, call.parameters.get("customModelKmsKeyId"))
    job = Tagged(arn, _shape(scope, call, arn, base, key_arn), tags_at(call, "jobTags"))
    end = job.shape["creationTime"] + DURATION
    try:
        check_network(role, call, arn, "BedrockModelCustomizationJobArn")
        _use_data(role, call, job_id)
    except AwsError as error:
        pending = Pending(end, job, {**_details(job, "Failed", end), "failureMessage": failure(error)})
    else:
        model = _model(scope, call, job, wrapped, end)
        made = {**_details(job, "Completed", end), "outputModelArn": model.arn}
        pending = Pending(end, job, made, model)
    JOB.keep(scope, call, job)
    with scope.state.lock:
        scope.home(call).pending.append(pending)
    return Output({"jobArn": arn})


def _check_model_name(scope: Scope, call: Call, name: str) -> None:
    MODEL.check_name(scope, call, name)
    coming = (one.model for one in tuple(scope.home(call).pending))
    if any(model is not None and model.shape["modelName"] == name for model in coming):
        raise conflict(call, f"A job that runs makes a custom model with the name {name}.")


def _shape(scope: Scope, call: Call, arn: str, base: str, key_arn: str | None) -> dict[str, Any]:
    """A job as it begins. Without validation data it has no ``validationDataConfig``, which the API's model requires.

    So it is on AWS, by the acceptance tests of Terraform's provider.
    """
    now = scope.platform.now()
    return {
        "customizationType": "FINE_TUNING",
        **given(
            call,
            "jobName",
            "roleArn",
            "clientRequestToken",
            "validationDataConfig",
            "vpcConfig",
            *_CUSTOMIZATION,
        ),
        "jobArn": arn,
        "outputModelName": call.parameters["customModelName"],
        "baseModelArn": base,
        "status": "InProgress",
        "creationTime": now,
        "lastModifiedTime": now,
        **({"outputModelKmsKeyArn": key_arn} if key_arn else {}),
    }


def _use_data(role: ServiceRole, call: Call, job_id: str) -> None:
    """Read training and validation data, and write where the metrics go, as the job's role."""
    validators = (call.parameters.get("validationDataConfig") or {}).get("validators") or ()
    for uri in (call.parameters["trainingDataConfig"]["s3Uri"], *(one["s3Uri"] for one in validators)):
        role.read(*place_of(uri))
    bucket, prefix = place_of(call.parameters["outputDataConfig"]["s3Uri"])
    parts = (prefix.rstrip("/"), f"model-customization-job-{job_id}", "training_artifacts")
    role.write(bucket, "/".join((*filter(None, parts), "step_wise_training_metrics.csv")), _METRICS)


def _model(scope: Scope, call: Call, job: Tagged, wrapped: bytes | None, created: datetime) -> Tagged:
    key_arn = job.shape.get("outputModelKmsKeyArn")
    base_id = job.shape["baseModelArn"].rpartition("/")[2]
    arn = new_arn(scope, call, f"custom-model/{base_id}")
    shape = {
        **{name: job.shape[name] for name in (*_CUSTOMIZATION, "validationDataConfig") if name in job.shape},
        "modelArn": arn,
        "modelName": call.parameters["customModelName"],
        "jobName": job.shape["jobName"],
        "jobArn": job.arn,
        "baseModelArn": job.shape["baseModelArn"],
        "creationTime": created,
        "modelStatus": "Active",
        **({"modelKmsKeyArn": key_arn} if key_arn else {}),
    }
    return Tagged(arn, shape, tags_at(call, "customModelTags"), wrapped_key=wrapped)


def _details(job: Tagged, status: str, end: datetime) -> dict[str, Any]:
    """What a job that ended shows; nothing that comes after a failed validation was begun."""
    times = {"creationTime": job.shape["creationTime"], "lastModifiedTime": end}
    rest = {"status": status, **times} if status == "Completed" else {"status": "NotStarted"}
    details = {
        "validationDetails": {"status": status, **times},
        "dataProcessingDetails": rest,
        "trainingDetails": rest,
    }
    return {"status": status, "lastModifiedTime": end, "endTime": end, "statusDetails": details}


def stop(scope: Scope, call: Call) -> Output:
    """StopModelCustomizationJob: while the job runs; what AWS says of one that is over is not documented."""
    job, home = JOB.find(scope, call, call.parameters["jobIdentifier"]), scope.home(call)
    if job.shape["status"] != "InProgress":
        raise conflict(call, f"The job {job.arn} cannot be stopped: its status is {job.shape['status']}.")
    now = scope.platform.now()
    with scope.state.lock:
        home.pending = [one for one in home.pending if one.job is not job]
        job.shape = {**job.shape, "status": "Stopped", "lastModifiedTime": now, "endTime": now}
    return Output({})


OPERATIONS: dict[str, Operation] = {
    "CreateModelCustomizationJob": create,
    "GetModelCustomizationJob": getter(JOB, "jobIdentifier"),
    "ListModelCustomizationJobs": lister(
        JOB,
        "modelCustomizationJobSummaries",
        {
            **same(
                "jobArn", "baseModelArn", "jobName", "status", "statusDetails", "lastModifiedTime", "creationTime",
                "endTime", "customizationType",
            ),
            "customModelArn": "outputModelArn",
            "customModelName": "outputModelName",
        },
    ),
    "StopModelCustomizationJob": stop,
}  # fmt: skip
