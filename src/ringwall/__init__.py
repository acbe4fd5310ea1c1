"""Ringwall puts a provable security perimeter around Amazon Bedrock.

    from ringwall import SecureBedrockClient, Perimeter, PerimeterViolation, session

Names are resolved when they are first used: ``import ringwall`` loads no boto3 and no pydantic.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ringwall.client import PerimeterViolation, SecureBedrockClient, session
    from ringwall.perimeter import Perimeter

__version__ = "0.1.0"
__all__ = ["Perimeter", "PerimeterViolation", "SecureBedrockClient", "__version__", "session"]

_HOMES = {
    "Perimeter": "ringwall.perimeter",
    "PerimeterViolation": "ringwall.client",
    "SecureBedrockClient": "ringwall.client",
    "session": "ringwall.client",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
