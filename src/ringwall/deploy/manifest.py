"""The manifest: what the perimeter owns of that which cannot carry a tag.

Metric filters, subscriptions, guardrail versions, bucket policies and Bedrock's settings have no tags, so nothing on
them says whose they are. An object in the perimeter's log bucket lists them by the properties that identify them. An
entry is written before what it names, so a run that is killed in between leaves an entry too many, never a resource
that nobody would find again. An entry says whose a resource is, not that it exists: what is there is read from AWS.

Whoever may write the object may have Ringwall propose to remove an untaggable resource; a plan shows every removal.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ringwall.deploy.ownership import owner
from ringwall.deploy.retry import Backoff, patiently
from ringwall.errors import AwsCallError, RingwallError
from ringwall.estate.aws import Aws
from ringwall.estate.kind import Kind
from ringwall.estate.model import Estate, Resource, canonical_json

VERSION = 1
ABSENT = frozenset({"NoSuchKey", "NoSuchBucket", "404"})
NAMED_AFTER_US = frozenset({"AWS::KMS::Alias"})
"""Types whose names carry the perimeter's, which is as good as a tag."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource of ours without tags.

    Attributes:
        type: CloudFormation type.
        account: its account.
        region: its Region, or ``global``.
        declared: desired id under which it was made.
        identity: the properties that tell which one it is; none for a setting that an account has once.
    """

    type: str
    account: str
    region: str
    declared: str
    identity: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What makes two entries the same."""
        return canonical_json([self.type, self.account, self.region, self.identity])

    def names(self, kind: Kind, resource: Resource) -> bool:
        """Whether an observed resource is the one that is meant."""
        here = (resource.type, resource.account, resource.region) == (self.type, self.account, self.region)
        return here and kind.identifying(resource) == self.identity


def listed(kind: Kind) -> bool:
    """Whether resources of a kind have to be listed to be known as ours."""
    return not kind.taggable and kind.type not in NAMED_AFTER_US


def entry(kind: Kind, resource: Resource) -> Entry:
    """The entry of a desired resource whose references are resolved."""
    where = (resource.type, resource.account, resource.region)
    return Entry(*where, resource.id, kind.identifying(resource))


def object_key(perimeter: str) -> str:
    """Key of the manifest object."""
    return f"ringwall/{perimeter}/manifest.json"


def home(desired: Iterable[Resource]) -> str | None:
    """Desired id of the bucket that holds the manifest: the invocation logs', the trail's, else the first one."""
    buckets = sorted(item.id for item in desired if item.type == "AWS::S3::Bucket")
    logs = [name for name in buckets if name.rsplit("/", 1)[-1] in ("invocation-logs", "trail")]
    return next(iter((*logs, *buckets)), None)


def read_manifest(aws: Aws, observed: Estate, perimeter: str) -> tuple[Entry, ...]:
    """The entries of every manifest in the perimeter's buckets of the connection's account.

    There is more than one after the bucket changed.

    Raises:
        AwsCallError: it could not be read. Then nothing can be said of what the perimeter owns.
        RingwallError: it is malformed.
    """
    found: dict[str, Entry] = {}
    for bucket in observed.of_type("AWS::S3::Bucket"):
        if owner(bucket) == perimeter and bucket.account == aws.account:
            door = aws if bucket.region == aws.region else aws.elsewhere(region=bucket.region)
            found |= {item.key: item for item in _read(door, bucket.id, perimeter)}
    return tuple(found[key] for key in sorted(found))


def read_listed(
    accounts: Iterable[Aws], observed: Estate, entries: Iterable[Entry], kinds: Mapping[str, Kind]
) -> Estate:
    """The observed Estate with what the manifests list in Regions that were not read, as no declaration names them now.

    Raises:
        AwsCallError: it could not be read, so nobody can say whether it is still there.
    """
    read = {(item.type, item.account, item.region) for item in observed}
    lacking = {(item.type, item.account, item.region) for item in entries} - read
    found: list[Resource] = []
    for aws in accounts:
        for name, account, region in sorted(lacking):
            if account == aws.account and region not in ("global", aws.region) and name in kinds:
                found += kinds[name].read(aws.elsewhere(region=region))
    return observed.with_resources([*observed, *found]) if found else observed


