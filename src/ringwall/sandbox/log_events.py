"""Log events: PutLogEvents, GetLogEvents and FilterLogEvents, on the archive.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from ringwall.sandbox import filter_patterns, metric_filters
from ringwall.sandbox.call import AwsError, Output, not_carried_out
from ringwall.sandbox.hooks import Hooks

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringwall.sandbox.archive import Line
    from ringwall.sandbox.turn import Turn

BATCH_EVENTS, BATCH_BYTES, EVENT_OVERHEAD = 10_000, 1_048_576, 26
"""Most events and bytes of a PutLogEvents call, and what each event counts beyond its message."""
_PAGE = 10_000
_PAGE_BYTES = 1_048_576
_MILLISECOND = timedelta(milliseconds=1)
_DAY = 24 * 3600 * 1000
_OLDEST, _NEWEST = 14 * _DAY, 2 * 3600 * 1000
_ENDLESS = 2**62
_TOKEN = re.compile(r"([fb])/(\d{20})(\d{36})/s")


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)


def group_of(turn: Turn) -> Any:
    """The log group of moto's that a call names.

    Raises:
        AwsError: ``ResourceNotFoundException``.
    """
    name = str(turn.parameters.get("logGroupIdentifier") or turn.parameters.get("logGroupName"))
    name = name.rpartition(":log-group:")[2].removesuffix(":*")
    with turn.gateway.moto.locked():
        group = turn.gateway.moto.store("logs", turn.account, turn.call.region).groups.get(name)
    if group is None:
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
    return group


def _stream_of(turn: Turn) -> Any:
    stream = group_of(turn).streams.get(turn.parameters["logStreamName"])
    if stream is None:
        raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
    return stream


def batches(lines: Sequence[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    """Log events in time's order, in batches that PutLogEvents takes: each a day, 10,000 events and 1 MiB at most."""
    batch: list[tuple[int, str]] = []
    size = 0
    for timestamp, message in sorted(lines, key=lambda line: line[0]):
        bytes_ = len(message.encode()) + EVENT_OVERHEAD
        full = len(batch) >= BATCH_EVENTS or size + bytes_ > BATCH_BYTES
        if batch and (full or timestamp - batch[0][0] > _DAY):
            yield batch
            batch, size = [], 0
        batch.append((timestamp, message))
        size += bytes_
    if batch:
        yield batch


def put_lines(call: Callable[..., object], lines: Sequence[tuple[int, str]]) -> None:
    """Write log events as a service does, which makes its stream unless it is there: it needs the right to either.

    Args:
        call: makes a call of CloudWatch Logs on the stream, given the operation and further parameters.
        lines: timestamps in milliseconds, and messages.

    Raises:
        AwsError: the calls'.
    """
    try:
        call("CreateLogStream")
    except AwsError as error:
        if error.code != "ResourceAlreadyExistsException":
            raise
    for batch in batches(lines):
        events = [{"timestamp": timestamp, "message": message} for timestamp, message in batch]
        call("PutLogEvents", logEvents=events)


def _check_batch(events: Sequence[dict[str, Any]]) -> None:
    if not 1 <= len(events) <= BATCH_EVENTS:
        raise _invalid(
            "1 validation error detected: Value at 'logEvents' failed to satisfy constraint: "
            f"Member must have length between 1 and {BATCH_EVENTS}"
        )
    size = sum(len(event["message"].encode()) + EVENT_OVERHEAD for event in events)
    if size > BATCH_BYTES:
        raise _invalid(f"Upload too large: {size} bytes exceeds limit of {BATCH_BYTES}")
    times = [event["timestamp"] for event in events]
    if times != sorted(times):
        raise _invalid("Log events in a single PutLogEvents request must be in chronological order.")
    if times[-1] - times[0] > _DAY:
        raise _invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
        )


def _put(turn: Turn) -> Output:
    stream, events = _stream_of(turn), turn.parameters["logEvents"]
    _check_batch(events)
    now = int(turn.call.time.timestamp() * 1000)
    kept_for = (stream.log_group.retention_in_days or 0) * _DAY
    oldest = now - (min(_OLDEST, kept_for) if kept_for else _OLDEST)
    good = [event for event in events if oldest <= event["timestamp"] <= now + _NEWEST]
    if good:
        _keep(turn, stream, good, now)
    # Sequence tokens are of the past: AWS gives one, and takes any.
    output: dict[str, Any] = {"nextSequenceToken": f"{now:056d}"}
    rejected = _rejected([event["timestamp"] for event in events], now, oldest, now - kept_for)
    if rejected:
        output["rejectedLogEventsInfo"] = rejected
    return Output(output)


def _keep(turn: Turn, stream: Any, events: Sequence[dict[str, Any]], now: int) -> None:
    with turn.gateway.moto.locked():
        if stream.log_group.subscription_filters:  # which are moto's to serve
            stream.put_log_events(events)
            return
        stream.last_ingestion_time = turn.call.time.replace(tzinfo=None)
    metric_filters.count(turn, stream.log_group.name, events)
    lines = [(event["timestamp"], now, event["message"]) for event in events]
    turn.gateway.archive.add_lines(stream.events.identity, lines)


