"""Part 1: the declaration compiles, and its claims are proved before anything exists."""

from __future__ import annotations

from ringwall.controls.proving import prove_declared
from ringwall.demo.line import Line, Lines
from ringwall.demo.world import World
from ringwall.estate.references import bind, placeholders


def declare(world: World) -> Lines:
    """Compile, then prove every claim over all requests of everybody."""
    perimeter, desired = world.perimeter, world.desired
    uses = ", ".join(perimeter.uses)
    yield Line(
        "compiled",
        f"{world.file.name} compiles to {len(desired.resources)} AWS resources for the uses {uses}",
        ok=bool(desired.resources),
    )
    attributes = placeholders(desired)
    asked = 0
    for item in prove_declared(perimeter, bind(desired, attributes), attributes, world.catalog):
        asked += item.answer.asked
        rests = sorted({f"{reason.policy_type} {reason.policy}" for reason in item.answer.answer.because})
        details: tuple[str, ...] = (
            (f"rests on {', '.join(rests[:4])}",) if rests and item.declared.kind == "never" else ()
        )
        if not item.holds:
            details = (
                item.answer.verdict,
                item.answer.answer.reason or "",
                *map(str, item.answer.answer.witness),
            )
        mark = "proved" if item.declared.kind == "never" else "possible"
        yield Line(
            f"claim:{item.declared.name}", f"{mark}: {item.declared.title}", ok=item.holds, details=details
        )
    yield Line(
        "asked",
        f"{asked} questions to the prover, each over all requests: every listed principal, the root user, anybody else "
        "of the account, services and other accounts",
        ok=asked > 0,
    )
