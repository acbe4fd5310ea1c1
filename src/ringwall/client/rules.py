"""What a use may call: the declaration as decisions on single calls. Pure; knows no network and no botocore."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ringwall.catalog import profiles
from ringwall.client import searches
from ringwall.client.call import Call
from ringwall.client.operations import (
    AGENTS,
    BODY,
    CARRIERS,
    CONTROL_PLANES,
    FREE,
    GUARDRAIL_WRITES,
    HEADER_CARRIERS,
    INVOKING,
    KNOWLEDGE,
    MODEL_ONLY,
    READING,
    STREAMS,
    UNGUARDED_JOBS,
    WRITING,
    Carrier,
)
from ringwall.client.violation import NOWHERE, PerimeterViolation, Place, shown
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


NO_GUARDRAIL = PinnedGuardrail("none", "none", "none")
"""For uses whose calls carry no guardrail of the caller: whatever one names is refused."""
UNGUARDED_KINDS = frozenset({"agents"})
"""Kinds of use that call no model themselves; their role may not read guardrails either."""


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
        kind: kind of the use: what it may do on the control planes.
        masks: whether the guardrail masks, which a stream that goes out unread would undo.
        allow_draft: whether a DRAFT guardrail may be sent (``unsafe_allow_draft``).
        place: the declaration and the use, for explanations.
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
    kind: str = "invoke"
    masks: bool = False
    allow_draft: bool = False
    place: Place = NOWHERE

    # -- decisions -------------------------------------------------------------------------------------------------

    def plainly_allow(self, operation: str, region: str | None, parameters: Mapping[str, Any]) -> bool:
        """Whether the checks of Region, operation and model would all pass; where they would not, they say why."""
        return (
            operation in INVOKING
            and region in self.regions
            and type(model := parameters.get("modelId")) is str
            and model in self._identifiers
        )

    def check_region(self, region: str | None, operation: str) -> None:
        """Refuse a Region that is not declared."""
        if region not in self.regions:
            listed = ", ".join(self.regions)
            raise self.violation(
                "region-not-declared", f"{shown(region)} is not {listed}", operation, "regions", "source"
            )

    def check_operation(self, service: str, operation: str, parameters: Mapping[str, Any]) -> None:
        """Refuse an operation that cannot carry a guardrail, or that this use is not for."""
        if operation in CARRIERS or operation in MODEL_ONLY or operation in FREE.get(service, frozenset()):
            return
        if operation in KNOWLEDGE:
            self._check_knowledge_base(operation, parameters)
        elif operation in AGENTS:
            self._check_agent(operation, parameters)
        elif service not in CONTROL_PLANES or not self._may_administer(operation):
            reason = f"{operation} cannot carry a guardrail and is not what a use of kind {self.kind} is for"
            raise self.violation("operation-not-guarded", reason, operation, "uses", "{use}", "kind")

    def _may_administer(self, operation: str) -> bool:
        if operation in UNGUARDED_JOBS:
            return False
        if operation.startswith(READING):
            return True
        if self.kind == "guardrail-administrator":
            return operation in GUARDRAIL_WRITES
        return self.kind == "operator" and operation.startswith(WRITING)

    def _check_knowledge_base(self, operation: str, parameters: Mapping[str, Any]) -> None:
        asked = parameters.get("knowledgeBaseId")
        if self.knowledge_base is None or asked != self.knowledge_base:
            reason = f"{shown(asked)} is not this use's knowledge base"
            raise self.violation(
                "knowledge-base-not-declared", reason, operation, "uses", "{use}", "knowledge_base"
            )
        given = parameters.get("guardrailConfiguration")
        if given is not None:
            known = given if isinstance(given, Mapping) else {}
            self.check_guardrail(known.get("guardrailId"), known.get("guardrailVersion"), operation)
        self._check_searches(operation, parameters)

    def _check_agent(self, operation: str, parameters: Mapping[str, Any]) -> None:
        wanted = (self.agent, self.alias)
        if self.agent is None or (parameters.get("agentId"), parameters.get("agentAliasId")) != wanted:
            reason = "this use may invoke its declared agent alias only"
            raise self.violation("agent-not-declared", reason, operation, "uses", "{use}", "agent")
        self._check_searches(operation, parameters)

    def _check_searches(self, operation: str, parameters: Mapping[str, Any]) -> None:
        for configuration in searches.configurations(parameters):
            if searches.writes_filter(configuration):
                reason = "a model would write the search's filter, and no guardrail reads what it is asked"
                raise self.violation("operation-not-guarded", reason, operation, "uses", "{use}", "kind")
            for model in searches.reranking_models(configuration):
                self.check_model(model, operation)

    def check_model(self, model: object, operation: str) -> None:
        """Refuse a model that this use does not declare, in whatever form it is named."""
        if not isinstance(model, str) or model not in self._identifiers:
            known = ", ".join(self.models.values()) or "none"
            reason = f"{shown(model)} is not declared; declared: {known}"
            raise self.violation("model-not-declared", reason, operation, "uses", "{use}", "models")

    def check_guardrail(self, identifier: object, version: object, operation: str) -> None:
        """Refuse another guardrail, another version, and the DRAFT."""
        if not isinstance(identifier, str) or not self.guardrail.is_meant_by(identifier):
            found = "no guardrail, or another" if identifier is None else "another guardrail"
            reason = f"the call carries {found} than the pinned one"
            raise self.violation("guardrail-not-pinned", reason, operation, "guardrail")
        if version == DRAFT and self.allow_draft:
            return
        if version != self.guardrail.version:
            reason = (
                f"the call carries version {shown(version)} of the guardrail, not {self.guardrail.version}"
            )
            raise self.violation("guardrail-not-pinned", reason, operation, "guardrail")

    def check_metadata(self, metadata: Mapping[str, Any], operation: str) -> None:
        """Refuse a call without the declared request metadata, or with another value for a name of it."""
        if not self.metadata.items() <= metadata.items():
            reason = f"the call does not carry the declared {', '.join(self.metadata)}"
            raise self.violation("metadata-not-declared", reason, operation, "client", "metadata")

    def check_stream_mode(self, operation: str) -> None:
        """Refuse a stream that goes out before the guardrail has read it, where the guardrail masks."""
        if self.masks:
            reason = "an asynchronous stream goes out before the guardrail has masked it"
            raise self.violation("stream-not-synchronous", reason, operation, "guardrail", "pii")

    @cached_property
    def _identifiers(self) -> frozenset[str]:
        return self.model_identifiers

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
        if profiles.is_profile(model):
            return f"arn:{self.partition}:bedrock:{region}:{self.account or ''}:inference-profile/{model}"
        return f"arn:{self.partition}:bedrock:{region}::foundation-model/{model}"

    # -- completion ------------------------------------------------------------------------------------------------

    def complete(self, call: Call) -> None:
        """Add guardrail and metadata to a carrier's parameters where they are missing; what is there is checked.

        The parameters are copied, and the guardrail's own: nobody can change them after they were checked. Other nested
        values are the caller's.
        """
        operation, given = call.operation, call.parameters
        carrier, pinned = CARRIERS[operation], self.guardrail
        if given.keys().isdisjoint(carrier.places):
            call.parameters = parameters = carrier.write(given, pinned.arn, pinned.version)
        else:
            call.parameters = parameters = self._complete_guardrail(carrier, operation, given)
        if self.masks and operation in STREAMS and "asynchronous-stream" in call.coverage.rules:
            self.check_stream_mode(operation)
        if self.metadata and carrier is BODY:
            parameters["requestMetadata"] = {**(parameters.get("requestMetadata") or {}), **self.metadata}
        elif self.metadata and operation in HEADER_CARRIERS:
            parameters["requestMetadata"] = json.dumps(
                {**_decoded(parameters.get("requestMetadata")), **self.metadata}
            )

    def _complete_guardrail(
        self, carrier: Carrier, operation: str, parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        identifier, version = carrier.read(parameters)
        chosen = (
            self.guardrail.arn if identifier is None else identifier,
            self.guardrail.version if version is None else version,
        )
        self.check_guardrail(*chosen, operation)
        return carrier.write(parameters, *chosen)

    def violation(self, rule: str, reason: str, operation: str, *path: str) -> PerimeterViolation:
        """A violation that points at a place in the declaration; ``{use}`` in the path stands for this use."""
        return self.place.violation(rule, reason, operation, *(path or ("client",)))


def _decoded(metadata: Any) -> dict[str, Any]:
    """Request metadata that a caller gave for a header. What is no JSON object is left out."""
    try:
        value = json.loads(metadata or "{}")
    except (TypeError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def rules_of(
    perimeter: Perimeter,
    use: Use,
    guardrail: PinnedGuardrail,
    *,
    place: Place = NOWHERE,
    allow_draft: bool = False,
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
        kind=use.kind,
        masks=perimeter.guardrail.masks,
        allow_draft=allow_draft,
        place=place,
    )
