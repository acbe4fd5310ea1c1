"""Apply: make the changes of a plan, in order, in parallel where nothing depends, safe to kill at any moment.

There is no state file. What was made carries its ownership tag or a deterministic name, so a killed run is finished by
planning again and applying that. A create whose answer was lost is looked for before it is tried again; nothing is
reported as done before it reads back as declared.

Levels (:mod:`ringwall.deploy.order`) are finished one after another. A failure leaves alone what depends on it, and every
service control policy of its account: a policy that demands an endpoint which could not be made would only lock people
out. The rest goes on, other accounts entirely, and nothing is rolled back; a half-built perimeter is tighter than none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Literal

from ringwall.deploy.changes import Change, Plan
from ringwall.deploy.doors import Doors
from ringwall.deploy.isolation import Trouble
from ringwall.deploy.lockout import require_not_locked_out
from ringwall.deploy.manifest import Entry
from ringwall.deploy.order import LAST, after_policies, dependencies, levels, phase
from ringwall.deploy.plan import bound
from ringwall.deploy.register import Register
from ringwall.deploy.retry import Backoff
from ringwall.deploy.write import Written, read_back, remove, write
from ringwall.errors import AwsCallError, RingwallError
from ringwall.estate.aws import Aws
from ringwall.estate.kind import Kind
from ringwall.estate.model import Resource

Moment = Literal["started", "waiting", "done", "failed", "not attempted"]
Progress = Callable[[Moment, Change, str], None]
"""Called from one thread at a time with what happened to a change, and words about it."""


def silent(_moment: Moment, _change: Change, _words: str) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A change that could not be made.

    Attributes:
        change: which one.
        error: what AWS answered, or that it reads back differently.
        call: ``service:Operation``, where a call failed.
        permission: IAM action that the call needs, where known.
    """

    change: Change
    error: RingwallError
    call: str | None = None
    permission: str | None = None


@dataclass(frozen=True, slots=True)
class NotAttempted:
    """A change that was left alone, and why."""

    change: Change
    reason: str


@dataclass(frozen=True, slots=True)
class Applied:
    """What an apply did. Every change of the plan that does something is in exactly one of the three.

    Attributes:
        done: made, and read back as declared.
        failed: tried in vain.
        not_attempted: left alone because of a failure.
        made: by desired id, what is there now.
        unlisted: why the manifest could not be brought up to date at the end, if it could not.
    """

    done: tuple[Change, ...] = ()
    failed: tuple[Failed, ...] = ()
    not_attempted: tuple[NotAttempted, ...] = ()
    made: Mapping[str, Resource] = field(default_factory=dict)
    unlisted: RingwallError | None = None

    @property
    def complete(self) -> bool:
        """Whether everything that was planned was done."""
        return not self.failed and not self.not_attempted and self.unlisted is None


def apply(
    plan: Plan,
    aws: Aws,
    kinds: Mapping[str, Kind],
    *,
    management: Aws | None = None,
    others: Iterable[Aws] = (),
    progress: Progress = silent,
    workers: int = 8,
    backoff: Backoff | None = None,
    listed: Iterable[Entry] = (),
) -> Applied:
    """Make every change of a plan.

    Args:
        plan: from :func:`ringwall.deploy.plan.make_plan`, on what is there now. The user's gates (widening, deletions)
            are the caller's to have opened.
        aws: connection to the workload account.
        kinds: resource kinds by type.
        management: connection to the management account, for service control policies.
        others: connections to the further accounts of the declaration.
        progress: told of every step.
        workers: how many resources are written at once.
        backoff: how to wait for eventual consistency.
        listed: the manifest's entries as they were read; it is kept up as resources without tags come and go.

    Raises:
        LockedOutError: the new service control policies would stop the deployer itself. Nothing was written.
    """
    pause = backoff or Backoff()
    doors = Doors(aws, management, tuple(others))
    register = Register(plan, kinds, doors, tuple(listed), pause)
    run = _Run(plan, doors, kinds, progress, pause, register)
    if any(change.resource.type == "AWS::Organizations::Policy" for change in plan.todo):
        for door in doors.workloads:
            require_not_locked_out(plan, door, kinds)
    for level in run.schedule():
        run.level(level, workers)
    applied = run.applied()
    removed = {id(change.observed) for change in applied.done if change.action == "delete"}
    return replace(applied, unlisted=register.settle(run.attributes, removed))


