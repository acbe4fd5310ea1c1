"""What plan, apply, drift and destroy share: the account is read, and compared with the declaration."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from ringwall.cli.common import connections, note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.deploy.apply import Applied, Moment, Progress
    from ringwall.deploy.changes import Change, Plan
    from ringwall.deploy.effects import AccessChanges
    from ringwall.deploy.manifest import Entry
    from ringwall.estate.aws import Aws
    from ringwall.perimeter import Perimeter


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan and the connections to carry it out with."""

    plan: Plan
    access: AccessChanges
    aws: Aws
    management: Aws
    listed: tuple[Entry, ...] = ()


def prepare(perimeter: Perimeter, *, profile: str | None) -> Prepared:
    """Read the account and plan. Raises PlanRefusedError where something needed could not be read.

    What comparing needs is loaded while AWS answers.
    """
    from concurrent.futures import ThreadPoolExecutor

    from ringwall.controls.compile import compile_estate
    from ringwall.estate.collect import collect

    aws, management = connections(perimeter, profile=profile)
    desired = compile_estate(perimeter)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="read") as pool:
        reading = pool.submit(collect, aws, management=management, desired=desired)
        from ringwall.catalog import load
        from ringwall.deploy.after import outlook
        from ringwall.deploy.effects import effects
        from ringwall.deploy.manifest import read_manifest
        from ringwall.deploy.plan import make_plan
        from ringwall.estate.kinds import registry

        kinds, vocabulary = registry(), load()
        observed = reading.result()
    listed = read_manifest(aws, observed, perimeter.name)
    plan = make_plan(desired, observed, kinds, perimeter=perimeter.name, listed=listed)
    access = effects(outlook(plan, kinds), vocabulary, partition=perimeter.partition)
    return Prepared(plan, access, aws, management, listed)


def try_out(prepared: Prepared, perimeter: Perimeter, target: str) -> None:
    """Apply with the organization policies on a canary alone, and see whether the account can still be read.

    Raises:
        CanaryFailedError: it cannot; the policies were taken off the canary again.
        RingwallError: the first wave could not be applied.
    """
    from ringwall.deploy.apply import apply
    from ringwall.deploy.canary import (
        CanaryFailedError,
        changed_in_place,
        denials,
        first_wave,
        retreat,
        stands_in,
    )
    from ringwall.deploy.plan import make_plan
    from ringwall.errors import RingwallError
    from ringwall.estate.collect import collect
    from ringwall.estate.kinds import registry

    before, kinds = prepared.plan.observed, registry()
    for name in changed_in_place(prepared.plan):
        note(f"{name} is attached already; its text changes everywhere at once")
    if not stands_in(before, perimeter.account, target):
        note(f"{perimeter.account} is not in {target}: reading it says nothing about the policies there")
    wave = make_plan(
        first_wave(prepared.plan, target), before, kinds, perimeter=perimeter.name, listed=prepared.listed
    )
    with watching(len(wave.todo)) as progress:
        applied = apply(
            wave,
            prepared.aws,
            kinds,
            management=prepared.management,
            progress=progress,
            listed=prepared.listed,
        )
    if not applied.complete:
        report(applied)
        msg = "the canary was not finished, and nothing else was attached; run it again"
        raise RingwallError(msg)
    found = denials(before, collect(prepared.aws, management=prepared.management))
    if found:
        gone = tuple(retreat(prepared.management, wave, applied.made.values(), target))
        msg = (
            f"with the policies on {target} the account cannot be read; they were detached: {', '.join(gone)}"
        )
        raise CanaryFailedError(msg, details=found)
    note(f"canary {target}: the account can still be read")


@contextmanager
def watching(total: int) -> Iterator[Progress]:
    """Progress on standard error: a bar on a terminal, elsewhere a line for each finished step.

    Args:
        total: how many changes there are.
    """
    finished = 0

    def counted(moment: Moment, change: Change, words: str) -> str | None:
        nonlocal finished
        if moment == "started":
            return None
        finished += moment != "waiting"
        return f"  {finished:{len(str(total))}}/{total} {moment:13} {change.id}" + (
            f": {words}" if words else ""
        )

    if not sys.stderr.isatty():
        yield lambda moment, change, words: _told(counted(moment, change, words))
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Bar(*columns, console=Console(stderr=True, highlight=False), transient=True) as bar:
        task = bar.add_task("", total=total)

        def moved(moment: Moment, change: Change, words: str) -> None:
            line = counted(moment, change, words)
            bar.update(task, completed=finished, description=change.id)
            if line is not None and (words or moment != "done"):
                bar.console.print(line, markup=False)

        yield moved


def _told(line: str | None) -> None:
    if line is not None:
        note(line)


def report(applied: Applied) -> int:
    """Say what was done and what was not; the exit code."""
    for failed in applied.failed:
        needs = f" (needs {failed.permission})" if failed.permission else ""
        click.echo(f"ringwall: {failed.change.id} failed{needs}: {failed.error}", err=True)
    for left in applied.not_attempted:
        click.echo(f"ringwall: {left.change.id} was not attempted: {left.reason}", err=True)
    if applied.unlisted is not None:
        click.echo(f"ringwall: the manifest could not be written: {applied.unlisted}", err=True)
    words = f"{len(applied.done)} done"
    if not applied.complete:
        words += f", {len(applied.failed)} failed, {len(applied.not_attempted)} not attempted; run it again to go on"
    note(words)
    return 0 if applied.complete else 1
