"""What AWS adds to CloudWatch Logs over moto: encryption keys that admit the service, retention values, data protection.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ringwall.iam.evaluate import decide
from ringwall.iam.policy import PolicySet
from ringwall.iam.request import Request
from ringwall.sandbox import context as keys
from ringwall.sandbox import documents
from ringwall.sandbox.call import AwsError, Output
from ringwall.sandbox.hooks import Hooks
from ringwall.sandbox.kms_hooks import find_key
from ringwall.sandbox.log_events import group_of, matcher

if TYPE_CHECKING:
    from ringwall.sandbox.backend import Reply
    from ringwall.sandbox.turn import Turn

_KEY_ARN = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[\w-]+\Z")
_RETENTION = frozenset(
    {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
)
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")
_NEEDED = ("kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey")


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)


def admits_service(turn: Turn, key: Any, service: str, action: str, context: keys.Values) -> bool:
    """Whether a key's policy lets a service principal do something."""
    view = turn.gateway.views.now()
    facts = {**keys.service_principal(service), **keys.moment(turn.call.time), **context}
    policies = view.access.policies(service, resource=key.arn, action=action)
    request = Request(service, action, key.arn, key.account_id, facts)
    return decide(request, PolicySet(resource=policies.resource, rcp=policies.rcp)).allowed


def _log_group_key(turn: Turn) -> None:
    name = turn.parameters.get("kmsKeyId")
    if name is None:
        return
    if not _KEY_ARN.match(name):
        raise _invalid(f"Specified KMS key is not valid: {name} is not the ARN of a key")
    key = find_key(turn.gateway.moto, turn.account, turn.call.region, name)
    if key is None or not key.enabled or key.key_state != "Enabled":
        raise _invalid(f"The specified KMS Key Id could not be found or is not enabled: {name}")
    if f":kms:{turn.call.region}:" not in name:
        raise _invalid("The KMS key must be in the Region of the log group")
    group = str(turn.parameters.get("logGroupName", "*"))
    arn = f"arn:aws:logs:{turn.call.region}:{turn.account}:log-group:{group}"
    service = f"logs.{turn.call.region}.amazonaws.com"
    context: keys.Values = {
        "kms:encryptioncontext:aws:logs:arn": (arn,),
        "kms:encryptioncontextkeys": ("aws:logs:arn",),
    }
    for action in _NEEDED[:3]:
        if not admits_service(turn, key, service, action, context):
            raise _invalid(
                f"The specified KMS key does not exist or is not allowed to be used with Arn '{arn}'"
            )


def _associate_key(turn: Turn) -> Output:
    """The key of a group's future events. That of query results (``resourceIdentifier``) is not kept: there are none."""
    _log_group_key(turn)
    if turn.parameters.get("logGroupName"):
        group_of(turn).kms_key_id = turn.parameters["kmsKeyId"]
    return Output({})


def _disassociate_key(turn: Turn) -> Output:
    if turn.parameters.get("logGroupName"):
        group_of(turn).kms_key_id = None
    return Output({})


def _retention(turn: Turn) -> None:
    days = turn.parameters.get("retentionInDays")
    if days not in _RETENTION:
        allowed = ", ".join(map(str, sorted(_RETENTION)))
        raise _invalid(f"Invalid retention value: {days}. Valid values are: [{allowed}]")


def _resource_policy(turn: Turn) -> None:
    text = turn.parameters.get("policyDocument")
    if text is not None:
        documents.check(text, documents.LOGS, _invalid)


def _put_protection(turn: Turn) -> Output:
    group = group_of(turn)
    try:
        document = json.loads(turn.parameters["policyDocument"])
    except ValueError as error:
        raise _invalid("The data protection policy is not valid JSON") from error
    operations = [
        item.get("Operation", {}) for item in document.get("Statement", ()) if isinstance(item, dict)
    ]
    if not any("Audit" in item for item in operations) or not any(
        "Deidentify" in item for item in operations
    ):
        raise _invalid("A data protection policy has an Audit statement and a Deidentify statement")
    group.ringwall_data_protection = (turn.parameters["policyDocument"], turn.call.time)
    return Output(_protection(turn, group))


