"""Guardrails that Bedrock itself applies to every call, as resources.

For the account: the pinned guardrail's numbered version, and a policy of the guardrail that lets its own account apply
it. For the organization: a Bedrock policy that names a guardrail of the management account
(https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-enforcements.html,
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_bedrock_syntax.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.controls import names, scp
from ringwall.controls.documents import allow, document
from ringwall.estate.model import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.perimeter.model import Perimeter

CONFIGURATION = "AWS::Bedrock::EnforcedGuardrailConfiguration"
ENFORCED = "enforced-guardrail/main"
ORGANIZATION_POLICY = "bedrock-policy/guardrail"
APPLY = ("bedrock:ApplyGuardrail", "bedrock:GetGuardrail")
"""The only actions that a guardrail's own policy may name."""


def enforced(perimeter: Perimeter) -> list[Any]:
    """ARNs that every call is authorized to apply because a guardrail is enforced on it; may hold references."""
    pinned = [
        names.guardrail_arn(perimeter),
        *names.guardrail_profiles(perimeter, perimeter.guardrail),
    ]
    return [*(pinned if perimeter.enforcement.account else ()), *names.organization_guardrail(perimeter)]


def resources(perimeter: Perimeter) -> Iterator[Resource]:
    """What the declaration enforces; nothing by default."""
    if perimeter.enforcement.account:
        yield _shared_with_itself(perimeter)
        yield _configuration(perimeter)
    if perimeter.enforcement.organization is not None:
        yield organization_policy(perimeter)


def _shared_with_itself(perimeter: Perimeter) -> Resource:
    """A policy that leaves it to the account's identity policies, which is the widest form that stays in the account."""
    root = f"arn:{perimeter.partition}:iam::{perimeter.account}:root"
    arn = names.guardrail_arn(perimeter)
    return Resource(
        type="AWS::Bedrock::ResourcePolicy",
        account=perimeter.account,
        region=perimeter.regions.source,
        id=f"resource-policy/{perimeter.guardrail.name}",
        properties={
            "ResourceArn": arn,
            "PolicyDocument": document(allow("OwnAccountApplies", APPLY, arn, principal={"AWS": root})),
        },
    )


def _configuration(perimeter: Perimeter) -> Resource:
    """After every role that makes calls: one without ApplyGuardrail is refused from this moment on."""
    return Resource(
        type=CONFIGURATION,
        account=perimeter.account,
        region=perimeter.regions.source,
        id=ENFORCED,
        properties={"GuardrailInferenceConfig": configuration(perimeter)},
        depends_on=(
            f"resource-policy/{perimeter.guardrail.name}",
            *(f"role/{name}" for name in perimeter.uses),
            *(f"role/kb-{name}" for name in perimeter.knowledge_bases),
        ),
    )


def configuration(perimeter: Perimeter) -> dict[str, Any]:
    """What is enforced in the account, in CloudFormation's names."""
    declared = perimeter.enforcement
    return {
        "GuardrailIdentifier": names.guardrail_arn(perimeter),
        "GuardrailVersion": names.pinned_version(perimeter),
        "SelectiveContentGuarding": {
            "System": declared.system.upper(),
            "Messages": declared.messages.upper(),
        },
        "ModelEnforcement": {
            "IncludedModels": list(declared.included_models),
            "ExcludedModels": list(declared.excluded_models),
        },
    }


def organization_policy(perimeter: Perimeter) -> Resource:
    """The organization's Bedrock policy. Parents' and children's merge into one; nothing else may assign the same."""
    declared, enforced = perimeter.enforcement, perimeter.enforcement.organization
    if enforced is None:
        msg = "the declaration enforces nothing for the organization"
        raise ValueError(msg)
    rules = {
        "identifier": _assign(f"{enforced.guardrail}:{enforced.version}"),
        "selective_content_guarding": {
            "system": _assign(declared.system),
            "messages": _assign(declared.messages),
        },
        "model_enforcement": {
            "included_models": _assign(list(declared.included_models)),
            "excluded_models": _assign(list(declared.excluded_models)),
        },
    }
    content = {"bedrock": {"guardrail_inference": {perimeter.regions.source: {"config_1": rules}}}}
    return Resource(
        type=scp.TYPE,
        account=perimeter.organization.management_account,
        region="global",
        id=ORGANIZATION_POLICY,
        properties={
            "Name": scp.policy_name(perimeter, "enforced-guardrail", shared=True),
            "Description": "Every inference call is held to the organization's guardrail",
            "Type": "BEDROCK_POLICY",
            "Content": content,
            "TargetIds": [scp.target(perimeter, shared=True)],
        },
    )


def _assign(value: Any) -> dict[str, Any]:
    return {"@@assign": value}
