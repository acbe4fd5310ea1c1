"""Guardrails and their versions.

User guide: "Create your guardrail", "Create a version of a guardrail", "Set up permissions to use guardrails" (KMS).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.catalog.models import tables
from ringwall.sandbox.bedrock.control.keys import wrap_key
from ringwall.sandbox.bedrock.control.rules import POLICIES, check_guardrail
from ringwall.sandbox.bedrock.faults import fault, invalid
from ringwall.sandbox.bedrock.scope import Operation, Scope, page
from ringwall.sandbox.bedrock.state import Guardrail, GuardrailVersion, Regional, new_id
from ringwall.sandbox.call import AwsError, Call, Output

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.sandbox.bedrock.state import State

_CONFIGURATION = ("name", "blockedInputMessaging", "blockedOutputsMessaging", "crossRegionConfig", *POLICIES)
_MAX_VERSIONS = 20

# The names that GetGuardrail gives to what CreateGuardrail took.
_SHOWN: dict[str, tuple[str, dict[str, str]]] = {
    "topicPolicyConfig": ("topicPolicy", {"topicsConfig": "topics", "tierConfig": "tier"}),
    "contentPolicyConfig": ("contentPolicy", {"filtersConfig": "filters", "tierConfig": "tier"}),
    "wordPolicyConfig": (
        "wordPolicy",
        {"wordsConfig": "words", "managedWordListsConfig": "managedWordLists"},
    ),
    "sensitiveInformationPolicyConfig": (
        "sensitiveInformationPolicy",
        {"piiEntitiesConfig": "piiEntities", "regexesConfig": "regexes"},
    ),
    "contextualGroundingPolicyConfig": (
        "contextualGroundingPolicy",
        {"filtersConfig": "filters", "tierConfig": "tier"},
    ),
    "automatedReasoningPolicyConfig": ("automatedReasoningPolicy", {}),
}
# Members that AWS fills in, by list.
_DIRECTIONS = {"inputEnabled": True, "outputEnabled": True}
_DEFAULTS: dict[str, dict[str, Any]] = {
    "topicsConfig": {"inputAction": "BLOCK", "outputAction": "BLOCK", **_DIRECTIONS},
    "filtersConfig": {"inputAction": "BLOCK", "outputAction": "BLOCK", **_DIRECTIONS},
    "wordsConfig": {"inputAction": "BLOCK", "outputAction": "BLOCK", **_DIRECTIONS},
    "managedWordListsConfig": {"inputAction": "BLOCK", "outputAction": "BLOCK", **_DIRECTIONS},
    "piiEntitiesConfig": _DIRECTIONS,
    "regexesConfig": _DIRECTIONS,
}


def find(scope: Scope, call: Call, identifier: str) -> Guardrail:
    """The guardrail with this id or ARN.

    Raises:
        AwsError: ``ResourceNotFoundException``.
    """
    guardrail = scope.state.find_guardrail(identifier, call.account, call.region)
    if guardrail is None:
        raise not_found(call, identifier)
    return guardrail


def not_found(call: Call, identifier: str, version: str | None = None) -> AwsError:
    """The error for a guardrail, or a version of one, that does not exist."""
    what = f"{identifier} and version {version}" if version else identifier
    return fault(
        call.service, "ResourceNotFoundException", f"Guardrail with identifier {what} could not be found."
    )


def _configuration(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: parameters[name] for name in _CONFIGURATION if parameters.get(name) is not None}


def _check_name(home: Regional, name: str, guardrail_id: str | None = None) -> None:
    for other in home.guardrails.values():
        if other.draft.name == name and other.id != guardrail_id:
            raise fault(
                "bedrock",
                "ConflictException",
                f"Another guardrail in the account already has the name {name}. "
                "Choose a different name and try again.",
            )


def create(scope: Scope, call: Call) -> Output:
    """CreateGuardrail."""
    given, home = call.parameters, scope.home(call)
    check_guardrail(given, call.region)
    with scope.state.lock:
        known = home.guardrails.get(scope.made_before(call) or "")
        if known is not None:
            return _created(known)
        _check_name(home, given["name"])
    key_arn, wrapped = wrap_key(scope, call, given.get("kmsKeyId"))
    now = scope.platform.now()
    version = GuardrailVersion(
        "DRAFT", _configuration(given), given.get("description"), now, now, key_arn, wrapped
    )
    guardrail_id = new_id(12)
    guardrail = Guardrail(guardrail_id, home.arn(f"guardrail/{guardrail_id}"), version)
    guardrail.tags = {tag["key"]: tag["value"] for tag in given.get("tags") or ()}
    with scope.state.lock:
        _check_name(home, given["name"])
        home.guardrails[guardrail_id] = guardrail
        scope.note_made(call, guardrail_id)
    scope.platform.changed()
    return _created(guardrail)


def _created(guardrail: Guardrail) -> Output:
    return Output(
        {
            "guardrailId": guardrail.id,
            "guardrailArn": guardrail.arn,
            "version": "DRAFT",
            "createdAt": guardrail.draft.created_at,
        }
    )


def update(scope: Scope, call: Call) -> Output:
    """UpdateGuardrail: replaces DRAFT as a whole; what is left out is gone."""
    given, home = call.parameters, scope.home(call)
    guardrail = _own(scope, call)
    check_guardrail(given, call.region)
    key_arn, wrapped = wrap_key(scope, call, given.get("kmsKeyId"))
    with scope.state.lock:
        _check_name(home, given["name"], guardrail.id)
        guardrail.draft = GuardrailVersion(
            "DRAFT",
            _configuration(given),
            given.get("description"),
            guardrail.draft.created_at,
            scope.platform.now(),
            key_arn,
            wrapped,
        )
    scope.platform.changed()  # its profile is asked for with it
    return Output(
        {
            "guardrailId": guardrail.id,
            "guardrailArn": guardrail.arn,
            "version": "DRAFT",
            "updatedAt": guardrail.draft.updated_at,
        }
    )


def _own(scope: Scope, call: Call) -> Guardrail:
    """The guardrail of the call, in the caller's own account: only its owner changes one."""
    guardrail = find(scope, call, call.parameters["guardrailIdentifier"])
    if guardrail.id not in scope.home(call).guardrails:
        raise not_found(call, call.parameters["guardrailIdentifier"])
    return guardrail


