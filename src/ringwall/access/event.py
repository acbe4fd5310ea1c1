"""A CloudTrail event, read as the request that it records.

Follows https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html. An
event of a denied call often has no ``requestParameters``; its message then names action and resource. Prompts never
are in it, and of the parameters only what CloudTrail shows: a guardrail that it does not show is unknown, not absent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ringwall.access.asked import Asked, Occurrence, of_denial
from ringwall.access.denial import Denial, UnreadableDenialError, parse_denial
from ringwall.catalog.operations import Authorization, authorizations, find_operation
from ringwall.errors import RingwallError

_DENIED = ("accessdenied", "unauthorized", "authorizationerror", "notauthorized")


class UnreadableEventError(RingwallError):
    """A document is no CloudTrail event, or not one of an AWS call."""


def occurrence_of(event: Mapping[str, Any]) -> Occurrence:
    """Read one event.

    Args:
        event: a record as CloudTrail delivers it; an EventBridge envelope (``detail``), a ``LookupEvents`` entry
            (``CloudTrailEvent``) and a log file with one record (``Records``) are opened.

    Raises:
        UnreadableEventError: it records no AWS call.
    """
    record = _opened(event)
    name = record.get("eventName")
    source = str(record.get("eventSource", ""))
    if not isinstance(name, str) or not source.endswith(".amazonaws.com"):
        raise UnreadableEventError("this is no CloudTrail event: it has no eventSource and eventName")
    denial, notes = _denial(record)
    principal = _principal(record, denial)
    base = _base(record, principal)
    asked, further = _authorizations(record, base, name, source.split(".", 1)[0], denial)
    return Occurrence(
        asked,
        denial,
        name,
        denied=any(word in str(record.get("errorCode", "")).lower() for word in _DENIED),
        time=record.get("eventTime"),
        notes=(*notes, *further),
    )


def _opened(event: Mapping[str, Any]) -> Mapping[str, Any]:
    for member in ("detail", "CloudTrailEvent"):
        inner = event.get(member)
        if isinstance(inner, str):
            try:
                inner = json.loads(inner)
            except ValueError:
                inner = None
        if isinstance(inner, Mapping) and "eventName" in inner:
            return inner
    records = event.get("Records")
    if isinstance(records, list):
        if len(records) != 1 or not isinstance(records[0], Mapping):
            raise UnreadableEventError(f"the file holds {len(records)} events: give one of them")
        return records[0]
    return event


def _denial(record: Mapping[str, Any]) -> tuple[Denial | None, tuple[str, ...]]:
    message = record.get("errorMessage")
    if not isinstance(message, str):
        return None, ()
    try:
        denial = parse_denial(message)
    except UnreadableDenialError as error:
        return None, (f"errorMessage: {error}",)
    if record.get("errorCode") == "VpceAccessDenied" and denial.policy_type is None:
        return replace(denial, policy_type="vpc_endpoint"), ()
    return denial, ()


def _principal(record: Mapping[str, Any], denial: Denial | None) -> str:
    identity = record.get("userIdentity") or {}
    if not isinstance(identity, Mapping):
        raise UnreadableEventError("userIdentity is no object")
    if isinstance(identity.get("arn"), str):
        return str(identity["arn"])
    if denial is not None:
        return denial.principal
    if identity.get("type") == "AWSService" and identity.get("invokedBy"):
        return str(identity["invokedBy"])
    issuer = (identity.get("sessionContext") or {}).get("sessionIssuer") or {}
    return str(issuer.get("arn") or "*")


def _base(record: Mapping[str, Any], principal: str) -> Asked:
    """What the event says of caller, way in and moment, whatever was asked."""
    context: dict[str, tuple[str, ...]] = {}
    absent: set[str] = set()
    _session(record.get("userIdentity") or {}, context, absent)
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


def _session(identity: Mapping[str, Any], context: dict[str, tuple[str, ...]], absent: set[str]) -> None:
    session = identity.get("sessionContext") or {}
    issuer, attributes = session.get("sessionIssuer") or {}, session.get("attributes") or {}
    if issuer.get("type") == "Role" and issuer.get("arn"):
        context["aws:principalarn"] = (str(issuer["arn"]),)
    if identity.get("principalId"):
        context["aws:userid"] = (str(identity["principalId"]),)
    if attributes.get("mfaAuthenticated") in ("true", "false"):
        context["aws:multifactorauthpresent"] = (str(attributes["mfaAuthenticated"]),)
    elif identity.get("type") == "IAMUser" and not session:
        absent.update(("aws:multifactorauthpresent", "aws:multifactorauthage"))
    if attributes.get("creationDate"):
        context["aws:tokenissuetime"] = (str(attributes["creationDate"]),)
    if session.get("sourceIdentity"):
        context["aws:sourceidentity"] = (str(session["sourceIdentity"]),)
    invoked_by = identity.get("invokedBy")
    context["aws:viaawsservice"] = ("true" if invoked_by else "false",)
    if invoked_by:
        context["aws:calledvialast"] = (str(invoked_by),)
    else:
        absent.update(("aws:calledvia", "aws:calledviafirst", "aws:calledvialast"))


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
        return found or (replace(base, action=f"{prefix}:{name}"),), notes
    named = [item for item in found if _names(denial, item)]
    if named:
        return tuple(named[:1]), notes
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
    return (asked,), notes


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
