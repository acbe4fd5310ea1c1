"""Which AWS errors go away by waiting, and how long to wait.

IAM is eventually consistent (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency):
a role that was just made may be unknown to KMS, to Bedrock's check of its logging permissions, or to CloudTrail for some
seconds. The SDK's own retries are off for writes, so throttling and lost answers are waited for here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from ringwall.errors import AwsCallError
from ringwall.estate.repeating import LOST, THROTTLED, UNSENT

TRANSIENT: tuple[tuple[str, str, str], ...] = (
    # error code, text that its message must contain (lower case, empty = any), why it goes away
    ("MalformedPolicyDocumentException", "principal", "KMS does not know the new role yet"),
    ("MalformedPolicyDocument", "principal", "IAM does not know the new principal yet"),
    ("MalformedPolicy", "principal", "S3 does not know the new principal yet"),
    ("InvalidParameter", "principal", "SNS does not know the new principal yet"),
    (
        "ValidationException",
        "failed to validate permissions",
        "Bedrock cannot assume the new logging role yet",
    ),
    ("ValidationException", "unable to assume", "Bedrock cannot assume the new role yet"),
    ("ValidationException", "cannot be assumed", "the service cannot assume the new role yet"),
    ("ValidationException", "kms", "the key's new policy has not reached Bedrock yet"),
    ("InvalidCloudWatchLogsRoleArnException", "", "CloudTrail cannot assume the new role yet"),
    ("InsufficientEncryptionPolicyException", "", "the key's new policy has not reached CloudTrail yet"),
    ("InsufficientS3BucketPolicyException", "", "the bucket's new policy has not reached CloudTrail yet"),
    ("InsufficientSnsTopicPolicyException", "", "the topic's new policy has not reached CloudTrail yet"),
    ("KmsKeyNotFoundException", "", "CloudTrail does not see the new key yet"),
    ("NotFoundException", "", "KMS does not see the new key yet"),
    ("NoSuchEntity", "", "IAM does not see what was just made yet"),
    ("NoSuchEntityException", "", "IAM does not see what was just made yet"),
    ("NoSuchBucket", "", "S3 does not see the new bucket yet"),
    ("ResourceNotFoundException", "", "the service does not see what was just made yet"),
    ("InvalidGroup.NotFound", "", "EC2 does not see the new security group yet"),
    ("InvalidVpcEndpointId.NotFound", "", "EC2 does not see the new endpoint yet"),
    ("InvalidParameterException", "kms key", "the key's new policy has not reached CloudWatch Logs yet"),
    ("AccessDeniedException", ":key/", "the key's new policy has not spread yet"),
    ("PolicyNotAttachedException", "", "Organizations does not see the new attachment yet"),
    ("PolicyNotFoundException", "", "Organizations does not see the new policy yet"),
    ("ConcurrentModificationException", "", "another change to the organization is under way"),
    ("ConcurrentModification", "", "another change to the same IAM entity is under way"),
    ("OperationAbortedException", "", "another change to the same log group is under way"),
    ("OperationAborted", "", "another change to the same bucket is under way"),
    ("ConflictException", "", "the resource is still changing"),
    ("ResourceInUseException", "", "the resource is still in use or changing"),
    ("DependencyViolation", "", "what depends on it is still being removed"),
    ("DeleteConflict", "", "IAM still sees what was just detached"),
    ("FinalizingOrganizationException", "", "the organization is still being set up"),
    ("LimitExceededException", "rate", "AWS asks for fewer requests"),
)

EXISTS: frozenset[str] = frozenset(
    {
        "EntityAlreadyExists",
        "EntityAlreadyExistsException",
        "AlreadyExistsException",
        "ResourceAlreadyExistsException",
        "BucketAlreadyOwnedByYou",
        "TrailAlreadyExistsException",
        "InvalidGroup.Duplicate",
        "DuplicatePolicyException",
        "DuplicatePolicyAttachmentException",
        "ResourceConflictException",
    }
)
"""Somebody, perhaps we in a write whose answer was lost, made it already."""
TAKEN: tuple[tuple[str, str], ...] = (
    # error code, text that its message must contain: the same, by services without a code for it
    ("InvalidParameter", "conflicting DNS domain"),
)

GONE: frozenset[str] = frozenset(
    {
        "NoSuchEntity",
        "NoSuchEntityException",
        "NoSuchBucket",
        "NotFoundException",
        "NotFound",
        "ResourceNotFoundException",
        "ResourceNotFound",
        "TrailNotFoundException",
        "InvalidGroup.NotFound",
        "InvalidVpcEndpointId.NotFound",
        "InvalidVpcEndpoint.NotFound",
        "PolicyNotFoundException",
    }
)
"""For a deletion these mean that it is done."""


def exists(error: AwsCallError) -> bool:
    """Whether a create was refused because there is one already."""
    return error.code in EXISTS or any(
        error.code == code and text in error.aws_message for code, text in TAKEN
    )


def transient(error: AwsCallError) -> str | None:
    """Why the error is expected to go away, or ``None``. An explicit denial is somebody's decision and stays."""
    message = error.aws_message.lower()
    if "explicit deny" in message:
        return None
    for code, text, why in TRANSIENT:
        if error.code == code and text in message:
            return why
    if error.code in THROTTLED:
        return "AWS asks for fewer requests"
    if error.code in UNSENT:
        return "AWS could not be reached"
    return "its answer was lost" if error.code in LOST else None


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often and how long to wait: doubling from ``first`` up to ``longest`` seconds, ``attempts`` tries in all.

    The defaults wait a bit over a minute, which covers what IAM needs in practice. ``sleep`` is replaced in tests.
    """

    attempts: int = 9
    first: float = 0.5
    longest: float = 15.0
    sleep: Callable[[float], None] = field(default=time.sleep, compare=False)

    def waits(self) -> Iterator[float]:
        """Seconds before each further try."""
        for number in range(self.attempts - 1):
            yield min(self.first * 2**number, self.longest)


_Answer = TypeVar("_Answer")


def patiently(call: Callable[[], _Answer], backoff: Backoff) -> _Answer:
    """The answer to a call that may be repeated without harm, waiting for what goes away by waiting.

    Raises:
        AwsCallError: another failure, or the last try's.
    """
    for pause in backoff.waits():
        try:
            return call()
        except AwsCallError as error:
            if transient(error) is None:
                raise
        backoff.sleep(pause)
    return call()
