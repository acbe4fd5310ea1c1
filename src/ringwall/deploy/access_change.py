"""Requests whose decision a plan changes: what newly passes, and what newly does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ringwall.errors import GateRefusedError
from ringwall.iam.request import Decision, Request

GUARDRAIL_KEY = "bedrock:guardrailidentifier"
UNKNOWN_GUARDRAIL = "another"


@dataclass(frozen=True, slots=True)
class AccessChange:
    """Requests of one principal whose decision changes for the same reason.

    Attributes:
        principal: ARN, service principal or ``*``.
        label: the principal in words.
        actions: the actions, the first that of the witness.
        resources: their resources: ARNs, for what the plan creates the declared id.
        routes: by which ways.
        guardrails: the ``bedrock:GuardrailIdentifier`` of the inference requests among them; empty text = none.
        before: decision before, with the statements that made it.
        after: decision after, likewise.
        witness: one such request, to be replayed by ``ringwall decide``.
        new_principal: whether this plan creates the principal.
        new_resource: whether this plan creates every one of the resources.
    """

    principal: str
    label: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    routes: tuple[str, ...]
    guardrails: tuple[str, ...]
    before: Decision
    after: Decision
    witness: Request
    new_principal: bool = False
    new_resource: bool = False

    @property
    def without_guardrail(self) -> bool:
        """Whether these are inference requests without a guardrail, or with one that no policy knows."""
        return "" in self.guardrails and all(name in ("", UNKNOWN_GUARDRAIL) for name in self.guardrails)

    @property
    def widens(self) -> bool:
        """Whether this counts as widening (:mod:`ringwall.deploy.effects` says what does)."""
        return self.after.allowed and not (self.new_principal or self.new_resource)


@dataclass(frozen=True, slots=True)
class AccessChanges:
    """What newly passes and what newly does not.

    Attributes:
        newly_allows: was denied, is allowed.
        newly_denies: was allowed, is denied.
        unknown: what could not be compared, and why. Not a pass: it closes the gate like a widening.
        proved: principals, in words, of whom it is proved over all requests that their own policies, boundary and
            service control policies newly allow nothing else.
    """

    newly_allows: tuple[AccessChange, ...] = ()
    newly_denies: tuple[AccessChange, ...] = ()
    unknown: tuple[str, ...] = ()
    proved: tuple[str, ...] = ()

    @property
    def widening(self) -> tuple[AccessChange, ...]:
        """Those of the newly allowed that need ``--allow-widening``."""
        return tuple(change for change in self.newly_allows if change.widens)


def told_apart(changes: AccessChanges, accounts: Mapping[str, str]) -> AccessChanges:
    """The changes with the account's name in front of principals, where there are several accounts.

    Args:
        changes: of all accounts.
        accounts: by account id, its name in the declaration.
    """

    def named(item: AccessChange) -> AccessChange:
        parts = item.principal.split(":", 5)
        name = accounts.get(parts[4]) if len(parts) > 5 else None
        return replace(item, label=f"{name}: {item.label}") if name else item

    return replace(
        changes,
        newly_allows=tuple(map(named, changes.newly_allows)),
        newly_denies=tuple(map(named, changes.newly_denies)),
    )


def require_gate(changes: AccessChanges, *, allow_widening: bool) -> None:
    """Refuse a plan that widens access unless the user said so.

    Raises:
        GateRefusedError: it widens, or it cannot be told, and ``allow_widening`` is not set.
    """
    if allow_widening or not (changes.widening or changes.unknown):
        return
    if changes.widening:
        first = changes.widening[0]
        message = f"This plan newly allows {first.label} {first.actions[0]}"
    else:
        message = f"This plan may widen access: {changes.unknown[0]}"
    details = tuple(f"{item.label}: {', '.join(item.actions)}" for item in changes.widening)
    raise GateRefusedError(f"{message}; repeat with --allow-widening if that is meant.", details=details)
