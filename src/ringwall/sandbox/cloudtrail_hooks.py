"""What AWS adds to CloudTrail over moto: bucket, key and selector checks, delivery status, ``LookupEvents``.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
"""

from __future__ import annotations

import base64
import json
import zlib
from itertools import islice
from typing import TYPE_CHECKING, Any

from ringwall.iam.evaluate import decide
from ringwall.iam.policy import PolicySet
from ringwall.iam.request import Request
from ringwall.sandbox import context as keys
from ringwall.sandbox import parse, places, selectors
from ringwall.sandbox.call import AwsError, Output
from ringwall.sandbox.hooks import Hooks
from ringwall.sandbox.kms_hooks import find_key
from ringwall.sandbox.logs_hooks import admits_service
from ringwall.sandbox.trail import PRINCIPAL, source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ringwall.sandbox.backend import Reply
    from ringwall.sandbox.turn import Turn

_PAGE = 50
_COLUMNS = {"EventName": "name", "EventSource": "source"}
"""Attributes that the archive looks for itself."""
_ATTRIBUTES: Mapping[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "EventId": lambda record: [record["eventID"]],
    "EventName": lambda record: [record["eventName"]],
    "EventSource": lambda record: [record["eventSource"]],
    "ReadOnly": lambda record: [str(record["readOnly"]).lower()],
    "Username": lambda record: [_user(record)],
    "AccessKeyId": lambda record: [record["userIdentity"].get("accessKeyId", "")],
    "ResourceName": lambda record: [item["ResourceName"] for item in _resources(record)],
    "ResourceType": lambda record: [item["ResourceType"] for item in _resources(record)],
}


def _trail(turn: Turn, name: str) -> Any:
    wanted = name.rsplit("/", 1)[-1] if name.startswith("arn:") else name
    with turn.gateway.moto.locked():
        return turn.gateway.moto.store("cloudtrail", turn.account, turn.call.region).trails.get(wanted)


def _check_destination(turn: Turn) -> None:
    parameters = turn.parameters
    trail = _trail(turn, str(parameters["Name"]))
    bucket = parameters.get("S3BucketName") or (trail.bucket_name if trail else None)
    if bucket is None:
        return
    owner = turn.gateway.moto.bucket_owner(bucket)
    if owner is None:
        raise AwsError("S3BucketDoesNotExistException", f"S3 bucket {bucket} does not exist!")
    name = str(parameters["Name"]).rsplit("/", 1)[-1]
    arn = f"arn:aws:cloudtrail:{turn.call.region}:{turn.account}:trail/{name}"
    prefix = f"{parameters['S3KeyPrefix']}/" if parameters.get("S3KeyPrefix") else ""
    _check_bucket_policy(turn, bucket, owner, arn, prefix)
    if parameters.get("KmsKeyId"):
        _check_key(turn, str(parameters["KmsKeyId"]), arn)


def _check_bucket_policy(turn: Turn, bucket: str, owner: str, trail_arn: str, prefix: str) -> None:
    access = turn.gateway.views.now().access
    middle = f"{places.ORGANIZATION}/" if turn.parameters.get("IsOrganizationTrail") else ""
    objects = (
        f"arn:aws:s3:::{bucket}/{prefix}AWSLogs/{middle}{turn.account}/CloudTrail/{turn.call.region}/probe"
    )
    facts = {
        **keys.service_principal(PRINCIPAL),
        **keys.moment(turn.call.time),
        **source(trail_arn, turn.account),
        "aws:requestedregion": (turn.call.region,),
    }
    for action, resource in (("s3:GetBucketAcl", f"arn:aws:s3:::{bucket}"), ("s3:PutObject", objects)):
        policies = access.policies(PRINCIPAL, resource=resource, action=action)
        request = Request(PRINCIPAL, action, resource, owner, facts)
        if not decide(request, PolicySet(resource=policies.resource, rcp=policies.rcp)).allowed:
            message = f"Incorrect S3 bucket policy is detected for bucket: {bucket}"
            raise AwsError("InsufficientS3BucketPolicyException", message)


def _check_key(turn: Turn, name: str, trail_arn: str) -> None:
    key = find_key(turn.gateway.moto, turn.account, turn.call.region, name)
    if key is None:
        raise AwsError("KmsKeyNotFoundException", "KMS key not found")
    if not key.enabled:
        raise AwsError("KmsKeyDisabledException", "KMS key is disabled")
    context = {
        **source(trail_arn, turn.account),
        "kms:encryptioncontext:aws:cloudtrail:arn": (trail_arn,),
        "kms:encryptioncontextkeys": ("aws:cloudtrail:arn",),
    }
    if not admits_service(turn, key, PRINCIPAL, "kms:GenerateDataKey", context):
        message = "Insufficient permissions to access S3 bucket or KMS key: the key policy does not admit cloudtrail.amazonaws.com"
        raise AwsError("InsufficientEncryptionPolicyException", message)
    turn.parameters["KmsKeyId"] = key.arn


def _check_selectors(turn: Turn) -> None:
    if _trail(turn, str(turn.parameters["TrailName"])) is None:
        message = f"Unknown trail: {turn.parameters['TrailName']} for the user: {turn.account}"
        raise AwsError("TrailNotFoundException", message)
    found = selectors.problems(
        turn.parameters.get("EventSelectors"), turn.parameters.get("AdvancedEventSelectors")
    )
    problem = next(found, None)
    if problem:
        raise AwsError("InvalidEventSelectorsException", problem)


