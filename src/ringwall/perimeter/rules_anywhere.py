"""Rules about lists and ARNs, wherever in a declaration they stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ringwall.catalog.partitions import partition_of
from ringwall.perimeter.environments import ACCOUNTS, ENVIRONMENTS
from ringwall.perimeter.finding import Data, Finding, Path, mapping, texts

ELSEWHERE = (ACCOUNTS, ENVIRONMENTS)
"""Sections that are looked at where they are laid over the rest."""
CONTENT = ("guardrail", "other_guardrails", "client")
"""Sections whose texts are for models and people: what looks like an ARN there need not be one."""


def _lists_repeat_nothing(data: Data) -> Iterator[Finding]:
    """A repeated subnet, Region or identifier is refused by the service, or not what was meant."""
    for path, value in _within({key: value for key, value in data.items() if key not in ELSEWHERE}, ()):
        seen: set[str] = set()
        for index, item in texts(value):
            if item in seen:
                yield (*path, index), f"{item} stands there twice"
            seen.add(item)


def _arns_are_of_the_partition(data: Data) -> Iterator[Finding]:
    """An ARN of another partition names nobody in this one: a policy that exempts it exempts no one."""
    source = mapping(data, "regions").get("source")
    if not isinstance(source, str):
        return
    partition = partition_of(source)
    skipped = (*ELSEWHERE, *CONTENT)
    for path, value in _within({key: value for key, value in data.items() if key not in skipped}, ()):
        if isinstance(value, str) and value.startswith("arn:") and value.split(":")[1] != partition:
            yield path, f"is in partition {value.split(':')[1]}; {source} is in {partition}"


def _within(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """A value and all that is inside of it, with their paths."""
    yield path, value
    inside = (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    )
    for step, item in inside:
        yield from _within(item, (*path, step))


RULES: tuple[Callable[[Data], Iterator[Finding]], ...] = (_lists_repeat_nothing, _arns_are_of_the_partition)
