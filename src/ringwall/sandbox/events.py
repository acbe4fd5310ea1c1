"""CloudTrail records: what one call looks like in the trail.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.catalog import bedrock
from ringwall.sandbox import chance, models, moments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.sandbox.call import AwsError, Output
    from ringwall.sandbox.credentials import Caller
    from ringwall.sandbox.turn import Turn

Record = dict[str, Any]

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
READS = (
    "Get",
    "List",
    "Describe",
    "Head",
    "Lookup",
    "Simulate",
    "BatchGet",
    "Select",
    "Check",
    "Count",
    "Validate",
)
"""How operations that change nothing begin."""
_READ_SERVICES = frozenset({"bedrock-runtime", "bedrock-agent-runtime", "sts"})
_READ_OPERATIONS = frozenset(
    {
        ("kms", "Encrypt"),
        ("kms", "Decrypt"),
        ("kms", "GenerateDataKey"),
        ("kms", "GenerateDataKeyWithoutPlaintext"),
        ("kms", "ReEncrypt"),
        ("kms", "Sign"),
        ("kms", "Verify"),
        ("cloudwatch", "PutMetricData"),
    }
)
_S3_DATA = frozenset(
    {
        "GetObject",
        "HeadObject",
        "PutObject",
        "DeleteObject",
        "DeleteObjects",
        "CopyObject",
        "ListObjects",
        "ListObjectsV2",
        "ListObjectVersions",
        "GetObjectAcl",
        "PutObjectAcl",
        "GetObjectTagging",
        "PutObjectTagging",
        "DeleteObjectTagging",
        "GetObjectAttributes",
        "CreateMultipartUpload",
        "UploadPart",
        "UploadPartCopy",
        "CompleteMultipartUpload",
        "AbortMultipartUpload",
        "ListParts",
    }
)
_SECRETS = frozenset(
    {"SecretAccessKey", "ServiceCredentialSecret", "ServicePassword", "Plaintext", "Password"}
)
_ERROR_CODES = {
    "AccessDeniedException": "AccessDenied",
    "UnauthorizedOperation": "Client.UnauthorizedOperation",
    "AuthorizationError": "AccessDenied",
}
_TLS = {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256"}
_MAX_RESPONSE = 100 * 1024


def is_read_only(service: str, operation: str) -> bool:
    """CloudTrail's ``readOnly``. Inference counts as reading."""
    return (
        service in _READ_SERVICES or operation.startswith(READS) or (service, operation) in _READ_OPERATIONS
    )


def data_type(service: str, operation: str) -> str | None:
    """``resources.type`` of a data event; ``None`` for management events."""
    if service == "s3":
        return "AWS::S3::Object" if operation in _S3_DATA else None
    if service == "sns" and operation in {"Publish", "PublishBatch"}:
        return "AWS::SNS::Topic"
    return bedrock.DATA_EVENTS.get((service, operation))


def record(turn: Turn, output: Output | None, error: AwsError | None, role_id: str | None) -> Record:
    """The record of a call.

    Args:
        turn: the call.
        output: its output, if it succeeded.
        error: its error, if it failed.
        role_id: unique id of the caller's role, for sessions.
    """
    call = turn.call
    model = models.operation_model(call.service, call.operation)
    read_only = is_read_only(call.service, call.operation)
    type_ = data_type(call.service, call.operation)
    result: Record = {
        "eventVersion": "1.11",
        "userIdentity": _identity(turn, role_id),
        "eventTime": moments.stamp(call.time),
        "eventSource": models.event_source(call.service),
        "eventName": call.operation,
        "awsRegion": call.region,
        "sourceIPAddress": call.source_ip,
        "userAgent": f"[{call.user_agent}]" if call.service in {"s3", "bedrock-runtime"} else call.user_agent,
        "requestParameters": _parameters(call.service, model.input_shape, turn.call.parameters),
        "responseElements": None,
    }
    if error is not None:
        result["errorCode"] = _ERROR_CODES.get(error.code, error.code)
        result["errorMessage"] = error.message
    elif not read_only and output is not None and output.parameters:
        result["responseElements"] = shown(model.output_shape, output.parameters)
    result |= {
        "requestID": call.request_id,
        "eventID": chance.passing(),
        "readOnly": read_only,
        "eventType": "AwsApiCall",
        "managementEvent": type_ is None,
        "recipientAccountId": turn.account,
        "eventCategory": "Management" if type_ is None else "Data",
    }
    result.update(_place(turn))
    if type_ is not None:
        result["resources"] = _resources(turn, type_)
    if turn.caller is not None and turn.caller.bearer:
        result["additionalEventData"] = {"callWithBearerToken": True}
    return _with_additions(result, output)


def _with_additions(result: Record, output: Output | None) -> Record:
    additions = dict(output.trail) if output is not None else {}
    further = additions.pop("additionalEventData", None)
    if further:
        result["additionalEventData"] = {**(result.get("additionalEventData") or {}), **further}
    return {**result, **additions}


