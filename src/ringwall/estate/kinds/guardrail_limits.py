"""What CreateGuardrail rejects (service model of 2026-09, and the tiers of the user guide)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.estate.kinds.limits import Limit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONTENT_FILTERS = ("SEXUAL", "VIOLENCE", "HATE", "INSULTS", "MISCONDUCT", "PROMPT_ATTACK")
STRENGTHS = ("NONE", "LOW", "MEDIUM", "HIGH")
BLOCK_ACTIONS = ("BLOCK", "NONE")
PII_ACTIONS = ("BLOCK", "ANONYMIZE", "NONE")
PII_TYPES = (
    "ADDRESS", "AGE", "AWS_ACCESS_KEY", "AWS_SECRET_KEY", "CA_HEALTH_NUMBER", "CA_SOCIAL_INSURANCE_NUMBER",
    "CREDIT_DEBIT_CARD_CVV", "CREDIT_DEBIT_CARD_EXPIRY", "CREDIT_DEBIT_CARD_NUMBER", "DRIVER_ID", "EMAIL",
    "INTERNATIONAL_BANK_ACCOUNT_NUMBER", "IP_ADDRESS", "LICENSE_PLATE", "MAC_ADDRESS", "NAME", "PASSWORD", "PHONE",
    "PIN", "SWIFT_CODE", "UK_NATIONAL_HEALTH_SERVICE_NUMBER", "UK_NATIONAL_INSURANCE_NUMBER",
    "UK_UNIQUE_TAXPAYER_REFERENCE_NUMBER", "URL", "USERNAME", "US_BANK_ACCOUNT_NUMBER", "US_BANK_ROUTING_NUMBER",
    "US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER", "US_PASSPORT_NUMBER", "US_SOCIAL_SECURITY_NUMBER",
    "VEHICLE_IDENTIFICATION_NUMBER",
)  # fmt: skip
FILTERS = "ContentPolicyConfig.FiltersConfig[]"
TOPICS = "TopicPolicyConfig.TopicsConfig[]"
WORDS = "WordPolicyConfig.WordsConfig[]"
LISTS = "WordPolicyConfig.ManagedWordListsConfig[]"
PII = "SensitiveInformationPolicyConfig.PiiEntitiesConfig[]"
REGEXES = "SensitiveInformationPolicyConfig.RegexesConfig[]"
GROUNDING = "ContextualGroundingPolicyConfig.FiltersConfig[]"
POLICIES = (
    "ContentPolicyConfig",
    "TopicPolicyConfig",
    "WordPolicyConfig",
    "SensitiveInformationPolicyConfig",
    "ContextualGroundingPolicyConfig",
    "AutomatedReasoningPolicyConfig",
)
TOPIC_DEFINITION: Mapping[str, int] = {"CLASSIC": 200, "STANDARD": 1000}
LOOK_AROUND = ("(?=", "(?!", "(?<=", "(?<!")

LIMITS = (
    Limit("Name", required=True, pattern=r"[0-9a-zA-Z_-]+", longest=50),
    Limit("Description", longest=200),
    Limit("BlockedInputMessaging", required=True, longest=500),
    Limit("BlockedOutputsMessaging", required=True, longest=500),
    Limit("KmsKeyArn", longest=2048),
    Limit("ContentPolicyConfig.FiltersConfig", shortest=1, longest=6),
    Limit(f"{FILTERS}.Type", required=True, choices=CONTENT_FILTERS),
    Limit(f"{FILTERS}.InputStrength", required=True, choices=STRENGTHS),
    Limit(f"{FILTERS}.OutputStrength", required=True, choices=STRENGTHS),
    Limit(f"{FILTERS}.InputAction", choices=BLOCK_ACTIONS),
    Limit(f"{FILTERS}.OutputAction", choices=BLOCK_ACTIONS),
    Limit("ContentPolicyConfig.ContentFiltersTierConfig.TierName", choices=("CLASSIC", "STANDARD")),
    Limit("TopicPolicyConfig.TopicsConfig", shortest=1, longest=30),
    Limit(f"{TOPICS}.Name", required=True, pattern=r"[0-9a-zA-Z\-_ !?.]+", longest=100),
    Limit(f"{TOPICS}.Definition", required=True),
    Limit(f"{TOPICS}.Type", required=True, choices=("DENY",)),
    Limit(f"{TOPICS}.InputAction", choices=BLOCK_ACTIONS),
    Limit(f"{TOPICS}.OutputAction", choices=BLOCK_ACTIONS),
    Limit(f"{TOPICS}.Examples", longest=5),
    Limit(f"{TOPICS}.Examples[]", longest=100),
    Limit("TopicPolicyConfig.TopicsTierConfig.TierName", choices=("CLASSIC", "STANDARD")),
    Limit("WordPolicyConfig.WordsConfig", shortest=1, longest=10_000),
    Limit(f"{WORDS}.Text", required=True, longest=100),
    Limit(f"{WORDS}.InputAction", choices=BLOCK_ACTIONS),
    Limit(f"{WORDS}.OutputAction", choices=BLOCK_ACTIONS),
    Limit(f"{LISTS}.Type", required=True, choices=("PROFANITY",)),
    Limit(f"{LISTS}.InputAction", choices=BLOCK_ACTIONS),
    Limit(f"{LISTS}.OutputAction", choices=BLOCK_ACTIONS),
    Limit(f"{PII}.Type", required=True, choices=PII_TYPES),
    Limit(f"{PII}.Action", required=True, choices=PII_ACTIONS),
    Limit(f"{PII}.InputAction", choices=PII_ACTIONS),
    Limit(f"{PII}.OutputAction", choices=PII_ACTIONS),
    Limit("SensitiveInformationPolicyConfig.RegexesConfig", shortest=1, longest=30),
    Limit(f"{REGEXES}.Name", required=True, longest=100),
    Limit(f"{REGEXES}.Pattern", required=True, longest=500),
    Limit(f"{REGEXES}.Description", longest=1000),
    Limit(f"{REGEXES}.Action", required=True, choices=PII_ACTIONS),
    Limit(f"{REGEXES}.InputAction", choices=PII_ACTIONS),
    Limit(f"{REGEXES}.OutputAction", choices=PII_ACTIONS),
    Limit(f"{GROUNDING}.Type", required=True, choices=("GROUNDING", "RELEVANCE")),
    Limit(f"{GROUNDING}.Threshold", required=True, least=0, most=0.99),
    Limit(f"{GROUNDING}.Action", choices=BLOCK_ACTIONS),
    Limit("AutomatedReasoningPolicyConfig.Policies", shortest=1, longest=2),
    Limit("AutomatedReasoningPolicyConfig.ConfidenceThreshold", least=0, most=1),
)


def problems_between(properties: Mapping[str, Any]) -> Iterator[str]:
    """What only several properties together tell."""
    if not any(properties.get(name) for name in POLICIES):
        yield "ContentPolicyConfig: a guardrail needs at least one policy"
    yield from _filters(properties)
    yield from _topics(properties)
    sensitive = properties.get("SensitiveInformationPolicyConfig") or {}
    for index, regex in enumerate(sensitive.get("RegexesConfig") or ()):
        if any(sign in str(regex.get("Pattern", "")) for sign in LOOK_AROUND):
            yield f"SensitiveInformationPolicyConfig.RegexesConfig[{index}].Pattern: look-around is not supported"
    yield from _repeated(properties)


def _filters(properties: Mapping[str, Any]) -> Iterator[str]:
    content = properties.get("ContentPolicyConfig") or {}
    for index, item in enumerate(content.get("FiltersConfig") or ()):
        if item.get("Type") == "PROMPT_ATTACK" and item.get("OutputStrength") != "NONE":
            yield f"ContentPolicyConfig.FiltersConfig[{index}].OutputStrength: must be NONE for PROMPT_ATTACK"


def _topics(properties: Mapping[str, Any]) -> Iterator[str]:
    topics = properties.get("TopicPolicyConfig") or {}
    tier = (topics.get("TopicsTierConfig") or {}).get("TierName", "CLASSIC")
    longest = TOPIC_DEFINITION.get(tier, 200)
    for index, item in enumerate(topics.get("TopicsConfig") or ()):
        if len(str(item.get("Definition") or "")) > longest:
            yield f"TopicPolicyConfig.TopicsConfig[{index}].Definition: more than {longest} characters"


def _repeated(properties: Mapping[str, Any]) -> Iterator[str]:
    for path, name in (
        (FILTERS, "Type"),
        (TOPICS, "Name"),
        (WORDS, "Text"),
        (PII, "Type"),
        (REGEXES, "Name"),
    ):
        block, items = path.removesuffix("[]").split(".")
        seen: set[Any] = set()
        for item in (properties.get(block) or {}).get(items) or ():
            value = item.get(name)
            if value in seen:
                yield f"{block}.{items}: {value} stands there twice"
            seen.add(value)
