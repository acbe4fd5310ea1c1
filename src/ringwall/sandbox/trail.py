"""CloudTrail (minimal for now)."""
from __future__ import annotations
from typing import TYPE_CHECKING, Any
if TYPE_CHECKING:
    from ringwall.sandbox.gateway import Gateway

class Trail:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
    def record(self, turn: Any, output: Any, error: Any) -> None:
        pass
    def record_service_event(self, **_: Any) -> None:
        pass
    def flush(self) -> None:
        pass