def _place(turn: Turn) -> Record:
    found: Record = {}
    if turn.call.vpc_endpoint_id:
        found["vpcEndpointId"] = turn.call.vpc_endpoint_id
        found["vpcEndpointAccountId"] = turn.call.account
    host = turn.call.headers.get("host")
    if host and turn.call.context.get("aws:securetransport") == ("true",):
        found["tlsDetails"] = {**_TLS, "clientProvidedHostHeader": host}
    return found


def _identity(turn: Turn, role_id: str | None) -> Record:
    caller = turn.caller
    if caller is None:
        if turn.call.principal == "*":
            return {"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"}
        return {"type": "AWSService", "invokedBy": turn.call.principal}
    found: Record = {
        "type": {"User": "IAMUser", "AssumedRole": "AssumedRole", "FederatedUser": "FederatedUser"}.get(
            caller.kind, "Root"
        ),
        "principalId": caller.user_id,
        "arn": caller.arn,
        "accountId": caller.account,
    }
    if caller.access_key:
        found["accessKeyId"] = caller.access_key
    if caller.kind == "User":
        found["userName"] = caller.arn.rsplit("/", 1)[1]
    context = _session_context(turn, caller, role_id)
    if context:
        found["sessionContext"] = context
    if turn.call.context.get("aws:viaawsservice") == ("true",):
        found["invokedBy"] = (turn.call.context.get("aws:calledvialast") or ("AWS Internal",))[0]
    return found


def _session_context(turn: Turn, caller: Caller, role_id: str | None) -> Record:
    context: Record = {}
    if caller.kind == "AssumedRole":
        arn = (turn.call.context.get("aws:principalarn") or (caller.arn,))[0]
        context["sessionIssuer"] = {
            "type": "Role",
            "principalId": role_id or caller.user_id.split(":", 1)[0],
            "arn": arn,
            "accountId": caller.account,
            "userName": arn.rsplit("/", 1)[-1],
        }
    if caller.issued is not None:
        mfa = "true" if caller.mfa else "false"
        context["attributes"] = {"creationDate": moments.stamp(caller.issued), "mfaAuthenticated": mfa}
    if caller.source_identity:
        context["sourceIdentity"] = caller.source_identity
    return context


def _resources(turn: Turn, type_: str) -> list[Record]:
    arns = [
        entry.request.resource
        for entry in turn.gateway.log.of(turn.call.request_id)
        if entry.request.resource != "*"
    ]
    if type_ == "AWS::S3::Object":
        bucket, key = turn.parameters.get("Bucket"), turn.parameters.get("Key", "")
        owner = turn.gateway.moto.bucket_owner(str(bucket)) or turn.account
        return [
            {"type": type_, "ARN": f"arn:aws:s3:::{bucket}/{key}"},
            {"type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}", "accountId": owner},
        ]
    return [{"type": type_, "ARN": arn, "accountId": turn.account} for arn in arns[:1]]


def _parameters(service: str, shape: Any, parameters: Mapping[str, Any]) -> Record | None:
    if shape is None or not parameters:
        return None
    if service in {"bedrock-runtime", "bedrock-agent-runtime"}:
        # Prompts and answers stay out of CloudTrail: what names resources remains.
        kept: Record = {
            name: value
            for name, value in parameters.items()
            if isinstance(value, str)
            and (shape.members[name].serialization.get("location") == "uri" or "guardrail" in name.lower())
        }
        config = parameters.get("guardrailConfig")
        if isinstance(config, dict):
            kept["guardrailConfig"] = config
        return kept or None
    if service == "s3":
        return {
            "bucketName" if name == "Bucket" else _lower(name): _value(shape.members[name], value)
            for name, value in parameters.items()
            if name != "Body"
        }
    return shown(shape, parameters)


def shown(shape: Any, value: Mapping[str, Any]) -> Record:
    """A structure as CloudTrail shows it: lower camel case, without secrets and binary data."""
    if shape is None:
        return {}
    result: Record = {}
    for name, member in shape.members.items():
        item = value.get(name)
        if item is None or name in _SECRETS or member.serialization.get("eventstream"):
            continue
        if member.type_name == "blob":
            continue
        result[_lower(name)] = _value(member, item)
    return result


def _value(shape: Any, value: Any) -> Any:
    if shape.metadata.get("sensitive"):
        return HIDDEN
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict) and not getattr(shape, "is_document_type", False):
        return shown(shape, value)
    if kind == "list" and isinstance(value, list):
        return [_value(shape.member, item) for item in value]
    if kind == "map" and isinstance(value, dict):
        return {key: _value(shape.value, item) for key, item in value.items()}
    if kind == "timestamp":
        return value.strftime("%b %d, %Y, %I:%M:%S %p") if hasattr(value, "strftime") else value
    return value if kind != "blob" else HIDDEN


def _lower(name: str) -> str:
    # VPCId -> vPCId is what AWS does too: only the first letter changes.
    return name[:1].lower() + name[1:]
