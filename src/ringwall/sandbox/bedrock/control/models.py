"""Foundation models and inference profiles, from the catalog's tables, and the account's application profiles."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from ringwall.catalog import models as catalog_models
from ringwall.catalog import profiles as catalog_profiles
from ringwall.sandbox.bedrock.faults import fault, invalid
from ringwall.sandbox.bedrock.scope import page
from ringwall.sandbox.bedrock.state import Tagged, new_id
from ringwall.sandbox.call import AwsError, Call, Output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ringwall.sandbox.bedrock.scope import Operation, Scope
    from ringwall.sandbox.bedrock.state import State

_MODALITIES = frozenset({"TEXT", "IMAGE", "EMBEDDING"})
# System-defined profiles have no creation date of interest; AWS shows one, so this is one.
_SINCE = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def _shown_model(model: catalog_models.Model, region: str, today: dt.date) -> dict[str, Any]:
    lifecycle: dict[str, Any] = {"status": "ACTIVE" if model.status(today) == "ACTIVE" else "LEGACY"}
    if model.legacy:
        lifecycle["legacyTime"] = _midnight(model.legacy)
    if model.end_of_life:
        lifecycle["endOfLifeTime"] = _midnight(model.end_of_life)
    return {
        "modelArn": f"arn:aws:bedrock:{region}::foundation-model/{model.id}",
        "modelId": model.id,
        "modelName": model.name,
        "providerName": model.provider,
        "inputModalities": [m for m in model.input if m in _MODALITIES],
        "outputModalities": [m for m in model.output if m in _MODALITIES],
        "responseStreamingSupported": model.streaming,
        "customizationsSupported": [],
        "inferenceTypesSupported": ["ON_DEMAND"] if model.on_demand else ["INFERENCE_PROFILE"],
        "modelLifecycle": lifecycle,
    }


def list_models(scope: Scope, call: Call) -> Output:
    """ListFoundationModels, without those past their end of life."""
    given, today = call.parameters, scope.platform.now().date()
    shown = [
        _shown_model(model, call.region, today)
        for model in catalog_models.tables().models.values()
        if model.status(today) != "EOL"
    ]
    filters: dict[str, Callable[[dict[str, Any], str], bool]] = {
        "byProvider": lambda m, wanted: m["providerName"].lower() == wanted.lower(),
        "byOutputModality": lambda m, wanted: wanted in m["outputModalities"],
        "byInferenceType": lambda m, wanted: wanted in m["inferenceTypesSupported"],
        "byCustomizationType": lambda m, wanted: wanted in m["customizationsSupported"],
    }
    for name, fits in filters.items():
        if given.get(name):
            shown = [model for model in shown if fits(model, given[name])]
    return Output({"modelSummaries": shown})


def get_model(scope: Scope, call: Call) -> Output:
    """GetFoundationModel."""
    identifier, today = call.parameters["modelIdentifier"], scope.platform.now().date()
    model = catalog_models.find(identifier)
    if model is None or model.status(today) == "EOL":
        raise fault("bedrock", "ResourceNotFoundException", f"Could not find the model {identifier}.")
    return Output({"modelDetails": _shown_model(model, call.region, today)})


def get_availability(scope: Scope, call: Call) -> Output:
    """GetFoundationModelAvailability: in the sandbox, every model of the tables is available."""
    identifier = call.parameters["modelId"]
    model = catalog_models.find(identifier)
    if model is None or model.status(scope.platform.now().date()) == "EOL":
        raise fault("bedrock", "ResourceNotFoundException", f"Could not find the model {identifier}.")
    return Output(
        {
            "modelId": model.id,
            "agreementAvailability": {"status": "AVAILABLE"},
            "authorizationStatus": "AUTHORIZED",
            "entitlementAvailability": "AVAILABLE",
            "regionAvailability": "AVAILABLE",
        }
    )


def _behind_system_profile(identifier: str, region: str) -> tuple[str, ...] | None:
    """ARNs of the models behind a system-defined profile, or ``None`` where it does not exist in the Region."""
    try:
        arns = catalog_profiles.models(identifier, region)
    except ValueError:
        return None
    return arns if catalog_models.find(arns[0]) else None


def _system_profile(profile_id: str, account: str, region: str) -> dict[str, Any] | None:
    """A system-defined profile as the API shows it, or ``None`` where it does not exist in the Region."""
    arns = _behind_system_profile(profile_id, region)
    model = catalog_models.find(arns[0]) if arns else None
    if arns is None or model is None:
        return None
    geography = catalog_profiles.geography(profile_id).upper()
    return {
        "inferenceProfileName": f"{geography} {model.provider} {model.name}"[:64],
        "description": f"Routes requests to {model.name} in {', '.join(arn.split(':')[3] or 'all Regions' for arn in arns)}."[
            :200
        ],
        "createdAt": _SINCE,
        "updatedAt": _SINCE,
        "inferenceProfileArn": f"arn:aws:bedrock:{region}:{account}:inference-profile/{profile_id}",
        "models": [{"modelArn": arn} for arn in arns],
        "inferenceProfileId": profile_id,
        "status": "ACTIVE",
        "type": "SYSTEM_DEFINED",
    }


def _system_profiles(call: Call) -> Iterator[dict[str, Any]]:
    for profile_id in catalog_models.tables().profiles:
        shown = _system_profile(profile_id, call.account, call.region)
        if shown is not None:
            yield shown


def list_profiles(scope: Scope, call: Call) -> Output:
    """ListInferenceProfiles."""
    wanted = call.parameters.get("typeEquals")
    shown = list(_system_profiles(call)) if wanted != "APPLICATION" else []
    if wanted != "SYSTEM_DEFINED":
        shown += [profile.shape for profile in scope.home(call).profiles.values()]
    listed, token = page(shown, call.parameters)
    return Output({"inferenceProfileSummaries": listed, **token})


def get_profile(scope: Scope, call: Call) -> Output:
    """GetInferenceProfile, by id or ARN."""
    identifier = call.parameters["inferenceProfileIdentifier"]
    own = _application_profile(scope, call, identifier)
    shown = own.shape if own else None
    if shown is None and catalog_profiles.is_profile(identifier):
        shown = _system_profile(catalog_profiles.profile_id(identifier), call.account, call.region)
    if shown is None:
        raise _profile_not_found(identifier)
    return Output(shown)


def _application_profile(scope: Scope, call: Call, identifier: str) -> Tagged | None:
    profile = scope.home(call).profiles.get(identifier.rpartition("/")[2])
    if profile is None or (identifier.startswith("arn:") and profile.arn != identifier):
        return None
    return profile


def _profile_not_found(identifier: str) -> AwsError:
    return fault(
        "bedrock", "ResourceNotFoundException", f"Inference profile {identifier} could not be found."
    )


def create_profile(scope: Scope, call: Call) -> Output:
    """CreateInferenceProfile: an application profile, copied from a model of this Region or a system-defined profile."""
    given, home, now = call.parameters, scope.home(call), scope.platform.now()
    if any(
        other.shape["inferenceProfileName"] == given["inferenceProfileName"]
        for other in home.profiles.values()
    ):
        raise fault(
            "bedrock",
            "ConflictException",
            f"The inference profile name {given['inferenceProfileName']} already exists.",
        )
    profile_id = new_id(12)
    arn = home.arn(f"application-inference-profile/{profile_id}")
    shape = {
        "inferenceProfileName": given["inferenceProfileName"],
        **({"description": given["description"]} if given.get("description") else {}),
        "createdAt": now,
        "updatedAt": now,
        "inferenceProfileArn": arn,
        "models": [{"modelArn": one} for one in _copied(given["modelSource"]["copyFrom"], call.region)],
        "inferenceProfileId": profile_id,
        "status": "ACTIVE",
        "type": "APPLICATION",
    }
    home.profiles[profile_id] = Tagged(
        arn, shape, {tag["key"]: tag["value"] for tag in given.get("tags") or ()}
    )
    scope.platform.changed()
    return Output({"inferenceProfileArn": arn, "status": "ACTIVE"})


def _copied(source: str, region: str) -> tuple[str, ...]:
    """ARNs of the models that a profile copied from ``source`` routes to."""
    if ":inference-profile/" in source:
        arns = _behind_system_profile(source, region)
        if arns is None:
            raise invalid(f"The inference profile {source} does not exist.")
        return arns
    model = catalog_models.find(source)
    if model is None or source.split(":")[3] != region:
        raise invalid(f"The model {source} does not exist in Region {region}.")
    if not model.on_demand:
        raise invalid(
            f"The model {model.id} does not support on-demand inference. Copy from an inference profile instead."
        )
    return (source,)


def delete_profile(scope: Scope, call: Call) -> Output:
    """DeleteInferenceProfile: application profiles only."""
    identifier = call.parameters["inferenceProfileIdentifier"]
    own = _application_profile(scope, call, identifier)
    if own is None:
        if catalog_profiles.is_profile(identifier):
            raise invalid("System-defined inference profiles cannot be deleted.")
        raise _profile_not_found(identifier)
    del scope.home(call).profiles[own.shape["inferenceProfileId"]]
    scope.platform.changed()
    return Output({})


def models_behind(state: State, arn: str, region: str) -> tuple[str, ...] | None:
    """ARNs of the foundation models behind a profile's ARN, or ``None`` where it does not exist."""
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return None
    if parts[5].startswith("application-inference-profile/"):
        profile = state.at(parts[4], region).profiles.get(parts[5].rpartition("/")[2])
        return tuple(model["modelArn"] for model in profile.shape["models"]) if profile else None
    return _behind_system_profile(arn, region)


OPERATIONS: dict[str, Operation] = {
    "ListFoundationModels": list_models,
    "GetFoundationModel": get_model,
    "GetFoundationModelAvailability": get_availability,
    "ListInferenceProfiles": list_profiles,
    "GetInferenceProfile": get_profile,
    "CreateInferenceProfile": create_profile,
    "DeleteInferenceProfile": delete_profile,
}
