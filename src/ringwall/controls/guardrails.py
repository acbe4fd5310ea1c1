"""Guardrails and their versions, as resources and in a form that compares by strength."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ringwall.controls import names
from ringwall.controls.strength import ACTIONS
from ringwall.estate.kinds.guardrail_version import content_of
from ringwall.estate.model import Ref, Resource, canonical_json
from ringwall.perimeter.guardrail_acts import sides

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.perimeter.guardrail import ContentFilter
    from ringwall.perimeter.guardrail_acts import Blocking, BlockingSides, Masking, MaskingSides
    from ringwall.perimeter.model import Guardrail, Perimeter

BESIDE = ("CrossRegionConfig", "AutomatedReasoningPolicyConfig")
"""What a version fixes besides policies and messages."""
MASKS: Mapping[str, str] = {"block": "BLOCK", "anonymize": "ANONYMIZE", "detect": "NONE", "ignore": "NONE"}
CHECKS: Mapping[str, Mapping[str, Any]] = {
    "block": {},
    "detect": {"Action": "NONE"},
    "ignore": {"Enabled": False},
}


def guardrails(perimeter: Perimeter) -> Iterator[Resource]:
    """The pinned guardrail with its own key, then the others."""
    yield _guardrail(perimeter, perimeter.guardrail, pinned=True)
    for other in perimeter.other_guardrails:
        yield _guardrail(perimeter, other, pinned=False)


def versions(perimeter: Perimeter) -> Iterator[Resource]:
    """A numbered version of each, with its content. Its description is the content's digest, so it changes with it."""
    for guardrail in (perimeter.guardrail, *perimeter.other_guardrails):
        fixed = content(guardrail)
        yield Resource(
            type="AWS::Bedrock::GuardrailVersion",
            account=perimeter.account,
            region=perimeter.regions.source,
            id=f"guardrail-version/{guardrail.name}",
            properties={
                "GuardrailIdentifier": Ref(f"guardrail/{guardrail.name}", "Id"),
                "Description": digest({**fixed, **beside(perimeter, guardrail)}),
                **fixed,
            },
        )


def _guardrail(perimeter: Perimeter, guardrail: Guardrail, *, pinned: bool) -> Resource:
    description = guardrail.description or f"Ringwall {perimeter.name}: {guardrail.name}"
    properties: dict[str, Any] = {
        "Name": guardrail.name,
        "Description": description,
        **content(guardrail),
        **beside(perimeter, guardrail),
    }
    if pinned and "guardrail" in names.data_classes(perimeter):
        properties["KmsKeyArn"] = names.key_arn("guardrail")
    return Resource(
        type="AWS::Bedrock::Guardrail",
        account=perimeter.account,
        region=perimeter.regions.source,
        id=f"guardrail/{guardrail.name}",
        properties=properties,
    )


def beside(perimeter: Perimeter, guardrail: Guardrail) -> dict[str, Any]:
    """What a version fixes besides policies and messages: the profile that evaluates it, and reasoning policies."""
    found: dict[str, Any] = {}
    if guardrail.profile is not None:
        profile = names.guardrail_profiles(perimeter, guardrail)[0]
        found["CrossRegionConfig"] = {"GuardrailProfileArn": profile}
    if guardrail.reasoning is not None:
        reasoning: dict[str, Any] = {"Policies": list(guardrail.reasoning.policies)}
        if guardrail.reasoning.confidence is not None:
            reasoning["ConfidenceThreshold"] = guardrail.reasoning.confidence
        found["AutomatedReasoningPolicyConfig"] = reasoning
    return found


def digest(value: dict[str, Any]) -> str:
    """Digest of a guardrail's content, as its version's description holds it; the order of lists does not count."""
    fixed = {**content_of(value), **{name: value[name] for name in BESIDE if name in value}}
    return "sha256:" + hashlib.sha256(canonical_json(fixed).encode()).hexdigest()


def content(guardrail: Guardrail) -> dict[str, Any]:
    """The policies and messages of a guardrail, in CloudFormation's names."""
    found = {
        "ContentPolicyConfig": _filters(guardrail),
        "TopicPolicyConfig": _topics(guardrail),
        "WordPolicyConfig": _words(guardrail),
        "SensitiveInformationPolicyConfig": _sensitive(guardrail),
        "ContextualGroundingPolicyConfig": _grounding(guardrail),
    }
    return {
        "BlockedInputMessaging": guardrail.blocked_input,
        "BlockedOutputsMessaging": guardrail.blocked_output,
        **{name: value for name, value in found.items() if value},
    }