def _replaced_selectors(turn: Turn, reply: Reply) -> None:
    """Advanced selectors replace basic ones, and the other way round."""
    del reply
    trail = _trail(turn, str(turn.parameters["TrailName"]))
    if turn.parameters.get("AdvancedEventSelectors"):
        trail.event_selectors = []
        trail.advanced_event_selectors = list(turn.parameters["AdvancedEventSelectors"])
    else:
        trail.advanced_event_selectors = []
        trail.event_selectors = list(turn.parameters["EventSelectors"])


def _status(turn: Turn, reply: Reply) -> None:
    trail = _trail(turn, str(turn.parameters["Name"]))
    recorder = turn.gateway.trail
    if trail is None or recorder is None:
        return
    if trail.arn in recorder.problems:
        reply.parameters["LatestDeliveryError"] = recorder.problems[trail.arn]
    if f"{trail.arn}/logs" in recorder.problems:
        reply.parameters["LatestCloudWatchLogsDeliveryError"] = recorder.problems[f"{trail.arn}/logs"]


def _lookup(turn: Turn) -> Output:
    parameters = turn.parameters
    size = parameters.get("MaxResults", _PAGE)
    if not 1 <= size <= _PAGE:
        raise AwsError("InvalidMaxResultsException", "A maximum results value of 1 to 50 is expected")
    start, end = parameters.get("StartTime"), parameters.get("EndTime")
    if start and end and start > end:
        raise AwsError("InvalidTimeRangeException", "StartTime is after EndTime")
    wanted = parameters.get("LookupAttributes") or []
    if len(wanted) > 1:
        raise AwsError("InvalidLookupAttributesException", "You can specify only one lookup attribute")
    asked = json.dumps([wanted, start, end], default=str)
    columns = {
        _COLUMNS[item["AttributeKey"]]: item["AttributeValue"]
        for item in wanted
        if item["AttributeKey"] in _COLUMNS
    }
    before = _place(parameters.get("NextToken"), asked)
    found = (
        (number, record)
        for number, record in turn.gateway.archive.history(turn.account, turn.call.region, before, **columns)
        if _matches(record, wanted) and _within(record, start, end)
    )
    page = list(islice(found, size + 1))
    output: dict[str, Any] = {"Events": [_event(record) for _, record in page[:size]]}
    if len(page) > size:
        output["NextToken"] = _token(page[size - 1][0], asked)
    return Output(output)


def _token(number: int, asked: str) -> str:
    """Names the last event shown, so that new events do not shift pages, and the question that it continues."""
    return base64.b64encode(f"{number}:{zlib.crc32(asked.encode()):08x}".encode()).decode()


def _place(token: str | None, asked: str) -> int | None:
    """Number of the event after which the next page starts."""
    if token is None:
        return None
    try:
        number = int(base64.b64decode(token, validate=True).decode().partition(":")[0])
    except ValueError:
        number = 0
    if _token(number, asked) != token:
        raise AwsError("InvalidNextTokenException", "The token does not belong to this request")
    return number


def _matches(record: Mapping[str, Any], wanted: list[Mapping[str, str]]) -> bool:
    return all(item["AttributeValue"] in _ATTRIBUTES[item["AttributeKey"]](record) for item in wanted)


def _within(record: Mapping[str, Any], start: Any, end: Any) -> bool:
    moment = parse.timestamp(record["eventTime"])
    return (start is None or moment >= start.replace(microsecond=0)) and (end is None or moment <= end)


def _user(record: Mapping[str, Any]) -> str:
    identity = record["userIdentity"]
    if identity.get("type") == "AssumedRole":
        return str(identity.get("arn", "")).rsplit("/", 1)[-1]
    return str(identity.get("userName") or identity.get("invokedBy") or identity.get("principalId") or "")


def _resources(record: Mapping[str, Any]) -> list[dict[str, str]]:
    found = [
        {"ResourceType": item["type"], "ResourceName": item["ARN"]}
        for item in record.get("resources") or ()
        if "ARN" in item
    ]
    for name, value in (record.get("requestParameters") or {}).items():
        type_ = _NAMED.get(name)
        if type_ and isinstance(value, str):
            found.append({"ResourceType": type_, "ResourceName": value})
    return found


_NAMED = {
    "roleName": "AWS::IAM::Role",
    "userName": "AWS::IAM::User",
    "policyArn": "AWS::IAM::Policy",
    "bucketName": "AWS::S3::Bucket",
    "keyId": "AWS::KMS::Key",
    "guardrailIdentifier": "AWS::Bedrock::Guardrail",
    "vpcEndpointId": "AWS::EC2::VPCEndpoint",
    "roleArn": "AWS::IAM::Role",
}


def _event(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "EventId": record["eventID"],
        "EventName": record["eventName"],
        "ReadOnly": str(record["readOnly"]).lower(),
        "AccessKeyId": record["userIdentity"].get("accessKeyId"),
        "EventTime": parse.timestamp(record["eventTime"]),
        "EventSource": record["eventSource"],
        "Username": _user(record),
        "Resources": _resources(record),
        "CloudTrailEvent": json.dumps(record, default=str),
    }


CLOUDTRAIL = Hooks(
    before={
        ("cloudtrail", "CreateTrail"): _check_destination,
        ("cloudtrail", "UpdateTrail"): _check_destination,
        ("cloudtrail", "PutEventSelectors"): _check_selectors,
    },
    after={
        ("cloudtrail", "PutEventSelectors"): _replaced_selectors,
        ("cloudtrail", "GetTrailStatus"): _status,
    },
    instead={("cloudtrail", "LookupEvents"): _lookup},
)
