"""Resource policies on guardrails, and the account's enforced guardrail configuration.

User guide: "Using resource-based policies for guardrails", "Apply safeguards with guardrail enforcements".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.control.guardrails import find, not_found
from ringwall.sandbox.bedrock.faults import fault, invalid
from ringwall.sandbox.bedrock.state import new_id
from ringwall.sandbox.call import AwsError, Call, Output

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.sandbox.bedrock.scope import Operation, Scope
    from ringwall.sandbox.bedrock.state import Guardrail

_ACTIONS = frozenset({"bedrock:applyguardrail", "bedrock:getguardrail"})
_CONDITIONS = {
    "stringequals": frozenset({"aws:principalorgid"}),
    "foranyvalue:stringlike": frozenset({"aws:principalorgpaths"}),
}


def _owned(scope: Scope, call: Call, arn: str) -> Guardrail:
    """The guardrail that a policy operation names; only its own account may name it."""
    if ":guardrail/" not in arn:
        raise invalid(f"The resource {arn} does not support resource-based policies.")
    guardrail = scope.state.find_guardrail(arn, call.account, call.region)
    if guardrail is None or guardrail.id not in scope.home(call).guardrails:
        raise not_found(call, arn)
    return guardrail


def put_policy(scope: Scope, call: Call) -> Output:
    """PutResourcePolicy: only sharing with the account itself or within one organization is accepted."""
    arn, text = call.parameters["resourceArn"], call.parameters["resourcePolicy"]
    try:
        guardrail = _owned(scope, call, arn)
    except AwsError as error:
        raise invalid(f"The resource {arn} does not exist or cannot have a resource policy.") from error
    _check_policy(text, guardrail.arn, call.account)
    guardrail.resource_policy = text
    scope.platform.changed()
    return Output({"resourceArn": arn})


def get_policy(scope: Scope, call: Call) -> Output:
    """GetResourcePolicy."""
    guardrail = _owned(scope, call, call.parameters["resourceArn"])
    if guardrail.resource_policy is None:
        raise _no_policy(call)
    return Output({"resourcePolicy": guardrail.resource_policy})


def delete_policy(scope: Scope, call: Call) -> Output:
    """DeleteResourcePolicy."""
    guardrail = _owned(scope, call, call.parameters["resourceArn"])
    if guardrail.resource_policy is None:
        raise _no_policy(call)
    guardrail.resource_policy = None
    scope.platform.changed()
    return Output({})


def _no_policy(call: Call) -> AwsError:
    return fault(
        "bedrock",
        "ResourceNotFoundException",
        f"The resource {call.parameters['resourceArn']} has no resource policy.",
    )


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _check_policy(text: str, arn: str, account: str) -> None:
    try:
        document = json.loads(text)
        statements = _listed(document["Statement"])
    except (ValueError, KeyError, TypeError) as error:
        raise invalid("The resource policy is not a valid JSON policy document.") from error
    for statement in statements:
        problem = _problem(statement, arn, account)
        if problem:
            raise invalid(f"The resource policy is not valid: {problem}")


def _problem(statement: Any, arn: str, account: str) -> str | None:
    """What AWS would not accept in a statement of a guardrail's policy."""
    if not isinstance(statement, dict) or statement.get("Effect") not in {"Allow", "Deny"}:
        return "every statement needs an Effect of Allow or Deny."
    actions = {str(action).lower() for action in _listed(statement.get("Action", []))}
    if not actions or not actions <= _ACTIONS:
        return "only the actions bedrock:ApplyGuardrail and bedrock:GetGuardrail are supported."
    if any(resource not in {arn, "*"} for resource in _listed(statement.get("Resource", "*"))):
        return f"its Resource must be {arn}."
    principal = statement.get("Principal")
    if principal in (
        {"AWS": f"arn:aws:iam::{account}:root"},
        {"AWS": account},
        {"AWS": [f"arn:aws:iam::{account}:root"]},
    ):
        return None
    if principal not in ("*", {"AWS": "*"}):
        return "its Principal must be the account's own root, or * with a condition on aws:PrincipalOrgID."
    return _condition_problem(statement.get("Condition") or {})


