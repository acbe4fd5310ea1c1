"""What the Bedrock plane remembers, per account and Region."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ringwall.sandbox import chance
from ringwall.sandbox.bedrock.evaluation.engine import CompiledGuardrail

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

LOWER = "abcdefghijklmnopqrstuvwxyz0123456789"
ID_LENGTH = 12
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def new_id(length: int, alphabet: str = LOWER) -> str:
    """A random identifier in the manner of Bedrock's."""
    return chance.text(alphabet, length)


@dataclass
class GuardrailVersion:
    """One version of a guardrail: DRAFT, which changes, or a numbered one, which never does.

    Attributes:
        version: ``DRAFT`` or a number.
        configuration: name, messages and policy blocks, as CreateGuardrail takes them.
        description: of this version.
        kms_key_arn: customer managed key, if any.
        wrapped_key: data key of that KMS key, which every use has to decrypt.
    """

    version: str
    configuration: dict[str, Any]
    description: str | None
    created_at: datetime
    updated_at: datetime
    kms_key_arn: str | None = None
    wrapped_key: bytes | None = None

    @cached_property
    def compiled(self) -> CompiledGuardrail:
        """The version, ready to evaluate."""
        return CompiledGuardrail(self.configuration)

    @property
    def name(self) -> str:
        """The guardrail's name at this version."""
        return str(self.configuration["name"])


@dataclass
class Guardrail:
    """A guardrail with its versions."""

    id: str
    arn: str
    draft: GuardrailVersion
    versions: dict[str, GuardrailVersion] = field(default_factory=dict)
    last_version: int = 0
    resource_policy: str | None = None
    tags: dict[str, str] = field(default_factory=dict)

    def version(self, version: str | None) -> GuardrailVersion | None:
        """A version by name; DRAFT where none is named."""
        return self.draft if version in {None, "", "DRAFT"} else self.versions.get(str(version))


@dataclass
class Tagged:
    """A resource that is kept as the API shows it: an inference profile, an agent, a job, a model of one's own.

    Attributes:
        arn: its ARN.
        shape: as its Get operation shows it.
        tags: its tags.
        children: aliases of an agent or a flow, data sources of a knowledge base, by id.
        versions: numbered versions of a flow, by number.
        last_version: the highest number that a version had.
        documents: what a knowledge base holds.
        built_in: made by the sandbox itself, without a role in the account's IAM.
        wrapped_key: data key of its customer managed KMS key, which every use has to decrypt.
    """

    arn: str
    shape: dict[str, Any]
    tags: dict[str, str] = field(default_factory=dict)
    children: dict[str, Tagged] = field(default_factory=dict)
    versions: dict[str, Tagged] = field(default_factory=dict)
    last_version: int = 0
    documents: list[dict[str, Any]] = field(default_factory=list)
    built_in: bool = False
    wrapped_key: bytes | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """How a job that runs will end, which is decided when it begins.

    Attributes:
        at: when.
        job: the job.
        outcome: members of its shape from then on.
        model: what it makes, if anything.
    """

    at: datetime
    job: Tagged
    outcome: dict[str, Any]
    model: Tagged | None = None


@dataclass
class Regional:
    """One account's Bedrock in one Region."""

    account: str
    region: str
    guardrails: dict[str, Guardrail] = field(default_factory=dict)
    tokens: dict[tuple[str, str], str] = field(default_factory=dict)
    guardrail_profile_policies: dict[str, str] = field(default_factory=dict)
    enforced: dict[str, Any] | None = None
    logging: dict[str, Any] | None = None
    retention: dict[str, Any] | None = None
    profiles: dict[str, Tagged] = field(default_factory=dict)
    knowledge_bases: dict[str, Tagged] = field(default_factory=dict)
    agents: dict[str, Tagged] = field(default_factory=dict)
    jobs: dict[str, Tagged] = field(default_factory=dict)
    invocations: dict[str, Tagged] = field(default_factory=dict)
    customization_jobs: dict[str, Tagged] = field(default_factory=dict)
    custom_models: dict[str, Tagged] = field(default_factory=dict)
    deployments: dict[str, Tagged] = field(default_factory=dict)
    import_jobs: dict[str, Tagged] = field(default_factory=dict)
    imported_models: dict[str, Tagged] = field(default_factory=dict)
    throughputs: dict[str, Tagged] = field(default_factory=dict)
    evaluation_jobs: dict[str, Tagged] = field(default_factory=dict)
    copy_jobs: dict[str, Tagged] = field(default_factory=dict)
    flows: dict[str, Tagged] = field(default_factory=dict)
    pending: list[Pending] = field(default_factory=list)

    def arn(self, resource: str) -> str:
        """ARN of one of this account's Bedrock resources (``guardrail/abc``)."""
        return f"arn:aws:bedrock:{self.region}:{self.account}:{resource}"


class State:
    """Everything that the plane remembers. Hold ``lock`` to change more than one thing at once."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._regional: dict[tuple[str, str], Regional] = {}

    def at(self, account: str, region: str) -> Regional:
        """The account's Bedrock in a Region."""
        found = self._regional.get((account, region))
        if found is not None:
            return found
        with self.lock:
            return self._regional.setdefault((account, region), Regional(account, region))

    def __iter__(self) -> Iterator[Regional]:
        with self.lock:
            return iter(tuple(self._regional.values()))

    def find_guardrail(self, identifier: str, account: str, region: str) -> Guardrail | None:
        """A guardrail by id (in the account) or by ARN (in any account, same Region)."""
        if identifier.startswith("arn:"):
            parts = identifier.split(":")
            if len(parts) < 6 or parts[3] != region or not parts[5].startswith("guardrail/"):
                return None
            account, identifier = parts[4], parts[5].removeprefix("guardrail/")
        return self.at(account, region).guardrails.get(identifier)
