"""The names that a declaration determines: ARNs of models and profiles, of roles, buckets and log groups.

Everything here is literal text that is known before anything is deployed. What is not (guardrail ids, key ids,
``vpce-`` ids) is a :class:`~ringwall.estate.model.Ref`; see :func:`pinned_guardrail` and its neighbours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.catalog import profiles as profile_table
from ringwall.estate.model import Ref

if TYPE_CHECKING:
    from ringwall.perimeter.model import Guardrail, Perimeter

LOGGING_ROLE = "invocation-logging"
TRAIL = "trail"
INVOCATION_LOGS = "invocation-logs"
ALARM_TOPIC = "alarms"
KNOWLEDGE = "knowledge-"
"""Prefix of the data class of each knowledge base."""
CUSTOM_MODELS = "custom-models"


def arn(perimeter: Perimeter, service: str, resource: str, *, region: str | None = None) -> str:
    """ARN of a resource of the declared account; ``region`` defaults to the source Region, ``""`` for global ones."""
    where = perimeter.regions.source if region is None else region
    return f"arn:{perimeter.partition}:{service}:{where}:{perimeter.account}:{resource}"


def profile_arn(perimeter: Perimeter, model: str) -> str | None:
    """ARN of the inference profile in the source Region, or ``None`` for a model that is invoked directly."""
    return (
        arn(perimeter, "bedrock", f"inference-profile/{model}") if profile_table.is_profile(model) else None
    )


def model_arns(perimeter: Perimeter, model: str) -> tuple[str, ...]:
    """ARNs of the foundation model wherever a request may be processed.

    A ``global.`` profile is authorized against an ARN without Region, next to the source Region's
    (https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html).
    """
    regions: tuple[str, ...] = (
        perimeter.regions.processing if profile_table.is_profile(model) else (perimeter.regions.source,)
    )
    if model.startswith("arn:"):
        return (model,)
    if profile_table.is_global(model):
        regions = (*regions, "")
    name = profile_table.foundation_model(model) if profile_table.is_profile(model) else model
    return tuple(f"arn:{perimeter.partition}:bedrock:{region}::foundation-model/{name}" for region in regions)


def profiles(perimeter: Perimeter, models: tuple[str, ...] | None = None) -> list[str]:
    """Profile ARNs of the named models (default: all declared), in declaration order, without repeats."""
    found = (profile_arn(perimeter, perimeter.models[name]) for name in models or tuple(perimeter.models))
    return list(dict.fromkeys(item for item in found if item is not None))


def profile_models(perimeter: Perimeter, models: tuple[str, ...] | None = None) -> list[str]:
    """Foundation model ARNs that the named models reach through a profile."""
    names = [
        name for name in models or tuple(perimeter.models) if profile_table.is_profile(perimeter.models[name])
    ]
    return _models(perimeter, names)


def direct_models(perimeter: Perimeter, models: tuple[str, ...] | None = None) -> list[str]:
    """Foundation model ARNs of the named models that are invoked without a profile."""
    names = [
        name
        for name in models or tuple(perimeter.models)
        if not profile_table.is_profile(perimeter.models[name])
    ]
    return _models(perimeter, names)


def _models(perimeter: Perimeter, names: list[str]) -> list[str]:
    return list(
        dict.fromkeys(item for name in names for item in model_arns(perimeter, perimeter.models[name]))
    )


def guardrail_arn(perimeter: Perimeter) -> Ref:
    """ARN of the pinned guardrail, without version (which is also its DRAFT)."""
    return Ref(f"guardrail/{perimeter.guardrail.name}", "Arn")


def pinned_guardrail(perimeter: Perimeter) -> Ref:
    """Pattern of the pinned guardrail's numbered versions, as ``bedrock:GuardrailIdentifier`` holds them."""
    return Ref(f"guardrail/{perimeter.guardrail.name}", "NumberedVersions")


def pinned_version(perimeter: Perimeter) -> Ref:
    """Number of the pinned guardrail's version."""
    return Ref(f"guardrail-version/{perimeter.guardrail.name}", "Version")


def guardrail_profiles(perimeter: Perimeter, guardrail: Guardrail) -> list[str]:
    """ARNs of a guardrail's profile wherever it may evaluate, the source Region first; empty without one.

    ``ApplyGuardrail`` is authorized on the profile in each of them
    (https://docs.aws.amazon.com/bedrock/latest/userguide/guardrail-profiles-permissions.html).
    """
    return _guardrail_profiles(perimeter, guardrail.profile, perimeter.account)


def organization_guardrail(perimeter: Perimeter) -> list[str]:
    """What ``ApplyGuardrail`` is authorized on because the organization enforces a guardrail; empty where it enforces none.

    The guardrail, and its profile in each Region that may evaluate it, all of the management account: "the caller must also have ApplyGuardrail permission on all destination-region guardrail-owner-account profile
    objects" (https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-resource-based-policies.html).
    """
    enforced = perimeter.enforcement.organization
    if enforced is None:
        return []
    owner = enforced.guardrail.split(":")[4]
    return [enforced.guardrail, *_guardrail_profiles(perimeter, enforced.profile, owner)]


