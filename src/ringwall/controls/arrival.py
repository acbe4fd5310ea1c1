"""Whether what should be logged was: the newest call against the newest record of it.

AWS does not document how soon a record arrives, and CloudWatch Logs tells of a stream's newest event with a delay of up to an
hour (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogStream.html). So a record counts as lacking
only when the newest one is two hours older than the newest call, and that call is two hours old itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.controls.context import CheckContext
    from ringwall.estate.model import Resource

TYPE = "Ringwall::Bedrock::Activity"
SLACK = timedelta(hours=2)
DESTINATIONS = (
    # what is configured, its newest record, what that is called
    ("CloudWatchConfig", "LastLogEvent", "log event"),
    ("S3Config", "LastLogObject", "log object"),
)


@dataclass(slots=True)
class Arrival:
    """What was found.

    Attributes:
        problems: what did not arrive, in words.
        unread: why it cannot be told.
        words: what to add to a pass; empty where nothing was called.
        evidence: what it rests on.
    """

    problems: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    words: str = ""
    evidence: list[Resource] = field(default_factory=list)


def arrival(context: CheckContext, setting: Resource) -> Arrival:
    """Judge one Region's records. An Estate that was read without them says nothing, as does one without calls."""
    found = Arrival()
    for activity in context.observed.of_type(TYPE, account=setting.account, region=setting.region):
        found.evidence.append(activity)
        found.unread += [
            f"{item.property} of {setting.region} could not be read: {item.reason}"
            for item in activity.unknown
        ]
        called, since = _moment(activity, "LastCall"), _moment(activity, "LoggingSetAt")
        if called is None or (since is not None and called < since):
            continue
        found.problems += [
            f"{count:.0f} deliveries failed ({name})"
            for name, count in sorted(activity.get("Failures", {}).items())
        ]
        found.words = f"; the newest call, of {called:%Y-%m-%d %H:%M}, is there"
        for lag in _lacking(activity, setting, called):
            if _now(context) - called < SLACK:
                found.unread.append(f"{lag}: too early to tell, audit again in two hours")
            else:
                found.problems.append(lag)
    return found


def _lacking(activity: Resource, setting: Resource, called: datetime) -> Iterator[str]:
    for destination, name, what in DESTINATIONS:
        if not setting.get(f"LoggingConfig.{destination}") or activity.unknown_reason(name) is not None:
            continue
        newest = _moment(activity, name)
        if newest is None:
            yield f"no {what} since the call of {called:%Y-%m-%d %H:%M}"
        elif called - newest > SLACK:
            yield f"the newest {what} is of {newest:%Y-%m-%d %H:%M}, the newest call of {called:%Y-%m-%d %H:%M}"


def _moment(activity: Resource, name: str) -> datetime | None:
    value = activity.get(name)
    return datetime.fromisoformat(str(value)) if value else None


def _now(context: CheckContext) -> datetime:
    """When the account was read."""
    return datetime.fromisoformat(str(context.observed.taken_at))
