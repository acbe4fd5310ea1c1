"""The connections that a run reads and writes through: one for each account, and the management account's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ringwall.errors import RingwallError
from ringwall.estate.aws import Aws
from ringwall.estate.kind import Kind
from ringwall.estate.model import Resource


@dataclass(frozen=True, slots=True)
class Doors:
    """The connections of a run.

    Attributes:
        workload: the account that the perimeter is around; of several the first.
        management: the organization's management account, for organization-scope kinds.
        others: further accounts of the declaration.
    """

    workload: Aws
    management: Aws | None = None
    others: tuple[Aws, ...] = ()

    @property
    def workloads(self) -> tuple[Aws, ...]:
        """Every account of the declaration."""
        return (self.workload, *self.others)

    def account(self, account: str) -> Aws:
        """The connection to an account; to the first one where the account is none of the others."""
        return next((door for door in self.others if door.account == account), self.workload)

    def at(self, resource: Resource) -> Aws:
        """The connection to a resource's account, in its Region."""
        door = self.account(resource.account)
        if resource.region in ("global", door.region):
            return door
        return door.elsewhere(region=resource.region)

    def for_kind(self, kind: Kind, resource: Resource) -> Aws:
        """The connection that manages resources of a kind, in the resource's Region.

        Raises:
            RingwallError: it belongs to the organization and no management connection was given.
        """
        if kind.scope == "organization":
            if self.management is None:
                raise RingwallError(
                    f"{resource.id} belongs to the organization; set organization.management_role in the declaration"
                )
            return self.management
        return self.at(resource) if kind.scope == "region" else self.account(resource.account)

    def __iter__(self) -> Iterator[Aws]:
        return iter(self.workloads)
