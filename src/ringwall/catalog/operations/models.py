"""Model identifiers of inference calls, and the authorizations that each form needs.

Follows the user guide's pages on inference prerequisites, geographic and global cross-Region inference, Prompt
management and intelligent prompt routing (https://docs.aws.amazon.com/bedrock/latest/userguide/inference-prereq.html).
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ringwall.catalog import profiles
from ringwall.catalog.models import tables
from ringwall.catalog.operations.authorization import (
    Authorization,
    Call,
    Context,
    UnresolvedModelError,
    account_of,
    is_arn,
    region_of,
)
from ringwall.catalog.reference import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

INVOKE = "bedrock:InvokeModel"
APPLY = "bedrock:ApplyGuardrail"
INVOKE_STREAM = "bedrock:InvokeModelWithResponseStream"
UNSPECIFIED = "unspecified"  # aws:RequestedRegion of global routing

_MODEL_ID = re.compile(r"[a-z0-9-]{1,63}(?:[.:][a-z0-9-]{1,63})+")
_PROFILE = "GetInferenceProfile"
_TELLS = {
    "prompt": "GetPrompt",
    "prompt-router": "GetPromptRouter",
    "default-prompt-router": "GetPromptRouter",
}
_RESOURCE_TYPE = re.compile(r"arn:[^:]*:(?P<service>[^:]*):[^:]*:[^:]*:(?P<type>[^/:]+)")


def resource_type(arn: str) -> str:
    """First part of an ARN's resource (``inference-profile``); empty if the text is no ARN."""
    found = _RESOURCE_TYPE.match(arn)
    return found["type"] if found else ""


def model_arn(call: Call, model: str) -> str:
    """ARN of a model identifier: an ARN as it is, else an inference profile or a foundation model of the Region.

    A foundation model need not be in the tables: newer ones have the same form.

    Raises:
        UnresolvedModelError: the text is no model identifier, or a profile of a geography that is not known.
    """
    if is_arn(model):
        return model
    if profiles.is_profile(model):
        return call.arn(f"inference-profile/{model}", service="bedrock")
    if not _MODEL_ID.fullmatch(model):
        raise UnresolvedModelError(
            f"{model!r} is no id of a foundation model (provider.model) or of an inference profile "
            f"(us.provider.model); of every other model give the ARN{_near(model)}"
        )
    head, _, rest = model.partition(".")
    if rest.partition(".")[0] in profiles.providers() and head not in profiles.providers():
        raise UnresolvedModelError(
            f"{model!r} looks like an inference profile, but {head!r} is no geography that is known "
            f"({', '.join(profiles.geographies())}){_near(model)}"
        )
    return call.arn(f"foundation-model/{model}", service="bedrock", account="")


