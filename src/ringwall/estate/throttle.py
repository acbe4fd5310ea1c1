"""Token buckets: how quickly each service of an account and Region is asked, so that an audit takes nobody's quota.

AWS throttles control-plane calls by account, Region and service, with buckets of its own, and what an audit takes from
them others lack. The rates here stay below the published defaults; a small account never waits, as a bucket begins full.
What is throttled nevertheless is retried by the SDK's adaptive mode.

AWS source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

BURST = 100.0
"""Calls that need not wait after a pause."""
RATES: Mapping[str, float] = {"iam": 15.0, "organizations": 8.0, "bedrock": 10.0, "bedrock-agent": 10.0}
DEFAULT_RATE = 20.0
"""Calls a second in the long run, by service."""


class TokenBucket:
    """One bucket. Safe to use from several threads: each caller takes its token at once, and waits for it alone.

    Args:
        rate: tokens a second.
        burst: tokens that it holds when full, as at the beginning.
        monotonic: seconds, only ever growing.
        sleep: waits.
    """

    def __init__(
        self,
        rate: float,
        burst: float = BURST,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate, self._burst = rate, burst
        self._monotonic, self._sleep = monotonic, sleep
        self._tokens, self._at = burst, monotonic()
        self._lock = threading.Lock()

    def take(self) -> None:
        """Take a token; where there is none, wait until there is."""
        with self._lock:
            now = self._monotonic()
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
            self._at = now
            self._tokens -= 1
            wait = -self._tokens / self._rate
        if wait > 0:
            self._sleep(wait)


class Buckets:
    """The buckets of one run, by account, Region and service."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], TokenBucket] = {}
        self._lock = threading.Lock()

    def take(self, account: str, region: str, service: str) -> None:
        """Take a token of that service."""
        with self._lock:
            bucket = self._found.setdefault(
                (account, region, service), TokenBucket(RATES.get(service, DEFAULT_RATE))
            )
        bucket.take()
