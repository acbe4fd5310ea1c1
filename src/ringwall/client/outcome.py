"""What came of a call, typed and without content: safe to log."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any, NamedTuple

from ringwall.client.coverage import Coverage


class Outcome(NamedTuple):
    """What came of a call. Holds names and numbers alone, no word of prompt or answer.

    Attributes:
        operation: API operation.
        request_id: AWS's request id.
        guardrail: ARN of the guardrail that the call carried.
        intervened: whether it blocked or masked something.
        policies: kinds of policy that did.
        stop_reason: the model's, or ``guardrail_intervened``.
        input_tokens: tokens in, where the response says so.
        output_tokens: tokens out.
        latency_ms: the service's own measure, where the response says so.
        model: identifier of the model, as the call named it.
        guardrail_version: version of the guardrail.
        coverage: what of the call's input the guardrail does not read; ``None`` where that is not known.
        complete: whether the answer was read to its end. A stream that was closed early, or broke, was not.
        error: code of the error that broke a stream.
    """

    operation: str
    request_id: str
    guardrail: str
    intervened: bool
    policies: tuple[str, ...] = ()
    stop_reason: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    latency_ms: int | None = None
    model: str | None = None
    guardrail_version: str | None = None
    coverage: Coverage | None = None
    complete: bool = True
    error: str | None = None

    def log_fields(self) -> dict[str, Any]:
        """The outcome as plain names, numbers and lists of names: the ``extra`` of a log record, a metric's labels."""
        found = self._asdict()
        gaps = found.pop("coverage")
        return {**found, "policies": list(self.policies), "not_covered": gaps and list(gaps.rules)}


Report = Callable[[Outcome], None]


def logging_to(logger: logging.Logger, level: int = logging.INFO) -> Report:
    """An ``on_outcome`` that writes each outcome's :meth:`Outcome.log_fields` as JSON to a logger.

    The client itself logs nothing. botocore does at DEBUG, and with whole request and response bodies: leave the
    ``botocore`` and ``urllib3`` loggers above DEBUG wherever prompts must not be written down.
    """

    def write(outcome: Outcome) -> None:
        logger.log(level, "%s", json.dumps(outcome.log_fields(), sort_keys=True))

    return write