def _filters(guardrail: Guardrail) -> dict[str, Any]:
    """Filters that are on in prompts or in answers."""
    strengths, outputs = guardrail.strengths, guardrail.output_strengths
    filters = [
        {
            "Type": name,
            "InputStrength": strength.upper(),
            "OutputStrength": outputs[name].upper(),
            **_modalities(guardrail, name),
            **_acts(guardrail.actions.get(name, "block"), answers=name != "PROMPT_ATTACK"),
        }
        for name, strength in strengths.items()
        if strength != "none" or outputs[name] != "none"
    ]
    return {"FiltersConfig": filters, **_tier(guardrail, "ContentFiltersTierConfig")} if filters else {}


def _modalities(guardrail: Guardrail, name: ContentFilter) -> dict[str, Any]:
    """Text alone is what Bedrock takes where nothing is said."""
    if name not in guardrail.images:
        return {}
    both = ["TEXT", "IMAGE"]
    return {"InputModalities": both, **({} if name == "PROMPT_ATTACK" else {"OutputModalities": both})}


def _acts(action: BlockingSides | Blocking, *, answers: bool = True) -> dict[str, Any]:
    """Blocking on both sides is what Bedrock takes where nothing is said."""
    given = dict(zip(("Input", "Output"), sides(action), strict=True))
    found: dict[str, Any] = {}
    for side, wanted in given.items():
        if wanted == "block" or (side == "Output" and not answers):
            continue
        found.update({f"{side}Enabled": False} if wanted == "ignore" else {f"{side}Action": "NONE"})
    return found


def _tier(guardrail: Guardrail, member: str) -> dict[str, Any]:
    return {member: {"TierName": "STANDARD"}} if guardrail.tier == "standard" else {}


def _topics(guardrail: Guardrail) -> dict[str, Any]:
    topics = [
        {
            "Name": topic.name,
            "Definition": topic.definition,
            "Type": "DENY",
            **({"Examples": list(topic.examples)} if topic.examples else {}),
            **_acts(topic.action),
        }
        for topic in guardrail.topics
    ]
    return {"TopicsConfig": topics, **_tier(guardrail, "TopicsTierConfig")} if topics else {}


def _words(guardrail: Guardrail) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if guardrail.words:
        found["WordsConfig"] = [{"Text": word.text, **_acts(word.action)} for word in guardrail.listed_words]
    if guardrail.profanity != "allow":
        found["ManagedWordListsConfig"] = [{"Type": "PROFANITY", **_acts(guardrail.profanity)}]
    return found


def _sensitive(guardrail: Guardrail) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if guardrail.pii:
        found["PiiEntitiesConfig"] = [
            {"Type": name, **_masks(action)} for name, action in guardrail.pii.items()
        ]
    if guardrail.regexes:
        found["RegexesConfig"] = [
            {
                "Name": regex.name,
                "Pattern": regex.pattern,
                **_masks(regex.action),
                **({"Description": regex.description} if regex.description else {}),
            }
            for regex in guardrail.regexes
        ]
    return found


def _masks(action: MaskingSides | Masking) -> dict[str, Any]:
    """The action that an entity must have, and each side's own where they differ.

    It is documented nowhere how the three bear on each other, so the one that must be there is the stronger of the two.
    """
    both = [MASKS[one] for one in sides(action)]
    found: dict[str, Any] = {"Action": max(both, key=ACTIONS.index)}
    for side, wanted, told in zip(("Input", "Output"), sides(action), both, strict=True):
        if wanted == "ignore":
            found[f"{side}Enabled"] = False
        elif both[0] != both[1]:
            found[f"{side}Action"] = told
    return found


def _grounding(guardrail: Guardrail) -> dict[str, Any]:
    filters = [
        {
            "Type": name,
            "Threshold": check.threshold,
            **CHECKS[check.action],
        }
        for name, check in guardrail.checks.items()
    ]
    return {"FiltersConfig": filters, **_tier(guardrail, "ContextualGroundingTierConfig")} if filters else {}
