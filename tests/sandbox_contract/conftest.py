"""The sandbox that the contract is tried on."""

from sandbox.conftest import helpers, world

__all__ = ["helpers", "world"]
