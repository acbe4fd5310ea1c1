"""Apply: make the changes of a plan, in order, in parallel where nothing depends, safe to kill at any moment.

There is no state file. What was made carries its ownership tag or a deterministic name, so a killed run is finished by
planning again and applying that. A create whose answer was lost is looked for before it is tried again; nothing is
reported as done before it reads back as declared.

Levels (:mod:`ringwall.deploy.order`) are written one after another, and each is read back beside the writes of the next.
What closes the perimeter, and every removal, waits until all before it reads back as declared. A failure leaves alone what
depends on it, and every service control policy of its account: a policy that demands an endpoint which could not be made
would only lock people out. The rest goes on, other accounts entirely, and nothing is rolled back; a half-built perimeter
is tighter than none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ringwall.deploy.changes import Change, Plan
from ringwall.deploy.doors import Doors
from ringwall.deploy.isolation import Trouble
from ringwall.deploy.lockout import require_not_locked_out
from ringwall.deploy.manifest import Entry
from ringwall.deploy.order import LAST, after_policies, closes, dependencies, levels, phase
from ringwall.deploy.plan import bound
from ringwall.deploy.register import Register
from ringwall.deploy.retry import Backoff
from ringwall.deploy.write import Written, read_back, remove, write
from ringwall.errors import AwsCallError, RingwallError
from ringwall.estate.aws import Aws
from ringwall.estate.kind import Kind
from ringwall.estate.model import Resource

Place = tuple[str, str, str]
"""Type, account and Region of resources that are read back together."""
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
    run.carry_out(workers)
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
    _writing: dict[Future[Written], Change] = field(default_factory=dict)
    _written: dict[Place, dict[str, Change]] = field(default_factory=dict)
    """By place and physical id, what is still to be read back."""
    _notes: dict[str, str] = field(default_factory=dict)
    _reading: dict[Future[Mapping[str, Resource | RingwallError]], tuple[Change, ...]] = field(
        default_factory=dict
    )

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

    def carry_out(self, workers: int) -> None:
        """Every level in turn. After an interrupt what is under way is finished, and nothing more is begun."""
        pool = ThreadPoolExecutor(max_workers=max(1, workers), thread_name_prefix="apply")
        try:
            for level in self.schedule():
                if any(closes(change) for change in level):
                    self._until_read()
                self._level(level, pool)
            self._until_read()
        finally:
            pool.shutdown(cancel_futures=True)

    def _level(self, changes: list[Change], pool: ThreadPoolExecutor) -> None:
        """Write everything of one level, each change as soon as what it refers to is there; the last readings go on."""
        waiting = list(changes)
        while waiting or self._writing:
            waiting = self._start(waiting, pool)
            if not self._writing:
                break
            self._hear()
            self._read_complete({_place(change) for change in (*waiting, *self._writing.values())}, pool)
        self._read_complete(set(), pool)

    def _hear(self) -> None:
        """Wait until something under way is through, and take what came of it."""
        under_way: list[Future[Any]] = [*self._reading, *self._writing]
        through, _ = wait(under_way, return_when=FIRST_COMPLETED)
        for future in filter(through.__contains__, under_way):
            if future in self._writing:
                self._finish(self._writing.pop(future), future)
            else:
                self._judge_all(self._reading.pop(future), future.result())

    def _until_read(self) -> None:
        """Wait for everything that is being read back."""
        while self._reading:
            self._hear()

    def _start(self, waiting: list[Change], pool: ThreadPoolExecutor) -> list[Change]:
        """Start what can start; returns what still waits."""
        later: list[Change] = []
        open_ids = {change.id for change in self._writing.values()}
        open_ids |= {change.id for change in waiting if change.action != "delete"}
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
                self._writing[pool.submit(self._work, change)] = change
        return later if self._writing or len(later) < len(waiting) else self._stuck(later)

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
            self._notes[change.id] = written.note
            self._written.setdefault(_place(change), {})[written.resource.id] = change

    def _read_complete(self, busy: set[Place], pool: ThreadPoolExecutor) -> None:
        """Read back what was written of each kind of which nothing more is to come in this level; only then it is done."""
        for place in [place for place in self._written if place not in busy]:
            changes = self._written.pop(place)
            wanted = {name: bound(change.resource, self.attributes) for name, change in changes.items()}
            self._reading[pool.submit(self._read_back, wanted)] = tuple(changes.values())

    def _read_back(self, wanted: Mapping[str, Resource]) -> Mapping[str, Resource | RingwallError]:
        first = next(iter(wanted.values()))
        kind = self.kinds[first.type]
        try:
            return read_back(kind, self.doors.for_kind(kind, first), wanted, self.backoff)
        except AwsCallError as error:
            return {resource.id: error for resource in wanted.values()}

    def _judge_all(self, changes: Iterable[Change], there: Mapping[str, Resource | RingwallError]) -> None:
        for change in changes:
            self._judge(change, there[change.id])

    def _judge(self, change: Change, there: Resource | RingwallError) -> None:
        if isinstance(there, AwsCallError):
            self._fail(Failed(change, there, f"{there.service}:{there.operation}", there.permission))
        elif isinstance(there, RingwallError):
            self._fail(Failed(change, there))
        else:
            self.made[change.id] = there
            self.attributes[change.id] = self.kinds[change.resource.type].attributes(there)
            self._report_done(change, self._notes.pop(change.id))

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


def _place(change: Change) -> Place:
    return change.resource.type, change.resource.account, change.resource.region
