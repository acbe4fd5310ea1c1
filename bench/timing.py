"""Measuring, and the table that it fills.

Everything is measured warm, in loops of bounded time; a row is printed as soon as it is known. A ratio is the peer's
median over ours: above 1 we are quicker.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

ROUNDS = 101
"""Many short rounds: on a machine that does something else too, some of them are undisturbed."""
UNITS = ((1e-3, 1e6, "us"), (1.0, 1e3, "ms"), (float("inf"), 1.0, "s"))


@dataclass(frozen=True)
class Timing:
    """Seconds of one call: median and best of the rounds."""

    median: float
    best: float


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        name: what was measured.
        ours: our time; ``None`` for a peer's line.
        target: seconds that the project promises, if it does.
        peer: the peer's time.
        peer_name: who that is.
        note: in place of a time: why there is none.
    """

    name: str
    ours: Timing | None = None
    target: float | None = None
    peer: Timing | None = None
    peer_name: str = ""
    note: str = ""


def measure(
    call: Callable[[], Any], *, seconds: float = 0.25, rounds: int = ROUNDS, warm: bool = True
) -> Timing:
    """Time a call: as many times in each round as fit, at least once."""
    if warm:
        call()
    started = time.perf_counter()
    call()
    once = max(time.perf_counter() - started, 1e-8)
    count = max(1, int(seconds / rounds / once))
    found = []
    for _ in range(rounds if once * rounds < max(seconds, 0.05) * 4 else min(rounds, 3)):
        started = time.perf_counter()
        for _ in range(count):
            call()
        found.append((time.perf_counter() - started) / count)
    return Timing(median(found), min(found))


def interleaved(
    *calls: Callable[[], Any], seconds: float = 2.0, clock: Callable[[], float] = time.perf_counter
) -> tuple[Timing, ...]:
    """Time some calls in turn, so that what disturbs the machine disturbs all.

    Args:
        calls: what is timed.
        seconds: how long.
        clock: ``time.process_time`` for the processor's time of this process, waiting left out.
    """
    for call in (*calls, *calls):
        call()
    found: tuple[list[float], ...] = tuple([] for _ in calls)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(found[-1]) < 5:
        for call, times in zip(calls, found, strict=True):
            started = clock()
            call()
            times.append(clock() - started)
    return tuple(Timing(median(times), min(times)) for times in found)


def beside(
    ours: Callable[[], Any], peer: Callable[[], Any], *, rounds: int = ROUNDS
) -> tuple[Timing, Timing]:
    """Time two quick calls in batches by turns."""
    found = [
        (measure(ours, seconds=0.01, rounds=1).best, measure(peer, seconds=0.01, rounds=1).best)
        for _ in range(rounds)
    ]
    first, second = zip(*found, strict=True)
    return Timing(median(first), min(first)), Timing(median(second), min(second))


def once(call: Callable[[], Any]) -> Timing:
    """Time what cannot be repeated."""
    started = time.perf_counter()
    call()
    taken = time.perf_counter() - started
    return Timing(taken, taken)


def text(seconds: float | None) -> str:
    """A time in its unit."""
    if seconds is None:
        return ""
    scale, unit = next((scale, unit) for limit, scale, unit in UNITS if seconds < limit)
    value = seconds * scale
    return f"{value:.2f} {unit}" if value < 10 else f"{value:.0f} {unit}"


def print_table(title: str, rows: Iterable[Row]) -> Iterator[Row]:
    """Print rows as they come, and pass them on."""
    print(f"\n{title}")
    print(f"  {'':54}{'target':>9}{'median':>10}{'best':>10}  {'peer':24}{'median':>10}{'ratio':>9}")
    for row in rows:
        print(f"  {row.name:54}{_figures(row)}".rstrip(), flush=True)
        yield row


def _figures(row: Row) -> str:
    if row.note:
        return f"{'':29}  {row.note}"
    ours = row.ours
    line = f"{text(row.target):>9}{text(ours.median if ours else None):>10}{text(ours.best if ours else None):>10}"
    if row.peer is not None:
        ratio = f"{row.peer.median / ours.median:.2f}" if ours else ""
        line += f"  {row.peer_name:24}{text(row.peer.median):>10}{ratio:>9}"
    if ours is not None and row.target is not None and ours.median > row.target:
        line += "  over target"
    return line
