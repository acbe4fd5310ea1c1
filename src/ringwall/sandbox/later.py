"""A part of the sandbox that is made while clients come already; whoever needs it waits until it is there."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ringwall.errors import RingwallError

if TYPE_CHECKING:
    from collections.abc import Callable


class Later:
    """Something that is made once, in whichever thread calls :meth:`make`.

    Args:
        name: what it is, for who waits in vain.
        make: makes it.
    """

    def __init__(self, name: str, make: Callable[[], None]) -> None:
        self._name = name
        self._make = make
        self._made, self._over = threading.Event(), threading.Event()

    def make(self) -> None:
        """Make it. What its maker raises goes on to the caller, and those who wait are told that there is none."""
        try:
            self._make()
            self._made.set()
        finally:
            self._over.set()

    def wait(self) -> None:
        """Wait until it is there.

        Raises:
            RingwallError: it could not be made.
        """
        self._over.wait()
        if not self.made():
            raise RingwallError(f"the sandbox's {self._name} could not be made; see the log of the process")

    def made(self) -> bool:
        """Whether it is there."""
        return self._made.is_set()
