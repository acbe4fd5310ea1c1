"""Requests, policy sets and decisions as JSON: the form that ``ringwall decide`` reads and writes.

The shapes stand in the contract of ``ringwall decide``. Context keys are case-insensitive; what the principal and the
resource determine is filled in unless the context gives it.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from ringwall.iam.arn import owner_of
from ringwall.iam.parser import PolicySyntaxError, parse_policy
from ringwall.iam.policy import Policy, PolicyLevel, PolicySet
from ringwall.iam.principal import Principal, PrincipalKind, parse_principal
from ringwall.iam.render import render_policy
from ringwall.iam.request import ANONYMOUS, Decision, Request

_REQUEST_FIELDS = frozenset({"principal", "action", "resource", "resource_account", "context"})
_POLICY_TYPES = ("identity", "permissions_boundary", "session", "resource", "scp", "rcp", "vpc_endpoint")
_PRINCIPAL_TYPES = {
    PrincipalKind.USER: "User",
    PrincipalKind.ROLE: "AssumedRole",
    PrincipalKind.ASSUMED_ROLE: "AssumedRole",
    PrincipalKind.FEDERATED_USER: "FederatedUser",
    PrincipalKind.ROOT: "Account",
    PrincipalKind.ANONYMOUS: "Anonymous",
}

ContextValues = tuple[tuple[str, tuple[str, ...]], ...]


class RequestError(ValueError):
    """A request or a policy set in JSON is malformed; the message says where and how."""


def request_from_json(value: Mapping[str, Any]) -> Request:
    """Read a request.

    Args:
        value: ``principal`` (absent or ``*`` = anonymous), ``action``, ``resource`` (absent = ``*``),
            ``resource_account``, ``context``.

    Returns:
        The request, with ``aws:PrincipalArn``, ``aws:PrincipalAccount``, ``aws:PrincipalType``,
        ``aws:PrincipalIsAWSService``, ``aws:PrincipalServiceName``, ``aws:username``, ``aws:userid`` and
        ``aws:ResourceAccount`` as far as principal and resource determine them and the context does not say otherwise
        (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html).

    Raises:
        RequestError: a field is missing, unknown or of the wrong type.
    """
    if not isinstance(value, Mapping):
        raise RequestError("a request must be an object")
    if not value.keys() <= _REQUEST_FIELDS:
        raise RequestError(_unknown("request", set(value) - _REQUEST_FIELDS, sorted(_REQUEST_FIELDS)))
    principal = _text(value.get("principal") or ANONYMOUS, "principal")
    action = _text(value.get("action"), "action")
    if ":" not in action:
        raise RequestError(f"action must be service:Name, not {action!r}")
    resource = _text(value.get("resource", "*"), "resource")
    account = value.get("resource_account")
    if account is not None:
        _text(account, "resource_account")
    given = context_from_json(value["context"]) if value.get("context") else {}
    return make_request(principal, action, resource, account, given)


def make_request(
    principal: str,
    action: str,
    resource: str,
    resource_account: str | None,
    context: Mapping[str, tuple[str, ...]],
) -> Request:
    """A request with the derived keys filled in; ``context`` has lower-cased keys and wins over them.

    Raises:
        RequestError: the principal cannot be read.
    """
    role_arn = context.get("aws:principalarn")
    try:
        derived, account = _derived(principal, role_arn[0] if role_arn else None)
    except ValueError as error:
        raise RequestError(f"principal: {error}") from None
    full = dict(derived)
    owner = resource_account or owner_of(resource) or account
    if owner is not None:
        full["aws:resourceaccount"] = (owner,)
    full.update(context)
    return Request(principal, action, resource, resource_account, full)


@lru_cache(maxsize=4096)
def _derived(principal: str, role_arn: str | None) -> tuple[ContextValues, str | None]:
    caller = parse_principal(principal, role_arn)
    keys = {
        "aws:principalarn": _principal_arn(caller),
        "aws:principalaccount": caller.account if caller.kind is not PrincipalKind.FEDERATED else None,
        "aws:principaltype": _PRINCIPAL_TYPES.get(caller.kind),
        "aws:principalisawsservice": "true" if caller.kind is PrincipalKind.SERVICE else "false",
        "aws:principalservicename": caller.name if caller.kind is PrincipalKind.SERVICE else None,
        "aws:username": caller.name if caller.kind is PrincipalKind.USER else None,
        "aws:userid": _user_id(caller),
    }
    return tuple((key, (text,)) for key, text in keys.items() if text is not None), caller.account


def _principal_arn(caller: Principal) -> str | None:
    if caller.kind is PrincipalKind.ROOT:
        return f"arn:{caller.partition}:iam::{caller.account}:root"
    if caller.kind in (PrincipalKind.USER, PrincipalKind.FEDERATED_USER):
        return caller.arn
    return caller.role_arn


def _user_id(caller: Principal) -> str | None:
    # Users' and roles' unique ids are not in their ARNs; these two are made of what is.
    if caller.kind is PrincipalKind.ROOT:
        return caller.account
    if caller.kind is PrincipalKind.FEDERATED_USER:
        return f"{caller.account}:{caller.name}"
    return "anonymous" if caller.kind is PrincipalKind.ANONYMOUS else None


def context_from_json(value: Any) -> dict[str, tuple[str, ...]]:
    """Read context keys: a string, number or boolean, or a list of them for multivalued keys.

    Raises:
        RequestError: a value is of another type, or a key stands twice in different case.
    """
    if not isinstance(value, Mapping):
        raise RequestError("context must be an object of condition keys")
    context: dict[str, tuple[str, ...]] = {}
    for key, item in value.items():
        if type(item) is str:
            context[key.lower()] = (item,)
        elif isinstance(item, list | tuple):
            context[key.lower()] = tuple(_scalar(part, key) for part in item)
        else:
            context[key.lower()] = (_scalar(item, key),)
    if len(context) != len(value):
        raise RequestError("context holds a key twice; keys do not differ by case")
    return context


def _scalar(value: Any, key: str) -> str:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return str(value)
    raise RequestError(
        f"context.{key} must be a string, number or boolean, or a list of them; leave absent keys out"
    )


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str) or not value:
        raise RequestError(
            f"{field} must be a string" if value is not None else f"the request has no {field}"
        )
    return value


def _unknown(what: str, found: set[str], known: Sequence[str]) -> str:
    name = min(map(str, found))
    close = difflib.get_close_matches(name, known, n=1)
    return f"{what} has no field {name!r}; " + (
        f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
    )


def policies_from_json(value: Mapping[str, Any]) -> PolicySet:
    """Read a policy set. A type that is absent (or null) does not apply; absent ``identity`` is an empty one.

    Raises:
        RequestError: the shape is wrong.
        PolicySyntaxError: a document is malformed; the message names the policy.
    """
    if not isinstance(value, Mapping):
        raise RequestError("policies must be an object of policy types")
    if not value.keys() <= set(_POLICY_TYPES):
        raise RequestError(_unknown("policies", set(value) - set(_POLICY_TYPES), _POLICY_TYPES))
    resource = value.get("resource")
    return PolicySet(
        identity=_policies(value.get("identity"), "identity") or (),
        permissions_boundary=_policies(value.get("permissions_boundary"), "permissions_boundary"),
        session=_policies(value.get("session"), "session"),
        resource=None if resource is None else _one_policy(resource, "resource", "resource"),
        scp=_levels(value.get("scp"), "scp"),
        rcp=_levels(value.get("rcp"), "rcp"),
        vpc_endpoint=_policies(value.get("vpc_endpoint"), "vpc_endpoint"),
    )


def _policies(value: Any, where: str) -> tuple[Policy, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list | tuple):
        raise RequestError(f'{where} must be a list of {{"name": ..., "document": ...}}')
    return tuple(
        _one_policy(item, f"{where}[{index}]", f"{where}-{index}") for index, item in enumerate(value)
    )


def _one_policy(value: Any, where: str, default_name: str) -> Policy:
    if not isinstance(value, Mapping) or "document" not in value:
        raise RequestError(f'{where} must be an object {{"name": ..., "document": ...}}')
    if not value.keys() <= {"name", "document"}:
        raise RequestError(_unknown(where, set(value) - {"name", "document"}, ("name", "document")))
    name = value.get("name")
    if name is not None and not isinstance(name, str):
        raise RequestError(f"{where}.name must be a string")
    try:
        return parse_policy(value["document"], name=name or default_name)
    except PolicySyntaxError as error:
        message = f"{where} ({name or default_name}): {error.message}"
        raise PolicySyntaxError(message, error.line, error.column, path=error.path) from None


def _levels(value: Any, where: str) -> tuple[PolicyLevel, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list | tuple) or not value:
        raise RequestError(
            f'{where} must be a list of {{"target": ..., "policies": [...]}}, root first, at least one'
        )
    return tuple(_level(item, f"{where}[{index}]") for index, item in enumerate(value))


def _level(value: Any, where: str) -> PolicyLevel:
    if not isinstance(value, Mapping) or not isinstance(value.get("target"), str) or "policies" not in value:
        raise RequestError(f'{where} must be an object {{"target": ..., "policies": [...]}}')
    if not value.keys() <= {"target", "policies"}:
        raise RequestError(_unknown(where, set(value) - {"target", "policies"}, ("target", "policies")))
    return PolicyLevel(value["target"], _policies(value["policies"], f"{where}.policies") or ())


def request_to_json(request: Request) -> dict[str, Any]:
    """The request as ``decide`` reads it; single values are plain strings."""
    value: dict[str, Any] = {
        "principal": request.principal,
        "action": request.action,
        "resource": request.resource,
    }
    if request.resource_account is not None:
        value["resource_account"] = request.resource_account
    value["context"] = {
        key: values[0] if len(values) == 1 else list(values)
        for key, values in sorted(request.context.items())
    }
    return value


def policies_to_json(policies: PolicySet) -> dict[str, Any]:
    """The policy set as ``decide`` reads it; types that do not apply are left out."""
    flat = {
        "identity": policies.identity,
        "permissions_boundary": policies.permissions_boundary,
        "session": policies.session,
        "vpc_endpoint": policies.vpc_endpoint,
    }
    value: dict[str, Any] = {
        name: [_policy_to_json(item) for item in listed]
        for name, listed in flat.items()
        if listed is not None
    }
    if policies.resource is not None:
        value["resource"] = _policy_to_json(policies.resource)
    for name, levels in (("scp", policies.scp), ("rcp", policies.rcp)):
        if levels is not None:
            value[name] = [
                {"target": level.target, "policies": [_policy_to_json(item) for item in level.policies]}
                for level in levels
            ]
    return value


def _policy_to_json(policy: Policy) -> dict[str, Any]:
    return {
        "name": policy.name,
        "document": dict(policy.document) if policy.document else render_policy(policy),
    }


def decision_to_json(decision: Decision) -> dict[str, Any]:
    """``decision``, ``because`` and ``missing`` of an answer; the caller adds the ``id``."""
    return {
        "decision": decision.outcome,
        "because": [
            {
                "policy_type": reason.policy_type,
                "policy": reason.policy,
                "statement": reason.statement,
                "effect": reason.effect,
            }
            for reason in decision.because
        ],
        "missing": list(decision.missing),
    }
