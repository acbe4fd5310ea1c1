"""What every operation of the plane works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.faults import invalid
from ringwall.sandbox.call import Call, Output

if TYPE_CHECKING:
    from ringwall.sandbox.bedrock.runtime.models import ModelBackend
    from ringwall.sandbox.bedrock.state import Regional, State
    from ringwall.sandbox.bedrock.telemetry import Telemetry
    from ringwall.sandbox.call import Platform


@dataclass(frozen=True, slots=True)
class Scope:
    """The plane's parts, handed to each operation."""

    state: State
    platform: Platform
    models: ModelBackend
    telemetry: Telemetry

    def home(self, call: Call) -> Regional:
        """The caller's Bedrock in the Region of the call."""
        return self.state.at(call.account, call.region)

    def made_before(self, call: Call) -> str | None:
        """The key of what a call of the same operation with the same idempotency token made, if it has one."""
        token = _token(call)
        return None if token is None else self.home(call).tokens.get(token)

    def note_made(self, call: Call, key: str) -> None:
        """Keep what a call made under its idempotency token, if it has one."""
        token = _token(call)
        if token is not None:
            self.home(call).tokens[token] = key


def _token(call: Call) -> tuple[str, str] | None:
    given = call.parameters.get("clientRequestToken") or call.parameters.get("clientToken")
    return (call.operation, str(given)) if given else None


Operation = Callable[[Scope, Call], Output]


def page(
    items: Sequence[Any], parameters: Mapping[str, Any], default: int = 100
) -> tuple[list[Any], dict[str, str]]:
    """One page of a listing by ``maxResults`` and ``nextToken``; the second value holds the next token, if any.

    Raises:
        AwsError: the token is none of ours.
    """
    token = parameters.get("nextToken")
    if token is not None and not (token.isdigit() and int(token) <= len(items)):
        raise invalid("The provided nextToken is invalid.")
    start = int(token or 0)
    end = start + int(parameters.get("maxResults") or default)
    return list(items[start:end]), {"nextToken": str(end)} if end < len(items) else {}
