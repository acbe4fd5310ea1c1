"""The declaration as types: what ``ringwall.yaml`` may say.

Loading, positions and "did you mean" are :mod:`ringwall.perimeter.loader`'s; here stands only what is valid. Limits
follow the service models of Bedrock (``CreateGuardrail``), EC2 and CloudWatch Logs; each pattern names its shape.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

AccountId = Annotated[str, Field(pattern=r"^\d{12}$", description="Twelve digits, quoted.")]
Region = Annotated[
    str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="A Region name such as us-east-1.")
]
PrincipalArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:(root|user/.+|role/.+)$")]
RoleArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/.+$")]
Slug = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$", description="Lower-case letters, digits and hyphens.")
]
GuardrailName = Annotated[str, Field(pattern=r"^[0-9a-zA-Z_-]{1,50}$")]
Strength = Literal["none", "low", "medium", "high"]
Action = Literal["block", "anonymize"]

CONTENT_FILTERS = ("SEXUAL", "VIOLENCE", "HATE", "INSULTS", "MISCONDUCT", "PROMPT_ATTACK")
PII_TYPES = (
    "ADDRESS", "AGE", "AWS_ACCESS_KEY", "AWS_SECRET_KEY", "CA_HEALTH_NUMBER", "CA_SOCIAL_INSURANCE_NUMBER",
    "CREDIT_DEBIT_CARD_CVV", "CREDIT_DEBIT_CARD_EXPIRY", "CREDIT_DEBIT_CARD_NUMBER", "DRIVER_ID", "EMAIL",
    "INTERNATIONAL_BANK_ACCOUNT_NUMBER", "IP_ADDRESS", "LICENSE_PLATE", "MAC_ADDRESS", "NAME", "PASSWORD", "PHONE",
    "PIN", "SWIFT_CODE", "UK_NATIONAL_HEALTH_SERVICE_NUMBER", "UK_NATIONAL_INSURANCE_NUMBER",
    "UK_UNIQUE_TAXPAYER_REFERENCE_NUMBER", "URL", "USERNAME", "US_BANK_ACCOUNT_NUMBER", "US_BANK_ROUTING_NUMBER",
    "US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER", "US_PASSPORT_NUMBER", "US_SOCIAL_SECURITY_NUMBER",
    "VEHICLE_IDENTIFICATION_NUMBER",
)  # fmt: skip
ContentFilter = Literal["SEXUAL", "VIOLENCE", "HATE", "INSULTS", "MISCONDUCT", "PROMPT_ATTACK"]
RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip


class Section(BaseModel):
    """A mapping of the declaration: unknown fields are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=False)


class Organization(Section):
    """The organization whose service control policies hold the perimeter."""

    id: Annotated[str, Field(pattern=r"^o-[a-z0-9]{10,32}$")]
    management_role: RoleArn = Field(description="Role of the management account that may manage SCPs.")
    target: str | None = Field(
        default=None,
        description="Root, organizational unit or account that SCPs attach to. Default: the account.",
    )

    @property
    def management_account(self) -> str:
        """Account id of the management account."""
        return self.management_role.split(":")[4]


class Regions(Section):
    """Where requests enter and where they may be processed."""

    source: Region
    destinations: tuple[Region, ...] = ()
    residency: Literal["in-region", "geographic", "global"] = "geographic"

    @property
    def processing(self) -> tuple[str, ...]:
        """Every Region that may process a request, the source first."""
        return (self.source, *(region for region in self.destinations if region != self.source))


class Topic(Section):
    """A denied topic."""

    name: Annotated[str, Field(pattern=r"^[0-9a-zA-Z\-_ !?.]{1,100}$")]
    definition: Annotated[str, Field(min_length=1, max_length=200)]
    examples: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=100)], ...], Field(max_length=5)
    ] = ()