def _near(model: str) -> str:
    known = tables()
    near = get_close_matches(model.lower().replace(" ", "-"), (*known.models, *known.profiles), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def guardrail_arn(call: Call, identifier: str) -> str:
    """ARN of a guardrail identifier (id or ARN), without a version."""
    if not is_arn(identifier):
        return call.arn(f"guardrail/{identifier}", service="bedrock")
    head, _, version = identifier.rpartition(":")
    return head if version.isdigit() and "guardrail/" in head else identifier


def guardrail_value(call: Call, identifier: str, version: str | None) -> str:
    """Value of ``bedrock:GuardrailIdentifier``: the ARN for DRAFT, else ``ARN:version``."""
    arn = guardrail_arn(call, identifier)
    if not version and is_arn(identifier) and identifier != arn:
        return identifier
    return arn if not version or version == "DRAFT" else f"{arn}:{version}"


def of_action(action: str, context: Mapping[str, str | None]) -> Context:
    """Those entries that have a value and that the action can carry."""
    keys = load().condition_keys(action)
    return {key: (value,) for key, value in context.items() if value and key in keys}


def apply_guardrail(call: Call, identifier: str) -> Iterator[Authorization]:
    """The authorizations to evaluate a guardrail: on it, and on its guardrail profile in every destination Region.

    That a guardrail has a profile (cross-Region inference) is no parameter of the call; the call's resolver knows it.
    Follows https://docs.aws.amazon.com/bedrock/latest/userguide/guardrail-profiles-permissions.html, which does not
    say in which Region a profile is authorized: the Region of its ARN is taken.
    """
    arn = guardrail_arn(call, identifier)
    for one in (arn, *((call.profiles.models(arn, call.region) or ()) if call.profiles else ())):
        context = of_action(APPLY, {"aws:requestedregion": region_of(one) or call.region})
        yield Authorization(APPLY, one, context, account_of(one))


def invocations(
    call: Call,
    action: str,
    model: str,
    *,
    guardrail: str | None = None,
    tier: str | None = None,
) -> Iterator[Authorization]:
    """Authorizations to run a model, whatever form its identifier has.

    Args:
        call: the API call; its resolver is asked about profiles, prompts and routers of the account.
        action: ``bedrock:InvokeModel`` or another action on models.
        model: model identifier as the call gives it.
        guardrail: value of ``bedrock:GuardrailIdentifier``, if the call carries a guardrail.
        tier: value of ``bedrock:ServiceTier``, if the call names one.

    Raises:
        UnresolvedModelError: the identifier stands for models that neither the resolver nor the tables know.
    """
    shared = {"bedrock:guardrailidentifier": guardrail, "bedrock:servicetier": tier}
    arn = model_arn(call, model)
    kind = resource_type(arn)
    if kind == "prompt":
        yield Authorization("bedrock:RenderPrompt", arn, _in_region(call), account_of(arn))
        for target in _models_of(call, arn):
            yield from invocations(call, action, target, guardrail=guardrail, tier=tier)
        return
    if kind == "endpoint":
        yield from _marketplace_endpoint(call, action, arn, shared)
        return
    own_region = {"aws:requestedregion": call.region, **shared}
    yield Authorization(action, arn, of_action(action, own_region), account_of(arn))
    if kind in {"inference-profile", "application-inference-profile"}:
        for target in _models_of(call, arn):
            where = {
                "aws:requestedregion": region_of(target) or UNSPECIFIED,
                "bedrock:inferenceprofilearn": arn,
            }
            yield Authorization(action, target, of_action(action, {**where, **shared}))
    elif kind in {"prompt-router", "default-prompt-router"}:
        for target in _models_of(call, arn):
            for part in invocations(call, action, target, guardrail=guardrail, tier=tier):
                routed = of_action(action, {"bedrock:promptrouterarn": arn})
                yield Authorization(
                    part.action, part.resource, {**part.context, **routed}, part.resource_account
                )


def _in_region(call: Call) -> Context:
    return {"aws:requestedregion": (call.region,)}


def _models_of(call: Call, arn: str) -> tuple[str, ...]:
    """What an ARN stands for, by the call's resolver, else by the tables of system-defined profiles."""
    known = call.profiles.models(arn, call.region) if call.profiles else None
    if known is None and profiles.is_profile(arn):
        known = _by_tables(call, arn)
    if not known:
        kind = resource_type(arn)
        raise UnresolvedModelError(
            f"cannot tell which models {arn} stands for: only its account knows. Ask {_TELLS.get(kind, _PROFILE)} there "
            f"and name what it tells (in a request: as models), or name the foundation model"
        )
    return known


def _by_tables(call: Call, arn: str) -> tuple[str, ...]:
    try:
        return profiles.models(arn, call.region, partition=call.partition)
    except ValueError as error:
        raise UnresolvedModelError(f"{error}: name a profile of that Region's geography") from error


def _marketplace_endpoint(
    call: Call, action: str, arn: str, shared: Mapping[str, str | None]
) -> Iterator[Authorization]:
    """A Bedrock Marketplace model runs on a SageMaker endpoint of the account, called on the caller's behalf."""
    context = of_action(action, {"aws:requestedregion": call.region, **shared})
    yield Authorization(action, call.arn("marketplace/model-endpoint/all-access", service="bedrock"), context)
    yield Authorization("sagemaker:InvokeEndpoint", arn, via_bedrock(call), account_of(arn))


def via_bedrock(call: Call) -> Context:
    """Context of a call that Bedrock makes with the caller's credentials."""
    return {
        "aws:requestedregion": (call.region,),
        "aws:calledvia": ("bedrock.amazonaws.com",),
        "aws:calledviafirst": ("bedrock.amazonaws.com",),
        "aws:calledvialast": ("bedrock.amazonaws.com",),
        "aws:viaawsservice": ("true",),
    }
