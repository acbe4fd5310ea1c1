"""The parts in order, and how they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from ringwall.demo.audit import audit
from ringwall.demo.calls import call
from ringwall.demo.declare import declare
from ringwall.demo.deploy import deploy
from ringwall.demo.line import Line, Lines
from ringwall.demo.records import records
from ringwall.demo.tamper import tamper
from ringwall.demo.world import World
from ringwall.errors import RingwallError


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the story. ``essential``: nothing after it makes sense without it."""

    title: str
    tell: Callable[[World], Lines]
    essential: bool = False


PARTS = (
    Part("Declare and prove", declare, essential=True),
    Part("Plan and apply", deploy, essential=True),
    Part("Audit", audit),
    Part("Call", call),
    Part("What was recorded", records),
    Part("Tamper, and be caught", tamper),
)


def tell(world: World) -> Iterator[Part | Line]:
    """Each part's heading followed by its lines. What fails is told as a line that was not observed."""
    for part in PARTS:
        yield part
        whole = True
        try:
            for line in part.tell(world):
                whole &= line.ok
                yield line
        except (RingwallError, ClientError, BotoCoreError) as error:
            whole = False
            yield Line(
                f"stopped:{part.title}", f"stopped: {error}", ok=False, details=getattr(error, "details", ())
            )
        if part.essential and not whole:
            return