def _protection(turn: Turn, group: Any) -> dict[str, Any]:
    result: dict[str, Any] = {
        "logGroupIdentifier": turn.parameters.get("logGroupIdentifier") or turn.parameters.get("logGroupName")
    }
    found = getattr(group, "ringwall_data_protection", None)
    if found:
        result["policyDocument"] = found[0]
        result["lastUpdatedTime"] = int(found[1].timestamp() * 1000)
    return result


def _get_protection(turn: Turn) -> Output:
    return Output(_protection(turn, group_of(turn)))


def _delete_protection(turn: Turn) -> Output:
    group_of(turn).ringwall_data_protection = None
    return Output({})


def _keep_protection(turn: Turn, reply: Reply) -> None:
    """CreateLogGroup may turn deletion protection on; moto drops the parameter."""
    del reply
    if turn.parameters.get("deletionProtectionEnabled"):
        group_of(turn).ringwall_deletion_protection = True


def _protect(turn: Turn) -> Output:
    group_of(turn).ringwall_deletion_protection = bool(turn.parameters["deletionProtectionEnabled"])
    return Output({})


def _deletion(turn: Turn) -> None:
    if getattr(group_of(turn), "ringwall_deletion_protection", False):
        raise AwsError(
            "ValidationException", "The log group has deletion protection enabled and cannot be deleted."
        )


def _show_protection(turn: Turn, reply: Reply) -> None:
    """What DescribeLogGroups tells of the protection of each group."""
    with turn.gateway.moto.locked():
        groups = turn.gateway.moto.store("logs", turn.account, turn.call.region).groups
        protected = {
            name for name, group in groups.items() if getattr(group, "ringwall_deletion_protection", False)
        }
        masked = {name for name, group in groups.items() if getattr(group, "ringwall_data_protection", None)}
    for item in reply.parameters.get("logGroups", ()):
        item["deletionProtectionEnabled"] = item["logGroupName"] in protected
        if item["logGroupName"] in masked:
            item["dataProtectionStatus"] = "ACTIVATED"


def _metric_filter(turn: Turn) -> None:
    """PutMetricFilter: a filter of the same name in the group is replaced."""
    given, group = turn.parameters, group_of(turn)
    matcher("PutMetricFilter", given["filterPattern"])
    for transformation in given["metricTransformations"]:
        value = transformation["metricValue"]
        if not value.startswith("$") and not _NUMBER.fullmatch(value):
            raise _invalid(
                f"Invalid metric transformation: metricValue {value} is neither a number nor a property"
            )
        if transformation.get("dimensions") and transformation.get("defaultValue") is not None:
            raise _invalid(
                "Invalid metric transformation: dimensions and default value are mutually exclusive"
            )
    with turn.gateway.moto.locked():
        store = turn.gateway.moto.store("logs", turn.account, turn.call.region)
        store.filters.delete_filter(given["filterName"], group.name)


LOGS = Hooks(
    before={
        ("logs", "PutMetricFilter"): _metric_filter,
        ("logs", "DeleteLogGroup"): _deletion,
        ("logs", "CreateLogGroup"): _log_group_key,
        ("logs", "PutRetentionPolicy"): _retention,
        ("logs", "PutResourcePolicy"): _resource_policy,
    },
    instead={
        ("logs", "AssociateKmsKey"): _associate_key,
        ("logs", "DisassociateKmsKey"): _disassociate_key,
        ("logs", "PutLogGroupDeletionProtection"): _protect,
        ("logs", "PutDataProtectionPolicy"): _put_protection,
        ("logs", "GetDataProtectionPolicy"): _get_protection,
        ("logs", "DeleteDataProtectionPolicy"): _delete_protection,
    },
    after={
        ("logs", "CreateLogGroup"): _keep_protection,
        ("logs", "DescribeLogGroups"): _show_protection,
    },
)