def _rejected(times: Sequence[int], now: int, oldest: int, expired: int) -> dict[str, int]:
    """Where in a batch the events begin or end that are too new, too old, or past their retention."""
    found: dict[str, int] = {}
    new = next((index for index, time in enumerate(times) if time > now + _NEWEST), None)
    if new is not None:
        found["tooNewLogEventStartIndex"] = new
    old = sum(time < oldest for time in times)
    if old:
        found["tooOldLogEventEndIndex" if oldest != expired else "expiredLogEventEndIndex"] = old
    return found


def _shown(line: Line) -> dict[str, Any]:
    return {"timestamp": line.timestamp, "message": line.message, "ingestionTime": line.ingestion_time}


def _page(lines: Iterator[Line], limit: int) -> list[Line]:
    """As many lines as a page holds: so many, and 1 MiB."""
    page: list[Line] = []
    size = 0
    for line in islice(lines, limit):
        size += len(line.message) + EVENT_OVERHEAD
        if page and size > _PAGE_BYTES:
            break
        page.append(line)
    return page


def _limit(turn: Turn) -> int:
    limit = turn.parameters.get("limit") or _PAGE
    if not 1 <= limit <= _PAGE:
        raise _invalid(
            f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: Member must have "
            f"value less than or equal to {_PAGE}"
        )
    return int(limit)


def _get(turn: Turn) -> Output:
    """GetLogEvents: the end time is not included; the token at either end leads to where it was."""
    stream, given = _stream_of(turn), turn.parameters
    span = (given.get("startTime") or 0, (given.get("endTime") or _ENDLESS) - 1)
    token = given.get("nextToken")
    forward, after = bool(given.get("startFromHead")), None
    if token is not None:
        match = _TOKEN.fullmatch(token)
        if match is None:
            raise _invalid("The specified nextToken is invalid.")
        forward, after = match[1] == "f", (int(match[2]), int(match[3]))
    found = turn.gateway.archive.lines((stream.events.identity,), span, after, backward=not forward)
    page = _page(found, _limit(turn))
    if not forward:
        page.reverse()
    at = after or (0, 0)
    first, last = (
        ((page[0].timestamp, page[0].event_id), (page[-1].timestamp, page[-1].event_id)) if page else (at, at)
    )
    return Output(
        {
            "events": [_shown(line) for line in page],
            "nextForwardToken": _token("f", last),
            "nextBackwardToken": _token("b", first),
        }
    )


def _token(direction: str, place: tuple[int, int]) -> str:
    return f"{direction}/{place[0]:020d}{place[1]:036d}/s"


def _filter(turn: Turn) -> Output:
    """FilterLogEvents over the streams of a group."""
    group, given = group_of(turn), turn.parameters
    names, prefix = given.get("logStreamNames"), given.get("logStreamNamePrefix")
    if names and prefix:
        raise _invalid("LogStreamNamePrefix and LogStreamNames cannot both be specified.")
    missing = [name for name in names or () if name not in group.streams]
    if missing:
        raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
    streams = {
        stream.events.identity: name
        for name, stream in group.streams.items()
        if (not names or name in names) and name.startswith(prefix or "")
    }
    matches = matcher("FilterLogEvents", given.get("filterPattern") or "")
    after = None
    if given.get("nextToken") is not None:
        match = _TOKEN.fullmatch(given["nextToken"])
        if match is None:
            raise _invalid("The specified nextToken is invalid.")
        after = (int(match[2]), int(match[3]))
    span = (given.get("startTime") or 0, given.get("endTime") or _ENDLESS)
    found = turn.gateway.archive.lines(tuple(streams), span, after) if streams else iter(())
    lines = (line for line in found if matches(line.message))
    page = _page(lines, _limit(turn))
    output: dict[str, Any] = {
        "events": [
            {**_shown(line), "logStreamName": streams[line.stream], "eventId": f"{line.event_id:056d}"}
            for line in page
        ],
        "searchedLogStreams": [],
    }
    if page and _more(turn, tuple(streams), span, page[-1], matches):
        output["nextToken"] = _token("f", (page[-1].timestamp, page[-1].event_id))
    return Output(output)


def _more(
    turn: Turn, streams: tuple[str, ...], span: tuple[int, int], last: Line, matches: Callable[[str], bool]
) -> bool:
    rest = turn.gateway.archive.lines(streams, span, (last.timestamp, last.event_id))
    return any(matches(line.message) for line in rest)


def matcher(operation: str, pattern: str) -> filter_patterns.Matcher:
    """What a filter pattern matches.

    Raises:
        AwsError: it is none; 501 where its form is not carried out.
    """
    try:
        return filter_patterns.read(pattern)
    except filter_patterns.LackingError as lacking:
        raise not_carried_out("logs", operation, f"with {lacking}") from lacking
    except filter_patterns.PatternError as error:
        raise _invalid(f"Invalid filter pattern: {error}") from error


LOG_EVENTS = Hooks(
    instead={
        ("logs", "PutLogEvents"): _put,
        ("logs", "GetLogEvents"): _get,
        ("logs", "FilterLogEvents"): _filter,
    }
)
