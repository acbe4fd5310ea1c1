"""Guardrails as the declaration has them: what they look for, and where one is enforced.

Limits follow ``CreateGuardrail`` and ``PutEnforcedGuardrailConfiguration``; the tiers follow
https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-tiers.html.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field, StrictBool, StrictFloat, model_validator

from ringwall.estate.kinds.guardrail_limits import LOOK_AROUND
from ringwall.perimeter.guardrail_acts import (
    BlockingAction,
    Checked,
    MaskingAction,
    OneWord,
    ProfanityAction,
    Threshold,
    Word,
    sides,
)
from ringwall.perimeter.section import BaseModelId, Guarding, IncludedModelId, Section

GuardrailName = Annotated[str, Field(pattern=r"^[0-9a-zA-Z_-]{1,50}$")]
GuardrailProfile = Annotated[
    str, Field(pattern=r"^[a-z0-9-]+[.]guardrail[.]v[0-9:]+$", min_length=15, max_length=2048)
]
KeyArn = Annotated[
    str,
    Field(pattern=r"^arn:aws(-[^:]+)?:kms:[a-zA-Z0-9-]*:[0-9]{12}:key/[a-zA-Z0-9-]{36}$", max_length=2048),
]
Strength = Literal["none", "low", "medium", "high"]
Tier = Literal["classic", "standard"]
ContentFilter = Literal["SEXUAL", "VIOLENCE", "HATE", "INSULTS", "MISCONDUCT", "PROMPT_ATTACK"]
CONTENT_FILTERS: tuple[ContentFilter, ...] = get_args(ContentFilter)


class Topic(Section):
    """A denied topic."""

    name: Annotated[str, Field(pattern=r"^[0-9a-zA-Z\-_ !?.]{1,100}$")]
    definition: Annotated[str, Field(min_length=1, max_length=1000)]
    examples: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=100)], ...], Field(max_length=5)
    ] = ()
    action: BlockingAction = "block"


class Regex(Section):
    """A custom sensitive-information pattern."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    pattern: Annotated[str, Field(min_length=1, max_length=500)]
    description: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    action: MaskingAction = "block"

    @model_validator(mode="after")
    def _without_look_around(self) -> Regex:
        if any(sign in self.pattern for sign in LOOK_AROUND):
            msg = "Bedrock's patterns have no look-around: (?=, (?!, (?<= and (?<! are refused"
            raise ValueError(msg)
        return self


class Reasoning(Section):
    """Automated reasoning policies that answers are checked against. A guardrail with them cannot be enforced."""

    policies: Annotated[
        tuple[
            Annotated[
                str,
                Field(
                    pattern=r"^arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:automated-reasoning-policy"
                    r"/[a-z0-9]{12}(:([1-9][0-9]{0,11}))?$"
                ),
            ],
            ...,
        ],
        Field(min_length=1, max_length=2),
    ]
    confidence: Annotated[StrictFloat, Field(ge=0, le=1)] | None = None


