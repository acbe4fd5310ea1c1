"""Reading side by side: listings of different kinds, and the resources of one kind."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from ringwall.errors import AwsCallError
from ringwall.estate.kinds.base import side_by_side
from ringwall.estate.model import Resource
from ringwall.estate.remembering import Remembering

PATIENCE = 30
"""Seconds after which a test that should have met somebody has failed."""


class Door(Remembering):
    """Answers with a number that grows, which is its evidence too."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self._counting = threading.Lock()

    def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        del service, operation, parameters
        with self._counting:
            self.calls += 1
            number = self.calls
        self._add_fresh((f"digest-{number}",))
        return {"number": number}


def together(*tasks: Any) -> list[Any]:
    """Run tasks at once and give what they return."""
    results: list[Any] = [None] * len(tasks)

    def run(index: int) -> None:
        results[index] = tasks[index]()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(tasks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return results


def test_values_of_different_names_are_computed_beside_each_other() -> None:
    door, meeting = Door(), threading.Barrier(2, timeout=PATIENCE)

    def value(name: str) -> Any:
        def compute() -> str:
            meeting.wait()  # nobody gets past it alone
            return name

        return door.remember(name, compute)

    assert together(lambda: value("a"), lambda: value("b")) == ["a", "b"]


def test_a_value_is_computed_once_and_is_evidence_for_everybody() -> None:
    door = Door()

    def ask() -> tuple[int, tuple[str, ...]]:
        found = door.remember("x", lambda: door.call("s", "o")["number"])
        return found, door.evidence()

    assert together(*[ask] * 8) == [(1, ("digest-1",))] * 8
    assert door.calls == 1


def test_what_was_being_computed_when_something_was_written_is_not_kept() -> None:
    door = Door()

    def compute() -> int:
        number = int(door.call("s", "o")["number"])
        door.forget()  # as a write in another thread does
        return number

    assert door.remember("x", compute) == 1
    assert door.remember("x", lambda: door.call("s", "o")["number"]) == 2


def test_a_failure_is_not_remembered() -> None:
    door = Door()

    def fail() -> None:
        raise AwsCallError("s", "o", "AccessDenied", "no")

    with pytest.raises(AwsCallError):
        door.remember("x", fail)
    assert door.remember("x", lambda: 5) == 5


def resource(name: str, evidence: tuple[str, ...] = ()) -> Resource:
    return Resource("AWS::S3::Bucket", "111122223333", "us-east-1", name, {}, evidence=evidence)


def test_resources_are_read_beside_each_other_and_stay_in_order_with_their_own_evidence() -> None:
    door, meeting = Door(), threading.Barrier(4, timeout=PATIENCE)

    def read(name: str) -> Resource | None:
        meeting.wait()
        number = door.call("s", "o")["number"]
        return None if name == "gone" else resource(name, (f"digest-{number}", *door.evidence()))

    found = list(side_by_side(door, read, ["b", "gone", "a", "c"]))
    assert [item.id for item in found] == ["b", "a", "c"]
    assert all(item.evidence == (item.evidence[0],) * 2 for item in found)


def test_the_first_in_order_that_fails_is_what_is_said() -> None:
    def read(name: str) -> Resource:
        if name in ("b", "c"):
            raise AwsCallError("s", "o", "AccessDenied", name)
        return resource(name)

    found: list[Resource] = []
    with pytest.raises(AwsCallError, match="b"):
        found.extend(side_by_side(Door(), read, ["a", "b", "c", "d"]))
    assert [item.id for item in found] == ["a"]