def create_version(scope: Scope, call: Call) -> Output:
    """CreateGuardrailVersion: an immutable copy of DRAFT under the next number."""
    given = call.parameters
    guardrail = _own(scope, call)
    with scope.state.lock:
        known = scope.made_before(call)
        if known is not None:
            return Output({"guardrailId": guardrail.id, "version": known})
        if len(guardrail.versions) >= _MAX_VERSIONS:
            raise fault(
                "bedrock",
                "ServiceQuotaExceededException",
                f"A guardrail can have {_MAX_VERSIONS} versions. Delete one and try again.",
            )
        guardrail.last_version += 1
        number, now, draft = str(guardrail.last_version), scope.platform.now(), guardrail.draft
        guardrail.versions[number] = GuardrailVersion(
            number,
            draft.configuration,
            given.get("description"),
            now,
            now,
            draft.kms_key_arn,
            draft.wrapped_key,
        )
        scope.note_made(call, number)
    return Output({"guardrailId": guardrail.id, "version": number})


def get(scope: Scope, call: Call) -> Output:
    """GetGuardrail."""
    identifier, wanted = call.parameters["guardrailIdentifier"], call.parameters.get("guardrailVersion")
    guardrail = find(scope, call, identifier)
    version = guardrail.version(wanted)
    if version is None:
        raise not_found(call, identifier, wanted)
    return Output(_shown(guardrail, version))


def _shown(guardrail: Guardrail, version: GuardrailVersion) -> dict[str, Any]:
    configuration = version.configuration
    shown: dict[str, Any] = {
        **_summary(guardrail, version, identifier=False),
        "guardrailId": guardrail.id,
        "guardrailArn": guardrail.arn,
        "blockedInputMessaging": configuration["blockedInputMessaging"],
        "blockedOutputsMessaging": configuration["blockedOutputsMessaging"],
        "statusReasons": [],
        "failureRecommendations": [],
    }
    if version.kms_key_arn:
        shown["kmsKeyArn"] = version.kms_key_arn
    for taken, (name, members) in _SHOWN.items():
        if taken in configuration:
            shown[name] = _shown_policy(taken, configuration[taken], members)
    return shown


