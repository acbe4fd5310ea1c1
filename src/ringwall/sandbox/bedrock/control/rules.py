"""What AWS demands of a guardrail beyond the shapes of its API model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.evaluation.regexes import InvalidPatternError, compile_pattern
from ringwall.sandbox.bedrock.faults import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

POLICIES = (
    "topicPolicyConfig",
    "contentPolicyConfig",
    "wordPolicyConfig",
    "sensitiveInformationPolicyConfig",
    "contextualGroundingPolicyConfig",
    "automatedReasoningPolicyConfig",
)
_GEOGRAPHIES = {
    "us": "us-",
    "eu": "eu-",
    "apac": "ap-",
    "us-gov": "us-gov-",
    "ca": "ca-",
    "jp": "ap-",
    "au": "ap-",
}
_CLASSIC_DEFINITION = 200
_MAX_THRESHOLD = 0.99


def check_guardrail(parameters: Mapping[str, Any], region: str) -> None:
    """Check CreateGuardrail's or UpdateGuardrail's input, after its shapes.

    Raises:
        AwsError: ``ValidationException`` with the first rule that is broken.
    """
    if not any(parameters.get(name) for name in POLICIES):
        raise invalid("The guardrail must have at least one policy configured.")
    for name, check in _CHECKS.items():
        if parameters.get(name) is not None:
            check(parameters[name])
    _check_tiers(parameters, region)


def _only_once(kind: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise invalid(f"Duplicate {kind} '{name}'. Each {kind} may be configured once.")
        seen.add(name)


def _check_topics(policy: Mapping[str, Any]) -> None:
    topics = policy["topicsConfig"]
    _only_once("topic name", (topic["name"] for topic in topics))
    if _tier(policy) == "STANDARD":
        return
    for topic in topics:
        if len(topic["definition"]) > _CLASSIC_DEFINITION:
            raise invalid(
                f"1 validation error detected: Value '{topic['definition'][:50]}...' at 'topicPolicyConfig.topicsConfig"
                f".definition' failed to satisfy constraint: Member must have length less than or equal to {_CLASSIC_DEFINITION}"
            )


def _check_content(policy: Mapping[str, Any]) -> None:
    filters = policy["filtersConfig"]
    _only_once("content filter type", (rule["type"] for rule in filters))
    for rule in filters:
        if rule["type"] == "PROMPT_ATTACK" and rule["outputStrength"] != "NONE":
            raise invalid("Output strength must be NONE for content filter of type PROMPT_ATTACK.")


def _check_words(policy: Mapping[str, Any]) -> None:
    words = policy.get("wordsConfig") or ()
    if not words and not policy.get("managedWordListsConfig"):
        raise invalid("The word policy must have at least one word or managed word list.")
    if any(not word["text"].strip() for word in words):
        raise invalid("A word of the word policy is blank.")


def _check_sensitive(policy: Mapping[str, Any]) -> None:
    entities, regexes = policy.get("piiEntitiesConfig") or (), policy.get("regexesConfig") or ()
    if not entities and not regexes:
        raise invalid(
            "The sensitive information policy must have at least one PII entity or regular expression."
        )
    _only_once("PII entity type", (entity["type"] for entity in entities))
    _only_once("regex name", (regex["name"] for regex in regexes))
    for regex in regexes:
        try:
            compile_pattern(regex["pattern"])
        except InvalidPatternError as error:
            raise invalid(
                f"The regex pattern of '{regex['name']}' is invalid or not supported (look-around is not): {error}"
            ) from error


def _check_grounding(policy: Mapping[str, Any]) -> None:
    _only_once("contextual grounding filter type", (rule["type"] for rule in policy["filtersConfig"]))
    if any(rule["threshold"] > _MAX_THRESHOLD for rule in policy["filtersConfig"]):
        raise invalid(f"The contextual grounding threshold must be between 0 and {_MAX_THRESHOLD}.")


def _tier(policy: Mapping[str, Any]) -> str:
    return str((policy.get("tierConfig") or {}).get("tierName", "CLASSIC"))


def _check_tiers(parameters: Mapping[str, Any], region: str) -> None:
    profile = (parameters.get("crossRegionConfig") or {}).get("guardrailProfileIdentifier")
    standard = [name for name in POLICIES if _tier(parameters.get(name) or {}) == "STANDARD"]
    if standard and profile is None:
        raise invalid(
            f"The STANDARD tier of {standard[0]} requires a guardrail profile in crossRegionConfig."
        )
    if profile is not None:
        geography = profile.rsplit("/", 1)[-1].split(".", 1)[0]
        if geography != "global" and not region.startswith(_GEOGRAPHIES.get(geography, f"{geography}-")):
            raise invalid(f"The guardrail profile {profile} is not available in Region {region}.")


_CHECKS: dict[str, Callable[[Mapping[str, Any]], None]] = {
    "topicPolicyConfig": _check_topics,
    "contentPolicyConfig": _check_content,
    "wordPolicyConfig": _check_words,
    "sensitiveInformationPolicyConfig": _check_sensitive,
    "contextualGroundingPolicyConfig": _check_grounding,
}
