"""What a check is given: an Estate, the policies that bear in it, and the proofs made over it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ringwall.access.bearing import BEARING_TYPES
from ringwall.controls.compile import compile_estate
from ringwall.estate.kinds import registry
from ringwall.estate.model import Estate, references

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.access import Access
    from ringwall.access.proving import EstateAnswer
    from ringwall.estate.model import Resource
    from ringwall.perimeter.model import Perimeter


@dataclass(frozen=True)
class CheckContext:
    """Everything a check may look at. Checks make no AWS calls.

    Attributes:
        perimeter: the declaration; ``None`` = the built-in baseline is judged.
        observed: the Estate that is judged.
        desired: what the declaration compiles to, with references bound to what is observed (or to placeholders).
        access: which policies bear on whom, over ``observed``.
        proofs: answers by claim name, over ``observed``, of everybody together.
        evidence: digests by ``type id`` where the Estate's resources carry none.
    """

    perimeter: Perimeter | None
    observed: Estate
    desired: Estate
    access: Access
    proofs: Mapping[str, EstateAnswer] = field(default_factory=dict)
    evidence: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def account(self) -> str:
        """The account that is judged: the declared one, else the first that is no management account."""
        if self.perimeter is not None:
            return self.perimeter.account
        members = [account.id for account in self.observed.accounts if not account.management]
        return members[0] if members else ""

    @cached_property
    def regions(self) -> tuple[str, ...]:
        """Regions that are judged: the declared source, else all that were read but for those certainly unused."""
        if self.perimeter is not None:
            return (self.perimeter.regions.source,)
        return tuple(region for region in self._read if not self.unused(region))

    @cached_property
    def unused_regions(self) -> tuple[str, ...]:
        """Regions of which it is certain that nothing uses Bedrock there; none with a declaration."""
        return tuple(region for region in self._read if self.perimeter is None and self.unused(region))

    @cached_property
    def _read(self) -> tuple[str, ...]:
        found = (
            resource.region
            for resource in self.observed
            if resource.account == self.account and resource.region != "global"
        )
        return tuple(dict.fromkeys(found))

    @cached_property
    def partition(self) -> str:
        """Partition of the judged account."""
        return self.perimeter.partition if self.perimeter is not None else self.access.partition

    def actual(self, resource_id: str) -> Resource | None:
        """The observed resource that a desired one is: by what references resolve to, else by name."""
        desired = self.desired.find(resource_id)
        if desired is None:
            return None
        if self.observed.source == "desired":
            return self.observed.find(resource_id)
        kind = registry().get(desired.type)
        candidates = self.observed.of_type(desired.type)
        return kind.match(desired, candidates) if kind is not None else None

    def differing(self, wanted: Resource, actual: Resource, *names: str) -> tuple[str, ...]:
        """Which of these properties are not as the declaration wants them, as far as they could be read."""
        kind = registry()[wanted.type]
        there, asked = kind.normalise(actual.properties), kind.normalise(wanted.properties)
        return tuple(
            name
            for name in names
            if name in asked and actual.unknown_reason(name) is None and there.get(name) != asked[name]
        )

    @cached_property
    def declared(self) -> Estate:
        """What the declaration compiles to, references and all; empty without a declaration."""
        return compile_estate(self.perimeter) if self.perimeter is not None else Estate("desired")

    def absent(self, value: Any) -> tuple[str, ...]:
        """Desired ids that a value with references names and that are not in the Estate that is judged."""
        targets = dict.fromkeys(reference.target for reference in references(value))
        return tuple(target for target in targets if self.actual(target) is None)

    def identity(self, resource: Resource, attribute: str = "Id") -> str:
        """What others call a resource: its id, or its ARN (``Arn``), desired or observed."""
        return self.access.attribute(resource, attribute) or resource.id

    def key(self, name: str) -> Resource | None:
        """The key with that id or ARN, or behind that alias."""
        for alias in self.observed.of_type("AWS::KMS::Alias"):
            if alias.id != "?" and name.endswith(str(alias.get("AliasName", alias.id))):
                name = str(alias.get("TargetKeyId"))
        for resource in self.observed.of_type("AWS::KMS::Key"):
            if resource.id != "?" and name in (
                self.identity(resource, "Arn"),
                self.identity(resource, "KeyId"),
            ):
                return resource
        return None

    def uses_bedrock(self, region: str) -> bool:
        """Whether the Estate shows that Bedrock is used in a Region: configured, run or metered there."""
        return any(
            resource.region == region and resource.id != "?" and _of_bedrock(resource)
            for resource in self.observed
        )

    def unused(self, region: str) -> bool:
        """Whether it is certain that nothing uses Bedrock in a Region: everything was asked, and nothing is there."""
        survey = next(
            (
                item
                for item in self.observed.of_type(USAGE, account=self.account, region=region)
                if item.id != "?"
            ),
            None,
        )
        return survey is not None and not survey.unknown and not self.uses_bedrock(region)

    def in_use(self, name: str) -> bool | None:
        """Whether any judged Region uses something that the survey counts (``Flows``); ``None`` = it cannot be told.

        Args:
            name: a property of ``Ringwall::Bedrock::Usage``.
        """
        found = {item.region: item for item in self.observed.of_type(USAGE, account=self.account)}
        surveys = [found.get(region) for region in self.regions]
        if any(item is not None and item.get(name) for item in surveys):
            return True
        return False if all(item is not None and name in item.properties for item in surveys) else None

    def unread(self, resource_type: str) -> str | None:
        """Why resources of a type could not be listed, or ``None`` if they were."""
        for resource in self.observed.of_type(resource_type):
            if resource.id == "?" and resource.unknown:
                return resource.unknown[0].reason
        return None

    def wanted(self, resource_id: str) -> Resource | None:
        """A desired resource by its id."""
        return self.desired.find(resource_id)

    def policies_that_decide(self) -> Iterator[Resource]:
        """Resources whose policies the proofs rest on: evidence of a proof."""
        for resource in self.observed:
            if resource.type in BEARING_TYPES:
                yield resource

    def evidence_of(self, *resources: Resource) -> tuple[str, ...]:
        """Digests of what was read for these resources, in order, without repeats."""
        found: list[str] = []
        for resource in resources:
            found += resource.evidence or self.evidence.get(f"{resource.type} {resource.id}", ())
        return tuple(dict.fromkeys(found))


USAGE = "Ringwall::Bedrock::Usage"


def _of_bedrock(resource: Resource) -> bool:
    if resource.type == USAGE:
        return any(resource.properties.values())
    if resource.type == "AWS::EC2::VPCEndpoint":
        return ".bedrock" in str(resource.get("ServiceName"))
    return resource.type.startswith("AWS::Bedrock::") or (
        resource.type == "Ringwall::Bedrock::InvocationLogging" and bool(resource.get("LoggingConfig"))
    )
