"""What a finished call leaves behind: invocation logs, and metrics in ``AWS/Bedrock`` and ``AWS/Bedrock/Guardrails``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.sandbox.bedrock.runtime.guarding import Inspection
    from ringwall.sandbox.bedrock.runtime.models import Target
    from ringwall.sandbox.call import AwsError, Call


@dataclass(frozen=True, slots=True)
class Invocation:
    """A finished inference call.

    Attributes:
        call: the call.
        target: the model that it named.
        input_body: the request as it is logged.
        output_body: the answer as it is logged: an object, or the list of a stream's chunks.
        input_tokens: as in the answer's usage.
        output_tokens: likewise.
        latency: milliseconds.
        inspections: (``INPUT`` or ``OUTPUT``, what the guardrails said).
        metadata: the caller's request metadata.
        error_code: AWS error code of a call that failed.
    """

    call: Call
    target: Target
    input_body: Mapping[str, Any]
    output_body: Any
    input_tokens: int
    output_tokens: int
    latency: int
    inspections: tuple[tuple[str, Inspection], ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    error_code: str | None = None


class Telemetry:
    """Takes reports of calls."""

    def invoked(self, invocation: Invocation) -> None:
        """An inference call finished."""

    def failed(self, call: Call, target: Target | None, error: AwsError) -> None:
        """An inference call failed."""

    def guarded(self, call: Call, inspections: tuple[tuple[str, Inspection], ...]) -> None:
        """ApplyGuardrail finished."""
