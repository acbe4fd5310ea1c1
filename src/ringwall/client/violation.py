"""What the client raises: a violation is AWS's own denial to everybody who knows botocore.

    ClientError
    +-- PerimeterViolation     a call that the declaration forbids; nothing was sent
    +-- GuardrailIntervened    only with ``on_intervention="raise"``: the guardrail blocked or masked
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from ringwall.client.outcome import Outcome


class PerimeterViolation(ClientError):  # noqa: N818 - the name that applications catch
    """A call that the declaration forbids, refused before it left.

    It is an ``AccessDeniedException`` to whoever looks at the code, so frameworks classify it as a denial and do not
    try again.

    Attributes:
        rule: slug of the rule (``model-not-declared``).
        reason: what is wrong, in one sentence without content of the call.
        declared: where the declaration says otherwise, as ``file:line``, or ``None``.
    """

    def __init__(self, rule: str, reason: str, operation: str, *, declared: str | None = None) -> None:
        self.rule = rule
        self.reason = reason
        self.declared = declared
        response: Any = {
            "Error": {"Code": "AccessDeniedException", "Message": f"[{rule}] {reason}"},
            "ResponseMetadata": {
                "RequestId": "",
                "HTTPStatusCode": 403,
                "HTTPHeaders": {},
                "RetryAttempts": 0,
                "HostId": "",
            },
        }
        super().__init__(response, operation)

    def explain(self) -> str:
        """The rule, what is wrong, and the declaration's line."""
        where = f" ({self.declared})" if self.declared else ""
        return f"{self.rule}: {self.reason}{where}"

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive a trip between processes."""
        return _rebuild, (self.rule, self.reason, self.operation_name, self.declared)


def _rebuild(rule: str, reason: str, operation: str, declared: str | None) -> PerimeterViolation:
    return PerimeterViolation(rule, reason, operation, declared=declared)


class GuardrailIntervened(ClientError):  # noqa: N818 - the name that applications catch
    """The guardrail blocked or masked something. Raised only with ``on_intervention="raise"``."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        policies = ", ".join(outcome.policies) or "its policies"
        response: Any = {
            "Error": {"Code": "GuardrailIntervened", "Message": f"the guardrail intervened by {policies}"},
            "ResponseMetadata": {
                "RequestId": outcome.request_id,
                "HTTPStatusCode": 200,
                "HTTPHeaders": {},
                "RetryAttempts": 0,
                "HostId": "",
            },
        }
        super().__init__(response, outcome.operation)
