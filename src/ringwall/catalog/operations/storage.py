"""Amazon S3: buckets, objects, versions and access points.

Follows https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html. A request that names
a version is authorized by the ``...Version...`` action alone; a copy reads one object and writes another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ringwall.catalog.operations.authorization import Authorization, Call, account_of, is_arn
from ringwall.catalog.operations.context import context_of
from ringwall.catalog.reference import load

if TYPE_CHECKING:
    from collections.abc import Iterator

OF_VERSION: Mapping[str, str] = {
    "s3:DeleteObject": "s3:DeleteObjectVersion",
    "s3:DeleteObjectTagging": "s3:DeleteObjectVersionTagging",
    "s3:GetObject": "s3:GetObjectVersion",
    "s3:GetObjectAcl": "s3:GetObjectVersionAcl",
    "s3:GetObjectAttributes": "s3:GetObjectVersionAttributes",
    "s3:GetObjectTagging": "s3:GetObjectVersionTagging",
    "s3:PutObjectAcl": "s3:PutObjectVersionAcl",
    "s3:PutObjectTagging": "s3:PutObjectVersionTagging",
}


def bucket_arn(call: Call, bucket: str) -> str:
    """ARN of a bucket name, or of the access point that is given in its place."""
    return bucket if is_arn(bucket) else f"arn:{call.partition}:s3:::{bucket}"


def object_arn(call: Call, bucket: str, key: str) -> str:
    """ARN of an object in a bucket or behind an access point."""
    arn = bucket_arn(call, bucket)
    return f"{arn}/object/{key}" if ":accesspoint/" in arn else f"{arn}/{key}"


def s3_resources(call: Call, action: str) -> tuple[str, ...]:
    """Resources that an S3 call names for an action; ``*`` if it names none."""
    bucket, key = call.text("Bucket"), call.text("Key")
    if not bucket:
        return ("*",)
    if action.startswith("s3express:"):
        return (call.arn(f"bucket/{bucket}", service="s3express"),)
    known = load().action(action)
    types = {kind.name for kind in known.resource_types} if known else set()
    if "object" not in types:
        return (bucket_arn(call, bucket),)
    keys = [key] if key else [str(one.get("Key")) for one in call.value("Delete", "Objects") or ()]
    return tuple(object_arn(call, bucket, one) for one in keys) or (object_arn(call, bucket, "*"),)


def s3(call: Call, actions: tuple[str, ...]) -> Iterator[Authorization]:
    """Authorizations of an S3 operation."""
    if call.operation in {"CopyObject", "UploadPartCopy"}:
        yield from _source(call)
    if call.operation == "DeleteObjects" and call.value("Delete", "Objects"):
        yield from _batch(call)
        return
    for action in actions:
        exact = OF_VERSION.get(action, action) if call.text("VersionId") else action
        for resource in s3_resources(call, exact):
            yield Authorization(exact, resource, context_of(call, exact), account_of(resource))


def _source(call: Call) -> Iterator[Authorization]:
    """The object that is copied, as a string (``bucket/key?versionId=...``) or as boto3's mapping."""
    source = call.value("CopySource")
    if isinstance(source, Mapping):
        bucket, key, version = (str(source.get(name) or "") for name in ("Bucket", "Key", "VersionId"))
    elif isinstance(source, str):
        path, _, version = source.lstrip("/").partition("?versionId=")
        head, separator, tail = path.partition("/object/") if is_arn(path) else path.partition("/")
        bucket, key = (head, unquote(tail)) if separator else (path, "*")
    else:
        return
    action = "s3:GetObjectVersion" if version else "s3:GetObject"
    resource = object_arn(call, bucket, key)
    yield Authorization(action, resource, {"aws:requestedregion": (call.region,)}, account_of(resource))


def _batch(call: Call) -> Iterator[Authorization]:
    for one in call.value("Delete", "Objects") or ():
        action = "s3:DeleteObjectVersion" if one.get("VersionId") else "s3:DeleteObject"
        resource = object_arn(call, call.text("Bucket"), str(one.get("Key")))
        yield Authorization(action, resource, context_of(call, action), account_of(resource))
