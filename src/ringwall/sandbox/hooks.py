"""What the sandbox adds to single operations of moto's services: checks, defaults and effects, by (service, operation).

Each room of hooks (``iam_hooks``, ``ec2_hooks``, ...) exports a :class:`Hooks` table; :func:`collect` joins them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ringwall.sandbox.backend import Reply
    from ringwall.sandbox.call import Output
    from ringwall.sandbox.turn import Turn

ANY = "*"
"""In ``prepare`` and ``before``: every operation of the service; what is for all of them runs first."""

Operation: TypeAlias = tuple[str, str]
Before: TypeAlias = "Callable[[Turn], None]"
After: TypeAlias = "Callable[[Turn, Reply], None]"
Instead: TypeAlias = "Callable[[Turn], Output]"


@dataclass(frozen=True)
class Hooks:
    """Hooks of one room.

    Attributes:
        prepare: before authorization: defaults that decide which resource is meant.
        before: after authorization: what AWS rejects, as :class:`~ringwall.sandbox.call.AwsError`.
        after: once moto has answered: effects, and corrections of the answer.
        instead: answers in moto's place.
    """

    prepare: Mapping[Operation, Before] = field(default_factory=dict)
    before: Mapping[Operation, Before] = field(default_factory=dict)
    after: Mapping[Operation, After] = field(default_factory=dict)
    instead: Mapping[Operation, Instead] = field(default_factory=dict)


class Table:
    """Hooks of all rooms, by operation."""

    def __init__(self, rooms: Iterable[Hooks]) -> None:
        self._prepare: dict[Operation, list[Before]] = defaultdict(list)
        self._before: dict[Operation, list[Before]] = defaultdict(list)
        self._after: dict[Operation, list[After]] = defaultdict(list)
        self._instead: dict[Operation, Instead] = {}
        for room in rooms:
            for operation, hook in room.prepare.items():
                self._prepare[operation].append(hook)
            for operation, hook in room.before.items():
                self._before[operation].append(hook)
            for operation, effect in room.after.items():
                self._after[operation].append(effect)
            self._instead.update(room.instead)

    def prepare(self, turn: Turn) -> None:
        """Run what comes before authorization."""
        for operation in (ANY, turn.call.operation):
            for hook in self._prepare.get((turn.call.service, operation), ()):
                hook(turn)

    def before(self, turn: Turn) -> None:
        """Run the checks."""
        for operation in (ANY, turn.call.operation):
            for hook in self._before.get((turn.call.service, operation), ()):
                hook(turn)

    def after(self, turn: Turn, reply: Reply) -> None:
        """Run the effects."""
        for hook in self._after.get((turn.call.service, turn.call.operation), ()):
            hook(turn, reply)

    def instead(self, turn: Turn) -> Instead | None:
        """What answers in moto's place, if anything does."""
        return self._instead.get((turn.call.service, turn.call.operation))


def each(service: str, operations: Iterable[str], hook: Before) -> dict[Operation, Before]:
    """The same hook for several operations."""
    return {(service, operation): hook for operation in operations}
