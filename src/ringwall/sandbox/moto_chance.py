"""moto's randomness and clock, led by :mod:`ringwall.sandbox.chance` while a change is made that can be made again.

moto draws its ids from one generator of its own, which is seeded; its key material from ``os.urandom`` and its times
from ``datetime``, as its modules see them, which are replaced in those modules. Outside of changes all of them behave
as ever.
"""

from __future__ import annotations

import datetime as dt
import importlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ringwall.sandbox import chance

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEED = 16
_URANDOM = {"kms": ("kms.models", "kms.utils", "kms.responses"), "s3": ("s3.models",)}
_CLOCKS = {"s3": ("s3.models",), "cloudwatch": ("cloudwatch.models",)}


class _Clock(dt.datetime):
    """``datetime.datetime``, at the moment of a change if one is made."""

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:  # type: ignore[override]
        moment = chance.moment()
        if moment is None:
            return dt.datetime.now(tz)
        return moment.astimezone(tz) if tz else moment.replace(tzinfo=None)


class _Module:
    """A module with some of its names replaced."""

    def __init__(self, module: Any, **names: Any) -> None:
        self._module = module
        self.__dict__.update(names)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def _replace(module: str, name: str, value: Any) -> None:
    found = importlib.import_module(f"moto.{module}")
    if hasattr(found, name):
        setattr(found, name, value)


def lead(service: str) -> None:
    """Lead what moto's service draws from the system."""
    _replace("core.utils", "datetime", _Module(dt, datetime=_Clock))
    for module in _URANDOM.get(service, ()):
        _replace(module, "os", _Module(os, urandom=chance.token_bytes))
    for module in _CLOCKS.get(service, ()):
        present = getattr(importlib.import_module(f"moto.{module}"), "datetime", None)
        _replace(module, "datetime", _Clock if isinstance(present, type) else _Module(dt, datetime=_Clock))


def _generator() -> Any:
    return importlib.import_module("moto.moto_api._internal").mock_random


def seed() -> None:
    """Seed moto's generator, within a change."""
    if chance.repeatable():
        _generator().seed(chance.token_bytes(_SEED))


@contextmanager
def aside() -> Iterator[None]:
    """Let what is made meanwhile leave no trace in what a change draws: it may have been made before, or be made later."""
    generator = _generator()
    state = generator.getstate()
    try:
        yield
    finally:
        generator.setstate(state)