def _condition_problem(condition: Mapping[str, Any]) -> str | None:
    named = {operator.lower(): {key.lower() for key in tests} for operator, tests in condition.items()}
    if "aws:principalorgid" not in named.get("stringequals", set()):
        return "a Principal of * needs the condition StringEquals aws:PrincipalOrgID."
    if any(not keys <= _CONDITIONS.get(operator, frozenset()) for operator, keys in named.items()):
        return "only StringEquals aws:PrincipalOrgID and ForAnyValue:StringLike aws:PrincipalOrgPaths are supported."
    organizations = next(v for k, v in condition.items() if k.lower() == "stringequals")
    if any("*" in str(value) for tests in organizations.values() for value in _listed(tests)):
        return "aws:PrincipalOrgID must not hold a wildcard."
    return None


def put_enforced(scope: Scope, call: Call) -> Output:
    """PutEnforcedGuardrailConfiguration: at most one per account and Region, by numbered version."""
    home, given = scope.home(call), call.parameters["guardrailInferenceConfig"]
    guardrail = find(scope, call, given["guardrailIdentifier"])
    version = guardrail.version(given["guardrailVersion"])
    if version is None:
        raise not_found(call, given["guardrailIdentifier"], given["guardrailVersion"])
    if "automatedReasoningPolicyConfig" in version.configuration:
        raise invalid("Guardrails with automated reasoning policies cannot be enforced.")
    existing, config_id = home.enforced, call.parameters.get("configId")
    if config_id is not None and (existing is None or existing["configId"] != config_id):
        raise _no_configuration(config_id)
    if existing is not None and config_id is None:
        raise fault(
            "bedrock",
            "ConflictException",
            f"The enforced guardrail configuration {existing['configId']} exists. Give its configId to change it.",
        )
    now = scope.platform.now()
    created = existing or {"configId": new_id(12), "createdAt": now, "createdBy": call.principal}
    guarding = {
        "system": "COMPREHENSIVE",
        "messages": "COMPREHENSIVE",
        **(given.get("selectiveContentGuarding") or {}),
    }
    home.enforced = {
        "configId": created["configId"],
        "guardrailArn": guardrail.arn,
        "guardrailId": guardrail.id,
        "guardrailVersion": version.version,
        "inputTags": "IGNORE" if guarding["messages"] == "COMPREHENSIVE" else "HONOR",
        "selectiveContentGuarding": guarding,
        "createdAt": created["createdAt"],
        "createdBy": created["createdBy"],
        "updatedAt": now,
        "updatedBy": call.principal,
        "owner": "ACCOUNT",
        **({"modelEnforcement": given["modelEnforcement"]} if given.get("modelEnforcement") else {}),
    }
    return Output({"configId": created["configId"], "updatedAt": now, "updatedBy": call.principal})


def _no_configuration(config_id: str) -> AwsError:
    return fault(
        "bedrock",
        "ResourceNotFoundException",
        f"Enforced guardrail configuration {config_id} could not be found.",
    )


def list_enforced(scope: Scope, call: Call) -> Output:
    """ListEnforcedGuardrailsConfiguration."""
    enforced = scope.home(call).enforced
    return Output({"guardrailsConfig": [enforced] if enforced else []})


def delete_enforced(scope: Scope, call: Call) -> Output:
    """DeleteEnforcedGuardrailConfiguration."""
    home, config_id = scope.home(call), call.parameters["configId"]
    if home.enforced is None or home.enforced["configId"] != config_id:
        raise _no_configuration(config_id)
    home.enforced = None
    return Output({})


OPERATIONS: dict[str, Operation] = {
    "PutResourcePolicy": put_policy,
    "GetResourcePolicy": get_policy,
    "DeleteResourcePolicy": delete_policy,
    "PutEnforcedGuardrailConfiguration": put_enforced,
    "ListEnforcedGuardrailsConfiguration": list_enforced,
    "DeleteEnforcedGuardrailConfiguration": delete_enforced,
}
