"""What is claimed of a perimeter, in IAM's own language.

A *never* claim says that no request of its shape is allowed; a *can* claim says that at least one is. Their parts are
written as the elements of a statement are (``Action``, ``Resource``, ``Condition``, ...) and are read by the same
parser, so a claim means what the same words mean in a policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ringwall.iam.parser import parse_policy

if TYPE_CHECKING:
    from ringwall.iam.policy import ConditionTest, Statement

ClaimKind = Literal["never", "can"]

KINDS: tuple[ClaimKind, ...] = ("never", "can")
_PARTS = frozenset(
    {
        "Action", "NotAction", "Operation", "Resource", "NotResource",
        "Condition", "Principal", "NotPrincipal",
    }
)  # fmt: skip
_TITLES = frozenset({"name", "title"})


class ClaimSyntaxError(ValueError):
    """A claim is malformed; the message says which part and what it may be."""


@dataclass(frozen=True)
class Claim:
    """One claim.

    Attributes:
        kind: ``never`` (no such request is allowed) or ``can`` (at least one is).
        actions: action patterns of the requests it speaks of; ``None`` with ``not_actions`` and ``operation`` also
            ``None`` means every action.
        not_actions: patterns of the actions that it does not speak of.
        operation: an API operation as ``service:Operation`` or a bare name (``Converse``): the claim then speaks of a
            call, which is allowed when every authorization of it is.
        resources: resource patterns; ``None`` = every resource.
        not_resources: patterns of the resources that it does not speak of.
        conditions: further conditions on the request; all must hold.
        principals: whose requests it speaks of, in a claim over an Estate.
        not_principals: whose requests it does not speak of.
        name: slug by which reports call the claim.
        title: one sentence for people.
    """

    kind: ClaimKind
    actions: tuple[str, ...] | None = None
    not_actions: tuple[str, ...] | None = None
    operation: str | None = None
    resources: tuple[str, ...] | None = None
    not_resources: tuple[str, ...] | None = None
    conditions: tuple[ConditionTest, ...] = ()
    principals: tuple[str, ...] | None = None
    not_principals: tuple[str, ...] | None = None
    name: str = ""
    title: str = ""


def claim_from_json(value: Mapping[str, Any]) -> Claim:
    """Read ``{"never": {...}}`` or ``{"can": {...}}``, with optional ``name`` and ``title`` beside it.

    Raises:
        ClaimSyntaxError: a part is unknown, missing or of the wrong shape.
        PolicySyntaxError: an element is not what IAM's grammar allows.
    """
    kinds = [kind for kind in KINDS if kind in value]
    if len(kinds) != 1:
        raise ClaimSyntaxError("a claim holds exactly one of: never, can")
    unknown = sorted(set(value) - _TITLES - set(KINDS))
    if unknown:
        raise ClaimSyntaxError(f"{unknown[0]} is no part of a claim; beside {kinds[0]} stand name and title")
    kind = kinds[0]
    body = value[kind]
    if not isinstance(body, Mapping):
        raise ClaimSyntaxError(
            f"{kind} holds an object such as {{Action: ..., Resource: ..., Condition: ...}}"
        )
    return _claim(kind, body, str(value.get("name", "")), str(value.get("title", "")))


def _claim(kind: ClaimKind, body: Mapping[str, Any], name: str, title: str) -> Claim:
    unknown = sorted(set(body) - _PARTS)
    if unknown:
        raise ClaimSyntaxError(f"{unknown[0]} is no part of a claim; parts are {', '.join(sorted(_PARTS))}")
    for one, other in (("Action", "NotAction"), ("Action", "Operation"), ("NotAction", "Operation"),
                       ("Resource", "NotResource"), ("Principal", "NotPrincipal")):  # fmt: skip
        if one in body and other in body:
            raise ClaimSyntaxError(f"a claim holds {one} or {other}, not both")
    operation = body.get("Operation")
    if operation is not None and not isinstance(operation, str):
        raise ClaimSyntaxError("Operation is one API operation, such as bedrock-runtime:Converse")
    statement = _statement(body)
    has_action = "Action" in body
    return Claim(
        kind=kind,
        actions=statement.actions if has_action else None,
        not_actions=statement.not_actions,
        operation=operation,
        resources=statement.resources if "Resource" in body else None,
        not_resources=statement.not_resources,
        conditions=statement.conditions,
        principals=_principals(body.get("Principal")),
        not_principals=_principals(body.get("NotPrincipal")),
        name=name,
        title=title,
    )


def _statement(body: Mapping[str, Any]) -> Statement:
    """The claim's elements as IAM's parser reads them in a statement; what is absent is ``*``."""
    elements = {
        key: body[key]
        for key in ("Action", "NotAction", "Resource", "NotResource", "Condition")
        if key in body
    }
    if "Action" not in elements and "NotAction" not in elements:
        elements["Action"] = "*"
    if "Resource" not in elements and "NotResource" not in elements:
        elements["Resource"] = "*"
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **elements}]}
    return parse_policy(document, name="claim").statements[0]


def _principals(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    if isinstance(value, str):
        return (value,)
    if isinstance(value, Mapping):
        return tuple(arn for part in value.values() for arn in _principals(part) or ())
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise ClaimSyntaxError("Principal is an ARN, a list of ARNs or an object such as {AWS: ...}")


def claim_to_json(claim: Claim) -> dict[str, Any]:
    """The inverse of :func:`claim_from_json`."""
    body: dict[str, Any] = {}
    for element, values in (
        ("Principal", claim.principals),
        ("NotPrincipal", claim.not_principals),
        ("Action", claim.actions),
        ("NotAction", claim.not_actions),
        ("Resource", claim.resources),
        ("NotResource", claim.not_resources),
    ):
        if values is not None:
            body[element] = list(values)
    if claim.operation is not None:
        body["Operation"] = claim.operation
    if claim.conditions:
        body["Condition"] = _conditions_to_json(claim.conditions)
    titles = {key: text for key, text in (("name", claim.name), ("title", claim.title)) if text}
    return {**titles, claim.kind: body}


def _conditions_to_json(tests: tuple[ConditionTest, ...]) -> dict[str, dict[str, list[str]]]:
    block: dict[str, dict[str, list[str]]] = {}
    for test in tests:
        qualifier = f"{test.qualifier}:" if test.qualifier else ""
        operator = f"{qualifier}{test.operator}{'IfExists' if test.if_exists else ''}"
        block.setdefault(operator, {})[test.key] = list(test.values)
    return block
