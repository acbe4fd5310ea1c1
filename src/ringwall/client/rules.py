"""What a use may call: the declaration as decisions on single calls. Pure; knows no network and no botocore."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ringwall.client.operations import AGENTS, BODY, CARRIERS, FREE, KNOWLEDGE, MODEL_ONLY, Carrier
from ringwall.client.violation import PerimeterViolation
from ringwall.perimeter.loader import line_of
from ringwall.perimeter.model import Perimeter, Use

DRAFT = "DRAFT"


@dataclass(frozen=True, slots=True)
class PinnedGuardrail:
    """The guardrail that every call carries.

    Attributes:
        id: guardrail id.
        arn: its ARN, without version.
        version: numbered version.
    """

    id: str
    arn: str
    version: str

    def is_meant_by(self, identifier: str) -> bool:
        """Whether an id or ARN names it."""
        return identifier in (self.id, self.arn)


@dataclass(frozen=True)
class Rules:
    """The rules of one use.

    Attributes:
        regions: Regions that may be called.
        models: model identifiers that may be invoked, by declared name.
        account: account of the profiles' ARNs.
        partition: AWS partition.
        guardrail: the pinned guardrail.
        knowledge_base: the one that may be asked.
        agent: agent id that may be invoked.
        alias: its alias.
        metadata: request metadata that every call carries.
        administers: whether the use may write on the control plane.
        allow_draft: whether a DRAFT guardrail may be sent (``unsafe_allow_draft``).
        file: the declaration, for explanations.
    """

    regions: tuple[str, ...]
    models: Mapping[str, str]
    guardrail: PinnedGuardrail
    account: str | None = None
    partition: str = "aws"
    knowledge_base: str | None = None
    agent: str | None = None
    alias: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    administers: bool = False
    allow_draft: bool = False
    file: Path | None = None

    # -- decisions -------------------------------------------------------------------------------------------------

    def check_region(self, region: str | None, operation: str) -> None:
        """Refuse a Region that is not declared."""
        if region not in self.regions:
            listed = ", ".join(self.regions)
            raise self._violation("region-not-declared", f"{region} is not among {listed}", operation, "regions")

    def check_operation(self, service: str, operation: str, parameters: Mapping[str, Any]) -> None:
        """Refuse an operation that cannot carry a guardrail, or that this use is not for."""
        if operation in CARRIERS or operation in MODEL_ONLY or operation in FREE.get(service, frozenset()):
            return
        if operation in KNOWLEDGE:
            asked = parameters.get("knowledgeBaseId")
            if self.knowledge_base is None or asked != self.knowledge_base:
                raise self._violation(
                    "knowledge-base-not-declared", f"{asked} is not this use's knowledge base", operation, "uses"
                )
            return
        if operation in AGENTS:
            wanted = (self.agent, self.alias)
            if self.agent is None or (parameters.get("agentId"), parameters.get("agentAliasId")) != wanted:
                raise self._violation(
                    "agent-not-declared", "this use may invoke its declared agent alias only", operation, "uses"
                )
            return
        if service in ("bedrock", "bedrock-agent") and (operation.startswith(("Get", "List")) or self.administers):
            return
        raise self._violation(
            "operation-not-guarded", f"{operation} cannot carry a guardrail and is not declared", operation, "uses"
        )

    def check_model(self, model: object, operation: str) -> None:
        """Refuse a model that this use does not declare, in whatever form it is named."""
        if not isinstance(model, str) or model not in self.model_identifiers:
            known = ", ".join(self.models.values()) or "none"
            raise self._violation("model-not-declared", f"{model} is not declared; declared: {known}", operation, "models")

    def check_guardrail(self, identifier: object, version: object, operation: str) -> None:
        """Refuse another guardrail, another version, and the DRAFT."""
        if not isinstance(identifier, str) or not self.guardrail.is_meant_by(identifier):
            raise self._violation(
                "guardrail-not-pinned", "the call carries another guardrail than the pinned one", operation, "guardrail"
            )
        if str(version) == DRAFT and self.allow_draft:
            return
        if str(version) != self.guardrail.version:
            text = f"the call carries version {version} of the guardrail, not {self.guardrail.version}"
            raise self._violation("guardrail-not-pinned", text, operation, "guardrail")

    @property
    def model_identifiers(self) -> frozenset[str]:
        """Every form in which a declared model may be named: its id, and its ARN in each declared Region."""
        found: set[str] = set()
        for model in self.models.values():
            found.add(model)
            if not model.startswith("arn:"):
                found |= {self._arn(model, region) for region in self.regions}
        return frozenset(found)

    def _arn(self, model: str, region: str) -> str:
        from ringwall.catalog import profiles

        if profiles.is_profile(model):
            return f"arn:{self.partition}:bedrock:{region}:{self.account or ''}:inference-profile/{model}"
        return f"arn:{self.partition}:bedrock:{region}::foundation-model/{model}"

    # -- completion ------------------------------------------------------------------------------------------------

    def complete(self, operation: str, parameters: dict[str, Any]) -> None:
        """Add guardrail and metadata to a call's parameters where they are missing; what is there is checked."""
        carrier = CARRIERS.get(operation)
        if carrier is None:
            return
        self._complete_guardrail(carrier, operation, parameters)
        if self.metadata and carrier is BODY:
            given = parameters.get("requestMetadata") or {}
            parameters["requestMetadata"] = {**given, **self.metadata}

    def _complete_guardrail(self, carrier: Carrier, operation: str, parameters: dict[str, Any]) -> None:
        identifier, version = carrier.read(parameters)
        if identifier is None and version is None:
            carrier.write(parameters, self.guardrail.arn, self.guardrail.version)
        elif version is None:
            self.check_guardrail(identifier, self.guardrail.version, operation)
            carrier.write(parameters, self.guardrail.arn, self.guardrail.version)
        else:
            self.check_guardrail(identifier if identifier is not None else self.guardrail.arn, version, operation)
            if identifier is None:
                carrier.write(parameters, self.guardrail.arn, str(version))

    def violation(self, rule: str, reason: str, operation: str, section: str = "client") -> PerimeterViolation:
        """A violation that points at a section of the declaration."""
        return self._violation(rule, reason, operation, section)

    def _violation(self, rule: str, reason: str, operation: str, section: str) -> PerimeterViolation:
        line = line_of(self.file, (section,)) if self.file is not None else None
        declared = f"{self.file}:{line}" if line is not None else None
        return PerimeterViolation(rule, reason, operation, declared=declared)


def rules_of(
    perimeter: Perimeter, use: Use, guardrail: PinnedGuardrail, *, file: Path | None = None, allow_draft: bool = False
) -> Rules:
    """The rules of a declared use."""
    return Rules(
        regions=(perimeter.regions.source,),
        models={name: perimeter.models[name] for name in use.models},
        guardrail=guardrail,
        account=perimeter.account,
        partition=perimeter.partition,
        knowledge_base=use.knowledge_base,
        agent=use.agent,
        alias=use.alias,
        metadata=perimeter.client.metadata,
        administers=use.kind in ("guardrail-administrator", "operator"),
        allow_draft=allow_draft,
        file=file,
    )
