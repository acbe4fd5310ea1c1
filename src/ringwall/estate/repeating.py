"""Sending a request again: reads freely, writes never on their own.

The SDK repeats every request whose answer was lost, also ``kms:CreateKey``, which has no idempotency token: each repetition
is another key. So its retries are off. Reads are repeated here; what a write needs after a failure is decided by
:mod:`ringwall.deploy.write`, which looks first. Where an operation takes an idempotency token, a write carries one that
stays the same until it is answered, so that AWS itself recognises a repetition
(https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html).
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from ringwall.errors import AwsCallError
from ringwall.estate.model import canonical_json
from ringwall.estate.recording import plain

_Answer = TypeVar("_Answer")

READ_PREFIXES = ("Get", "List", "Describe", "Head", "Lookup", "Batch", "Simulate")
REPEATABLE_PREFIXES = (*READ_PREFIXES, "AssumeRole")
THROTTLED: frozenset[str] = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "BandwidthLimitExceeded",
        "PriorRequestNotComplete",
    }
)
"""AWS did nothing and asks for fewer requests."""

UNSENT: frozenset[str] = frozenset({"EndpointUnreachable"})
"""The request did not arrive."""

LOST: frozenset[str] = frozenset(
    {
        "EndpointTimedOut",
        "ConnectionClosed",
        "RequestTimeout",
        "RequestTimeoutException",
        "InternalError",
        "InternalFailure",
        "InternalServerException",
        "InternalServerError",
        "ServiceException",
        "ServiceFailure",
        "ServiceFailureException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "KMSInternalException",
        "DependencyTimeoutException",
        "500",
        "502",
        "503",
        "504",
    }
)
"""The answer was lost, or AWS does not know: the request may have been carried out."""

TOKENS = ("ClientToken", "clientToken", "ClientRequestToken", "clientRequestToken")
"""What operations call their idempotency token."""
_RUNS = uuid.UUID("5f0d3c1e-6f0b-5d6e-9c52-8f4f4e0f7a11")
"""Namespace of the tokens; any fixed one would do."""
PAUSES = (0.1, 0.2, 0.4, 0.8)
"""Seconds that a read waits at most before each further try; the half of it at least."""


def repeated(ask: Callable[[], _Answer], *, sleep: Callable[[float], None]) -> _Answer:
    """The answer to a read, asked again while the failure is one that passes.

    Raises:
        AwsCallError: another failure, or the last try's.
    """
    for pause in _pauses():
        try:
            return ask()
        except AwsCallError as error:
            if error.code not in THROTTLED | UNSENT | LOST:
                raise
        sleep(pause)
    return ask()


def is_read(operation: str) -> bool:
    """Whether an operation changes nothing."""
    return operation.startswith(READ_PREFIXES)


def is_repeatable(operation: str) -> bool:
    """Whether sending an operation twice does no more than sending it once."""
    return operation.startswith(REPEATABLE_PREFIXES)


class Tokens:
    """Idempotency tokens of one run: the same request has the same one until it is answered.

    The next run's differ, and so does that of a request that was answered before: what was removed since may have to be
    made again.
    """

    def __init__(self, run: str) -> None:
        self._run = run
        self._answered: dict[str, int] = {}

    def added(
        self, operation: str, parameters: Mapping[str, Any], members: Mapping[str, Any]
    ) -> tuple[dict[str, Any], str]:
        """A write's parameters with a token, if its operation takes one, and the name to tell its answer under.

        Args:
            operation: API operation.
            parameters: what is sent.
            members: names that the operation's input has.
        """
        name = next((item for item in TOKENS if item in members and item not in parameters), None)
        if name is None:
            return dict(parameters), ""
        request = canonical_json([operation, plain(parameters)])
        text = canonical_json([self._run, request, self._answered.get(request, 0)])
        return {**parameters, name: str(uuid.uuid5(_RUNS, text))}, request

    def answered(self, request: str) -> None:
        """The request was carried out and its answer arrived."""
        if request:
            self._answered[request] = self._answered.get(request, 0) + 1


def _pauses() -> Iterator[float]:
    for most in PAUSES:
        yield most * random.uniform(0.5, 1)  # noqa: S311 - spreads the tries of many, no secret
