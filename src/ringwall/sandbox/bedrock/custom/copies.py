"""Model copy jobs: a custom model of another Region, copied into the Region of the call; over at once.

Models that other accounts share are not there to copy: no account here can share one.

https://docs.aws.amazon.com/bedrock/latest/userguide/copy-model.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.control.keys import unwrap_key, wrap_key
from ringwall.sandbox.bedrock.custom.models import MODEL
from ringwall.sandbox.bedrock.custom.records import Kind, getter, given, lister, new_arn, same, tags_at
from ringwall.sandbox.bedrock.faults import fault
from ringwall.sandbox.bedrock.state import ID_LENGTH, Tagged, new_id
from ringwall.sandbox.call import Call, Output

if TYPE_CHECKING:
    from ringwall.sandbox.bedrock.scope import Operation, Scope

JOB = Kind("model copy job", "copy_jobs", "jobArn", "targetModelName", unique=False)


def create(scope: Scope, call: Call) -> Output:
    """CreateModelCopyJob. A source under a customer managed key is decrypted in the caller's name."""
    known = JOB.made_before(scope, call)
    if known is not None:
        return Output({"jobArn": known.arn})
    source = _source(scope, call, call.parameters["sourceModelArn"])
    MODEL.check_name(scope, call, call.parameters["targetModelName"])
    unwrap_key(scope, call, source.shape.get("modelKmsKeyArn"), source.wrapped_key)
    key_arn, wrapped = wrap_key(scope, call, call.parameters.get("modelKmsKeyId"))
    target = _copied(scope, call, source, key_arn, wrapped)
    scope.home(call).custom_models[target.arn.rpartition("/")[2]] = target
    arn = new_arn(scope, call, "model-copy-job")
    shape: dict[str, Any] = {
        **given(call, "sourceModelArn", "targetModelName", "targetModelTags"),
        "jobArn": arn,
        "status": "Completed",
        "creationTime": scope.platform.now(),
        "targetModelArn": target.arn,
        "sourceAccountId": call.account,
        "sourceModelName": source.shape["modelName"],
        **({"targetModelKmsKeyArn": key_arn} if key_arn else {}),
    }
    JOB.keep(scope, call, Tagged(arn, shape))
    return Output({"jobArn": arn})


def _source(scope: Scope, call: Call, arn: str) -> Tagged:
    fields = arn.split(":", 5)
    found = scope.state.at(call.account, fields[3]).custom_models.get(arn.rpartition("/")[2])
    if found is None or found.arn != arn:
        raise fault("bedrock", "ResourceNotFoundException", f"The custom model {arn} could not be found.")
    return found


def _copied(scope: Scope, call: Call, source: Tagged, key_arn: str | None, wrapped: bytes | None) -> Tagged:
    resource = source.arn.split(":", 5)[5].rpartition("/")[0]
    arn = scope.home(call).arn(f"{resource}/{new_id(ID_LENGTH)}")
    base = (
        f"arn:aws:bedrock:{call.region}::foundation-model/{source.shape['baseModelArn'].rpartition('/')[2]}"
    )
    shape = {name: value for name, value in source.shape.items() if name != "modelKmsKeyArn"}
    shape |= {
        "modelArn": arn,
        "modelName": call.parameters["targetModelName"],
        "baseModelArn": base,
        "creationTime": scope.platform.now(),
        **({"modelKmsKeyArn": key_arn} if key_arn else {}),
    }
    return Tagged(arn, shape, tags_at(call, "targetModelTags"), wrapped_key=wrapped)


OPERATIONS: dict[str, Operation] = {
    "CreateModelCopyJob": create,
    "GetModelCopyJob": getter(JOB, "jobArn"),
    "ListModelCopyJobs": lister(
        JOB,
        "modelCopyJobSummaries",
        same(
            "jobArn", "status", "creationTime", "targetModelArn", "targetModelName", "sourceAccountId", "sourceModelArn",
            "targetModelKmsKeyArn", "targetModelTags", "sourceModelName",
        ),
    ),
}  # fmt: skip