def dumps(perimeter: str, entries: Iterable[Entry]) -> str:
    """The manifest's text."""
    rows = [
        {
            "type": item.type,
            "account": item.account,
            "region": item.region,
            "declared": item.declared,
            "identity": dict(item.identity),
        }
        for item in sorted(entries, key=lambda item: item.key)
    ]
    document = {"version": VERSION, "perimeter": perimeter, "resources": rows}
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def loads(text: str | bytes, perimeter: str) -> tuple[Entry, ...]:
    """The entries of a manifest.

    Raises:
        RingwallError: it is not one of this perimeter's.
    """
    try:
        document = json.loads(text)
        if document["version"] != VERSION or document["perimeter"] != perimeter:
            raise RingwallError(f"the manifest is of version {document['version']}, {document['perimeter']}")
        return tuple(
            Entry(row["type"], row["account"], row["region"], row["declared"], dict(row["identity"]))
            for row in document["resources"]
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RingwallError(
            f"{object_key(perimeter)} in the log bucket is no manifest ({type(error).__name__}: {error}); restore an "
            "earlier version of the object, the bucket keeps them"
        ) from error


def matched(
    entries: Iterable[Entry], observed: Iterable[Resource], kinds: Mapping[str, Kind]
) -> Iterator[tuple[Entry, Resource]]:
    """The listed resources that are there, each with its entry."""
    by_type: dict[str, list[Entry]] = {}
    for item in entries:
        by_type.setdefault(item.type, []).append(item)
    for resource in observed:
        for item in by_type.get(resource.type, ()):
            if resource.type in kinds and item.names(kinds[resource.type], resource):
                yield item, resource
                break


class Book:
    """The manifest while a run writes: entries are added before what they name, and settled when the run is over."""

    def __init__(self, aws: Aws, perimeter: str, entries: Iterable[Entry], backoff: Backoff) -> None:
        self._aws = aws
        self._backoff = backoff
        self._perimeter = perimeter
        self._entries = {item.key: item for item in entries}
        self._stored = dumps(perimeter, self._entries.values())
        self._lock = threading.Lock()
        self._storing = threading.Lock()

    def note(self, bucket: str, item: Entry) -> None:
        """List a resource that is about to be made. Those that wait while the manifest is written are written together.

        Raises:
            AwsCallError: the manifest could not be written; the resource must not be made then.
        """
        with self._lock:
            self._entries[item.key] = item
        self._store(bucket)

    def settled(self, bucket: str, entries: Iterable[Entry]) -> AwsCallError | None:
        """List exactly these.

        Returns:
            Why the manifest could not be written, if so. It then lists too much, which the next run puts right.
        """
        with self._lock:
            self._entries = {item.key: item for item in entries}
        try:
            self._store(bucket)
        except AwsCallError as error:
            return error
        return None

    def _store(self, bucket: str) -> None:
        with self._storing:
            with self._lock:
                text = dumps(self._perimeter, self._entries.values())
            if text == self._stored:
                return
            key, body = object_key(self._perimeter), text.encode()
            patiently(
                lambda: self._aws.call(
                    "s3", "PutObject", Bucket=bucket, Key=key, Body=body, ContentType="application/json"
                ),
                self._backoff,
            )
            self._stored = text


def _read(aws: Aws, bucket: str, perimeter: str) -> tuple[Entry, ...]:
    try:
        answer = aws.call("s3", "GetObject", Bucket=bucket, Key=object_key(perimeter))
    except AwsCallError as error:
        if error.code in ABSENT:
            return ()
        raise
    return loads(answer["Body"], perimeter)
