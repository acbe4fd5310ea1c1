"""What buckets and log groups hold: asked before destroying them, removed when purging."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ringwall.deploy.doors import Doors
from ringwall.deploy.manifest import object_key
from ringwall.deploy.retry import GONE
from ringwall.errors import AwsCallError, RingwallError
from ringwall.estate.aws import Aws
from ringwall.estate.model import Resource

_EVENTS = ("firstEventTimestamp", "lastEventTimestamp", "storedBytes")
_BATCH = 1000
"""Objects that one ``DeleteObjects`` takes."""


def contents(doors: Doors) -> Callable[[Resource], bool | None]:
    """A test whether a retained resource holds anything, for :func:`ringwall.deploy.destroy.plan_destroy`.

    ``None`` where it cannot be told (no permission, or a type that this does not know): that is kept.
    """

    def holds(resource: Resource) -> bool | None:
        look = _LOOKS.get(resource.type)
        if look is None:
            return None
        try:
            return look(doors.at(resource), resource.id)
        except AwsCallError as error:
            return False if error.code in GONE else None

    return holds


def empty(aws: Aws, resource: Resource) -> None:
    """Remove everything from a bucket, old versions included; other types need no emptying.

    Raises:
        AwsCallError: a call failed.
        RingwallError: S3 refused to remove some object (a retention lock).
    """
    if resource.type != "AWS::S3::Bucket":
        return
    try:
        while versions := _versions(aws, resource.id, _BATCH):
            _delete(aws, resource.id, versions)
    except AwsCallError as error:
        if error.code not in GONE:
            raise


def _delete(aws: Aws, bucket: str, versions: list[dict[str, Any]]) -> None:
    answer = aws.call("s3", "DeleteObjects", Bucket=bucket, Delete={"Objects": versions, "Quiet": True})
    for refused in answer.get("Errors") or ():
        raise RingwallError(
            f"{bucket}/{refused.get('Key')} cannot be removed: {refused.get('Code')} {refused.get('Message', '')}".strip()
        )


def clear_manifest(aws: Aws, resource: Resource) -> None:
    """Remove every version of the perimeter's manifest from a bucket that is to be removed; nothing else.

    Raises:
        AwsCallError: a call failed.
        RingwallError: S3 refused to remove a version.
    """
    if resource.type != "AWS::S3::Bucket":
        return
    key = object_key(aws.perimeter)
    try:
        while versions := [
            item for item in _versions(aws, resource.id, _BATCH, Prefix=key) if item["Key"] == key
        ]:
            _delete(aws, resource.id, versions)
    except AwsCallError as error:
        if error.code not in GONE:
            raise


def _versions(aws: Aws, bucket: str, most: int, **where: str) -> list[dict[str, Any]]:
    answer = aws.call("s3", "ListObjectVersions", Bucket=bucket, MaxKeys=most, **where)
    found = [*(answer.get("Versions") or ()), *(answer.get("DeleteMarkers") or ())]
    return [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]


def _bucket(aws: Aws, name: str) -> bool:
    """An object that is not the manifest: keys are listed in their order, so it is before it or after it."""
    key = object_key(aws.perimeter)
    first = _versions(aws, name, 1)
    if not first or first[0]["Key"] != key:
        return bool(first)
    return any(item["Key"] != key for item in _versions(aws, name, _BATCH, KeyMarker=key))


def _log_group(aws: Aws, name: str) -> bool:
    """A stream with an event: Bedrock and CloudWatch make empty streams to test their permission."""
    streams = aws.pages("logs", "DescribeLogStreams", "logStreams", logGroupName=name)
    return any(item.get(name) for item in streams for name in _EVENTS)


_LOOKS: dict[str, Callable[[Aws, str], bool]] = {
    "AWS::S3::Bucket": _bucket,
    "AWS::Logs::LogGroup": _log_group,
}
