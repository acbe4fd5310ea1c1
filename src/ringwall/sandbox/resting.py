"""Modules that run when somebody needs what is in them, and not because they are imported.

``import moto.core.responses`` first runs ``moto`` and ``moto.core``, which load what moto intercepts boto3 with in tests;
its modules import boto3 for the Regions of services that are asked for later, and requests for what they never send.
That is a sixth of a sandbox's start. A resting module is there, with its submodules, and runs as soon as a name is asked
of it that is no submodule: nothing is missing for whoever else uses it in this process.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_waking = threading.RLock()


class _Resting(ModuleType):
    """A module that has not run yet."""

    def __getattr__(self, name: str) -> Any:
        if name == "__path__":  # asked by every import, and there if the module is a package
            raise AttributeError(name)
        known = vars(self)
        submodule = f"{known['__name__']}.{name}"
        if "__path__" in known and importlib.util.find_spec(submodule) is not None:
            return importlib.import_module(submodule)
        with _waking:
            if name not in known:
                self._wake()
            if name not in known:
                raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
            return known[name]

    def _wake(self) -> None:
        known = vars(self)
        if known.pop(
            "_ringwall_rests", False
        ):  # else its own code, as it runs, asks for what it has not got yet
            spec = known["__spec__"]
            spec.loader.exec_module(self)
            self.__class__ = ModuleType  # type: ignore[assignment]


def rest(name: str, **constants: Any) -> None:
    """Let a module rest until it is needed; one that is loaded already, or not installed, is left alone.

    Args:
        name: its full name; the package that it lies in must be resting or loaded.
        constants: names of it that are known, and no reason to run.
    """
    spec = None if name in sys.modules else importlib.util.find_spec(name)
    if spec is None:
        return
    module = importlib.util.module_from_spec(spec)
    vars(module).update(constants, _ringwall_rests=True)
    module.__class__ = _Resting
    sys.modules[name] = module
    parent, _, last = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], last, module)


@contextmanager
def lent(name: str, **values: Any) -> Iterator[None]:
    """Meanwhile let a resting module have names, for those that import them from it and need them later or never."""
    module = sys.modules[name]
    if not isinstance(module, _Resting):
        yield
        return
    vars(module).update(values)
    try:
        yield
    finally:
        if isinstance(module, _Resting):
            for value in values:
                vars(module).pop(value, None)
