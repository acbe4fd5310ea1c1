"""Resource policies on guardrails and guardrail profiles, and the account's enforced guardrail configuration.

User guide: "Using resource-based policies for guardrails", "Apply safeguards with guardrail enforcements".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ringwall.catalog.models import tables
from ringwall.sandbox.bedrock.control.guardrails import find, not_found
from ringwall.sandbox.bedrock.faults import fault, invalid
from ringwall.sandbox.bedrock.state import new_id
from ringwall.sandbox.call import AwsError, Call, Output

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.sandbox.bedrock.scope import Operation, Scope

APPLY, GET = "bedrock:ApplyGuardrail", "bedrock:GetGuardrail"
_CONDITIONS = {
    "stringequals": frozenset({"aws:principalorgid"}),
    "foranyvalue:stringlike": frozenset({"aws:principalorgpaths"}),
}


_PROFILE = re.compile(
    r"arn:aws[\w-]*:bedrock:([\w-]+):(\d{12}):guardrail-profile/([a-z0-9-]+)[.]guardrail[.]v[0-9:]+"
)


class _Kept(Protocol):
    """Where the policy of a resource is kept."""

    arn: str
    resource_policy: str | None


@dataclass
class _ProfilePolicy:
    """The policy of a system-defined guardrail profile, which an account has in each Region of its geography."""

    arn: str
    policies: dict[str, str]

    @property
    def resource_policy(self) -> str | None:
        return self.policies.get(self.arn)

    @resource_policy.setter
    def resource_policy(self, text: str | None) -> None:
        self.policies.pop(self.arn, None)
        if text is not None:
            self.policies[self.arn] = text


def _owned(scope: Scope, call: Call, arn: str) -> _Kept:
    """What a policy operation names: a guardrail or guardrail profile of the caller's own account, in its Region."""
    profile = _PROFILE.fullmatch(arn)
    if profile is not None:
        region, account, prefix = profile.groups()
        geography = tables().geographies.get(prefix)
        if (region, account) == (call.region, call.account) and geography and region in geography.sources:
            return _ProfilePolicy(arn, scope.home(call).guardrail_profile_policies)
        raise not_found(call, arn)
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
        kept = _owned(scope, call, arn)
    except AwsError as error:
        raise invalid(f"The resource {arn} does not exist or cannot have a resource policy.") from error
    _check_policy(text, kept.arn, call.account)
    kept.resource_policy = text
    scope.platform.changed()
    return Output({"resourceArn": arn})


def get_policy(scope: Scope, call: Call) -> Output:
    """GetResourcePolicy."""
    kept = _owned(scope, call, call.parameters["resourceArn"])
    if kept.resource_policy is None:
        raise _no_policy(call)
    return Output({"resourcePolicy": kept.resource_policy})


def delete_policy(scope: Scope, call: Call) -> Output:
    """DeleteResourcePolicy."""
    kept = _owned(scope, call, call.parameters["resourceArn"])
    if kept.resource_policy is None:
        raise _no_policy(call)
    kept.resource_policy = None
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
    supported = [APPLY] if ":guardrail-profile/" in arn else [APPLY, GET]
    if not actions or not actions <= {action.lower() for action in supported}:
        return f"only {' and '.join(supported)} can be named."
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