class Guardrail(Section):
    """A guardrail. Its version changes when, and only when, its content changes."""

    name: GuardrailName = "baseline"
    description: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    tier: Tier = Field(
        default="classic",
        description="standard knows more languages, prompt leakage and code; it needs `profile`.",
    )
    profile: GuardrailProfile | None = Field(
        default=None,
        description="Guardrail profile by which it is evaluated across Regions: us.guardrail.v1:0.",
    )
    strength: Strength = Field(default="none", description="Strength of every content filter.")
    filters: dict[ContentFilter, Strength] = Field(default_factory=dict, description="Strength by filter.")
    output_filters: dict[ContentFilter, Strength] = Field(
        default_factory=dict, description="Strength in answers, where it is another than in prompts."
    )
    actions: dict[ContentFilter, BlockingAction] = Field(
        default_factory=dict,
        description="What a content filter does, where it does not block: detect only reports, ignore does not look.",
    )
    images: tuple[ContentFilter, ...] = Field(
        default=(), description="Content filters that look at images as well as text."
    )
    topics: Annotated[tuple[Topic, ...], Field(max_length=30)] = ()
    words: Annotated[tuple[OneWord, ...], Field(max_length=10_000)] = ()
    profanity: ProfanityAction = "allow"
    pii: dict[str, MaskingAction] = Field(default_factory=dict)
    regexes: Annotated[tuple[Regex, ...], Field(max_length=30)] = ()
    grounding: Checked | None = None
    relevance: Checked | None = None
    reasoning: Reasoning | None = None
    blocked_input: Annotated[str, Field(min_length=1, max_length=500)] = "This request is not allowed."
    blocked_output: Annotated[str, Field(min_length=1, max_length=500)] = "This answer was withheld."

    @model_validator(mode="after")
    def _has_a_policy(self) -> Guardrail:
        if not (
            any(strength != "none" for strength in self.strengths.values())
            or self.topics
            or self.words
            or self.profanity != "allow"
            or self.pii
            or self.regexes
            or self.grounding is not None
            or self.relevance is not None
            or self.reasoning is not None
        ):
            msg = "a guardrail needs at least one policy: strength, filters, topics, words, profanity, pii, regexes"
            raise ValueError(msg)
        return self

    @property
    def strengths(self) -> dict[ContentFilter, Strength]:
        """Strength of each content filter in prompts."""
        return {name: self.filters.get(name, self.strength) for name in CONTENT_FILTERS}

    @property
    def output_strengths(self) -> dict[ContentFilter, Strength]:
        """Strength of each content filter in answers. Prompt attacks are looked for in prompts alone."""
        found = {name: self.output_filters.get(name, strength) for name, strength in self.strengths.items()}
        return {**found, "PROMPT_ATTACK": "none"}

    @property
    def masks(self) -> bool:
        """Whether something sensitive is masked, in prompts or in answers, rather than blocked."""
        declared = (*self.pii.values(), *(regex.action for regex in self.regexes))
        return any("anonymize" in sides(action) for action in declared)

    @property
    def listed_words(self) -> tuple[Word, ...]:
        """Words with what is done about each."""
        return tuple(Word(text=item) if isinstance(item, str) else item for item in self.words)

    @property
    def checks(self) -> dict[str, Threshold]:
        """What answers are checked for against their sources, with what is done below each threshold."""
        declared = {"GROUNDING": self.grounding, "RELEVANCE": self.relevance}
        return {
            name: check if isinstance(check, Threshold) else Threshold(threshold=check)
            for name, check in declared.items()
            if check is not None
        }


class OrganizationGuardrail(Section):
    """A guardrail of the management account that every call of the policy's targets is held to."""

    guardrail: Annotated[
        str,
        Field(
            pattern=r"^arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:guardrail/[a-z0-9]+$",
            description="ARN of the guardrail, which the management account owns.",
        ),
    ]
    version: Annotated[
        str, Field(pattern=r"^[1-9][0-9]{0,7}$", description="Numbered version; DRAFT is refused.")
    ]
    profile: GuardrailProfile | None = Field(
        default=None,
        description="Guardrail profile by which it is evaluated across Regions, where it has one: callers need it as well.",
    )
    key: KeyArn | None = Field(
        default=None,
        description="Customer managed key that it is encrypted with, where it is: callers need to decrypt with it.",
    )


class Enforcement(Section):
    """Guardrails that Bedrock applies to every Invoke and Converse call, whether the call names one or not.

    Bills the calls' account for each enforced guardrail, and callers need ApplyGuardrail on it: the pre-flight asks for
    every role.
    """

    account: StrictBool = Field(
        default=False, description="Enforce the pinned guardrail in this account and Region."
    )
    organization: OrganizationGuardrail | None = None
    system: Guarding = Field(default="comprehensive", description="What of system prompts is evaluated.")
    messages: Guarding = Field(
        default="comprehensive", description="What of messages: selective honours the caller's own tags."
    )
    included_models: Annotated[tuple[IncludedModelId, ...], Field(min_length=1)] = ("ALL",)
    excluded_models: tuple[BaseModelId, ...] = ()
