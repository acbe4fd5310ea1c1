"""Batch inference jobs, as far as access control and the record go: a job is accepted and kept, and never runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.faults import fault
from ringwall.sandbox.bedrock.runtime.models import resolve
from ringwall.sandbox.bedrock.scope import page
from ringwall.sandbox.bedrock.state import Tagged, new_id
from ringwall.sandbox.call import Call, Output

if TYPE_CHECKING:
    from ringwall.sandbox.bedrock.scope import Operation, Scope

_KEPT = (
    "jobName",
    "modelId",
    "roleArn",
    "inputDataConfig",
    "outputDataConfig",
    "vpcConfig",
    "timeoutDurationInHours",
)


def create(scope: Scope, call: Call) -> Output:
    """CreateModelInvocationJob: the job stays ``Submitted``."""
    given, home, now = call.parameters, scope.home(call), scope.platform.now()
    resolve(scope, call, given["modelId"])
    if any(job.shape["jobName"] == given["jobName"] for job in home.jobs.values()):
        raise fault("bedrock", "ConflictException", f"A job with the name {given['jobName']} already exists.")
    job_id = new_id(12)
    arn = home.arn(f"model-invocation-job/{job_id}")
    shape: dict[str, Any] = {name: given[name] for name in _KEPT if given.get(name) is not None}
    shape |= {"jobArn": arn, "status": "Submitted", "submitTime": now, "lastModifiedTime": now}
    home.jobs[job_id] = Tagged(arn, shape, {tag["key"]: tag["value"] for tag in given.get("tags") or ()})
    return Output({"jobArn": arn})


def _find(scope: Scope, call: Call) -> Tagged:
    identifier = call.parameters["jobIdentifier"]
    job = scope.home(call).jobs.get(identifier.rpartition("/")[2])
    if job is None:
        raise fault("bedrock", "ResourceNotFoundException", f"Could not find the job {identifier}.")
    return job


def get(scope: Scope, call: Call) -> Output:
    """GetModelInvocationJob."""
    return Output(_find(scope, call).shape)


def list_(scope: Scope, call: Call) -> Output:
    """ListModelInvocationJobs."""
    shown, token = page([job.shape for job in scope.home(call).jobs.values()], call.parameters)
    return Output({"invocationJobSummaries": shown, **token})


def stop(scope: Scope, call: Call) -> Output:
    """StopModelInvocationJob."""
    job = _find(scope, call)
    job.shape |= {"status": "Stopped", "lastModifiedTime": scope.platform.now()}
    return Output({})


OPERATIONS: dict[str, Operation] = {
    "CreateModelInvocationJob": create,
    "GetModelInvocationJob": get,
    "ListModelInvocationJobs": list_,
    "StopModelInvocationJob": stop,
}
