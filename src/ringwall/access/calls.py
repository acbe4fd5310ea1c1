"""Requests that name an operation in place of an action: the authorizations that they stand for.

``{"operation": "Converse", "parameters": {...}}`` with ``principal`` and ``context`` of the contract of ``ringwall
decide``. Beside these a request may hold ``account`` (the caller's, where the principal has none) and ``models``: what
names of the account stand for, as ``GetInferenceProfile``, ``GetPrompt``, ``GetPromptRouter`` and ``GetGuardrail``
tell (ARN -> list of model identifiers, or of guardrail profiles). It wins over the tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ringwall.access.asked import NETWORK_KEYS
from ringwall.catalog import load, profiles
from ringwall.catalog.operations import Authorization, ProfileResolver, authorizations, find_operation
from ringwall.catalog.operations.authorization import is_arn, region_of
from ringwall.catalog.operations.checks import check
from ringwall.catalog.operations.names import services
from ringwall.catalog.partitions import partition_of
from ringwall.iam.codec import RequestError, context_from_json
from ringwall.iam.principal import parse_principal

Values = Mapping[str, tuple[str, ...]]

_FIELDS = ("principal", "operation", "parameters", "context", "account", "models")
_REGION = "aws:requestedregion"
# Parameters that name a model or another resource of the call's own Region.
_PLACED = ("modelId", "foundationModel", "guardrailIdentifier", "knowledgeBaseId", "flowIdentifier")


@dataclass(frozen=True, slots=True)
class Part:
    """One authorization of a call.

    Attributes:
        authorization: action and resource.
        context: the caller's keys and those that the call determines.
        forwarded: whether a service makes it for the caller, from its own network: it does not come through the
            caller's VPC endpoint (https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html).
    """

    authorization: Authorization
    context: Values
    forwarded: bool


@dataclass(frozen=True, slots=True)
class OperationCall:
    """A call that a request describes.

    Attributes:
        principal: who calls.
        service: botocore service name.
        operation: operation in the API's spelling.
        parts: its authorizations, in AWS's order.
        notes: what was taken for granted, in words.
    """

    principal: str
    service: str
    operation: str
    parts: tuple[Part, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """What the request itself says that names stand for, then what another resolver knows."""

    given: Mapping[str, tuple[str, ...]]
    otherwise: ProfileResolver | None = None

    def models(self, arn: str, region: str) -> tuple[str, ...] | None:
        """See :class:`ringwall.catalog.operations.ProfileResolver`."""
        found = self.given.get(arn)
        if found is None and self.otherwise is not None:
            found = self.otherwise.models(arn, region)
        return found


def read_call(request: Mapping[str, Any], resolver: ProfileResolver | None = None) -> OperationCall:
    """Read a request that names an operation.

    Args:
        request: as decoded JSON.
        resolver: knows what names of the account stand for; the request's own ``models`` win over it.

    Raises:
        RequestError: a member of the request is missing, unknown or wrong.
        RingwallError: the operation is unknown, its parameters are not those that it has, or it names a model that
            nobody here knows.
    """
    unknown = [name for name in request if name not in _FIELDS]
    if unknown:
        near = get_close_matches(unknown[0], _FIELDS, n=1)
        hint = (
            f"; did you mean {near[0]}?" if near else f"; a request of an operation has {', '.join(_FIELDS)}"
        )
        raise RequestError(f"request has no field {unknown[0]}{hint}")
    service, operation = find_operation(_text(request, "operation"))
    parameters = _object(request, "parameters")
    check(service, operation, parameters)
    context = context_from_json(_object(request, "context"))
    principal = str(request.get("principal") or "*")
    who = parse_principal(principal)
    region = _region(parameters, context, service)
    account = str(request.get("account") or who.account or "")
    if not account:
        raise RequestError(f"an operation by {principal} needs an account: name it as request.account")
    partition = partition_of(region)
    if who.account and who.partition and who.partition != partition:
        raise RequestError(f"{principal} is of partition {who.partition}, but {region} is of {partition}")
    parts = authorizations(
        service,
        operation,
        parameters,
        account=account,
        region=region,
        partition=partition,
        profiles=Named(_models(request), resolver),
        bearer_token=_bearer(context, services()[service].prefix),
    )
    return OperationCall(
        principal,
        service,
        operation,
        tuple(Part(one, _of_part(context, one), _forwarded(one)) for one in parts),
        tuple(dict.fromkeys(_notes(parts, request))),
    )


def _of_part(context: Values, part: Authorization) -> Values:
    """The caller's context for one authorization: less the keys that it cannot carry, with those that it determines."""
    catalog = load()
    kept = {
        key: value
        for key, value in context.items()
        if key.startswith("aws:") or catalog.carries(part.action, key) or catalog.key_type(key) is None
    }
    if _forwarded(part):
        kept = {key: value for key, value in kept.items() if key not in NETWORK_KEYS}
    return {**kept, **part.context}


def _forwarded(part: Authorization) -> bool:
    return part.context.get("aws:viaawsservice") == ("true",)


def _region(parameters: Mapping[str, Any], context: Values, service: str) -> str:
    """The Region that is called: the context's, else that of an ARN which the call names."""
    named = {
        name: region_of(parameters[name])
        for name in _PLACED
        if isinstance(parameters.get(name), str) and is_arn(parameters[name]) and region_of(parameters[name])
    }
    given = context.get(_REGION)
    if given is None:
        if not named:
            raise RequestError(
                "an operation needs aws:RequestedRegion in its context: the Region that is called"
            )
        return next(iter(named.values()))
    if service == "bedrock-runtime" and "modelId" in named and named["modelId"] != given[0]:
        raise RequestError(
            f"modelId is of {named['modelId']}, but the call goes to {given[0]} (aws:RequestedRegion): Bedrock takes "
            f"ARNs of the Region that is called"
        )
    return given[0]


def _bearer(context: Values, prefix: str) -> Any:
    """The kind of API key that signs the call, where the context gives ``bedrock:BearerTokenType``."""
    value = context.get(f"{prefix}:bearertokentype")
    if value is None:
        return None
    if value[0] not in ("SHORT_TERM", "LONG_TERM"):
        raise RequestError(f"{prefix}:BearerTokenType is SHORT_TERM or LONG_TERM, not {value[0]!r}")
    return value[0]


def _models(request: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for arn, listed in _object(request, "models").items():
        if not isinstance(listed, list) or not listed or not all(isinstance(one, str) for one in listed):
            raise RequestError(f"models of {arn} must be a list of model identifiers")
        found[str(arn)] = tuple(listed)
    return found


def _notes(parts: tuple[Authorization, ...], request: Mapping[str, Any]) -> Iterator[str]:
    given = _object(request, "models")
    for part in parts:
        name = part.resource
        if profiles.is_profile(name) and name not in given and not profiles.is_listed(name):
            yield (
                f"the tables do not list {profiles.profile_id(name)}: the Regions of its geography are taken for its "
                f"destinations; give those that GetInferenceProfile tells as request.models"
            )
        if not load().is_action(part.action):
            yield f"the reference does not list {part.action}: it is taken to be asked for on every resource"


def _text(request: Mapping[str, Any], name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str):
        raise RequestError(f"{name} must be a string")
    return value


def _object(request: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = request.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise RequestError(f"{name} must be an object")
    return value
