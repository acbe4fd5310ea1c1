"""Changed decisions as they are found, put together by principal and reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ringwall.deploy.access_change import AccessChange
from ringwall.iam.request import Decision, Request


@dataclass(slots=True)
class Found:
    """Requests of one principal whose decision changes for the same reason. Attributes as of :class:`AccessChange`."""

    principal: str
    label: str
    before: Decision
    after: Decision
    witness: Request
    new_principal: bool
    new_resource: bool
    actions: dict[str, None] = field(default_factory=dict)
    resources: dict[str, None] = field(default_factory=dict)
    routes: dict[str, None] = field(default_factory=dict)
    guardrails: dict[str, None] = field(default_factory=dict)

    def add(self, action: str, resource: str, route: str, guardrails: Iterable[str]) -> None:
        """One more of them."""
        self.actions[action] = self.resources[resource] = self.routes[route] = None
        self.guardrails |= dict.fromkeys(guardrails)

    def change(self) -> AccessChange:
        """All of them."""
        return AccessChange(
            principal=self.principal,
            label=self.label,
            actions=tuple(self.actions),
            resources=tuple(self.resources),
            routes=tuple(self.routes),
            guardrails=tuple(self.guardrails),
            before=self.before,
            after=self.after,
            witness=self.witness,
            new_principal=self.new_principal,
            new_resource=self.new_resource,
        )
