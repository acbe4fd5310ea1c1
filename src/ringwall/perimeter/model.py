"""The declaration as types: what ``ringwall.yaml`` may say.

Loading, positions and "did you mean" are :mod:`ringwall.perimeter.loader`'s; here stands only what is valid. Limits
follow the service models of Bedrock (``CreateGuardrail``), EC2 and CloudWatch Logs; each pattern names its shape.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StrictInt, model_validator

from ringwall.catalog.partitions import partition_of
from ringwall.estate.kinds.guardrail_limits import PII_TYPES
from ringwall.estate.kinds.log_group import RETENTION_DAYS
from ringwall.perimeter.guardrail import CONTENT_FILTERS, Enforcement, Guardrail
from ringwall.perimeter.knowledge import CustomModels, KnowledgeBase
from ringwall.perimeter.section import (
    AccountId,
    AgentOrKnowledgeBaseId,
    ExternalId,
    KeyPrefix,
    ModelId,
    PrincipalArn,
    Region,
    RoleArn,
    Section,
    Slug,
    Target,
)
from ringwall.perimeter.siblings import Sibling, SiblingName

__all__ = ["CONTENT_FILTERS", "PII_TYPES", "RETENTION_DAYS", "Enforcement", "Guardrail", "Perimeter", "Use"]

METADATA = r"^[a-zA-Z0-9 \t\n\v\f\r:_@$#=/+,.-]*$"


class Organization(Section):
    """The organization whose service control policies hold the perimeter."""

    id: Annotated[str, Field(pattern=r"^o-[a-z0-9]{10,32}$")]
    management_role: RoleArn = Field(description="Role of the management account that may manage SCPs.")
    external_id: ExternalId | None = Field(
        default=None, description="What the management role's trust policy wants to hear."
    )
    target: Target | None = Field(
        default=None,
        description="Root, organizational unit or account that SCPs attach to. Default: the account. With several "
        "accounts only what names nothing of an account's own attaches there, the rest to each account.",
    )
    canary: Target | None = Field(
        default=None,
        description="Root, organizational unit or account that every apply begins with; the rest follows if what is "
        "there can still be read.",
    )
    attachments: Annotated[StrictInt, Field(ge=1, le=9)] = Field(
        default=9,
        description="How many SCPs may be attached to the target: 10 is AWS's limit, FullAWSAccess is one of them. With "
        "fewer than the perimeter has, its policies are packed into as few as fit.",
    )
    resource_control: StrictBool = Field(
        default=False,
        description="Attach a resource control policy as well: the perimeter's buckets, keys and logs are for this "
        "organization alone. Turns the policy type on for the organization.",
    )

    @property
    def management_account(self) -> str:
        """Account id of the management account."""
        return self.management_role.split(":")[4]


class Deployer(Section):
    """As whom Ringwall works in the account."""

    role: RoleArn = Field(description="Role of the account; the caller's own credentials assume it.")
    external_id: ExternalId | None = Field(
        default=None, description="What the role's trust policy wants to hear."
    )


class Regions(Section):
    """Where requests enter and where they may be processed."""

    source: Region
    destinations: tuple[Region, ...] = ()
    residency: Literal["in-region", "geographic", "global"] = "geographic"

    @property
    def processing(self) -> tuple[str, ...]:
        """Every Region that may process a request, the source first."""
        return (self.source, *(region for region in self.destinations if region != self.source))


class Use(Section):
    """One role and what it is for."""

    kind: Literal[
        "invoke", "retrieve", "agents", "guardrail-reader", "guardrail-administrator", "auditor", "operator"
    ]
    models: tuple[str, ...] = Field(default=(), description="Names from `models` that this use may invoke.")
    knowledge_base: AgentOrKnowledgeBaseId | None = None
    agent: AgentOrKnowledgeBaseId | None = None
    alias: AgentOrKnowledgeBaseId | None = None
    trust: tuple[PrincipalArn, ...] = Field(
        default=(),
        description="Who may assume the role. Default: the account's own principals that IAM allows.",
    )
    external_id: ExternalId | None = None

    @model_validator(mode="after")
    def _complete(self) -> Use:
        needs = {"invoke": ("models",), "retrieve": ("knowledge_base",), "agents": ("agent", "alias")}
        for name in needs.get(self.kind, ()):
            if not getattr(self, name):
                msg = f"a use of kind {self.kind} needs {name}"
                raise ValueError(msg)
        if self.alias == "TSTALIASID":
            msg = "TSTALIASID is the test alias, which runs the agent's draft: create an alias of a version"
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

    rotation_days: Annotated[StrictInt, Field(ge=90, le=2560)] = 365
    aws_owned: tuple[Literal["guardrail"], ...] = Field(
        default=(),
        description="Data classes left to keys that AWS owns: no policy, no log of their use, no way to revoke them.",
    )


class Logging(Section):
    """Invocation logging and the trail."""

    retention_days: StrictInt = 365
    prefix: KeyPrefix = "invocation-logs"
    deletion_protection: StrictBool = Field(
        default=True, description="Whether the log group can be deleted only after somebody turned this off."
    )
    mask: tuple[str, ...] = Field(
        default=("AwsSecretKey", "OpenSshPrivateKey", "PgpPrivateKey", "PkcsPrivateKey", "PuttyPrivateKey"),
        description="Managed data identifiers of CloudWatch Logs that readers see masked without logs:Unmask. The logs "
        "hold prompts as they were sent, whatever the guardrail masked.",
    )
    object_days: Annotated[StrictInt, Field(ge=1, le=36_500)] | None = Field(
        default=None, description="After how many days logged objects expire. Default: never."
    )
    trail: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,126}[A-Za-z0-9]$")] | None = Field(
        default=None,
        description="A trail that exists and is kept: the perimeter's selectors are merged into its own.",
    )


class Alarms(Section):
    """Who hears of it."""

    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=320)]
    tokens_per_hour: Annotated[StrictInt, Field(ge=1)] | None = Field(
        default=None, description="Input or output tokens of one model in an hour that raise an alarm."
    )


class Client(Section):
    """What the runtime client takes from its surroundings."""

    trust_environment: StrictBool = Field(
        default=False, description="Take proxy and CA from the environment."
    )
    metadata: Annotated[
        dict[
            Annotated[str, Field(pattern=METADATA, min_length=1, max_length=256)],
            Annotated[str, Field(pattern=METADATA, max_length=256)],
        ],
        Field(max_length=16),
    ] = Field(default_factory=dict, description="Request metadata that every call carries.")


class Perimeter(Section):
    """A whole declaration."""

    version: Literal[1]
    name: Slug
    organization: Organization
    account: AccountId
    member: Slug | None = Field(
        default=None,
        description="Name of the account among several, part of the names of its organization policies. `accounts` says it.",
    )
    deployer: Deployer | None = Field(
        default=None, description="Default: the caller's own credentials, which must be the account's."
    )
    administrators: Annotated[tuple[PrincipalArn, ...], Field(min_length=1)]
    regions: Regions
    models: Annotated[dict[Slug, ModelId], Field(min_length=1)]
    guardrail: Guardrail
    other_guardrails: tuple[Guardrail, ...] = ()
    enforcement: Enforcement = Enforcement()
    uses: dict[Slug, Use] = Field(default_factory=dict)
    service_roles: tuple[RoleArn, ...] = Field(
        default=(),
        description="Service roles of agents and knowledge bases: they call models by themselves, without a guardrail "
        "of the caller. Their trust policies must admit Bedrock alone.",
    )
    knowledge_bases: dict[Slug, KnowledgeBase] = Field(
        default_factory=dict,
        description="Knowledge bases whose source bucket, key and service role are made here.",
    )
    custom_models: CustomModels | None = None
    siblings: dict[SiblingName, Sibling] = Field(
        default_factory=dict,
        description="Services beside Bedrock that reach models under other names: closed unless they stand here.",
    )
    network: Network
    encryption: Encryption = Encryption()
    logging: Logging = Logging()
    data_retention: Literal["none", "default"] = "none"
    alarms: Alarms
    client: Client = Client()
    accounts: dict[Slug, dict[str, Any]] = Field(
        default_factory=dict,
        description="Several accounts of the organization, each with what is different in it: laid over the rest, key by "
        "key. plan, apply, drift and destroy take them together.",
    )
    environments: dict[Slug, dict[str, Any]] = Field(
        default_factory=dict,
        description="What is different in an environment, chosen by --environment: laid over the rest, key by key.",
    )

    @property
    def partition(self) -> str:
        """AWS partition, from the source Region."""
        return partition_of(self.regions.source)

    def role_name(self, use: str) -> str:
        """Name of a use's role."""
        return f"{self.name}-{use}"

    def role_arn(self, use: str) -> str:
        """ARN of a use's role; deterministic, so that nothing has to wait for it."""
        return f"arn:{self.partition}:iam::{self.account}:role/{self.role_name(use)}"

    @property
    def exempt_roles(self) -> tuple[str, ...]:
        """Service roles that call models without a guardrail of the caller: declared ones, and those made here."""
        made = (self.role_arn(f"kb-{name}") for name in self.knowledge_bases)
        return tuple(dict.fromkeys((*self.service_roles, *made)))

    def bucket(self, purpose: str) -> str:
        """Globally unique, deterministic bucket name."""
        return f"ringwall-{self.name}-{purpose}-{self.account}-{self.regions.source}"

    def to_json(self) -> dict[str, Any]:
        """The declaration as plain data."""
        return self.model_dump(mode="json")
