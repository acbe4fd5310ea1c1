"""API operations as the authorizer sees them: one call is one or several authorizations.

``authorizations("bedrock-runtime", "Converse", {...}, account=..., region=...)`` gives everything that IAM checks for
the call: the action on the inference profile, the action on the foundation model in every destination Region, and
``bedrock:ApplyGuardrail`` on the guardrail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ringwall.catalog.operations import control, runtime
from ringwall.catalog.operations.additions import additions
from ringwall.catalog.operations.authorization import (
    Authorization,
    Call,
    PathResolver,
    ProfileResolver,
    UnknownOperationError,
    UnresolvedModelError,
)
from ringwall.catalog.operations.exceptions import EXCEPTIONS
from ringwall.catalog.operations.names import find_operation, services
from ringwall.catalog.operations.resources import generic
from ringwall.catalog.operations.runtime import deciding
from ringwall.catalog.operations.storage import s3
from ringwall.catalog.reference import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "Authorization",
    "PathResolver",
    "ProfileResolver",
    "UnknownOperationError",
    "UnresolvedModelError",
    "actions_of",
    "authorizations",
    "deciding",
    "find_operation",
]

BearerToken = Literal["SHORT_TERM", "LONG_TERM"]


def actions_of(service: str, operation: str) -> tuple[str, ...]:
    """IAM actions of an operation itself, without those that its parameters add.

    Raises:
        UnknownOperationError: no service has the operation.
    """
    service, operation = find_operation(operation, service)
    exception = EXCEPTIONS.get(service, {}).get(operation)
    return exception or (f"{services()[service].prefix}:{operation}",)


def authorizations(
    service: str,
    operation: str,
    parameters: Mapping[str, Any],
    *,
    account: str,
    region: str,
    profiles: ProfileResolver | None = None,
    partition: str = "aws",
    bearer_token: BearerToken | None = None,
    paths: PathResolver | None = None,
) -> tuple[Authorization, ...]:
    """Everything that IAM checks when an API call is made.

    Args:
        service: botocore service name (``bedrock-runtime``) or IAM prefix.
        operation: operation in the API's or boto3's spelling (``Converse``, ``converse``).
        parameters: boto3's parameters.
        account: twelve-digit account of the caller.
        region: Region of the endpoint that is called.
        profiles: resolver for inference profiles, prompts and prompt routers of the account; without one, the
            tables of system-defined profiles answer.
        partition: ``aws``, ``aws-us-gov``, ...
        bearer_token: kind of Amazon Bedrock API key that signs the call, if one does.
        paths: path of an IAM entity by kind (``role``, ``user``, ``group``, ``policy``, ``instance-profile``) and
            name; without it every entity that the call does not create is taken to have the path ``/``.

    Returns:
        The authorizations in the order in which AWS's documentation lists them, without duplicates. The call is
        allowed if all of them are.

    Raises:
        UnknownOperationError: no service has the operation.
        UnresolvedModelError: the call names models that neither the resolver nor the tables know.
    """
    service, operation = find_operation(operation, service)
    prefix = services()[service].prefix
    call = Call(service, operation, prefix, parameters, account, region, partition, profiles, paths)
    found = {_identity(one): one for one in _all(call, bearer_token)}
    return tuple(found.values())


def _identity(one: Authorization) -> tuple[Any, ...]:
    return one.action, one.resource, tuple(sorted(one.context.items()))


def _own(call: Call) -> Iterator[Authorization]:
    """What the operation itself needs."""
    name = (call.service, call.operation)
    resolver = runtime.RESOLVERS.get(name) or control.RESOLVERS.get(name)
    if resolver:
        return resolver(call)
    actions = actions_of(call.service, call.operation)
    if call.service == "s3":
        return s3(call, actions)
    known = load().action(actions[0])
    if (
        call.prefix == "bedrock-mantle"
        and known
        and any(one.name == "project" for one in known.resource_types)
    ):
        return control.mantle(call, actions)
    return generic(call, actions)


def _all(call: Call, bearer_token: BearerToken | None) -> Iterator[Authorization]:
    yield from _own(call)
    yield from additions(call)
    action = f"{call.prefix}:CallWithBearerToken"
    if bearer_token and load().is_action(action):
        key = f"{call.prefix}:bearertokentype"
        yield Authorization(action, "*", {"aws:requestedregion": (call.region,), key: (bearer_token,)})
