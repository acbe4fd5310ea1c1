"""Model and RAG evaluation jobs, as far as access control and the record go: a job is kept, and runs until it is stopped.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-evaluation-security.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.custom.models import assumed
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
from ringwall.sandbox.bedrock.runtime.models import resolve
from ringwall.sandbox.bedrock.state import Tagged
from ringwall.sandbox.call import Call, Output, not_carried_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.sandbox.bedrock.scope import Operation, Scope

JOB = Kind("evaluation job", "evaluation_jobs", "jobArn", "jobName")
_KEPT = (
    "jobName", "jobDescription", "roleArn", "customerEncryptionKeyId", "evaluationConfig", "inferenceConfig",
    "outputDataConfig",
)  # fmt: skip


def create(scope: Scope, call: Call) -> Output:
    """CreateEvaluationJob: its models must be there, and Bedrock must be allowed to assume its role for it."""
    known = JOB.made_before(scope, call)
    if known is not None:
        return Output({"jobArn": known.arn})
    inference = call.parameters["inferenceConfig"]
    if bool(inference.get("models")) == bool(inference.get("ragConfigs")):
        raise invalid("The inferenceConfig needs either models or ragConfigs.")
    models, bases = list(_models(call, inference)), list(_knowledge_bases(inference))
    for model in models:
        resolve(scope, call, model)
    JOB.check_name(scope, call, call.parameters["jobName"])
    arn, now = new_arn(scope, call, "evaluation-job"), scope.platform.now()
    assumed(scope, call, call.parameters["roleArn"], arn)
    shape: dict[str, Any] = {
        **given(call, *_KEPT),
        "applicationType": call.parameters.get("applicationType")
        or ("ModelEvaluation" if models else "RagEvaluation"),
        "jobArn": arn,
        "jobType": "Human" if "human" in call.parameters["evaluationConfig"] else "Automated",
        "status": "InProgress",
        "creationTime": now,
        "lastModifiedTime": now,
        "evaluationTaskTypes": list(_task_types(call.parameters["evaluationConfig"])),
        "modelIdentifiers": models,
        "ragIdentifiers": bases,
    }
    JOB.keep(scope, call, Tagged(arn, shape, tags_at(call, "jobTags")))
    return Output({"jobArn": arn})


def _models(call: Call, inference: Mapping[str, Any]) -> Iterator[str]:
    for one in inference.get("models") or ():
        if "bedrockModel" not in one:
            raise not_carried_out(call.service, call.operation, "from a precomputed inference source")
        yield one["bedrockModel"]["modelIdentifier"]


def _knowledge_bases(inference: Mapping[str, Any]) -> Iterator[str]:
    for one in inference.get("ragConfigs") or ():
        for configuration in (one.get("knowledgeBaseConfig") or {}).values():
            identifier = configuration.get("knowledgeBaseId")
            if identifier:
                yield identifier


def _task_types(evaluation: Mapping[str, Any]) -> Iterator[str]:
    for kind in evaluation.values():
        yield from dict.fromkeys(one["taskType"] for one in kind.get("datasetMetricConfigs") or ())


def stop(scope: Scope, call: Call) -> Output:
    """StopEvaluationJob."""
    job = JOB.find(scope, call, call.parameters["jobIdentifier"])
    if job.shape["status"] != "InProgress":
        raise conflict(call, f"The job {job.arn} cannot be stopped: its status is {job.shape['status']}.")
    job.shape |= {"status": "Stopped", "lastModifiedTime": scope.platform.now()}
    return Output({})


OPERATIONS: dict[str, Operation] = {
    "CreateEvaluationJob": create,
    "GetEvaluationJob": getter(JOB, "jobIdentifier"),
    "ListEvaluationJobs": lister(
        JOB,
        "jobSummaries",
        same(
            "jobArn", "jobName", "status", "creationTime", "jobType", "evaluationTaskTypes", "modelIdentifiers",
            "ragIdentifiers", "applicationType",
        ),
    ),
    "StopEvaluationJob": stop,
}  # fmt: skip
