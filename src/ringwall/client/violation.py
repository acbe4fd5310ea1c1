"""What the client raises: a violation is AWS's own denial to everybody who knows botocore.

ClientError
+-- PerimeterViolation     a call that the declaration forbids; nothing was sent. A client's call ends in one that is its
|                          ``exceptions.AccessDeniedException`` too
+-- GuardrailIntervened    only with ``on_intervention="raise"``: the guardrail blocked or masked
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ringwall.errors import RingwallError
from ringwall.perimeter.loader import line_of

if TYPE_CHECKING:
    from ringwall.client.outcome import Outcome

_IDENTIFIER = re.compile(r"[\w.:/@+-]{1,200}")


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
        super().__init__(_response("AccessDeniedException", f"[{rule}] {reason}", 403), operation)

    def explain(self) -> str:
        """The rule, what is wrong, and the declaration's line."""
        where = f" ({self.declared})" if self.declared else ""
        return f"{self.rule}: {self.reason}{where}"

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive a trip between processes."""
        return _rebuild, (self.rule, self.reason, self.operation_name, self.declared)


def denied_as(violation: PerimeterViolation, exceptions: Any) -> None:
    """Let ``except client.exceptions.AccessDeniedException`` catch a violation, as it does the service's own denials.

    Args:
        violation: what a call of the client ended in.
        exceptions: the client's.
    """
    denied = getattr(exceptions, "AccessDeniedException", None)
    if denied is not None and not isinstance(violation, denied):
        violation.__class__ = _both(denied)


@cache
def _both(denied: type[ClientError]) -> type[PerimeterViolation]:
    return type(PerimeterViolation.__name__, (PerimeterViolation, denied), {"__module__": __name__})


def _rebuild(rule: str, reason: str, operation: str, declared: str | None) -> PerimeterViolation:
    return PerimeterViolation(rule, reason, operation, declared=declared)


class GuardrailIntervened(ClientError):  # noqa: N818 - the name that applications catch
    """The guardrail blocked or masked something. Raised only with ``on_intervention="raise"``.

    Attributes:
        outcome: what came of the call, without content.
    """

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        policies = ", ".join(outcome.policies) or "its policies"
        text = f"the guardrail intervened by {policies}"
        super().__init__(_response("GuardrailIntervened", text, 200, outcome.request_id), outcome.operation)

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive a trip between processes."""
        return GuardrailIntervened, (self.outcome,)


def _response(code: str, message: str, status: int, request_id: str = "") -> Any:
    return {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {
            "RequestId": request_id,
            "HTTPStatusCode": status,
            "HTTPHeaders": {},
            "RetryAttempts": 0,
            "HostId": "",
        },
    }


@dataclass(frozen=True, slots=True)
class Place:
    """Where a use is declared: gives violations their line.

    Attributes:
        file: the declaration; without one, violations name no line.
        use: name of the use.
        environment: the environment that was chosen; what it says of its own stands before the rest.
    """

    file: Path | None = None
    use: str = ""
    environment: str | None = None

    def violation(self, rule: str, reason: str, operation: str, *path: str) -> PerimeterViolation:
        """A violation that points at a path of the declaration, or at the nearest section above that it has."""
        return PerimeterViolation(rule, reason, operation, declared=self._line(tuple(self._filled(path))))

    def _filled(self, path: tuple[str, ...]) -> list[str]:
        return [self.use if part == "{use}" else part for part in path]

    def _line(self, path: tuple[str, ...]) -> str | None:
        while self.file is not None and path:
            own = (("environments", self.environment, *path),) if self.environment else ()
            try:
                lines = [line_of(self.file, place) for place in (*own, path)]
            except RingwallError:  # the file was changed since and is not readable now: the refusal stands
                return None
            line = next((found for found in lines if found is not None), None)
            if line is not None:
                return f"{self.file}:{line}"
            path = path[:-1]
        return None


NOWHERE = Place()


def shown(value: object) -> str:
    """An identifier for a message; what does not look like one may be content, and is not shown."""
    if value is None:
        return "none"
    return value if isinstance(value, str) and _IDENTIFIER.fullmatch(value) else "the given value"