class Regex(Section):
    """A custom sensitive-information pattern."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    pattern: Annotated[str, Field(min_length=1, max_length=500)]
    description: Annotated[str, Field(max_length=1000)] | None = None
    action: Action = "block"


class Guardrail(Section):
    """A guardrail. Its version changes when, and only when, its content changes."""

    name: GuardrailName = "baseline"
    description: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    strength: Strength = Field(default="none", description="Strength of every content filter.")
    filters: dict[ContentFilter, Strength] = Field(default_factory=dict, description="Strength by filter.")
    topics: Annotated[tuple[Topic, ...], Field(max_length=30)] = ()
    words: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=100)], ...], Field(max_length=10_000)
    ] = ()
    profanity: Literal["block", "allow"] = "allow"
    pii: dict[str, Action] = Field(default_factory=dict)
    regexes: Annotated[tuple[Regex, ...], Field(max_length=30)] = ()
    grounding: Annotated[float, Field(ge=0, le=0.99)] | None = None
    relevance: Annotated[float, Field(ge=0, le=0.99)] | None = None
    blocked_input: Annotated[str, Field(min_length=1, max_length=500)] = "This request is not allowed."
    blocked_output: Annotated[str, Field(min_length=1, max_length=500)] = "This answer was withheld."

    @model_validator(mode="after")
    def _has_a_policy(self) -> Guardrail:
        if not (
            any(strength != "none" for strength in self.strengths.values())
            or self.topics
            or self.words
            or self.profanity == "block"
            or self.pii
            or self.regexes
            or self.grounding is not None
            or self.relevance is not None
        ):
            msg = "a guardrail needs at least one policy: strength, filters, topics, words, profanity, pii, regexes"
            raise ValueError(msg)
        return self

    @property
    def strengths(self) -> dict[str, Strength]:
        """Strength of each content filter."""
        return {name: self.filters.get(name, self.strength) for name in CONTENT_FILTERS}  # type: ignore[call-overload]


class Use(Section):
    """One role and what it is for."""

    kind: Literal[
        "invoke", "retrieve", "agents", "guardrail-reader", "guardrail-administrator", "auditor", "operator"
    ]
    models: tuple[str, ...] = Field(default=(), description="Names from `models` that this use may invoke.")
    knowledge_base: Annotated[str, Field(pattern=r"^[0-9a-zA-Z]{10}$")] | None = None
    agent: Annotated[str, Field(pattern=r"^[0-9a-zA-Z]{10}$")] | None = None
    alias: Annotated[str, Field(pattern=r"^[0-9a-zA-Z]{10}$")] | None = None
    trust: tuple[PrincipalArn, ...] = Field(
        default=(),
        description="Who may assume the role. Default: the account's own principals that IAM allows.",
    )
    external_id: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> Use:
        needs = {"invoke": ("models",), "retrieve": ("knowledge_base",), "agents": ("agent", "alias")}
        for name in needs.get(self.kind, ()):
            if not getattr(self, name):
                msg = f"a use of kind {self.kind} needs {name}"
                raise ValueError(msg)
        return self


class Network(Section):
    """The VPC that calls come from. VPC, subnets and the application's security group exist already."""

    vpc: Annotated[str, Field(pattern=r"^vpc-[0-9a-f]{8,17}$")]
    subnets: Annotated[
        tuple[Annotated[str, Field(pattern=r"^subnet-[0-9a-f]{8,17}$")], ...], Field(min_length=1)
    ]
    application_security_group: Annotated[str, Field(pattern=r"^sg-[0-9a-f]{8,17}$")]
    endpoints: tuple[str, ...] = ("bedrock", "bedrock-runtime", "bedrock-agent-runtime", "sts")


class Encryption(Section):
    """Customer-managed keys, one per data class."""

    rotation_days: Annotated[int, Field(ge=90, le=2560)] = 365


class Logging(Section):
    """Invocation logging and the trail."""

    retention_days: int = 365
    prefix: Annotated[str, Field(pattern=r"^[0-9A-Za-z!_.*'()-]+(/[0-9A-Za-z!_.*'()-]+)*$")] = (
        "invocation-logs"
    )


class Alarms(Section):
    """Who hears of it."""

    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]


class Client(Section):
    """What the runtime client takes from its surroundings."""

    trust_environment: bool = Field(default=False, description="Take proxy and CA from the environment.")
    metadata: dict[str, str] = Field(
        default_factory=dict, description="Request metadata that every call carries."
    )


class Perimeter(Section):
    """A whole declaration."""

    version: Literal[1]
    name: Slug
    organization: Organization
    account: AccountId
    administrators: Annotated[tuple[PrincipalArn, ...], Field(min_length=1)]
    regions: Regions
    models: Annotated[dict[Slug, str], Field(min_length=1)]
    guardrail: Guardrail
    other_guardrails: tuple[Guardrail, ...] = ()
    uses: dict[Slug, Use] = Field(default_factory=dict)
    service_roles: tuple[RoleArn, ...] = Field(
        default=(),
        description="Service roles of agents and knowledge bases: they call models by themselves, without a guardrail "
        "of the caller. Their trust policies must admit Bedrock alone.",
    )
    network: Network
    encryption: Encryption = Encryption()
    logging: Logging = Logging()
    data_retention: Literal["none", "default"] = "none"
    alarms: Alarms
    client: Client = Client()

    @property
    def partition(self) -> str:
        """AWS partition, from the source Region."""
        if self.regions.source.startswith("us-gov-"):
            return "aws-us-gov"
        return "aws-cn" if self.regions.source.startswith("cn-") else "aws"

    def role_name(self, use: str) -> str:
        """Name of a use's role."""
        return f"{self.name}-{use}"

    def role_arn(self, use: str) -> str:
        """ARN of a use's role; deterministic, so that nothing has to wait for it."""
        return f"arn:{self.partition}:iam::{self.account}:role/{self.role_name(use)}"

    def bucket(self, purpose: str) -> str:
        """Globally unique, deterministic bucket name."""
        return f"ringwall-{self.name}-{purpose}-{self.account}-{self.regions.source}"

    def to_json(self) -> dict[str, Any]:
        """The declaration as plain data."""
        return self.model_dump(mode="json")
