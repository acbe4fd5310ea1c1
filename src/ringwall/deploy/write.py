"""Writing one resource: tried again while AWS is not consistent yet, looked for when an answer was lost, read back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ringwall.deploy.changes import Change, Difference
from ringwall.deploy.diff import differences
from ringwall.deploy.retry import GONE, Backoff, exists, transient
from ringwall.errors import AwsCallError, RingwallError
from ringwall.estate.aws import Aws
from ringwall.estate.kind import Kind
from ringwall.estate.model import Resource
from ringwall.estate.remembering import Remembers
from ringwall.estate.repeating import LOST


class NotAsDeclaredError(RingwallError):
    """AWS accepted a write, but what reads back is not what was declared."""

    def __init__(self, resource: Resource, left: tuple[Difference, ...]) -> None:
        self.left = left
        paths = ", ".join(item.path for item in left)
        super().__init__(
            f"{resource.id} was written, but reads back different in {paths}; plan again to see how",
            details=tuple(f"{item.path}: {item.before!r} instead of {item.after!r}" for item in left),
        )


class AnswerLostError(RingwallError):
    """A create's answer was lost, the resource has not appeared, and sending the request again might make a second."""

    def __init__(self, resource: Resource, error: AwsCallError) -> None:
        super().__init__(
            f"{resource.id}: whether {error.service}:{error.operation} was carried out is not known, and nothing with "
            "its tags has appeared; run it again in some minutes, it is found then if it is there",
            details=(str(error),),
        )


@dataclass(frozen=True, slots=True)
class Written:
    """Outcome of a write that succeeded: what is there now (``None`` after a removal), and a word about it."""

    resource: Resource | None
    note: str = ""


def write(kind: Kind, aws: Aws, change: Change, wanted: Resource, backoff: Backoff) -> Written:
    """Create, update or replace a resource whose references are resolved.

    After every failure that may pass, what is there is read again, and the next try goes on from it: a create whose
    answer was lost becomes an update of what it made. A create that AWS cannot recognise as a repetition
    (``Kind.repeatable``) is never sent twice on a guess.

    Raises:
        AwsCallError: AWS refused, and waiting does not help or did not.
        AnswerLostError: a create that must not be repeated may or may not have been carried out.
    """
    there = change.observed
    if change.action == "replace" and there is not None:
        remove(kind, aws, there, backoff)
        there = None
    note = ""
    for pause, last in _tries(backoff):
        try:
            result = kind.create(aws, wanted) if there is None else kind.update(aws, there, wanted)
            return Written(result, note)
        except AwsCallError as error:
            why = transient(error)
            already = exists(error)
            if last or (why is None and not already):
                raise
            if why is not None:
                backoff.sleep(pause)
                note = f"after waiting: {why}"
            uncertain = error.code in LOST or already
            found = find(kind, aws, wanted)
            if found is None and already:
                raise  # somebody else's, of the same name
            if found is None and there is None and error.code in LOST and not kind.repeatable:
                found = _appeared(kind, aws, wanted, backoff)
                if found is None:
                    raise AnswerLostError(wanted, error) from error
            there = found
            if found is not None and uncertain:
                note = "its answer had been lost; it was found again"
    raise AssertionError("unreachable: the last try returns or raises")


def _appeared(kind: Kind, aws: Aws, wanted: Resource, backoff: Backoff) -> Resource | None:
    """Look for what may have been made until the waiting ends; listings lag behind writes."""
    for pause in backoff.waits():
        found = find(kind, aws, wanted)
        if found is not None:
            return found
        backoff.sleep(pause)
    return find(kind, aws, wanted)


def remove(kind: Kind, aws: Aws, resource: Resource, backoff: Backoff) -> Written:
    """Remove a resource; that it is gone already is a success.

    Raises:
        AwsCallError: AWS refused, and waiting does not help or did not.
    """
    for pause, last in _tries(backoff):
        try:
            kind.delete(aws, resource)
        except AwsCallError as error:
            if error.code in GONE:
                return Written(None, "it was gone already")
            if last or transient(error) is None:
                raise
            backoff.sleep(pause)
        else:
            return Written(None)
    raise AssertionError("unreachable: the last try returns or raises")


def find(kind: Kind, aws: Aws, wanted: Resource) -> Resource | None:
    """What is there of a desired resource now, read afresh."""
    _forget(aws)
    return kind.match(wanted, tuple(kind.read(aws)))


def remaining(kind: Kind, wanted: Resource, there: Resource) -> tuple[Difference, ...]:
    """What of the declared properties still differs."""
    return differences(kind.normalise(wanted.properties), kind.normalise(there.properties))


def read_back(
    kind: Kind, aws: Aws, wanted: Mapping[str, Resource], backoff: Backoff
) -> Mapping[str, Resource | RingwallError]:
    """Read resources of one kind that were just written, and say by desired id what is there.

    They are read together, and nothing else where AWS can be asked for them alone: an account may have hundreds. A stale
    reading is waited for; what still differs then was accepted by AWS and not kept, and is an error rather than done.

    Args:
        kind: theirs.
        aws: connection to their account and Region.
        wanted: by physical id, the desired resource with its references resolved.
        backoff: how to wait for eventual consistency.

    Raises:
        AwsCallError: they could not be read.
    """
    result: dict[str, Resource | RingwallError] = {}
    waits = backoff.waits()
    while True:
        there = tuple(kind.read_again(aws, tuple(wanted)))
        for resource in wanted.values():
            if not isinstance(result.get(resource.id), Resource):
                result[resource.id] = _as_declared(kind, resource, kind.match(resource, there))
        pause = next(waits, None)
        if pause is None or all(isinstance(item, Resource) for item in result.values()):
            return result
        backoff.sleep(pause)
        _forget(aws)


def _forget(aws: Aws) -> None:
    """Have the next reading ask AWS: what is remembered of a listing would be as stale as before, however long one waits."""
    if isinstance(aws, Remembers):
        aws.forget()


def _as_declared(kind: Kind, wanted: Resource, there: Resource | None) -> Resource | RingwallError:
    if there is None:
        return NotAsDeclaredError(wanted, (Difference("*", None, "present"),))
    unread = tuple(
        Difference(part.property, f"unknown: {part.reason}", wanted.get(part.property))
        for part in there.unknown
        if part.property in wanted.properties
    )
    left = unread or remaining(kind, wanted, there)
    return NotAsDeclaredError(wanted, left) if left else there


def _tries(backoff: Backoff) -> Iterator[tuple[float, bool]]:
    """For each try: the pause after it, and whether it is the last."""
    for pause in backoff.waits():
        yield pause, False
    yield 0.0, True
