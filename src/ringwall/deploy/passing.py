"""Whether anything could let an action pass: asked before the requests for it are made up and decided one by one.

A decision is *allow* only where a statement that covers the action allows it: one of the caller's own policies or of the
resource's, and through a VPC endpoint one of the endpoint's too. Most principals are allowed a handful of actions, so for most
actions that answers for every request at once. No resource and no condition is asked, so it errs on the side of "could".
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from ringwall.access import Access, Actor
from ringwall.deploy.classes import touches
from ringwall.iam.policy import Effect, Policy, PolicySet, PrincipalElement, Statement
from ringwall.iam.rules import is_always_allowed


class Passing:
    """What the policies of one Estate could let pass."""

    def __init__(self, access: Access) -> None:
        trusts = (entry.trust for entry in access.principals())
        self._of_resources = (
            *dict.fromkeys(policy for _, policy in access.policies_of_resources()),
            *(policy for policy in trusts if policy is not None),
        )
        self._granted: dict[str, bool] = {}

    def could(self, actor: Actor, policies: PolicySet, action: str) -> bool:
        """Whether some request for the action could be allowed.

        Args:
            actor: who sends it.
            policies: what bears on it apart from policies of resources, of which any may.
            action: ``service:Name``.
        """
        if is_always_allowed(action):
            return True
        if policies.vpc_endpoint is not None and not allowing(policies.vpc_endpoint, action):
            return False
        # The root user needs no statement that allows it.
        return actor.kind == "root" or allowing(policies.identity, action) or self._by_resources(action)

    def _by_resources(self, action: str) -> bool:
        if action not in self._granted:
            self._granted[action] = allowing(self._of_resources, action)
        return self._granted[action]


def allowing(policies: Iterable[Policy], action: str) -> bool:
    """Whether a statement of one of the policies allows the action, under whatever conditions."""
    return any(_allows(policy, action) for policy in policies)


def allowing_service(policies: Iterable[Policy], action: str, service: str) -> bool:
    """The same, of statements that may name an AWS service; which of its spellings is not asked."""
    return any(
        touches(item, action)
        for policy in policies
        for item in _naming(policy, service.split(".", maxsplit=1)[0])
    )


@lru_cache(maxsize=4096)
def _naming(policy: Policy, service: str) -> tuple[Statement, ...]:
    return tuple(
        item for item in policy.statements if item.effect is Effect.ALLOW and _names(item.principal, service)
    )


def _names(element: PrincipalElement | None, service: str) -> bool:
    if element is None:
        return True  # NotPrincipal
    return (
        element.anyone
        or "*" in element.aws
        or any(name == "*" or name.split(".")[0] == service for name in element.service)
    )


@lru_cache(maxsize=65_536)
def _allows(policy: Policy, action: str) -> bool:
    return any(item.effect is Effect.ALLOW and touches(item, action) for item in policy.statements)
