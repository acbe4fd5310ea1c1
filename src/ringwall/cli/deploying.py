"""What plan, apply, drift and destroy share: the account is read, and compared with the declaration."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringwall.cli.common import all_connections, note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ringwall.deploy.access_change import AccessChanges
    from ringwall.deploy.apply import Applied, Moment, Progress
    from ringwall.deploy.changes import Change, Plan
    from ringwall.deploy.destroy import Destruction
    from ringwall.deploy.doors import Doors
    from ringwall.deploy.manifest import Entry
    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Estate
    from ringwall.perimeter import Perimeter

WAITS = "for what they need was not made"
SHOWN = 5
"""How many resources that were not attempted a line names; the progress told each with what it waits for."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan and the connections to carry it out with.

    Attributes:
        plan: of all accounts of the declaration.
        access: what it changes for people.
        aws: connection to the account; of several to the first.
        management: connection to the management account.
        others: connections to the further accounts.
        listed: the entries of the accounts' manifests.
    """

    plan: Plan
    access: AccessChanges
    aws: Aws
    management: Aws
    others: tuple[Aws, ...] = ()
    listed: tuple[Entry, ...] = ()

    @property
    def doors(self) -> Doors:
        """The connections."""
        from ringwall.deploy.doors import Doors

        return Doors(self.aws, self.management, self.others)

    def carry_out(self, how: Callable[..., Applied], what: Plan | Destruction, steps: int) -> Applied:
        """Apply a plan or destroy, by these connections, and show how it goes.

        Args:
            how: :func:`ringwall.deploy.apply.apply` or :func:`ringwall.deploy.destroy.destroy`.
            what: what it carries out.
            steps: how many resources that is.
        """
        from ringwall.estate.kinds import registry

        with watching(steps) as progress:
            return how(
                what,
                self.aws,
                registry(),
                management=self.management,
                others=self.others,
                progress=progress,
                listed=self.listed,
            )


def prepare(perimeters: tuple[Perimeter, ...], *, profile: str | None) -> Prepared:
    """Read the accounts and plan. Raises PlanRefusedError where something needed could not be read.

    What planning needs is loaded while AWS answers.
    """
    from concurrent.futures import ThreadPoolExecutor

    from ringwall.controls.members import compile_members
    from ringwall.estate.collect import collect_all

    aws, management, others = all_connections(perimeters, profile=profile)
    desired = compile_members(perimeters)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="read") as pool:
        reading = pool.submit(collect_all, (aws, *others), management=management, desired=desired)
        from ringwall.deploy.plan import make_plan
        from ringwall.estate.kinds import registry

        kinds = registry()
        observed = reading.result()
    name = perimeters[0].name
    observed, listed = with_manifests((aws, *others), observed, name)
    plan = make_plan(desired, observed, kinds, perimeter=name, listed=listed)
    access = _effects(plan, perimeters)
    return Prepared(plan, access, aws, management, others, listed)


def _effects(plan: Plan, perimeters: tuple[Perimeter, ...]) -> AccessChanges:
    """What a plan changes for people; for one that does nothing that is nothing, and nothing is loaded to find it out."""
    from ringwall.deploy.access_change import AccessChanges, told_apart

    if plan.empty:
        return AccessChanges()
    from ringwall.catalog import load
    from ringwall.deploy.after import outlook
    from ringwall.deploy.effects import effects
    from ringwall.estate.kinds import registry

    found = effects(outlook(plan, registry()), load(), partition=perimeters[0].partition)
    names = {item.account: item.member for item in perimeters if item.member is not None}
    return told_apart(found, names)


def with_manifests(
    accounts: Sequence[Aws], observed: Estate, perimeter: str
) -> tuple[Estate, tuple[Entry, ...]]:
    """The entries of every account's manifest, and the observed Estate with what they list elsewhere."""
    from ringwall.deploy.manifest import read_listed, read_manifest
    from ringwall.estate.kinds import registry

    listed = tuple(item for aws in accounts for item in read_manifest(aws, observed, perimeter))
    return read_listed(accounts, observed, listed, registry()), listed


def try_out(prepared: Prepared, target: str) -> None:
    """Apply on a canary alone, and see whether what is there can still be read.

    Raises:
        CanaryFailedError: it cannot; the policies were taken off the canary again.
        RingwallError: the first wave could not be applied, or no declared account is in the canary.
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
    from ringwall.errors import RingwallError
    from ringwall.estate.collect import collect_all
    from ringwall.estate.kinds import registry

    before, kinds = prepared.plan.observed, registry()
    for name in changed_in_place(prepared.plan):
        note(f"{name} is attached already; its text changes everywhere at once")
    inside = [door for door in prepared.doors if stands_in(before, door.account, target)]
    if not inside:
        if prepared.others:
            raise RingwallError(f"no declared account is in {target}: nothing would be tried out there")
        note(f"{prepared.aws.account} is not in {target}: reading it says nothing about the policies there")
        inside = [prepared.aws]
    wave = first_wave(prepared.plan, target, kinds, listed=prepared.listed)
    applied = prepared.carry_out(apply, wave, len(wave.todo))
    if not applied.complete:
        report(applied)
        msg = "the canary was not finished, and nothing else was attached; run it again"
        raise RingwallError(msg)
    again = collect_all(inside, management=prepared.management, desired=wave.desired)
    found = denials(before, again)
    if found:
        gone = tuple(retreat(prepared.management, wave, applied.made.values()))
        msg = f"with the policies on {target} what is there cannot be read; they were detached: {', '.join(gone)}"
        raise CanaryFailedError(msg, details=found)
    note(f"canary {target}: what is there can still be read")


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
    """Say what was done and what was not, causes first; the exit code."""
    for failed in applied.failed:
        _complain(f"{failed.change.id} failed: {failed.error}")
        for detail in failed.error.details:
            _complain(f"  {detail}")
    reasons: dict[str, list[str]] = {}
    for left in applied.not_attempted:
        cause = WAITS if left.reason.startswith("it needs ") else left.reason
        reasons.setdefault(cause, []).append(left.change.id)
    for cause, names in reasons.items():
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        _complain(f"{len(names)} not attempted, {cause}: {', '.join(names[:SHOWN])}{more}")
    if applied.unlisted is not None:
        _complain(f"the manifest could not be written: {applied.unlisted}")
    words = f"{len(applied.done)} done"
    if not applied.complete:
        words += f", {len(applied.failed)} failed, {len(applied.not_attempted)} not attempted; run it again to go on"
    note(words)
    return 0 if applied.complete else 1


def _complain(words: str) -> None:
    note(f"ringwall: {words}")
