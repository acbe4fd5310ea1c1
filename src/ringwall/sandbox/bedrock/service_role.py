"""A role that Bedrock works with for a resource: assumed for it, then used on what it may reach.

The role's trust policy decides over ``sts:AssumeRole`` by ``bedrock.amazonaws.com``, with the resource as
``aws:SourceArn`` and its account as ``aws:SourceAccount`` (the confused-deputy conditions of the user guide's pages on
service roles); the role's policies, the organization's on it, the bucket's and the key's decide over what it does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.sandbox.bedrock.scope import Scope
    from ringwall.sandbox.call import Call

SERVICE = "bedrock.amazonaws.com"


class ServiceRole:
    """A role, assumed for a resource.

    Args:
        scope: the plane.
        call: the call for which the role is assumed.
        role_arn: the role.
        source_arn: the resource that Bedrock assumes it for.
        session: role session name.

    Raises:
        AwsError: ``AccessDenied``: the role does not trust Bedrock for this resource.
    """

    def __init__(self, scope: Scope, call: Call, role_arn: str, source_arn: str, session: str) -> None:
        self._platform, self._call, self._role = scope.platform, call, role_arn
        source = {"aws:sourceaccount": (call.account,), "aws:sourcearn": (source_arn,)}
        scope.platform.call_as(
            SERVICE,
            "sts",
            "AssumeRole",
            {"RoleArn": role_arn, "RoleSessionName": session},
            account=call.account,
            region=call.region,
            context=source,
        )

    def do(self, service: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """A call with the role's rights.

        Raises:
            AwsError: what the role may not do, or what the service answers.
        """
        return self._platform.call_as(
            self._role,
            service,
            operation,
            parameters,
            account=self._call.account,
            region=self._call.region,
        )

    def keys(self, bucket: str, prefix: str) -> Iterator[str]:
        """Keys of the objects of a bucket under a prefix."""
        more: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix}
        while True:
            found = self.do("s3", "ListObjectsV2", more)
            yield from (entry["Key"] for entry in found.get("Contents") or ())
            if not found.get("IsTruncated"):
                return
            more = {"Bucket": bucket, "Prefix": prefix, "ContinuationToken": found["NextContinuationToken"]}

    def read(self, bucket: str, key: str) -> bytes:
        """An object's body."""
        body: bytes = self.do("s3", "GetObject", {"Bucket": bucket, "Key": key})["Body"]
        return body

    def write(self, bucket: str, key: str, body: bytes) -> None:
        """Put an object."""
        self.do("s3", "PutObject", {"Bucket": bucket, "Key": key, "Body": body})


def place_of(uri: str) -> tuple[str, str]:
    """Bucket and key of an ``s3://`` URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
