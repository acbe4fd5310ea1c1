"""Requests, policy sets and decisions as JSON: the form that ``ringwall decide`` reads and writes.

The shapes stand in the contract of ``ringwall decide``. Context keys are case-insensitive; what the principal and the
resource determine is filled in unless the context gives it.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

from ringwall.iam.arn import is_account_id, owner_of
from ringwall.iam.parser import PolicySyntaxError, parse_policy
from ringwall.iam.policy import Policy, PolicyLevel, PolicySet
from ringwall.iam.principal import Principal, PrincipalKind, parse_principal
from ringwall.iam.render import render_policy
from ringwall.iam.request import ANONYMOUS, Decision, Request
from ringwall.iam.text import is_text, shown

_ACTION = re.compile(r"[^\s:*?]+:[^\s:*?]+")
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

# Callers whose requests no AWS credentials sign: sts:AssumeRoleWithWebIdentity and WithSAML take none either.
_UNSIGNED = frozenset({PrincipalKind.ANONYMOUS, PrincipalKind.FEDERATED})

ContextValues = tuple[tuple[str, tuple[str, ...]], ...]


class RequestError(ValueError):
    """A request or a policy set in JSON is malformed; the message says where and how."""


def request_from_json(value: Mapping[str, Any]) -> Request:
    """Read a request.

    Args:
        value: ``principal`` (absent or ``*`` = anonymous), ``action``, ``resource`` (absent = ``*``),
            ``resource_account``, ``context``. A field that is null counts as absent.

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
    principal = ANONYMOUS if (found := value.get("principal")) is None else _text(found, "principal")
    action = _text(value.get("action"), "action")
    if not _is_action(action):
        raise RequestError(f"action must be one action, service:Name without wildcards, not {shown(action)}")
    resource = "*" if (found := value.get("resource")) is None else _text(found, "resource")
    account = value.get("resource_account")
    if account is not None and not is_account_id(_text(account, "resource_account")):
        raise RequestError(f"resource_account must be twelve digits, not {shown(account)}")
    context = value.get("context")
    given = {} if context is None else context_from_json(context)
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
    service = caller.kind is PrincipalKind.SERVICE
    keys = {
        "aws:principalarn": _principal_arn(caller),
        "aws:principalaccount": _principal_account(caller),
        "aws:principaltype": _PRINCIPAL_TYPES.get(caller.kind),
        "aws:principalisawsservice": None if caller.kind in _UNSIGNED else "true" if service else "false",
        "aws:principalservicename": caller.name if service else None,
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


def _principal_account(caller: Principal) -> str | None:
    if caller.kind is PrincipalKind.ANONYMOUS:
        return "anonymous"
    return None if caller.kind is PrincipalKind.FEDERATED else caller.account


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
        if not isinstance(key, str) or not (key.isascii() or is_text(key)):
            raise RequestError(f"context has the key {shown(key)}, which is no text")
        if type(item) is str and item.isascii():
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
        if is_text(value):
            return str(value)
        raise RequestError(f"context.{key[:64]} holds half of a surrogate pair, which is no character")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return _number(value, key)
    raise RequestError(
        f"context.{key[:64]} must be a string, number or boolean, or a list of them; leave absent keys out"
    )


def _number(value: float, key: str) -> str:
    try:
        return str(value)
    except ValueError:  # Python refuses to write out integers of thousands of digits
        raise RequestError(f"context.{key[:64]} is a number with too many digits") from None


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str) or not value:
        raise RequestError(
            f"{field} must be a string that is not empty"
            if value is not None
            else f"the request has no {field}"
        )
    if not value.isascii() and not is_text(value):
        raise RequestError(f"{field} holds half of a surrogate pair, which is no character")
    return value


@lru_cache(maxsize=4096)
def _is_action(text: str) -> bool:
    return _ACTION.fullmatch(text) is not None


def _unknown(what: str, found: set[str], known: Sequence[str]) -> str:
    name = min(map(str, found))
    close = difflib.get_close_matches(name[:64], known, n=1)
    return f"{what} has no field {shown(name)}; " + (
        f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
    )


class ParsePolicy(Protocol):
    """What makes a policy of a document, as :func:`ringwall.iam.parser.parse_policy` does."""

    def __call__(self, document: Any, *, name: str) -> Policy:
        """Parse, or raise :class:`PolicySyntaxError`."""


def policies_from_json(value: Mapping[str, Any], *, parse: ParsePolicy = parse_policy) -> PolicySet:
    """Read a policy set. A type that is absent (or null) does not apply; absent ``identity`` is an empty one.

    Args:
        value: policies by type.
        parse: parses each document.

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
        identity=_policies(value.get("identity"), "identity", parse) or (),
        permissions_boundary=_policies(value.get("permissions_boundary"), "permissions_boundary", parse),
        session=_policies(value.get("session"), "session", parse),
        resource=None if resource is None else _one_policy(resource, "resource", "resource", parse),
        scp=_levels(value.get("scp"), "scp", parse),
        rcp=_levels(value.get("rcp"), "rcp", parse),
        vpc_endpoint=_policies(value.get("vpc_endpoint"), "vpc_endpoint", parse),
    )


def _policies(value: Any, where: str, parse: ParsePolicy) -> tuple[Policy, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list | tuple):
        raise RequestError(f'{where} must be a list of {{"name": ..., "document": ...}}')
    return tuple(
        _one_policy(item, f"{where}[{index}]", f"{where}-{index}", parse) for index, item in enumerate(value)
    )


def _one_policy(value: Any, where: str, default_name: str, parse: ParsePolicy) -> Policy:
    if not isinstance(value, Mapping) or "document" not in value:
        raise RequestError(f'{where} must be an object {{"name": ..., "document": ...}}')
    if not value.keys() <= {"name", "document"}:
        raise RequestError(_unknown(where, set(value) - {"name", "document"}, ("name", "document")))
    name = value.get("name")
    if name is not None and not _is_name(name):
        raise RequestError(f"{where}.name must be a string")
    try:
        return parse(value["document"], name=name or default_name)
    except PolicySyntaxError as error:
        message = f"{where} ({(name or default_name)[:64]}): {error.message}"
        raise PolicySyntaxError(message, error.line, error.column, path=error.path) from None


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and is_text(value)


def _levels(value: Any, where: str, parse: ParsePolicy) -> tuple[PolicyLevel, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list | tuple) or not value:
        raise RequestError(
            f'{where} must be a list of {{"target": ..., "policies": [...]}}, root first, at least one'
        )
    return tuple(_level(item, f"{where}[{index}]", parse) for index, item in enumerate(value))


def _level(value: Any, where: str, parse: ParsePolicy) -> PolicyLevel:
    if not isinstance(value, Mapping) or not _is_name(value.get("target")) or "policies" not in value:
        raise RequestError(f'{where} must be an object {{"target": ..., "policies": [...]}}')
    if not value.keys() <= {"target", "policies"}:
        raise RequestError(_unknown(where, set(value) - {"target", "policies"}, ("target", "policies")))
    return PolicyLevel(value["target"], _policies(value["policies"], f"{where}.policies", parse) or ())


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
