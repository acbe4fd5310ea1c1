"""The manifest as an apply keeps it up: what is about to be made is listed first, what is gone is struck last.

Each account has a manifest of its own, in its own log bucket.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from ringwall.deploy.changes import Change, Plan
from ringwall.deploy.doors import Doors
from ringwall.deploy.manifest import Book, Entry, entry, home, listed, matched
from ringwall.deploy.plan import bound
from ringwall.deploy.retry import Backoff
from ringwall.errors import AwsCallError
from ringwall.estate.aws import Aws
from ringwall.estate.kind import Kind
from ringwall.estate.model import Resource

Attributes = Mapping[str, Mapping[str, str]]


class Register:
    """The part of an apply that lists resources without tags."""

    def __init__(
        self,
        plan: Plan,
        kinds: Mapping[str, Kind],
        doors: Doors,
        entries: tuple[Entry, ...],
        backoff: Backoff,
    ) -> None:
        self._of = {
            door.account: _AccountRegister(
                plan, kinds, door, tuple(item for item in entries if item.account == door.account), backoff
            )
            for door in doors
        }

    def needs(self, change: Change) -> frozenset[str]:
        """The bucket's desired id, for a resource that must be listed before it is made."""
        own = self._of.get(change.resource.account)
        return own.needs(change) if own is not None else frozenset()

    def note(self, wanted: Resource, attributes: Attributes) -> None:
        """List a resource that is about to be written.

        Raises:
            AwsCallError: the manifest could not be written; the resource must not be either.
        """
        own = self._of.get(wanted.account)
        if own is not None:
            own.note(wanted, attributes)

    def settle(self, attributes: Attributes, removed: Collection[int]) -> AwsCallError | None:
        """List what is declared and there, and what was listed, is still there and stays.

        Args:
            attributes: by desired id, of everything that was made or was there.
            removed: identities of observed resources that the run removed.

        Returns:
            Why a manifest could not be written, if one could not. What the run made is listed nevertheless.
        """
        errors = [own.settle(attributes, removed) for own in self._of.values()]
        return next((error for error in errors if error is not None), None)


class _AccountRegister:
    """One account's manifest. Without a bucket of the declaration's it does nothing."""

    def __init__(
        self, plan: Plan, kinds: Mapping[str, Kind], aws: Aws, entries: tuple[Entry, ...], backoff: Backoff
    ) -> None:
        self._plan = plan
        self._kinds = kinds
        self._entries = entries
        self._desired = tuple(item for item in plan.desired if item.account == aws.account)
        self._home = home(self._desired)
        where = next((item.region for item in self._desired if item.id == self._home), aws.region)
        door = aws if where == aws.region else aws.elsewhere(region=where)
        self._book = Book(door, plan.perimeter, entries, backoff)

    def needs(self, change: Change) -> frozenset[str]:
        if self._home is None or not listed(self._kinds[change.resource.type]):
            return frozenset()
        return frozenset({self._home})

    def note(self, wanted: Resource, attributes: Attributes) -> None:
        kind = self._kinds[wanted.type]
        bucket = self._bucket(attributes)
        if bucket is not None and listed(kind):
            self._book.note(bucket, entry(kind, wanted))

    def settle(self, attributes: Attributes, removed: Collection[int]) -> AwsCallError | None:
        bucket = self._bucket(attributes)
        return self._book.settled(bucket, self._standing(attributes, removed)) if bucket is not None else None

    def _standing(self, attributes: Attributes, removed: Collection[int]) -> Iterator[Entry]:
        for resource in self._desired:
            if resource.id in attributes and listed(self._kinds[resource.type]):
                kind = self._kinds[resource.type]
                yield entry(kind, bound(resource, attributes))
        for item, resource in matched(self._entries, self._plan.observed, self._kinds):
            if id(resource) not in removed:
                yield item

    def _bucket(self, attributes: Attributes) -> str | None:
        known = attributes.get(self._home or "")
        return known.get("BucketName", known["Id"]) if known else None