def _guardrail_profiles(perimeter: Perimeter, profile: str | None, owner: str) -> list[str]:
    where = perimeter.regions.processing if profile is not None else ()
    return [
        f"arn:{perimeter.partition}:bedrock:{region}:{owner}:guardrail-profile/{profile}" for region in where
    ]


RECORDS = ("invocation-log-group", "invocation-log-bucket", "alarms")
"""Data classes of what the perimeter itself writes down, the trail aside."""


def data_classes(perimeter: Perimeter) -> tuple[str, ...]:
    """What has a key of its own."""
    classes = ["guardrail", *RECORDS[:2], "trail", *RECORDS[2:]]
    if perimeter.logging.trail is not None:
        classes.remove("trail")
    classes += [f"{KNOWLEDGE}{name}" for name in perimeter.knowledge_bases]
    if perimeter.custom_models is not None:
        classes.append(CUSTOM_MODELS)
    return tuple(item for item in classes if item not in perimeter.encryption.aws_owned)


def log_buckets(perimeter: Perimeter) -> tuple[str, ...]:
    """Purposes of the buckets that hold logs; a trail that was there before has a bucket of its own."""
    return (INVOCATION_LOGS,) if perimeter.logging.trail is not None else (INVOCATION_LOGS, TRAIL)


def key_arn(data_class: str) -> Ref:
    """ARN of the key of a data class."""
    return Ref(f"key/{data_class}", "Arn")


def endpoint_id(service: str) -> Ref:
    """``vpce-`` id of an endpoint."""
    return Ref(f"endpoint/{service}", "Id")


def service_roles(perimeter: Perimeter) -> dict[str, list[str]]:
    """Condition tests that exempt the declared service roles, by exact ARN; empty without any.

    A service control policy cannot see a trust policy. So the declaration names the roles, everybody but the
    administrators is kept from changing or passing them, and a check looks at whom they trust.
    """
    return {"aws:PrincipalArn": list(perimeter.exempt_roles)} if perimeter.exempt_roles else {}


def guardrail_administrators(perimeter: Perimeter) -> list[str]:
    """Who may change guardrails: the administrators and the roles declared for it."""
    roles = [
        perimeter.role_arn(name)
        for name, use in perimeter.uses.items()
        if use.kind == "guardrail-administrator"
    ]
    return [*perimeter.administrators, *roles]


def knowledge_bases(perimeter: Perimeter) -> list[str]:
    """ARNs of the declared knowledge bases."""
    found = [use.knowledge_base for use in perimeter.uses.values() if use.knowledge_base]
    return [arn(perimeter, "bedrock", f"knowledge-base/{item}") for item in dict.fromkeys(found)]


def agent_aliases(perimeter: Perimeter) -> list[str]:
    """ARNs of the declared agent aliases."""
    found = [f"{use.agent}/{use.alias}" for use in perimeter.uses.values() if use.agent and use.alias]
    return [arn(perimeter, "bedrock", f"agent-alias/{item}") for item in dict.fromkeys(found)]


def bucket_arn(perimeter: Perimeter, purpose: str) -> str:
    """ARN of one of our buckets."""
    return f"arn:{perimeter.partition}:s3:::{perimeter.bucket(purpose)}"


def log_group(perimeter: Perimeter) -> str:
    """Name of the invocation log group."""
    return f"/aws/bedrock/{perimeter.name}/model-invocations"


def log_group_arn(perimeter: Perimeter) -> str:
    """ARN of the invocation log group, without the ``:*`` that some APIs append."""
    return arn(perimeter, "logs", f"log-group:{log_group(perimeter)}")


def logging_role_name(perimeter: Perimeter) -> str:
    """Name of the role by which Bedrock writes invocation logs."""
    return f"{perimeter.name}-{LOGGING_ROLE}"


def logging_role_arn(perimeter: Perimeter) -> str:
    """ARN of that role."""
    return f"arn:{perimeter.partition}:iam::{perimeter.account}:role/{logging_role_name(perimeter)}"


def trail_name(perimeter: Perimeter) -> str:
    """Name of the trail."""
    return perimeter.logging.trail or f"{perimeter.name}-bedrock"


def trail_arn(perimeter: Perimeter) -> str:
    """ARN of the trail."""
    return arn(perimeter, "cloudtrail", f"trail/{trail_name(perimeter)}")


def topic_name(perimeter: Perimeter) -> str:
    """Name of the alarm topic."""
    return f"{perimeter.name}-bedrock-alarms"


def topic_arn(perimeter: Perimeter) -> str:
    """ARN of the alarm topic."""
    return arn(perimeter, "sns", topic_name(perimeter))


def rule_name(perimeter: Perimeter) -> str:
    """Name of the EventBridge rule that reports tampering."""
    return f"{perimeter.name}-control-tampering"


def endpoint_service(perimeter: Perimeter, service: str) -> str:
    """Full name of an endpoint service."""
    prefix = "cn.com.amazonaws" if perimeter.partition == "aws-cn" else "com.amazonaws"
    return f"{prefix}.{perimeter.regions.source}.{service}"
