"""A parsed policy back to its JSON form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ringwall.iam.policy import ConditionTest, Policy, PrincipalElement, Statement


def render_policy(policy: Policy) -> dict[str, Any]:
    """The policy as a JSON object in canonical form: lists everywhere, the version always written."""
    head: dict[str, Any] = {"Version": policy.version}
    if policy.id is not None:
        head["Id"] = policy.id
    return {**head, "Statement": [_statement(statement) for statement in policy.statements]}


def operator_text(test: ConditionTest) -> str:
    """The operator as a policy writes it: ``ForAllValues:StringLikeIfExists``."""
    prefix = f"{test.qualifier}:" if test.qualifier else ""
    return f"{prefix}{test.operator}{'IfExists' if test.if_exists else ''}"


def _statement(statement: Statement) -> dict[str, Any]:
    rendered: dict[str, Any] = {} if statement.sid is None else {"Sid": statement.sid}
    rendered["Effect"] = str(statement.effect)
    elements: Mapping[str, Any] = {
        "Principal": _principal(statement.principal),
        "NotPrincipal": _principal(statement.not_principal),
        "Action": _list(statement.actions),
        "NotAction": _list(statement.not_actions),
        "Resource": _list(statement.resources),
        "NotResource": _list(statement.not_resources),
    }
    rendered.update({name: value for name, value in elements.items() if value is not None})
    if statement.conditions:
        rendered["Condition"] = _conditions(statement.conditions)
    return rendered


def _list(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)


def _principal(element: PrincipalElement | None) -> Any:
    if element is None:
        return None
    if element.anyone:
        return "*"
    kinds = {
        "AWS": element.aws,
        "Service": element.service,
        "Federated": element.federated,
        "CanonicalUser": element.canonical_user,
    }
    return {kind: list(values) for kind, values in kinds.items() if values}


def _conditions(tests: tuple[ConditionTest, ...]) -> dict[str, dict[str, list[str]]]:
    rendered: dict[str, dict[str, list[str]]] = {}
    for test in tests:
        rendered.setdefault(operator_text(test), {})[test.key] = list(test.values)
    return rendered
