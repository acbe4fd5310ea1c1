"""Writing policy documents: statements, documents, and packing them under AWS's size limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ringwall.errors import RingwallError
from ringwall.estate.model import canonical_json, substitute

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SCP_CHARACTERS = 10_240
"""Size of one service control policy (https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html)."""
ROLE_CHARACTERS = 10_240
"""Inline policies of one role together, white space not counted."""
LONGEST_REFERENCE = "x" * 90
"""Stands for a reference when sizes are taken: no ARN that one resolves to is longer."""

Value = Any
Statement = dict[str, Any]
Document = dict[str, Any]


def allow(
    sid: str,
    actions: str | Sequence[str],
    resources: Value = "*",
    condition: Mapping[str, Any] | None = None,
    *,
    principal: Value = None,
) -> Statement:
    """An Allow statement; trust policies pass ``None`` for the resource, which they do not have."""
    return _statement("Allow", sid, {"Action": actions, "Resource": resources}, condition, principal)


def deny(
    sid: str,
    actions: str | Sequence[str],
    resources: Value = "*",
    condition: Mapping[str, Any] | None = None,
    *,
    principal: Value = None,
    not_resources: Value = None,
) -> Statement:
    """A Deny statement; ``not_resources`` takes the place of ``resources``."""
    what = {"NotResource": not_resources} if not_resources is not None else {"Resource": resources}
    return _statement("Deny", sid, {"Action": actions, **what}, condition, principal)


def _statement(
    effect: Literal["Allow", "Deny"],
    sid: str,
    what: Mapping[str, Any],
    condition: Mapping[str, Any] | None,
    principal: Value,
) -> Statement:
    statement: Statement = {"Sid": sid, "Effect": effect}
    if principal is not None:
        statement["Principal"] = principal
    statement.update({name: _plain(value) for name, value in what.items() if value is not None})
    if condition:
        statement["Condition"] = {operator: dict(tests) for operator, tests in condition.items()}
    return statement


def _plain(value: Value) -> Value:
    return list(value) if isinstance(value, tuple) else value


def document(*statements: Statement) -> Document:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def size(policy: Document) -> int:
    """Characters of a document as it is sent, with room for what references resolve to."""
    return len(canonical_json(substitute(policy, lambda _: LONGEST_REFERENCE)))


def pack(name: str, statements: Iterable[Statement], *, limit: int = SCP_CHARACTERS) -> tuple[Document, ...]:
    """Spread statements over as few documents as the limit allows, in order.

    Raises:
        RingwallError: if one statement alone is too long (a very long list of models).
    """
    documents: list[list[Statement]] = [[]]
    for statement in statements:
        if size(document(statement)) > limit:
            raise RingwallError(
                f"{name}: statement {statement['Sid']} is longer than the {limit} characters that AWS allows; "
                "declare fewer of the models, principals or Regions that it lists"
            )
        if documents[-1] and size(document(*documents[-1], statement)) > limit:
            documents.append([])
        documents[-1].append(statement)
    return tuple(document(*part) for part in documents)


def unless(*principals: str) -> dict[str, dict[str, list[str]]]:
    """Condition that exempts principals by ARN pattern; empty without any."""
    return {"ArnNotLike": {"aws:PrincipalArn": list(principals)}} if principals else {}