def _shown_policy(taken: str, policy: Mapping[str, Any], members: Mapping[str, str]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for member, value in policy.items():
        filled = value
        if taken == "contextualGroundingPolicyConfig" and member == "filtersConfig":
            filled = [{"action": "BLOCK", "enabled": True, **rule} for rule in value]
        elif member in _DEFAULTS:
            filled = [_with_defaults(taken, member, rule) for rule in value]
        shown[members.get(member, member)] = filled
    return shown


def _with_defaults(taken: str, member: str, rule: Mapping[str, Any]) -> dict[str, Any]:
    filled = {**_DEFAULTS[member], **rule}
    if taken == "sensitiveInformationPolicyConfig":
        filled.setdefault("inputAction", rule["action"])
        filled.setdefault("outputAction", rule["action"])
    if taken == "contentPolicyConfig":
        filled.setdefault("inputModalities", ["TEXT"])
        filled.setdefault("outputModalities", ["TEXT"])
    return filled


def _summary(guardrail: Guardrail, version: GuardrailVersion, *, identifier: bool = True) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "name": version.name,
        "status": "READY",
        "version": version.version,
        "createdAt": version.created_at,
        "updatedAt": version.updated_at,
    }
    if identifier:
        summary |= {"id": guardrail.id, "arn": guardrail.arn}
    if version.description:
        summary["description"] = version.description
    cross_region = version.configuration.get("crossRegionConfig")
    if cross_region:
        profile = cross_region["guardrailProfileIdentifier"].rsplit("/", 1)[-1]
        owner = guardrail.arn.split(":guardrail/", 1)[0]
        summary["crossRegionDetails"] = {
            "guardrailProfileId": profile,
            "guardrailProfileArn": f"{owner}:guardrail-profile/{profile}",
        }
    return summary


def profiles_behind(state: State, arn: str, region: str) -> tuple[str, ...] | None:
    """ARNs of the guardrail profile of a guardrail, in each Region that may evaluate it; ``None`` without one."""
    guardrail = state.find_guardrail(arn, "", region)
    configured = guardrail.draft.configuration.get("crossRegionConfig") if guardrail is not None else None
    if guardrail is None or not configured:
        return None
    profile = configured["guardrailProfileIdentifier"].rsplit("/", 1)[-1]
    geography = tables().geographies.get(profile.partition(".")[0])
    owner = guardrail.arn.split(":")[4]
    return tuple(
        f"arn:aws:bedrock:{destination}:{owner}:guardrail-profile/{profile}"
        for destination in (geography.destinations(region) if geography is not None else (region,))
    )


def list_(scope: Scope, call: Call) -> Output:
    """ListGuardrails: every guardrail's DRAFT, or one guardrail's DRAFT and versions."""
    identifier = call.parameters.get("guardrailIdentifier")
    if identifier:
        guardrail = find(scope, call, identifier)
        versions = [guardrail.draft, *guardrail.versions.values()]
        summaries = [_summary(guardrail, version) for version in versions]
    else:
        summaries = [_summary(one, one.draft) for one in scope.home(call).guardrails.values()]
    shown, token = page(summaries, call.parameters)
    return Output({"guardrails": shown, **token})


def delete(scope: Scope, call: Call) -> Output:
    """DeleteGuardrail: one version, or without ``guardrailVersion`` the guardrail with all its versions."""
    identifier, version = call.parameters["guardrailIdentifier"], call.parameters.get("guardrailVersion")
    guardrail, home = _own(scope, call), scope.home(call)
    if version is not None and version not in guardrail.versions:
        raise not_found(call, identifier, version)
    for used in (regional.enforced for regional in scope.state):
        if used and used["guardrailArn"] == guardrail.arn and version in {None, used["guardrailVersion"]}:
            raise fault(
                "bedrock",
                "ResourceInUseException",
                f"Guardrail {guardrail.id} is used by the enforced guardrail configuration {used['configId']}. "
                "Delete that configuration first.",
            )
    with scope.state.lock:
        if version is None:
            del home.guardrails[guardrail.id]
        else:
            del guardrail.versions[version]
    scope.platform.changed()
    return Output({})


def check_identifier(identifier: str | None, version: str | None) -> tuple[str, str] | None:
    """The pair that names a guardrail in a request, or ``None`` where the request names none.

    Raises:
        AwsError: only one of the two was given.
    """
    if not identifier and not version:
        return None
    if not identifier or not version:
        missing = "guardrailIdentifier" if not identifier else "guardrailVersion"
        raise invalid(
            f"The {missing} is required when the other of guardrailIdentifier and guardrailVersion is given."
        )
    return identifier, version


OPERATIONS: dict[str, Operation] = {
    "CreateGuardrail": create,
    "UpdateGuardrail": update,
    "CreateGuardrailVersion": create_version,
    "GetGuardrail": get,
    "ListGuardrails": list_,
    "DeleteGuardrail": delete,
}