@dataclass
class _Run:
    """One apply under way. Only the scheduling thread touches its state."""

    plan: Plan
    doors: Doors
    kinds: Mapping[str, Kind]
    progress: Progress
    backoff: Backoff
    register: Register
    attributes: dict[str, Mapping[str, str]] = field(default_factory=dict)
    done: list[Change] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    left: list[NotAttempted] = field(default_factory=list)
    made: dict[str, Resource] = field(default_factory=dict)
    trouble: Trouble = field(init=False)
    _missing: set[str] = field(default_factory=set)
    _written: dict[str, tuple[Change, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.trouble = Trouble(self.plan, self.kinds)
        for change in self.plan.changes:
            if change.observed is not None and change.action in ("no-op", "update"):
                self.attributes[change.id] = self.kinds[change.resource.type].attributes(change.observed)

    def schedule(self) -> Iterable[list[Change]]:
        """Changes by level; deletions by falling phase after what is made; last what the old policies refuse."""
        level_of = levels(self.plan.desired)
        made = [change for change in self.plan.todo if change.action != "delete"]
        builds = [change for change in made if not after_policies(change.resource)]
        for number in sorted({level_of[change.id] for change in builds}):
            yield [change for change in builds if level_of[change.id] == number]
        deletions = [change for change in self.plan.todo if change.action == "delete"]
        for number in sorted({phase(change.resource.type) for change in deletions}, reverse=True):
            yield [change for change in deletions if phase(change.resource.type) == number]
        yield [change for change in made if after_policies(change.resource)]

    def level(self, changes: list[Change], workers: int) -> None:
        """Everything of one level, each change as soon as what it refers to is there."""
        waiting = list(changes)
        running: dict[Future[Written], Change] = {}
        with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
            while waiting or running:
                waiting = self._start(waiting, {change.id for change in running.values()}, running, pool)
                if not running:
                    break
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    self._finish(running.pop(future), future)
            self._verify(pool)

    def _start(
        self,
        waiting: list[Change],
        busy: set[str],
        running: dict[Future[Written], Change],
        pool: ThreadPoolExecutor,
    ) -> list[Change]:
        """Start what can start; returns what still waits."""
        later: list[Change] = []
        open_ids = busy | {change.id for change in waiting if change.action != "delete"}
        for change in waiting:
            needs = self._needs(change)
            reason = self._obstacle(change, needs)
            if reason:
                self._leave(change, reason)
                open_ids.discard(change.id)
            elif needs & open_ids:
                later.append(change)
            else:
                self.progress("started", change, "")
                running[pool.submit(self._work, change)] = change
        return later if running or len(later) < len(waiting) else self._stuck(later)

    def _needs(self, change: Change) -> frozenset[str]:
        """What has to be there first; of what is listed in the manifest, the manifest's bucket too."""
        if change.action == "delete":
            return frozenset()
        return dependencies(change.resource) | self.register.needs(change)

    def _stuck(self, changes: list[Change]) -> list[Change]:
        """Nothing runs and nothing can start: cannot be, the order has no circles; left rather than waited for."""
        for change in changes:
            self._leave(change, "what it depends on was not made")
        return []

    def _obstacle(self, change: Change, needs: frozenset[str]) -> str | None:
        broken = sorted(needs & self._missing)
        if broken:
            return f"it needs {', '.join(broken)}"
        if (
            phase(change.resource.type) == LAST
            and change.action != "delete"
            and self.trouble.concerns(change)
        ):
            return "service control policies are set only when everything they rely on is there"
        if change.action == "delete" and self.failed and self.trouble.concerns(change):
            return "nothing is removed after a failure"
        return None

    def _work(self, change: Change) -> Written:
        kind = self.kinds[change.resource.type]
        door = self.doors.for_kind(kind, change.resource)
        if change.action == "delete":
            return remove(kind, door, change.resource, self.backoff)
        wanted = bound(change.resource, self.attributes)
        self.register.note(wanted, self.attributes)
        return write(kind, door, change, wanted, self.backoff)

    def _finish(self, change: Change, future: Future[Written]) -> None:
        try:
            written = future.result()
        except AwsCallError as error:
            self._fail(Failed(change, error, f"{error.service}:{error.operation}", error.permission))
        except RingwallError as error:
            self._fail(Failed(change, error))
        else:
            if written.resource is None:
                self._report_done(change, written.note)
                return
            self.attributes[change.id] = self.kinds[change.resource.type].attributes(written.resource)
            self._written[change.id] = (change, written.note)

    def _verify(self, pool: ThreadPoolExecutor) -> None:
        """Read back what this level wrote, each kind once; only then it counts as done."""
        groups: dict[tuple[str, str, str], list[Change]] = {}
        for change, _ in self._written.values():
            where = (change.resource.type, change.resource.account, change.resource.region)
            groups.setdefault(where, []).append(change)
        wanted = [[bound(change.resource, self.attributes) for change in group] for group in groups.values()]
        readings = zip(
            groups.values(), [pool.submit(self._read_back, group) for group in wanted], strict=True
        )
        for changes, reading in readings:
            there = reading.result()
            for change in changes:
                self._judge(change, there[change.id])
        self._written.clear()

    def _read_back(self, wanted: Sequence[Resource]) -> Mapping[str, Resource | RingwallError]:
        kind = self.kinds[wanted[0].type]
        try:
            return read_back(kind, self.doors.for_kind(kind, wanted[0]), wanted, self.backoff)
        except AwsCallError as error:
            return {resource.id: error for resource in wanted}

    def _judge(self, change: Change, there: Resource | RingwallError) -> None:
        if isinstance(there, AwsCallError):
            self._fail(Failed(change, there, f"{there.service}:{there.operation}", there.permission))
        elif isinstance(there, RingwallError):
            self._fail(Failed(change, there))
        else:
            self.made[change.id] = there
            self.attributes[change.id] = self.kinds[change.resource.type].attributes(there)
            self._report_done(change, self._written[change.id][1])

    def _report_done(self, change: Change, note: str) -> None:
        self.done.append(change)
        self.progress("done", change, note)

    def _fail(self, failed: Failed) -> None:
        self.failed.append(failed)
        self._missing.add(failed.change.id)
        self.trouble.add(failed.change)
        self.progress("failed", failed.change, str(failed.error))

    def _leave(self, change: Change, reason: str) -> None:
        self.left.append(NotAttempted(change, reason))
        self._missing.add(change.id)
        self.trouble.add(change)
        self.progress("not attempted", change, reason)

    def applied(self) -> Applied:
        """The report."""
        return Applied(tuple(self.done), tuple(self.failed), tuple(self.left), dict(self.made))
