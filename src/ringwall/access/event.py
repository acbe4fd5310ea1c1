"""A CloudTrail event, read as the request that it records.

Follows https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html. An
event of a denied call often has no ``requestParameters``; its message then names action and resource. Prompts never
are in it, and of the parameters only what CloudTrail shows: a guardrail that it does not show is unknown, not absent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ringwall.access.asked import UNTOLD, Asked, Occurrence, is_about_a_resource, of_denial
from ringwall.access.caller import caller_context, caller_of, caller_words
from ringwall.access.decoded import is_decoded, occurrence_of_decoded
from ringwall.access.denial import Denial, UnreadableDenialError, parse_denial
from ringwall.catalog import load
from ringwall.catalog.operations import Authorization, actions_of, authorizations, find_operation
from ringwall.catalog.partitions import partition_of
from ringwall.errors import RingwallError
from ringwall.iam.patterns import glob_matches

_PREFIXES = {"monitoring": "cloudwatch"}  # event sources that go by another name than their IAM prefix
_DENIED = ("accessdenied", "unauthorized", "authorizationerror", "notauthorized")


class UnreadableEventError(RingwallError):
    """A document is no CloudTrail event, or not one of an AWS call."""


def occurrences_of(document: Any) -> tuple[Occurrence, ...]:
    """Read every event of a document that records a denied call; of a document with one event, that one.

    Args:
        document: a record as CloudTrail delivers it; an EventBridge envelope (``detail``), the answer of
            ``LookupEvents`` (``Events``) or one of its entries (``CloudTrailEvent``), a log file (``Records``), and a
            decoded authorization message are opened.

    Raises:
        UnreadableEventError: it records no AWS call, or none of its calls was denied.
    """
    records = tuple(_records(document))
    if len(records) == 1:
        return (occurrence_of(records[0]),)
    denied = tuple(record for record in records if _was_denied(record))
    if not denied:
        raise UnreadableEventError(f"none of the {len(records)} events records a denied call")
    return tuple(occurrence_of(record) for record in denied)


def occurrence_of(event: Mapping[str, Any]) -> Occurrence:
    """Read one event (see :func:`occurrences_of`).

    Raises:
        UnreadableEventError: it records no AWS call, or there are several events.
    """
    records = tuple(_records(event))
    if len(records) != 1:
        raise UnreadableEventError(f"the file holds {len(records)} events: give one of them")
    record = records[0]
    if is_decoded(record):
        return occurrence_of_decoded(record)
    name = record.get("eventName")
    source = str(record.get("eventSource", ""))
    if not isinstance(name, str) or not source.endswith(".amazonaws.com"):
        raise UnreadableEventError("this is no CloudTrail event: it has no eventSource and eventName")
    principal_of_message, notes = _denial(record)
    principal, context, absent = _caller(record, principal_of_message)
    denial = _of_endpoint(record, principal_of_message, principal, name)
    base = _base(record, principal, context, absent)
    prefix = source.split(".", 1)[0]
    asked, further = _authorizations(record, base, name, _PREFIXES.get(prefix, prefix), denial)
    if any(item.vague for item in asked):
        further = (*further, UNTOLD)
    return Occurrence(
        asked,
        denial,
        name,
        denied=_was_denied(record),
        time=record.get("eventTime"),
        notes=(*notes, *further),
    )


def _records(document: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(document, list):
        for one in document:
            yield from _records(one)
        return
    if not isinstance(document, Mapping):
        raise UnreadableEventError("this is no CloudTrail event: it is no JSON object")
    for member in ("Records", "Events"):
        if isinstance(document.get(member), list):
            yield from _records(document[member])
            return
    for member in ("detail", "CloudTrailEvent", "DecodedMessage"):
        inner = document.get(member)
        if isinstance(inner, str):
            try:
                inner = json.loads(inner)
            except ValueError:
                inner = None
        if isinstance(inner, Mapping) and ("eventName" in inner or is_decoded(inner)):
            yield inner
            return
    yield document


def _was_denied(record: Mapping[str, Any]) -> bool:
    return any(word in str(record.get("errorCode", "")).lower() for word in _DENIED)


def _denial(record: Mapping[str, Any]) -> tuple[Denial | None, tuple[str, ...]]:
    message = record.get("errorMessage")
    if not isinstance(message, str):
        return None, ()
    try:
        denial = parse_denial(message)
    except UnreadableDenialError as error:
        # What it asks for is here already: the event.
        return None, () if "--event" in str(error) else (f"errorMessage: {error}",)
    return denial, ()


def _of_endpoint(
    record: Mapping[str, Any], denial: Denial | None, principal: str, name: str
) -> Denial | None:
    """What a network activity event says: the VPC endpoint's policy denied, in whatever words."""
    if record.get("errorCode") != "VpceAccessDenied":
        return denial
    if denial is None:
        prefix = str(record.get("eventSource", "")).split(".", 1)[0]
        return Denial(principal, _action(prefix, name), policy_type="vpc_endpoint", operation=name)
    return denial if denial.policy_type else replace(denial, policy_type="vpc_endpoint")


def _action(prefix: str, name: str) -> str:
    """Main action of an operation that an event names."""
    try:
        return actions_of(*find_operation(name, prefix))[0]
    except RingwallError:
        return f"{prefix}:{name}"


def _caller(
    record: Mapping[str, Any], denial: Denial | None
) -> tuple[str, dict[str, tuple[str, ...]], set[str]]:
    identity = record.get("userIdentity") or {}
    if not isinstance(identity, Mapping):
        raise UnreadableEventError("userIdentity is no object")
    principal = caller_of(identity) or (denial.principal if denial else None)
    if principal is None:
        raise UnreadableEventError(
            f"the event does not name its caller, only {caller_words(identity)}: the event in the caller's own account "
            f"does, and so does the message of the error"
        )
    context, absent = caller_context(identity)
    return principal, context, absent


