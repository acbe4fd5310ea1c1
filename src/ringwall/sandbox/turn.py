"""One call on its way through the gateway, for what answers it and for the checks that it meets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ringwall.sandbox.call import AwsError

if TYPE_CHECKING:
    from ringwall.sandbox.authorize import Asking
    from ringwall.sandbox.call import Call
    from ringwall.sandbox.credentials import Caller
    from ringwall.sandbox.gateway import Gateway


@dataclass(eq=False)
class Turn:
    """A call, its caller, and its parameters, which a hook may change.

    Attributes:
        gateway: the sandbox's gateway.
        call: the call as it will be recorded.
        caller: the caller; ``None`` for anonymous requests and services.
        asking: what authorizations of the call are decided with.
        parameters: parameters as they will be executed.
        changes: parameters that are authorized in another form (a key's ARN for its alias).
        owner: account whose resources are meant, where it is not the caller's.
        insider: principal that an internal call is made as; ``None`` for clients' calls.
    """

    gateway: Gateway
    call: Call
    caller: Caller | None
    asking: Asking
    parameters: dict[str, Any]
    changes: dict[str, Any] = field(default_factory=dict)
    owner: str | None = None
    insider: str | None = None

    @property
    def asked(self) -> dict[str, Any]:
        """Parameters as they are authorized."""
        return {**self.parameters, **self.changes}

    @property
    def account(self) -> str:
        """Account whose resources are meant."""
        return self.owner or self.call.account

    @property
    def known_caller(self) -> Caller:
        """The caller.

        Raises:
            AwsError: the call is anonymous or a service's.
        """
        if self.caller is None:
            raise AwsError("AccessDenied", f"{self.call.principal} cannot call {self.call.operation}", 403)
        return self.caller
