"""Model identifiers of inference calls, and the authorizations that each form needs.

Follows the user guide's pages on inference prerequisites, geographic and global cross-Region inference, Prompt
management and intelligent prompt routing (https://docs.aws.amazon.com/bedrock/latest/userguide/inference-prereq.html).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ringwall.catalog import profiles
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
INVOKE_STREAM = "bedrock:InvokeModelWithResponseStream"
UNSPECIFIED = "unspecified"  # aws:RequestedRegion of global routing

_RESOURCE_TYPE = re.compile(r"arn:[^:]*:(?P<service>[^:]*):[^:]*:[^:]*:(?P<type>[^/:]+)")


def resource_type(arn: str) -> str:
    """First part of an ARN's resource (``inference-profile``); empty if the text is no ARN."""
    found = _RESOURCE_TYPE.match(arn)
    return found["type"] if found else ""


def model_arn(call: Call, model: str) -> str:
    """ARN of a model identifier: an ARN as it is, else an inference profile or a foundation model of the Region."""
    if is_arn(model):
        return model
    if profiles.is_profile(model):
        return call.arn(f"inference-profile/{model}", service="bedrock")
    return call.arn(f"foundation-model/{model}", service="bedrock", account="")


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


def apply_guardrail(call: Call, identifier: str) -> Authorization:
    """The authorization to evaluate a guardrail."""
    arn = guardrail_arn(call, identifier)
    action = "bedrock:ApplyGuardrail"
    return Authorization(
        action, arn, of_action(action, {"aws:requestedregion": call.region}), account_of(arn)
    )


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
        raise UnresolvedModelError(
            f"cannot tell which models {arn} stands for: name the foundation model or a system-defined inference "
            f"profile, or ask where the account is known (--estate FILE or a live account)"
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