def _base(
    record: Mapping[str, Any], principal: str, context: dict[str, tuple[str, ...]], absent: set[str]
) -> Asked:
    """What the event says of caller, way in and moment, whatever was asked."""
    _moment(str(record.get("eventTime", "")), context)
    endpoint = str(record.get("vpcEndpointId") or "")
    address = str(record.get("sourceIPAddress") or "")
    _network(endpoint, address, context, absent)
    if record.get("userAgent"):
        context["aws:useragent"] = (str(record["userAgent"]).strip("[]"),)
    if record.get("tlsDetails"):
        context["aws:securetransport"] = ("true",)
    if isinstance(record.get("awsRegion"), str):
        context["aws:requestedregion"] = (str(record["awsRegion"]),)
    return Asked(principal, "", "*", context, frozenset(absent), endpoint=endpoint)


def _network(endpoint: str, address: str, context: dict[str, tuple[str, ...]], absent: set[str]) -> None:
    numeric = address.replace(".", "").replace(":", "").isalnum() and any(mark in address for mark in ".:")
    is_address = numeric and not any(letter in "ghijklmnopqrstuvwxyz" for letter in address.lower())
    if is_address:
        context["aws:vpcsourceip" if endpoint else "aws:sourceip"] = (address,)
    absent.update({"aws:sourceip"} if endpoint else {"aws:vpcsourceip", "aws:sourcevpce", "aws:sourcevpc"})


def _moment(text: str, context: dict[str, tuple[str, ...]]) -> None:
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return
    context["aws:currenttime"] = (text,)
    context["aws:epochtime"] = (str(int(moment.timestamp())),)


def _authorizations(
    record: Mapping[str, Any], base: Asked, name: str, prefix: str, denial: Denial | None
) -> tuple[tuple[Asked, ...], tuple[str, ...]]:
    """What the call asked for: by its parameters, narrowed to what the message names."""
    parameters = record.get("requestParameters")
    notes: tuple[str, ...] = ()
    found: tuple[Asked, ...] = ()
    try:
        service, operation = find_operation(name, prefix)
        base = replace(base, service=service)
        if isinstance(parameters, Mapping):
            found = _resolved(record, base, service, operation, parameters)
        elif denial is None:
            notes = ("the event has no requestParameters",)
    except (RingwallError, ValueError) as error:
        notes = (f"the event's parameters do not tell what was asked for: {error}",)
    if denial is None:
        return _with_resources(found or (replace(base, action=_action(prefix, name)),), record), notes
    named = [item for item in found if _names(denial, item)]
    if named and denial.resource is not None:
        return tuple(named[:1]), notes
    if named:
        return _with_resources(named, record), notes
    (message_only,) = of_denial(denial).authorizations
    kept = {
        key: value
        for key, value in base.context.items()
        if key != "aws:requestedregion" or key not in message_only.context
    }
    asked = replace(
        base,
        action=denial.action,
        resource=message_only.resource,
        context={**kept, **message_only.context},
    )
    return _with_resources((asked,), record), notes


def _with_resources(found: Sequence[Asked], record: Mapping[str, Any]) -> tuple[Asked, ...]:
    """What was asked for of an unknown resource, about the one that the event lists if it is of the action's type."""
    listed = [one.get("ARN") for one in record.get("resources") or () if isinstance(one, Mapping)]
    arns = [arn for arn in listed if isinstance(arn, str)]
    return tuple(_with_resource(asked, arns) for asked in found)


def _with_resource(asked: Asked, arns: Sequence[str]) -> Asked:
    """What the parameters do not tell is ``*`` or ends in one, as in a call to decrypt, which need not name the key."""
    if "*" not in asked.resource or not is_about_a_resource(asked.action):
        return asked
    patterns = load().resource_patterns(asked.action)
    for arn in arns:
        if glob_matches(asked.resource, arn) and any(glob_matches(pattern, arn) for pattern in patterns):
            return replace(asked, resource=arn)
    return replace(asked, vague=asked.resource == "*")


def _resolved(
    record: Mapping[str, Any], base: Asked, service: str, operation: str, parameters: Mapping[str, Any]
) -> tuple[Asked, ...]:
    identity = record.get("userIdentity") or {}
    account = str(identity.get("accountId") or record.get("recipientAccountId") or "")
    region = str(record.get("awsRegion") or "us-east-1")
    spelled = dict(parameters)
    if service not in ("bedrock-runtime", "bedrock-agent-runtime"):
        # CloudTrail writes the first letter small; the services that spell it large are found by trying both.
        spelled |= {key[:1].upper() + key[1:]: value for key, value in parameters.items()}
        if "bucketName" in parameters:
            spelled.setdefault("Bucket", parameters["bucketName"])
    bearer = (record.get("additionalEventData") or {}).get("callWithBearerToken")
    parts = authorizations(
        service,
        operation,
        spelled,
        account=account,
        region=region,
        partition=partition_of(region),
        bearer_token="SHORT_TERM" if bearer else None,
    )
    return tuple(_asked(base, part) for part in parts)


def _asked(base: Asked, part: Authorization) -> Asked:
    absent = base.absent | ({"bedrock:inferenceprofilearn"} - set(part.context))
    return replace(
        base,
        action=part.action,
        resource=part.resource,
        resource_account=part.resource_account,
        context={**base.context, **part.context},
        absent=absent,
    )


def _names(denial: Denial, asked: Asked) -> bool:
    if denial.action.lower() != asked.action.lower():
        return False
    return denial.resource is None or denial.resource in (asked.resource, "*")
