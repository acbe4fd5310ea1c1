"""The one door to AWS: every call of Ringwall's own to an AWS API goes through :class:`Aws`."""

from __future__ import annotations

from typing import Any, Protocol


class Aws(Protocol):
    """One account and Region, through the ordinary credential chain. Implemented by ``ringwall.estate.connection``."""

    account: str
    region: str
    partition: str
    caller: str
    perimeter: str
    """Name of the declaration: the value of the ownership tag."""

    def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        """Call an operation (AWS's spelling, ``CreateGuardrail``) and return its response without metadata.

        Raises:
            AwsCallError: with the call, AWS's code and the permission that it needs.
        """

    def pages(self, service: str, operation: str, key: str, /, **parameters: Any) -> list[Any]:
        """All items under ``key`` of a listing, through every page."""

    def evidence(self) -> tuple[str, ...]:
        """Digests of the responses received since the last call of this method."""

    def elsewhere(
        self, *, region: str | None = None, role: str | None = None, external_id: str | None = None
    ) -> Aws:
        """The same in another Region, or as another role (in its account).

        Args:
            region: where to; default: where it is.
            role: ARN of the role to assume; default: none, the same caller.
            external_id: what the role's trust policy wants to hear.
        """
