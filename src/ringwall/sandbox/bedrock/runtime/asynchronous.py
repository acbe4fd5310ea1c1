"""Asynchronous invocations, as far as access control and the record go: one is accepted and kept, and never ends.

The bucket for the output is tried as AWS tries it: the caller must be allowed to write there, which authorization has
asked already, and it must be there.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_StartAsyncInvoke.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.faults import fault, invalid
from ringwall.sandbox.bedrock.runtime.models import resolve
from ringwall.sandbox.bedrock.scope import page
from ringwall.sandbox.bedrock.state import Tagged, new_id
from ringwall.sandbox.call import AwsError, Call, Output

if TYPE_CHECKING:
    from ringwall.catalog.models import Model
    from ringwall.sandbox.bedrock.scope import Operation, Scope


def start(scope: Scope, call: Call) -> Output:
    """StartAsyncInvoke."""
    given, home, now = call.parameters, scope.home(call), scope.platform.now()
    target = resolve(scope, call, given["modelId"])
    if not _takes(target.model):
        raise invalid(f"The model {target.model.id} does not support asynchronous invocation.")
    token, known = given.get("clientRequestToken"), scope.made_before(call)
    if known is not None:
        return Output({"invocationArn": home.invocations[known].arn})
    _check_bucket(scope, call, given["outputDataConfig"]["s3OutputDataConfig"]["s3Uri"])
    invocation_id = new_id(12)
    arn = home.arn(f"async-invoke/{invocation_id}")
    shape: dict[str, Any] = {
        "invocationArn": arn,
        "modelArn": f"arn:aws:bedrock:{call.region}::foundation-model/{target.model.id}",
        "status": "InProgress",
        "submitTime": now,
        "lastModifiedTime": now,
        "outputDataConfig": given["outputDataConfig"],
        **({"clientRequestToken": token} if token else {}),
    }
    home.invocations[invocation_id] = Tagged(
        arn, shape, {tag["key"]: tag["value"] for tag in given.get("tags") or ()}
    )
    scope.note_made(call, invocation_id)
    return Output({"invocationArn": arn})


def _takes(model: Model) -> bool:
    """Whether a model runs asynchronously: those that make videos, or embeddings of them."""
    return "VIDEO" in model.output or ("EMBEDDING" in model.output and "VIDEO" in model.input)


def _check_bucket(scope: Scope, call: Call, uri: str) -> None:
    bucket = uri.removeprefix("s3://").split("/", 1)[0]
    try:
        scope.platform.peek("s3", "HeadBucket", {"Bucket": bucket}, call.account, call.region)
    except AwsError as error:
        raise invalid(f"Invalid S3 credentials or the bucket {bucket} does not exist.") from error


def get(scope: Scope, call: Call) -> Output:
    """GetAsyncInvoke."""
    arn = call.parameters["invocationArn"]
    found = scope.home(call).invocations.get(arn.rpartition("/")[2])
    if found is None or found.arn != arn:
        raise fault(call.service, "ValidationException", f"Could not find the asynchronous invocation {arn}.")
    return Output(found.shape)


def list_(scope: Scope, call: Call) -> Output:
    """ListAsyncInvokes: by status and time, the newest first unless asked otherwise."""
    given = call.parameters
    status, after, before = (
        given.get(name) for name in ("statusEquals", "submitTimeAfter", "submitTimeBefore")
    )
    shown = [
        one.shape
        for one in scope.home(call).invocations.values()
        if status in {None, one.shape["status"]}
        and (after is None or one.shape["submitTime"] >= after)
        and (before is None or one.shape["submitTime"] <= before)
    ]
    if given.get("sortOrder") != "Ascending":
        shown.reverse()
    found, token = page(shown, given)
    return Output({"asyncInvokeSummaries": found, **token})


OPERATIONS: dict[str, Operation] = {
    "StartAsyncInvoke": start,
    "GetAsyncInvoke": get,
    "ListAsyncInvokes": list_,
}
