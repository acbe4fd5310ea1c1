"""``Ringwall::Bedrock::Activity``: what was really called and what was really delivered; CloudFormation has no type.

Configuration says what should happen. What did is told by CloudTrail's event history (ninety days of management events,
with or without a trail): each inference call names the Region that processed it in ``additionalEventData.inferenceRegion``.
Beside the newest call stand the newest log event, the newest log object and the metrics of delivery, so that a log that
stopped arriving is seen. No question holds the time of asking: each follows from the answers before it, so that they can be
asked again of the answers alone.

AWS sources: https://docs.aws.amazon.com/bedrock/latest/userguide/geographic-cross-region-inference.html,
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html and
https://docs.aws.amazon.com/bedrock/latest/userguide/monitoring-runtime-metrics.html

Not in the history are data events: ``InvokeModelWithBidirectionalStream``, agents, flows and ``bedrock-mantle``. Within
which time a log arrives is not documented.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ringwall.catalog.bedrock import INVOCATION_LOG_STREAM, LOGGED_OPERATIONS
from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import Reading
from ringwall.estate.kinds.singleton import Singleton
from ringwall.estate.kinds.vpc import ReadOnlyKind

if TYPE_CHECKING:
    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

CALLS = tuple(sorted(LOGGED_OPERATIONS))
SET = "PutModelInvocationLoggingConfiguration"
PAGES = 2
"""Pages of fifty events that are looked at for each operation: LookupEvents gives two answers a second."""
FAILURES = (
    "ModelInvocationLogsCloudWatchDeliveryFailure",
    "ModelInvocationLogsS3DeliveryFailure",
    "ModelInvocationLargeDataS3DeliveryFailure",
)
HISTORY = ("Calls", "Complete", "Places", "LastCall")
GONE = ("ResourceNotFoundException", "NoSuchBucket")


class Activity(Singleton, ReadOnlyKind):
    """What was called and delivered in a Region.

    ``Calls`` counts the answered calls that were looked at, ``Complete`` says whether these are all of ninety days,
    ``Places`` tells for each processing Region how many, of which models, by whom, and one event of it; an empty Region is
    one that the event does not tell. Times are ISO 8601, UTC.
    """

    type = "Ringwall::Bedrock::Activity"
    slug = "activity"
    permissions = Permissions(
        (
            "bedrock:GetModelInvocationLoggingConfiguration",
            "cloudtrail:LookupEvents",
            "cloudwatch:GetMetricData",
            "logs:DescribeLogStreams",
            "s3:ListBucket",
        ),
        (),
    )

    def read(self, aws: Aws) -> Iterator[Resource]:
        """One resource for the Region; what could not be asked is unknown."""
        reading = Reading(aws)
        reading.found(HISTORY, lambda: _history(aws))
        if reading.properties.get("LastCall"):
            reading.found(("LoggingSetAt",), lambda: _newest_setting(aws))
            reading.take(
                "Destinations", ("bedrock", "GetModelInvocationLoggingConfiguration", {}), _destinations
            )
            self._delivered(aws, reading)
        yield self.seen(aws, self.slug, reading.properties, reading.unknown)

    def _delivered(self, aws: Aws, reading: Reading) -> None:
        """The newest record of each destination, from the hour of the newest call on."""
        called = datetime.fromisoformat(reading.properties["LastCall"])
        there = reading.properties.get("Destinations") or {}
        if there.get("LogGroup"):
            call = (
                "logs",
                "DescribeLogStreams",
                {"logGroupName": there["LogGroup"], "logStreamNamePrefix": INVOCATION_LOG_STREAM},
            )
            reading.take_all("LastLogEvent", call, "logStreams", _newest_ingestion, GONE)
        if there.get("Bucket"):
            reading.found(("LastLogObject",), lambda: _newest_object(aws, there, called), GONE)
        if there:
            reading.take("Failures", ("cloudwatch", "GetMetricData", _failures(called)), _sums)


@dataclass(slots=True)
class _Place:
    """The calls that one Region processed."""

    calls: int = 0
    models: set[str] = field(default_factory=set)
    principals: set[str] = field(default_factory=set)
    event: str = ""
    last: str = ""

    def to_json(self, region: str) -> dict[str, Any]:
        """As a property."""
        return {
            "InferenceRegion": region,
            "Calls": self.calls,
            "Models": sorted(self.models),
            "Principals": sorted(self.principals),
            "LastEvent": self.event,
            "LastCall": self.last,
        }


def _history(aws: Aws) -> dict[str, Any]:
    complete, places, calls = True, dict[str, _Place](), 0
    for operation in CALLS:
        events, whole = _events(aws, operation, PAGES)
        complete = complete and whole
        for event in events:
            calls += 1
            _count(places, event)
    return {
        "Calls": calls,
        "Complete": complete,
        "Places": [places[region].to_json(region) for region in sorted(places)],
        "LastCall": max((place.last for place in places.values()), default=None),
    }


def _events(aws: Aws, operation: str, pages: int) -> tuple[list[dict[str, Any]], bool]:
    """Events of calls that were answered, newest first, and whether these are all that there are."""
    found: list[dict[str, Any]] = []
    sent: dict[str, Any] = {
        "LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": operation}],
        "MaxResults": 50,
    }
    for _ in range(pages):
        answer = aws.call("cloudtrail", "LookupEvents", **sent)
        told = (json.loads(item["CloudTrailEvent"]) for item in answer.get("Events") or ())
        found += [event for event in told if not event.get("errorCode")]
        if not answer.get("NextToken"):
            return found, True
        sent["NextToken"] = answer["NextToken"]
    return found, False


def _count(places: dict[str, _Place], event: Mapping[str, Any]) -> None:
    model = str((event.get("requestParameters") or {}).get("modelId", ""))
    told = (event.get("additionalEventData") or {}).get("inferenceRegion")
    place = places.setdefault(str(told or _own_region(event, model)), _Place())
    place.calls += 1
    place.models.add(model)
    place.principals.add(_caller(event.get("userIdentity") or {}))
    time = _utc(datetime.fromisoformat(str(event["eventTime"])))
    if time > place.last:
        place.last, place.event = time, str(event.get("eventID", ""))


def _own_region(event: Mapping[str, Any], model: str) -> str:
    """Where a call without the field ran: a foundation model runs where it is called, a profile anywhere."""
    profile = "inference-profile/" in model or model.count(".") > 1
    return "" if profile else str(event.get("awsRegion", ""))


def _caller(identity: Mapping[str, Any]) -> str:
    issuer = (identity.get("sessionContext") or {}).get("sessionIssuer") or {}
    return str(issuer.get("arn") or identity.get("arn") or identity.get("invokedBy") or "unknown")


def _newest_setting(aws: Aws) -> dict[str, Any]:
    """When logging was set last: a call before that moment may have been logged nowhere, or elsewhere."""
    events, _ = _events(aws, SET, 1)
    times = [_utc(datetime.fromisoformat(str(event["eventTime"]))) for event in events]
    return {"LoggingSetAt": max(times, default=None)}


def _destinations(answer: Mapping[str, Any]) -> dict[str, str]:
    config = answer.get("loggingConfig") or {}
    bucket = config.get("s3Config") or {}
    found = {
        "LogGroup": (config.get("cloudWatchConfig") or {}).get("logGroupName"),
        "Bucket": bucket.get("bucketName"),
        "Prefix": bucket.get("keyPrefix"),
    }
    return {name: str(value) for name, value in found.items() if value}


def _newest_ingestion(streams: list[Any]) -> str | None:
    moments = [item.get("lastIngestionTime") or item.get("lastEventTimestamp") for item in streams]
    newest = max((moment for moment in moments if moment), default=None)
    return None if newest is None else _utc(datetime.fromtimestamp(newest / 1000, UTC))


def _newest_object(aws: Aws, there: Mapping[str, str], called: datetime) -> dict[str, Any]:
    """The newest object under the day of the call, from its hour on, and under the next day."""
    head = f"{there['Prefix']}/" if there.get("Prefix") else ""
    head += f"AWSLogs/{aws.account}/BedrockModelInvocationLogs/{aws.region}/"
    newest: datetime | None = None
    for day in (called, called + timedelta(days=1)):
        prefix = f"{head}{day:%Y/%m/%d}/"
        start = f"{prefix}{called:%H}/" if day is called else prefix
        for item in aws.pages(
            "s3", "ListObjectsV2", "Contents", Bucket=there["Bucket"], Prefix=prefix, StartAfter=start
        ):
            moment = item["LastModified"]
            moment = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
            newest = moment if newest is None else max(newest, moment)
    return {"LastLogObject": None if newest is None else _utc(newest)}


def _failures(called: datetime) -> dict[str, Any]:
    """A question about the day before the newest call and the hours after it."""
    hour = called.replace(minute=0, second=0, microsecond=0)
    return {
        "StartTime": hour - timedelta(days=1),
        "EndTime": hour + timedelta(hours=3),
        "MetricDataQueries": [
            {
                "Id": f"m{index}",
                "MetricStat": {
                    "Metric": {"Namespace": "AWS/Bedrock", "MetricName": name},
                    "Period": 3600,
                    "Stat": "Sum",
                },
            }
            for index, name in enumerate(FAILURES)
        ],
    }


def _sums(answer: Mapping[str, Any]) -> dict[str, float]:
    """How many deliveries failed, by metric; those that did not fail are left out."""
    found = {item["Id"]: sum(item.get("Values") or ()) for item in answer.get("MetricDataResults") or ()}
    sums = {name: found.get(f"m{index}", 0) for index, name in enumerate(FAILURES)}
    return {name: float(count) for name, count in sums.items() if count}


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
