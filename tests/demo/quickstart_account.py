"""The quickstart in a sandbox: told as a story, or applied once and lent to the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ringwall.demo.line import Line
from ringwall.demo.story import tell
from ringwall.demo.world import World, environment
from ringwall.deploy.apply import apply
from ringwall.deploy.changes import Plan
from ringwall.deploy.plan import make_plan
from ringwall.estate.kinds import registry
from ringwall.sandbox import Sandbox

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart" / "ringwall.yaml"


@dataclass(frozen=True)
class Story:
    """What was told.

    Attributes:
        parts: lines by the title of their part, in order.
        report: the HTML report that the audit wrote.
    """

    parts: dict[str, tuple[Line, ...]]
    report: Path

    def part(self, title: str) -> dict[str, Line]:
        """Lines of a part by slug."""
        return {line.slug: line for line in self.parts[title]}


def told(folder: Path) -> Story:
    """Tell the story in a sandbox of its own, which is gone when this returns."""
    parts: dict[str, list[Line]] = {}
    report = folder / "report.html"
    with Sandbox() as sandbox, environment(sandbox.environment()):
        for item in tell(World(sandbox, QUICKSTART, report)):
            if isinstance(item, Line):
                parts[list(parts)[-1]].append(item)
            else:
                parts[item.title] = []
    return Story({title: tuple(lines) for title, lines in parts.items()}, report)


@contextmanager
def deployed(folder: Path) -> Iterator[World]:
    """A sandbox in which the quickstart is applied, with this process's environment pointing at it."""
    with Sandbox() as sandbox, environment(sandbox.environment()):
        world = World(sandbox, QUICKSTART, folder / "report.html")
        put_right(world)
        yield world


def planned(world: World) -> Plan:
    """What apply would change now."""
    return make_plan(world.desired, world.observe(), registry(), perimeter=world.perimeter.name)


def put_right(world: World) -> None:
    """Apply the declaration; everything has to succeed."""
    applied = apply(planned(world), world.aws, registry(), management=world.management)
    assert applied.complete, [(item.change.id, item.error) for item in applied.failed]
    world.seen.pop("attributes", None)
