"""Part 2: plan, apply, and a second plan that is empty."""

from __future__ import annotations

from ringwall.demo.line import Line, Lines
from ringwall.demo.world import World
from ringwall.deploy.after import outlook
from ringwall.deploy.apply import Applied, apply
from ringwall.deploy.changes import Plan
from ringwall.deploy.effects import AccessChanges, effects
from ringwall.deploy.plan import make_plan
from ringwall.estate.kinds import registry
from ringwall.estate.model import Estate


def deploy(world: World) -> Lines:
    """Make the account what the declaration says."""
    first, access = planned(world)
    yield Line(
        "planned",
        f"the plan adds {len(first.todo)} resources; it newly allows {len(access.newly_allows)} kinds of request to the "
        f"new roles and newly denies {len(access.newly_denies)} to people who were there",
        ok=not first.empty and not access.widening,
    )
    applied = apply(first, world.aws, registry(), management=world.management)
    yield Line(
        "applied",
        f"applied: {len(applied.done)} done, {len(applied.failed)} failed, {len(applied.not_attempted)} not attempted",
        ok=applied.complete,
        details=problems(applied),
    )
    second, _ = planned(world)
    yield Line(
        "converged",
        "a second plan is empty"
        if second.empty
        else f"a second plan still changes {len(second.todo)} resources",
        ok=second.empty,
        details=tuple(
            f"{change.action} {change.id} {', '.join(item.path for item in change.differences)}"
            for change in second.todo
        ),
    )


def planned(world: World, observed: Estate | None = None) -> tuple[Plan, AccessChanges]:
    """A plan on what was just read, or is read now, and what it changes for people."""
    plan = make_plan(world.desired, observed or world.observe(), registry(), perimeter=world.perimeter.name)
    return plan, effects(outlook(plan, registry()), world.catalog, partition=world.perimeter.partition)


def problems(applied: Applied) -> tuple[str, ...]:
    """What an apply could not do."""
    failed = [f"{item.change.id}: {item.error}" for item in applied.failed]
    return (*failed, *(f"{item.change.id}: {item.reason}" for item in applied.not_attempted))
