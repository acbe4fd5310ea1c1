"""What is remembered of one call, from its parameters to its answer. It travels in botocore's request context."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ringwall.client.coverage import Coverage, body_coverage, coverage

KEY = "ringwall"
"""Name of the call in botocore's request context."""


@dataclass(slots=True, eq=False)
class Call:
    """A call on its way. Holds the caller's own objects, and lives no longer than botocore's request context.

    Attributes:
        operation: API operation.
        parameters: boto3 parameters as they were decided, the pinned guardrail in them.
        until: monotonic second at which the call must have ended; ``None`` without a deadline.
        credentials: generation of the credentials when it was decided.
        serialized: the body that botocore made of the parameters. A request that leaves with the very same object has
            a body of botocore's own making: in its JSON no name stands twice.
    """

    operation: str
    parameters: dict[str, Any]
    until: float | None = None
    credentials: int | None = None
    serialized: object = None
    _coverage: Coverage | None = None

    @property
    def model(self) -> str | None:
        """Identifier of the model, as the call names it."""
        model: str | None = self.parameters.get("modelId")
        return model

    @property
    def coverage(self) -> Coverage:
        """What the guardrail does not read; found at the first use, in one pass."""
        found = self._coverage
        if found is None:
            own = "body" in self.parameters and type(self.serialized) is bytes
            found = self._coverage = body_coverage(self.serialized) if own else coverage(self.parameters)
        return found


def call_of(context: Any) -> Call | None:
    """The call of a request context, if there is one and it was decided."""
    found = context.get(KEY) if context else None
    return found if type(found) is Call else None
