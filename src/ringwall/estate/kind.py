"""What a resource kind is: one module of :mod:`ringwall.estate.kinds` implements this for one CloudFormation type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

Scope = Literal["account", "region", "organization"]
Retention = Literal["delete", "retain", "key"]


@dataclass(frozen=True, slots=True)
class Permissions:
    """IAM actions that a kind's calls need, for generated roles and for error messages."""

    read: tuple[str, ...]
    write: tuple[str, ...]


class Kind(Protocol):
    """How resources of one type are read, compared and written.

    Reading and writing go through :class:`~ringwall.estate.aws.Aws` only. Writers receive resources without
    references (resolved by the caller) and are idempotent: killed after any call and run again, they converge.
    """

    type: str
    scope: Scope
    retention: Retention
    """What destroy does: ``retain`` keeps data, ``key`` keeps it while something retained needs it."""
    permissions: Permissions
    repeatable: bool
    """Whether a create may be sent again when its answer was lost and nothing was found: its name is unique, or AWS
    knows the request again by its idempotency token."""
    taggable: bool
    """Whether it carries ownership tags; what does not is listed in the perimeter's manifest."""

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Every resource of this type in the connection's account and Region, ours or not."""

    def read_again(self, aws: Aws, ids: Sequence[str]) -> Iterator[Resource]:
        """The resources of some physical ids as they are now; those that are gone are left out, others may be among them."""

    def match(self, desired: Resource, observed: tuple[Resource, ...]) -> Resource | None:
        """The observed resource that is the desired one: by ownership tag, or by name where the name is its identity."""

    def identifying(self, resource: Resource) -> Mapping[str, Any]:
        """The properties that tell which resource it is, in canonical form; none for a setting that is there once."""

    def normalise(self, properties: Mapping[str, Any]) -> Mapping[str, Any]:
        """Properties in canonical form (order of sets, policy spelling, defaults filled in), ready to compare."""

    def validate(self, properties: Mapping[str, Any]) -> tuple[str, ...]:
        """What AWS would reject, in words; shared by deploy's preflight and the sandbox."""

    def attributes(self, resource: Resource) -> Mapping[str, str]:
        """What references to an observed resource resolve to (``Arn``, ``Id``, ...)."""

    def placeholder(self, resource: Resource) -> Mapping[str, str]:
        """The same for a desired resource that does not exist yet: fresh, distinct, of the right shape, deterministic."""

    def create(self, aws: Aws, desired: Resource) -> Resource:
        """Make it, with ownership tags, and return it as observed."""

    def update(self, aws: Aws, observed: Resource, desired: Resource) -> Resource:
        """Change what differs, and return it as observed."""

    def removable(self, observed: Resource) -> bool:
        """Whether there is anything to remove: not if it waits for its end already, or is AWS's own default."""

    def delete(self, aws: Aws, observed: Resource) -> None:
        """Remove it."""
