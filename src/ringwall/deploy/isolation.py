"""What a failure in one account keeps from being done, and in which accounts: not in the others.

A service control policy is held back by trouble in the account that it is made for. One that names nothing of any
account's own relies on nothing that could have failed, so trouble in one account does not leave the others without it.
"""

from __future__ import annotations

from collections.abc import Mapping

from ringwall.deploy.changes import Change, Plan
from ringwall.estate.kind import Kind
from ringwall.estate.members import member_of

EVERYWHERE = "*"


class Trouble:
    """The accounts in which something failed or was left undone."""

    def __init__(self, plan: Plan, kinds: Mapping[str, Kind]) -> None:
        self._kinds = kinds
        self._accounts = {
            member_of(item.id): item.account
            for item in plan.desired
            if member_of(item.id) and kinds[item.type].scope != "organization"
        }
        self._found: set[str] = set()

    def add(self, change: Change) -> None:
        """Something went wrong with a change."""
        self._found |= self._about(change)

    def concerns(self, change: Change) -> bool:
        """Whether a change is about an account that has trouble."""
        about = self._about(change)
        if EVERYWHERE in about:
            return bool(self._found)
        return EVERYWHERE in self._found or bool(about & self._found)

    def _about(self, change: Change) -> set[str]:
        """Accounts that a change is about; none for a policy of all of several accounts."""
        resource = change.resource
        if self._kinds[resource.type].scope != "organization":
            return {resource.account}
        member = member_of(change.id)
        if member in self._accounts:
            return {self._accounts[member]}
        if change.action != "delete":
            return set() if self._accounts else {EVERYWHERE}
        named = set(map(str, resource.get("TargetIds") or ()))
        return named if named and named <= set(self._accounts.values()) else {EVERYWHERE}
